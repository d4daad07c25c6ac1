"""The record format: one slice with its label, as a tf.train.Example in a TFRecord file.

The schema is that of NVIDIA's lab, so that its readers take our files and ours take its files:
int64 `height`, `width` (= 256), `depth` (= 1), bytes `img_raw` (int64 pixels, row-major), `label_raw` (uint8, 0 or 1).
Its later edition calls the pixels `image_raw`, and adds bytes `name`; the readers here accept both.
"""

import hashlib
import os
import shlex
import struct
from typing import IO, Iterable, Iterator, List, Tuple

from lvseg import wire
from lvseg.errors import LabError
from lvseg.layout import SIZE

import numpy as np
import tensorflow.compat.v1 as tf

PIXELS = SIZE * SIZE

# The lab divides every pixel by this, whatever the scanner: MRI has no fixed scale, and SCD's maxima are 550 to 2700.
PIXEL_SCALE = 1024

IMAGE_KEY = 'img_raw'
IMAGE_KEY_LATER_EDITION = 'image_raw'
LABEL_KEY = 'label_raw'
_NAME_KEY = 'name'  # Of the slice, in the later edition; not read.
_LONGEST_NAME = 1000
_SIZES = {'height': SIZE, 'width': SIZE, 'depth': 1}  # They need not be there.

_PIXEL_BYTES = 8
MAX_PIXEL = 2**32  # As data_prep has it. Float64 taken for int64, or bytes in the other order, are far beyond.

_LENGTH_BYTES = 8  # A record is framed as length (uint64), CRC of the length, data, CRC of the data.
_CRC_BYTES = 4

_READ_BYTES = 256  # At a time, while records are counted: little more than stands before and between the pixels.
_NAMES_SHOWN = 8

# What stands around pixels and labels: places in the record, and the bytes there.
Outline = List[Tuple[int, bytes]]

_PREPARE_AGAIN = 'Make it again with: python -m data_prep (see -h).'


def encode(image: np.ndarray, label: np.ndarray) -> bytes:
    """Serialises one slice.

    Args:
        image: integer [256, 256], raw pixel values.
        label: uint8 [256, 256], 1 inside the left ventricle, 0 outside.

    Raises:
        ValueError: another shape or type, or a label other than 0 and 1; the caller's bug.
    """
    if image.shape != (SIZE, SIZE) or not np.issubdtype(image.dtype, np.integer):
        raise ValueError(f'image must be integer [{SIZE}, {SIZE}], is {image.dtype} {list(image.shape)}')
    if label.shape != (SIZE, SIZE) or label.dtype != np.uint8 or label.max() > 1:
        raise ValueError(f'label must be uint8 [{SIZE}, {SIZE}] of 0 and 1, is {label.dtype} {list(label.shape)}')

    def int64(value: int) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))

    def raw(array: np.ndarray) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[array.tobytes()]))

    features = {
        'height': int64(SIZE),
        'width': int64(SIZE),
        'depth': int64(1),
        IMAGE_KEY: raw(image.astype('<i8')),
        LABEL_KEY: raw(label),
    }
    # Deterministic, because protobuf's order of map entries changes from process to process.
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString(deterministic=True)


def decode(serialized: tf.Tensor) -> Tuple[tf.Tensor, tf.Tensor]:
    """The graph's reader of one record.

    Args:
        serialized: string scalar, a tf.train.Example of either edition.

    Returns:
        image: float32 [256, 256], pixels divided by 1024.
        label: uint8 [256, 256], 0 or 1.

    Running it raises tf.errors.InvalidArgumentError on a record of another kind; `read` says in words what is wrong.
    """
    text = tf.FixedLenFeature([], tf.string, default_value='')
    features = tf.parse_single_example(
        serialized, {IMAGE_KEY: text, IMAGE_KEY_LATER_EDITION: text, LABEL_KEY: tf.FixedLenFeature([], tf.string)}
    )
    pixels = tf.decode_raw(features[IMAGE_KEY] + features[IMAGE_KEY_LATER_EDITION], tf.int64)
    label = tf.reshape(tf.decode_raw(features[LABEL_KEY], tf.uint8), [SIZE, SIZE])
    checks = [
        tf.debugging.assert_less_equal(tf.reduce_max(pixels), np.int64(MAX_PIXEL)),
        tf.debugging.assert_greater_equal(tf.reduce_min(pixels), np.int64(-MAX_PIXEL)),
        tf.debugging.assert_less(tf.reduce_max(tf.cast(label, tf.int32)), 2),
    ]
    with tf.control_dependencies(checks):
        image = tf.cast(tf.reshape(pixels, [SIZE, SIZE]), tf.float32) / PIXEL_SCALE
        return image, tf.identity(label)


