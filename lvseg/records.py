"""The record format: one slice with its label, as a tf.train.Example in a TFRecord file.

The schema is that of NVIDIA's lab, so that its readers take our files and ours take its files:
int64 `height`, `width`, `depth` (= 1), bytes `img_raw` (int64 pixels, row-major) and `label_raw` (uint8, 0 or 1).
Its later edition calls the pixels `image_raw`; the readers here accept both.
"""

import os
import shlex
import struct
from typing import IO, Iterable, Iterator, Tuple

from lvseg.errors import LabError
from lvseg.layout import SIZE

import numpy as np
import tensorflow.compat.v1 as tf
from google.protobuf.message import DecodeError

PIXELS = SIZE * SIZE

# The lab divides every pixel by this, whatever the scanner: MRI has no fixed scale, and SCD's maxima are 550 to 2700.
PIXEL_SCALE = 1024

IMAGE_KEY = 'img_raw'
IMAGE_KEY_LATER_EDITION = 'image_raw'
LABEL_KEY = 'label_raw'

_LENGTH_BYTES = 8  # A record is framed as length (uint64), CRC of the length, data, CRC of the data.
_CRC_BYTES = 4

# An Example holds Features, they hold entries, an entry holds a name and a value: fields 1 or 2 of their message each.
_EXAMPLE_LEVELS = 3
_TAGS_WITH_LENGTH = (1 << 3 | 2, 2 << 3 | 2)
_LONGEST_VARINT = 10

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
    image = tf.cast(tf.reshape(pixels, [SIZE, SIZE]), tf.float32) / PIXEL_SCALE

    label = tf.reshape(tf.decode_raw(features[LABEL_KEY], tf.uint8), [SIZE, SIZE])
    only_zero_and_one = tf.debugging.assert_less(tf.reduce_max(tf.cast(label, tf.int32)), 2)
    with tf.control_dependencies([only_zero_and_one]):
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
            yield _checked(serialized, f'record {number} of {path}')
    except tf.errors.DataLossError:
        raise LabError(f'record {number + 1} of {path} is damaged: its checksum is wrong. {_PREPARE_AGAIN}') from None


def count(path: str) -> int:
    """The number of records in a file, by its framing and theirs: quick however large the file is.

    Raises:
        LabError: no such file, an empty one, not a TFRecord file, one cut off in the middle, or a record of no Example.
    """
    if not os.path.isfile(path):
        folder = shlex.quote(os.path.dirname(path))
        raise LabError(f'{path} not found. Make it with: python -m data_prep phantom --out {folder} (or see -h).')
    try:
        with open(path, 'rb', buffering=0) as file:  # Few bytes are read, and far between.
            return _count(file, path)
    except OSError as error:
        raise LabError(f'cannot read {path}: {error.strerror}.') from None


def _count(file: IO, path: str) -> int:
    size = os.fstat(file.fileno()).st_size
    if size == 0:
        raise LabError(f'{path} is empty. {_PREPARE_AGAIN}')

    position = number = 0
    while position < size:
        file.seek(position)
        header = file.read(_LENGTH_BYTES)
        length = struct.unpack('<Q', header)[0] if len(header) == _LENGTH_BYTES else 0
        position += _LENGTH_BYTES + length + 2 * _CRC_BYTES
        # No record is empty; and a file of zeros, read as such records, would take long to count.
        if length == 0 or position > size:
            raise LabError(f'{path} is cut off in record {number + 1}, or no TFRecord file. {_PREPARE_AGAIN}')
        number += 1
        data = position - _CRC_BYTES - length
        if not _is_nested(file, data, data + length, _EXAMPLE_LEVELS):
            raise LabError(f'record {number} of {path} is damaged, or no tf.train.Example. {_PREPARE_AGAIN}')
    return number


def _is_nested(file: IO, position: int, end: int, levels: int) -> bool:
    """Whether a protobuf message consists of fields that have a length, as do they in turn, so many levels deep.

    TensorFlow's parser must not meet an Example of which this is not true: it puts the whole of it into its error
    message, and dies of a segmentation fault where that is no UTF-8 (TensorFlow 1.15).
    """
    while position < end:
        file.seek(position)
        tag, length, size = _field(file.read(1 + _LONGEST_VARINT))
        start, position = position + size, position + size + length
        if tag not in _TAGS_WITH_LENGTH or position > end:
            return False
        if levels > 1 and not _is_nested(file, start, position, levels - 1):
            return False
    return True


def _field(head: bytes) -> Tuple[int, int, int]:
    """The tag of a protobuf field, the length of what it holds, and how many bytes these two take."""
    length = 0
    for place, byte in enumerate(head[1:]):
        length |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            break
    return head[0], length, place + 2


def _checked(serialized: bytes, where: str) -> Tuple[np.ndarray, np.ndarray]:
    try:
        features = tf.train.Example.FromString(serialized).features.feature
    except DecodeError:
        raise LabError(f'{where} is damaged, or no tf.train.Example. {_PREPARE_AGAIN}') from None

    image_keys = [key for key in (IMAGE_KEY, IMAGE_KEY_LATER_EDITION) if key in features]
    if len(image_keys) != 1 or LABEL_KEY not in features:
        raise LabError(
            f'{where} has the features {_listed(features)}; {IMAGE_KEY} (or {IMAGE_KEY_LATER_EDITION}) and {LABEL_KEY} '
            'are wanted.'
        )
    image = _array(features[image_keys[0]], np.dtype('<i8'), f'{image_keys[0]} in {where}')
    label = _array(features[LABEL_KEY], np.dtype(np.uint8), f'{LABEL_KEY} in {where}')
    if label.max() > 1:
        values = ', '.join(str(value) for value in np.unique(label)[:5])
        raise LabError(f'{LABEL_KEY} in {where} has the values {values}; only 0 and 1 are labels.')
    return image.astype(np.int64), label


def _listed(names: Iterable[str]) -> str:
    """The names in one line, whatever they are made of."""
    return ', '.join(name if name.isprintable() else ascii(name) for name in sorted(names)) or 'none'


def _array(feature: tf.train.Feature, dtype: np.dtype, what: str) -> np.ndarray:
    values = feature.bytes_list.value
    found = len(values[0]) if len(values) == 1 else None
    if found != PIXELS * dtype.itemsize:
        wanted = f'{PIXELS * dtype.itemsize} bytes ({SIZE} x {SIZE} pixels of {dtype.itemsize})'
        raise LabError(f'{what} has {found if found is not None else "no"} bytes; {wanted} are wanted.')
    return np.frombuffer(values[0], dtype).reshape(SIZE, SIZE)
