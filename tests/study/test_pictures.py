import math

from lvseg.pictures import NETWORK, ORANGE

import numpy as np
import pytest
from PIL import Image, ImageSequence

from study import pictures
from tests.study import discs

TILE, GAP = 256, 8  # pixels
# Around discs of up to 20 mm, the square is 1.7 times as wide: 34 mm.
IN_TILE = TILE / 34


@pytest.fixture
def beat(tmp_path):
    """Writes the GIF of a made-up heart; returns its frames and how long each is shown, in ms."""

    def write(made_up):
        path = str(tmp_path / 'beat.gif')
        pictures.write_beat(path, made_up)
        with Image.open(path) as gif:
            frames = [
                (np.asarray(frame.convert('RGB')), frame.info.get('duration')) for frame in ImageSequence.Iterator(gif)
            ]
        return [frame for frame, _ in frames], [duration for _, duration in frames]

    return write


@pytest.fixture
def slices(tmp_path):
    """Writes the PNG of a made-up heart; returns its pixels."""

    def write(made_up):
        path = str(tmp_path / 'slices.png')
        pictures.write_slices(path, made_up)
        with Image.open(path) as picture:
            return np.asarray(picture.convert('RGB'))

    return write


@pytest.fixture
def words(monkeypatch):
    """All words that are written on pictures from now on, line by line, with their colours."""
    lines, caption = [], pictures.pictures.captioned
    monkeypatch.setattr(
        pictures.pictures, 'captioned', lambda picture, words: lines.append(words) or caption(picture, words)
    )
    return lines


def is_blue(colour):
    return int(colour[2]) - int(colour[0]) > 100


def assert_outlined(tile, radius):
    """The outermost points of the disc, in the four directions from the middle, are blue; the blue is nowhere else.

    A radius of 10 mm is 75.3 pixels: the line is 2 pixels wide, so it covers the pixel from 75 to 76. Where it does so
    in part only, it is blended with the grey below; wholly, blue has 233 - 86 = 147 more than red.
    """
    middle, far = TILE // 2, int(radius * IN_TILE)
    for row, column in (
        (middle, middle + far),
        (middle, middle - far - 1),
        (middle + far, middle),
        (middle - far - 1, middle),
    ):
        assert is_blue(tile[row, column])
    # The outline is closed: half the way from the last of its 60 points to the first, 3 degrees above the right.
    far, angle = radius * IN_TILE * math.cos(math.pi / 60), math.pi / 60
    assert is_blue(tile[int(middle - far * math.sin(angle)), int(middle + far * math.cos(angle))])
    rows, columns = np.nonzero((tile == NETWORK).all(axis=-1))
    assert len(rows) > 2 * np.pi * radius * IN_TILE / 2  # at least on half of the line's length
    distances = np.hypot(rows + 0.5 - middle, columns + 0.5 - middle)
    assert distances == pytest.approx(np.full(len(rows), radius * IN_TILE), abs=2)


def test_the_gif_has_a_frame_for_each_phase_with_its_outline(beat):
    frames, _ = beat(discs.segmented())
    assert len(frames) == 4
    for frame, radius in zip(frames, discs.RADII):
        for column in range(3):  # basal, middle, apical
            assert_outlined(frame[:TILE, column * (TILE + GAP) :][:, :TILE], radius)


