"""One PNG, JPEG or TIFF file -> pixels."""

import contextlib
import io
import os
import warnings
from typing import Iterator, Tuple

from lvseg.errors import LabError

import numpy as np
from PIL import Image

from data_prep.slices import LIBRARY_ERRORS, MAX_SIDE, Picture

LOSSY_EXTENSIONS = ('.jpg', '.jpeg')

_LOSSY_TIFF = ('jpeg', 'tiff_jpeg', 'webp')
_HALF = 128


def read_image(data: bytes) -> Picture:
    """Decodes a grey picture, or a colour one whose three channels are equal.

    Returns:
        Pixels int64 [height, width], as stored.

    Raises:
        LabError: damaged, several frames, transparent, real colour, fractions, or too large.
    """
    channels, _ = _decode(data)
    if (channels != channels[..., :1]).any():
        raise LabError('is in colour; MRI is grey: save it as a grey picture')
    return Picture(channels[..., 0].astype(np.int64), eight_bit=channels.dtype == np.uint8)


def read_mask(data: bytes) -> np.ndarray:
    """Decodes a mask: uint8 [height, width], 1 where a channel is not 0.

    JPEG's compression leaves noise around edges, so there a channel counts from half, 128 of 255, on.

    Raises:
        LabError: as `read_image`, but for colour; and a JPEG of values below half only, which may be noise or labels.
    """
    channels, lossy = _decode(data)
    values = channels.max(axis=-1)
    if not lossy:
        return (values != 0).astype(np.uint8)
    if 0 < values.max() < _HALF:
        raise LabError('is a JPEG whose values are all below 128: labels and noise look alike; save it as PNG')
    return (values >= _HALF).astype(np.uint8)


def _decode(data: bytes) -> Tuple[np.ndarray, bool]:
    """Returns the channels, integer [height, width, 1 or 3], and whether JPEG has been at work."""
    with warnings.catch_warnings(), _silent_libraries():
        warnings.simplefilter('ignore')
        try:
            image = Image.open(io.BytesIO(data), formats=('PNG', 'JPEG', 'TIFF'))
        except LIBRARY_ERRORS:
            raise LabError('is no PNG, JPEG or TIFF picture, or a damaged one') from None
        if max(image.size) > MAX_SIDE:
            raise LabError(f'has {image.width} x {image.height} pixels; up to {MAX_SIDE} x {MAX_SIDE} are read')
        try:
            return _channels(image), image.format == 'JPEG' or image.info.get('compression') in _LOSSY_TIFF
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
