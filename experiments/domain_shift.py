"""What a network is worth where it was not trained, and how few slices of there bring it back.

The same invented patients are scanned in several ways (data_prep.phantom.shifts), some train and the others test; or
real ones are taken by their pathologies. A network is trained on each kind and tested on all. Then the one that knows
a single kind is trained further on a few slices of another: without augmentation, with the recipe's, and with the
strong one. What was measured before is not measured again.
"""

from pathlib import Path
from typing import Dict, NamedTuple, Optional, Sequence

from lvseg import flags, metrics, prediction, records, runs
from lvseg.errors import LabError
from lvseg.layout import MANIFEST_FILE, record_file
from lvseg.manifest import SPLITS
from lvseg.prediction import Trained
from lvseg.project import LOGS, shown

from tqdm import tqdm

from data_prep.names import PATHOLOGIES, pathology
from data_prep.phantom.shifts import SHIFTS
from experiments import commands, measuring, recipe
from experiments.folds import deal
from experiments.measuring import Training
from experiments.pool import Pool, check_apart, only, read_pool, write_part, write_sides

PLAIN = 'plain'
SLICES = (1, 5, 20)  # of the new kind
RECIPES = {
    'without-augmentation': [flag for flag in recipe.RECIPE if flag != '--augment'],
    'with-augmentation': recipe.RECIPE,
    'with-strong-augmentation': [*recipe.RECIPE, '--strength', 'strong'],
}

_PATIENTS = ['--patients', '12', '--split', 'patient', '--val_fraction', '0.25']
_STEPS = 300  # of each training, or up to the end of the epoch
_STEPS_FURTHER = 40
_FURTHER, _FURTHER_REAL = 'noise', 'SC-HYP'


class Score(NamedTuple):
    """Of the patients who test."""

    dice: float  # of all slices together
    per_slice: float


class Run(NamedTuple):
    """A training that was evaluated."""

    directory: Path
    at_home: Score  # on the kind that it was trained on


def prepare(kind: str, seed: int, out: Path) -> Path:
    """The records of a kind of phantoms, made unless they are there."""
    data_dir = out / f'data-{seed}' / kind
    shift = [] if kind == PLAIN else ['--shift', kind]
    if not (data_dir / MANIFEST_FILE).exists():
        commands.run(['-m', 'data_prep', 'phantom', *_PATIENTS, '--seed', str(seed), *shift, '--out', shown(data_dir)])
    return data_dir


def split(pool: Pool, seed: int, out: Path) -> Dict[str, Path]:
    """The records of each pathology of real slices; one of its patients tests and the others train.

    Raises:
        LabError: there are not two patients of each.
    """
    data = {}
    for kind in PATHOLOGIES:
        patients = [patient for patient in pool.patients if pathology(patient) == kind]
        if len(patients) < 2:
            raise LabError(
                f'{pool.data_dir} has {len(patients)} patients whose names tell {kind}, as {kind}-01 does; two are '
                'wanted at least, one to train and one to test.'
            )
        tests = deal(patients, len(patients), seed)[0]
        data[kind] = out / f'data-{seed}' / kind
        write_part(only(pool, patients), tests, data[kind])
    return data


def train(data_dir: Path, recipe_name: str, steps: int, seed: int, folder: Path, start: Optional[Path] = None) -> Run:
    """Trains by one of RECIPES, and evaluates, unless it was done before.

    Args:
        start: the run whose weights are the first ones (default: random ones).
    """
    slices = records.count(record_file(str(data_dir), 'train'))
    training_flags = [*RECIPES[recipe_name], *recipe.lasting(steps, slices)]
    if start:
        training_flags += ['--init_from', shown(start)]
    training = Training('challenge', training_flags, seed, measuring.fingerprint(data_dir), [])
    measured = measuring.once(training, data_dir, folder)
    known = Score(measured.metrics['dice'], measured.metrics['per_slice']['dice']['mean'])
    return Run(folder / 'train', known)


