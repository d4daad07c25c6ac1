"""The command as a whole, with a network that takes what is bright; what is drawn has tests of its own."""

import csv
import json
import math
import os
import shutil
import sys

from lvseg import locks, prediction
from lvseg.errors import LabError

import numpy as np
import pytest

from study import command
from tests.data_prep.studies import write_tree
from tests.study.made import NETWORK, SPACING, cine, disc, image


class Killed(BaseException):
    """Passes through everything."""


BEATING = [[40, 30, 35], [38, 28, 33], [30, 20, 25]]


@pytest.fixture
def segment(tmp_path, monkeypatch, capsys):
    """Runs the command on these files; returns what it printed."""
    monkeypatch.setattr(prediction, 'load', lambda directory: NETWORK)

    def segment(files, *args):
        write_tree(tmp_path / 'study', files)
        given = [tmp_path / 'study', '--checkpoint_dir', tmp_path, '--out', tmp_path / 'out', *args]
        monkeypatch.setattr(sys, 'argv', ['segment.py', *map(str, given)])
        command.main()
        return capsys.readouterr().out

    return segment


@pytest.fixture
def refused(segment, tmp_path):
    def refused(files, *args):
        with pytest.raises(LabError) as refusal:
            segment(files, *args)
        assert '\n' not in str(refusal.value)
        assert not (tmp_path / 'out').exists()
        assert os.listdir(str(tmp_path)) == ['study']
        return str(refusal.value)

    return refused


@pytest.fixture
def report(tmp_path):
    return lambda folder='': json.loads((tmp_path / 'out' / folder / 'report.json').read_text())


def millilitres(radii):
    """Of discs of these radii in pixels, 10 mm thick; the outline lies half a pixel within the network's edge."""
    return sum(math.pi * (radius - 0.5) ** 2 * SPACING**2 * 10 for radius in radii) / 1000


def test_volumes_phases_and_ejection_fraction_stand_in_the_report(segment, report):
    printed = segment(cine(BEATING))
    edv, esv = millilitres([40, 38, 30]), millilitres([30, 28, 20])
    found = report()
    assert found['edv_ml'] == pytest.approx(edv, rel=0.01)
    assert found['esv_ml'] == pytest.approx(esv, rel=0.01)
    assert found['stroke_volume_ml'] == pytest.approx(edv - esv, rel=0.02)
    assert found['ejection_fraction_percent'] == pytest.approx(100 * (edv - esv) / edv, abs=0.5)
    assert (found['ed_phase'], found['es_phase']) == (0, 1)
    assert (found['slices'], found['phases'], found['heart_rate_bpm']) == (3, 3, 60)
    assert (found['slice_spacing_mm'], found['pixel_spacing_mm']) == (10, [1.5, 1.5])
    assert found['checkpoint'] == {
        'exercise': 'cnn',
        'step': 9,
        'seed': 3,
        'flags': {'num_epochs': 30},
        'validation_dice': None,
    }
    assert (found['warnings'], found['left_out']) == ([], [])
    assert printed.splitlines()[0] == 'Series 7: 3 parallel slices x 3 phases, the only series.'
    assert f'Ejection fraction: {found["ejection_fraction_percent"]:.1f} %' in printed


@pytest.mark.parametrize(
    ('told', 'rate'),
    [
        ({'HeartRate': 72, 'NominalInterval': 800}, 72),
        ({'HeartRate': None, 'NominalInterval': 800}, 75),  # 60,000 ms / 800 ms
        ({'HeartRate': 0, 'NominalInterval': 0}, None),
    ],
)
def test_the_heart_rate_is_told_where_the_files_tell_it(told, rate, segment, report):
    segment(cine(BEATING, **told))
    assert report()['heart_rate_bpm'] == rate


def test_areas_has_a_line_for_each_image(segment, tmp_path):
    segment(cine(BEATING))
    with open(str(tmp_path / 'out' / 'areas.csv'), newline='') as file:
        lines = list(csv.DictReader(file))
    assert [(line['slice'], line['phase']) for line in lines] == [(s, p) for s in '012' for p in '012']
    last = lines[-1]
    assert (last['position_mm'], last['trigger_time_ms'], last['file']) == ('20.0', '200.0', '02-02.dcm')
    assert float(last['area_mm2']) == pytest.approx(math.pi * 24.5**2 * SPACING**2, rel=0.01)


