"""The training session: one loop for all exercises; what happens every N steps lives in hooks around it."""

import contextlib
import signal
import sys
import time
from argparse import Namespace
from typing import Callable, List, Optional

from lvseg import checkpoints, device, inputs, progress, runs, summaries, validation
from lvseg.errors import LabError
from lvseg.hooks import CountingHook

import numpy as np
import tensorflow.compat.v1 as tf

_REPORT_STEPS = 100
_CHECKPOINT_STEPS = 1000

# The fully connected network's checkpoint takes 403 MB; the newest is what counts, the one before is for safety.
_CHECKPOINTS_KEPT = 2


def run(train_op: tf.Operation, loss: tf.Tensor, inference: Callable[..., tf.Tensor], args: Namespace) -> None:
    """Runs train_op until the input is used up, or until Ctrl-C or SIGTERM; writes checkpoints and TensorBoard events.

    Args:
        train_op: makes one training step, and counts it in the global step.
        loss: float32 scalar, the loss of that step's batch.
        inference: makes the network, from images to class scores, once more for --eval_every.
        args: the flags (lvseg.flags.training).

    Raises:
        LabError: the checkpoint directory cannot be used, a record cannot be read, or the loss is no longer finite.
        SystemExit: interrupted, with 128 + the signal's number as the shell's convention has it.
    """
    device.announce()
    saver = tf.train.Saver(max_to_keep=_CHECKPOINTS_KEPT, save_relative_paths=True)
    # Read before the run claims its directory: it may be that of the earlier run, which is then moved aside.
    initial = _initial_weights(args)
    reporter = _Reporter(loss)
    validations = [validation.Validation(inference, args)] if args.eval_every else []
    scaffold = tf.train.Scaffold(saver=saver)
    with _Interruption() as interruption, runs.claim(args), summaries.event_file(args.checkpoint_dir) as events:
        summing_up = tf.train.SummarySaverHook(_REPORT_STEPS, summary_writer=events, scaffold=scaffold)
        saving = _Checkpoints(saver, events, args.checkpoint_dir)
        bar = progress.TrainingBar(loss, args)
        hooks = [summing_up, *initial, reporter, _StepRate(events), bar, saving, *validations, interruption]
        session = _session(scaffold, hooks, args)
        with bar, inputs.explaining_bad_records(args.data_dir, 'train'), session:
            while not session.should_stop():
                session.run(train_op)

    if interruption.signal_number is not None:
        print(f'OUTPUT: Interrupted at step {reporter.step}, checkpoint saved.', flush=True)
        sys.exit(128 + interruption.signal_number)
    print(f'OUTPUT: Done training for {args.num_epochs} epochs, {reporter.step} steps.', flush=True)


def _session(
    scaffold: tf.train.Scaffold, hooks: List[tf.train.SessionRunHook], args: Namespace
) -> tf.train.MonitoredSession:
    """A session with fresh variables, or with those of the checkpoint to go on from."""
    checkpoint = checkpoints.newest(args.checkpoint_dir)
    if checkpoint is not None:
        checkpoints.check_network(checkpoint, args.exercise)
        checkpoints.remove_unfinished(args.checkpoint_dir)
    with contextlib.nullcontext() if checkpoint is None else checkpoints.explaining_damage(checkpoint):
        return tf.train.MonitoredTrainingSession(
            checkpoint_dir=args.checkpoint_dir,
            scaffold=scaffold,
            hooks=hooks,
            save_checkpoint_steps=None,  # _Checkpoints does it.
            save_checkpoint_secs=None,
            save_summaries_steps=None,  # A hook of ours does it, to share the event file.
            save_summaries_secs=None,
            log_step_count_steps=None,
            config=device.session_config(),
        )


def _initial_weights(args: Namespace) -> List[tf.train.SessionRunHook]:
    """What starts the run from --init_from; once a checkpoint is saved, it has those weights."""
    if args.resume:
        args.init_from = (runs.load(args.checkpoint_dir) or {}).get('init_from')
    saved = args.resume and checkpoints.newest(args.checkpoint_dir) is not None
    return [_InitialWeights(args.init_from)] if args.init_from and not saved else []


