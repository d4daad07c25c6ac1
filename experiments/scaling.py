"""How long several workers take until they are ready, and for a step, beside what the formula of docs/scaling.md says.

Prints a table: medians of each network, line and number of workers. Times of a busy machine are of no use. Linux only.
"""

import contextlib
import itertools
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional

from lvseg import flags, processes, progress
from lvseg.errors import LabError
from lvseg.layout import record_file
from lvseg.project import PROJECT

import psutil

from experiments import benchmark, recipe

_STEPS = 100  # Between the first two lines that a training prints.
_BATCH_SIZE = 8


class Network(NamedTuple):
    """What is trained."""

    arguments: List[str]  # The exercise and its flags.
    bytes: int  # Of its weights, four for each.


NETWORKS = {
    'cnnDice': Network(['cnnDice', '--batch_size', str(_BATCH_SIZE)], 4 * 1856944),
    "the recipe's U-Net": Network(['challenge', *recipe.RECIPE], 4 * 1937686),
}


class Taken(NamedTuple):
    """What one training took."""

    ready: float  # Seconds from the command to the end of the chief's first step.
    step: float  # Seconds of one of the 100 steps after it.
    sent: float  # MB that went through the line in one of them, all that the machine sends itself included.
    chief: float  # MB, the most memory that the chief had until then.
    worker: float  # The same of the worker that had most; 0 where there is none.


class Case(NamedTuple):
    """What is measured."""

    network: str  # Of NETWORKS.
    megabits: Optional[int]  # What goes through the line between all of them in a second; as much as can, if None.
    workers: int  # How many train; the ps, which holds the weights, shares their cores.


def train(case: Case, data_dir: str) -> Taken:
    """Trains until step 100, on as many cores as there are workers, or all of them if there are fewer.

    Args:
        case: what is measured.
        data_dir: directory of the record files.

    Raises:
        LabError: the training came to its end before, or the line cannot be slowed down here.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, 'scripts/start_cluster.py', *NETWORKS[case.network].arguments]
        command += ['--workers', str(case.workers)]
        command += ['--data_dir', data_dir, '--checkpoint_dir', os.path.join(folder, 'train'), '--seed', '1']
        command += ['--num_epochs', '1000']  # The last one counts: there are to be enough steps.
        began = time.monotonic()
        process = subprocess.Popen(
            [*slowed_down(case.megabits), *command],
            cwd=PROJECT,
            env={**os.environ, 'PYTHONPATH': str(PROJECT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            preexec_fn=lambda: processes.keep_to(processes.cores()[: case.workers]),
        )
        try:
            seen = [(time.monotonic(), _bytes_sent(process.pid)) for _ in _steps(process)]
            most = _most_memory(process.pid)
        finally:
            process.terminate()
            process.communicate()
    if len(seen) < 2:
        raise LabError(f'the training came to no step {_STEPS}: {" ".join(command)}')
    (first, before), (last, after) = seen
    sent = (after - before) / 1e6 / _STEPS
    return Taken(first - began, (last - first) / _STEPS, sent, most.get('chief', 0), most.get('worker', 0))


def expected(network: Network, slice_seconds: float, workers: int, megabits: Optional[float] = None) -> float:
    """Seconds of a step, by the formula of docs/scaling.md: the slices of a share, and the weights there and back.

    Where workers have to share cores, no step is shorter than all slices take all cores.

    Args:
        network: what is trained.
        slice_seconds: what a slice takes one core.
        workers: how many train.
        megabits: what goes through the line of the ps in a second; None if it costs nothing.
    """
    share = max(-(-_BATCH_SIZE // workers), _BATCH_SIZE / len(processes.cores()) if workers > 1 else 0)
    return slice_seconds * share + (2 * network.bytes * workers / (megabits * 1e6 / 8) if megabits else 0)


def slowed_down(megabits: Optional[float]) -> List[str]:
    """What goes before a command, so that the processes that it starts have a slow line among one another.

    They get a network of their own (a namespace of Linux, gone with them), in which all goes through one filter. That
    it is one for both directions makes no difference: the gradients go when the weights have come.

    Raises:
        LabError: the system has no such thing, or does not allow it.
    """
    if megabits is None:
        return []
    if not all(map(shutil.which, ('unshare', 'ip', 'tc'))):
        raise LabError('--megabits needs unshare, ip and tc, of Linux (packages util-linux and iproute2).')
    filtered = f'tc qdisc add dev lo root tbf rate {megabits}mbit burst 128kb latency 5s'
    before = ['unshare', '--map-root-user', '--net', 'sh', '-c', f'ip link set lo up && {filtered} && exec "$@"', 'sh']
    tried = subprocess.run([*before, 'true'], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if tried.returncode:
        raise LabError(f'--megabits: this system does not let a line be slowed down: {tried.stderr.strip()}')
    return before


def _most_memory(launcher: int) -> Dict[str, float]:
    """MB, the most memory that a chief, and a worker, started by this process have had."""
    found = {}
    for process in psutil.Process(launcher).children():
        with contextlib.suppress(OSError, psutil.Error):  # It has just ended.
            kind = re.search(r'"type": "(\w+)"', process.environ().get('TF_CONFIG', ''))
            peak = re.search(r'VmHWM:\s+(\d+) kB', Path(f'/proc/{process.pid}/status').read_text())
            if kind and peak:
                found[kind[1]] = max(found.get(kind[1], 0), int(peak[1]) / 1024)
    return found


def _bytes_sent(launcher: int) -> int:
    """What has gone through the loopback line that this process sees."""
    return int(re.search(r'lo:\s*(\d+)', Path(f'/proc/{launcher}/net/dev').read_text())[1])


def _steps(process: subprocess.Popen) -> Iterator[str]:
    """The training's first two lines on steps, as they come."""
    found = 0
    for line in iter(process.stdout.readline, ''):
        if line.startswith('OUTPUT: Step'):
            found += 1
            yield line
        if found == 2:
            return


