"""Where things lie in this project: its folders and its exercises. Imports nothing that is slow."""

import os
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


def told(path: str) -> str:
    """A path without what it says of the machine and its user: under the project relative to it, at home with ~."""
    home = Path.home()
    if PROJECT in Path(path).parents:
        return shown(Path(path))
    return os.path.join('~', str(Path(path).relative_to(home))) if home in Path(path).parents else path


def found(path: str) -> str:
    """The path that was told, absolute, wherever the project and the home are now."""
    return os.path.join(str(PROJECT), os.path.expanduser(path))
