"""Several processes that train one network together, by TensorFlow's own runtime: TF_CONFIG says which this is.

The ps holds the weights. In a step, each worker computes the gradients of its share of the batch; the ps averages them;
the chief, which is one of the workers, makes the step with the averages, and lets the others go on to the next. It is
TensorFlow's SyncReplicasOptimizer in its parts, put together so that the network's own optimizer stays as it is, so
that what it does with gradients (clipping, say) it does with those of the whole batch, and so that each worker has
exactly one share in each step.
"""

import contextlib
import hashlib
import io
import json
import os
import signal
import socket
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, NoReturn, Optional, Tuple
from unittest import mock

from lvseg import device, processes, records, tasks
from lvseg.errors import LabError
from lvseg.hooks import StepHook, step_made
from lvseg.layout import record_file
from lvseg.roll import Roll
from lvseg.runs import Run
from lvseg.tasks import Task

import tensorflow.compat.v1 as tf

# Of a graph: how much this worker's share of the batch counts, and the loss of the whole batch.
SHARE, _LOSS, _CONTRIBUTED = 'lvseg_share', 'lvseg_loss', 'lvseg_contributed'

_NEVER_STALE = 2**62

# Where these are on each machine is its own affair.
_OF_THE_MACHINE = ('data_dir', 'checkpoint_dir', 'init_from')

_SECONDS_TO_GET_READY = 60


class Team(NamedTuple):
    """What this process trains with others by."""

    task: Task
    roll: Roll
    server: tf.train.Server

    @property
    def is_chief(self) -> bool:
        """Whether this is the process that prints and saves."""
        return self.task.type == tasks.CHIEF


def join() -> Optional[Team]:
    """Takes this process's place among those of TF_CONFIG; None where that is not set, and so it trains alone.

    A ps does not come back from here: it holds the weights until the chief is done, and ends with it.

    Raises:
        LabError: TF_CONFIG is not as wanted, or the port is in use.
    """
    task = tasks.mine()
    if task is None:
        return None
    # gRPC would go to a proxy even for machines next door.
    hosts = {other.address.rpartition(':')[0] for other in task.everyone}
    os.environ['no_grpc_proxy'] = ','.join(sorted(hosts))  # noqa: SIM112 - gRPC's own
    team = Team(task, Roll(task), _server(task))
    if task.type == tasks.PS:
        if task.index == 0:
            team.roll.open(team.server)
        team.roll.enter({})
        with _asking_the_chief_to_stop(team.roll):
            team.roll.follow()
    return team


@contextlib.contextmanager
def telling_of_errors(team: Optional[Team]) -> Iterator[None]:
    """Should this process end by an error, the others learn of it, and end, too."""
    try:
        yield
    except BaseException as error:
        if team is None:
            pass
        elif not team.is_chief:
            team.roll.fail()
        elif isinstance(error, SystemExit):  # Interrupted, with a checkpoint.
            team.roll.end(error.code)
        else:
            team.roll.end(1, 'the chief has ended by an error, which it has printed.')
        raise


def agree(run: Run, args: Namespace, team: Team) -> Run:
    """The run as all of them train it; waits until all are there.

    Args:
        run: what this process would train by itself.
        args: its flags.

    Raises:
        LabError: the batch is smaller than the number of workers; another process has come as the same task; or, on
            the chief, one was started with something else than the chief, which all of them are then told.
    """
    workers = team.task.workers
    if run.batch_size < workers:
        raise LabError(
            f'--batch_size {run.batch_size} is less than the {workers} workers (the chief is one); each needs a slice '
            f'of every batch. Give {workers} or more.'
        )
    team.roll.enter(_note(run, args))
    if not team.is_chief:
        agreed = team.roll.go('run')
        team.roll.check(agreed['notes'])
        return run._replace(seed=agreed['seed'], steps_done=agreed['steps_done'], team=team)
    notes = team.roll.notes()
    team.roll.check(notes)
    differences = {name: _difference(notes[tasks.CHIEF], note) for name, note in notes.items()}
    differing = '; '.join(f'{name} {difference}' for name, difference in differences.items() if difference)
    if differing:
        why = f'{differing}. Start all of them with the same flags, data and versions.'
        team.roll.end(1, why)
        raise LabError(why)
    team.roll.let_go(run={'seed': run.seed, 'steps_done': run.steps_done, 'notes': notes})
    return run._replace(team=team)


