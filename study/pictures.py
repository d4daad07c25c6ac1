"""Pictures of a segmented study for a slide: beat.gif, on which the heart beats, and slices.png, the stack at rest."""

from typing import List, Sequence, Tuple

from lvseg import pictures
from lvseg.pictures import NETWORK, ORANGE, TEXT, Colour, Word

import numpy as np
from PIL import Image, ImageDraw

from study import tiles
from study.segmenting import Segmented
from study.tiles import Window

_TILE = 256  # pixels
_GAP = 8  # pixels
_LINE = 2  # pixels
_FINER = 4  # Lines are drawn so many times as large and then made smaller, which smooths them.
_LETTERS = 2  # The lab's letters are for screens; on a slide they are this many times as large.

_ED, _ES = ORANGE, (204, 121, 167)  # of the same palette
_FAINT = (110, 110, 110)

_DISCLAIMER: Word = ('teaching tool, no medical device', _FAINT)

_BEAT_WIDTH = 3 * _TILE + 2 * _GAP  # pixels
_CURVE = 110  # pixels, height
_TILES_IN_A_ROW = 8

_SHORTEST_FRAME = 2  # hundredths of a second; browsers show shorter ones as long ones
_HEART_RATES = (20, 300)  # beats per minute; no heart beats otherwise, whatever a file says


def write_beat(path: str, segmented: Segmented) -> None:
    """Writes a GIF of one heartbeat: a basal, a middle and an apical slice, and below them the volume."""
    seen = tiles.window(segmented)
    phases = range(segmented.stack.phases)
    rows = [_drawn(segmented, seen, number, phases) for number in _three(segmented)]
    frames = [_in_256_colours(_frame(segmented, [row[phase] for row in rows], phase)) for phase in phases]
    frames[0].save(path, 'GIF', save_all=True, append_images=frames[1:], duration=_durations(segmented), loop=0)


