"""scripts/cross_validate.py: who is held out, what is written, what is measured again, and what the table says."""

import csv
import json
import sys
from types import SimpleNamespace

from lvseg import records
from lvseg.errors import LabError

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from experiments import cross_validation

SIDES = {'train': 'train_images.tfrecords', 'val': 'val_images.tfrecords'}


@pytest.fixture(scope='module')
def script():
    return cross_validation


def write_data(folder, sides, spacing='1.25'):
    """Records and manifest; `sides`: 'train' or 'val' -> patients of the slices, whose pixels are their number."""
    folder.mkdir(parents=True)
    number = 0
    with open(str(folder / 'manifest.csv'), 'w') as file:
        file.write('split,name,patient,lv_pixels,pixel_spacing\n')
        for side, patients in sides.items():
            with tf.python_io.TFRecordWriter(str(folder / SIDES[side])) as writer:
                for patient in patients:
                    label = np.zeros((256, 256), np.uint8)
                    label[100:120, 100 : 101 + number] = 1
                    writer.write(records.encode(np.full((256, 256), number, np.int64), label))
                    file.write(f'{side},{patient}-IM-{number},{patient},{20 * (number + 1)},{spacing}\n')
                    number += 1
    return folder


FOUR = {'train': ['SC-N-2', 'SC-HYP-1', 'SC-N-2', 'SC-HF-I-1'], 'val': ['SC-HYP-1', 'SC-HF-NI-3', 'SC-HF-I-01']}


@pytest.fixture
def data(tmp_path):
    """Seven slices of four patients, three of whom are on both sides, one under two names."""
    return write_data(tmp_path / 'data', FOUR)


def manifest_of(folder):
    with open(str(folder / 'manifest.csv'), newline='') as file:
        return list(csv.DictReader(file))


def numbers(folder, side):
    return [image[0, 0] for image, _ in records.read(str(folder / SIDES[side]))]


# Who is held out.


@pytest.mark.parametrize(
    ('patient', 'group'),
    [
        ('SC-HF-I-1', 'SC-HF-I'),
        ('SC-HF-I-01', 'SC-HF-I'),
        ('SC-HF-NI-3', 'SC-HF-NI'),
        ('SC-HF-NI-34', 'SC-HF-NI'),
        ('SC-HYP-40', 'SC-HYP'),
        ('SC-N-09', 'SC-N'),
        ('SC-N', ''),
        ('SC-HF-1', ''),
        ('SC-NI-1', ''),
        ('anna', ''),
    ],
)
def test_the_case_name_tells_the_pathology(script, patient, group):
    assert script.group(patient) == group


PATIENTS = [f'{group}-{n:02d}' for group, n in zip(['SC-HF-I', 'SC-HF-NI', 'SC-HYP'] * 4, range(12))]
PATIENTS += ['SC-N-01', 'SC-N-02', 'SC-N-03']


@pytest.mark.parametrize('seed', range(5))
@pytest.mark.parametrize('folds', [2, 4, 5, 15])
def test_every_patient_is_in_one_fold_and_each_pathology_is_spread(script, folds, seed):
    dealt = script.deal(PATIENTS, folds, seed)
    assert sorted(patient for fold in dealt for patient in fold) == sorted(PATIENTS)
    for count in [len, *(lambda fold, g=g: sum(script.group(p) == g for p in fold) for g in script.GROUPS)]:
        counts = [count(fold) for fold in dealt]
        assert max(counts) - min(counts) <= 1


def test_folds_follow_the_seed_and_not_the_order_of_the_patients(script):
    assert script.deal(PATIENTS, 5, 1) == script.deal(PATIENTS[::-1], 5, 1)
    assert script.deal(PATIENTS, 5, 1) != script.deal(PATIENTS, 5, 2)


def test_more_folds_than_patients_are_refused(script):
    with pytest.raises(LabError, match='--folds 5 is more than the 2 patients'):
        script.deal(['a', 'b'], 5, 1)


def test_names_that_tell_no_pathology_are_refused(script):
    with pytest.raises(LabError, match='1 of 2 patients have others, such as anna'):
        script.hold_out(['SC-N-01', 'anna'])


def test_patients_of_one_pathology_alone_are_refused(script):
    with pytest.raises(LabError, match='several pathologies'):
        script.hold_out(['SC-N-01', 'SC-N-02'])


# What is read and written.


def test_a_patient_is_one_with_and_without_padding(script, data):
    assert script.read_pool(data).patients == ['SC-HF-I-01', 'SC-HF-NI-03', 'SC-HYP-01', 'SC-N-02']


