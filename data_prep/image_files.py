"""One PNG, JPEG or TIFF file -> pixels."""

import contextlib
import functools
import io
import os
import warnings
from typing import Callable, Iterator, NamedTuple, Optional

from lvseg.errors import LabError
from lvseg.manifest import Spacing

import numpy as np
from PIL import Image

from data_prep import labels
from data_prep.slices import LIBRARY_ERRORS, MAX_SIDE, Picture

LOSSY_EXTENSIONS = ('.jpg', '.jpeg')

_LOSSY_TIFF = ('jpeg', 'tiff_jpeg', 'webp')
_HALF = 128
_AREA = 5  # Pixels a side; noise of JPEG is not flat over so many.

_INCH = 25.4  # mm
# Smaller pixels, of more than 63 an inch, are no scanner's: 256 of them would be less than 10 cm, which no short-axis
# slice is. They are the 72, 96, 100 or 300 an inch that programs write of screens and printers if not told otherwise.
_MIN_SPACING, _MAX_SPACING = 0.4, 10  # mm


class _Decoded(NamedTuple):
    channels: np.ndarray  # integer [height, width, 1 or 3]
    lossy: bool  # JPEG has been at work.
    spacing: Optional[Spacing]


def read_image(data: bytes) -> Picture:
    """Decodes a grey picture, or a colour one whose three channels are equal.

    Returns:
        Pixels int64 [height, width], as stored. The spacing is what PNG's pHYs or TIFF's resolution tells, where that
        can be a scanner's: from 0.4 to 10 mm; else None.

    Raises:
        LabError: damaged, several frames, transparent, real colour, fractions, or too large.
    """
    channels, _, spacing = _decode(data)
    if (channels != channels[..., :1]).any():
        raise LabError('is in colour; MRI is grey: save it as a grey picture')
    return Picture(channels[..., 0].astype(np.int64), eight_bit=channels.dtype == np.uint8, spacing=spacing)


def read_mask(data: bytes, label: Optional[int] = None) -> np.ndarray:
    """Decodes a mask: uint8 [height, width], 1 where a pixel has the label; with None, where a channel is not 0.

    Raises:
        LabError: as `read_labels`.
    """
    return labels.mask_of(read_labels(data), label)


def read_labels(data: bytes) -> np.ndarray:
    """Decodes a mask: int64 [height, width], the label of each pixel, which may be a colour.

    JPEG's compression leaves noise around edges, so there a channel counts as 255 from half, 128, on, and as 0 below.

    Raises:
        LabError: as `read_image`, but for colour; and a JPEG of values below half only, which may be noise or labels,
            or of areas of several greys.
    """
    channels, lossy, _ = _decode(data)
    if not lossy:
        return labels.of_channels(channels)
    if 0 < channels.max() < _HALF:
        raise LabError('is a JPEG whose values are all below 128: labels and noise look alike; save it as PNG')
    if any(_has_several_levels(channels[..., channel]) for channel in range(channels.shape[-1])):
        raise LabError('is a JPEG with areas of several greys, which may be labels; save it as PNG')
    return labels.of_channels((channels >= _HALF) * np.uint8(255))


def _has_several_levels(channel: np.ndarray) -> bool:
    """Whether areas that are flat, as edges and the noise around them are not, differ by much, black ones aside."""
    if min(channel.shape) < _AREA:
        return False
    lowest, highest = (_over_areas(extreme, channel) for extreme in (np.minimum, np.maximum))
    levels = lowest[(highest - lowest < 32) & (lowest >= 32)]
    return levels.size > 0 and levels.max() - levels.min() > 64


def _over_areas(extreme: Callable, values: np.ndarray) -> np.ndarray:
    """The smallest or largest value of every square of _AREA x _AREA pixels."""
    for _ in (0, 1):
        shifted = (values[start : len(values) - _AREA + 1 + start] for start in range(_AREA))
        values = functools.reduce(extreme, shifted).T
    return values


def _decode(data: bytes) -> _Decoded:
    with warnings.catch_warnings(), _silent_libraries():
        warnings.simplefilter('ignore')
        try:
            image = Image.open(io.BytesIO(data), formats=('PNG', 'JPEG', 'TIFF'))
        except LIBRARY_ERRORS:
            raise LabError('is no PNG, JPEG or TIFF picture, or a damaged one') from None
        if max(image.size) > MAX_SIDE:
            raise LabError(f'has {image.width} x {image.height} pixels; up to {MAX_SIDE} x {MAX_SIDE} are read')
        try:
            channels = _channels(image)
            lossy = image.format == 'JPEG' or image.info.get('compression') in _LOSSY_TIFF
            return _Decoded(channels, lossy, _spacing(image))
        except LIBRARY_ERRORS:
            raise LabError('is damaged or cut off, or of a kind that is not read here') from None


def _channels(image: Image.Image) -> np.ndarray:
    if _has_second_frame(image):
        raise LabError('has several frames; one is wanted')
    is_16_bit = ';16' in str(image.tile)  # Known before loading only.
    image.load()  # An error inside np.asarray would get lost, and give an array of one object.
    if image.mode.startswith('I'):  # 16 or 32 bits
        return np.atleast_3d(np.asarray(image))
    if image.mode in ('1', 'L'):
        return np.atleast_3d(np.asarray(image.convert('L')))
    if image.mode not in ('P', 'LA', 'PA', 'RGB', 'RGBA', 'RGBX', 'YCbCr'):
        raise LabError(f'has pixels of a kind that is not read here ({image.mode}); save it as grey, 8 or 16 bits')
    if is_16_bit:
        raise LabError('is in colour of 16 bits, of which Pillow drops 8; save it as grey')
    rgba = np.asarray(image.convert('RGBA'))
    if rgba[..., 3].min() < 255:
        raise LabError('has transparent pixels; save it without transparency')
    return rgba[..., :3]


def _spacing(image: Image.Image) -> Optional[Spacing]:
    """Where the unit is a metre, a centimetre or an inch, Pillow makes dots an inch of it."""
    if image.format not in ('PNG', 'TIFF') or 'dpi' not in image.info:
        return None
    try:
        columns, rows = (_INCH / float(dots) for dots in image.info['dpi'])
    except LIBRARY_ERRORS:
        return None
    is_sensible = all(_MIN_SPACING <= value <= _MAX_SPACING for value in (rows, columns))  # NaN is not.
    return Spacing(rows, columns) if is_sensible else None


def _has_second_frame(image: Image.Image) -> bool:
    try:
        image.seek(1)
    except EOFError:
        image.seek(0)
        return False
    return True


@contextlib.contextmanager
def _silent_libraries() -> Iterator[None]:
    """libtiff, written in C, prints what it thinks of a damaged file past Python's sys.stderr."""
    terminal = os.dup(2)
    with open(os.devnull, 'wb') as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