def write_slices(path: str, segmented: Segmented) -> None:
    """Writes a PNG of all slices at end-diastole and, beside each, at end-systole, with their areas."""
    seen = tiles.window(segmented)
    at_rest = [_at_rest(segmented, seen, number) for number in range(len(segmented.areas))]
    grid = pictures.grid(at_rest, [], _TILES_IN_A_ROW // len(_moments(segmented)))
    grid.paste(_words(_summary(segmented), grid.width - _GAP), (_GAP, 0))
    _in_256_colours(_stacked([grid, _words([_DISCLAIMER], max(grid.width, 2 * _TILE))])).save(path, 'PNG')


def seconds_of_a_beat(segmented: Segmented) -> float:
    """How long a loop takes: as the files tell, the median of all; one second where they tell nothing sensible."""
    slowest, fastest = _HEART_RATES
    rates = [image.heart_rate for images in segmented.stack.images for image in images]
    sensible = [rate for rate in rates if rate is not None and slowest <= rate <= fastest]
    return 60 / float(np.median(sensible)) if sensible else 1.0


def _drawn(segmented: Segmented, seen: Window, number: int, phases: Sequence[int]) -> List[Image.Image]:
    """Some phases of a slice with their outlines."""
    greys = tiles.greys(segmented, seen, number, _TILE)
    drawn = []
    for phase in phases:
        picture = Image.fromarray(greys[phase]).convert('RGB')
        points = tiles.outline(segmented, seen, number, phase, _TILE)
        if len(points):
            _draw_line(picture, [*points, points[0]], NETWORK)
        drawn.append(picture)
    return drawn


def _draw_line(picture: Image.Image, points: Sequence[Tuple[float, float]], colour: Colour) -> None:
    """A smooth line through points; x and y in pixels, from the picture's corner."""
    mask = Image.new('L', (picture.width * _FINER, picture.height * _FINER))
    corners = [(x * _FINER - 0.5, y * _FINER - 0.5) for x, y in points]  # Pillow counts from the first one's centre.
    ImageDraw.Draw(mask).line(corners, fill=255, width=_LINE * _FINER, joint='curve')
    picture.paste(colour, mask=mask.resize(picture.size, Image.BOX))


def _words(words: List[Word], width: int) -> Image.Image:
    """A line of words in large letters."""
    small = pictures.captioned(Image.new('RGB', (width // _LETTERS, 0)), words)
    return small.resize((small.width * _LETTERS, small.height * _LETTERS), Image.NEAREST)


def _stacked(parts: List[Image.Image]) -> Image.Image:
    """Pictures one below the other."""
    canvas = Image.new('RGB', (max(part.width for part in parts), sum(part.height for part in parts)))
    top = 0
    for part in parts:
        canvas.paste(part, (0, top))
        top += part.height
    return canvas


def _side_by_side(parts: List[Image.Image], gap: int) -> Image.Image:
    canvas = Image.new('RGB', (sum(part.width + gap for part in parts) - gap, parts[0].height))
    left = 0
    for part in parts:
        canvas.paste(part, (left, 0))
        left += part.width + gap
    return canvas


def _in_256_colours(picture: Image.Image) -> Image.Image:
    """Always the same, so that nothing flickers: greys, and the outline's colour blended with them."""
    greys = [(grey, grey, grey) for grey in np.linspace(0, 255, 160)]
    blended = [
        share * np.array(NETWORK) + (1 - share) * grey
        for share in np.linspace(0.15, 0.85, 7)
        for grey in np.linspace(0, 255, 13)
    ]
    colours = np.rint(np.array([*greys, *blended, NETWORK, _ED, _ES, _FAINT, TEXT])).astype(int)
    palette = Image.new('P', (1, 1))
    palette.putpalette(colours.ravel().tolist())
    return picture.quantize(palette=palette, dither=Image.NONE)


def _moments(segmented: Segmented) -> List[Tuple[str, int, Colour]]:
    """End-diastole and end-systole: name, phase and colour; one nameless phase where they are not known apart."""
    found = segmented.volumes
    if found.ed_phase == found.es_phase:
        return [('', found.ed_phase, TEXT)]
    return [('ED ', found.ed_phase, _ED), ('ES ', found.es_phase, _ES)]


def _ml(volume: float) -> str:
    return f'{volume:.0f} ml' if np.isfinite(volume) else 'volume unknown'


def _summary(segmented: Segmented) -> List[Word]:
    found = segmented.volumes
    words = [(name + _ml(found.by_phase[phase]), colour) for name, phase, colour in _moments(segmented)]
    fraction = found.ejection_fraction
    known = fraction is not None and np.isfinite(fraction)
    return [*words, (f'EF {fraction:.0f} %' if known else 'no EF', TEXT)]


# ---- beat.gif ----


def _durations(segmented: Segmented) -> List[int]:
    """Of each frame, ms: a GIF counts in hundredths of a second, so they differ for the beat as a whole to be right."""
    phases = segmented.stack.phases
    hundredths = max(100 * seconds_of_a_beat(segmented), _SHORTEST_FRAME * phases)
    return [int(10 * step) for step in np.diff(np.rint(np.linspace(0, hundredths, phases + 1)))]


def _three(segmented: Segmented) -> List[int]:
    """A basal, a middle and an apical slice, by their shares of the ventricle; fewer if there are not so many."""
    above = np.cumsum(segmented.areas[:, segmented.volumes.ed_phase])
    if above[-1] == 0:
        return sorted({0, len(above) // 2, len(above) - 1})
    return sorted({int(np.searchsorted(above, share * above[-1])) for share in (0.1, 0.5, 0.9)})


def _frame(segmented: Segmented, drawn: List[Image.Image], phase: int) -> Image.Image:
    now = [(f'phase {phase}', TEXT), (_ml(segmented.volumes.by_phase[phase]), NETWORK)]
    lines = [now, _summary(segmented), [_DISCLAIMER]]
    return _stacked(
        [_side_by_side(drawn, _GAP), _curve(segmented, phase), *(_words(line, _BEAT_WIDTH) for line in lines)]
    )


def _curve(segmented: Segmented, phase: int) -> Image.Image:
    """The volume over the heartbeat from zero, and where it stands now; nothing where there is none."""
    volumes = segmented.volumes.by_phase
    if len(volumes) == 1 or not volumes.max() > 0:
        return Image.new('RGB', (_BEAT_WIDTH, _GAP))
    picture = Image.new('RGB', (_BEAT_WIDTH, _CURVE))
    left, right, bottom = 2 * _GAP, _BEAT_WIDTH - 2 * _GAP, _CURVE - _GAP
    heights = bottom - volumes / volumes.max() * (bottom - 2 * _GAP)
    points = list(zip(np.linspace(left, right, len(volumes)), heights))
    _draw_line(picture, [(left, bottom), (right, bottom)], _FAINT)
    _draw_line(picture, points, NETWORK)
    for _, at, colour in _moments(segmented):
        _dot(picture, points[at], colour, 5)
    _dot(picture, points[phase], TEXT, 7)
    return picture


def _dot(picture: Image.Image, centre: Tuple[float, float], colour: Colour, radius: int) -> None:
    x, y = centre
    ImageDraw.Draw(picture).ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


# ---- slices.png ----


def _at_rest(segmented: Segmented, seen: Window, number: int) -> Image.Image:
    """A slice at end-diastole and at end-systole."""
    moments = _moments(segmented)
    drawn = _drawn(segmented, seen, number, [phase for _, phase, _ in moments])
    left_out = number in segmented.ventricle.atrium
    captioned = []
    for picture, (name, phase, colour) in zip(drawn, moments):
        area = 'left out' if left_out else f'{name}{segmented.areas[number, phase]:.0f} mm²'
        captioned.append(_stacked([picture, _words([(str(number), TEXT), (area, colour)], _TILE)]))
    return _side_by_side(captioned, 0)
