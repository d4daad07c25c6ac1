"""One DICOM file -> pixels. Names, birth dates and identifiers in the file are never read.

Messages quote no value of the file: where a damaged or mislabelled file has a number, a name may stand.
"""

import contextlib
import io
import warnings
from typing import Any, Iterator, NamedTuple, Optional

from lvseg.errors import LabError
from lvseg.manifest import Spacing

import numpy as np
import pydicom
from pydicom import filereader, uid
from pydicom.dataset import FileDataset
from pydicom.sequence import Sequence

from data_prep import labels
from data_prep.slices import LIBRARY_ERRORS, MAX_SIDE, Picture

MAGIC = b'DICM'  # After a preamble of 128 bytes.
MAGIC_AT = 128

_TAGS = [
    'SamplesPerPixel',
    'PhotometricInterpretation',
    'PlanarConfiguration',
    'NumberOfFrames',
    'Rows',
    'Columns',
    'BitsAllocated',
    'BitsStored',
    'HighBit',
    'PixelRepresentation',
    'RescaleIntercept',
    'RescaleSlope',
    'PixelSpacing',
    'PixelData',
]
_LOSSY = (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLSNearLossless, uid.JPEG2000, uid.JPEG2000MC)
_MAX_VALUE = 2**32  # Of a pixel after rescaling; more is a damaged slope.
_MIN_SPACING, _MAX_SPACING = 0.01, 10  # mm; with others, 256 pixels are no picture of a heart.

_DEEPEST_NESTING = 32  # Sequences within sequences; those of real headers are some five deep.


class _Stored(NamedTuple):
    pixels: np.ndarray  # int64 [rows, columns], before rescaling
    bits: int
    dataset: FileDataset


def is_dicom(path: str) -> bool:
    """Whether a file begins as a DICOM file does; they often come without an extension."""
    try:
        with open(path, 'rb') as file:
            return file.read(MAGIC_AT + len(MAGIC)).endswith(MAGIC)
    except OSError:
        return False


@contextlib.contextmanager
def nesting_bounded() -> Iterator[None]:
    """pydicom reads a sequence within a sequence by recursion; of 20,000 of them, Python 3.7 dies."""
    read_sequence, depth = filereader.read_sequence, 0

    def read_bounded(*args: Any, **kwargs: Any) -> Sequence:  # noqa: ANN401 - as pydicom calls it
        nonlocal depth
        if depth == _DEEPEST_NESTING:
            raise LabError(f'has sequences within sequences, more than {_DEEPEST_NESTING} deep')
        depth += 1
        try:
            return read_sequence(*args, **kwargs)
        finally:
            depth -= 1

    filereader.read_sequence = read_bounded
    try:
        yield
    finally:
        filereader.read_sequence = read_sequence


@nesting_bounded()
def read_image(data: bytes) -> Picture:
    """Decodes one grey single-frame image.

    Args:
        data: content of a DICOM file.

    Returns:
        Pixels int64 [rows, columns], with RescaleSlope and RescaleIntercept applied and rounded (PS3.3 C.11.1), and
        MONOCHROME1, where 0 is white, turned round to be like MONOCHROME2 with its smallest pixel 0. `eight_bit` is
        true of stored values of up to 8 bits that no rescaling has changed. The spacing is PixelSpacing (PS3.3
        10.7.1.1), or None where there is none, or none from 0.01 to 10 mm: pixels can be read without it.

    Raises:
        LabError: not DICOM, damaged, no pixels, compressed in a way unknown here, colour, several frames, too large,
            sequences nested too deeply.
    """
    pixels, bits, dataset = _decode(data)
    slope = _number(dataset, 'RescaleSlope', 1)
    intercept = _number(dataset, 'RescaleIntercept', 0)
    if slope == 0 or not abs(slope) * float(np.abs(pixels).max()) + abs(intercept) < _MAX_VALUE:  # Nor if it is NaN.
        raise LabError('has a RescaleSlope or RescaleIntercept out of range')
    rescaled = (slope, intercept) != (1, 0)
    if rescaled:
        pixels = np.rint(pixels * slope + intercept).astype(np.int64)
    if _photometric(dataset) == 'MONOCHROME1':
        pixels = pixels.max() - pixels
    return Picture(pixels, eight_bit=bits <= 8 and not rescaled, spacing=_spacing(dataset))


def read_mask(data: bytes, label: Optional[int] = None) -> np.ndarray:
    """Decodes a mask: uint8 [rows, columns], 1 where the stored pixel is the label; with None, where it is not 0.

    Raises:
        LabError: as `read_labels`.
    """
    return labels.mask_of(read_labels(data), label)


@nesting_bounded()
def read_labels(data: bytes) -> np.ndarray:
    """Decodes a mask: int64 [rows, columns], stored pixels, whatever the rescaling.

    Raises:
        LabError: as `read_image`; and lossy compression, whose noise is not 0 either.
    """
    pixels, _, dataset = _decode(data)
    if dataset.file_meta.TransferSyntaxUID in _LOSSY:
        raise LabError('is compressed with loss; a mask must not be')
    return pixels