@contextlib.contextmanager
def _records(data_dir: Optional[str], slices: Optional[int]) -> Iterator[str]:
    """A folder of records: the one given, or one of so many black slices, which take as long as others."""
    if data_dir is not None:
        yield data_dir
        return
    with tempfile.TemporaryDirectory() as folder:
        benchmark.write_black_slices(record_file(folder, 'train'), slices)
        benchmark.write_black_slices(record_file(folder, 'eval'), 1)
        yield folder


def main() -> None:
    """Measures in turn, and prints the medians."""
    parser = flags.Parser(description=__doc__.splitlines()[0])
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument('data_dir', type=flags.directory, nargs='?', help='directory of the record files')
    data.add_argument('--slices', type=flags.positive_int, help='or train on so many black ones')
    parser.add_argument('--workers', type=flags.positive_int, default=3, help='from one to how many (default: 3)')
    parser.add_argument('--times', type=flags.positive_int, default=3, help='how often; the median is taken')
    parser.add_argument('--megabits', type=flags.positive_int, help='also by a line of only so many a second')
    args = parser.parse_args()
    slowed_down(args.megabits)  # Should that not be possible, it is told before anything is measured.
    lines = [None, args.megabits] if args.megabits else [None]
    cases = [Case(*case) for case in itertools.product(NETWORKS, lines, range(1, args.workers + 1))]
    taken = {case: [] for case in cases}
    bar = progress.bar(len(cases) * args.times, form=progress.COUNTED)
    with _records(args.data_dir, args.slices) as folder, bar:
        for _ in range(args.times):
            for case in cases:
                bar.set_description_str(f'Training {bar.n + 1} of {bar.total}: {case.network}, {case.workers} workers')
                taken[case].append(train(case, folder))
                bar.update()
    report(taken)


def report(taken: Dict[Case, List[Taken]]) -> None:
    """Prints the table: medians, and of steps the least and the most."""
    print(
        '| network | Mbit/s | workers | ready after, s | a step, s | times as fast | formula, s | MB sent '
        '| MB of memory: chief, worker |'
    )
    print('|---|---|---|---|---|---|---|---|---|')
    for case, times in taken.items():
        ready, step, sent, chief, worker = map(statistics.median, zip(*times))
        alone, alone_so = (_step(taken[Case(case.network, line, 1)]) for line in (None, case.megabits))
        formula = expected(NETWORKS[case.network], alone / _BATCH_SIZE, case.workers, case.megabits)
        steps = [each.step for each in times]
        print(
            f'| {case.network} | {case.megabits or "-"} | {case.workers} | {ready:.1f} '
            f'| {step:.3f} ({min(steps):.3f} to {max(steps):.3f}) | {alone_so / step:.2f} | {formula:.3f} '
            f'| {sent:.1f} | {chief:.0f}, {worker:.0f} |'
        )


def _step(times: List[Taken]) -> float:
    return statistics.median(each.step for each in times)
