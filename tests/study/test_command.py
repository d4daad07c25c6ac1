"""The command as a whole, with a network that takes what is bright; what is drawn has tests of its own."""

import csv
import json
import math
import os
import sys

from lvseg import prediction
from lvseg.errors import LabError

import numpy as np
import pytest

from study import command
from tests.data_prep.studies import write_tree
from tests.study.made import NETWORK, SPACING, cine, disc, image

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
    assert printed.splitlines()[0] == 'Series 7: 3 parallel slices x 3 phases, the most slices of 1 series.'
    assert f'Ejection fraction: {found["ejection_fraction_percent"]:.1f} %' in printed


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


def test_a_folder_of_something_else_is_left_alone(segment, tmp_path):
    write_tree(tmp_path / 'out', {'thesis.txt': 'years of work'})
    with pytest.raises(LabError, match='holds something else than results of segment'):
        segment(cine(BEATING))
    assert os.listdir(str(tmp_path / 'out')) == ['thesis.txt']


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


def test_an_image_that_is_cut_off_is_named(refused):
    files = cine(BEATING)
    files['01-01.dcm'] = files['01-01.dcm'][:-1000]
    assert refused(files).startswith('01-01.dcm: is cut off')


def test_a_folder_without_dicom_is_refused(refused):
    assert 'has no DICOM files' in refused({'notes.txt': 'hello'})


def test_images_that_do_not_tell_where_they_lie_are_refused(refused):
    assert '2 others without position' in refused(cine([[9, 8]], ImagePositionPatient=None))


def test_a_study_without_short_axis_cine_is_refused(refused):
    assert 'no short-axis cine' in refused(cine([[9], [9]]))


def test_a_folder_without_dicom_files_is_refused_before_the_network_is_loaded(refused, monkeypatch):
    monkeypatch.setattr(prediction, 'load', lambda directory: pytest.fail('the network was loaded'))
    assert 'has no DICOM files' in refused({'notes.txt': 'hello'})
