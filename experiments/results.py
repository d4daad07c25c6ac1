"""Measures the figures of docs/results.md: each run with three seeds, on the 260 published slices.

Ends with the tables as Markdown. A run that was measured before is not run again, and those of other data are kept
apart, each in a folder of its own; remove logs/results to start over.
"""

import os
import platform
import re
from pathlib import Path
from typing import List

from lvseg import flags, records
from lvseg.layout import RECORD_FILES, record_file
from lvseg.project import LOGS

from experiments import measuring, tables
from experiments.measuring import Measured, Training
from experiments.recipe import RECIPE
from experiments.tables import Row

SEEDS = (1, 2, 3)

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


def measure(exercise: str, training_flags: str, data_dir: Path, data: str) -> List[Measured]:
    """Trains and evaluates with each seed, or tells what was measured before; `data` is the folder's fingerprint."""
    folder = LOGS / 'results' / f'data-{data[:8]}' / f'{exercise}{training_flags.replace(" ", "_")}'
    seeds = []
    for seed in SEEDS:
        training = Training(exercise, training_flags.split(), seed, data, held_out=[])
        kept_in = folder / f'seed-{seed}'
        seeds.append(measuring.once(training, data_dir, kept_in))
    return seeds


def machine() -> str:
    """What the figures were measured on."""
    name = platform.processor() or platform.machine()
    try:
        told = Path('/proc/cpuinfo').read_text()
    except OSError:  # Only Linux has it, and of ARM it tells no model.
        told = ''
    names = re.findall(r'^model name\s*: (.*)$', told, re.MULTILINE)
    return f'{os.cpu_count()} x {names[0] if names else name}, Python {platform.python_version()}'


def main() -> None:
    """Measures, and prints the tables."""
    parser = flags.Parser(description=__doc__.splitlines()[0])
    parser.add_argument('data_dir', type=flags.directory, help='directory of the records of the 260 slices')
    data_dir = Path(parser.parse_args().data_dir).resolve()
    for split in RECORD_FILES:
        records.count(record_file(str(data_dir), split))  # A training would take its time to find that one is missing.
    data = measuring.fingerprint(data_dir)

    rows = [(row, measure(row.trained, row.flags, data_dir, data)) for row in ROWS]
    ways = [(way, measure('challenge', way, data_dir, data)) for way in CHALLENGE]
    print(f'\nMeasured on {machine()}; seeds {", ".join(map(str, SEEDS))}; mean ± standard deviation.')
    print(f'\n{tables.results(rows)}\n\n{tables.challenge(ways)}')