def further(start: Path, recipe_name: str, slices: int, data_dir: Path, seed: int, folder: Path) -> Run:
    """Trains a run's network on so many slices of another kind, spread over its patients."""
    pool = read_pool(data_dir)
    training = [number for number, line in enumerate(pool.lines) if line['split'] == SPLITS['train']]
    chosen = {training[(2 * number + 1) * len(training) // (2 * slices)] for number in range(slices)}
    sides = [
        'train' if number in chosen else '' if line['split'] == SPLITS['train'] else 'eval'
        for number, line in enumerate(pool.lines)
    ]
    write_sides(pool, sides, folder / 'data')
    return train(folder / 'data', recipe_name, _STEPS_FURTHER, seed, folder, start)


def score(trained: Trained, data_dir: Path) -> Score:
    """What a network is worth on the validation slices of a folder."""
    found = records.read(record_file(str(data_dir), 'eval'))
    slices = metrics.each_mask_areas((label, trained.mask(image)) for image, label in found)
    return Score(float(metrics.dice(metrics.pooled(slices))), float(metrics.dice(slices).mean()))


def matrix(kinds: Sequence[str], data: Dict[str, Path], seed: int, out: Path) -> Dict[str, Dict[str, Score]]:
    """By what was trained on, then by what was tested on."""
    trained = {kind: train(data[kind], 'with-augmentation', _STEPS, seed, out / kind) for kind in kinds}
    found = {}
    for one, run in tqdm(trained.items(), desc='testing', unit='network', disable=None):
        network = prediction.load(str(run.directory))
        found[one] = {other: run.at_home if other == one else score(network, data[other]) for other in kinds}
    return found


def row(start: Path, data: Dict[str, Path]) -> Dict[str, Score]:
    """What one network is worth on each kind."""
    network = prediction.load(str(start))
    return {kind: score(network, data_dir) for kind, data_dir in data.items()}


def brought_back(
    starts: Dict[str, Path], kind: str, data_dir: Path, seed: int, out: Path
) -> Dict[str, Dict[int, Score]]:
    """Networks trained further on slices of a kind that they do not know.

    Args:
        starts: by a key of RECIPES, what is trained further by it.

    Returns:
        By the same, then by how many slices; 0 is before.
    """
    before = {start: score(prediction.load(str(start)), data_dir) for start in set(starts.values())}
    found = {}
    for recipe_name, start in starts.items():
        found[recipe_name] = {0: before[start]}
        for slices in SLICES:
            into = out / f'{kind}-{slices}-slices-{recipe_name}'
            found[recipe_name][slices] = further(start, recipe_name, slices, data_dir, seed, into).at_home
    return found


def matrix_table(found: Dict[str, Dict[str, Score]]) -> str:
    """Markdown: Dice, and in brackets Dice per slice."""
    kinds = list(next(iter(found.values())))
    lines = [f'| trained on, tested on → | {" | ".join(kinds)} |', '|---' * (len(kinds) + 1) + '|']
    lines += [f'| {one} | {" | ".join(map(_cell, by_kind.values()))} |' for one, by_kind in found.items()]
    return '\n'.join(lines)


def back_table(kind: str, found: Dict[str, Dict[int, Score]]) -> str:
    """The same, of slices."""
    counts = [0, *SLICES]
    lines = [f'| slices of {kind} | {" | ".join(map(str, counts))} |', '|---' * (len(counts) + 1) + '|']
    lines += [f'| {name.replace("-", " ")} | {" | ".join(map(_cell, by.values()))} |' for name, by in found.items()]
    return '\n'.join(lines)


def _cell(found: Score) -> str:
    return f'{found.dice:.3f} ({found.per_slice:.3f})'


def _parser() -> flags.Parser:
    parser = flags.Parser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add(
        'data_dir',
        metavar='DATA_DIR',
        nargs='?',
        type=flags.directory,
        help='directory of record files and manifest.csv of real slices, whose pathologies are the kinds (default: '
        'phantoms are invented)',
    )
    add(
        '--start',
        type=flags.directory,
        help='directory of a run that is tested and trained further, such as your own, where it was trained on none of '
        'those who test; then there is one row of the matrix (default: a network is trained on each kind)',
    )
    add('--further', help=f'the kind that is trained further on (default: {_FURTHER}, or {_FURTHER_REAL})')
    add('--seed', type=flags.seed, default=1, help='of the patients and of the trainings')
    add('--out', type=flags.directory, default=str(LOGS / 'domain_shift'), help='directory of the results')
    return parser


def main() -> None:
    """Measures what the flags say, and prints the tables."""
    parser = _parser()
    args = parser.parse_args()

    out = Path(args.out)
    home, kinds = ('SC-N', list(PATHOLOGIES)) if args.data_dir else (PLAIN, [PLAIN, *SHIFTS])
    kind = args.further or (_FURTHER_REAL if args.data_dir else _FURTHER)
    if kind not in kinds:
        parser.error(f'argument --further: {kind} is none of {", ".join(kinds)}')
    if args.data_dir:
        data = split(read_pool(Path(args.data_dir)), args.seed, out)
    else:
        data = {one: prepare(one, args.seed, out) for one in kinds}
    there = records.count(record_file(str(data[kind]), 'train'))
    if there < max(SLICES):
        raise LabError(f'{kind} has {there} slices that train; {max(SLICES)} are wanted to train further on.')
    folder = out / (f'from-{Path(args.start).name}-{args.seed}' if args.start else f'trained-{args.seed}')
    if args.start:
        if args.data_dir:
            for of_kind in data.values():
                check_apart(read_pool(of_kind, ['eval']), Path(args.start))
        starts = dict.fromkeys(RECIPES, Path(args.start))
        found = {shown(Path(args.start)): row(Path(args.start), data)}
    else:
        found = matrix(kinds, data, args.seed, folder)
        starts = {}
        for name in RECIPES:
            into = folder / (home if name == 'with-augmentation' else f'{home}-{name}')  # One the matrix has already.
            starts[name] = train(data[home], name, _STEPS, args.seed, into).directory
    print(f'\n{matrix_table(found)}', flush=True)
    back = brought_back(starts, kind, data[kind], args.seed, folder)
    kept = folder / f'{kind}.json'
    runs.save_json(str(kept), {'seed': args.seed, 'matrix': found, 'further': {kind: back}})
    print(f'\n{back_table(kind, back)}\n\nDice of all slices, and per slice in brackets; kept in {shown(kept)}.')
