"""A shift changes what it is about, by as much as it says, and leaves the patient's heart and body as they are."""

import numpy as np
import pytest

from data_prep.phantom import truth
from data_prep.phantom.headers import short_axis_header
from data_prep.phantom.heart import axis_at, cut
from data_prep.phantom.outlines import around
from data_prep.phantom.patient import invent_patient
from data_prep.phantom.scanner import to_pixels
from data_prep.phantom.shifts import SHIFTS

SEED = 1234
NUMBERS = range(1, 17)


def pairs(name):
    """Patients as they are and with the shift."""
    return [(invent_patient(SEED, number), invent_patient(SEED, number, SHIFTS[name])) for number in NUMBERS]


def plain(value):
    """Nested tuples of arrays as bytes, which compare."""
    return tuple(map(plain, value)) if isinstance(value, (tuple, list)) else np.asarray(value).tobytes()


@pytest.mark.parametrize('name', sorted(set(SHIFTS) - {'pathology'}))
def test_the_heart_is_the_same_on_another_scanner(name):
    for before, after in pairs(name):
        assert plain(after.heart) == plain(before.heart)
        assert plain([after.body.radii, after.body.fat]) == plain([before.body.radii, before.body.fat])
        assert truth.truth(after) == truth.truth(before)


@pytest.mark.parametrize('name', ['pathology', 'noise', 'matrix', 'off_centre'])
def test_tissues_are_as_bright_as_they_were_where_the_shift_is_not_about_them(name):
    for number in NUMBERS:
        tissue = invent_patient(SEED, number, SHIFTS[name]).tissue
        assert 0.30 <= tissue.myocardium <= 0.56 and -1.2 <= tissue.fat <= -0.8


def test_noise_is_two_times_to_seven_times_as_strong():
    # 0.14 to 0.22, where it is 0.03 to 0.07; drawn by the same number between the two ends.
    for before, after in pairs('noise'):
        assert after.scan.noise == pytest.approx(0.14 + (before.scan.noise - 0.03) / 0.04 * 0.08)


def test_another_matrix_has_larger_pixels_and_less_of_k_space():
    for before, after in pairs('matrix'):
        # 1.25 to 1.4 become 1.7 to 1.95 mm.
        assert 1.7 / 1.4 < after.scan.spacing / before.scan.spacing < 1.95 / 1.25
        assert after.scan.samples[0] < 144 and after.scan.samples[1] < 160


def test_off_the_centre_is_32_to_44_pixels_off_in_any_direction_and_within_the_image():
    offsets = []
    for before, after in pairs('off_centre'):
        offsets.append(np.subtract(after.scan.centre, before.scan.centre))
        for z in after.slice_positions():
            endo = to_pixels(after.scan, around(axis_at(after.heart, z), cut(after.heart, z, 0.0).endo))
            assert endo.min() > 0 and endo.max() < 255
            columns, rows = np.rint(endo).astype(int).T
            assert not after.scan.outside[rows, columns].any()
    distances = np.hypot(*np.transpose(offsets))
    assert distances.min() >= 32 and distances.max() <= 44
    assert len({tuple(np.sign(offset)) for offset in offsets}) == 4


def test_spoiled_blood_is_hardly_brighter_than_muscle():
    # Muscle of the heart is 0.30 to 0.56 of blood, and becomes 0.58 to 0.76.
    for before, after in pairs('contrast'):
        assert before.tissue.myocardium <= 0.56 < 0.58 <= after.tissue.myocardium <= 0.76
        assert after.tissue.fat < before.tissue.fat < 0
        assert after.scan.noise == pytest.approx(0.06 + (before.scan.noise - 0.03) / 0.04 * 0.06)


def test_at_3_tesla_there_are_black_bands_and_half_the_noise():
    for before, after in pairs('field_strength'):
        assert after.scan.noise == pytest.approx(before.scan.noise / 2)
        left = after.scan.sensitivity / before.scan.sensitivity
        # Two lines across the picture, each black in its middle, no pixel of which is further than half a diagonal.
        assert left.min() < 0.05 and left.max() <= 1 + 1e-9
        # They leave most of the picture: of 5 mm to either side, two times at most 460 mm of 320 mm x 320 mm.
        assert 0.001 < np.mean(left < 0.3) < 2 * 10 * 460 / 320**2


def test_severe_hypertrophy_is_a_small_cavity_with_thick_walls():
    for before, after in pairs('pathology'):
        assert after.group.prefix == 'SC-HYP' and after.case.startswith('SC-HYP-9')
        assert truth.truth(after).edv < 95 < truth.truth(before).edv
        assert truth.truth(after).ejection_fraction > 60
        assert after.heart.wall.mean() > 15


def test_headers_tell_field_and_sequence():
    for name, field, variant, flip in [('field_strength', 3, 'SS', 40), ('contrast', 1.5, 'SP', 15)]:
        header = short_axis_header(invent_patient(SEED, 1, SHIFTS[name]), 5.0, 20, 20)
        found = (float(header.MagneticFieldStrength), header.SequenceVariant, float(header.FlipAngle))
        assert found == (field, variant, flip)


def test_the_same_patient_on_another_scanner_is_another_study():
    patients = [invent_patient(SEED, 1), *(invent_patient(SEED, 1, shift) for shift in SHIFTS.values())]
    studies = {short_axis_header(patient, 5.0, 20, 20).StudyInstanceUID for patient in patients}
    assert len(studies) == len(patients)
