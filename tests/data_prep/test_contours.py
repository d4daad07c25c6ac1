import codecs

from lvseg.errors import LabError

import numpy as np
import pytest

from data_prep import contours

SQUARE = '2 1\n5 1\n5 3\n2 3\n'


def test_a_rectangle_is_filled_with_its_outline():
    mask = contours.read_mask(SQUARE.encode())
    expected = np.zeros((256, 256), np.uint8)
    expected[1:4, 2:6] = 1  # y from 1 to 3, x from 2 to 5, ends included
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, expected)


def test_half_pixels_are_rounded_down():
    # As the published masks have them: 2.5 and 5.5 are 2 and 5, and so on.
    np.testing.assert_array_equal(
        contours.read_mask(b'2.5 1.5\n5.5 1.5\n5.5 3.5\n2.5 3.5\n'), contours.read_mask(SQUARE.encode())
    )


def test_a_triangle_is_filled_with_its_outline():
    # Pixels with x + y <= 4: 5 + 4 + 3 + 2 + 1 = 15.
    mask = contours.read_mask(b'0 0\n4 0\n0 4\n')
    y, x = np.indices(mask.shape)
    np.testing.assert_array_equal(mask, x + y <= 4)
    assert mask.sum() == 15


@pytest.mark.parametrize(
    'data',
    [
        SQUARE.replace('\n', '\r\n').encode(),
        SQUARE.replace('\n', '\r').encode(),
        SQUARE.replace(' ', '\t').encode(),
        SQUARE.replace(' ', ',').encode(),
        SQUARE.replace(' ', ', ').encode(),
        SQUARE.replace(' ', ';').encode(),
        SQUARE.replace(' ', '   ').replace('\n', ' \n\n').encode(),
        SQUARE.strip().encode(),
        b'2.00 1.00\n5e0 +1.\n.5E1 3.0\n2 3\n',
        codecs.BOM_UTF8 + SQUARE.encode(),
        SQUARE.encode('utf-16'),
        (SQUARE + '2 1\n').encode(),
    ],
    ids=[
        'Windows line ends',
        'Macintosh line ends',
        'tabs',
        'commas',
        'commas and spaces',
        'semicolons',
        'more spaces and empty lines',
        'no line end at the end',
        'other ways to write numbers',
        'byte-order mark',
        'UTF-16',
        'first point again at the end',
    ],
)
def test_other_ways_to_write_the_same_contour_are_read(data):
    np.testing.assert_array_equal(contours.read_mask(data), contours.read_mask(SQUARE.encode()))


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('', 'has 0 of the three'),
        ('\n\n', 'has 0 of the three'),
        ('1 1\n', 'has 1 of the three'),
        ('1 1\n2 2\n', 'has 2 of the three'),
        ('1 1\n1 1\n1 1\n', 'one line'),
        ('1 1\n2 2\n3 3\n4 4\n', 'one line'),
        ('1 1\n5 nan\n5 5\n', 'line 2 is not a point'),
        ('1 1\ninf 1\n5 5\n', 'line 2 is not a point'),
        ('1 1\n5 1_0\n5 5\n', 'line 2 is not a point'),
        ('1 1\n5 \u0665\n5 5\n', 'line 2 is not a point'),
        ('x y\n1 1\n5 1\n5 5\n', 'line 1 is not a point'),
        ('1 1\n5 1\n5 5 5\n', 'line 3 is not a point'),
        ('1\n5 1\n5 5\n', 'line 1 is not a point'),
        ('1,5 1,5\n5,5 1,5\n5,5 5,5\n', 'line 1 is not a point'),
        ('1 1\n5 -0.5\n5 5\n', 'outside the image'),
        ('1 1\n256.5 1\n5 5\n', 'outside the image'),
        ('1 1\n1e999 1\n5 5\n', 'outside the image'),
        ('1 1\n' * 300_000, 'far more than a contour needs'),
    ],
)
def test_what_is_no_contour_is_refused_with_the_reason(text, reason):
    with pytest.raises(LabError, match=reason):
        contours.read_mask(text.encode())


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(LabError, match='not a text file'):
        contours.read_mask(b'\xff\xd8\xff\xe0 1 2')


def test_a_contour_may_touch_the_edge_of_the_image():
    assert contours.read_mask(b'0 0\n256 0\n256 256\n0 256\n').sum() == 256 * 256


def test_a_long_line_of_digits_is_refused_at_once():
    # In a pattern that can split digits in several ways, this takes hours.
    with pytest.raises(LabError, match='line 1 is not a point'):
        contours.read_mask(b'1' * 1_000_000)


def test_the_value_of_a_bad_line_is_not_repeated():
    with pytest.raises(LabError) as error:
        contours.read_mask(b'Doe^Jane 1957\n')
    assert 'Doe' not in str(error.value)


def test_points_are_read_as_they_stand_in_the_file():
    assert contours.read_points(b'10.50 20.00\n30 20\n30 40.5\n').tolist() == [[10.5, 20], [30, 20], [30, 40.5]]
