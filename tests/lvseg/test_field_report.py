"""The report of four slices: two patients, two slices each, of a place and a spacing that the manifest tells."""

import csv

from lvseg import field_report
from lvseg.distances import Distances
from lvseg.field_report import Judged
from lvseg.metrics import Areas
from lvseg.pictures import Slice

import numpy as np
import pytest
from PIL import Image

# Slice                                   1     2     3     4
#   labelled                             20    10    30    40
#   predicted                            20     0    10    40
#   intersection                         10     0    10    40
# Dice 2 i / (p + l)                    0.5     0   0.5     1
AREAS = Areas(*map(np.array, ([10, 0, 10, 40], [20, 10, 30, 40], [20, 0, 10, 40], [100, 100, 100, 100])))
CONTOURS = [Distances(2, 3), Distances(np.nan, np.nan), Distances(6, 9), Distances(1, 3)]


def line(case, number, **others):
    return {'name': f'{case}-IM-0001-{number:04d}', 'patient': case, 'pixel_spacing': '1.5', **others}


# Each patient's one position, at phases 0 and 7.
MANIFEST = [line('SC-N-02', 1), line('SC-N-02', 8), line('SC-N-40', 1), line('SC-N-40', 8)]
JUDGED = Judged(AREAS, CONTOURS, MANIFEST, ['wide', 'missed', 'leaked', 'as drawn'])


def rows(judged):
    """The cells of each line of the table, by its first."""
    table = field_report.text(judged).split('\n\n')[0].splitlines()[1:]
    return {row[: -9 * 14].strip(): row[-9 * 14 :].split() for row in table}


def test_all_slices_and_each_patient_have_a_line():
    found = rows(JUDGED)
    # All: pooled 2 * 60 / (100 + 70); per slice (0.5 + 0 + 0.5 + 1) / 4; IoU (1/3 + 0 + 1/3 + 1) / 4 = 0.4167.
    # APD of the three that have both contours: (2 + 6 + 1) / 3; Hausdorff (3 + 9 + 3) / 3.
    # Of 4 contours 2 are below 5 mm, 2 and 1, whose Dice is 0.5 and 1.
    assert found['all slices'] == ['4', '0.706', '0.500', '0.417', '3.00', '5.00', '50.0%', '0.750', '1.50']
    # 2 * 10 / 50; (0.5 + 0) / 2; (1/3 + 0) / 2; one of two is good.
    assert found['SC-N-02'] == ['2', '0.400', '0.250', '0.167', '2.00', '3.00', '50.0%', '0.500', '2.00']
    assert found['SC-N-40'] == ['2', '0.833', '0.750', '0.667', '3.50', '6.00', '50.0%', '1.000', '1.00']


def test_the_mean_of_patients_counts_each_of_them_once():
    # Of the two lines above, (0.400 + 0.833) / 2 and so on; of all slices together Dice is 0.706.
    mean = rows(JUDGED)['mean of patients']
    assert mean == ['4', '0.617', '0.500', '0.417', '2.75', '4.50', '50.0%', '0.750', '1.50']


def test_the_mean_of_patients_is_of_those_who_have_the_figure():
    nothing = [Distances(np.nan, np.nan)] * 2
    found = rows(JUDGED._replace(contours=[*nothing, *CONTOURS[2:]]))
    assert found['SC-N-02'][4:] == ['-', '-', '0.0%', '-', '-']
    assert found['mean of patients'][4:] == ['3.50', '6.00', '25.0%', '1.000', '1.00']


def test_a_single_patient_is_no_mean():
    alone = [{**known, 'patient': 'SC-N-02'} for known in MANIFEST]
    assert 'mean of patients' not in rows(JUDGED._replace(manifest=alone))


def test_levels_are_thirds_of_all_that_is_outlined_of_a_patient_and_not_of_what_is_evaluated():
    # 02 has positions 0 to 2, of which the first is evaluated: the base, for the ventricle is largest there. 40 has
    # them too, and it is the apex.
    beside = [line('SC-N-02', number, lv_pixels=str(area)) for number, area in ((21, 8), (41, 5))]
    beside += [line('SC-N-40', number, lv_pixels=str(area)) for number, area in ((21, 80), (41, 90))]
    found = rows(JUDGED._replace(beside=beside))
    assert found['base'] == found['SC-N-02']
    assert found['apex'] == found['SC-N-40']
    assert 'mid' not in found


def test_without_spacing_distances_are_in_pixels_and_nothing_is_good():
    found = rows(JUDGED._replace(manifest=[{**known, 'pixel_spacing': ''} for known in MANIFEST]))
    assert found['all slices'] == ['4', '0.706', '0.500', '0.417', '3.00', '5.00', '-', '-', '-']
    assert 'APD px' in field_report.text(JUDGED._replace(manifest=[{}] * 4))


def test_where_some_spacings_are_known_distances_are_of_those_slices():
    mixed = [*MANIFEST[:3], {**MANIFEST[3], 'pixel_spacing': ''}]
    # (2 + 6) / 2 and (3 + 9) / 2; of the three contours in mm one is good.
    assert rows(JUDGED._replace(manifest=mixed))['all slices'][4:] == ['4.00', '6.00', '33.3%', '0.500', '2.00']


def test_of_how_many_slices_the_distances_are_is_told():
    assert 'Distances are of 3 of 4 slices, those with both contours and a spacing.' in field_report.text(JUDGED)
    in_pixels = field_report.text(JUDGED._replace(manifest=[{}] * 4))
    assert 'Distances are of 3 of 4 slices, those with both contours.' in in_pixels
    complete = JUDGED._replace(contours=[Distances(1, 1)] * 4)
    assert 'Distances are' not in field_report.text(complete)