class _InitialWeights(tf.train.SessionRunHook):
    """Starts from another run's weights, as far as they fit; says which do not."""

    def __init__(self, path: str) -> None:
        self._values, missing = checkpoints.fitting_weights(path)
        print(f'Starting from {path}: {len(self._values)} variables are taken.', file=sys.stderr)
        if missing:
            print(f'Not there, or of another shape, so started at random: {", ".join(missing)}.', file=sys.stderr)

    def after_create_session(self, session: tf.Session, coord: tf.train.Coordinator) -> None:
        for variable in tf.global_variables():
            if variable.op.name in self._values:
                variable.load(self._values[variable.op.name], session)


class _Reporter(CountingHook):
    """Prints the lab's line every 100 steps, and stops a training that has diverged."""

    def __init__(self, loss: tf.Tensor) -> None:
        self._loss = loss

    def before_run(self, run_context: tf.train.SessionRunContext) -> tf.train.SessionRunArgs:
        self._started = time.time()
        return tf.train.SessionRunArgs(self._loss)

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        loss, duration = run_values.results, time.time() - self._started
        if not np.isfinite(loss):
            raise _diverged(f'the loss is {loss} at step {self.step}')
        if self.step % _REPORT_STEPS == 0:
            progress.say(f'OUTPUT: Step {self.step}: loss = {loss:.3f} ({duration:.3f} sec)')
        super().after_run(run_context, run_values)


class _StepRate(CountingHook):
    """Writes the graph, and the steps per second of the last 100 steps, for TensorBoard."""

    def __init__(self, events: tf.summary.FileWriter) -> None:
        self._events = events
        self._timer = tf.train.SecondOrStepTimer(every_steps=_REPORT_STEPS)

    def after_create_session(self, session: tf.Session, coord: tf.train.Coordinator) -> None:
        super().after_create_session(session, coord)
        self._events.add_graph(session.graph)

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        super().after_run(run_context, run_values)
        if not self._timer.should_trigger_for_step(self.step):
            return
        seconds, steps = self._timer.update_last_triggered_step(self.step)
        if seconds is not None:
            self._events.add_summary(summaries.scalars(**{summaries.STEPS_PER_SECOND: steps / seconds}), self.step)


class _Checkpoints(CountingHook):
    """Saves at the start, every 1000 steps and at the end, but never weights of which one is not finite."""

    def __init__(self, saver: tf.train.Saver, events: tf.summary.FileWriter, directory: str) -> None:
        self._saver = saver
        self._events = events
        self._directory = directory

    def begin(self) -> None:
        with tf.name_scope('finite'):
            self._finite = tf.reduce_all([tf.reduce_all(tf.is_finite(weights)) for weights in tf.trainable_variables()])

    def after_create_session(self, session: tf.Session, coord: tf.train.Coordinator) -> None:
        super().after_create_session(session, coord)
        self._saved_step = self.step
        # A run that goes on has its checkpoint; were it written again, a kill in the middle would leave none.
        if checkpoints.newest(self._directory) is None:
            self._save(session)

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        super().after_run(run_context, run_values)
        if self.step % _CHECKPOINT_STEPS == 0:
            self._save(run_context.session)

    def end(self, session: tf.Session) -> None:
        if self.step != self._saved_step:
            self._save(session)

    def _save(self, session: tf.Session) -> None:
        # The weights can be lost in a step whose loss, computed before, was still finite.
        if not session.run(self._finite):
            raise _diverged(f'a weight is no longer finite after {self.step} steps')
        # A run that goes on from here after a kill goes on with its curves, too.
        self._events.flush()
        checkpoints.save(session, self._saver, self._directory, self.step)
        self._saved_step = self.step


class _Interruption(tf.train.SessionRunHook):
    """Ends the training after the current step on Ctrl-C or SIGTERM; the session then saves its checkpoint."""

    signal_number: Optional[int] = None

    def __enter__(self) -> '_Interruption':
        self._earlier = {number: signal.signal(number, self._remember) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._earlier.items():
            signal.signal(number, handler)

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        if self.signal_number is not None:
            run_context.request_stop()

    def _remember(self, number: int, frame: object) -> None:
        self.signal_number = number


def _diverged(what: str) -> LabError:
    return LabError(f'{what}: training has diverged. The last good checkpoint is kept. Try a lower --learning_rate.')
