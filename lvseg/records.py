"""The record format: one slice with its label, as a tf.train.Example in a TFRecord file.

The schema is that of NVIDIA's lab, so that its readers take our files and ours take its files:
int64 `height`, `width`, `depth` (= 1), bytes `img_raw` (int64 pixels, row-major) and `label_raw` (uint8, 0 or 1).
Its later edition calls the pixels `image_raw`; the readers here accept both.
"""

import os
import struct
from typing import Iterator, Tuple

import numpy as np
import tensorflow.compat.v1 as tf
from google.protobuf.message import DecodeError

from lvseg.errors import LabError

HEIGHT = 256
WIDTH = 256
PIXELS = HEIGHT * WIDTH

# The lab divides every pixel by this, whatever the scanner: MRI has no fixed scale, and SCD's maxima are 550 to 2700.
PIXEL_SCALE = 1024

IMAGE_KEY = 'img_raw'
IMAGE_KEY_LATER_EDITION = 'image_raw'
LABEL_KEY = 'label_raw'

FILE_NAMES = {'train': 'train_images.tfrecords', 'eval': 'val_images.tfrecords'}

_LENGTH_BYTES = 8  # A record is framed as length (uint64), CRC of the length, data, CRC of the data.
_CRC_BYTES = 4

_PREPARE = 'Make it with: python -m data_prep phantom --out DIR (see python -m data_prep -h), DIR being its folder.'
_PREPARE_AGAIN = 'Make it again with: python -m data_prep (see -h).'


def encode(image: np.ndarray, label: np.ndarray) -> bytes:
    """Serialises one slice.

    Args:
        image: integer [256, 256], raw pixel values.
        label: uint8 [256, 256], 1 inside the left ventricle, 0 outside.

    Raises:
        ValueError: another shape or type, or a label other than 0 and 1; the caller's bug.
    """
    if image.shape != (HEIGHT, WIDTH) or not np.issubdtype(image.dtype, np.integer):
        raise ValueError(f'image must be integer [{HEIGHT}, {WIDTH}], is {image.dtype} {list(image.shape)}')
    if label.shape != (HEIGHT, WIDTH) or label.dtype != np.uint8 or label.max() > 1:
        raise ValueError(f'label must be uint8 [{HEIGHT}, {WIDTH}] of 0 and 1, is {label.dtype} {list(label.shape)}')

    def int64(value: int) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))

    def raw(array: np.ndarray) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[array.tobytes()]))

    features = {
        'height': int64(HEIGHT),
        'width': int64(WIDTH),
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
    image = tf.cast(tf.reshape(pixels, [HEIGHT, WIDTH]), tf.float32) / PIXEL_SCALE

    label = tf.reshape(tf.decode_raw(features[LABEL_KEY], tf.uint8), [HEIGHT, WIDTH])
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
    """The number of records in a file, by its framing alone: quick however large the file is.

    Raises:
        LabError: no such file, an empty one, not a TFRecord file, or one cut off in the middle.
    """
    if not os.path.isfile(path):
        raise LabError(f'{path} not found. {_PREPARE}')
    size = os.path.getsize(path)
    if size == 0:
        raise LabError(f'{path} is empty. {_PREPARE_AGAIN}')

    position = number = 0
    with open(path, 'rb') as file:
        while position < size:
            file.seek(position)
            header = file.read(_LENGTH_BYTES)
            if len(header) == _LENGTH_BYTES:
                position += _LENGTH_BYTES + struct.unpack('<Q', header)[0] + 2 * _CRC_BYTES
            if len(header) < _LENGTH_BYTES or position > size:
                raise LabError(f'{path} is cut off in record {number + 1}, or no TFRecord file. {_PREPARE_AGAIN}')
            number += 1
    return number


def _checked(serialized: bytes, where: str) -> Tuple[np.ndarray, np.ndarray]:
    try:
        features = tf.train.Example.FromString(serialized).features.feature
    except DecodeError:
        raise LabError(f'{where} is no tf.train.Example. {_PREPARE_AGAIN}') from None

    image_key = IMAGE_KEY if IMAGE_KEY in features else IMAGE_KEY_LATER_EDITION
    if image_key not in features or LABEL_KEY not in features:
        found = ', '.join(sorted(features)) or 'none'
        raise LabError(f'{where} has the features {found}; {IMAGE_KEY} and {LABEL_KEY} are wanted.')
    image = _array(features[image_key], np.dtype('<i8'), f'{image_key} in {where}')
    label = _array(features[LABEL_KEY], np.dtype(np.uint8), f'{LABEL_KEY} in {where}')
    if label.max() > 1:
        values = ', '.join(str(value) for value in np.unique(label)[:5])
        raise LabError(f'{LABEL_KEY} in {where} has the values {values}; only 0 and 1 are labels.')
    return image.astype(np.int64), label


def _array(feature: tf.train.Feature, dtype: np.dtype, what: str) -> np.ndarray:
    values = feature.bytes_list.value
    found = len(values[0]) if len(values) == 1 else None
    if found != PIXELS * dtype.itemsize:
        wanted = f'{PIXELS * dtype.itemsize} bytes ({HEIGHT} x {WIDTH} pixels of {dtype.itemsize})'
        raise LabError(f'{what} has {found if found is not None else "no"} bytes; {wanted} are wanted.')
    return np.frombuffer(values[0], dtype).reshape(HEIGHT, WIDTH)