def test_the_heart_is_grey_and_keeps_its_brightness_from_frame_to_frame(beat):
    frames, _ = beat(discs.segmented())
    blood = [frame[TILE // 2, TILE // 2] for frame in frames]
    assert all(np.ptp(colour) == 0 and colour[0] > 200 for colour in blood)
    assert all((frame[4, 4] == frames[0][4, 4]).all() for frame in frames)


def test_phases_are_drawn_in_one_scale_of_grey(beat):
    made_up = discs.segmented()
    pixels = made_up.pixels.copy()
    pixels[:, 1] *= 2
    frames, _ = beat(made_up._replace(pixels=pixels))
    # From 100, which is black, to 2000, which is white: blood of 1000 is 900 / 1900 of white.
    assert frames[1][TILE // 2, TILE // 2, 0] > 240
    for phase in (0, 2, 3):
        assert frames[phase][TILE // 2, TILE // 2, 0] == pytest.approx(255 * 900 / 1900, abs=5)


@pytest.mark.parametrize('heart_rate, milliseconds', [(60, 1000), (87, 690), (None, 1000), (0.001, 1000), (1e6, 1000)])
def test_the_gif_beats_as_fast_as_the_heart_or_once_a_second(beat, heart_rate, milliseconds):
    # A GIF counts in hundredths of a second: 60 s / 87 = 689.7 ms.
    _, durations = beat(discs.segmented(heart_rate=heart_rate, radii=tuple(range(20, 6, -1))))
    assert sum(durations) == milliseconds


def test_no_frame_is_so_short_that_browsers_slow_it_down(beat):
    # 60 s / 240 = 250 ms for 25 phases.
    _, durations = beat(discs.segmented(heart_rate=240, radii=tuple(range(30, 5, -1))))
    assert min(durations) == 20


def test_the_basal_middle_and_apical_slices_are_those_at_a_tenth_half_and_nine_tenths_of_the_ventricle(beat):
    made_up = discs.segmented(slices=7)
    # The first and the last slices are empty; the others have that many mm2, 500 in all. A tenth is reached in slice 1,
    # half in slice 3, and nine tenths in slice 4.
    areas = np.array([0, 100, 100, 100, 150, 50, 0])[:, np.newaxis] * np.ones(4)
    # They are told by where they have a white stripe.
    pixels = np.zeros_like(made_up.pixels)
    for number in range(7):
        pixels[number, :, :, 20 + 3 * number] = 1000
    frames, _ = beat(made_up._replace(areas=areas, pixels=pixels, outlines=[[np.zeros((0, 2))] * 4] * 7))
    tiles = [frames[0][:TILE, column * (TILE + GAP) :][:, :TILE, 0] for column in range(3)]
    # Without outlines the whole of 64 pixels is shown, 4 pixels for each.
    stripes = [np.nonzero(tile[TILE // 2] > 250)[0].mean() / 4 for tile in tiles]
    assert [round((stripe - 20) / 3) for stripe in stripes] == [1, 3, 4]


def test_the_dot_goes_along_the_curve(beat):
    frames, _ = beat(discs.segmented())
    # Below the tiles; white is the dot, and the words below the curve's 110 pixels are left out.
    curves = [(frame[TILE : TILE + 110] > 250).all(axis=-1) for frame in frames]
    places = [[positions.mean() for positions in np.nonzero(curve)] for curve in curves]
    heights, across = np.transpose(places)
    assert np.diff(across) == pytest.approx(np.full(3, (3 * TILE + 2 * GAP - 4 * GAP) / 3), abs=1)
    # From zero, at 102 pixels, to the largest volume at 16: in proportion to the squares of 10, 8, 6 and 9 mm.
    assert heights == pytest.approx([102 - 86 * square / 100 for square in (100, 64, 36, 81)], abs=1.5)


def test_the_stack_is_shown_at_end_diastole_and_end_systole(slices):
    picture = slices(discs.segmented())
    top = 14 + 2 * GAP  # of the words
    for number in range(3):
        pair = picture[top:, GAP + number * (2 * TILE + GAP) :]
        assert_outlined(pair[:TILE, :TILE], 10)
        assert_outlined(pair[:TILE, TILE : 2 * TILE], 6)


def test_areas_and_volumes_stand_beside_it(slices, words):
    slices(discs.segmented(slices=1))
    # pi x 10 x 10 = 314 mm2 and pi x 6 x 6 = 113 mm2; times 10 mm, and 1 - 36 / 100.
    said = [[word for word, _ in line] for line in words]
    assert ['0', 'ED 314 mm²'] in said and ['0', 'ES 113 mm²'] in said
    assert ['ED 3 ml', 'ES 1 ml', 'EF 64 %'] in said
    assert ['teaching tool, no medical device'] in said
    assert {word: colour for line in words for word, colour in line}['ED 314 mm²'] == ORANGE


def test_a_slice_left_out_says_so(slices, words):
    made_up = discs.segmented()
    slices(made_up._replace(ventricle=made_up.ventricle._replace(atrium=[0])))
    said = [' '.join(word for word, _ in line) for line in words]
    assert said.count('0 left out') == 2 and '1 ED 314 mm²' in said


@pytest.mark.parametrize(
    'made_up, summary',
    [
        (discs.segmented(radii=(10,)), ['9 ml', 'no EF']),
        (discs.segmented(radii=(0, 0, 0)), ['0 ml', 'no EF']),
        (discs.segmented(slices=1, thickness=None), ['volume unknown', 'no EF']),
    ],
    ids=['one phase', 'empty', 'thickness unknown'],
)
def test_without_an_ejection_fraction_the_pictures_say_so(beat, slices, words, made_up, summary):
    frames, _ = beat(made_up)
    slices(made_up)
    assert len(frames) == made_up.stack.phases
    assert [line for line in words if [word for word, _ in line] == summary]


def test_nothing_is_outlined_where_no_ventricle_was_found(beat, slices):
    made_up = discs.segmented(radii=(0, 0, 0))
    # Its volume is written in the network's colour, below the tiles.
    assert not any((frame[:TILE] == NETWORK).all(axis=-1).any() for frame in beat(made_up)[0])
    assert not (slices(made_up) == NETWORK).all(axis=-1).any()
