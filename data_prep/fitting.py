"""Pictures of any size and pixel spacing -> 256 x 256 pixels."""

import math
from typing import Dict, List, NamedTuple, Optional, Tuple

from lvseg.errors import LabError
from lvseg.layout import SIZE
from lvseg.manifest import Spacing

import numpy as np
from PIL import Image

from data_prep.slices import Pair, counted

FITS = ('centre', 'resize')
CHANGES = RESIZED, RESAMPLED, PADDED, CROPPED, CUT = (
    'resized',
    'resampled',
    'padded',
    'cropped',
    'with part of the ventricle cut off',
)

# Spacings this near to each other count as one: 256 pixels then differ by a quarter of a pixel. PNG's whole pixels a
# metre make 1.4 mm 1.40056.
_SAME_SPACING = 0.001

# Where an outline runs through the very middle of pixels, those on both sides of a mask are equal. Moved a little, it
# takes in those on one side, as rasterisers do.
_OFF_THE_MIDDLE = 0.001  # pixels


class _Span(NamedTuple):
    """What of one axis of a picture becomes how many pixels."""

    start: float  # In pixels of the picture, 0 at its edge; below 0 where it is a little short of a whole pixel.
    end: float
    count: int


def fitted(
    pixels: np.ndarray,
    mask: np.ndarray,
    spacing: Optional[Spacing],
    fit: str,
    wanted_spacing: Optional[float],
    allow_cropped: bool,
) -> Pair:
    """Brings a picture and its mask to 256 x 256 pixels.

    Args:
        pixels: integer [height, width].
        mask: uint8 [height, width] of 0 and 1.
        spacing: of these pixels; None where it is not known.
        fit: 'centre' pads with 0 or crops, alike on both sides; 'resize' stretches or shrinks, the image smoothly, the
            mask by nearest neighbour. With a wanted spacing it is 'centre'.
        wanted_spacing: mm, of rows and columns: the picture is resampled to it first, the image linearly, with a
            low-pass where it shrinks, and the mask by its outline, so that its area in square mm stays. None: not so.
        allow_cropped: whether cropping may cut off pixels of the mask.

    Returns:
        The pair, with the spacing of its 256 x 256 pixels, and what was done to it: RESIZED, RESAMPLED, PADDED,
        CROPPED, CUT.

    Raises:
        LabError: the spacing is wanted and not known; or cropping cuts off pixels of the mask and is not allowed to.
    """
    if wanted_spacing is not None and spacing is None:
        raise LabError('does not tell its pixel spacing, which --spacing needs; tell it with --pixel_size, in mm')
    if wanted_spacing is not None and not _is(spacing, wanted_spacing):
        return _resampled(pixels, mask, spacing, wanted_spacing, allow_cropped)
    if pixels.shape == (SIZE, SIZE):
        return Pair(pixels, mask, spacing)
    if fit == 'resize' and wanted_spacing is None:
        return Pair(_resize(pixels), _resize_mask(mask), _resize_spacing(spacing, pixels.shape), (RESIZED,))
    small = centred(mask)
    changes = _changes(pixels.shape) + _cut(mask, int(small.sum()), allow_cropped)
    return Pair(centred(pixels), small, spacing, changes)


