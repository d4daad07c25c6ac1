"""experiments/pool.py: whose slices are read, and what is written with patients held out."""

import json

from lvseg import records
from lvseg.errors import LabError

import pytest

from experiments.pool import check_apart, read_pool, write_part, write_sides

SIDES = {'train': 'train_images.tfrecords', 'val': 'val_images.tfrecords'}


def numbers(folder, side):
    return [image[0, 0] for image, _ in records.read(str(folder / SIDES[side]))]


def test_a_patient_is_one_with_and_without_padding(data):
    assert read_pool(data).patients == ['SC-HF-I-01', 'SC-HF-NI-03', 'SC-HYP-01', 'SC-N-02']


@pytest.mark.parametrize(
    'held_out', [['SC-N-02'], ['SC-HF-I-01', 'SC-HYP-01'], ['SC-HF-NI-03', 'SC-HYP-01', 'SC-N-02']]
)
def test_no_patient_is_on_both_sides_and_no_slice_is_lost(data, manifest_of, tmp_path, held_out):
    write_part(read_pool(data), held_out, tmp_path / 'fold')
    lines = manifest_of(tmp_path / 'fold')
    assert {line['patient'] for line in lines if line['split'] == 'val'} == set(held_out)
    assert not {line['patient'] for line in lines if line['split'] == 'train'} & set(held_out)
    whose = ['SC-N-02', 'SC-HYP-01', 'SC-N-02', 'SC-HF-I-01', 'SC-HYP-01', 'SC-HF-NI-03', 'SC-HF-I-01']
    # Records in the order of the two files, and the manifest's lines in that of the records.
    assert numbers(tmp_path / 'fold', 'val') == [n for n in range(7) if whose[n] in held_out]
    assert numbers(tmp_path / 'fold', 'train') == [n for n in range(7) if whose[n] not in held_out]
    for side in SIDES:
        areas = [int(line['lv_pixels']) for line in lines if line['split'] == side]
        assert areas == [label.sum() for _, label in records.read(str(tmp_path / 'fold' / SIDES[side]))]
    assert {line['pixel_spacing'] for line in lines} == {'1.25'}
    sides = [line['split'] for line in lines]
    assert sides == sorted(sides)  # First all that train, then all that validate, as data_prep writes them.


def test_slices_without_a_side_are_left_out(data, manifest_of, tmp_path):
    write_sides(read_pool(data), ['eval', '', 'train', '', '', '', 'train'], tmp_path / 'part')
    assert numbers(tmp_path / 'part', 'train') == [2, 6] and numbers(tmp_path / 'part', 'val') == [0]
    assert [line['patient'] for line in manifest_of(tmp_path / 'part')] == ['SC-N-02', 'SC-HF-I-01', 'SC-N-02']


def test_one_record_file_is_enough(write_data, tmp_path):
    data = write_data(tmp_path / 'data', {'train': ['a', 'b']})
    assert read_pool(data).patients == ['a', 'b']


def test_without_records_or_a_manifest_that_fits_it_ends_in_one_line(data, tmp_path):
    with pytest.raises(LabError, match='holds no record file'):
        read_pool(tmp_path)
    text = (data / 'manifest.csv').read_text()
    for wrong in (text.replace(',40,', ',41,'), text.replace('patient', 'who'), text.replace(',SC-N-2,', ',,')):
        (data / 'manifest.csv').write_text(wrong)
        with pytest.raises(LabError, match='does not tell whose slices are in .*train_images.tfrecords'):
            read_pool(data)
    (data / 'manifest.csv').unlink()
    with pytest.raises(LabError, match='manifest.csv does not tell whose slices'):
        read_pool(data)


def test_a_run_on_other_patients_is_apart_from_the_pool(data, run_on):
    phantoms = run_on('phantoms', ['SC-N-901'])
    check_apart(read_pool(data), phantoms)
    check_apart(read_pool(data), run_on('further', ['SC-N-902'], init_from=phantoms / 'model.ckpt-7'))


def test_a_run_that_knows_one_who_is_held_out_is_refused(data, run_on):
    knows = run_on('knows', ['SC-N-901', 'SC-HF-I-1'])  # In the pool by the name of SC-HF-I-01.
    for run in (knows, run_on('further', ['SC-N-902'], init_from=knows)):
        with pytest.raises(LabError, match='knows was trained on SC-HF-I-01, by whom it would be judged here'):
            check_apart(read_pool(data), run)


def test_a_run_of_which_nobody_can_tell_is_refused(data, run_on, tmp_path):
    with pytest.raises(LabError, match='no run there'):
        check_apart(read_pool(data), tmp_path)
    run, manifest = run_on('phantoms', ['SC-N-901', 'SC-N-902']), tmp_path / 'data-of-phantoms' / 'manifest.csv'
    lines = manifest.read_text().splitlines(keepends=True)
    for wrong in (lines[:-1], [*lines[:-1], lines[-1].replace('SC-N-902,', ',')], []):
        manifest.write_text(''.join(wrong))
        with pytest.raises(LabError, match='does not tell whose slices trained it'):
            check_apart(read_pool(data), run)


def test_a_run_whose_first_weights_are_no_more_where_they_were_is_refused(data, run_on, tmp_path):
    itself = run_on('moved', ['SC-N-901'], init_from=tmp_path / 'runs' / 'moved')  # The earlier one was moved aside.
    gone = run_on('gone', ['SC-N-901'], init_from=tmp_path / 'nowhere')
    young = run_on('young', ['SC-N-901'], init_from=tmp_path / 'runs' / 'retrained')
    retrained = run_on('retrained', ['SC-N-902'])
    undated = run_on('undated', ['SC-N-901'], init_from=retrained)
    tells = json.loads((undated / 'run.json').read_text())
    (undated / 'run.json').write_text(json.dumps({**tells, 'started': None}))
    for run in (itself, gone, young, undated):
        with pytest.raises(LabError, match='nobody can tell whose they were'):
            check_apart(read_pool(data), run)