def read(path: str) -> Iterator[Tuple[np.ndarray, np.ndarray]]:
    """Yields (image int64 [256, 256], raw pixels; label uint8 [256, 256], 0 or 1) of each record, checked.

    Raises:
        LabError: no such file, not a TFRecord file, damaged, or records of another kind; says which record and why.
    """
    count(path)
    number = 0
    try:
        for number, serialized in enumerate(tf.python_io.tf_record_iterator(path), start=1):
            yield _decoded(serialized, f'record {number} of {path}')
    except tf.errors.DataLossError:
        raise LabError(f'record {number + 1} of {path} is damaged: its checksum is wrong. {_PREPARE_AGAIN}') from None


def count(path: str) -> int:
    """The number of records in a file, each checked but for checksums, pixels and labels: quick, as little is read.

    Raises:
        LabError: no such file, an empty one, not a TFRecord file, one cut off in the middle, or a record of another
            kind; says which record and why.
    """
    return len(offsets(path))


def offsets(path: str) -> List[int]:
    """Where in a file each record begins, in bytes; checked, and raises, as `count`."""
    if not os.path.isfile(path):
        folder = shlex.quote(os.path.dirname(path))
        raise LabError(f'{path} not found. Make it with: python -m data_prep phantom --out {folder} (or see -h).')
    try:
        with open(path, 'rb', buffering=_READ_BYTES) as file:  # Few bytes are read, and far between.
            return _offsets(file, path)
    except OSError as error:
        raise LabError(f'cannot read {path}: {error.strerror}.') from None


def digest(path: str) -> str:
    """Tells files of other records apart: made of their checksums, so that little is read. Raises as `count`."""
    found = hashlib.sha256()
    with open(path, 'rb', buffering=_READ_BYTES) as file:
        for end in [*offsets(path)[1:], os.path.getsize(path)]:
            file.seek(end - _CRC_BYTES)
            found.update(file.read(_CRC_BYTES))
    return found.hexdigest()


def _offsets(file: IO, path: str) -> List[int]:
    size = os.fstat(file.fileno()).st_size
    if size == 0:
        raise LabError(f'{path} is empty. {_PREPARE_AGAIN}')

    position, found = 0, []
    outline, outlined = [], 0
    while position < size:
        file.seek(position)
        header = file.read(_LENGTH_BYTES)
        length = struct.unpack('<Q', header)[0] if len(header) == _LENGTH_BYTES else 0
        begin, position = position, position + _LENGTH_BYTES + length + 2 * _CRC_BYTES
        # No record is empty; and a file of zeros, read as such records, would take long to count.
        if length == 0 or position > size:
            raise LabError(f'{path} is cut off in record {len(found) + 1}, or no TFRecord file. {_PREPARE_AGAIN}')
        found.append(begin)
        data, where = position - _CRC_BYTES - length, f'record {len(found)} of {path}'
        # Most records of a file differ in nothing but pixels and labels; to take each apart takes many times longer.
        if length == outlined and _has(file, data, outline):
            continue
        try:
            outline, outlined = _checked(file, data, data + length, where), length
        except wire.WireError:
            raise LabError(f'{where} is damaged, or no tf.train.Example. {_PREPARE_AGAIN}') from None
    return found


