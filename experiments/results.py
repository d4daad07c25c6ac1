"""Measures the figures of docs/results.md: each run with three seeds, on the 260 published slices.

Ends with the tables as Markdown. A run that was measured before is not run again; remove logs/results to start over.
"""

import json
import platform
from pathlib import Path
from statistics import mean, stdev
from typing import Any, Dict, List, NamedTuple

from lvseg import flags, runs
from lvseg.project import LOGS as ALL_LOGS

from experiments import commands
from experiments.recipe import RECIPE

LOGS = ALL_LOGS / 'results'
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
QUICK = '--network fcn --normalisation per_image --loss both --optimizer adam --schedule warmup --learning_rate 0.001'
CHALLENGE = (f'{QUICK} --batch_size 8 --num_epochs 5', ' '.join(RECIPE))


def measure(exercise: str, training_flags: str, seed: int, data_dir: Path) -> Dict[str, Any]:
    """Trains and evaluates one run; returns its metrics with the minutes of training."""
    folder = LOGS / f'{exercise}{training_flags.replace(" ", "_")}' / f'seed-{seed}'
    measured = folder / 'measured.json'
    if measured.exists():
        return json.loads(measured.read_text())

    done = commands.train_and_evaluate(exercise, data_dir, folder, [*training_flags.split(), '--seed', str(seed)])
    found = {**done.metrics, 'minutes': done.seconds / 60}
    runs.save_json(str(measured), found)
    return found


def line(row: Row, measured: List[Dict[str, Any]]) -> str:
    """A row of the table."""
    figures = [run[row.figure] for run in measured]
    minutes = mean(run['minutes'] for run in measured)
    each = ', '.join(f'{figure:.3f}' for figure in figures)
    return (
        f'| {row.solution} | `{row.flags}` | {row.figure} | {mean(figures):.3f} ± {stdev(figures):.3f} | {each} '
        f'| {row.handout:.3f} | {row.original:.3f} | {measured[0]["step"]} | {minutes:.1f} |'
    )


def challenge_line(training_flags: str, measured: List[Dict[str, Any]]) -> str:
    """A row of the challenge's table."""
    pooled, per_slice = [run['dice'] for run in measured], [run['per_slice']['dice']['mean'] for run in measured]
    minutes = [run['minutes'] for run in measured]
    cells = [f'{mean(values):.3f} ± {stdev(values):.3f}' for values in (pooled, per_slice)]
    each = ', '.join(f'{figure:.3f}' for figure in pooled)
    return f'| `{training_flags}` | {cells[0]} | {each} | {cells[1]} | {measured[0]["step"]} | {mean(minutes):.1f} |'


def machine() -> str:
    """What the figures were measured on."""
    with open('/proc/cpuinfo') as file:
        names = [text.split(':')[1].strip() for text in file if text.startswith('model name')]
    return f'{len(names)} x {names[0]}, Python {platform.python_version()}'


def main() -> None:
    """Measures, and prints the tables."""
    parser = flags.Parser(description=__doc__.splitlines()[0])
    parser.add_argument('data_dir', type=flags.directory, help='directory of the records of the 260 slices')
    data_dir = Path(parser.parse_args().data_dir).resolve()

    tables = [
        f'Measured on {machine()}; seeds {", ".join(map(str, SEEDS))}; mean ± standard deviation.\n',
        '| solution | flags | figure | here | each seed | handout | original code | steps | minutes |',
        '|---|---|---|---|---|---|---|---|---|',
        *(line(row, [measure(row.trained, row.flags, seed, data_dir) for seed in SEEDS]) for row in ROWS),
        '\n| challenge, flags | Dice | each seed | Dice per slice | steps | minutes |',
        '|---|---|---|---|---|---|',
        *(challenge_line(way, [measure('challenge', way, seed, data_dir) for seed in SEEDS]) for way in CHALLENGE),
    ]
    print('\n' + '\n'.join(tables))
