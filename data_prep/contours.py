"""An expert's contour file -> mask."""

import codecs
import re

from lvseg.errors import LabError
from lvseg.layout import SIZE

import numpy as np
from PIL import Image, ImageDraw

# Contour files count pixels from one: on the three real patients at hand the border between blood and muscle lies one
# pixel left of and above the contours' numbers, if the first pixel's centre is called 0.
FIRST_PIXEL = 1

# Not float(): that takes 'nan', 'inf', '1_0' and the digits of other scripts.
_NUMBER = r'[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?'
_POINT = re.compile(rf'\s*({_NUMBER})(?:\s*[,;]\s*|\s+)({_NUMBER})\s*')

_MAX_BYTES = 2**20  # The published ones have up to 5 kB.


def read_mask(data: bytes) -> np.ndarray:
    """Fills a contour.

    Args:
        data: text (read_points).

    Returns:
        uint8 [256, 256], 1 inside the contour and on it. That equals the masks that SegNetCMR published of the
        Sunnybrook data, which Pillow's polygon with outline made, pixel for pixel; so, as there, the points are filled
        as if counted from zero. A mask thus lies right of and below what the expert outlined, by one pixel where the
        points are whole numbers and half a pixel where they are halves, which Pillow rounds down. And with its outline
        it is larger: by 5.4 % of the polygon's area on the 56 real contours at hand. To measure areas, or to write a
        contour of a mask, begin with the points and `FIRST_PIXEL`.

    Raises:
        LabError: as read_points.
    """
    canvas = Image.new('L', (SIZE, SIZE), 0)
    ImageDraw.Draw(canvas).polygon([(x, y) for x, y in read_points(data).tolist()], fill=1, outline=1)
    return np.array(canvas)


def read_points(data: bytes) -> np.ndarray:
    """Reads a contour.

    Args:
        data: text, one point `x y` a line. Between the two may be spaces, a tab, a comma or a semicolon.

    Returns:
        float64 [points, 2], x to the right and y down, in pixels of the 256 x 256 image counted from one.

    Raises:
        LabError: too large, no text, a line that is no point, fewer than three points, no area, or a point outside
            the image.
    """
    if len(data) > _MAX_BYTES:
        raise LabError(f'has {len(data)} bytes, far more than a contour needs')
    points = _points(_text(data))
    if len(points) < 3:
        raise LabError(f'has {len(points)} of the three or more points that a contour needs')
    if points.min() < 0 or points.max() > SIZE:
        raise LabError(f'has points outside the image, whose x and y go from 0 to {SIZE}')
    if np.linalg.matrix_rank(points - points[0]) < 2:
        raise LabError('encloses nothing: all its points lie on one line')
    return points


def _text(data: bytes) -> str:
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # What Windows' Notepad calls Unicode.
    try:
        return data.decode('utf-16' if utf16 else 'utf-8-sig')
    except UnicodeDecodeError:
        raise LabError('is not a text file') from None


def _points(text: str) -> np.ndarray:
    points = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        match = _POINT.fullmatch(line)
        if not match:
            raise LabError(f'line {number} is not a point: two numbers "x y" are wanted')
        points.append((float(match.group(1)), float(match.group(2))))
    return np.array(points, dtype=np.float64).reshape(-1, 2)