def _checked(file: IO, start: int, end: int, where: str) -> Outline:
    """What stands around the pixels and labels of a record; LabError if by this it is not of the schema."""
    features = wire.features(file, start, end)
    image_keys = [key for key in (IMAGE_KEY, IMAGE_KEY_LATER_EDITION) if key in features]
    if len(image_keys) != 1 or LABEL_KEY not in features:
        raise LabError(
            f'{where} has the features {_listed(features)}; {IMAGE_KEY} (or {IMAGE_KEY_LATER_EDITION}) and {LABEL_KEY} '
            'are wanted.'
        )
    unknown = set(features) - {image_keys[0], LABEL_KEY, _NAME_KEY, *_SIZES}
    if unknown:
        raise LabError(
            f'{where} has the features {_listed(unknown)} besides {image_keys[0]} and {LABEL_KEY}; '
            f'{_listed([_NAME_KEY, *_SIZES])} are the only others that may be there.'
        )
    for key, wanted in _SIZES.items():
        found = wire.int_held(file, features[key]) if key in features else wanted
        if found != wanted:
            raise LabError(f'{key} in {where} is {"no number" if found is None else found}; {wanted} is wanted.')
    name = wire.bytes_held(file, features[_NAME_KEY]) if _NAME_KEY in features else None
    if _NAME_KEY in features and (name is None or name.end - name.start > _LONGEST_NAME):
        raise LabError(f'{_NAME_KEY} in {where} is not one text of up to {_LONGEST_NAME} bytes. {_PREPARE_AGAIN}')
    held = []
    for key, size in ((image_keys[0], _PIXEL_BYTES), (LABEL_KEY, 1)):
        value = wire.bytes_held(file, features[key])
        found = 'no' if value is None else value.end - value.start
        if found != PIXELS * size:
            wanted = f'{PIXELS * size} bytes ({SIZE} x {SIZE} pixels of {size})'
            raise LabError(f'{key} in {where} has {found} bytes; {wanted} are wanted.')
        held.append(value)
    first, second = sorted(held, key=lambda value: value.start)
    return _around(file, start, [(start, first.start), (first.end, second.start), (second.end, end)])


def _around(file: IO, start: int, stretches: Iterable[Tuple[int, int]]) -> Outline:
    found = []
    for begin, end in stretches:
        file.seek(begin)
        found.append((begin - start, file.read(end - begin)))
    return found


def _has(file: IO, start: int, outline: Outline) -> bool:
    for offset, wanted in outline:
        file.seek(start + offset)
        if file.read(len(wanted)) != wanted:
            return False
    return True


def _decoded(serialized: bytes, where: str) -> Tuple[np.ndarray, np.ndarray]:
    """A record that `_checked` has found well, and whose pixels and labels are looked at now."""
    features = tf.train.Example.FromString(serialized).features.feature
    key = IMAGE_KEY if IMAGE_KEY in features else IMAGE_KEY_LATER_EDITION
    image, label = _array(features[key], np.dtype('<i8')), _array(features[LABEL_KEY], np.dtype(np.uint8))
    if label.max() > 1:
        values = ', '.join(str(value) for value in np.unique(label)[:5])
        raise LabError(f'{LABEL_KEY} in {where} has the values {values}; only 0 and 1 are labels.')
    if image.max() > MAX_PIXEL or image.min() < -MAX_PIXEL:
        raise LabError(f'{key} in {where} {_no_pixels(image)}; int64 from -2^32 to 2^32, little-endian, are wanted.')
    return image.astype(np.int64), label


def _array(feature: tf.train.Feature, dtype: np.dtype) -> np.ndarray:
    return np.frombuffer(feature.bytes_list.value[0], dtype).reshape(SIZE, SIZE)


def _no_pixels(image: np.ndarray) -> str:
    """What numbers are that are far too large for pixels."""
    as_float = image.view('<f8')
    if np.isfinite(as_float).all() and np.abs(as_float[as_float != 0]).min() > 1e-9 and np.abs(as_float).max() < 1e9:
        return 'has float64 pixels'
    return f'has pixels from {image.min()} to {image.max()}'


def _listed(names: Iterable[str]) -> str:
    """The first few names in one line, whatever they are made of."""
    names = [name if name.isprintable() else ascii(name) for name in sorted(names)]
    more = len(names) - _NAMES_SHOWN
    return ', '.join(names[:_NAMES_SHOWN]) + (f' and {more} more' if more > 0 else '') or 'none'
