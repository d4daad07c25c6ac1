"""Runs that a later training has moved aside (lvseg.runs): found again, and removed when asked to."""

import os
import re
import shutil
from pathlib import Path
from typing import Dict, List, Optional

from lvseg import flags, runs
from lvseg.errors import LabError
from lvseg.project import LOGS, shown

_NUMBERED = re.compile(r'(.+)-[0-9]+')


def find(logs: Path) -> List[Path]:
    """The folders below `logs` that hold trainings moved aside, and evaluations of these moved aside, sorted.

    A training's run.json tells where it was made: a student's own `try-2` was made there, and is none.
    """
    kept: Dict[Path, Dict] = {}
    for folder, _, _ in os.walk(str(logs)):
        run = _run_in(folder) if _NUMBERED.fullmatch(os.path.basename(folder)) else None
        if run:
            kept[Path(folder)] = run
    trainings = {folder: run for folder, run in kept.items() if _was_trained_before(folder, run)}
    begun = {run['started'] for run in trainings.values() if 'started' in run}
    evaluations = [folder for folder, run in kept.items() if _is_evaluation(folder) and run.get('started') in begun]
    return sorted([*trainings, *evaluations])


def _run_in(folder: str) -> Optional[Dict]:
    try:
        return runs.load(folder)
    except LabError:  # Whatever is in there, it is not known to be a run.
        return None


def _was_trained_before(folder: Path, run: Dict) -> bool:
    """Whether a training was made in the folder of this name without its number."""
    made_in = run.get('checkpoint_dir')
    earlier = _NUMBERED.fullmatch(str(folder)).group(1)
    return bool(made_in) and (folder / 'checkpoint').exists() and os.path.realpath(made_in) == os.path.realpath(earlier)


def _is_evaluation(folder: Path) -> bool:
    return not (folder / 'checkpoint').exists()


def size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob('*') if path.is_file() and not path.is_symlink())


def main() -> None:
    """Removes them and tells which, and how much room that makes."""
    flags.Parser(description='Removes the runs in logs/ that later trainings have moved aside.').parse_args()
    freed = 0
    for folder in find(LOGS):
        freed += size(folder)
        with runs.writing(str(folder)):
            shutil.rmtree(str(folder))
        print(f'removed {shown(folder)}', flush=True)
    print(f'{freed / 1e9:.1f} GB of runs moved aside are removed.' if freed else 'No runs were moved aside.')
