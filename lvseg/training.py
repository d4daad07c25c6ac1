"""The training session: one loop for all exercises; what happens every N steps lives in hooks around it."""

import contextlib
import os
import random
import signal
import stat
import sys
from argparse import Namespace
from typing import Callable, Iterator, List, Optional, Sequence

from lvseg import checkpoints, chief, device, inputs, runs, together
from lvseg.flags import Flag
from lvseg.runs import Run

import tensorflow.compat.v1 as tf


def describe(args: Namespace, added: Sequence[Flag] = ()) -> Run:
    """All that makes a training what it is, before its graph is built.

    Args:
        args: the flags of runTraining.py.
        added: those that the exercise adds to the lab's.

    Raises:
        LabError: no training file, a damaged one, or fewer slices than one batch; or the run that --resume is to go
            on with cannot be read; or the processes that are to train together (TF_CONFIG) do not agree.
    """
    team = together.join()
    with together.telling_of_errors(team):
        earlier = (runs.load(args.checkpoint_dir) if args.resume else None) or {}
        checkpoint = checkpoints.newest(args.checkpoint_dir) if args.resume else None
        settings = {
            **vars(args),
            'slices': inputs.count(args.data_dir, 'train', args.batch_size),
            'seed': _seed(args.seed, earlier.get('seed')),
            'init_from': earlier.get('init_from') if args.resume else args.init_from,
            'added_flags': [flag.name for flag in added],
        }
        run = Run(
            steps_done=0 if checkpoint is None else checkpoints.step(checkpoint),
            kept_on_resume={'batch_size': None, **{flag.name: flag.default for flag in added if flag.kept_on_resume}},
            for_inference={flag.name: settings[flag.name] for flag in added if flag.for_inference},
            settings=settings,
            **{name: settings[name] for name in Run._fields if name in settings},
        )
        return run if team is None else together.agree(run, args, team)


@contextlib.contextmanager
def graph(described: Run) -> Iterator[None]:
    """A new data flow graph, into which goes what is built herein; what is drawn at random follows the run's seed.

    Where several processes train together, each builds it, and only the weights are where all can reach them.

    Args:
        described: what `describe` found.
    """
    with tf.Graph().as_default(), together.graph(described):
        tf.set_random_seed(described.seed)
        yield


def run(train_op: tf.Operation, loss: tf.Tensor, inference: Callable[..., tf.Tensor], described: Run) -> None:
    """Runs train_op until the input is used up, or until Ctrl-C, SIGTERM or SIGHUP; writes checkpoints and events.

    Args:
        train_op: makes one training step, and counts it in the global step.
        loss: float32 scalar, the loss of that step's batch.
        inference: makes the network, from images to class scores, once more for --eval_every.
        described: what `describe` found.

    Raises:
        LabError: the checkpoint directory cannot be used, a record cannot be read, or the loss is no longer finite.
        SystemExit: interrupted, with 128 + the signal's number as the shell's convention has it.
    """
    step = together.step(train_op, described)
    if described.team is not None and not described.team.is_chief:
        together.work(step, described)
    device.announce()
    loss = together.loss_of_batch(loss)
    with _Interruption() as interruption, chief.duties(step, loss, inference, described) as duties:
        others = together.chief_hooks(step, described, interruption.remember)
        session = _session(duties.scaffold, [*duties.hooks, interruption, *others], described)
        with inputs.explaining_bad_records(described.data_dir, 'train'), session:
            while not session.should_stop():
                session.run(step)

    if interruption.signal_number is not None:
        print(f'OUTPUT: Interrupted at step {duties.steps_made()}, checkpoint saved.', flush=True)
        sys.exit(128 + interruption.signal_number)
    print(f'OUTPUT: Done training for {described.num_epochs} epochs, {duties.steps_made()} steps.', flush=True)


def _seed(wanted: Optional[int], earlier: Optional[int]) -> int:
    """That of --seed, or else of the run to be resumed, or else a new one."""
    known = [seed for seed in (wanted, earlier) if seed is not None]
    return known[0] if known else random.SystemRandom().randrange(2**31)


def _session(
    scaffold: tf.train.Scaffold, around: List[tf.train.SessionRunHook], described: Run
) -> tf.train.MonitoredSession:
    """A session with fresh variables, or with those of the checkpoint to go on from, as the scaffold has it."""
    return tf.train.MonitoredTrainingSession(
        master=together.target(described),
        scaffold=scaffold,
        hooks=around,
        save_checkpoint_steps=None,  # The chief does it, and the summaries.
        save_checkpoint_secs=None,
        save_summaries_steps=None,
        save_summaries_secs=None,
        log_step_count_steps=None,
        config=together.config(described),
    )


class _Interruption(tf.train.SessionRunHook):
    """Ends the training after the current step; the session then saves its checkpoint.

    On Ctrl-C, on SIGTERM, and on SIGHUP, which a terminal sends that is closed.
    """

    signal_number: Optional[int] = None

    def __enter__(self) -> '_Interruption':
        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # As nohup has it.
            numbers.append(signal.SIGHUP)
        self._earlier = {number: signal.signal(number, self._on_signal) for number in numbers}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._earlier.items():
            signal.signal(number, handler)

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        if self.signal_number is not None:
            run_context.request_stop()

    def remember(self, number: int) -> None:
        """Has the training end as on this signal."""
        self.signal_number = number

    def _on_signal(self, number: int, frame: object) -> None:
        self.remember(number)
        if number == signal.SIGHUP:
            _say_no_more_to_terminals()


def _say_no_more_to_terminals() -> None:
    """A line printed to one that is closed would be an error, and end the training before it has saved."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for output in (1, 2):
        if stat.S_ISCHR(os.fstat(output).st_mode):
            os.dup2(nowhere, output)
    os.close(nowhere)
