import argparse

from lvseg.errors import LabError

import numpy as np
import pytest

from data_prep import labels


def look(*values):
    return labels.look('a.png', np.array([values], np.int64))


def picture(*squares, side=20):
    """A look at a mask with squares side by side, each a value and its length."""
    mask = np.zeros((side, side), np.int64)
    left = 1
    for value, length in squares:
        mask[1 : 1 + length, left : left + length] = value
        left += length
    return labels.look('a.png', mask)


def check(*looks, label=None):
    return labels.check(iter(looks), len(looks), label)


def test_grey_is_its_value_and_colour_is_none_of_them():
    channels = np.array([[(3, 3, 3), (255, 255, 255), (255, 0, 0), (0, 0, 1), (0, 0, 0)]], np.uint8)
    found = labels.of_channels(channels)
    assert found[0, [0, 1, 4]].tolist() == [3, 255, 0]
    assert found[0, 2:4].tolist() == [labels.parse('ff0000'), labels.parse('#000001')]
    assert min(found[0, 2:4]) > 2**32  # no grey value is as large


@pytest.mark.parametrize(
    ('text', 'value'), [('3', 3), ('0', 0), ('255', 255), ('-7', -7), ('40000', 40000), ('#ffffff', 255), ('030303', 3)]
)
def test_a_label_is_a_number_and_colours_of_equal_channels_are_grey(text, value):
    assert labels.parse(text) == value


@pytest.mark.parametrize('text', ['red', '#ff', 'ff00', '1.5', '', '1,2', '#ff00000', '12345678901'])
def test_what_is_neither_a_number_nor_a_colour_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match='3 or ff0000'):
        labels.parse(text)


def test_one_value_besides_0_needs_no_label():
    assert check(picture((255, 4)), picture((255, 6)), picture()) == []


def test_masks_that_cannot_be_read_are_left_to_the_reading():
    assert check(None, picture((3, 4))) == []
    assert check(None, None, label=3) == []


def test_several_values_are_refused_with_how_many_pixels_each_has_of_how_many_masks():
    # 4 * 4 + 5 * 5 = 41 of the value 1; 3 * 3 = 9 of 2.
    with pytest.raises(
        LabError, match=r'2 values .*: 1 \(41 pixels in 2 masks\), 2 \(9 pixels in 1 mask\)\. .*--label'
    ):
        check(picture((1, 4), (2, 3)), picture((1, 5)), picture())


def test_a_value_of_its_own_in_each_mask_is_noticed():
    with pytest.raises(LabError, match=r'255 \(25 pixels in 1 mask\), 1 \(16 pixels in 1 mask\)'):
        check(picture((1, 4)), picture((255, 5)))


def test_colours_are_listed_as_such_and_the_flag_is_told_without_what_a_shell_takes_for_a_comment():
    red, green = labels.parse('ff0000'), labels.parse('00ff00')
    with pytest.raises(LabError, match=r'#00ff00 \(25 .*, #ff0000 \(16 .* --label (00ff00|ff0000);'):
        check(picture((red, 4), (green, 5)))


def test_of_many_values_the_eight_of_the_most_pixels_are_listed():
    with pytest.raises(LabError, match=r'20 values .*: 20 \(20 pixels .*, 13 \(13 pixels in 1 mask\) and 12 more\.'):
        check(look(*[value for value in range(1, 21) for _ in range(value)], *[0] * 300))


def test_a_label_that_is_told_settles_it_and_the_others_are_mentioned():
    (note,) = check(picture((1, 4), (2, 3)), picture((1, 5)), label=2)
    assert note == 'Left ventricle is 2 in the masks; left out are 1 (41 pixels in 2 masks).'
    assert check(picture((1, 4)), label=1) == []


def test_a_label_that_no_mask_has_is_refused_with_those_that_they_have():
    # 400 - 16 = 384 pixels of background.
    with pytest.raises(LabError, match=r'--label 4: .* They have 0 \(384 pixels in 1 mask\), 3 \(16 pixels'):
        check(picture((3, 4)), label=4)


def inverted(side=20, hole=4):
    mask = np.full((side, side), 255)
    mask[8 : 8 + hole, 8 : 8 + hole] = 0
    return labels.look('b.png', mask)


def test_an_inverted_mask_is_asked_about():
    # 400 - 16 = 384 of 400 pixels are 96 %.
    with pytest.raises(LabError, match=r'in 1 of 2 masks the value 255 .* b.png, .* 96.0%.* --label 0 .* --label 255'):
        check(picture((255, 4)), inverted())


def test_a_ventricle_of_half_the_picture_is_none_of_more_is_asked_about():
    # 200 of 400 pixels, in columns 1 to 10; then 201. Neither touches the right edge.
    mask = np.zeros((20, 20), np.int64)
    mask[:, 1:11] = 1
    assert check(labels.look('a', mask)) == []
    mask[0, 11] = 1
    with pytest.raises(LabError, match='covers over half'):
        check(labels.look('a', mask))


@pytest.mark.parametrize('edges', range(5))
def test_a_frame_is_asked_about_and_what_touches_three_edges_is_not(edges):
    mask = np.zeros((20, 20), np.int64)
    places = [(0, 10), (19, 10), (10, 0), (10, 19)]
    for place in places[:edges]:
        mask[place] = 1
    if edges < 4:
        assert check(labels.look('a', mask)) == []
        return
    with pytest.raises(LabError, match='touches all four edges'):
        check(labels.look('a', mask))


@pytest.mark.parametrize('label', [0, 255])
def test_an_inverted_mask_is_settled_by_either_answer(label):
    assert len(check(inverted(), label=label)) == (1 if label == 0 else 0)


def test_the_mask_of_a_label():
    values = np.array([[0, 1, 3, 1]])
    assert labels.mask_of(values, None).tolist() == [[0, 1, 1, 1]]
    assert labels.mask_of(values, 1).tolist() == [[0, 1, 0, 1]]
    assert labels.mask_of(values, 0).tolist() == [[1, 0, 0, 0]]
    assert labels.mask_of(values, 3).dtype == np.uint8


def test_a_picture_in_the_place_of_a_mask_is_a_bad_file():
    assert len(look(*range(256)).pixels) == 256
    with pytest.raises(LabError, match='has 257 different values'):
        look(*range(257))


def test_what_is_counted_of_all_masks_is_bounded():
    with pytest.raises(LabError, match='over 1000 values'):
        check(*(look(*range(start, start + 250)) for start in (1, 251, 501, 751, 1001)))
