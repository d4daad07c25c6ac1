"""How good a training is on patients that it has never seen: trains and evaluates several times, and ends with a table.

The patients of both record files of DATA_DIR, known by its manifest.csv, are dealt into folds; each fold is held out
once, and the others train. With --hold_out it is not folds that are held out, but all patients of one pathology.

What was measured before is not measured again, so an interrupted cross-validation goes on; other data or other flags
want another --out. After a change of the exercise's code, remove the folder of the results to start over.
"""

import argparse
import csv
import hashlib
import json
import random
import re
import sys
from collections import defaultdict
from pathlib import Path
from statistics import mean, stdev
from typing import Any, DefaultDict, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

from lvseg import flags, manifest, records, reports, runs
from lvseg.errors import LabError
from lvseg.layout import record_file
from lvseg.project import LOGS as ALL_LOGS
from lvseg.project import SOLUTIONS, shown

import tensorflow.compat.v1 as tf

from data_prep.names import case_name
from experiments import commands
from experiments.recipe import RECIPE

LOGS = ALL_LOGS / 'cross_validation'

# Heart failure with infarct and without, hypertrophy, normal: the pathologies of the Sunnybrook data.
GROUPS = ('SC-HF-I', 'SC-HF-NI', 'SC-HYP', 'SC-N')
_CASE = re.compile(rf'({"|".join(GROUPS)})-[0-9]+')

# Flags of runTraining.py that would make a part another training than the table says, or show it what is held out.
_SET_HERE = ('--data_dir', '--checkpoint_dir', '--seed', '--resume', '--init_from')

_MEASURED = 'measured.json'
_SPLITS = ('train', 'eval')

Figures = Dict[str, Optional[float]]

# Heading, how many characters, how many decimals; {} is the unit of the distances.
_COLUMNS = {
    'patients': ('patients', 8, 0),
    'slices': ('slices', 6, 0),
    'steps': ('steps', 6, 0),
    'seconds': ('seconds', 7, 0),
    'dice': ('Dice', 6, 3),
    'dice_per_slice': ('per slice', 9, 3),
    'iou_per_slice': ('IoU', 6, 3),
    'average_perpendicular_distance': ('APD {}', 10, 2),
    'hausdorff_distance': ('Hausdorff {}', 16, 2),
    'good': ('good', 6, 3),
}


class Pool(NamedTuple):
    """All records of a folder, training and validation slices together."""

    data_dir: Path
    lines: List[Dict[str, str]]  # of the manifest, in the order of the records: training file, then validation file
    fingerprint: str  # of the records and of the manifest's lines

    @property
    def patients(self) -> List[str]:
        """Each once, sorted."""
        return sorted({line['patient'] for line in self.lines})


class Part(NamedTuple):
    """What is held out together: a fold, or a pathology."""

    name: str
    patients: List[str]
    folder: Path


def read_pool(data_dir: Path) -> Pool:
    """Reads which record is whose; checks all of them.

    Raises:
        LabError: no record file, a damaged one, or no manifest that fits.
    """
    digest, lines = hashlib.sha256(), []
    for split, path in _files(data_dir):
        of_split = manifest.lines(str(data_dir), split)
        labelled = []
        for image, label in records.read(path):
            labelled.append(int(label.sum()))
            digest.update(image.tobytes() + label.tobytes())
        if not manifest.fits(of_split, labelled) or not all(line.get('patient') for line in of_split):
            raise LabError(
                f'{data_dir / manifest.FILE_NAME} does not tell whose slices are in {path}: a line for each of its '
                f'{len(labelled)} records is wanted, with patient and lv_pixels. Make both with: python -m data_prep.'
            )
        lines += [{**line, 'patient': case_name(line['patient'])} for line in of_split]
    digest.update(json.dumps(lines, sort_keys=True).encode())
    return Pool(data_dir, lines, digest.hexdigest())


def _files(data_dir: Path) -> List[Tuple[str, str]]:
    """The record files that are there, one at least, by their splits."""
    paths = [(split, record_file(str(data_dir), split)) for split in _SPLITS]
    found = [(split, path) for split, path in paths if Path(path).is_file()]
    if not found:
        raise LabError(f'{data_dir} holds no record file. Make some with: python -m data_prep (see -h).')
    return found


def group(patient: str) -> str:
    """The pathology that a case's name tells, such as SC-HF-NI of SC-HF-NI-3 or SC-HF-NI-03; '' if it tells none."""
    match = _CASE.fullmatch(patient)
    return match.group(1) if match else ''