def centred(array: np.ndarray) -> np.ndarray:
    """Pads with 0 or crops [height, width] to [256, 256], alike on both sides."""
    for axis in (0, 1):
        excess = array.shape[axis] - SIZE
        if excess > 0:
            array = array.take(range(excess // 2, excess // 2 + SIZE), axis=axis)
        elif excess < 0:
            padding = [(0, 0), (0, 0)]
            padding[axis] = (-excess // 2, -excess - -excess // 2)
            array = np.pad(array, padding, 'constant')
    return array


def uncentred(array: np.ndarray, shape: Tuple[int, int]) -> np.ndarray:
    """Puts [256, 256] back to where `centred` took it from: [height, width], 0 where that was cropped."""
    for axis in (0, 1):
        excess = shape[axis] - SIZE
        if excess > 0:
            padding = [(0, 0), (0, 0)]
            padding[axis] = (excess // 2, excess - excess // 2)
            array = np.pad(array, padding, 'constant')
        elif excess < 0:
            array = array.take(range(-excess // 2, -excess // 2 + shape[axis]), axis=axis)
    return array


def told(changes: Dict[str, int]) -> List[str]:
    """A line that says how many slices had what done to them; none where none had."""
    counts = [f'{counted(changes[what], "slice")} {what}' for what in CHANGES if changes.get(what)]
    return [f'To come to {SIZE} x {SIZE} pixels: {", ".join(counts)}.'] if counts else []


def _is(spacing: Spacing, wanted: float) -> bool:
    return all(abs(value / wanted - 1) < _SAME_SPACING for value in spacing)


def _changes(shape: Tuple[int, int]) -> Tuple[str, ...]:
    return (PADDED,) * (min(shape) < SIZE) + (CROPPED,) * (max(shape) > SIZE)


def _cut(mask: np.ndarray, left: int, allow_cropped: bool) -> Tuple[str, ...]:
    before = int(mask.sum())
    if left == before:
        return ()
    if allow_cropped:
        return (CUT,)
    raise LabError(
        f'would lose {before - left} of the {before} pixels of its ventricle, cropped to {SIZE} x {SIZE}; '
        'shrink it with --fit resize or a larger --spacing, or allow it with --allow_cropped'
    )


def _resampled(pixels: np.ndarray, mask: np.ndarray, spacing: Spacing, wanted: float, allow_cropped: bool) -> Pair:
    sizes = [length * step / wanted for length, step in zip(pixels.shape, spacing)]
    spans = [_span(length, size) for length, size in zip(pixels.shape, sizes)]
    whole = tuple(math.ceil(size - _SAME_SPACING) for size in sizes)
    left = int(mask[tuple(map(_middles, spans))].sum())
    changes = (RESAMPLED, *_changes(whole), *_cut(mask, left, allow_cropped))

    image = _sample(pixels, spans, 'edge', 0)
    share = _sample(mask, spans, 'constant', _OFF_THE_MIDDLE)
    return Pair(
        centred(np.rint(image).astype(np.int64)),
        centred(outlined(share)),
        Spacing(wanted, wanted),
        changes,
    )


def _span(length: int, size: float) -> _Span:
    """`size`: how many of the wanted pixels the whole length is."""
    count = max(1, min(SIZE, math.ceil(size - _SAME_SPACING)))
    extent = count * length / size
    return _Span((length - extent) / 2, (length + extent) / 2, count)


def _middles(span: _Span) -> slice:
    """The pixels whose middles lie in it."""
    return slice(max(0, math.ceil(span.start - 0.5)), math.ceil(span.end - 0.5))


def outlined(share: np.ndarray) -> np.ndarray:
    """The pixels of the largest share, as many as make up the area: about those from a half on.

    From exactly a half on, single ventricles would lose or gain up to 4 % where their steps fall badly on the grid.

    Args:
        share: float [height, width], how much of each pixel is in.

    Returns:
        uint8 [height, width], 0 and 1.
    """
    largest_first = np.argsort(-share, axis=None, kind='stable')
    mask = np.zeros(share.shape, np.uint8)
    mask.flat[largest_first[: int(np.rint(share.sum(dtype=np.float64)))]] = 1
    return mask


def _sample(array: np.ndarray, spans: List[_Span], beyond: str, offset: float) -> np.ndarray:
    """Linearly; Pillow widens its filter where it shrinks. `beyond`: how np.pad goes on beyond the edges."""
    margins = [math.ceil(max(0, -span.start)) + 1 for span in spans]
    padded = np.pad(array.astype(np.float32), [(margin, margin) for margin in margins], beyond)
    (top, bottom), (left, right) = (
        (span.start + margin + offset, span.end + margin + offset) for span, margin in zip(spans, margins)
    )
    rows, columns = (span.count for span in spans)
    smooth = Image.fromarray(padded).resize((columns, rows), Image.BILINEAR, box=(left, top, right, bottom))
    return np.asarray(smooth)


def _resize(pixels: np.ndarray) -> np.ndarray:
    smooth = Image.fromarray(pixels.astype(np.float32)).resize((SIZE, SIZE), Image.BILINEAR)
    return np.rint(np.asarray(smooth)).astype(np.int64)


def _resize_mask(mask: np.ndarray) -> np.ndarray:
    return np.array(Image.fromarray(mask).resize((SIZE, SIZE), Image.NEAREST))


def _resize_spacing(spacing: Optional[Spacing], shape: Tuple[int, int]) -> Optional[Spacing]:
    """The field of view stays as it is; so the fewer the pixels, the larger they are."""
    return spacing and Spacing(spacing.rows * shape[0] / SIZE, spacing.columns * shape[1] / SIZE)
