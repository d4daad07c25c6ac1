"""The input pipeline: a record file -> batches of images and labels, by tf.data."""

import os
import re
from contextlib import contextmanager
from typing import Callable, Iterator, Optional, Tuple

from lvseg import records, versions
from lvseg.errors import LabError
from lvseg.layout import record_file
from lvseg.runs import Run

import psutil
import tensorflow.compat.v1 as tf

Augment = Callable[..., Tuple[tf.Tensor, tf.Tensor]]

# A decoded slice: float32 image and uint8 label.
_SLICE_BYTES = records.PIXELS * (4 + 1)

# Decoded slices are kept in memory as long as all of them fit into the smaller of these two.
_CACHE_SHARE_OF_FREE_MEMORY = 0.25
_CACHE_BYTES = 2 * 1024**3

# How many slices are shuffled at a time when the file is too large to be kept in memory: 330 MB of them.
_STREAMING_SHUFFLE = 1000

# The order's own seed, beside that of the run. Without it, TensorFlow takes the number of operations that the graph has
# so far, which differs between its versions; 10 is what it is in 1.15, so that what was measured there stays true.
_ORDER = 10

_BATCHES_AHEAD = 2

# In an error's message, the operation that failed stands in brackets; others may be named there as its inputs.
_FAILED_INPUT = re.compile(r'\[\[(\{\{)?(node )?IteratorGetNext')


def count(data_dir: str, split: str, batch_size: int) -> int:
    """The number of slices of a split, 'train' or 'eval'.

    Raises:
        LabError: no such file, a damaged one, or fewer slices than one batch.
    """
    path = record_file(data_dir, split)
    slices = records.count(path)
    if batch_size > slices:
        raise LabError(f'--batch_size {batch_size} is more than the {slices} slices of {path}; give {slices} or less.')
    return slices


def training_batches(run: Run, augment: Optional[Augment] = None) -> Tuple[tf.Tensor, tf.Tensor]:
    """The training file's slices, --num_epochs times over, in a new random order each epoch.

    The order follows the run's seed. The last batch of an epoch holds what is left over. What the run to be resumed has
    already seen is skipped.

    Args:
        run: what lvseg.training.describe has found.
        augment: changes the images and labels of a batch, by a seed of its own: int64 [2], the run's and the step.

    Returns:
        images: float32 [batch, 256, 256], pixels divided by 1024.
        labels: uint8 [batch, 256, 256], 1 in the left ventricle, 0 elsewhere.
    """
    dataset = _decoded(record_file(run.data_dir, 'train'))
    if run.slices * _SLICE_BYTES <= _cache_bytes():
        dataset = dataset.cache().shuffle(run.slices, seed=_ORDER)
    else:
        dataset = dataset.shuffle(_STREAMING_SHUFFLE, seed=_ORDER)
    batches = _batched(dataset, run.batch_size).repeat(run.num_epochs).skip(run.steps_done)
    return _next_batch(batches if augment is None else _augmented(batches, augment, run.seed, run.steps_done))


def evaluation_batches(data_dir: str, split: str, batch_size: int) -> Tuple[tf.Tensor, tf.Tensor]:
    """The slices of a split, 'train' or 'eval', once, in the file's order; else as training_batches.

    Raises:
        LabError: as `count`.
    """
    count(data_dir, split, batch_size)
    return _next_batch(_batched(_decoded(record_file(data_dir, split)), batch_size))


@contextmanager
def explaining_bad_records(data_dir: str, split: str) -> Iterator[None]:
    """A session's failure to read a record becomes a LabError that says which record, and what is wrong with it."""
    try:
        yield
    except (tf.errors.InvalidArgumentError, tf.errors.DataLossError) as error:
        if not _FAILED_INPUT.search(error.message):
            raise
        path = record_file(data_dir, split)
        for _ in records.read(path):
            pass
        raise LabError(f'TensorFlow cannot read a record of {path}: {versions.reason(error)}') from None


def _decoded(path: str) -> tf.data.Dataset:
    # There is no Python of loops and conditions to be translated into a graph; looking for some takes over a second.
    decode = tf.autograph.experimental.do_not_convert(records.decode)
    return tf.data.TFRecordDataset(path).map(decode, num_parallel_calls=os.cpu_count())


def _augmented(batches: tf.data.Dataset, augment: Augment, seed: int, done: int) -> tf.data.Dataset:
    """The step is part of the seed: a resumed run goes on as if it had not been stopped."""
    return batches.apply(tf.data.experimental.enumerate_dataset(done)).map(
        lambda step, batch: augment(*batch, seed=tf.stack([seed, step])), num_parallel_calls=os.cpu_count()
    )


def _batched(dataset: tf.data.Dataset, batch_size: int) -> tf.data.Dataset:
    # A batch of one leaves no remainder; saying so makes the batch's size part of the static shape.
    return dataset.batch(batch_size, drop_remainder=batch_size == 1)


def _next_batch(dataset: tf.data.Dataset) -> Tuple[tf.Tensor, tf.Tensor]:
    return tf.data.make_one_shot_iterator(dataset.prefetch(_BATCHES_AHEAD)).get_next()


def _cache_bytes() -> float:
    return min(_CACHE_BYTES, _CACHE_SHARE_OF_FREE_MEMORY * psutil.virtual_memory().available)