def deal(patients: List[str], folds: int, seed: int) -> List[List[str]]:
    """Deals patients into folds whose sizes differ by one at most, each pathology spread over them.

    Raises:
        LabError: fewer patients than folds.
    """
    if len(patients) < folds:
        raise LabError(f'--folds {folds} is more than the {len(patients)} patients; give {len(patients)} or less.')
    by_group: DefaultDict[str, List[str]] = defaultdict(list)
    for patient in sorted(patients):
        by_group[group(patient)].append(patient)
    lot = random.Random(seed)
    for same in by_group.values():
        lot.shuffle(same)
    dealt = [patient for name in sorted(by_group) for patient in by_group[name]]
    return [sorted(dealt[number::folds]) for number in range(folds)]


def hold_out(patients: List[str]) -> Dict[str, List[str]]:
    """The patients of each of the four pathologies.

    Raises:
        LabError: a patient's name tells no pathology, or all are of the same one.
    """
    unknown = [patient for patient in patients if not group(patient)]
    if unknown:
        raise LabError(
            f'--hold_out wants names that tell the pathology, {", ".join(f"{name}-01" for name in GROUPS)} or the '
            f'like; {len(unknown)} of {len(patients)} patients have others, such as {unknown[0]}.'
        )
    found = {name: [patient for patient in patients if group(patient) == name] for name in GROUPS}
    if sum(bool(same) for same in found.values()) < 2:
        raise LabError('--hold_out wants patients of several pathologies: with one alone, nothing is left to train on.')
    return found


