"""The part of each image that is looked at: a square around the heart, the same in all images of a stack."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from study.segmenting import Segmented

# How much wider the square is than all outlines together: with the right ventricle in it, one knows where one is.
_AROUND = 1.7

# MRI has few very bright pixels (fat near the coil); were they white, the heart would be dark.
_DARKEST_PERCENTILE, _WHITEST_PERCENTILE = 1, 99.5


class Window(NamedTuple):
    """A part of an image that is square in millimetres; in pixels, from the corner of the first one."""

    left: float
    top: float
    width: float
    height: float


def window(segmented: Segmented) -> Window:
    """The square around all outlines; where there is none, or no room, the largest in the middle of the image."""
    spacing = np.array([segmented.stack.images[0][0].spacing.columns, segmented.stack.images[0][0].spacing.rows])
    whole = np.array(segmented.pixels.shape[:1:-1]) * spacing
    points = np.concatenate([points for of_slice in segmented.outlines for points in of_slice])
    if not len(points):
        return _square(whole / 2, whole.min(), whole, spacing)
    first, last = (points.min(axis=0) + 0.5) * spacing, (points.max(axis=0) + 0.5) * spacing
    return _square((first + last) / 2, _AROUND * (last - first).max(), whole, spacing)


def _square(centre: np.ndarray, side: float, whole: np.ndarray, spacing: np.ndarray) -> Window:
    """Of that side or the largest that there is room for, around the centre or as near to it as the image reaches."""
    side = min(side, whole.min())
    corner = np.clip(centre - side / 2, 0, whole - side)
    return Window(*(float(number) for number in (*corner / spacing, *side / spacing)))


def greys(segmented: Segmented, seen: Window, number: int, size: int) -> np.ndarray:
    """All phases of a slice in one scale of grey, so that nothing flickers: uint8 [phases, size, size]."""
    pixels = segmented.pixels[number].astype(np.float32)
    box = (seen.left, seen.top, seen.left + seen.width, seen.top + seen.height)
    cut = np.array([np.asarray(Image.fromarray(image).resize((size, size), Image.BICUBIC, box)) for image in pixels])
    darkest, whitest = np.percentile(cut, (_DARKEST_PERCENTILE, _WHITEST_PERCENTILE))
    span = max(whitest - darkest, 1)  # The scanner's numbers are whole.
    return np.rint(np.clip((cut - darkest) / span, 0, 1) * 255).astype(np.uint8)


def outline(segmented: Segmented, seen: Window, number: int, phase: int, size: int) -> np.ndarray:
    """The outline in such a picture: float64 [points, 2], x and y in pixels, from the picture's corner."""
    points = segmented.outlines[number][phase]
    return (points + 0.5 - (seen.left, seen.top)) * (size / seen.width, size / seen.height)
