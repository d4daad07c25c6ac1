"""The few shapes that the guide's figures are made of, as drawsvg writes them."""

from typing import Sequence, Tuple

import drawsvg

INK, FAINT = '#222222', '#767676'

Point = Tuple[float, float]


class Svg:
    """A drawing on white, so that it can be read where the page is dark. Units are pixels; y points down."""

    def __init__(self, width: float, height: float) -> None:
        self._drawing = drawsvg.Drawing(*_rounded(width, height), font_family='sans-serif')
        # Without a size of its own, a drawing is as wide as the page that it stands in.
        self._drawing.svg_args.update(width=None, height=None)
        self.rect(0, 0, width, height, 'white', edge='none')

    def rect(self, x: float, y: float, width: float, height: float, fill: str, edge: str = INK, **more: str) -> None:
        """A rectangle, from its upper left corner."""
        x, y, width, height = _rounded(x, y, width, height)
        self._drawing.append(drawsvg.Rectangle(x, y, width, height, fill=fill, stroke=edge, **more))

    def circle(self, x: float, y: float, radius: float, fill: str, edge: str, **more: str) -> None:
        """A circle around a point."""
        self._drawing.append(drawsvg.Circle(*_rounded(x, y, radius), fill=fill, stroke=edge, **more))

    def polygon(self, points: Sequence[Point], fill: str) -> None:
        """A closed polygon."""
        self._drawing.append(drawsvg.Lines(*_flat(points), close=True, fill=fill, stroke=INK))

    def line(self, points: Sequence[Point], colour: str = INK, width: float = 1) -> None:
        """An open line through points."""
        self._drawing.append(drawsvg.Lines(*_flat(points), fill='none', stroke=colour, stroke_width=width))

    def arrow(self, x: float, y: float, length: float) -> None:
        """An arrow to the right."""
        self.line([(x, y), (x + length, y)], FAINT, 1.5)
        self.line([(x + length - 6, y - 4), (x + length, y), (x + length - 6, y + 4)], FAINT, 1.5)

    def text(self, x: float, y: float, text: str, size: float = 13, anchor: str = 'middle', **more: str) -> None:
        """A line of text on the base line y."""
        self._drawing.append(drawsvg.Text(text, size, *_rounded(x, y), text_anchor=anchor, **more))

    def text_of_file(self) -> str:
        """The whole drawing as the text of an SVG file."""
        return f'{self._drawing.as_svg()}\n'


def _flat(points: Sequence[Point]) -> Sequence[float]:
    return _rounded(*(value for point in points for value in point))


def _rounded(*values: float) -> Sequence[float]:
    """To hundredths of a pixel, which are finer than anyone sees."""
    return [round(float(value), 2) for value in values]
