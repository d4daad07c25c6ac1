"""Slices as pictures, with the expert's contour and the network's over them: for TensorBoard, show.py and the guide."""

import io
from typing import List, NamedTuple, Optional, Tuple

from lvseg.distances import contour
from lvseg.errors import one_line

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Colour = Tuple[int, int, int]

# From a palette made so that colour-blind people can tell its colours apart: M. Okabe and K. Ito, Color Universal
# Design, 2008, https://jfly.uni-koeln.de/color/
ORANGE: Colour = (230, 159, 0)
SKY_BLUE: Colour = (86, 180, 233)
EXPERT = ORANGE
NETWORK = SKY_BLUE

TEXT: Colour = (255, 255, 255)

# Text with its colour.
Word = Tuple[str, Colour]

# What the lines' colours mean, to stand beside a picture.
NETWORK_ALONE: Word = ('network', NETWORK)  # Where no expert was asked.
LEGEND: Tuple[Word, Word] = (('expert', EXPERT), NETWORK_ALONE)

# MRI has few very bright pixels (fat near the coil); were they white, the heart would be dark.
_WHITEST_PERCENTILE = 98

_LINE = 2  # pixels
_DASH = 6  # pixels, where the two lines coincide

_GAP = 8  # pixels, in a grid
_TEXT_HEIGHT = 14
# Of letters that are wholly white; from Pillow 10.1 on, the default is another font, whose edges are grey.
_FONT = getattr(ImageFont, 'load_default_imagefont', ImageFont.load_default)()


class Slice(NamedTuple):
    """What one picture shows."""

    image: np.ndarray  # float or integer [height, width], in any unit
    label: Optional[np.ndarray]  # integer [height, width], 1 in the left ventricle; None where no expert was asked
    prediction: np.ndarray  # integer [height, width]


def drawing(piece: Slice, size: int) -> np.ndarray:
    """The slice in grey, with a line around the expert's area and one around the network's.

    Where the two lines coincide, dashes of the two colours take turns.

    Args:
        size: of the drawing's longer side, in pixels.

    Returns:
        uint8 [height, width, 3]
    """
    grey = _scaled(Image.fromarray(_grey(piece.image)), size, Image.BICUBIC)
    colours = np.repeat(grey[..., np.newaxis], 3, axis=2)
    network = _line(piece.prediction, size)
    colours[network] = NETWORK
    if piece.label is None:
        return colours
    expert = _line(piece.label, size)
    rows, columns = np.indices(expert.shape)
    other_dash = (rows + columns) // _DASH % 2 == 1
    colours[expert & ~(network & other_dash)] = EXPERT
    return colours


def tile(piece: Slice, words: List[Word], size: int) -> Image.Image:
    """The drawing with a line of words below."""
    return captioned(Image.fromarray(drawing(piece, size)), words)


def captioned(picture: Image.Image, words: List[Word]) -> Image.Image:
    """A picture with a line of words below."""
    canvas = Image.new('RGB', (picture.width, picture.height + _TEXT_HEIGHT))
    canvas.paste(picture)
    _write(canvas, (2, picture.height + 1), words)
    return canvas


def grid(tiles: List[Image.Image], words: List[Word], columns: int) -> Image.Image:
    """Pictures of one size, row by row, below a line of words.

    Args:
        columns: how many stand side by side, if there are so many.
    """
    width, height = (side + _GAP for side in tiles[0].size)
    columns = min(columns, len(tiles))
    top = _TEXT_HEIGHT + 2 * _GAP
    canvas = Image.new('RGB', (columns * width + _GAP, top + -(-len(tiles) // columns) * height))
    _write(canvas, (_GAP, _GAP), words)
    for number, picture in enumerate(tiles):
        row, column = divmod(number, columns)
        canvas.paste(picture, (_GAP + column * width, top + row * height))
    return canvas


def png(picture: Image.Image) -> bytes:
    """The picture as a PNG file of 256 colours: a third of the size, and no difference to the eye."""
    file = io.BytesIO()
    picture.quantize(256, Image.MEDIANCUT, dither=Image.NONE).save(file, 'PNG')
    return file.getvalue()


def _write(canvas: Image.Image, position: Tuple[int, int], words: List[Word]) -> None:
    draw = ImageDraw.Draw(canvas)
    x, y = position
    for word, colour in words:
        word = one_line(word).encode('latin-1', 'replace').decode('latin-1')  # The font has no other letters.
        draw.text((x, y), word, fill=colour, font=_FONT)
        x += draw.textlength(word, font=_FONT) + _GAP


def _grey(image: np.ndarray) -> np.ndarray:
    """Pixels stretched to 0 to 255, uint8."""
    darkest, whitest = image.min(), np.percentile(image, _WHITEST_PERCENTILE)
    span = max(whitest - darkest, np.finfo(np.float32).tiny)
    return np.rint(np.clip((image - darkest) / span, 0, 1) * 255).astype(np.uint8)


def _line(mask: np.ndarray, size: int) -> np.ndarray:
    return contour(_scaled(Image.fromarray(mask.astype(np.uint8)), size, Image.NEAREST), _LINE)


def _scaled(picture: Image.Image, size: int, method: int) -> np.ndarray:
    factor = size / max(picture.size)
    return np.asarray(picture.resize([round(side * factor) for side in picture.size], method))