@pytest.mark.parametrize(
    'held_out', [['SC-N-02'], ['SC-HF-I-01', 'SC-HYP-01'], ['SC-HF-NI-03', 'SC-HYP-01', 'SC-N-02']]
)
def test_no_patient_is_on_both_sides_and_no_slice_is_lost(script, data, tmp_path, held_out):
    script.write(script.read_pool(data), held_out, tmp_path / 'fold')
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


def test_one_record_file_is_enough(script, tmp_path):
    data = write_data(tmp_path / 'data', {'train': ['a', 'b']})
    assert script.read_pool(data).patients == ['a', 'b']


def test_without_records_or_a_manifest_that_fits_it_ends_in_one_line(script, data, tmp_path):
    with pytest.raises(LabError, match='holds no record file'):
        script.read_pool(tmp_path)
    text = (data / 'manifest.csv').read_text()
    for wrong in (text.replace(',40,', ',41,'), text.replace('patient', 'who'), text.replace(',SC-N-2,', ',,')):
        (data / 'manifest.csv').write_text(wrong)
        with pytest.raises(LabError, match='does not tell whose slices are in .*train_images.tfrecords'):
            script.read_pool(data)
    (data / 'manifest.csv').unlink()
    with pytest.raises(LabError, match='manifest.csv does not tell whose slices'):
        script.read_pool(data)


# What is measured.


@pytest.fixture
def trainings(script, monkeypatch):
    """Stands in for training and evaluation; keeps which folder was trained with which flags."""
    made = []

    def train_and_evaluate(exercise, data_dir, folder, flags):
        made.append((folder.name, exercise, flags))
        lines = [line for line in manifest_of(data_dir) if line['split'] == 'val']
        (folder / 'eval').mkdir(parents=True, exist_ok=True)
        # The prediction is half of the label: Dice 2 * 10 / (20 + 10) = 2/3.
        rows = ''.join(
            f'{line["lv_pixels"]},{int(line["lv_pixels"]) // 2},{int(line["lv_pixels"]) // 2}\n' for line in lines
        )
        (folder / 'eval' / 'per_slice.csv').write_text('labelled,predicted,intersection\n' + rows)
        contours = {'slices': len(lines), 'both_contours': len(lines), 'contours': len(lines), 'good': 1.0}
        contours.update(average_perpendicular_distance={'mean': 2.0}, hausdorff_distance={'mean': 6.5})
        metrics = {'images': len(lines), 'step': 7, 'dice': 2 / 3, 'contours': {'mm': contours}}
        metrics['per_slice'] = {'dice': {'mean': 2 / 3}, 'iou': {'mean': 0.5}}
        return SimpleNamespace(seconds=3.0, metrics=metrics)

    monkeypatch.setattr(script.commands, 'train_and_evaluate', train_and_evaluate)
    return made


@pytest.fixture
def cross_validate(script, data, tmp_path, monkeypatch, capsys):
    """Runs the script with these arguments behind DATA_DIR; returns what it printed."""

    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', ['cross_validate.py', str(data), '--out', str(tmp_path / 'out'), *arguments])
        script.main()
        return capsys.readouterr().out

    return run


def test_each_fold_is_trained_and_the_table_has_them_all(cross_validate, trainings, tmp_path):
    printed = cross_validate('--folds', '2', '--exercise', 'cnnDice', '--seed', '4', '--', '--num_epochs', '3')
    flags = ['--num_epochs', '3', '--seed', '4']
    assert trainings == [('fold-1', 'cnnDice', flags), ('fold-2', 'cnnDice', flags)]
    rows = [line.split() for line in printed.splitlines()]
    figures = ['7', '3', '0.667', '0.667', '0.500', '2.00', '6.50', '1.000']
    assert [row[4:] for row in rows if row[:1] == ['fold']] == [figures, figures]
    # Two patients in each fold, of seven slices in all; the standard deviation of equal numbers is 0.
    assert ['all', 'slices', '4', '7', '14', '6', *figures[2:]] in rows
    assert next(row for row in rows if row[:1] == ['standard'])[:3] == ['standard', 'deviation', '0']
    kept = json.loads((tmp_path / 'out' / '2-folds-seed-4.json').read_text())
    assert kept['flags'] == ['--num_epochs', '3'] and kept['all_slices']['dice'] == pytest.approx(2 / 3)


