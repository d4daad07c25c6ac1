"""The evaluation session: restores the newest checkpoint, sums over all slices, prints and keeps the figures."""

import os
import shlex
import sys
import time
from argparse import Namespace
from datetime import datetime
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence

from lvseg import (
    checkpoints,
    device,
    distances,
    field_report,
    inputs,
    layout,
    manifest,
    metrics,
    mistakes,
    pictures,
    progress,
    records,
    reports,
    runs,
    summaries,
)
from lvseg.errors import LabError, one_line
from lvseg.flags import Flag

import numpy as np
import tensorflow.compat.v1 as tf


def run(
    counts: List[tf.Tensor],
    figure: Callable[..., str],
    images: tf.Tensor,
    labels: tf.Tensor,
    logits: tf.Tensor,
    args: Namespace,
    **choices: Any,  # noqa: ANN401 - as the flags have them
) -> None:
    """Evaluates the newest checkpoint; with --run_once false, every newer one too, until interrupted.

    Args:
        counts: int32 scalars, pixel counts of one batch.
        figure: makes the lab's figure, such as 'precision = 0.983', of the number of pixels and the counts' sums.
        images: float32 [batch, 256, 256].
        labels: uint8 [batch, 256, 256], 0 or 1.
        logits: float32 [batch, 256, 256, 2], class scores.
        args: the flags (lvseg.flags.evaluation).
        choices: what the graph was built with, as `trained_with` has found it.

    Raises:
        LabError: no checkpoint, one of another network, or a directory that cannot be written.
    """
    device.announce()
    evaluator = _Evaluator(counts, figure, images, labels, logits, args)
    evaluated = None
    while True:
        checkpoint = _wait_for_checkpoint(args)
        if checkpoint != evaluated:
            _check_choices(checkpoint, choices)
            evaluator.evaluate(checkpoint)
            evaluated = checkpoint
        if args.run_once:
            return
        time.sleep(args.eval_interval_secs)


def results(session: tf.Session, fetches: Any, data_dir: str, split: str) -> Iterator[Any]:  # noqa: ANN401 - as run
    """Runs the fetches for one batch of the evaluated slices after another, until there are no more.

    Raises:
        LabError: a record cannot be read.
    """
    while True:
        try:
            with inputs.explaining_bad_records(data_dir, split):
                batch = session.run(fetches)
        except tf.errors.OutOfRangeError:
            return
        yield batch


def trained_with(args: Namespace, added: Sequence[Flag]) -> Dict[str, Any]:
    """What the inference of the run to be evaluated was called with; waits for the run with --run_once false.

    Args:
        args: the flags (lvseg.flags.evaluation).
        added: the flags that the exercise adds to the lab's; those for inference are looked up.

    Raises:
        LabError: no checkpoint, one of another exercise, or trained with a choice that is not offered here.
    """
    checkpoint = _wait_for_checkpoint(args)
    run = runs.load(os.path.dirname(checkpoint)) or {}
    runs.check_exercise(run, args.exercise)
    return runs.for_inference(args.checkpoint_dir, run, added)


def _check_choices(checkpoint: str, choices: Dict[str, Any]) -> None:
    """Raises LabError if a fresh start of other choices has taken the place of the run that the graph was built for."""
    directory = os.path.dirname(checkpoint)
    run = runs.load(directory) or {}
    for flag, choice in choices.items():
        if run.get(flag) != choice:
            raise LabError(
                f'another run stands in {directory} now, with --{flag} {run.get(flag)} in place of {choice}. '
                'Start runEval.py again.'
            )


def _wait_for_checkpoint(args: Namespace) -> str:
    checkpoint = checkpoints.newest(args.checkpoint_dir)
    if checkpoint is None and args.run_once:
        script, data, run = map(shlex.quote, (_training_script(), args.data_dir, args.checkpoint_dir))
        raise LabError(
            f'no checkpoint in {args.checkpoint_dir}. Make one with: '
            f'python {script} --data_dir {data} --checkpoint_dir {run}'
        )
    if checkpoint is None:
        print(one_line(f'Waiting for a checkpoint in {args.checkpoint_dir} …'), file=sys.stderr, flush=True)
    while checkpoint is None:
        time.sleep(args.eval_interval_secs)
        checkpoint = checkpoints.newest(args.checkpoint_dir)
    return checkpoint


def _training_script() -> str:
    return os.path.join(os.path.dirname(sys.argv[0]), 'runTraining.py')


class _Sums(NamedTuple):
    """What was counted and measured of all slices."""

    counts: List[int]  # Summed over all batches.
    slices: metrics.Areas  # [slices]
    contours: List['_Contours']
    probability_counts: np.ndarray  # Summed over all slices.


