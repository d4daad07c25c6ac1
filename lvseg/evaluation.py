"""The evaluation session: restores the newest checkpoint, sums over all slices, prints and keeps the figures."""

import json
import os
import sys
import time
from argparse import Namespace
from datetime import datetime
from typing import Callable, List, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from lvseg import checkpoints, device, inputs, metrics, runs, summaries
from lvseg.errors import LabError

METRICS_FILE = 'metrics.json'


def run(
    counts: List[tf.Tensor], figure: Callable[..., str], logits: tf.Tensor, labels: tf.Tensor, args: Namespace
) -> None:
    """Evaluates the newest checkpoint; with --run_once false, every newer one too, until interrupted.

    Args:
        counts: int32 scalars, pixel counts of one batch.
        figure: makes the lab's figure, such as 'precision = 0.983', of the number of pixels and the counts' sums.
        logits: float32 [batch, 256, 256, 2], class scores.
        labels: uint8 [batch, 256, 256], 0 or 1.
        args: the flags (lvseg.flags.evaluation).

    Raises:
        LabError: no checkpoint, one of another network, or a directory that cannot be written.
    """
    device.announce()
    saver = tf.train.Saver()
    fetches = [list(counts), metrics.areas(logits, labels)]
    evaluated = None
    while True:
        checkpoint = _wait_for_checkpoint(args)
        if checkpoint != evaluated:
            _evaluate(checkpoint, saver, fetches, figure, args)
            evaluated = checkpoint
        if args.run_once:
            return
        time.sleep(args.eval_interval_secs)


def _wait_for_checkpoint(args: Namespace) -> str:
    checkpoint = checkpoints.newest(args.checkpoint_dir)
    if checkpoint is None and args.run_once:
        script = os.path.join(os.path.dirname(sys.argv[0]), 'runTraining.py')
        raise LabError(
            f'no checkpoint in {args.checkpoint_dir}. Make one with: '
            f'python {script} --data_dir {args.data_dir} --checkpoint_dir {args.checkpoint_dir}'
        )
    if checkpoint is None:
        print(f'Waiting for a checkpoint in {args.checkpoint_dir} …', file=sys.stderr, flush=True)
    while checkpoint is None:
        time.sleep(args.eval_interval_secs)
        checkpoint = checkpoints.newest(args.checkpoint_dir)
    return checkpoint


def _evaluate(
    checkpoint: str, saver: tf.train.Saver, fetches: List, figure: Callable[..., str], args: Namespace
) -> None:
    with tf.Session(config=device.session_config()) as session:
        checkpoints.restore(session, saver, checkpoint, args)
        counts, slices = _sums(session, fetches, args)

    total = metrics.pooled(slices)
    print(f'OUTPUT: {datetime.now()}: {figure(total.total, *counts)}')
    file = inputs.record_file(args.data_dir, args.eval_data)
    print(f'OUTPUT: {len(slices.total)} images evaluated from file {file}', flush=True)
    _keep(checkpoint, total, len(slices.total), args)


def _sums(session: tf.Session, fetches: List, args: Namespace) -> Tuple[List[int], metrics.Areas]:
    """The counts' sums over all batches, and the areas of every slice."""
    counts, areas = [], []
    with inputs.explaining_bad_records(args.data_dir, args.eval_data):
        while True:
            try:
                batch_counts, batch_areas = session.run(fetches)
            except tf.errors.OutOfRangeError:
                break
            counts.append(batch_counts)
            areas.append(batch_areas)
    sums = np.sum(counts, axis=0, dtype=np.int64)
    return list(sums), metrics.Areas(*(np.concatenate(column) for column in zip(*areas)))


def _keep(checkpoint: str, total: metrics.Areas, images: int, args: Namespace) -> None:
    """Writes the figures into --eval_dir: metrics.json, and TensorBoard's scalars under the tags of training."""
    values = {summaries.PRECISION: float(metrics.precision(total)), summaries.DICE: float(metrics.dice(total))}
    step = checkpoints.step(checkpoint)
    report = {
        'exercise': args.exercise,
        'step': step,
        'file': inputs.record_file(args.data_dir, args.eval_data),
        'images': images,
        'background_precision': float(metrics.background_precision(total)),
        **values,
    }
    runs.follow(args.eval_dir, args.checkpoint_dir)
    with open(os.path.join(args.eval_dir, METRICS_FILE), 'w') as file:
        json.dump(report, file, indent=2, sort_keys=True)
        file.write('\n')

    # The training slices' figures would otherwise stand in the same curve as the validation slices'.
    events = args.eval_dir if args.eval_data == 'eval' else os.path.join(args.eval_dir, 'train_slices')
    with tf.summary.FileWriter(events, tf.get_default_graph()) as writer:
        writer.add_summary(summaries.scalars(**values), step)
