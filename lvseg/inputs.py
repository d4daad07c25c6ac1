"""The input pipeline: a record file -> batches of images and labels, by tf.data."""

import os
import re
from contextlib import contextmanager
from typing import Callable, Iterator, Optional, Tuple

from lvseg import records, together, versions
from lvseg.errors import LabError
from lvseg.layout import record_file
from lvseg.runs import Run

import numpy as np
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
    already seen is skipped. Where several processes train together, the batches are the same; each worker gets, and
    reads, its share of every one.

    Args:
        run: what lvseg.training.describe has found.
        augment: changes the images and labels of a batch, by a seed of its own: int64 [2], the run's and the step.

    Returns:
        images: float32 [batch, 256, 256], pixels divided by 1024.
        labels: uint8 [batch, 256, 256], 1 in the left ventricle, 0 elsewhere.
    """
    return _alone(run, augment) if run.team is None else _shares(run, augment)


def _alone(run: Run, augment: Optional[Augment]) -> Tuple[tf.Tensor, tf.Tensor]:
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


def _shares(run: Run, augment: Optional[Augment]) -> Tuple[tf.Tensor, tf.Tensor]:
    """This worker's share of each batch: every n-th slice of it, for n workers.

    How much it counts, 1 for an even share, is noted in the graph for lvseg.together.
    """
    path, task = record_file(run.data_dir, 'train'), run.team.task
    begins = records.offsets(path)

    def read(numbers: np.ndarray) -> np.ndarray:
        try:
            return np.array([versions.record_at(path, begins[number]) for number in numbers], object)
        except tf.errors.DataLossError as error:
            raise ValueError(error.message) from None  # Of which TensorFlow makes an InvalidArgumentError.

    @tf.autograph.experimental.do_not_convert
    def share(batch: tf.Tensor) -> Tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        mine = batch[task.worker :: task.workers]
        counts = task.workers * tf.size(mine) / tf.size(batch)
        # A last batch of few slices has none for some. These take one that counts nothing: no slice has no mean.
        serialized = tf.py_func(read, [tf.cond(tf.size(mine) > 0, lambda: mine, lambda: batch[:1])], tf.string)
        serialized.set_shape([None])
        return (*tf.map_fn(records.decode, serialized, (tf.float32, tf.uint8)), counts)

    order = tf.data.Dataset.range(run.slices).shuffle(run.slices, seed=_ORDER)
    batches = order.batch(run.batch_size).repeat(run.num_epochs).skip(run.steps_done).map(share)
    if augment is not None:  # With a seed of its own, for the changes of one share are not to be those of another.
        batches = _augmented(batches, augment, run.seed + task.worker, run.steps_done)
    images, labels, counts = _next_batch(batches)
    tf.add_to_collection(together.SHARE, counts)
    with tf.Graph().as_default() as alone:
        _alone(run._replace(team=None), augment)
    # By how many operations there are before, TensorFlow draws the first weights; they are to be those of one process.
    for _ in range(len(tf.get_default_graph().get_operations()), len(alone.get_operations())):
        tf.no_op()
    if task.worker:
        # The order was the same for all. What the network draws, for dropout, is each worker's own.
        tf.set_random_seed((run.seed + task.worker) % 2**31)
    return images, labels


def _decoded(path: str) -> tf.data.Dataset:
    # There is no Python of loops and conditions to be translated into a graph; looking for some takes over a second.
    decode = tf.autograph.experimental.do_not_convert(records.decode)
    return tf.data.TFRecordDataset(path).map(decode, num_parallel_calls=os.cpu_count())


def _augmented(batches: tf.data.Dataset, augment: Augment, seed: int, done: int) -> tf.data.Dataset:
    """The step is part of the seed: a resumed run goes on as if it had not been stopped."""
    return batches.apply(tf.data.experimental.enumerate_dataset(done)).map(
        lambda step, batch: (*augment(*batch[:2], seed=tf.stack([seed, step])), *batch[2:]),
        num_parallel_calls=os.cpu_count(),
    )


def _batched(dataset: tf.data.Dataset, batch_size: int) -> tf.data.Dataset:
    # A batch of one leaves no remainder; saying so makes the batch's size part of the static shape.
    return dataset.batch(batch_size, drop_remainder=batch_size == 1)


def _next_batch(dataset: tf.data.Dataset) -> Tuple[tf.Tensor, ...]:
    return tf.data.make_one_shot_iterator(dataset.prefetch(_BATCHES_AHEAD)).get_next()


def _cache_bytes() -> float:
    return min(_CACHE_BYTES, _CACHE_SHARE_OF_FREE_MEMORY * psutil.virtual_memory().available)
