"""How much faster several workers make a step than one, each with a core of its own: docs/scaling.md."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Iterator, List

from lvseg import flags
from lvseg.errors import LabError
from lvseg.project import PROJECT

from experiments import recipe

_STEPS = 100  # Between the first two lines that a training prints.
_BATCH_SIZE = '8'

NETWORKS = {
    'cnnDice': ['cnnDice', '--batch_size', _BATCH_SIZE],
    "the recipe's U-Net": ['challenge', *recipe.RECIPE],
}


def seconds_per_step(arguments: List[str], workers: int, data_dir: str) -> float:
    """Trains by so many workers until step 100, on as many cores.

    Args:
        arguments: an exercise and its flags.
        workers: how many train; the ps, which holds the weights, shares their cores.
        data_dir: directory of the record files.

    Raises:
        LabError: there are not so many cores, or the training came to its end before.
    """
    cores = sorted(os.sched_getaffinity(0))
    if workers > len(cores):
        raise LabError(f'{workers} workers want a core each, and there are {len(cores)}.')
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, 'scripts/start_cluster.py', *arguments, '--workers', str(workers), '--seed', '1']
        command += ['--data_dir', data_dir, '--checkpoint_dir', os.path.join(folder, 'train')]
        process = subprocess.Popen(
            # The last one counts: there are to be enough steps.
            [*command, '--num_epochs', '1000'],
            cwd=PROJECT,
            env={**os.environ, 'PYTHONPATH': str(PROJECT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores[:workers]),
        )
        try:
            seen = {line.split(':')[1].strip(): time.monotonic() for line in _steps(process)}
        finally:
            process.terminate()
            process.communicate()
    if len(seen) < 2:
        raise LabError(f'the training came to no step {_STEPS}: {" ".join(command)}')
    first, last = seen.values()
    return (last - first) / _STEPS


def _steps(process: subprocess.Popen) -> Iterator[str]:
    """The training's first two lines on steps, as they come."""
    found = 0
    for line in iter(process.stdout.readline, ''):
        if line.startswith('OUTPUT: Step'):
            found += 1
            yield line
        if found == 2:
            return


def main() -> None:
    """Measures in turn, and prints the medians."""
    parser = flags.Parser(description=__doc__)
    parser.add_argument('data_dir', type=flags.directory, help='directory of the record files')
    parser.add_argument('--workers', type=flags.positive_int, default=2, help='up to how many; each has a core')
    parser.add_argument('--times', type=flags.positive_int, default=3, help='how often; the median is taken')
    args = parser.parse_args()
    for name, arguments in NETWORKS.items():
        taken = {workers: [] for workers in range(1, args.workers + 1)}
        for _ in range(args.times):
            for workers, times in taken.items():
                times.append(seconds_per_step(arguments, workers, args.data_dir))
        one = statistics.median(taken[1])
        for workers, times in taken.items():
            median = statistics.median(times)
            print(
                f'{name}, {workers} workers: {median:.3f} s a step ({min(times):.3f} to {max(times):.3f}), '
                f'{one / median:.2f} times one worker',
                flush=True,
            )