def test_what_was_measured_before_is_not_measured_again(cross_validate, trainings, tmp_path):
    cross_validate('--folds', '2', '--exercise', 'cnn')
    (tmp_path / 'out' / '2-folds-seed-1' / 'fold-2' / 'measured.json').unlink()  # As if it had been interrupted there.
    assert 'fold 1 was measured before' in cross_validate('--folds', '2', '--exercise', 'cnn')
    assert [name for name, *_ in trainings] == ['fold-1', 'fold-2', 'fold-2']
    cross_validate('--folds', '2', '--exercise', 'cnn', '--seed', '2')
    assert len(trainings) == 5


def test_what_was_measured_with_other_flags_is_kept(cross_validate, trainings, tmp_path):
    cross_validate('--folds', '2', '--exercise', 'cnn')
    kept = (tmp_path / 'out' / '2-folds-seed-1.json').read_text()
    with pytest.raises(LabError, match='fold-1 was measured of other data or with other flags. Give another --out'):
        cross_validate('--folds', '2', '--exercise', 'cnn', '--', '--num_epochs', '2')
    assert len(trainings) == 2 and (tmp_path / 'out' / '2-folds-seed-1.json').read_text() == kept


def test_what_was_measured_of_other_data_is_kept(cross_validate, trainings, data):
    cross_validate('--folds', '2', '--exercise', 'cnn')
    text = (data / 'manifest.csv').read_text()
    (data / 'manifest.csv').write_text(text.replace('1.25', '1.5'))
    with pytest.raises(LabError, match='fold-1 was measured of other data'):
        cross_validate('--folds', '2', '--exercise', 'cnn')
    assert len(trainings) == 2


def test_a_pathology_held_out_stands_beside_those_not_yet_measured(cross_validate, trainings, tmp_path):
    printed = cross_validate('--hold_out', 'SC-HF-I', '--exercise', 'cnn')
    assert [name for name, *_ in trainings] == ['SC-HF-I']
    folder = tmp_path / 'out' / 'hold-out-seed-1' / 'SC-HF-I' / 'data'
    assert {line['patient'] for line in manifest_of(folder) if line['split'] == 'val'} == {'SC-HF-I-01'}
    for name in ('SC-HF-NI', 'SC-HYP', 'SC-N'):
        assert [name, 'not', 'yet', 'measured'] in [line.split() for line in printed.splitlines()]
    # Once a second one is measured, the first is still there.
    printed = cross_validate('--hold_out', 'SC-N', '--exercise', 'cnn')
    assert [name for name, *_ in trainings] == ['SC-HF-I', 'SC-N']
    assert printed.count('not yet measured') == 2


def test_all_pathologies_are_held_out_in_turn(cross_validate, trainings):
    printed = cross_validate('--hold_out', 'all', '--exercise', 'cnn')
    assert [name for name, *_ in trainings] == ['SC-HF-I', 'SC-HF-NI', 'SC-HYP', 'SC-N']
    assert 'not yet measured' not in printed and 'all slices' in printed


def test_a_pathology_without_patients_is_refused(script, tmp_path, monkeypatch):
    data = write_data(tmp_path / 'data', {'train': ['SC-N-1', 'SC-HYP-1']})
    monkeypatch.setattr(sys, 'argv', ['cross_validate.py', str(data), '--hold_out', 'all', '--exercise', 'cnn'])
    with pytest.raises(LabError, match='has no patients of SC-HF-I, SC-HF-NI'):
        script.main()


def test_without_flags_the_challenge_is_trained_by_its_recipe(script, cross_validate, trainings, monkeypatch):
    monkeypatch.setattr(script, 'RECIPE', ['--network', 'unet'])
    monkeypatch.setattr(script, '_exercises', lambda: ['challenge'])
    cross_validate('--folds', '2')
    assert trainings[0] == ('fold-1', 'challenge', ['--network', 'unet', '--seed', '1'])


# The table.


def found(script, images, areas, dice, contours):
    """What is kept of a part; distances are (unit, slices with both contours, mean)."""
    known = {}
    for unit, both, distance in contours:
        known[unit] = {'slices': both, 'both_contours': both, 'contours': both, 'good': 0.5}
        known[unit].update(average_perpendicular_distance={'mean': distance}, hausdorff_distance={'mean': distance})
    metrics = {'images': images, 'step': 1, 'dice': 0.5, 'contours': known}
    metrics['per_slice'] = {'dice': {'mean': dice}, 'iou': {'mean': dice / 2}}
    areas = dict(zip(('intersection', 'labelled', 'predicted'), areas))
    return {'made_with': {'held_out': ['a']}, 'seconds': 1.0, 'metrics': metrics, 'areas': areas}


