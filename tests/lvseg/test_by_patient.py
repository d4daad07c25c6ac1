from lvseg import by_patient
from lvseg.by_patient import Beat, Slice

import numpy as np
import pytest


def piece(number, labelled, predicted=0, patient='SC-N-02'):
    return Slice(f'{patient}-IM-0001-{number:04d}', patient, labelled, predicted)


# Three positions at phases 0 and 7, image numbers 1, 21, 41 and 8, 28, 48: the ventricle is smaller in phase 7.
STUDY = [piece(1, 900, 800), piece(21, 600, 600), piece(8, 500, 550), piece(28, 300, 350), piece(48, 100, 90)]


def test_a_beat_has_the_areas_of_the_slices_outlined_in_both_phases():
    # Position 2, image 48, is outlined in one phase only. 800 + 600, 900 + 600; 550 + 350, 500 + 300.
    assert by_patient.beats(STUDY) == [Beat('SC-N-02', 2, (1400, 1500), (900, 800))]


def test_end_diastole_is_the_phase_of_the_larger_ventricle_whatever_its_number():
    later = [piece(1, 300, 310), piece(8, 500, 510)]
    assert by_patient.beats(later) == [Beat('SC-N-02', 1, (510, 500), (310, 300))]


def test_a_slice_that_the_expert_left_empty_is_in_no_beat():
    assert by_patient.beats([*STUDY, piece(41, 0, 70)]) == by_patient.beats(STUDY)


def test_names_that_tell_nothing_and_a_single_phase_make_no_beat():
    assert by_patient.beats([Slice('slice-3', 'a', 10, 10), piece(1, 10)]) == []


def test_levels_are_thirds_of_a_patients_slices_from_the_larger_end_on():
    down = [piece(20 * position + 1, 900 - 100 * position) for position in range(6)]
    assert by_patient.levels(down) == ['base', 'base', 'mid', 'mid', 'apex', 'apex']
    up = [piece(20 * position + 1, 100 + 100 * position) for position in range(3)]
    assert by_patient.levels(up) == ['apex', 'mid', 'base']


def test_both_phases_of_a_position_have_one_level():
    assert by_patient.levels(STUDY) == ['base', 'mid', 'base', 'mid', 'apex']


def test_slices_that_the_expert_left_empty_are_in_no_third_and_do_not_tell_which_end_is_the_base():
    areas = [0, 0, 100, 300, 600, 900, 0]
    wanted = ['', '', 'apex', 'mid', 'base', 'base', '']  # Four positions, from the base on: 2, 1 and 1.
    up = [piece(20 * position + 1, area) for position, area in enumerate(areas)]
    assert by_patient.levels(up) == wanted
    down = [piece(20 * position + 1, area) for position, area in enumerate(areas[::-1])]
    assert by_patient.levels(down) == wanted[::-1]


def test_two_positions_are_no_three_levels():
    assert by_patient.levels([piece(1, 900), piece(21, 600)]) == ['', '']


def test_names_of_nifti_volumes_tell_levels_and_beats_too():
    study = [
        Slice(f'patient001/{phase}-slice{number:02d}', 'patient001', area, area)
        for phase, areas in (('ED', (90, 60, 30)), ('ES', (50, 30, 10)))
        for number, area in enumerate(areas, start=1)
    ]
    assert by_patient.levels(study) == ['base', 'mid', 'apex'] * 2
    assert by_patient.beats(study) == [Beat('patient001', 3, (180, 180), (90, 90))]


def test_where_names_do_not_tell_there_are_no_levels():
    assert by_patient.levels([Slice('a-3', 'a', 10, 10), Slice('a-4', 'a', 5, 5)]) == ['', '']


def test_the_worst_twentieth_is_of_the_lowest_dice():
    # 40 slices: the mean of the worst 2, 0.1 and 0.2.
    dice = np.array([0.2, *np.full(38, 0.9), 0.1])
    assert by_patient.worst(dice) == pytest.approx(0.15)
    assert by_patient.worst(np.array([0.7, 0.9])) == pytest.approx(0.7)


def interval(values, patients):
    """Of the mean of values, one for each slice."""
    low, high = by_patient.interval(lambda numbers: [np.array(values)[numbers].mean()], patients)
    return low[0], high[0]


def test_patients_are_drawn_and_not_slices():
    """Of two patients with Dice 0.5 and 0.9, a draw has both of one in 1 case of 4 each: the interval is from 0.5."""
    assert interval([0.5] * 10 + [0.9] * 10, ['a'] * 10 + ['b'] * 10) == pytest.approx((0.5, 0.9))


def test_where_all_patients_are_alike_the_interval_is_a_point():
    assert interval([0.8, 0.8, 0.8], ['a', 'b', 'c']) == pytest.approx((0.8, 0.8))


def test_the_interval_of_a_mean_is_that_of_its_normal_distribution():
    """Of 100 patients with one slice each, Dice uniform on 0.50 … 0.99: the standard error of the mean is
    sqrt((50 ** 2 - 1) / 12) / 100 / sqrt(100) = 0.01443, and 1.96 of it to either side make 0.0566."""
    low, high = interval([number / 100 for number in range(50, 100)] * 2, [str(number) for number in range(100)])
    assert high - low == pytest.approx(0.0566, rel=0.1)
    assert (low + high) / 2 == pytest.approx(0.745, abs=0.003)


def test_a_single_patient_has_no_interval():
    assert by_patient.interval(len, ['a', 'a']) is None


def test_draws_that_do_not_have_a_figure_are_not_in_its_interval():
    """Only patient b has it: draws with both of patient a have not, and of the others it is 0.5."""

    def mean_of_b(numbers):
        return [0.5 if 1 in numbers else np.nan, np.nan]

    low, high = by_patient.interval(mean_of_b, ['a', 'b'])
    assert [low[0], high[0]] == [0.5, 0.5]
    assert np.isnan([low[1], high[1]]).all()
