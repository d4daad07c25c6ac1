"""Trains an exercise's network by several processes of this machine: to practise, and to try a recipe.

Each gets its share of the cores. The chief's lines are what one sees; Ctrl-C ends all of them with a checkpoint.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any, Dict, List, NamedTuple, Optional

from lvseg import flags, processes
from lvseg.errors import LabError
from lvseg.project import EXERCISES, PROJECT, SOLUTIONS, exercise_names, shown
from lvseg.tasks import CHIEF, PS, WORKER

_SECONDS_TO_END = 6  # For the others, when the chief has told them to.


class Process(NamedTuple):
    """One of the cluster's, running."""

    name: str
    running: subprocess.Popen
    said: Optional[IO]  # Its stderr; None where that is the terminal's.


def main() -> None:
    """Trains, by the flags of the command line."""
    parser = flags.Parser(
        description=__doc__.splitlines()[0],
        usage='%(prog)s EXERCISE [--workers N] [--mine] [flags of runTraining.py]',
        epilog='All other flags go to runTraining.py, as they are.',
    )
    parser.add_argument(
        'exercise', metavar='EXERCISE', choices=exercise_names(), help=f'one of {", ".join(exercise_names())}'
    )
    parser.add_argument('--workers', type=flags.positive_int, default=2, help='how many train, the chief among them')
    parser.add_argument('--mine', action='store_true', help='your own network (default: that of the solution)')
    args, of_training = parser.parse_known_args()
    if not any(flag.startswith('--batch_size') for flag in of_training):  # runTraining.py's own, 1, is too few.
        of_training += ['--batch_size', str(args.workers)]
    program = (EXERCISES if args.mine else SOLUTIONS) / args.exercise / 'runTraining.py'
    status = train([shown(program), *of_training], args.workers)
    if status:
        sys.exit(status)


def train(arguments: List[str], workers: int) -> int:
    """Runs a training by several processes; returns the chief's exit status.

    Args:
        arguments: runTraining.py and its flags.
        workers: how many train, the chief among them.
    """
    cores = processes.cores()
    cluster = addresses(workers)
    trains = [cores[place::workers] or cores for place in range(workers)]  # All of them, where there are too few.
    shares = {CHIEF: trains[:1], WORKER: trains[1:], PS: [cores]}
    with tempfile.TemporaryDirectory() as folder:
        started = []
        try:
            for kind in (PS, WORKER, CHIEF):
                for index in range(len(cluster.get(kind, []))):
                    task = {'cluster': cluster, 'task': {'type': kind, 'index': index}}
                    started.append(_started(arguments, task, shares[kind][index], Path(folder)))
            return _followed(started[-1], started[:-1])
        finally:
            for process in started:
                process.running.kill()
                process.running.wait()


def addresses(workers: int) -> Dict[str, List[str]]:
    """A cluster on this machine, on ports that are free: a chief, the other workers, and one that holds the weights."""
    probes = [socket.socket() for _ in range(workers + 1)]
    for probe in probes:
        probe.bind(('127.0.0.1', 0))
    chief, ps, *others = [f'127.0.0.1:{probe.getsockname()[1]}' for probe in probes]
    for probe in probes:
        probe.close()
    return {CHIEF: [chief], PS: [ps], **({WORKER: others} if others else {})}


def _started(arguments: List[str], task: Dict[str, Any], cores: List[int], folder: Path) -> Process:
    kind, index = task['task']['type'], task['task']['index']
    name = kind if kind == CHIEF else f'{kind} {index}'
    environment = {
        'LAB_THREADS': str(len(cores)),
        **os.environ,
        'TF_CONFIG': json.dumps(task),
        'PYTHONPATH': os.pathsep.join([str(PROJECT), os.environ.get('PYTHONPATH', '')]).rstrip(os.pathsep),
    }
    said = None if kind == CHIEF else (folder / name).open('w+')

    def in_the_child() -> None:
        processes.keep_to(cores)
        # Should this process be killed, the chief saves and ends, and the others end with it.
        processes.end_with_parent()

    running = subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        stdout=None if kind == CHIEF else subprocess.DEVNULL,
        stderr=said,
        preexec_fn=in_the_child,
        start_new_session=kind != CHIEF,  # Ctrl-C is the chief's; the others hear of it by him.
    )
    return Process(name, running, said)


def _followed(chief: Process, others: List[Process]) -> int:
    """Waits for the chief, and then for the others; tells the error of one of them, if all ended by that."""
    first = None
    forwarded = processes.on_signals((signal.SIGTERM, signal.SIGHUP), lambda n, frame: chief.running.send_signal(n))
    left_to_the_terminal = processes.on_signals([signal.SIGINT], lambda number, frame: None)  # It tells the chief.
    with forwarded, left_to_the_terminal:
        while chief.running.poll() is None:
            first = first or next((other for other in others if other.running.poll() == 1), None)
            time.sleep(0.1)
        # One that was killed has told nobody.
        until = time.monotonic() + (_SECONDS_TO_END if chief.running.returncode >= 0 else 0)
        while time.monotonic() < until and any(other.running.poll() is None for other in others):
            time.sleep(0.1)
    if first is not None and chief.running.returncode == 1:
        first.said.seek(0)
        for line in first.said.read().splitlines():
            print(f'{first.name}: {line}', file=sys.stderr)
    status = chief.running.returncode
    if status < 0:
        raise LabError(
            f'the chief was ended by {signal.Signals(-status).name}. Start again with --resume: nothing is lost but '
            'the steps since the last checkpoint.'
        )
    return status
