"""What an evaluation leaves behind: lines to read, metrics.json, per_slice.csv, and what TensorBoard shows of it."""

import csv
import os
from argparse import Namespace
from typing import Any, Dict, List, NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf

from lvseg import inputs, metrics, pictures, runs, summaries

METRICS_FILE = 'metrics.json'
PER_SLICE_FILE = 'per_slice.csv'

_MANIFEST = 'manifest.csv'  # What data_prep writes beside the records: a line for each, in their order.
_MANIFEST_SPLITS = {'train': 'train', 'eval': 'val'}

_PER_SLICE = {'dice': metrics.dice, 'iou': metrics.iou, 'sensitivity': metrics.sensitivity}
_WRITTEN = {'dice': 'Dice', 'iou': 'IoU', 'sensitivity': 'sensitivity'}


class Evaluation(NamedTuple):
    """What was found out about one checkpoint."""

    step: int
    slices: metrics.Areas  # [slices]
    probability_counts: np.ndarray  # int64 [2, thresholds], of all slices' pixels (metrics.probability_counts)
    examples: Dict[str, pictures.Slice]  # by tag


def per_slice(slices: metrics.Areas) -> Dict[str, Dict[str, float]]:
    """Mean and standard deviation of Dice, IoU and sensitivity over the slices, and how many predictions are empty.

    An empty prediction scores 0 in all three, unless the expert labelled nothing there either: then it scores 1.
    All slices are in the mean. The standard deviation is that of these slices: the sum of squares is divided by their
    number.
    """
    empty = int(np.sum(slices.predicted == 0))
    return {
        name: {
            'mean': float(np.mean(measure(slices))),
            'standard_deviation': float(np.std(measure(slices))),
            'empty_predictions': empty,
        }
        for name, measure in _PER_SLICE.items()
    }


def lines(slices: metrics.Areas) -> List[str]:
    """What runEval.py prints below the lab's two lines."""
    number = len(slices.total)
    background = metrics.pooled(slices)._replace(intersection=0, predicted=0)
    return [
        f'OUTPUT: {_WRITTEN[name]} per slice = {found["mean"]:.3f} +- {found["standard_deviation"]:.3f} '
        f'(mean +- standard deviation; {found["empty_predictions"]} of {number} slices with an empty prediction)'
        for name, found in per_slice(slices).items()
    ] + [
        f'OUTPUT: calling every pixel background: precision = {metrics.precision(background):.3f}, '
        f'Dice = {metrics.dice(background):.3f}'
    ]


def keep(found: Evaluation, args: Namespace) -> None:
    """Writes everything into --eval_dir.

    Raises:
        LabError: it cannot be written.
    """
    figures = summaries.figures(metrics.pooled(found.slices))
    with runs.writing(args.eval_dir):
        runs.save_json(os.path.join(args.eval_dir, METRICS_FILE), _metrics(found, figures, args))
        _write_per_slice(os.path.join(args.eval_dir, PER_SLICE_FILE), found.slices, _names(found.slices, args))
    _write_events(found, figures, args)


def _metrics(found: Evaluation, figures: Dict[str, float], args: Namespace) -> Dict[str, Any]:
    return {
        'exercise': args.exercise,
        'step': found.step,
        'file': inputs.record_file(args.data_dir, args.eval_data),
        'images': len(found.slices.total),
        'background_precision': float(metrics.background_precision(metrics.pooled(found.slices))),
        'per_slice': per_slice(found.slices),
        **figures,
    }


def _write_per_slice(path: str, slices: metrics.Areas, names: List[str]) -> None:
    measured = [measure(slices) for measure in _PER_SLICE.values()]
    with open(path, 'w', encoding='utf-8', errors='surrogateescape', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(['record', 'name', 'labelled', 'predicted', 'intersection', *_PER_SLICE])
        for number, row in enumerate(zip(names, slices.labelled, slices.predicted, slices.intersection, *measured)):
            writer.writerow([number + 1, *row[:4], *(f'{value:.4f}' for value in row[4:])])


def _names(slices: metrics.Areas, args: Namespace) -> List[str]:
    """The slices' names by the manifest beside the records, as far as the areas it tells are theirs; else empty."""
    unknown = [''] * len(slices.labelled)
    path = os.path.join(args.data_dir, _MANIFEST)
    if not os.path.isfile(path):
        return unknown
    with open(path, encoding='utf-8', errors='surrogateescape', newline='') as file:
        rows = [row for row in csv.DictReader(file) if row.get('split') == _MANIFEST_SPLITS[args.eval_data]]
    if [row.get('lv_pixels') for row in rows] != [str(area) for area in slices.labelled]:
        return unknown
    return [row['name'] for row in rows]


def _write_events(found: Evaluation, figures: Dict[str, float], args: Namespace) -> None:
    # The training slices' figures would otherwise stand in the same curve as the validation slices'.
    directory = args.eval_dir if args.eval_data == 'eval' else os.path.join(args.eval_dir, 'train_slices')
    dice = metrics.dice(found.slices)
    run = runs.load(args.checkpoint_dir) or {}
    # The step in the file's name, which else tells the second only, so that two quick evaluations have one each.
    with tf.summary.FileWriter(directory, tf.get_default_graph(), filename_suffix=f'.step-{found.step:09d}') as writer:
        # Tells TensorBoard to forget an earlier evaluation of this checkpoint.
        writer.add_session_log(tf.SessionLog(status=tf.SessionLog.START), found.step)
        writer.add_summary(summaries.scalars(**figures), found.step)
        writer.add_summary(summaries.dice_histogram(dice), found.step)
        writer.add_summary(summaries.pr_curve(found.probability_counts), found.step)
        for tag, example in found.examples.items():
            caption = f'Dice {metrics.dice(metrics.mask_areas(example.label, example.prediction)):.3f}'
            writer.add_summary(summaries.picture(tag, example, caption), found.step)
        for summary in summaries.hparams({**run, 'eval_data': args.eval_data}, _row_name(run, args)):
            writer.add_summary(summary)


def _row_name(run: Dict[str, Any], args: Namespace) -> str:
    return f'{run.get("started", "")[:19]} {args.eval_data}'  # The time to the second.