@contextlib.contextmanager
def graph(run: Run) -> Iterator[None]:
    """What is built herein is this process's part; however it ends, the others learn of it."""
    if run.team is None:
        yield
        return
    team = run.team
    variables_on_ps = tf.train.replica_device_setter(
        cluster=tf.train.ClusterSpec(team.task.cluster), worker_device=team.task.device
    )
    with contextlib.ExitStack() as stack:
        stack.enter_context(telling_of_errors(team))
        stack.enter_context(tf.device(variables_on_ps))
        stack.enter_context(_averaging_gradients(team.task))
        if not team.is_chief:  # The shapes of the network's layers are printed by the chief.
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        yield
    team.roll.end(0)


def loss_of_batch(loss: tf.Tensor) -> tf.Tensor:
    """The loss of the whole batch, where this process sees a share of it only."""
    averages = tf.get_collection(_LOSS)
    return averages[0] if averages else loss


def step(train_op: tf.Operation, run: Run) -> tf.Tensor:
    """Makes a training step (lvseg.hooks.step_made); with others, this process's part of it.

    Raises:
        LabError: the network's optimizer is none of tf.train, and so its gradients cannot be averaged.
    """
    if run.team is None:
        return step_made(train_op)
    contributed = tf.get_collection(_CONTRIBUTED)
    if not contributed:
        raise LabError(
            'several processes can only train a network whose optimizer is one of tf.train, called by minimize or '
            'compute_gradients. Use one, or train without TF_CONFIG.'
        )
    with tf.device(tasks.FIRST_PS):
        # One for each worker: a fast one would take another's, and be a step ahead.
        go_on = [
            tf.FIFOQueue(1, tf.int64, shapes=[()], shared_name=f'lvseg_go_on{worker}')
            for worker in range(1, run.team.task.workers)
        ]
    if not run.team.is_chief:
        with tf.control_dependencies(contributed):
            return go_on[run.team.task.worker - 1].dequeue()
    made = step_made(train_op)
    with tf.control_dependencies([queue.enqueue(made) for queue in go_on]):
        return tf.identity(made)


def chief_hooks(made: tf.Tensor, run: Run, on_request: Callable[[int], None]) -> List[tf.train.SessionRunHook]:
    """What the chief adds to its session, after all else: lets the workers begin, and knows the last step.

    Args:
        made: what `step` gives.
        on_request: called with the number of a signal that another process got.
    """
    if run.team is None:
        return []
    run.team.roll.on_request = on_request
    return [_Beginning(run), _LastStep(made, run)]


def target(run: Run) -> str:
    """Where the session runs: in this process, or by its server among the others."""
    return '' if run.team is None else run.team.server.target


def config(run: Run) -> tf.ConfigProto:
    """How a session uses the devices; of the other processes it sees those that hold the weights, no worker."""
    found = device.session_config()
    if run.team is not None:
        found.device_filters.extend(['/job:ps', run.team.task.device])
    return found


def work(made: tf.Tensor, run: Run) -> NoReturn:
    """Makes steps until the last; then, and when the chief ends before, this process ends with the chief.

    Args:
        made: what `step` gives.
    """
    roll = run.team.roll
    with _asking_the_chief_to_stop(roll):
        roll.go('begun')
        creator = tf.train.WorkerSessionCreator(
            master=target(run), config=config(run), max_wait_secs=_SECONDS_TO_GET_READY
        )
        with tf.train.MonitoredSession(creator, hooks=[_LastStep(made, run)]) as session:
            while not session.should_stop():
                session.run(made)
        roll.follow()


class _Beginning(tf.train.SessionRunHook):
    """Lets the workers begin, now that the weights have their values."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def after_create_session(self, session: tf.Session, coord: tf.train.Coordinator) -> None:
        self._run.team.roll.let_go(begun=True)


class _LastStep(StepHook):
    """Ends the session with the run's last step; more would wait for others that have ended."""

    def __init__(self, made: tf.Tensor, run: Run) -> None:
        super().__init__(made)
        self._last = run.steps

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        super().after_run(run_context, run_values)
        if self.steps >= self._last:
            run_context.request_stop()


