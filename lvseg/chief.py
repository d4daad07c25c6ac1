"""What the chief does for a training: the one process that claims the directory, saves, writes events and prints.

There is only one process yet; where several train together, the others make steps and do nothing of this.
"""

import sys
import time
from contextlib import contextmanager
from typing import Callable, Iterator, List, NamedTuple

from lvseg import checkpoints, events, progress, runs, summaries, validation
from lvseg.errors import LabError, one_line
from lvseg.hooks import StepHook
from lvseg.runs import Run

import numpy as np
import tensorflow.compat.v1 as tf

REPORT_STEPS = 100
_CHECKPOINT_STEPS = 1000

# By which the search knows a training that has come to nothing from one that failed.
DIVERGED = 'training has diverged'

# The fully connected network's checkpoint takes 403 MB; the newest is what counts, the one before is for safety.
_CHECKPOINTS_KEPT = 2


class Duties(NamedTuple):
    """What the chief adds to a training session."""

    scaffold: tf.train.Scaffold
    hooks: List[tf.train.SessionRunHook]
    steps_made: Callable[[], int]


@contextmanager
def duties(step: tf.Tensor, loss: tf.Tensor, inference: Callable[..., tf.Tensor], described: Run) -> Iterator[Duties]:
    """Holds the run's directory and its event file as long as the training lasts.

    Args:
        step: makes a step (lvseg.hooks.step_made).
        loss: float32 scalar, the loss of that step's batch.
        inference: makes the network once more for --eval_every.
        described: the run.

    Raises:
        LabError: the directory cannot be used, or --init_from has no weights for this network.
    """
    saver = tf.train.Saver(max_to_keep=_CHECKPOINTS_KEPT)
    # Read before the run claims its directory: it may be that of the earlier run, which is then moved aside.
    initial = _initial_weights(described)
    reporter = _Reporter(step, loss)
    validations = [validation.Validation(step, inference, described)] if described.eval_every else []
    bar = progress.TrainingBar(step, loss, described)
    with runs.claim(described), events.EventFile(described.checkpoint_dir) as curves, bar:
        scaffold = _scaffold(saver, described)
        summing_up = tf.train.SummarySaverHook(REPORT_STEPS, summary_writer=curves, scaffold=scaffold)
        saving = _Checkpoints(step, saver, described.checkpoint_dir)
        rate = _StepRate(step, curves)
        yield Duties(
            scaffold,
            [summing_up, *initial, reporter, rate, bar, saving, *validations],
            lambda: reporter.steps,
        )


def _scaffold(saver: tf.train.Saver, described: Run) -> tf.train.Scaffold:
    """Starts the session from the newest checkpoint, if a run is to go on that has one."""
    checkpoint = checkpoints.newest(described.checkpoint_dir)
    if checkpoint is None:
        return tf.train.Scaffold(saver=saver)
    return tf.train.Scaffold(
        saver=saver,
        init_op=tf.no_op(),
        init_fn=lambda _, session: checkpoints.resume(session, saver, checkpoint, described.exercise),
    )


def _initial_weights(described: Run) -> List[tf.train.SessionRunHook]:
    """What starts the run from --init_from; once a checkpoint is saved, it has those weights."""
    saved = described.resume and checkpoints.newest(described.checkpoint_dir) is not None
    return [_InitialWeights(described.init_from)] if described.init_from and not saved else []


class _InitialWeights(tf.train.SessionRunHook):
    """Starts from another run's weights, as far as they fit; says which do not."""

    def __init__(self, path: str) -> None:
        self._values, missing = checkpoints.fitting_weights(path)
        print(one_line(f'Starting from {path}: {len(self._values)} variables are taken.'), file=sys.stderr)
        if missing:
            print(f'Not there, or of another shape, so started at random: {", ".join(missing)}.', file=sys.stderr)

    def after_create_session(self, session: tf.Session, coord: tf.train.Coordinator) -> None:
        checkpoints.assign(session, self._values)


class _Reporter(StepHook):
    """Prints the lab's line every 100 steps, and stops a training that has diverged."""

    def __init__(self, step: tf.Tensor, loss: tf.Tensor) -> None:
        super().__init__(step, loss=loss)

    def before_run(self, run_context: tf.train.SessionRunContext) -> tf.train.SessionRunArgs:
        self._started = time.time()
        return super().before_run(run_context)

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        duration = time.time() - self._started
        super().after_run(run_context, run_values)
        loss, number = run_values.results['loss'], self.steps - 1  # The first step is step 0.
        if not np.isfinite(loss):
            raise _diverged(f'the loss is {loss} at step {number}')
        if number % REPORT_STEPS == 0:
            progress.say(f'OUTPUT: Step {number}: loss = {loss:.3f} ({duration:.3f} sec)')


class _StepRate(StepHook):
    """Writes the graph, and the steps per second of the last 100 steps, for TensorBoard."""

    def __init__(self, step: tf.Tensor, curves: events.EventFile) -> None:
        super().__init__(step)
        self._curves = curves
        self._timer = tf.train.SecondOrStepTimer(every_steps=REPORT_STEPS)

    def after_create_session(self, session: tf.Session, coord: tf.train.Coordinator) -> None:
        super().after_create_session(session, coord)
        self._curves.add_graph(session.graph)

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        super().after_run(run_context, run_values)
        if not self._timer.should_trigger_for_step(self.steps):
            return
        seconds, steps = self._timer.update_last_triggered_step(self.steps)
        if seconds is not None:
            self._curves.add_summary(summaries.scalars(**{summaries.STEPS_PER_SECOND: steps / seconds}), self.steps)


class _Checkpoints(StepHook):
    """Saves at the start, every 1000 steps and at the end, but never weights of which one is not finite."""

    def __init__(self, step: tf.Tensor, saver: tf.train.Saver, directory: str) -> None:
        super().__init__(step)
        self._saver = saver
        self._directory = directory

    def begin(self) -> None:
        with tf.name_scope('finite'):
            self._finite = tf.reduce_all([tf.reduce_all(tf.is_finite(weights)) for weights in tf.trainable_variables()])

    def after_create_session(self, session: tf.Session, coord: tf.train.Coordinator) -> None:
        super().after_create_session(session, coord)
        self._saved_step = self.steps
        # A run that goes on has its checkpoint; were it written again, a kill in the middle would leave none.
        if checkpoints.newest(self._directory) is None:
            self._save(session)

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        super().after_run(run_context, run_values)
        if self.steps % _CHECKPOINT_STEPS == 0:
            self._save(run_context.session)

    def end(self, session: tf.Session) -> None:
        if self.steps != self._saved_step:
            self._save(session)

    def _save(self, session: tf.Session) -> None:
        # The weights can be lost in a step whose loss, computed before, was still finite.
        if not session.run(self._finite):
            raise _diverged(f'a weight is no longer finite after {self.steps} steps')
        checkpoints.save(session, self._saver, self._directory, self.steps)
        self._saved_step = self.steps


def _diverged(what: str) -> LabError:
    return LabError(f'{what}: {DIVERGED}. The last good checkpoint is kept. Try a lower --learning_rate.')
