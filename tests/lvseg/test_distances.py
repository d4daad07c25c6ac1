"""Distances worked by hand on small shapes."""

import math

from lvseg import distances

import numpy as np
import pytest


def box(top, left, bottom, right, shape=(16, 16)):
    """A mask with 1 in these rows and columns, the last ones included."""
    mask = np.zeros(shape, np.uint8)
    mask[top : bottom + 1, left : right + 1] = 1
    return mask


def test_a_contour_is_the_boundary_pixels_of_a_mask():
    # Of 4 x 5 pixels, the 2 x 3 in the middle have no neighbour outside: 20 - 6 = 14 are the contour.
    mask = box(2, 3, 5, 7)
    contour = distances.contour(mask)
    assert contour.sum() == 14
    np.testing.assert_array_equal(contour, mask.astype(bool) & ~box(3, 4, 4, 6).astype(bool))


def test_pixels_at_the_images_edge_are_contour():
    # All of a full image of 4 x 4 but its 2 x 2 in the middle.
    assert distances.contour(np.ones((4, 4), np.uint8)).sum() == 12


def test_a_pixel_with_all_but_a_diagonal_neighbour_inside_is_no_contour():
    # 3 x 3 without a corner: the other 8 but for the one in the middle, which has its four neighbours.
    mask = box(2, 2, 4, 4)
    mask[2, 2] = 0
    assert distances.contour(mask).sum() == 8 - 1


def test_whatever_is_not_zero_is_inside():
    np.testing.assert_array_equal(distances.contour(box(2, 3, 5, 7) * 255), distances.contour(box(2, 3, 5, 7)))


def test_equal_masks_have_no_distance():
    assert distances.between(box(2, 3, 5, 7), box(2, 3, 5, 7)) == (0, 0)


def test_two_pixels_are_as_far_apart_as_their_centres():
    # 3 rows and 4 columns: 5.
    assert distances.between(box(2, 2, 2, 2), box(5, 6, 5, 6)) == (5, 5)


@pytest.mark.parametrize(
    ('spacing', 'distance'),
    [
        ((2.0, 2.0), 10),  # 6 and 8 mm
        ((1.25, 1.25), 6.25),  # 3.75 and 5 mm
        ((4.0, 1.25), 13),  # 3 rows of 4 mm, 4 columns of 1.25 mm: 12 and 5
        ((5.0, 2.0), 17),  # 15 and 8
    ],
)
def test_a_spacing_of_rows_and_columns_makes_millimetres(spacing, distance):
    assert distances.between(box(2, 2, 2, 2), box(5, 6, 5, 6), spacing) == pytest.approx((distance, distance))


def test_a_shifted_line():
    # A row of 5 pixels, all contour, and the same one 2 rows below: every point is 2 away from the nearest.
    assert distances.between(box(4, 3, 4, 7), box(6, 3, 6, 7)) == (2, 2)
    # Shifted by 2 columns, 3 of the 5 lie on the other's; the others are 1 and 2 away: (0 + 0 + 0 + 1 + 2) / 5 = 0.6.
    assert distances.between(box(4, 3, 4, 7), box(4, 5, 4, 9)) == (0.6, 2)


def test_a_square_around_a_square():
    # 5 x 5 around 3 x 3, both with the same centre. Of the outer's 16 contour points, 3 on each side are 1 away from
    # the nearest of the inner's, the 4 corners sqrt(2): (12 + 4 sqrt(2)) / 16. All 8 of the inner's are 1 away.
    outer, inner = box(3, 3, 7, 7), box(4, 4, 6, 6)
    assert distances.between(outer, inner) == pytest.approx(((12 + 4 * math.sqrt(2)) / 16, math.sqrt(2)))
    assert distances.between(inner, outer) == pytest.approx((1, math.sqrt(2)))


def test_the_average_is_over_the_predicted_contour_the_hausdorff_distance_over_both():
    # The prediction is right but finds only the first of two pixels that are 10 apart, or a second one too many.
    one, two = box(4, 2, 4, 2), box(4, 2, 4, 2) + box(4, 12, 4, 12)
    assert distances.between(one, two) == (0, 10)
    assert distances.between(two, one) == (5, 10)  # (0 + 10) / 2


def test_an_anisotropic_spacing_changes_which_point_is_nearest():
    # From (8, 8), one expert's pixel is 3 rows up, the other 4 columns left. Rows of 1 mm, columns of 2 mm: 3 mm and
    # 8 mm. Rows of 3 mm, columns of 1 mm: 9 mm and 4 mm. The farther one is the Hausdorff distance.
    expert = box(5, 8, 5, 8) + box(8, 4, 8, 4)
    assert distances.between(box(8, 8, 8, 8), expert, (1.0, 2.0)) == (3, 8)
    assert distances.between(box(8, 8, 8, 8), expert, (3.0, 1.0)) == (4, 9)


def test_a_missing_contour_has_no_distance():
    nothing, something = box(0, 0, -1, -1), box(2, 2, 3, 3)
    for predicted, expert in [(nothing, something), (something, nothing), (nothing, nothing)]:
        assert all(math.isnan(value) for value in distances.between(predicted, expert))


def test_masks_of_any_integer_type_will_do():
    predicted = box(2, 2, 2, 2).astype(np.int32)
    assert distances.between(predicted, box(2, 5, 2, 5)) == (3, 3)


def test_distances_do_not_depend_on_the_size_of_the_image():
    small = distances.between(box(2, 2, 8, 8), box(4, 3, 9, 11))
    assert distances.between(box(2, 2, 8, 8, (256, 256)), box(4, 3, 9, 11, (256, 256))) == small