@contextlib.contextmanager
def _averaging_gradients(task: Task) -> Iterator[None]:
    """TensorFlow's optimizers compute the gradients of the whole batch, of which this process sees a share."""
    compute = tf.train.Optimizer.compute_gradients

    def compute_of_batch(self: tf.train.Optimizer, loss: tf.Tensor, *args: Any, **kwargs: Any) -> List[Tuple]:  # noqa: ANN401
        if task.type == tasks.CHIEF:
            return _averaged(loss, compute(self, loss, *args, **kwargs), task)
        # What the step is to take note of besides, such as batch normalisation's means, the chief does.
        with tf.control_dependencies(None):
            return _averaged(loss, compute(self, loss, *args, **kwargs), task)

    with mock.patch.object(tf.train.Optimizer, 'compute_gradients', compute_of_batch):
        yield


def _averaged(loss: tf.Tensor, gradients: List[Tuple], task: Task) -> List[Tuple]:
    (share,) = tf.get_collection(SHARE)

    def average(value: tf.Tensor, shape: tf.TensorShape, where: str) -> tf.Tensor:
        weighted = tf.convert_to_tensor(value) * tf.cast(share, value.dtype)
        with tf.device(where):
            name = f'lvseg_average{len(tf.get_collection(_CONTRIBUTED))}'
            collected = tf.ConditionalAccumulator(value.dtype, shape=shape, shared_name=name)
            contributed = collected.apply_grad(weighted, local_step=_NEVER_STALE)
            tf.add_to_collection(_CONTRIBUTED, contributed)
            with tf.control_dependencies([contributed]):
                return collected.take_grad(task.workers)

    tf.add_to_collection(_LOSS, average(loss, loss.shape, tasks.FIRST_PS))
    return [
        (None if gradient is None else average(gradient, variable.shape, variable.device), variable)
        for gradient, variable in gradients
    ]


@contextlib.contextmanager
def _asking_the_chief_to_stop(roll: Roll) -> Iterator[None]:
    """A signal that comes to this process ends all of them, after the step and with a checkpoint."""
    with processes.on_signals((signal.SIGINT, signal.SIGTERM), lambda number, frame: roll.ask_to_stop(number)):
        yield


def _server(task: Task) -> tf.train.Server:
    port = int(task.address.rpartition(':')[2])
    in_use = LabError(
        f'TF_CONFIG: port {port} of {task} is in use, perhaps by a process of an earlier training. End that, or give '
        'another port.'
    )
    with socket.socket() as probe:  # TensorFlow says only that it could not start.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(('', port))
        except PermissionError:
            raise LabError(f'TF_CONFIG: this user may not open port {port} of {task}. Give one above 1023.') from None
        except OSError:
            raise in_use from None
    how = device.session_config()
    if task.type == tasks.PS:
        how.device_count['GPU'] = 0
    try:
        return tf.train.Server(task.cluster, task.type, task.index, config=how)
    except tf.errors.OpError:
        raise in_use from None


def _note(run: Run, args: Namespace) -> Dict[str, Any]:
    """What this process was started with, to be compared with the others'."""
    exercise = Path(sys.argv[0]).resolve().parent
    return {
        'flags': [f'--{name} {value}' for name, value in sorted(vars(args).items()) if name not in _OF_THE_MACHINE],
        'training slices': records.digest(record_file(run.data_dir, 'train')),
        'TensorFlow': tf.__version__,
        'program of the exercise': _digest(exercise),
        'lvseg': _digest(Path(__file__).resolve().parent),
    }


def _difference(chiefs: Dict[str, Any], note: Dict[str, Any]) -> str:
    """What differs from the chief's, in words; '' if nothing does."""
    if note['TensorFlow'] != chiefs['TensorFlow']:
        return f'has TensorFlow {note["TensorFlow"]}, the chief {chiefs["TensorFlow"]}'
    other = [what for what in ('program of the exercise', 'lvseg', 'training slices') if note[what] != chiefs[what]]
    if other:
        return f'differs from the chief in: {", ".join(other)}'
    only_here = [flag for flag in note['flags'] if flag not in chiefs['flags']]
    only_there = [flag for flag in chiefs['flags'] if flag not in note['flags']]
    return f'has {", ".join(only_here)}, the chief {", ".join(only_there)}' if only_here else ''


def _digest(folder: Path) -> str:
    """Of the programs in a folder."""
    found = hashlib.sha256()
    for file in sorted(folder.glob('*.py')):
        found.update(json.dumps([file.name, hashlib.sha256(file.read_bytes()).hexdigest()]).encode())
    return found.hexdigest()
