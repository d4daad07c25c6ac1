"""What a network is worth where it was not trained, and how few slices of there bring it back. On phantoms.

The same invented patients are scanned in several ways (data_prep.phantom.shifts), some train and the others test. A
network is trained on each kind and tested on all. Then the one that knows the plain kind alone is trained further on a
few slices of another, with the recipe's augmentation and without any. What was measured before is not measured again.
"""

from pathlib import Path
from typing import Dict, NamedTuple, Optional, Sequence

from lvseg import flags, metrics, prediction, records, runs
from lvseg.layout import MANIFEST_FILE, record_file
from lvseg.manifest import SPLITS
from lvseg.prediction import Trained
from lvseg.project import LOGS, shown

import numpy as np
from tqdm import tqdm

from data_prep.phantom.shifts import SHIFTS
from experiments import commands, measuring
from experiments.measuring import Training
from experiments.pool import read_pool, write_sides
from experiments.recipe import RECIPE

FIGURES_FILE = 'domain_shift.json'

PLAIN = 'plain'
SLICES = (1, 5, 20)  # of the new kind
AUGMENTATION = {False: 'without-augmentation', True: 'with-augmentation'}

_PATIENTS = ['--patients', '12', '--split', 'patient', '--val_fraction', '0.25']
_EPOCHS = 8
_STEPS = 40  # of training further
_BATCH_SIZE = int(RECIPE[RECIPE.index('--batch_size') + 1])


class Score(NamedTuple):
    """Of the patients who test."""

    dice: float  # of all slices together
    per_slice: float


def prepare(kind: str, seed: int, out: Path) -> Path:
    """The records of a kind of phantoms, made unless they are there."""
    data_dir = out / f'data-{seed}' / kind
    shift = [] if kind == PLAIN else ['--shift', kind]
    if not (data_dir / MANIFEST_FILE).exists():
        commands.run(['-m', 'data_prep', 'phantom', *_PATIENTS, '--seed', str(seed), *shift, '--out', shown(data_dir)])
    return data_dir


def train(data_dir: Path, augment: bool, epochs: int, seed: int, folder: Path, start: Optional[Path] = None) -> Path:
    """Trains by the recipe, with or without its augmentation, unless it was done before; returns the run's directory.

    Args:
        start: the run whose weights are the first ones (default: random ones).
    """
    recipe = [flag for flag in RECIPE if augment or flag != '--augment']
    further = ['--init_from', shown(start)] if start else []
    training_flags = [*recipe, '--num_epochs', str(epochs), *further]  # Of two numbers of epochs, the last counts.
    training = Training('challenge', training_flags, seed, measuring.fingerprint(data_dir), [])
    if not measuring.earlier(training, folder):
        measuring.measure(training, data_dir, folder)
    return folder / 'train'