def _decode(data: bytes) -> _Stored:
    if data[MAGIC_AT : MAGIC_AT + len(MAGIC)] != MAGIC:
        raise LabError('is not a DICOM file')
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # pydicom quotes identifiers that break the standard's rules.
        dataset = _dataset(data)
        _check_kind(dataset)
        bits = _check_size(dataset)
        try:
            pixels = dataset.pixel_array
        except LIBRARY_ERRORS:
            raise LabError(_undecodable(dataset)) from None
        shape = (_number(dataset, 'Rows'), _number(dataset, 'Columns'))
        if pixels.shape != shape:
            raise LabError('has pixel data of another size than its header says')
        return _Stored(_significant(pixels.astype(np.int64), dataset, bits), bits, dataset)


def _dataset(data: bytes) -> FileDataset:
    # pydicom inflates without limit, so a small file could fill the memory; nobody deflates single slices.
    if uid.DeflatedExplicitVRLittleEndian.encode() in data:
        raise LabError('is deflated, which is not read here; inflate it first, e.g. with dcmconv')
    try:
        dataset = pydicom.dcmread(io.BytesIO(data), specific_tags=_TAGS)
        syntax = dataset.file_meta.get('TransferSyntaxUID')
    except LIBRARY_ERRORS:
        raise LabError('is a damaged DICOM file') from None
    if not syntax:
        raise LabError('has no transfer syntax, so its encoding is unknown')
    return dataset


def _check_kind(dataset: FileDataset) -> None:
    if 'PixelData' not in dataset:
        raise LabError('has no pixel data, or is cut off before it')
    if _number(dataset, 'SamplesPerPixel') != 1 or _photometric(dataset) is None:
        raise LabError('is in colour, or does not say that it is grey (MONOCHROME1 or MONOCHROME2)')
    if _number(dataset, 'NumberOfFrames', 1) != 1:
        raise LabError('has several frames; one is wanted')


def _check_size(dataset: FileDataset) -> int:
    """Returns the bits stored of each pixel."""
    rows, columns = _number(dataset, 'Rows'), _number(dataset, 'Columns')
    if not (1 <= rows <= MAX_SIDE and 1 <= columns <= MAX_SIDE):
        raise LabError(f'has {columns} x {rows} pixels; up to {MAX_SIDE} x {MAX_SIDE} are read')
    allocated, stored = _number(dataset, 'BitsAllocated'), _number(dataset, 'BitsStored')
    if allocated not in (8, 16, 32) or not 1 <= stored <= allocated:
        raise LabError(f'has {stored} bits in {allocated} for a pixel; up to 8, 16 or 32 are read')
    if not stored - 1 <= _number(dataset, 'HighBit', stored - 1) < allocated:
        raise LabError('has a HighBit that does not fit its BitsStored and BitsAllocated')
    needed = rows * columns * allocated // 8
    if dataset.file_meta.TransferSyntaxUID in uid.UncompressedTransferSyntaxes and len(_bytes(dataset)) < needed:
        raise LabError(f'is cut off: {len(_bytes(dataset))} of {needed} bytes of pixel data are there')
    return stored


def _significant(pixels: np.ndarray, dataset: FileDataset, bits: int) -> np.ndarray:
    """Drops what lies around the stored bits (older scanners put overlays there), and extends the sign."""
    unused = 63 - int(_number(dataset, 'HighBit', bits - 1))
    shifted = pixels << unused
    if _number(dataset, 'PixelRepresentation') == 0:
        shifted = shifted.view(np.uint64)
    return (shifted >> shifted.dtype.type(64 - bits)).astype(np.int64)


def _photometric(dataset: FileDataset) -> Optional[str]:
    try:
        value = dataset.get('PhotometricInterpretation')
    except LIBRARY_ERRORS:
        return None
    return value if value in ('MONOCHROME1', 'MONOCHROME2') else None


def _bytes(dataset: FileDataset) -> bytes:
    try:
        value = dataset.PixelData
    except LIBRARY_ERRORS:
        value = None
    if not isinstance(value, bytes):
        raise LabError('has damaged pixel data')
    return value


def _number(dataset: FileDataset, keyword: str, default: Optional[int] = None) -> float:
    try:
        value = dataset.get(keyword)
    except LIBRARY_ERRORS:
        raise LabError(f'has a damaged {keyword}') from None
    if value is None or value == '':
        value = default
    if value is None:
        raise LabError(f'has no {keyword}')
    if not isinstance(value, (int, float)):
        raise LabError(f'has a damaged {keyword}')
    return value


def _spacing(dataset: FileDataset) -> Optional[Spacing]:
    try:
        rows, columns = map(float, dataset.PixelSpacing)
    except LIBRARY_ERRORS:
        return None
    is_sensible = all(_MIN_SPACING <= value <= _MAX_SPACING for value in (rows, columns))  # NaN is not.
    return Spacing(rows, columns) if is_sensible else None


def _undecodable(dataset: FileDataset) -> str:
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax in uid.UncompressedTransferSyntaxes:
        return 'has damaged pixel data'
    if syntax not in uid.AllTransferSyntaxes:
        return 'is encoded in a way that DICOM does not know'
    return f'is compressed ({syntax.name}) in a way that cannot be decoded here, or damaged; decompress it first'
