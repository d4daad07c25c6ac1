"""The training session: one loop for all exercises; what happens every N steps lives in hooks around it."""

import signal
import sys
import time
from argparse import Namespace
from typing import Optional

import numpy as np
import tensorflow.compat.v1 as tf

from lvseg import device, inputs, runs, summaries
from lvseg.errors import LabError

_REPORT_STEPS = 100
_CHECKPOINT_STEPS = 1000

# The fully connected network's checkpoint takes 403 MB; the newest is what counts, the one before is for safety.
_CHECKPOINTS_KEPT = 2


def run(train_op: tf.Operation, loss: tf.Tensor, args: Namespace) -> None:
    """Runs train_op until the input is used up, or until Ctrl-C or SIGTERM; writes checkpoints and TensorBoard events.

    Args:
        train_op: makes one training step, and counts it in the global step.
        loss: float32 scalar, the loss of that step's batch.
        args: the flags (lvseg.flags.training).

    Raises:
        LabError: the checkpoint directory cannot be used, a record cannot be read, or the loss is no longer finite.
        SystemExit: interrupted, with 128 + the signal's number as the shell's convention has it.
    """
    device.announce()
    reporter = _Reporter(loss)
    interruption = _Interruption()
    with runs.claim(args), inputs.explaining_bad_records(args.data_dir, 'train'), tf.train.MonitoredTrainingSession(
        checkpoint_dir=args.checkpoint_dir,
        scaffold=tf.train.Scaffold(saver=tf.train.Saver(max_to_keep=_CHECKPOINTS_KEPT)),
        hooks=[reporter, _StepRate(args.checkpoint_dir), interruption],
        save_checkpoint_steps=_CHECKPOINT_STEPS,
        save_summaries_steps=_REPORT_STEPS,
        log_step_count_steps=None,
        config=device.session_config(),
    ) as session:
        while not session.should_stop():
            session.run(train_op)

    if interruption.signal_number is not None:
        print(f'OUTPUT: Interrupted at step {reporter.step}, checkpoint saved.', flush=True)
        sys.exit(128 + interruption.signal_number)
    print(f'OUTPUT: Done training for {args.num_epochs} epochs, {reporter.step} steps.', flush=True)


class _Reporter(tf.train.SessionRunHook):
    """Counts the steps, prints the lab's line every 100 of them, and stops a training that has diverged."""

    def __init__(self, loss: tf.Tensor) -> None:
        self.step = 0
        self._loss = loss

    def after_create_session(self, session: tf.Session, coord: tf.train.Coordinator) -> None:
        self.step = int(session.run(tf.train.get_global_step()))

    def before_run(self, run_context: tf.train.SessionRunContext) -> tf.train.SessionRunArgs:
        self._started = time.time()
        return tf.train.SessionRunArgs(self._loss)

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        loss, duration = run_values.results, time.time() - self._started
        if not np.isfinite(loss):
            raise LabError(
                f'the loss is {loss} at step {self.step}: training has diverged. The checkpoints made before are kept. '
                'Try a lower --learning_rate.'
            )
        if self.step % _REPORT_STEPS == 0:
            print(f'OUTPUT: Step {self.step}: loss = {loss:.3f} ({duration:.3f} sec)', flush=True)
        self.step += 1


class _StepRate(tf.train.SessionRunHook):
    """Writes the steps per second of the last 100 steps for TensorBoard."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._timer = tf.train.SecondOrStepTimer(every_steps=_REPORT_STEPS)

    def begin(self) -> None:
        self._writer = tf.summary.FileWriterCache.get(self._directory)
        self._global_step = tf.train.get_global_step()

    def after_create_session(self, session: tf.Session, coord: tf.train.Coordinator) -> None:
        # Tells TensorBoard to forget what a killed run wrote after the checkpoint that this one goes on from.
        start = tf.SessionLog(status=tf.SessionLog.START)
        self._writer.add_session_log(start, int(session.run(self._global_step)))

    def before_run(self, run_context: tf.train.SessionRunContext) -> tf.train.SessionRunArgs:
        return tf.train.SessionRunArgs(self._global_step)

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        step = run_values.results
        if not self._timer.should_trigger_for_step(step):
            return
        seconds, steps = self._timer.update_last_triggered_step(step)
        if seconds is not None:
            self._writer.add_summary(summaries.scalars(**{summaries.STEPS_PER_SECOND: steps / seconds}), step)


class _Interruption(tf.train.SessionRunHook):
    """Ends the training after the current step on Ctrl-C or SIGTERM; the session then saves its checkpoint."""

    def __init__(self) -> None:
        self.signal_number: Optional[int] = None

    def begin(self) -> None:
        self._earlier = {number: signal.signal(number, self._remember) for number in (signal.SIGINT, signal.SIGTERM)}

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        if self.signal_number is not None:
            run_context.request_stop()

    def end(self, session: tf.Session) -> None:
        for number, handler in self._earlier.items():
            signal.signal(number, handler)

    def _remember(self, number: int, frame: object) -> None:
        self.signal_number = number
