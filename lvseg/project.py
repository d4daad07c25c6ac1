"""Where things lie in this project: its folders and its exercises. Imports nothing that is slow."""

from pathlib import Path
from typing import List

PROJECT = Path(__file__).resolve().parent.parent
SOLUTIONS = PROJECT / 'exercise_solutions'
EXERCISES = PROJECT / 'exercises'
DATA = PROJECT / 'data'
LOGS = PROJECT / 'logs'


def exercise_names() -> List[str]:
    """The exercises, by their folders' names, sorted."""
    return sorted(folder.name for folder in SOLUTIONS.iterdir() if list(folder.glob('*.py')))


def shown(path: Path) -> str:
    """A path as a student would type it."""
    return str(path.relative_to(PROJECT)) if PROJECT in path.parents else str(path)
