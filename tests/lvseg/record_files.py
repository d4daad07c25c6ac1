"""What tests of record files have in common: a slice, how it is written, and what reading is refused with."""

from lvseg import records
from lvseg.errors import LabError

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

PIXELS = 256 * 256
IMAGE = np.arange(PIXELS, dtype=np.int64).reshape(256, 256) % 3000 - 1000  # Negative too: DICOM's are int16.
LABEL = (np.arange(PIXELS).reshape(256, 256) % 5 == 0).astype(np.uint8)


def write(path, *serialized):
    with tf.python_io.TFRecordWriter(str(path)) as writer:
        for record in serialized:
            writer.write(record)
    return str(path)


def example(**features):
    """A tf.train.Example of bytes."""
    return tf.train.Example(
        features=tf.train.Features(
            feature={
                key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value])) for key, value in features.items()
            }
        )
    ).SerializeToString()


def refusal(path):
    """What reading a file is refused with: one line."""
    with pytest.raises(LabError) as error:
        list(records.read(str(path)))
    assert '\n' not in str(error.value)
    return str(error.value)