def test_several_studies_have_a_folder_each(segment, report, tmp_path):
    other = {f'b/{name}': file for name, file in cine([[9, 8]] * 2, StudyInstanceUID='1.2.840.2').items()}
    segment({**cine(BEATING), **other})
    assert sorted(os.listdir(str(tmp_path / 'out'))) == ['study-1', 'study-2']
    assert (report('study-1')['slices'], report('study-2')['slices']) == (3, 2)


def test_of_several_studies_those_that_can_be_are_segmented(segment, report, tmp_path, capsys):
    no_cine = {f'b/{name}': file for name, file in cine([[9], [8]], StudyInstanceUID='1.2.840.2').items()}
    cut = {f'c/{name}': file[:-1000] for name, file in cine([[9, 8]] * 3, StudyInstanceUID='1.2.840.3').items()}
    with pytest.raises(LabError, match=r'2 of 3 studies are not in .*out, for the reasons told above\.'):
        segment({**{f'a/{name}': file for name, file in cine(BEATING).items()}, **no_cine, **cut})
    assert os.listdir(str(tmp_path / 'out')) == ['study-1']
    assert report('study-1')['slices'] == 3
    printed = capsys.readouterr().out.splitlines()
    assert [line.partition('study, ')[0] for line in printed if line.startswith('Study ')] == [
        f'Study {number} of 3, in {tmp_path / "study" / folder}:' for number, folder in enumerate('abc', start=1)
    ]
    refused = [line for line in printed if line.startswith('Not segmented: ')]
    assert 'no short-axis cine' in refused[0]
    assert 'c/00-00.dcm: is cut off' in refused[1]


def test_several_studies_of_which_none_can_be_segmented_are_refused(refused):
    no_cine = {f'b/{name}': file for name, file in cine([[9], [8]], StudyInstanceUID='1.2.840.2').items()}
    assert refused({**cine([[9], [8]]), **no_cine}).startswith('none of the 2 studies could be segmented')


def test_what_is_wrong_with_the_files_is_told_before_the_network_is_loaded(refused, monkeypatch):
    monkeypatch.setattr(prediction, 'load', lambda directory: pytest.fail('loaded'))
    assert 'no short-axis cine' in refused(cine([[9], [9]]))


def test_an_empty_prediction_has_no_ejection_fraction_and_says_so(segment, report):
    printed = segment(cine([[-1] * 2] * 3))
    assert report()['edv_ml'] == 0
    assert report()['ejection_fraction_percent'] is None
    assert report()['warnings'] == [
        'No pixel is left ventricle: there is no segmentation.dcm.',
        'The network finds no left ventricle in any image, so there is no ejection fraction.',
    ]
    assert 'Ejection fraction: none' in printed


def test_a_single_phase_has_a_volume_and_no_ejection_fraction(segment, report):
    segment(cine([[30]] * 3))
    found = report()
    assert found['edv_ml'] == pytest.approx(millilitres([30] * 3), rel=0.01)
    assert [found[key] for key in ('esv_ml', 'stroke_volume_ml', 'ejection_fraction_percent')] == [None] * 3
    assert found['warnings'] == ['There is one phase only: its volume is given, and no ejection fraction.']


def test_a_single_slice_is_said_not_to_be_the_ventricle(segment, report):
    segment(cine([[30, 20]]))
    assert report()['edv_ml'] == pytest.approx(millilitres([30]), rel=0.01)
    assert 'There is one slice only' in report()['warnings'][0]


def test_images_of_another_size_are_segmented_in_their_own_pixels(segment, report):
    large = {
        name: image(0, 10 * int(name[:2]), int(name[3:5]), pixels=disc(radius, size=300))
        for name, radius in [('00-00.dcm', 40), ('00-01.dcm', 30), ('01-00.dcm', 40), ('01-01.dcm', 30)]
    }
    segment(large)
    assert report()['edv_ml'] == pytest.approx(millilitres([40, 40]), rel=0.01)


