"""The evaluation session: restores the newest checkpoint, sums over all slices, prints and keeps the figures."""

import os
import shlex
import sys
import time
from argparse import Namespace
from datetime import datetime
from typing import Any, Callable, Dict, Iterator, List, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from lvseg import checkpoints, device, inputs, metrics, pictures, progress, records, reports, runs, summaries
from lvseg.errors import LabError


def run(
    counts: List[tf.Tensor],
    figure: Callable[..., str],
    images: tf.Tensor,
    labels: tf.Tensor,
    logits: tf.Tensor,
    args: Namespace,
) -> None:
    """Evaluates the newest checkpoint; with --run_once false, every newer one too, until interrupted.

    Args:
        counts: int32 scalars, pixel counts of one batch.
        figure: makes the lab's figure, such as 'precision = 0.983', of the number of pixels and the counts' sums.
        images: float32 [batch, 256, 256].
        labels: uint8 [batch, 256, 256], 0 or 1.
        logits: float32 [batch, 256, 256, 2], class scores.
        args: the flags (lvseg.flags.evaluation).

    Raises:
        LabError: no checkpoint, one of another network, or a directory that cannot be written.
    """
    device.announce()
    evaluator = _Evaluator(counts, figure, images, labels, logits, args)
    evaluated = None
    while True:
        checkpoint = _wait_for_checkpoint(args)
        if checkpoint != evaluated:
            evaluator.evaluate(checkpoint)
            evaluated = checkpoint
        if args.run_once:
            return
        time.sleep(args.eval_interval_secs)


def results(session: tf.Session, fetches: Any, args: Namespace) -> Iterator[Any]:  # noqa: ANN401 - as session.run
    """Runs the fetches for one batch of the evaluated slices after another, until there are no more.

    Raises:
        LabError: a record cannot be read.
    """
    while True:
        try:
            with inputs.explaining_bad_records(args.data_dir, args.eval_data):
                batch = session.run(fetches)
        except tf.errors.OutOfRangeError:
            return
        yield batch


def _wait_for_checkpoint(args: Namespace) -> str:
    checkpoint = checkpoints.newest(args.checkpoint_dir)
    if checkpoint is None and args.run_once:
        script, data, run = map(shlex.quote, (_training_script(), args.data_dir, args.checkpoint_dir))
        raise LabError(
            f'no checkpoint in {args.checkpoint_dir}. Make one with: '
            f'python {script} --data_dir {data} --checkpoint_dir {run}'
        )
    if checkpoint is None:
        print(f'Waiting for a checkpoint in {args.checkpoint_dir} …', file=sys.stderr, flush=True)
    while checkpoint is None:
        time.sleep(args.eval_interval_secs)
        checkpoint = checkpoints.newest(args.checkpoint_dir)
    return checkpoint


def _training_script() -> str:
    return os.path.join(os.path.dirname(sys.argv[0]), 'runTraining.py')


class _Evaluator:
    """Evaluates checkpoints of one network."""

    def __init__(
        self,
        counts: List[tf.Tensor],
        figure: Callable[..., str],
        images: tf.Tensor,
        labels: tf.Tensor,
        logits: tf.Tensor,
        args: Namespace,
    ) -> None:
        self._figure = figure
        self._images = images
        with tf.name_scope('report'):
            self._predictions = metrics.predictions(logits)
            self._fetches = [list(counts), metrics.areas(logits, labels), metrics.probabilities(logits), labels]
        self._args = args
        self._file = inputs.record_file(args.data_dir, args.eval_data)
        self._saver = tf.train.Saver()

    def evaluate(self, checkpoint: str) -> None:
        """Prints and keeps the figures."""
        # First of all, because by the end of a long evaluation a training may have removed the checkpoint.
        step = checkpoints.step(checkpoint)
        runs.follow(self._args.eval_dir, self._args.checkpoint_dir)
        with tf.Session(config=device.session_config()) as session:
            checkpoints.restore(session, self._saver, checkpoint, self._args)
            counts, slices, probability_counts = self._sums(session)
            examples = self._examples(session, metrics.dice(slices))

        print(f'OUTPUT: {datetime.now()}: {self._figure(metrics.pooled(slices).total, *counts)}')
        print(f'OUTPUT: {len(slices.total)} images evaluated from file {self._file}')
        print('\n'.join(reports.lines(slices)), flush=True)
        reports.keep(reports.Evaluation(step, slices, probability_counts, examples), self._args)

    def _sums(self, session: tf.Session) -> Tuple[List[int], metrics.Areas, np.ndarray]:
        """The counts' sums over all batches, the areas of every slice, and the pixels of all by their probability."""
        counts, areas, probability_counts = [], [], np.zeros([2, metrics.THRESHOLDS], np.int64)
        with progress.bar(records.count(self._file), description='Evaluating') as bar:
            for batch_counts, batch_areas, probability, labels in results(session, self._fetches, self._args):
                counts.append(batch_counts)
                areas.append(metrics.kept(batch_areas))
                probability_counts += metrics.probability_counts(probability, labels)
                bar.update(len(labels))
        return list(np.sum(counts, axis=0, dtype=np.int64)), metrics.joined(areas), probability_counts

    def _examples(self, session: tf.Session, dice: np.ndarray) -> Dict[str, pictures.Slice]:
        """The slices with the lowest, the median and the highest Dice, by their tags."""
        order = np.argsort(dice, kind='mergesort')
        numbers = {
            summaries.WORST_SLICE: order[0],
            summaries.MEDIAN_SLICE: order[(len(order) - 1) // 2],
            summaries.BEST_SLICE: order[-1],
        }
        wanted = set(numbers.values())
        slices = {number: piece for number, piece in enumerate(records.read(self._file)) if number in wanted}
        return {tag: self._predicted(session, *slices[number]) for tag, number in numbers.items()}

    def _predicted(self, session: tf.Session, image: np.ndarray, label: np.ndarray) -> pictures.Slice:
        batch = {self._images: image[np.newaxis] / records.PIXEL_SCALE}
        return pictures.Slice(image, label, session.run(self._predictions, batch)[0])
