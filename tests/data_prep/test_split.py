import random

from lvseg.errors import LabError

import pytest

from data_prep import split
from data_prep.slices import Slice


def slices_of(patients, per_patient):
    return [
        Slice(f'P{patient:02d}-{number:03d}', f'P{patient:02d}', f'{number}.png', f'{number}.png')
        for patient in range(patients)
        for number in range(per_patient)
    ]


def names(slices):
    return [piece.name for piece in slices]


@pytest.mark.parametrize(
    ('count', 'fraction', 'val'),
    [
        (260, 0.1, 26),  # the lab's 234 and 26
        (38, 0.1, 4),  # 3.8
        (4, 0.1, 0),  # 0.4
        (5, 0.1, 1),  # 0.5
        (7, 0.0, 0),
        (7, 1.0, 7),
        (100, 0.29, 29),  # though 100 * 0.29 is 28.999999999999996
    ],
)
def test_the_fraction_of_slices_is_rounded(count, fraction, val):
    sides = split.by_slice(slices_of(1, count), fraction, seed=1234)
    assert (len(sides.train), len(sides.val)) == (count - val, val)


def test_every_slice_is_on_one_side():
    slices = slices_of(4, 10)
    for sides in (split.by_slice(slices, 0.3, 1), split.by_patient(slices, 0.3, 1)):
        assert sorted(sides.train + sides.val) == slices


@pytest.mark.parametrize('by', [split.by_slice, split.by_patient])
def test_the_order_in_which_files_are_found_does_not_matter(by):
    slices = slices_of(5, 8)
    found_otherwise = random.Random(99).sample(slices, len(slices))
    assert found_otherwise != slices
    assert by(slices, 0.4, 1234) == by(found_otherwise, 0.4, 1234)


@pytest.mark.parametrize('by', [split.by_slice, split.by_patient])
def test_another_seed_gives_another_split(by):
    slices = slices_of(10, 10)
    assert sorted(by(slices, 0.5, 1).val) != sorted(by(slices, 0.5, 2).val)


def test_records_are_in_the_order_of_the_draw():
    # Written out from Python's own random: shuffled names, of which the first are for validation.
    expected = names(slices_of(2, 10))
    random.Random(7).shuffle(expected)
    sides = split.by_slice(slices_of(2, 10), 0.25, 7)
    assert names(sides.val) == expected[:5]
    assert names(sides.train) == expected[5:]


def test_patients_are_drawn_from_their_sorted_names():
    expected = [f'P{patient:02d}' for patient in range(10)]
    random.Random(7).shuffle(expected)
    sides = split.by_patient(slices_of(10, 3), 0.3, 7)
    assert {piece.patient for piece in sides.val} == set(expected[:3])


def test_slices_of_one_patient_fall_on_both_sides_by_slice():
    assert split.patients_on_both_sides(split.by_slice(slices_of(2, 50), 0.5, 1234)) == ['P00', 'P01']


@pytest.mark.parametrize(('patients', 'fraction', 'val_patients'), [(10, 0.1, 1), (15, 0.1, 2), (3, 0.5, 2)])
def test_no_patient_is_on_both_sides_by_patient(patients, fraction, val_patients):
    sides = split.by_patient(slices_of(patients, 6), fraction, 1234)
    assert split.patients_on_both_sides(sides) == []
    assert len({piece.patient for piece in sides.val}) == val_patients
    assert len(sides.val) == 6 * val_patients


def test_records_by_patient_are_shuffled_too():
    sides = split.by_patient(slices_of(4, 10), 0.5, 1234)
    assert names(sides.train) != sorted(names(sides.train))
    assert len({name[:3] for name in names(sides.train)[:10]}) == 2  # not one patient after the other


@pytest.fixture
def pictures():
    paths = ['a/one', 'a/two', 'b/two', 'SC-HYP-38-IM-0001-0178']
    return [Slice(name, 'p', f'{name}.dcm.png', f'{name}.dcm.png') for name in paths]


@pytest.mark.parametrize(
    ('text', 'val'),
    [
        ('SC-HYP-38-IM-0001-0178.dcm.png\n', {'SC-HYP-38-IM-0001-0178'}),
        ('SC-HYP-38-IM-0001-0178', {'SC-HYP-38-IM-0001-0178'}),
        ('\ufeffone.png\r\n\r\n a/two.jpg \r\n', {'a/one', 'a/two'}),
        ('one\none\n', {'a/one'}),
        ('', set()),
    ],
)
def test_listed_names_are_for_validation(pictures, tmp_path, text, val):
    (tmp_path / 'names.txt').write_text(text, encoding='utf-8')
    sides = split.by_names(pictures, str(tmp_path / 'names.txt'), 1234)
    assert set(names(sides.val)) == val
    assert set(names(sides.train)) == set(names(pictures)) - val


def test_listed_names_are_in_the_order_of_the_draw(tmp_path):
    (tmp_path / 'names.txt').write_text('P00-003\nP00-001\nP00-007\n')
    expected = names(slices_of(1, 20))
    random.Random(7).shuffle(expected)
    sides = split.by_names(slices_of(1, 20), str(tmp_path / 'names.txt'), 7)
    listed = {'P00-001', 'P00-003', 'P00-007'}
    assert names(sides.train) == [name for name in expected if name not in listed]
    assert names(sides.val) == [name for name in expected if name in listed]


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('one\nthree\nfour\n', '2 names of which there is no image, the first: three'),
        ('two\n', 'two, which is in several sub-folders'),
        ('c/one\n', 'no image, the first: c/one'),
    ],
)
def test_names_that_fit_no_image_or_several_are_refused(pictures, tmp_path, text, reason):
    (tmp_path / 'names.txt').write_text(text)
    with pytest.raises(LabError, match=reason):
        split.by_names(pictures, str(tmp_path / 'names.txt'), 1234)


def test_a_mask_without_an_image_is_no_name(tmp_path):
    (tmp_path / 'names.txt').write_text('alone\n')
    with pytest.raises(LabError, match='no image, the first: alone'):
        split.by_names([Slice('alone', 'p', '', 'alone.png')], str(tmp_path / 'names.txt'), 1234)


@pytest.mark.parametrize('content', [None, b'\xff\xfe\x00'])
def test_a_list_that_cannot_be_read_is_refused(pictures, tmp_path, content):
    path = tmp_path / 'names.txt'
    if content:
        path.write_bytes(content)
    with pytest.raises(LabError, match='names.txt'):
        split.by_names(pictures, str(path), 1234)