def test_pixels_of_8_bits_are_multiplied_by_4_as_in_training(segment, report):
    # 200 x 4 = 800 is bright for the network, 200 is not.
    files = cine([[30, 20]] * 3, pixels=None)
    small = {
        name: image(0, 10 * int(name[:2]), int(name[3:5]), pixels=(disc(25) // 5).astype(np.uint8)) for name in files
    }
    segment(small)
    assert report()['edv_ml'] > 0


def test_what_is_left_out_is_listed(segment, report):
    segment({**cine(BEATING), 'scout.dcm': image(9, 0, 0, ImageOrientationPatient=[0, 1, 0, 0, 0, -1])})
    assert report()['left_out'] == ['scout.dcm']


def test_a_file_that_is_cut_off_in_its_header_is_left_out_and_listed(segment, report):
    segment({**cine(BEATING), 'broken.dcm': image(9, 0, 0)[:400]})
    assert report()['left_out'] == ['broken.dcm']
    assert report()['slices'] == 3


def test_earlier_results_are_replaced(segment, report):
    segment(cine(BEATING))
    before = report()
    segment(cine([[20, 10]] * 3))
    assert report() != before


@pytest.mark.parametrize(
    'theirs',
    [
        'thesis.txt',
        'study-1/thesis.txt',
        # One folder too high: results of other studies, each in a folder that its user has named.
        'infarct/report.json',
        'study-1/study-1/report.json',
    ],
)
def test_a_folder_of_something_else_is_left_alone(theirs, segment, tmp_path):
    write_tree(tmp_path / 'out', {theirs: 'years of work', 'report.json': '{}'})
    with pytest.raises(LabError, match='is not of segment.* Give --out another folder.'):
        segment(cine(BEATING))
    assert (tmp_path / 'out' / theirs).read_text() == 'years of work'
    assert sorted(os.listdir(str(tmp_path))) == ['out', 'study']


def test_a_file_in_place_of_the_folder_is_left_alone(segment, tmp_path):
    (tmp_path / 'out').write_text('years of work')
    with pytest.raises(LabError, match='out is a file. Give --out a folder.'):
        segment(cine(BEATING))
    assert (tmp_path / 'out').read_text() == 'years of work'


def test_results_of_several_studies_are_replaced(segment, tmp_path):
    other = {f'b/{name}': file for name, file in cine([[9, 8]] * 2, StudyInstanceUID='1.2.840.2').items()}
    segment({**cine(BEATING), **other})
    shutil.rmtree(str(tmp_path / 'study' / 'b'))
    segment(cine(BEATING))
    assert 'report.json' in os.listdir(str(tmp_path / 'out'))


@pytest.mark.parametrize('moment', ['while it writes', 'while the folders change'])
def test_what_a_killed_run_leaves_is_tidied_up_by_the_next(moment, segment, report, tmp_path, monkeypatch):
    segment(cine(BEATING))
    before = report()

    def kill(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(command.shutil, 'rmtree', kill)  # A process that is killed tidies nothing up.
        if moment == 'while it writes':
            patch.setattr(command.pages, 'write', kill)
        else:
            rename = os.rename
            patch.setattr(command.os, 'rename', lambda old, new: kill() if new.endswith('out') else rename(old, new))
        with pytest.raises(Killed):
            segment(cine([[20, 10]] * 3))
    assert len(os.listdir(str(tmp_path))) == (3 if moment == 'while it writes' else 2)

    with pytest.raises(LabError):
        files = cine(BEATING)
        files['01-01.dcm'] = files['01-01.dcm'][:-1000]
        segment(files)
    assert report() == before
    assert sorted(os.listdir(str(tmp_path))) == ['out', 'study']


def test_a_run_beside_it_into_the_same_folder_is_not_tidied_up(segment, tmp_path):
    beside = tmp_path / '.out.segment-abc'
    write_tree(beside, {'new/report.json': 'of the other'})
    with locks.take(str(beside / 'lock')):
        segment(cine(BEATING))
    assert (beside / 'new' / 'report.json').read_text() == 'of the other'


def test_a_run_that_is_broken_off_leaves_the_earlier_results(segment, report, tmp_path, monkeypatch):
    segment(cine(BEATING))
    before = report()
    monkeypatch.setattr(command.pages, 'write', lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        segment(cine([[20, 10]] * 3))
    assert report() == before
    assert sorted(os.listdir(str(tmp_path))) == ['out', 'study']


def test_nothing_of_the_patient_is_written_but_in_the_segmentation(segment, tmp_path):
    who = {
        'PatientName': 'Doe^Jane',
        'PatientID': 'MRN4711',
        'PatientBirthDate': '19500102',
        'InstitutionName': 'Mercy',
    }
    segment(cine(BEATING, **who))
    for path in (tmp_path / 'out').rglob('*'):
        if path.is_file() and path.name != 'segmentation.dcm':
            content = path.read_bytes()
            assert not any(value.encode() in content for value in ['Doe', 'Jane', 'MRN4711', '19500102', 'Mercy']), path


def test_paths_tell_no_patient_even_where_they_are_called_by_him(segment, report, tmp_path):
    who = {
        'PatientName': 'Doe^Jane',
        'PatientID': 'MRN4711',
        'PatientBirthDate': '19500102',
        'AccessionNumber': '77',
        'InstitutionName': 'Mercy West',
    }
    other = {'PatientName': 'Roe^Richard', 'PatientID': '000', 'StudyInstanceUID': '1.2.840.2'}
    named = {f'DOE_Jane (19500102)/mercy west/mrn4711-77-{name}': file for name, file in cine(BEATING, **who).items()}
    beside = {f'roe/{name}': file for name, file in cine([[9, 8]] * 2, **other).items()}
    segment({**named, **beside, 'roe/broken.dcm': image(9, 0, 0)[:400], 'roe/scout.dcm': image(9, 0, 0, **other)})
    with open(str(tmp_path / 'out' / 'study-1' / 'areas.csv'), newline='', encoding='utf-8') as file:
        assert next(csv.DictReader(file))['file'] == '…_… (…)/…/…-77-00-00.dcm'  # 77 may be anything.
    assert report('study-1')['left_out'] == ['…/broken.dcm']
    secrets = [value.lower() for value in ['Doe', 'Jane', 'MRN4711', '19500102', 'Mercy', 'Roe', 'Richard']]
    for path in (tmp_path / 'out').rglob('*'):
        if path.is_file() and path.name != 'segmentation.dcm':
            content = path.read_bytes().lower()
            assert not any(secret.encode() in content for secret in secrets), path


def test_the_words_of_the_lab_stay_where_the_patient_is_called_by_them(segment, report):
    files = {f'PATIENT/{name}': file for name, file in cine(BEATING, PatientName='Patient^Place').items()}
    segment({**files, 'PATIENT/cut.dcm': image(9, 0, 0)[:400]})
    assert report()['warnings'] == ['Left out: 1 DICOM file without a place in the patient, …/cut.dcm.']


def test_paths_that_tell_no_patient_stay_as_they_are(segment, tmp_path):
    # No 123 stands within 01234, nor 000 for anybody.
    segment({f'CINE/IM-01234-{name}': file for name, file in cine(BEATING, PatientID='123', StudyID='000').items()})
    with open(str(tmp_path / 'out' / 'areas.csv'), newline='', encoding='utf-8') as file:
        assert next(csv.DictReader(file))['file'] == 'CINE/IM-01234-00-00.dcm'


@pytest.mark.parametrize('place', ['train', 'train/eval', 'eval'])
def test_the_validation_dice_is_that_of_this_checkpoint(place, segment, report, tmp_path, monkeypatch):
    run = {'exercise': 'cnn', 'started': '2026-01-01'}
    trained = NETWORK._replace(checkpoint=str(tmp_path / 'logs' / 'train' / 'model.ckpt-9'), run=run)
    monkeypatch.setattr(prediction, 'load', lambda directory: trained)
    measured = {'dice': 0.9, 'step': 9, 'file': 'data/val_images.tfrecords'}

    def told(run, measured):
        write_tree(tmp_path / 'logs' / place, {'run.json': json.dumps(run), 'metrics.json': json.dumps(measured)})
        segment(cine(BEATING))
        return report()['checkpoint']['validation_dice']

    assert told(run, measured) == 0.9
    assert told(run, {**measured, 'step': 8}) is None
    assert told({**run, 'started': '2025-01-01'}, measured) is None
    assert told(run, {**measured, 'file': 'data/train_images.tfrecords'}) is None
    assert told(run, []) is None


def test_an_image_that_is_cut_off_is_named(refused):
    files = cine(BEATING)
    files['01-01.dcm'] = files['01-01.dcm'][:-1000]
    said = refused(files)
    assert said.startswith('01-01.dcm: is cut off')
    assert said.endswith('. Get it whole, or take it out of the folder: segment does without.')


def test_a_folder_without_dicom_is_refused(refused):
    assert 'has no DICOM files' in refused({'notes.txt': 'hello'})


def test_images_that_do_not_tell_where_they_lie_are_refused(refused):
    assert '2 others without position' in refused(cine([[9, 8]], ImagePositionPatient=None))


def test_a_study_without_short_axis_cine_is_refused(refused):
    assert 'no short-axis cine' in refused(cine([[9], [9]]))


def test_a_folder_without_dicom_files_is_refused_before_the_network_is_loaded(refused, monkeypatch):
    monkeypatch.setattr(prediction, 'load', lambda directory: pytest.fail('the network was loaded'))
    assert 'has no DICOM files' in refused({'notes.txt': 'hello'})
