import io
from itertools import combinations, groupby

from lvseg import pictures
from lvseg.pictures import Slice

import numpy as np
import pytest
from PIL import Image

# What people without one of the three kinds of cones see, from linear RGB to linear RGB: G. M. Machado et al., A
# Physiologically-based Model for Simulation of Color Vision Deficiency, IEEE TVCG 15(6), 2009, severity 1.0.
COLOUR_BLIND = {
    'protanopia': [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    'deuteranopia': [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    'tritanopia': [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
# A difference of 2.3 in CIELAB is just noticed (M. Mahy et al., 1994, Color Research & Application 19); ten times that
# is seen at a glance.
CLEARLY_DIFFERENT = 23

SQUARE = np.zeros((64, 64), np.uint8)
SQUARE[20:40, 20:40] = 1
BELOW = np.roll(SQUARE, 8, axis=0)
GREY = np.tile(np.arange(64), (64, 1))


def lab(rgb, vision):
    """CIELAB (D65) of an sRGB colour of 0 to 255, as seen with a deficiency."""
    rgb = np.array(rgb) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.dot(vision, linear), 0, 1)
    xyz = np.dot([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], seen)
    x, y, z = np.cbrt(np.maximum(xyz / [0.9505, 1, 1.089], 0.008856))  # None of the colours here is darker.
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize('deficiency', sorted(COLOUR_BLIND))
def test_the_colour_blind_tell_expert_network_and_text_apart(deficiency):
    seen = [lab(colour, COLOUR_BLIND[deficiency]) for colour in (pictures.EXPERT, pictures.NETWORK, pictures.TEXT)]
    for one, other in combinations(seen, 2):
        assert np.linalg.norm(one - other) > CLEARLY_DIFFERENT


def test_the_test_of_colours_knows_red_and_green_for_alike_without_red_cones():
    red, green = ((200, 0, 0), (120, 85, 0))
    difference = np.linalg.norm(lab(red, COLOUR_BLIND['protanopia']) - lab(green, COLOUR_BLIND['protanopia']))
    assert difference < CLEARLY_DIFFERENT < np.linalg.norm(lab(red, np.eye(3)) - lab(green, np.eye(3)))


def test_a_contour_is_the_outermost_pixels_of_the_area():
    mask = np.array(
        [[0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 1, 0], [0, 1, 1, 1, 1, 0], [0, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0]]
    )
    assert pictures.contour(mask).astype(int).tolist() == [
        [0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 1, 0],
        [0, 1, 0, 0, 1, 0],
        [0, 1, 1, 1, 1, 0],
        [0, 0, 0, 0, 0, 0],
    ]


def test_a_contour_is_closed_at_the_edge_of_the_picture():
    # 25 pixels, of which the inner 3 x 3 are no edge.
    assert pictures.contour(np.ones((5, 5))).sum() == 25 - 9
    # The inner 1 is none, if the line is two pixels wide.
    assert pictures.contour(np.ones((5, 5)), width=2).sum() == 25 - 1


def test_a_single_pixel_is_its_own_contour_and_nothing_has_none():
    mask = np.zeros((3, 3))
    assert not pictures.contour(mask).any()
    mask[1, 1] = 1
    assert np.array_equal(pictures.contour(mask), mask == 1)


def pixels_of(drawing, colour):
    return (drawing == colour).all(axis=-1)


def test_expert_and_network_are_drawn_in_their_colours_over_the_grey_slice():
    drawing = pictures.drawing(Slice(GREY, SQUARE, BELOW), 64)
    assert drawing.shape == (64, 64, 3) and drawing.dtype == np.uint8
    assert tuple(drawing[20, 30]) == pictures.EXPERT  # the upper edge of the square
    assert tuple(drawing[47, 30]) == pictures.NETWORK  # the lower edge of the one below
    inside = drawing[34, 34]
    assert inside[0] == inside[1] == inside[2]
    # From black on the left to white on the right.
    assert drawing[0, 0].tolist() == [0, 0, 0] and drawing[0, 63].tolist() == [255, 255, 255]


def test_lines_that_coincide_show_both_colours():
    drawing = pictures.drawing(Slice(GREY, SQUARE, SQUARE), 64)
    expert, network = pixels_of(drawing, pictures.EXPERT), pixels_of(drawing, pictures.NETWORK)
    line = pictures.contour(SQUARE, width=2)
    assert np.array_equal(expert | network, line)
    for side in (np.s_[:30], np.s_[30:], np.s_[:, :30], np.s_[:, 30:]):
        assert 0.3 < expert[side].sum() / line[side].sum() < 0.7


@pytest.mark.parametrize('side', [np.s_[20, 20:40], np.s_[39, 20:40], np.s_[20:40, 20], np.s_[20:40, 39]])
def test_the_dashes_are_long_enough_to_be_seen_on_every_side(side):
    drawing = pictures.drawing(Slice(GREY, SQUARE, SQUARE), 64)
    lengths = [len(list(dash)) for _, dash in groupby(pixels_of(drawing, pictures.EXPERT)[side])]
    # 20 pixels in dashes of 6: two or three whole ones, and what is left at the ends.
    assert sum(lengths) == 20 and len(lengths) >= 4
    assert set(lengths[1:-1]) == {6}


def test_the_expert_is_orange_and_the_network_blue_and_the_legend_says_so():
    nothing = np.zeros_like(SQUARE)
    for who, label, prediction in (('expert', SQUARE, nothing), ('network', nothing, SQUARE)):
        red, green, blue = colour = tuple(pictures.drawing(Slice(GREY, label, prediction), 64)[20, 30])
        assert red > green > blue if who == 'expert' else red < green < blue
        assert dict(pictures.LEGEND)[who] == colour


def test_without_a_label_only_the_network_is_drawn():
    drawing = pictures.drawing(Slice(GREY, None, SQUARE), 64)
    assert not pixels_of(drawing, pictures.EXPERT).any()
    assert np.array_equal(pixels_of(drawing, pictures.NETWORK), pictures.contour(SQUARE, width=2))


def test_an_enlarged_slice_has_lines_as_thin_as_before():
    drawing = pictures.drawing(Slice(GREY, SQUARE, np.zeros_like(SQUARE)), 128)
    # The square is 40 pixels wide now; what is no line of 2 pixels in it is 36 wide.
    assert pixels_of(drawing, pictures.EXPERT).sum() == 40 * 40 - 36 * 36


def test_a_few_bright_pixels_leave_the_rest_of_the_slice_visible():
    image = GREY.copy()
    image[0, :10] = 1000000
    nothing = np.zeros_like(SQUARE)
    assert pictures.drawing(Slice(image, nothing, nothing), 64)[32].max() > 200


@pytest.mark.parametrize('value', [0, 7, -3.5])
def test_a_slice_of_one_value_is_black(value):
    nothing = np.zeros_like(SQUARE)
    assert not pictures.drawing(Slice(np.full((64, 64), value), nothing, nothing), 64).any()


def test_a_png_keeps_size_and_colours():
    piece = Slice(np.random.RandomState(1).rand(64, 64), SQUARE, BELOW)
    tile = pictures.tile(piece, [('Dice 0.6', pictures.TEXT)], 256)
    read = Image.open(io.BytesIO(pictures.png(tile))).convert('RGB')
    assert read.size == tile.size == (256, 270)
    assert np.abs(np.asarray(read, int) - np.asarray(tile, int)).max() <= 16
    assert (np.asarray(tile)[256:] == pictures.TEXT).all(axis=-1).any(), 'the caption is missing'


def test_a_grid_is_filled_row_by_row():
    tiles = [Image.new('RGB', (20, 10), (number, number, number)) for number in range(1, 6)]
    grid = np.asarray(pictures.grid(tiles, [], columns=3))[..., 0]
    height, width = grid.shape
    # Two rows of three tiles, 8 pixels between; the words' line above is 14 + 2 x 8 high.
    assert (height, width) == (30 + 2 * 18, 8 + 3 * 28)
    centres = [[grid[30 + 18 * row + 5, 8 + 28 * column + 10] for column in range(3)] for row in range(2)]
    assert centres == [[1, 2, 3], [4, 5, 0]]


def test_few_tiles_make_a_narrow_grid():
    assert pictures.grid([Image.new('RGB', (20, 10))], [], columns=6).width == 8 + 28