def write(pool: Pool, held_out: List[str], folder: Path) -> None:
    """Writes two record files and a manifest: validation slices are those of `held_out`, all others train.

    Raises:
        LabError: the folder cannot be written.
    """
    with runs.writing(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        lines = [{**line, 'split': _side(line, held_out)} for line in pool.lines]
        lines_by_side = {side: [line for line in lines if line['split'] == side] for side in manifest.SPLITS.values()}
        _write_manifest(folder / manifest.FILE_NAME, [line for side in lines_by_side.values() for line in side])
        try:
            _write_records(pool, lines, folder)
        except tf.errors.OpError as error:
            raise OSError(error.error_code, error.message) from None


def _side(line: Dict[str, str], held_out: List[str]) -> str:
    return manifest.SPLITS['eval' if line['patient'] in held_out else 'train']


def _write_records(pool: Pool, lines: List[Dict[str, str]], folder: Path) -> None:
    writers = {
        side: tf.python_io.TFRecordWriter(record_file(str(folder), split)) for split, side in manifest.SPLITS.items()
    }
    for record, line in zip(_records(pool), lines):
        writers[line['split']].write(record)
    for writer in writers.values():
        writer.close()


def _records(pool: Pool) -> Iterator[bytes]:
    for _, path in _files(pool.data_dir):
        yield from tf.python_io.tf_record_iterator(path)


def _write_manifest(path: Path, lines: List[Dict[str, str]]) -> None:
    with path.open('w', encoding='utf-8', errors='surrogateescape', newline='') as file:
        writer = csv.DictWriter(file, list(lines[0]), lineterminator='\n', extrasaction='ignore', restval='')
        writer.writeheader()
        writer.writerows(lines)


class Training(NamedTuple):
    """What is measured: how each part's training is made."""

    exercise: str
    flags: List[str]
    seed: int

    def made_with(self, pool: Pool, part: Part) -> Dict[str, Any]:
        """All that the result depends on, but for the code."""
        return {**self._asdict(), 'data': pool.fingerprint, 'held_out': part.patients}


def earlier(pool: Pool, part: Part, training: Training) -> Optional[Dict[str, Any]]:
    """What was measured of a part before, if it was.

    Raises:
        LabError: that was of other data, or with other flags.
    """
    try:
        found = json.loads((part.folder / _MEASURED).read_text())
    except (OSError, ValueError):
        return None
    if found.get('made_with') != training.made_with(pool, part):
        raise LabError(
            f'{shown(part.folder)} was measured of other data or with other flags. '
            'Give another --out to keep it, or remove it.'
        )
    return found


def measure(pool: Pool, part: Part, training: Training) -> Dict[str, Any]:
    """Trains on all patients but those of the part, and evaluates on them; or tells what was measured before."""
    known = earlier(pool, part, training)
    if known:
        print(f'{part.name} was measured before, in {shown(part.folder)}.', flush=True)
        return known
    write(pool, part.patients, part.folder / 'data')
    training_flags = [*training.flags, '--seed', str(training.seed)]
    done = commands.train_and_evaluate(training.exercise, part.folder / 'data', part.folder, training_flags)
    found = {
        'made_with': training.made_with(pool, part),
        'seconds': done.seconds,
        'metrics': done.metrics,
        'areas': _areas(part.folder / 'eval' / reports.PER_SLICE_FILE),
    }
    runs.save_json(str(part.folder / _MEASURED), found)
    return found


def _areas(path: Path) -> Dict[str, int]:
    with path.open(encoding='utf-8', errors='surrogateescape', newline='') as file:
        rows = list(csv.DictReader(file))
    return {name: sum(int(row[name]) for row in rows) for name in ('intersection', 'labelled', 'predicted')}


def figures(found: Dict[str, Any], unit: str) -> Figures:
    """A line of the table: pooled Dice, means over the slices, distances in this unit or None; `good` is a share."""
    metrics = found['metrics']
    contours = metrics['contours'].get(unit, {})
    return {
        'patients': len(found['made_with']['held_out']),
        'slices': metrics['images'],
        'steps': metrics['step'],
        'seconds': found['seconds'],
        'dice': metrics['dice'],
        'dice_per_slice': metrics['per_slice']['dice']['mean'],
        'iou_per_slice': metrics['per_slice']['iou']['mean'],
        'average_perpendicular_distance': contours.get('average_perpendicular_distance', {}).get('mean'),
        'hausdorff_distance': contours.get('hausdorff_distance', {}).get('mean'),
        'good': contours.get('good'),
    }


def all_slices(measured: List[Dict[str, Any]], unit: str) -> Figures:
    """The same of the held-out slices of all parts together, each by the training that had not seen its patient."""
    areas = {name: sum(found['areas'][name] for found in measured) for name in measured[0]['areas']}
    whole = areas['labelled'] + areas['predicted']
    lines = [figures(found, unit) for found in measured]
    contours = [found['metrics']['contours'].get(unit, {}) for found in measured]

    def over(weights: List[int], name: str) -> Optional[float]:
        known = [(line[name], weight) for line, weight in zip(lines, weights) if line[name] is not None]
        total = sum(weight for _, weight in known)
        return sum(value * weight for value, weight in known) / total if total else None

    slices = [line['slices'] for line in lines]
    pairs = [found.get('both_contours', 0) for found in contours]
    return {
        **{name: sum(line[name] for line in lines) for name in ('patients', 'slices', 'steps', 'seconds')},
        'dice': 2 * areas['intersection'] / whole if whole else 1.0,
        'dice_per_slice': over(slices, 'dice_per_slice'),
        'iou_per_slice': over(slices, 'iou_per_slice'),
        'average_perpendicular_distance': over(pairs, 'average_perpendicular_distance'),
        'hausdorff_distance': over(pairs, 'hausdorff_distance'),
        'good': over([found.get('contours', 0) for found in contours], 'good'),
    }


def summary(measured: Dict[str, Dict[str, Any]]) -> Dict[str, Any]:
    """The table's figures; with more than one part also their mean and standard deviation (n - 1), and all slices."""
    contours = [found['metrics']['contours'] for found in measured.values()]
    unit = 'mm' if any('mm' in known for known in contours) else 'pixels'
    lines = {name: figures(found, unit) for name, found in measured.items()}
    result = {
        'unit': unit,
        'slices_with_that_unit': sum(known.get(unit, {}).get('slices', 0) for known in contours),
        'parts': lines,
    }
    if len(lines) > 1:
        result['mean'] = {name: _over(mean, lines, name) for name in _COLUMNS}
        result['standard_deviation'] = {name: _over(stdev, lines, name) for name in _COLUMNS}
        result['all_slices'] = all_slices(list(measured.values()), unit)
    return result


def _over(function: Any, lines: Dict[str, Figures], name: str) -> Optional[float]:  # noqa: ANN401 - mean or stdev
    values = [line[name] for line in lines.values() if line[name] is not None]
    return function(values) if len(values) >= (2 if function is stdev else 1) else None


def table(names: List[str], result: Dict[str, Any]) -> str:
    """The closing table, ready to print; a name without figures is not yet measured."""
    head = ' '.join(f'{title.format(result["unit"]):>{width}}' for title, width, _ in _COLUMNS.values())
    rule = '-' * (19 + len(head))
    lines = [f'{"held out":<18} {head}', rule]
    for name in names:
        known = result['parts'].get(name)
        lines.append(_line(name, known) if known else f'{name:<18} not yet measured')
    if 'mean' in result:
        lines += [rule, _line('mean', result['mean']), _line('standard deviation', result['standard_deviation'])]
        lines.append(_line('all slices', result['all_slices']))
    total = sum(line['slices'] for line in result['parts'].values())
    if result['slices_with_that_unit'] < total:
        lines.append(
            f'\nDistances are of the {result["slices_with_that_unit"]} of {total} slices whose pixel spacing is known.'
        )
    return '\n'.join(lines)


def _line(name: str, known: Figures) -> str:
    cells = [
        f'{"-" if known[key] is None else format(known[key], f".{decimals}f"):>{width}}'
        for key, (_, width, decimals) in _COLUMNS.items()
    ]
    return f'{name:<18} {" ".join(cells)}'


def cross_validate(pool: Pool, folds: int, training: Training, out: Path) -> None:
    """Measures each fold, prints the table and writes it as JSON."""
    run = f'{folds}-folds-seed-{training.seed}'
    parts = [
        Part(f'fold {number}', patients, out / run / f'fold-{number}')
        for number, patients in enumerate(deal(pool.patients, folds, training.seed), start=1)
    ]
    measured = {part.name: measure(pool, part, training) for part in parts}
    _report([part.name for part in parts], measured, training, out / f'{run}.json')


def hold_out_groups(pool: Pool, wanted: Set[str], training: Training, out: Path) -> None:
    """Measures the pathologies wanted; prints the table of all four with those measured before, and writes it."""
    run = f'hold-out-seed-{training.seed}'
    groups = hold_out(pool.patients)
    missing = sorted(name for name in wanted if not groups[name])
    if missing:
        raise LabError(f'--hold_out: {pool.data_dir} has no patients of {", ".join(missing)}.')
    measured = {}
    for name in GROUPS:
        part = Part(name, groups[name], out / run / name)
        found = measure(pool, part, training) if name in wanted else earlier(pool, part, training)
        if found:
            measured[name] = found
    _report(list(GROUPS), measured, training, out / f'{run}.json')


def _report(names: List[str], measured: Dict[str, Dict[str, Any]], training: Training, path: Path) -> None:
    result = summary(measured)
    runs.save_json(str(path), {**training._asdict(), **result})
    over = '; mean and standard deviation are over parts' if 'mean' in result else ''
    print(f'\n{table(names, result)}\n\nThe same in {shown(path)}{over}.')


def recipe(exercise: str) -> List[str]:
    """The flags of a training for which none were given: those of `make challenge`, or the exercise's own defaults."""
    return list(RECIPE) if exercise == 'challenge' else []


def _exercises() -> List[str]:
    return sorted(path.parent.name for path in SOLUTIONS.glob('*/runTraining.py'))


def _parser() -> flags.Parser:
    parser = flags.Parser(
        description=__doc__.splitlines()[0],
        usage='%(prog)s DATA_DIR [flags] [-- flags of runTraining.py, in place of the recommended ones]',
    )
    add = parser.add_argument
    add('data_dir', metavar='DATA_DIR', type=flags.directory, help='directory of record files and manifest.csv')
    add('--folds', type=_folds, default=5, help='into how many folds the patients are dealt')
    add('--seed', type=flags.seed, default=1, help='of the dealing and of every training')
    add('--exercise', choices=_exercises(), default='challenge', help='whose solution is trained')
    add('--out', type=flags.directory, help='directory of the results (default: logs/cross_validation/EXERCISE)')
    add(
        '--hold_out',
        choices=[*GROUPS, 'all'],
        help='in place of folds, hold out the patients of this pathology, or of each in turn (default: folds)',
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
                f'{flag} cannot stand behind --: each training starts afresh, with data, directory and seed set here'
            )
    return parser.parse_args(arguments[:place]), training_flags


def main() -> None:
    """Measures what the flags say."""
    args, training_flags = _parse(sys.argv[1:])
    training = Training(args.exercise, recipe(args.exercise) if training_flags is None else training_flags, args.seed)
    out = Path(args.out) if args.out else LOGS / args.exercise
    pool = read_pool(Path(args.data_dir))
    if args.hold_out is None:
        cross_validate(pool, args.folds, training, out)
    else:
        hold_out_groups(pool, set(GROUPS) if args.hold_out == 'all' else {args.hold_out}, training, out)
