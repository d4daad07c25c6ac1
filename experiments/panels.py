"""The panel that a plot is made of: axes with round numbers, lines, points and words."""

from typing import List, Sequence, Tuple

from lvseg.pictures import Colour

import numpy as np
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 420, 300  # pixels

INK: Colour = (34, 34, 34)
BLUE: Colour = (0, 90, 160)

_FAINT: Colour = (118, 118, 118)
_GRID: Colour = (221, 221, 221)
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 92, 34, 44  # between the panel's sides and what is plotted
_RADIUS = 4
_DASH = 6

Range = Tuple[float, float]


def canvas(panels: int) -> Image.Image:
    """White paper for so many panels beside each other."""
    return Image.new('RGB', (WIDTH * panels, HEIGHT), (255, 255, 255))


class Panel:
    """One plot of several beside each other; what is drawn is placed by its values."""

    def __init__(self, paper: Image.Image, number: int, x: Sequence[float], y: Sequence[float]) -> None:
        """Draws the axes.

        Args:
            paper: a `canvas`.
            number: of the panel, from 0 at the left.
            x, y: values that are to fit in.
        """
        self._draw = ImageDraw.Draw(paper)
        self._left = number * WIDTH
        self._x, self._y = _range(x), _range(y)
        for tick in _ticks(self._y):
            self._draw.line([self._place(end, tick) for end in self._x], _FAINT if tick == 0 else _GRID)
            self._write((self._left + _LEFT - 8, self._place(0, tick)[1]), f'{tick:g}', _FAINT, align='right')
        for tick in _ticks(self._x):
            self._write((self._place(tick, 0)[0], HEIGHT - _BOTTOM + 10), f'{tick:g}', _FAINT, align='middle')

    def title(self, above: str, below: str) -> None:
        """A heading, and what lies across and up."""
        self._write((self._left + _LEFT, 14), above, INK, align='left')
        self._write((self._left + _LEFT, HEIGHT - 16), below, _FAINT, align='left')

    def point(self, x: float, y: float, colour: Colour) -> None:
        """A disc."""
        across, down = self._place(x, y)
        self._draw.ellipse([across - _RADIUS, down - _RADIUS, across + _RADIUS, down + _RADIUS], colour, INK)

    def level(self, y: float, name: str, dashed: bool) -> None:
        """A line from side to side, and its name beside it."""
        (start, height), (end, _) = (self._place(x, y) for x in self._x)
        dashes = np.arange(start, end, 2 * _DASH) if dashed else [start]
        for x in dashes:
            self._draw.line([(x, height), (min(x + _DASH, end) if dashed else end, height)], BLUE, width=2 - dashed)
        self._write((end + 6, height), name, BLUE, align='left')

    def curve(self, x: Sequence[float], y: Sequence[float], name: str, colour: Colour) -> None:
        """A line through points, and its name beside the last."""
        places = [self._place(*point) for point in zip(x, y)]
        self._draw.line(places, colour, width=2)
        self._write((self._left + WIDTH - _RIGHT + 6, places[-1][1]), name, colour, align='left')

    def _place(self, x: float, y: float) -> Tuple[float, float]:
        across, up = (x - self._x[0]) / np.ptp(self._x), (y - self._y[0]) / np.ptp(self._y)
        right, bottom = self._left + WIDTH - _RIGHT, HEIGHT - _BOTTOM
        return self._left + _LEFT + across * (right - self._left - _LEFT), bottom - up * (bottom - _TOP)

    def _write(self, at: Tuple[float, float], text: str, colour: Colour, align: str) -> None:
        """A line of text, `at` the middle of its height."""
        width = self._draw.textlength(text)
        x = at[0] - {'left': 0, 'middle': width / 2, 'right': width}[align]
        self._draw.text((x, at[1] - 6), text, fill=colour)


def _range(values: Sequence[float]) -> Range:
    """From the least to the greatest, and a tenth of that to either side; not empty."""
    least, greatest = min(values), max(values)
    edge = 0.1 * (greatest - least) or 1
    return least - edge, greatest + edge


def _ticks(ends: Range) -> List[float]:
    """Round numbers within, four to nine of them."""
    span = ends[1] - ends[0]
    power = 10 ** np.floor(np.log10(span))
    step = next(step for step in (power, power / 2, power / 5, power / 10) if span / step >= 4)
    return [number * step for number in range(int(np.ceil(ends[0] / step)), int(np.floor(ends[1] / step)) + 1)]