def test_of_how_many_slices_the_place_is_not_known_is_told():
    other = [*MANIFEST[:3], {**MANIFEST[3], 'name': 'SC-N-40/slice-4'}]
    assert 'Of 1 of 4 slices no name tells level and moment' in field_report.text(JUDGED._replace(manifest=other))
    assert 'no name tells' not in field_report.text(JUDGED)


def test_a_manifest_of_other_columns_is_one_that_tells_nothing():
    strange = [{'patient': known['patient']} for known in MANIFEST]
    beside = [{'patient': 'SC-N-02', 'lv_pixels': '8'}]
    assert 'Of 4 of 4 slices no name tells' in field_report.text(JUDGED._replace(manifest=strange, beside=beside))


def test_a_patient_may_be_called_as_a_level_is():
    named = [*MANIFEST[:2], *({**known, 'patient': 'base'} for known in MANIFEST[2:])]
    table = field_report.text(JUDGED._replace(manifest=named)).split('\n\n')[0]
    assert [line.split()[0] for line in table.splitlines()[1:]] == ['all', 'mean', 'SC-N-02', 'base']


def test_areas_and_ejection_fraction_are_of_slices_outlined_in_both_phases():
    text = field_report.text(JUDGED)
    # End-diastole is the larger: 20 and 40 pixels by the expert, 20 and 40 by the network; end-systole 40 and 10.
    assert 'of 2 patients on 2 slices outlined in both phases: end-diastole x 1.000, end-systole x 0.250.' in text
    # Network 1 - 0 / 20 = 100 %, expert 50 %; network 1 - 10 / 40 = 75 %, expert 25 %: both 50 points too high.
    told = '+50.0 points on average (95 % interval +50.0 to +50.0), 95 % limits of agreement ± 0.0, the worst +50.0.'
    assert told in text


def test_patients_without_an_ejection_fraction_are_counted():
    # Of 02 nothing is found at end-diastole either.
    areas = Areas(*map(np.array, ([0, 0, 10, 40], [20, 10, 30, 40], [0, 0, 10, 40], [100] * 4)))
    text = field_report.text(JUDGED._replace(areas=areas))
    assert 'No ejection fraction of 1 of these patients, as nothing was found at end-diastole.' in text
    assert 'of 2 patients on 2 slices' in text
    assert 'Ejection fraction by these areas' not in text  # One patient is left, who is no average.


def test_the_interval_is_over_patients():
    # A draw has both of one patient in a quarter of the cases each, or one of each: between the lines of the two.
    assert (
        '2 patients drawn anew (bootstrap): Dice 0.400 to 0.833, per slice 0.250 to 0.750, IoU 0.167 to 0.667, '
        'APD mm 2.00 to 3.50, Hausdorff mm 3.00 to 6.00, good 50.0% to 50.0%, Dice of good 0.500 to 1.000, '
        'APD of good 1.00 to 2.00.'
    ) in field_report.text(JUDGED)


def test_what_went_wrong_is_counted_the_worst_first():
    assert 'What went wrong: 1 missed, 1 leaked, 1 wide, 1 as drawn.' in field_report.text(JUDGED)


def test_without_a_manifest_there_is_what_needs_none():
    text = field_report.text(JUDGED._replace(manifest=[{}] * 4))
    assert set(rows(JUDGED._replace(manifest=[{}] * 4))) == {'all slices'}
    assert 'Worst 5 % of the slices: mean Dice 0.000.' in text
    assert 'bootstrap' not in text and 'Ejection' not in text


@pytest.fixture
def kept(tmp_path):
    shown = {number: Slice(*np.zeros([3, 256, 256], np.uint8)) for number in field_report.worst(JUDGED)}
    field_report.keep(JUDGED, field_report.text(JUDGED), shown, str(tmp_path))
    return tmp_path


def test_the_mistakes_are_listed_the_worst_first(kept):
    with (kept / 'mistakes.csv').open() as file:
        found = list(csv.DictReader(file))
    assert [row['record'] for row in found] == ['2', '1', '3', '4']
    assert found[0] == {
        'record': '2',
        'name': 'SC-N-02-IM-0001-0008',
        'patient': 'SC-N-02',
        'level': '',  # Of a single position.
        'dice': '0.0000',
        'mistake': 'missed',
    }


def test_the_text_is_kept_as_it_is_printed(kept):
    assert (kept / 'report.txt').read_text() == field_report.text(JUDGED) + '\n'


def test_the_worst_slices_are_drawn(kept):
    with Image.open(str(kept / 'worst.png')) as picture:
        assert picture.width > 4 * 256  # All four side by side.


def test_the_report_stands_below_the_labs_lines_where_it_is_asked_for(simple, tmp_path):
    assert simple.train(tmp_path / 'train', '--num_epochs', 1).code == 0
    without = simple.evaluate(tmp_path / 'train', tmp_path / 'eval')
    assert 'What went wrong' not in without.out
    assert not (tmp_path / 'eval' / 'report.txt').exists()
    told = simple.evaluate(tmp_path / 'train', tmp_path / 'eval', '--report')
    assert told.code == 0, told.err
    text = (tmp_path / 'eval' / 'report.txt').read_text()
    assert told.out.endswith(f'\n\n{text}')
    assert told.out.count('OUTPUT:') == without.out.count('OUTPUT:')
