from lvseg import places
from lvseg.places import Place

import pytest


@pytest.mark.parametrize(
    ('name', 'number'),
    [
        ('Sunnybrook_Part1/SC-HF-I-01-IM-0001-0048', 48),
        ('SC-HYP-03-IM-0001-0100', 100),
        ('patient-7/slice-12', None),
        ('SC-HF-I-01-IM-0001-0048-icontour', None),
    ],
)
def test_the_image_number_is_the_last_of_a_sunnybrook_name(name, number):
    assert places.image_number(name) == number


@pytest.mark.parametrize(
    ('number', 'place'),
    [('0001', Place(0, 0)), ('0020', Place(0, 19)), ('0021', Place(1, 0)), ('0048', Place(2, 7)), ('0000', None)],
)
def test_number_is_20_times_position_plus_phase_plus_1(number, place):
    assert places.place(f'SC-HF-I-01-IM-0001-{number}') == place


@pytest.mark.parametrize(
    ('name', 'place'),
    [
        ('patient001/ED-slice03', Place(2, 'ED')),
        ('training/patient001/ES-slice01', Place(0, 'ES')),
        ('A0S9V9/frame12-slice10', Place(9, 'frame12')),
        ('patient001/slice03', None),  # No phase: it may as well be one of other images that are called so.
    ],
)
def test_slices_of_nifti_volumes_tell_their_number_and_their_frame(name, place):
    assert places.place(name) == place