class _Contours(NamedTuple):
    """Distances of one slice: that the manifest is of other records, and its spacings too, shows at the end only."""

    pixels: distances.Distances
    mm: Optional[distances.Distances]
    mistake: str  # of lvseg.mistakes.KINDS; '' where no report is wanted


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
            areas, probabilities = metrics.areas(logits, labels), metrics.probabilities(logits)
            self._fetches = [list(counts), areas, probabilities, self._predictions, labels]
        self._args = args
        self._file = layout.record_file(args.data_dir, args.eval_data)
        self._saver = tf.train.Saver()

    def evaluate(self, checkpoint: str) -> None:
        """Prints and keeps the figures."""
        # First of all, because by the end of a long evaluation a training may have removed the checkpoint.
        step = checkpoints.step(checkpoint)
        runs.follow(self._args.eval_dir, self._args.checkpoint_dir, self._args.data_dir)
        with tf.Session(config=device.session_config()) as session:
            checkpoints.restore(session, self._saver, checkpoint, self._args.exercise)
            lines = manifest.lines(self._args.data_dir, self._args.eval_data)
            sums = self._sums(session, iter(lines))
            slices = sums.slices
            if not manifest.fits(lines, slices.labelled):
                lines = [{}] * len(slices.labelled)
            contours = [one.mm if manifest.spacing(line) else one.pixels for one, line in zip(sums.contours, lines)]
            judged = field_report.Judged(
                slices, contours, lines, [one.mistake for one in sums.contours], self._beside() if lines[0] else []
            )
            examples = self._examples(session, metrics.dice(slices))
            worst = self._shown(session, field_report.worst(judged)) if self._args.report else {}
        found = reports.Evaluation(step, slices, contours, lines, sums.probability_counts, examples)

        print(f'OUTPUT: {datetime.now()}: {self._figure(metrics.pooled(slices).total, *sums.counts)}')
        print(one_line(f'OUTPUT: {len(slices.total)} images evaluated from file {self._file}'))
        print('\n'.join(reports.lines(found)), flush=True)
        reports.keep(found, self._args)
        if self._args.report:
            told = field_report.text(judged)
            print(f'\n{told}', flush=True)
            field_report.keep(judged, told, worst, self._args.eval_dir)

    def _beside(self) -> List[Dict[str, str]]:
        """The manifest's lines of the slices that are not evaluated."""
        (other,) = set(manifest.SPLITS) - {self._args.eval_data}
        return manifest.lines(self._args.data_dir, other)

    def _sums(self, session: tf.Session, lines: Iterator[Dict[str, str]]) -> _Sums:
        counts, areas, contours, probability_counts = [], [], [], np.zeros([2, metrics.THRESHOLDS], np.int64)
        with progress.bar(records.count(self._file), description='Evaluating') as bar:
            for batch in results(session, self._fetches, self._args.data_dir, self._args.eval_data):
                batch_counts, batch_areas, probability, predictions, labels = batch
                counts.append(batch_counts)
                areas.append(metrics.kept(batch_areas))
                probability_counts += metrics.probability_counts(probability, labels)
                contours += [
                    _contours(*masks, next(lines, {}), self._args.report) for masks in zip(predictions, labels)
                ]
                bar.update(len(labels))
        return _Sums(list(np.sum(counts, axis=0, dtype=np.int64)), metrics.joined(areas), contours, probability_counts)

    def _examples(self, session: tf.Session, dice: np.ndarray) -> Dict[str, pictures.Slice]:
        """The slices with the lowest, the median and the highest Dice, by their tags."""
        order = np.argsort(dice, kind='mergesort')
        numbers = {
            summaries.WORST_SLICE: order[0],
            summaries.MEDIAN_SLICE: order[(len(order) - 1) // 2],
            summaries.BEST_SLICE: order[-1],
        }
        shown = self._shown(session, numbers.values())
        return {tag: shown[number] for tag, number in numbers.items()}

    def _shown(self, session: tf.Session, numbers: Iterable[int]) -> Dict[int, pictures.Slice]:
        """The slices of these numbers with their predictions."""
        wanted = set(numbers)
        slices = {number: piece for number, piece in enumerate(records.read(self._file)) if number in wanted}
        return {number: self._predicted(session, *piece) for number, piece in slices.items()}

    def _predicted(self, session: tf.Session, image: np.ndarray, label: np.ndarray) -> pictures.Slice:
        batch = {self._images: image[np.newaxis] / records.PIXEL_SCALE}
        return pictures.Slice(image, label, session.run(self._predictions, batch)[0])


def _contours(prediction: np.ndarray, label: np.ndarray, line: Dict[str, str], report: bool) -> _Contours:
    spacing, pixels = manifest.spacing(line), distances.between(prediction, label)
    mistake = mistakes.kind(label, prediction) if report else ''
    if spacing is None:
        return _Contours(pixels, None, mistake)
    if spacing.rows == spacing.columns:  # Nearly always; measuring takes longer than multiplying.
        return _Contours(pixels, distances.Distances(*(spacing.rows * distance for distance in pixels)), mistake)
    return _Contours(pixels, distances.between(prediction, label, spacing), mistake)
