"""What an evaluation leaves behind: lines to read, metrics.json, per_slice.csv, and what TensorBoard shows of it."""

import csv
import math
import os
from argparse import Namespace
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

from lvseg import distances, events, files, layout, manifest, metrics, pictures, project, runs, summaries

import numpy as np
import tensorflow.compat.v1 as tf

METRICS_FILE = 'metrics.json'
PER_SLICE_FILE = 'per_slice.csv'

_PER_SLICE = {'dice': metrics.dice, 'iou': metrics.iou, 'sensitivity': metrics.sensitivity}
# Distances are empty where one of the two contours is missing; the unit is that of the distances.
_CONTOUR_COLUMNS = ['average_perpendicular_distance', 'hausdorff_distance', 'pixel_spacing', 'distance_unit']
_WRITTEN = {'dice': 'Dice', 'iou': 'IoU', 'sensitivity': 'sensitivity'}


class Evaluation(NamedTuple):
    """What was found out about one checkpoint."""

    step: int
    slices: metrics.Areas  # [slices]
    contours: List[distances.Distances]  # of each slice, in mm where its line of the manifest has a spacing
    manifest: List[Dict[str, str]]  # the line of each slice; {} where no manifest of these records is there
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


def contours(found: Evaluation) -> Dict[str, Dict[str, Any]]:
    """What the distances between the contours come to: 'mm' and 'pixels' apart, each only if it has slices.

    Means are over all slices that have both contours; published tables of the challenge of 2009 average over the good
    ones alone, and so look better.

    Returns for each unit:
        slices: how many there are.
        both_contours: in how many of them there are both, the expert's and a predicted one; only there are distances.
        average_perpendicular_distance, hausdorff_distance: mean and standard deviation over these; None without any.
        and in mm only, as the challenge has no measure in pixels:
        good: the share of contours whose average perpendicular distance is below 5 mm; None without any contour.
        contours: of how many. A slice counts if there is a contour on it, predicted or the expert's; where one of the
            two is missing, it is not good. Where both are, there is nothing to judge.
    """
    spacings = [manifest.spacing(line) for line in found.manifest]
    groups = {
        'mm': [number for number, spacing in enumerate(spacings) if spacing],
        'pixels': [number for number, spacing in enumerate(spacings) if not spacing],
    }
    return {unit: _contours_of(found, numbers, unit) for unit, numbers in groups.items() if numbers}


def _contours_of(found: Evaluation, numbers: List[int], unit: str) -> Dict[str, Any]:
    chosen = [found.contours[number] for number in numbers]
    both = [distance for distance in chosen if not math.isnan(distance.average)]
    summary = {
        'slices': len(chosen),
        'both_contours': len(both),
        'average_perpendicular_distance': _mean([distance.average for distance in both]),
        'hausdorff_distance': _mean([distance.hausdorff for distance in both]),
    }
    if unit == 'mm':
        drawn = int(np.sum((found.slices.labelled[numbers] > 0) | (found.slices.predicted[numbers] > 0)))
        good = sum(distance.average < distances.GOOD for distance in both)
        summary.update(contours=drawn, good=good / drawn if drawn else None)
    return summary


def _mean(values: List[float]) -> Dict[str, Optional[float]]:
    if not values:
        return {'mean': None, 'standard_deviation': None}
    return {'mean': float(np.mean(values)), 'standard_deviation': float(np.std(values))}


def lines(found: Evaluation) -> List[str]:
    """What runEval.py prints below the lab's two lines."""
    number = len(found.slices.total)
    background = metrics.pooled(found.slices)._replace(intersection=0, predicted=0)
    return [
        *(
            f'OUTPUT: {_WRITTEN[name]} per slice = {values["mean"]:.3f} +- {values["standard_deviation"]:.3f} '
            f'(mean +- standard deviation; {values["empty_predictions"]} of {number} slices with an empty prediction)'
            for name, values in per_slice(found.slices).items()
        ),
        *(_contour_line(unit, values) for unit, values in contours(found).items()),
        f'OUTPUT: calling every pixel background: precision = {metrics.precision(background):.3f}, '
        f'Dice = {metrics.dice(background):.3f}',
    ]


def _contour_line(unit: str, values: Dict[str, Any]) -> str:
    measured, slices = values['both_contours'], values['slices']
    if not measured:
        return f'OUTPUT: contours: no distances, since none of {slices} slices has both contours, predicted and expert'
    average, hausdorff = (values[name]['mean'] for name in ('average_perpendicular_distance', 'hausdorff_distance'))
    good = f'; {values["good"]:.0%} good (below {distances.GOOD:.0f} mm)' if unit == 'mm' else ''
    return (
        f'OUTPUT: contours: average perpendicular distance = {average:.2f} {unit}, Hausdorff distance = '
        f'{hausdorff:.2f} {unit} (means over {measured} of {slices} slices, those with both contours){good}'
    )


def keep(found: Evaluation, args: Namespace) -> None:
    """Writes everything into --eval_dir.

    Raises:
        LabError: it cannot be written.
    """
    figures = summaries.figures(metrics.pooled(found.slices))
    with runs.writing(args.eval_dir):
        runs.save_json(os.path.join(args.eval_dir, METRICS_FILE), _metrics(found, figures, args))
        _write_per_slice(os.path.join(args.eval_dir, PER_SLICE_FILE), found)
    _write_events(found, figures, args)


def _metrics(found: Evaluation, figures: Dict[str, float], args: Namespace) -> Dict[str, Any]:
    return {
        'exercise': args.exercise,
        'step': found.step,
        'file': project.told(layout.record_file(args.data_dir, args.eval_data)),
        'images': len(found.slices.total),
        'background_precision': float(metrics.background_precision(metrics.pooled(found.slices))),
        'per_slice': per_slice(found.slices),
        'contours': contours(found),
        **figures,
    }


def _write_per_slice(path: str, found: Evaluation) -> None:
    areas = zip(found.slices.labelled, found.slices.predicted, found.slices.intersection)
    measured = zip(*(measure(found.slices) for measure in _PER_SLICE.values()))
    with files.replacing(path, encoding='utf-8', errors='surrogateescape', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(['record', 'name', 'labelled', 'predicted', 'intersection', *_PER_SLICE, *_CONTOUR_COLUMNS])
        for number, row in enumerate(zip(found.manifest, areas, measured, found.contours), start=1):
            line, area, figures, contour = row
            spacing = manifest.spacing(line)
            decimals = ['' if math.isnan(value) else f'{value:.4f}' for value in (*figures, *contour)]
            unit = [manifest.spacing_text(spacing), 'mm' if spacing else 'pixels']
            writer.writerow([number, manifest.cell(line.get('name', '')), *area, *decimals, *unit])


def read_per_slice(path: Path) -> List[Dict[str, str]]:
    """The lines of a PER_SLICE_FILE, by its columns."""
    with path.open(encoding='utf-8', errors='surrogateescape', newline='') as file:
        return list(csv.DictReader(file))


def _write_events(found: Evaluation, figures: Dict[str, float], args: Namespace) -> None:
    # The training slices' figures would otherwise stand in the same curve as the validation slices'.
    directory = args.eval_dir if args.eval_data == 'eval' else os.path.join(args.eval_dir, 'train_slices')
    dice = metrics.dice(found.slices)
    run = runs.load(args.checkpoint_dir) or {}
    with events.whole(directory) as writer:
        writer.add_graph(tf.get_default_graph())
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
    return f'{run.get("started", "")[:23]} {args.eval_data}'  # To the millisecond: quick runs share a second.
