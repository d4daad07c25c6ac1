"""A training measured once and kept, beside all that its figures depend on: the one way for all experiments.

A measurement that was broken off leaves nothing that counts, and is made again. After a change of the exercise's code,
remove the folder of the results to start over.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

from lvseg import project, reports, runs
from lvseg.errors import LabError
from lvseg.layout import MANIFEST_FILE, RECORD_FILES
from lvseg.project import SOLUTIONS, shown

from experiments import commands

MEASURED_FILE = 'measured.json'

_PIECE = 2**20  # bytes


class Training(NamedTuple):
    """All that a training's figures depend on, but for the code."""

    exercise: str
    flags: List[str]  # of runTraining.py, but for its directories and its seed
    seed: int
    data: str  # the fingerprint of the folder
    held_out: List[str]  # patients; none where the folder's own validation slices are held out


class Measured(NamedTuple):
    """What is kept of a training that was evaluated."""

    made_with: Dict[str, Any]  # the Training, and when the run began whose weights it started with
    seconds: float  # of the whole training command, its start included
    metrics: Dict[str, Any]  # as runEval.py keeps them
    areas: Dict[str, int]  # intersection, labelled and predicted: pixels of all held-out slices


def fingerprint(data_dir: Path) -> str:
    """Tells folders of data apart: SHA-256 of the record files and the manifest, of those that there are.

    Any change counts, even one that changes no figure. Reading the 260 published slices takes 0.2 seconds.

    Raises:
        LabError: one of them cannot be read.
    """
    digest = hashlib.sha256()
    for path in (data_dir / name for name in (*RECORD_FILES.values(), MANIFEST_FILE)):
        if not path.is_file():
            continue
        digest.update(f'{path.name} {path.stat().st_size} '.encode())  # Or else bytes could move to the next file.
        try:
            with path.open('rb') as file:
                for piece in iter(lambda file=file: file.read(_PIECE), b''):
                    digest.update(piece)
        except OSError as error:
            raise LabError(f'cannot read {path}: {error.strerror}.') from None
    return digest.hexdigest()


def earlier(training: Training, folder: Path) -> Optional[Measured]:
    """What was measured in a folder before, if it was.

    Raises:
        LabError: that was of other data, with other flags, or from other weights.
    """
    try:
        kept = json.loads((folder / MEASURED_FILE).read_text())
    except (OSError, ValueError):
        return None
    if kept.get('made_with') != _made_with(training):
        raise LabError(
            f'{shown(folder)} was measured of other data or with other flags, or from weights that were trained anew '
            'since. Move or remove it, or give another --out where that is a flag.'
        )
    return Measured(**kept)


def measure(training: Training, data_dir: Path, folder: Path, exercises: Path = SOLUTIONS) -> Measured:
    """Trains and evaluates on the records of `data_dir`, and keeps in `folder` what comes of it."""
    training_flags = [*training.flags, '--seed', str(training.seed)]
    done = commands.train_and_evaluate(training.exercise, data_dir, folder, training_flags, exercises)
    areas = _areas(folder / 'eval' / reports.PER_SLICE_FILE)
    measured = Measured(_made_with(training), done.seconds, done.metrics, areas)
    runs.save_json(str(folder / MEASURED_FILE), measured._asdict())
    return measured


def once(training: Training, data_dir: Path, folder: Path, exercises: Path = SOLUTIONS) -> Measured:
    """What was measured in a folder before, if it was, or else is now. Raises as `earlier`."""
    return earlier(training, folder) or measure(training, data_dir, folder, exercises)


def _made_with(training: Training) -> Dict[str, Any]:
    made_with = dict(training._asdict())
    if '--init_from' in training.flags:  # The folder of a run, and there may be another one since.
        start = training.flags[training.flags.index('--init_from') + 1]
        made_with['start_began'] = (runs.load(project.found(start)) or {}).get('started')
    return made_with


def _areas(path: Path) -> Dict[str, int]:
    rows = reports.read_per_slice(path)
    return {name: sum(int(row[name]) for row in rows) for name in ('intersection', 'labelled', 'predicted')}
