"""The plot of Bland and Altman: how far off each measurement is, over how large what it measures is."""

from typing import List, Sequence, Tuple

from lvseg import pictures
from lvseg.pictures import Colour

import numpy as np
from PIL import Image, ImageDraw

from experiments.pumping import QUANTITIES, Comparison, signed

_WIDTH, _HEIGHT = 420, 300  # of a panel, pixels
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 92, 34, 44  # between the panel's sides and what is plotted
_RADIUS = 4
_DASH = 6

_PAPER: Colour = (255, 255, 255)
_INK: Colour = (34, 34, 34)
_FAINT: Colour = (118, 118, 118)
_GRID: Colour = (221, 221, 221)
_BIAS: Colour = (0, 90, 160)
_POINT = pictures.ORANGE


def picture(comparison: Comparison) -> bytes:
    """A PNG file with a panel for each of the quantities that two or more patients have.

    Across lies the mean of the two, as Bland and Altman advise, up measured minus reference; a line at the bias, and
    dashed ones at the 95 % limits of agreement.
    """
    quantities = [quantity for quantity in comparison.quantities if comparison.agreement(quantity)]
    canvas = Image.new('RGB', (_WIDTH * max(len(quantities), 1), _HEIGHT), _PAPER)
    for column, quantity in enumerate(quantities):
        _draw_panel(canvas, column * _WIDTH, comparison, quantity)
    return pictures.png(canvas)


def _draw_panel(canvas: Image.Image, left: int, comparison: Comparison, quantity: str) -> None:
    values = np.array(comparison.values(quantity))
    means, differences = values.mean(axis=1), values[:, 0] - values[:, 1]
    found = comparison.agreement(quantity)
    heading, unit = QUANTITIES[quantity]
    draw = ImageDraw.Draw(canvas)
    x_range, y_range = _range(means), _range([*differences, *found.limits, 0])

    def place(x: float, y: float) -> Tuple[float, float]:
        across, up = (x - x_range[0]) / np.ptp(x_range), (y - y_range[0]) / np.ptp(y_range)
        right, bottom = left + _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
        return left + _LEFT + across * (right - left - _LEFT), bottom - up * (bottom - _TOP)

    for y in _ticks(y_range):
        draw.line([place(x_range[0], y), place(x_range[1], y)], _FAINT if y == 0 else _GRID)
        _write(draw, (left + _LEFT - 8, place(0, y)[1]), f'{y:g}', _FAINT, align='right')
    for x in _ticks(x_range):
        _write(draw, (place(x, 0)[0], _HEIGHT - _BOTTOM + 10), f'{x:g}', _FAINT, align='middle')
    for y, name in ((found.bias, 'bias'), (found.limits.upper, '+1.96 sd'), (found.limits.lower, '-1.96 sd')):
        (start, height), (end, _) = place(x_range[0], y), place(x_range[1], y)
        _line(draw, start, end, height, dashed=name != 'bias')
        _write(draw, (end + 6, height), f'{name} {signed(y)}'.replace('−', '-'), _BIAS, align='left')
    for x, y in zip(means, differences):
        across, down = place(x, y)
        draw.ellipse([across - _RADIUS, down - _RADIUS, across + _RADIUS, down + _RADIUS], _POINT, _INK)
    title = f'{heading} ({unit}): {comparison.name}'
    _write(draw, (left + _LEFT, 14), title, _INK, align='left')
    _write(draw, (left + _LEFT, _HEIGHT - 16), 'mean of the two; up: measured - reference', _FAINT, align='left')


def _line(draw: ImageDraw.ImageDraw, start: float, end: float, height: float, dashed: bool) -> None:
    if not dashed:
        draw.line([(start, height), (end, height)], _BIAS, width=2)
        return
    for x in np.arange(start, end, 2 * _DASH):
        draw.line([(x, height), (min(x + _DASH, end), height)], _BIAS)


def _write(draw: ImageDraw.ImageDraw, at: Tuple[float, float], text: str, colour: Colour, align: str) -> None:
    """A line of text, `at` the middle of its height."""
    width = draw.textlength(text)
    x = at[0] - {'left': 0, 'middle': width / 2, 'right': width}[align]
    draw.text((x, at[1] - 6), text, fill=colour)


def _range(values: Sequence[float]) -> Tuple[float, float]:
    """From the least to the greatest, and a tenth of that to either side; not empty."""
    least, greatest = min(values), max(values)
    edge = 0.1 * (greatest - least) or 1
    return least - edge, greatest + edge


def _ticks(ends: Tuple[float, float]) -> List[float]:
    """Round numbers within, four to nine of them."""
    span = ends[1] - ends[0]
    power = 10 ** np.floor(np.log10(span))
    step = next(step for step in (power, power / 2, power / 5, power / 10) if span / step >= 4)
    return [number * step for number in range(int(np.ceil(ends[0] / step)), int(np.floor(ends[1] / step)) + 1)]
