"""How good a training is on patients that it has never seen: trains and evaluates several times, and ends with a table.

The patients of both record files of DATA_DIR, known by its manifest.csv, are dealt into folds; each fold is held out
once, and the others train. With --hold_out it is not folds that are held out, but all patients of one pathology. With
--half, half of the patients are as if they were not there: what is chosen by the others can be judged by them.

What was measured before is not measured again, so an interrupted cross-validation goes on; other data, other flags or
another start want another --out. After a change of the exercise's code, remove the folder of the results to start over.
"""

import argparse
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Set, Tuple

from lvseg import flags, runs
from lvseg.errors import LabError
from lvseg.project import LOGS, exercise_names, shown

from data_prep.names import PATHOLOGIES
from experiments import fold_report, measuring, tables
from experiments.figures import summary
from experiments.folds import deal, half, hold_out
from experiments.measuring import Measured, Training
from experiments.pool import Pool, check_apart, only, read_pool, write_part
from experiments.recipe import RECIPE

# Flags of runTraining.py that would make a part another training than the table says, or show it what is held out.
_SET_HERE = ('--data_dir', '--checkpoint_dir', '--seed', '--resume', '--init_from')


class Part(NamedTuple):
    """What is held out together: a fold, or a pathology."""

    name: str
    patients: List[str]
    folder: Path


def cross_validate(pool: Pool, folds: int, training: Training, out: Path) -> List[Path]:
    """Measures each fold, prints the table and writes it as JSON; returns the folders of the folds."""
    run = f'{folds}-folds-seed-{training.seed}'
    parts = [
        Part(f'fold {number}', patients, out / run / f'fold-{number}')
        for number, patients in enumerate(deal(pool.patients, folds, training.seed), start=1)
    ]
    measured = {part.name: measure(pool, part, training) for part in parts}
    _report([part.name for part in parts], measured, training, out / f'{run}.json')
    return [part.folder for part in parts]


def hold_out_groups(pool: Pool, wanted: Set[str], training: Training, out: Path) -> List[Path]:
    """Measures the pathologies wanted; prints the table of all four with those measured before, and writes it.

    Returns:
        The folders of those that are measured.
    """
    run = f'hold-out-seed-{training.seed}'
    groups = hold_out(pool.patients)
    missing = sorted(name for name in wanted if not groups[name])
    if missing:
        raise LabError(f'--hold_out: {pool.data_dir} has no patients of {", ".join(missing)}.')
    parts = [Part(name, groups[name], out / run / name) for name in PATHOLOGIES]
    measured = {}
    for part in parts:
        found = measure(pool, part, training) if part.name in wanted else _earlier(part, training)
        if found:
            measured[part.name] = found
    _report(list(PATHOLOGIES), measured, training, out / f'{run}.json')
    return [part.folder for part in parts if part.name in measured]


def measure(pool: Pool, part: Part, training: Training) -> Measured:
    """Trains on all patients but those of the part, and evaluates on them; or tells what was measured before."""
    known = _earlier(part, training)
    if known:
        print(f'{part.name} was measured before, in {shown(part.folder)}.', flush=True)
        return known
    data_dir = part.folder / 'data'
    write_part(pool, part.patients, data_dir)
    return measuring.measure(training._replace(held_out=part.patients), data_dir, part.folder)


def _earlier(part: Part, training: Training) -> Optional[Measured]:
    return measuring.earlier(training._replace(held_out=part.patients), part.folder)


def _report(names: List[str], measured: Dict[str, Measured], training: Training, path: Path) -> None:
    result = summary(measured)
    made_with = {'exercise': training.exercise, 'flags': training.flags, 'seed': training.seed}
    runs.save_json(str(path), {**made_with, **result})
    over = '; mean and standard deviation are over parts' if 'mean' in result else ''
    print(f'\n{tables.cross_validation(names, result)}\n\nThe same in {shown(path)}{over}.')


def recipe(exercise: str) -> List[str]:
    """The flags of a training for which none were given: those of `make challenge`, or the exercise's own defaults."""
    return list(RECIPE) if exercise == 'challenge' else []


def _parser() -> flags.Parser:
    parser = flags.Parser(
        description=__doc__.splitlines()[0],
        usage='%(prog)s DATA_DIR [flags] [-- flags of runTraining.py, in place of the recommended ones]',
    )
    add = parser.add_argument
    add('data_dir', metavar='DATA_DIR', type=flags.directory, help='directory of record files and manifest.csv')
    add('--folds', type=_folds, default=5, help='into how many folds the patients are dealt')
    add('--seed', type=flags.seed, default=1, help='of the dealing and of every training')
    add('--exercise', choices=exercise_names(), default='challenge', help='whose solution is trained')
    add(
        '--init_from',
        metavar='RUN',
        type=flags.directory,
        help='directory of a run on other patients, with whose weights each training starts (default: random weights)',
    )
    add('--out', type=flags.directory, help='directory of the results (default: logs/cross_validation/EXERCISE)')
    add(
        '--hold_out',
        choices=[*PATHOLOGIES, 'all'],
        help='in place of folds, hold out the patients of this pathology, or of each in turn (default: folds)',
    )
    add(
        '--half',
        action='store_true',
        help='only half of the patients take part, of the same patients always the same half, and the results go to '
        'half/ of --out: what is chosen by these can be judged by the others (default: all patients)',
    )
    add(
        '--report',
        action='store_true',
        help='tell also what all that were held out come to by patient and by level of the heart, and what went wrong '
        'where, as runEval.py --report does (default: the table only)',
    )
    return parser


def _folds(text: str) -> int:
    return flags.number(text, int, lambda value: value >= 2, 'a whole number from 2')


def _parse(arguments: List[str]) -> Tuple[argparse.Namespace, Optional[List[str]]]:
    """The flags, and those behind --, if it is there."""
    parser = _parser()
    if '--' not in arguments:
        return parser.parse_args(arguments), None
    place = arguments.index('--')
    training_flags = arguments[place + 1 :]
    for flag in (text.split('=')[0] for text in training_flags):
        if flag in _SET_HERE:
            parser.error(
                f'{flag} cannot stand behind --: each training starts afresh, with data, directory, seed and first '
                'weights set here'
            )
    return parser.parse_args(arguments[:place]), training_flags


def main() -> None:
    """Measures what the flags say."""
    args, training_flags = _parse(sys.argv[1:])
    if training_flags is None:
        training_flags = recipe(args.exercise)
    data_dir = Path(args.data_dir)
    out = Path(args.out) if args.out else LOGS / 'cross_validation' / args.exercise
    pool = read_pool(data_dir)
    if args.half:
        out = out / 'half'
        pool = only(pool, half(pool.patients))
    if args.init_from:
        check_apart(pool, Path(args.init_from))
        training_flags = [*training_flags, '--init_from', shown(Path(args.init_from))]
    training = Training(args.exercise, training_flags, args.seed, measuring.fingerprint(data_dir), held_out=[])
    if args.hold_out is None:
        folders = cross_validate(pool, args.folds, training, out)
    else:
        wanted = set(PATHOLOGIES) if args.hold_out == 'all' else {args.hold_out}
        folders = hold_out_groups(pool, wanted, training, out)
    if args.report:
        into = folders[0].parent / 'report'
        print(f'\n{fold_report.report(folders, into)}\n\nThese files are in {shown(into)}.')
