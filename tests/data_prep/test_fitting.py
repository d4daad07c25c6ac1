import math

from lvseg.errors import LabError
from lvseg.manifest import Spacing

import numpy as np
import pytest

from data_prep.fitting import fitted


def ellipse(shape, centre, radii):
    """1 where a pixel's middle lies inside; all in pixels, rows before columns."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    inside = ((rows + 0.5 - centre[0]) / radii[0]) ** 2 + ((columns + 0.5 - centre[1]) / radii[1]) ** 2 < 1
    return inside.astype(np.uint8)


def resampled(mask, spacing, wanted, pixels=None, allow_cropped=False):
    return fitted(mask.astype(np.int64) if pixels is None else pixels, mask, spacing, 'centre', wanted, allow_cropped)


@pytest.mark.parametrize('spacing', [(3, 3), (1.4, 1.4), (1.1, 1.1), (0.7, 0.7), (0.35, 0.35), (2, 1.25), (0.5, 0.9)])
@pytest.mark.parametrize('offset', [0, 0.3, 0.5])
def test_an_ellipse_keeps_its_area_in_square_mm_its_place_and_its_shape(spacing, offset):
    # Half axes of 30 and 24 mm, the middle `offset` pixels off that of a picture of 239 to 240 mm: of 160 pixels.
    shape = [int(240 / step) for step in spacing]
    mask = ellipse(shape, [length / 2 + offset for length in shape], (30 / spacing[0], 24 / spacing[1]))
    pair = resampled(mask, Spacing(*spacing), 1.5)
    assert pair.spacing == (1.5, 1.5)
    assert pair.mask.sum() * 1.5 * 1.5 == pytest.approx(mask.sum() * spacing[0] * spacing[1], rel=0.01)
    for axis in (0, 1):
        off_the_middle = (mask.nonzero()[axis].mean() + 0.5 - shape[axis] / 2) * spacing[axis]
        assert (pair.mask.nonzero()[axis].mean() + 0.5 - 128) * 1.5 == pytest.approx(off_the_middle, abs=0.4)
    drawn = ellipse((256, 256), [128 + offset * step / 1.5 for step in spacing], (30 / 1.5, 24 / 1.5))
    # Of about 1000 pixels each, 110 lie at the edge; there, what was drawn with pixels of 3 mm cannot be sure.
    assert (pair.mask != drawn).sum() < (80 if max(spacing) > 2 else 30)


@pytest.mark.parametrize('offset', range(4))
@pytest.mark.parametrize('factor', [2, 4])
def test_a_square_keeps_its_area_wherever_it_lies_on_the_grid(offset, factor):
    # 40 x 40 pixels of 1 mm are 20 x 20 of 2 mm, or 10 x 10 of 4 mm; outlines may run through the middle of pixels.
    mask = np.zeros((200, 200), np.uint8)
    mask[80 + offset : 120 + offset, 80 + offset : 120 + offset] = 1
    assert resampled(mask, Spacing(1, 1), factor).mask.sum() == (40 / factor) ** 2


def test_what_lies_somewhere_in_mm_lies_there_afterwards():
    # Row 20 to 40 of 100 rows of 3 mm: 90 mm to 30 mm above the middle; columns 60 to 70: 30 to 60 mm right of it.
    # At 1.5 mm, that is 60 to 20 rows above row 128 and 20 to 40 columns right of column 128.
    mask = np.zeros((100, 100), np.uint8)
    mask[20:40, 60:70] = 1
    pair = resampled(mask, Spacing(3, 3), 1.5)
    assert (pair.mask.sum(axis=1) > 0).nonzero()[0].tolist() == list(range(68, 108))
    assert (pair.mask.sum(axis=0) > 0).nonzero()[0].tolist() == list(range(148, 168))
    assert pair.changes == ('resampled', 'padded')


def test_an_image_is_resampled_linearly():
    # Middles of pixels of 2 mm lie at 1, 3, 5 ... mm, and have 100 a mm; those of 1 mm lie at 0.5, 1.5, ... mm.
    pixels = np.tile(np.arange(64) * 200 + 100, (64, 1))
    pair = resampled(np.zeros((64, 64), np.uint8), Spacing(2, 2), 1.0, pixels)
    assert pair.image.dtype == np.int64
    np.testing.assert_array_equal(pair.image[100, 64 + 1 : 192 - 1], np.arange(1, 127) * 100 + 50)
    assert pair.image[:64].max() == 0  # padded


def test_an_image_that_shrinks_is_smoothed_so_that_no_pattern_comes_up():
    # Stripes of one pixel, 0 and 1000: every second pixel alone would be all 0 or all 1000; their mean is 500.
    pixels = np.tile([0, 1000], (400, 200))
    pair = resampled(np.zeros((400, 400), np.uint8), Spacing(1, 1), 2, pixels)
    inner = pair.image[28 + 2 : 228 - 2, 28 + 2 : 228 - 2]
    np.testing.assert_array_equal(inner, 500)


def test_a_spacing_that_is_the_wanted_one_already_changes_nothing():
    noise = np.random.RandomState(0).randint(0, 1000, (256, 256))
    pair = resampled((noise > 990).astype(np.uint8), Spacing(1.40056, 1.40056), 1.4, noise)  # as PNG tells 1.4 mm
    np.testing.assert_array_equal(pair.image, noise)
    assert (pair.mask.sum(), pair.changes) == ((noise > 990).sum(), ())


def test_pictures_of_256_x_256_of_another_spacing_are_resampled_too():
    mask = ellipse((256, 256), (128, 128), (40, 40))  # 40 pixels of 2 mm are 80 of 1 mm
    pair = resampled(mask, Spacing(2, 2), 1)
    assert pair.changes == ('resampled', 'cropped')  # 512 mm are 512 pixels
    assert pair.mask.sum() == pytest.approx(80 * 80 * math.pi, rel=0.01)


def test_a_wanted_spacing_that_is_not_known_is_refused():
    mask = np.zeros((256, 256), np.uint8)
    with pytest.raises(LabError, match='does not tell its pixel spacing.* --pixel_size'):
        resampled(mask, None, 1.4)


def square_at_the_edge(side):
    mask = np.zeros((side, side), np.uint8)
    mask[:50, 100:110] = 1
    return mask


def test_a_ventricle_that_cropping_cuts_off_is_refused():
    # Of 300 rows, 22 go above: 22 * 10 of 500 pixels.
    mask = square_at_the_edge(300)
    with pytest.raises(LabError, match='would lose 220 of the 500 pixels of its ventricle.* --allow_cropped'):
        fitted(mask, mask, None, 'centre', None, False)


def test_a_ventricle_that_resampling_pushes_over_the_edge_is_refused():
    # 200 rows of 2 mm are 400 of 1 mm, of which 256 stay: of the first 72 rows, that is 36 of 2 mm.
    mask = square_at_the_edge(200)
    with pytest.raises(LabError, match='would lose 360 of the 500 pixels'):
        resampled(mask, Spacing(2, 2), 1)


def test_a_ventricle_may_be_cut_off_where_that_is_allowed():
    mask = square_at_the_edge(300)
    pair = fitted(mask, mask, None, 'centre', None, True)
    assert pair.mask.sum() == 280
    assert pair.changes == ('cropped', 'with part of the ventricle cut off')
    pair = resampled(square_at_the_edge(200), Spacing(2, 2), 1, allow_cropped=True)
    assert pair.mask.sum() == 140 * 4  # 14 rows of 10 pixels, each of which is 4
    assert pair.changes == ('resampled', 'cropped', 'with part of the ventricle cut off')


def test_a_ventricle_at_the_edge_of_a_picture_that_is_not_cropped_loses_nothing():
    # 101 rows of 1 mm are 50.5 of 2 mm: half a pixel at the edges is not worth an error.
    mask = square_at_the_edge(101)
    pair = resampled(mask, Spacing(1, 1), 2)
    assert pair.changes == ('resampled', 'padded')
    assert pair.mask.sum() * 4 == pytest.approx(50 * 1 * 1, abs=26 * 4)


@pytest.mark.parametrize(
    ('shape', 'changes'),
    [
        ((256, 256), ()),
        ((256, 200), ('padded',)),
        ((300, 256), ('cropped',)),
        ((300, 200), ('padded', 'cropped')),
    ],
)
def test_what_was_done_is_told(shape, changes):
    blank = np.zeros(shape, np.uint8)
    assert fitted(blank, blank, None, 'centre', None, False).changes == changes


def test_resizing_is_told_where_it_changes_something():
    blank = np.zeros((300, 200), np.uint8)
    assert fitted(blank, blank, None, 'resize', None, False).changes == ('resized',)


def test_the_largest_picture_at_the_smallest_spacing_needs_no_more_memory_than_itself():
    # 4096 pixels of 10 mm are 4 million of 0.01 mm a side; only the 256 in the middle are ever made.
    blank = np.zeros((4096, 4096), np.uint8)
    assert resampled(blank, Spacing(10, 10), 0.01).image.shape == (256, 256)


def test_a_picture_smaller_than_one_pixel_becomes_one():
    assert resampled(np.ones((1, 1), np.uint8), Spacing(0.01, 0.01), 10).image.shape == (256, 256)