def further(start: Path, augment: bool, slices: int, data_dir: Path, seed: int, folder: Path) -> Path:
    """Trains a run's network on so many slices of another kind, spread over its patients; returns where that run is."""
    pool = read_pool(data_dir)
    training = [number for number, line in enumerate(pool.lines) if line['split'] == SPLITS['train']]
    chosen = {training[(2 * number + 1) * len(training) // (2 * slices)] for number in range(slices)}
    sides = [
        'train' if number in chosen else '' if line['split'] == SPLITS['train'] else 'eval'
        for number, line in enumerate(pool.lines)
    ]
    if not (folder / 'data' / MANIFEST_FILE).exists():
        write_sides(pool, sides, folder / 'data')
    epochs = -(-_STEPS // -(-slices // _BATCH_SIZE))
    return train(folder / 'data', augment, epochs, seed, folder, start)


def score(trained: Trained, data_dir: Path) -> Score:
    """What a network is worth on the validation slices of a folder."""
    areas = []
    for image, label in records.read(record_file(str(data_dir), 'eval')):
        mask = (trained.probabilities(image[np.newaxis])[0] > 0.5).astype(np.uint8)
        areas.append(metrics.mask_areas(label, mask))
    slices = metrics.Areas(*map(np.array, zip(*areas)))
    return Score(float(metrics.dice(metrics.pooled(slices))), float(metrics.dice(slices).mean()))


def matrix(kinds: Sequence[str], data: Dict[str, Path], seed: int, out: Path) -> Dict[str, Dict[str, Score]]:
    """By what was trained on, then by what was tested on."""
    trained = {kind: train(data[kind], True, _EPOCHS, seed, out / f'trained-{seed}' / kind) for kind in kinds}
    found = {}
    for one, run in tqdm(trained.items(), desc='testing', unit='network', disable=None):
        network = prediction.load(str(run))
        found[one] = {other: score(network, data[other]) for other in kinds}
    return found


def brought_back(kind: str, data: Dict[str, Path], seed: int, out: Path) -> Dict[str, Dict[int, Score]]:
    """By 'without augmentation' and 'with augmentation', then by how many slices of the kind; 0 is before."""
    found = {}
    for augment in (False, True):
        words = AUGMENTATION[augment]
        folder = out / f'trained-{seed}'
        start = train(data[PLAIN], augment, _EPOCHS, seed, folder / (PLAIN if augment else f'{PLAIN}-{words}'))
        runs_by_slices = {
            slices: further(start, augment, slices, data[kind], seed, folder / f'{kind}-{slices}-slices-{words}')
            for slices in SLICES
        }
        found[words] = {
            slices: score(prediction.load(str(run)), data[kind])
            for slices, run in [(0, start), *runs_by_slices.items()]
        }
    return found


def matrix_table(found: Dict[str, Dict[str, Score]]) -> str:
    """Markdown: Dice, and in brackets Dice per slice."""
    lines = [f'| trained on, tested on → | {" | ".join(found)} |', '|---' * (len(found) + 1) + '|']
    lines += [f'| {one} | {" | ".join(map(_cell, by_kind.values()))} |' for one, by_kind in found.items()]
    return '\n'.join(lines)


def back_table(kind: str, found: Dict[str, Dict[int, Score]]) -> str:
    """The same, of slices."""
    counts = [0, *SLICES]
    lines = [f'| slices of {kind} | {" | ".join(map(str, counts))} |', '|---' * (len(counts) + 1) + '|']
    lines += [f'| {words.replace("-", " ")} | {" | ".join(map(_cell, by.values()))} |' for words, by in found.items()]
    return '\n'.join(lines)


def _cell(found: Score) -> str:
    return f'{found.dice:.3f} ({found.per_slice:.3f})'


def main() -> None:
    """Measures what the flags say, and prints the tables."""
    parser = flags.Parser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add('--kinds', choices=list(SHIFTS), nargs='+', default=list(SHIFTS), help='of phantoms, beside the plain ones')
    add('--further', choices=list(SHIFTS), default='contrast', help='the kind whose slices are trained on further')
    add('--seed', type=flags.seed, default=1, help='of the patients and of the trainings')
    add('--out', type=flags.directory, default=str(LOGS / 'domain_shift'), help='directory of the results')
    args = parser.parse_args()

    out, kinds = Path(args.out), [PLAIN, *args.kinds]
    data = {kind: prepare(kind, args.seed, out) for kind in dict.fromkeys([*kinds, args.further])}
    found = matrix(kinds, data, args.seed, out)
    print(f'\nDice of all slices, and per slice in brackets:\n\n{matrix_table(found)}', flush=True)
    back = brought_back(args.further, data, args.seed, out)
    runs.save_json(str(out / FIGURES_FILE), {'seed': args.seed, 'matrix': found, args.further: back})
    print(f'\n{matrix_table(found)}\n\n{back_table(args.further, back)}\n\nAll figures: {shown(out / FIGURES_FILE)}')
