"""Measures the figures of docs/results.md: each run with three seeds, on the 260 published slices.

Prints the tables as Markdown. A run that was measured before is not run again; remove logs/results to start over.
"""

import json
import platform
import subprocess
import sys
import time
from pathlib import Path
from statistics import mean, stdev
from typing import Any, Dict, List, NamedTuple

PROJECT = Path(__file__).resolve().parent.parent
sys.path += [str(PROJECT), str(PROJECT / 'scripts')]

from challenge import RECIPE

from lvseg import errors, flags, reports

LOGS = PROJECT / 'logs' / 'results'
SEEDS = (1, 2, 3)


class Row(NamedTuple):
    """A figure of one solution, and what others measured for it."""

    solution: str
    trained: str  # cnn and cnnDice train the same network alike: with one seed, one training serves both.
    flags: str
    figure: str
    handout: float
    original: float


ROWS = (
    Row('cnnDice', 'cnnDice', '--num_epochs 1', 'dice', 0.034, 0.029),
    Row('cnn', 'cnn', '--num_epochs 30', 'precision', 0.983, 0.988),
    Row('cnnDice', 'cnn', '--num_epochs 30', 'dice', 0.568, 0.540),
    Row(
        'cnnDice',
        'cnnDice',
        '--num_epochs 100 --learning_rate 0.03 --decay_rate 0.75 --decay_steps 10000',
        'dice',
        0.862,
        0.807,
    ),
)


# The lab's own network, by the challenge's means, in a tenth of the time of the lab's best recipe.
QUICK = '--network fcn --normalisation per_image --loss both --optimizer adam --schedule warmup --learning_rate 0.002'
CHALLENGE = (f'{QUICK} --batch_size 8 --num_epochs 5', ' '.join(RECIPE))


def measure(exercise: str, training_flags: str, seed: int, data_dir: Path) -> Dict[str, Any]:
    """Trains and evaluates one run; returns its metrics with the minutes of training."""
    folder = LOGS / f'{exercise}{training_flags.replace(" ", "_")}' / f'seed-{seed}'
    measured = folder / 'measured.json'
    if measured.exists():
        return json.loads(measured.read_text())

    directories = ['--data_dir', str(data_dir), '--checkpoint_dir', str(folder / 'train')]
    started = time.time()
    _run(exercise, 'runTraining.py', [*directories, *training_flags.split(), '--seed', str(seed)])
    minutes = (time.time() - started) / 60
    _run(exercise, 'runEval.py', [*directories, '--eval_dir', str(folder / 'eval')])

    metrics = json.loads((folder / 'eval' / reports.METRICS_FILE).read_text())
    measured.write_text(json.dumps({**metrics, 'minutes': minutes}))
    return {**metrics, 'minutes': minutes}


def line(row: Row, runs: List[Dict[str, Any]]) -> str:
    """A row of the table."""
    figures = [run[row.figure] for run in runs]
    minutes = mean(run['minutes'] for run in runs)
    each = ', '.join(f'{figure:.3f}' for figure in figures)
    return (
        f'| {row.solution} | `{row.flags}` | {row.figure} | {mean(figures):.3f} ± {stdev(figures):.3f} | {each} '
        f'| {row.handout:.3f} | {row.original:.3f} | {runs[0]["step"]} | {minutes:.1f} |'
    )


def challenge_line(training_flags: str, runs: List[Dict[str, Any]]) -> str:
    """A row of the challenge's table."""
    pooled, per_slice = [run['dice'] for run in runs], [run['per_slice']['dice']['mean'] for run in runs]
    minutes = [run['minutes'] for run in runs]
    cells = [f'{mean(values):.3f} ± {stdev(values):.3f}' for values in (pooled, per_slice)]
    each = ', '.join(f'{figure:.3f}' for figure in pooled)
    return f'| `{training_flags}` | {cells[0]} | {each} | {cells[1]} | {runs[0]["step"]} | {mean(minutes):.1f} |'


def machine() -> str:
    """What the figures were measured on."""
    with open('/proc/cpuinfo') as file:
        names = [text.split(':')[1].strip() for text in file if text.startswith('model name')]
    return f'{len(names)} x {names[0]}, Python {platform.python_version()}'


def _run(exercise: str, script: str, arguments: List[str]) -> None:
    command = [sys.executable, f'exercise_solutions/{exercise}/{script}', *arguments]
    print('$', ' '.join(command[1:]), file=sys.stderr, flush=True)
    subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Measures and prints the table."""
    parser = flags.Parser(description=__doc__.splitlines()[0])
    parser.add_argument('data_dir', type=flags.directory, help='directory of the records of the 260 slices')
    data_dir = Path(parser.parse_args().data_dir).resolve()

    print(f'Measured on {machine()}; seeds {", ".join(map(str, SEEDS))}; mean ± standard deviation.\n')
    print('| solution | flags | figure | here | each seed | handout | original code | steps | minutes |')
    print('|---|---|---|---|---|---|---|---|---|')
    for row in ROWS:
        print(line(row, [measure(row.trained, row.flags, seed, data_dir) for seed in SEEDS]), flush=True)

    print('\n| challenge, flags | Dice | each seed | Dice per slice | steps | minutes |')
    print('|---|---|---|---|---|---|')
    for training_flags in CHALLENGE:
        runs = [measure('challenge', training_flags, seed, data_dir) for seed in SEEDS]
        print(challenge_line(training_flags, runs), flush=True)


if __name__ == '__main__':
    errors.exit_with_message(main)
