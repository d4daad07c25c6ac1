"""Where things lie in this project: its folders and its exercises. Imports nothing that is slow."""

import os
import sys
from pathlib import Path
from typing import List

from lvseg.errors import LabError

LINK = '.lab'  # What a desk away from the lab has: a link to the lab (setup.desk).


def desk_of(project: Path, *places: str) -> Path:
    """The first folder above one of these places that is a desk of the project's; else the project itself."""
    for place in places:
        path = Path(os.path.abspath(place))
        for folder in (path, *path.parents):
            if os.path.islink(str(folder / LINK)) and os.path.realpath(str(folder / LINK)) == str(project):
                return folder
    return project


PROJECT = Path(__file__).resolve().parent.parent
SOLUTIONS = PROJECT / 'exercise_solutions'
# Where a student works: in the lab itself, or, where one lab is there for many, in a folder of their own.
DESK = desk_of(PROJECT, sys.argv[0], os.curdir)
EXERCISES = DESK / 'exercises'
DATA = DESK / 'data'
LOGS = DESK / 'logs'


def exercise_names() -> List[str]:
    """The exercises, by their folders' names, sorted."""
    folder = SOLUTIONS if SOLUTIONS.is_dir() else EXERCISES
    return sorted(exercise.name for exercise in folder.iterdir() if list(exercise.glob('*.py')))


def solution_folder(exercise: str) -> Path:
    """The folder of an exercise's solution.

    Raises:
        LabError: the solutions are not here, as in a copy for a class that was not given them.
    """
    if not SOLUTIONS.is_dir():
        raise LabError(
            f'this copy of the lab has no {SOLUTIONS.name}/, from which exercises are made and by which they are '
            'checked. Training and evaluation go without; for the rest, ask whoever gave it out, or take the whole lab.'
        )
    return SOLUTIONS / exercise


def shown(path: Path) -> str:
    """A path as a student would type it."""
    for folder in (DESK, PROJECT):
        if folder in path.parents:
            return str(path.relative_to(folder))
    return str(path)


def told(path: str) -> str:
    """A path without what it says of the machine and its user: under the desk relative to it, at home with ~."""
    home = Path.home()
    if DESK in Path(path).parents:
        return str(Path(path).relative_to(DESK))
    return os.path.join('~', str(Path(path).relative_to(home))) if home in Path(path).parents else path


def found(path: str) -> str:
    """The path that was told, absolute, wherever the desk and the home are now."""
    return os.path.join(str(DESK), os.path.expanduser(path))