def test_all_slices_count_alike_whatever_their_fold(script):
    # 1 slice of Dice 0.2, 3 of 0.6: 2.0 / 4 = 0.5 per slice, 0.4 over folds. Pooled: 2 * 40 / (50 + 50) = 0.8.
    # Distances of 1 and 3 slices, 4 and 2 mm: 10 / 4 = 2.5, 3 over folds.
    measured = {
        'fold 1': found(script, 1, (10, 20, 20), 0.2, [('mm', 1, 4.0)]),
        'fold 2': found(script, 3, (30, 30, 30), 0.6, [('mm', 3, 2.0)]),
    }
    result = script.summary(measured)
    assert result['mean']['dice_per_slice'] == pytest.approx(0.4)
    assert result['standard_deviation']['dice_per_slice'] == pytest.approx(0.2 * 2**0.5)  # sqrt((0.04 + 0.04) / 1)
    whole = result['all_slices']
    assert (whole['dice'], whole['dice_per_slice']) == (pytest.approx(0.8), pytest.approx(0.5))
    assert result['mean']['hausdorff_distance'] == 3 and whole['hausdorff_distance'] == 2.5
    assert 'Distances are of' not in script.table(list(measured), result)


def test_distances_of_all_slices_are_means_over_those_with_both_contours(script):
    # 1 of 3 slices with both contours at 4 mm, 1 of 1 at 2 mm: (4 + 2) / 2 = 3; over all slices it would be 14 / 4.
    measured = {
        'fold 1': found(script, 3, (10, 20, 20), 0.2, [('mm', 1, 4.0)]),
        'fold 2': found(script, 1, (30, 30, 30), 0.6, [('mm', 1, 2.0)]),
    }
    measured['fold 1']['metrics']['contours']['mm'].update(slices=3, contours=3)
    whole = script.summary(measured)['all_slices']
    assert whole['average_perpendicular_distance'] == whole['hausdorff_distance'] == 3
    # Of 3 + 1 contours, half are good in both folds.
    measured['fold 2']['metrics']['contours']['mm']['good'] = 1.0
    assert script.summary(measured)['all_slices']['good'] == (3 * 0.5 + 1 * 1.0) / 4


def test_distances_in_pixels_are_not_averaged_with_those_in_mm(script):
    measured = {
        'fold 1': found(script, 3, (10, 20, 20), 0.2, [('mm', 2, 4.0), ('pixels', 1, 9.0)]),
        'fold 2': found(script, 3, (30, 30, 30), 0.6, [('pixels', 3, 9.0)]),
    }
    result = script.summary(measured)
    assert result['unit'] == 'mm' and result['all_slices']['average_perpendicular_distance'] == 4
    assert result['mean']['hausdorff_distance'] == 4 and result['standard_deviation']['hausdorff_distance'] is None
    text = script.table(list(measured), result)
    assert 'Distances are of the 2 of 6 slices whose pixel spacing is known.' in text


def test_without_any_spacing_distances_are_in_pixels_and_no_contour_is_called_good(script):
    measured = {'fold 1': found(script, 3, (10, 20, 20), 0.2, [('pixels', 3, 9.0)])}
    del measured['fold 1']['metrics']['contours']['pixels']['good']
    text = script.table(['fold 1'], script.summary(measured))
    assert 'APD pixels' in text.splitlines()[0]
    assert text.splitlines()[2].split()[-2:] == ['9.00', '-']


# As it is run.


def test_two_folds_as_they_are_run(run, tmp_path):
    data = write_data(tmp_path / 'data', {'train': ['a', 'a', 'b'], 'val': ['b', 'c']})
    arguments = ['scripts/cross_validate.py', data, '--folds', 2, '--exercise', 'cnnDice', '--out', tmp_path / 'out']
    done = run(*arguments, '--', '--num_epochs', 1)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('$ python exercise_solutions/cnnDice/runTraining.py --num_epochs 1 --seed 1') == 2
    folds = [line.split()[1:4] for line in done.stdout.splitlines() if line.startswith('fold')]
    numbers, patients, slices = zip(*(map(int, fold) for fold in folds))
    assert numbers == (1, 2)
    assert sorted(patients) == [1, 2]  # a, b and c
    assert sum(slices) == 5 and min(slices) >= 1


@pytest.mark.parametrize(
    'flags',
    [
        ['--folds', '1'],
        ['--hold_out', 'SC-X'],
        ['--folds', '2', '--num_epochs', '1'],
        ['--', '--seed', '9'],
        ['--', '--init_from=logs/cnn/train'],
    ],
)
def test_bad_flags_are_refused_in_one_line(run, data, flags):
    done = run('scripts/cross_validate.py', data, *flags)
    assert done.returncode == 2
    assert done.stderr.startswith('ERROR: ') and len(done.stderr.splitlines()) == 1
