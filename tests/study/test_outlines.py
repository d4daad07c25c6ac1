import math

import numpy as np
import pytest

from data_prep import contours
from data_prep.contours import FIRST_PIXEL
from study import outlines


def circle(radius, centre=(100.3, 90.7)):
    """Probabilities that fall from 1 to 0 across a circle, a half on it."""
    rows, columns = np.indices((256, 256))
    return 1 / (1 + np.exp(2 * (np.hypot(columns - centre[0], rows - centre[1]) - radius)))


@pytest.mark.parametrize('radius', [8, 20, 40])
def test_the_area_is_that_within_half_a_pixel_of_the_networks_edge(radius):
    found = circle(radius)
    assert outlines.area(outlines.outline(found, found >= 0.5)) == pytest.approx(
        math.pi * (radius - 0.5) ** 2, rel=0.01
    )


def test_an_outline_lies_a_pixel_left_of_and_above_the_networks_edge():
    found = circle(20, centre=(100, 90))
    assert outlines.outline(found, found >= 0.5).mean(axis=0) == pytest.approx([99, 89], abs=0.01)


@pytest.mark.parametrize('radius', [8, 15, 30])
def test_of_the_labs_own_mask_of_a_contour_comes_the_contours_area_to_within_2_percent(radius):
    turns = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    drawn = np.stack([120 + radius * np.cos(turns), 110 + radius * np.sin(turns)], axis=1)
    mask = contours.read_mask(''.join(f'{x:.2f} {y:.2f}\n' for x, y in np.rint(2 * drawn) / 2).encode())
    # The mask itself is larger: by half a pixel all around, so by about 1 / radius.
    assert mask.sum() > math.pi * radius**2 * (1 + 0.5 / radius)
    found = outlines.area(outlines.outline(mask.astype(float), mask > 0))
    assert found == pytest.approx(math.pi * radius**2, rel=0.02)


def test_a_contour_of_the_experts_keeps_its_area(shared):
    ratios = []
    for path in sorted((shared / 'data/sunnybrook_cardiac_atlas/SCD_ManualContours').rglob('*-icontour-manual.txt')):
        data = path.read_bytes()
        points = np.array([line.split() for line in data.decode().splitlines()], float) - FIRST_PIXEL
        mask = contours.read_mask(data)
        ratios.append(outlines.area(outlines.outline(mask.astype(float), mask > 0)) / outlines.area(points))
    assert len(ratios) == 56
    assert np.mean(ratios) == pytest.approx(1, abs=0.01)
    assert max(ratios) < 1.03 and min(ratios) > 0.97


def test_holes_count_as_inside_and_other_pieces_as_outside():
    found = np.maximum(circle(20), circle(5, centre=(200, 200)))
    kept = circle(20) >= 0.5
    whole = outlines.area(outlines.outline(found, kept))
    found[88:93, 98:103] = 0
    kept[88:93, 98:103] = False
    assert outlines.area(outlines.outline(found, kept)) == pytest.approx(whole)


def test_what_touches_the_edge_of_the_image_is_closed_there():
    mask = np.zeros((256, 256))
    mask[:10, :20] = 1
    # 10 x 20 pixels, less half a pixel all around: 9 x 19; the corners are cut, by 4 x 1/8 at most.
    assert outlines.area(outlines.outline(mask, mask > 0)) == pytest.approx(9 * 19, abs=4)


def test_nothing_kept_is_no_outline():
    nothing = outlines.outline(np.zeros((256, 256)), np.zeros((256, 256), bool))
    assert nothing.shape == (0, 2)
    assert outlines.area(nothing) == 0
