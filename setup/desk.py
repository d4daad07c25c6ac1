"""A desk away from the lab: a student's folder with exercises and runs, where one lab is installed for many.

What the student changes is copied; all else is a link into the lab, so that the guide's commands work on the desk as
they stand. Nothing is written into the lab, which belongs to somebody else.
"""

import os
import shutil
from pathlib import Path
from typing import Iterator

from lvseg import flags
from lvseg.errors import LabError
from lvseg.project import EXERCISES, LINK, PROJECT

LINKED = ('Makefile', 'README.md', 'scripts', 'docs', 'exercise_solutions', 'data')


def lay(desk: Path, project: Path = PROJECT) -> None:
    """Makes a desk, or adds to one what it lacks; whatever lies there already stays as it is.

    Raises:
        LabError: the folder holds something else, is the lab itself, or cannot be written.
    """
    link = desk / LINK
    if desk.resolve() == project:
        raise LabError(f'{desk} is the lab itself. Give a folder of your own: make desk DESK=folder')
    if desk.exists() and not link.is_symlink() and (not desk.is_dir() or list(desk.iterdir())):
        raise LabError(f'{desk} is there, and is no desk of this lab. Give a new folder: make desk DESK=folder')
    if link.is_symlink() and link.resolve() != project:
        raise LabError(f'{desk} is a desk of the lab in {link.resolve()}. Give a new folder: make desk DESK=folder')
    try:
        desk.mkdir(parents=True, exist_ok=True)
        for target in (project, *_linked(project)):
            place = link if target == project else desk / target.name
            if not os.path.lexists(str(place)):
                place.symlink_to(target)
        for file in sorted((project / EXERCISES.name).glob('*/*.py')):
            _copy(file, desk / file.relative_to(project))
    except OSError as error:
        raise LabError(f'cannot write {error.filename or desk}: {error.strerror}. Give another: DESK=folder') from None


def _linked(project: Path) -> Iterator[Path]:
    """What a desk has links to."""
    for path in (*(project / name for name in LINKED), *sorted(project.glob('.venv*'))):
        if path.exists():
            yield path


def _copy(file: Path, place: Path) -> None:
    if place.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(str(file), str(place))  # Without the mode, for the lab's files may be read-only.


def main() -> None:
    """Makes a desk and says what to do there."""
    parser = flags.Parser(description='Makes a desk of your own, where one lab is installed for many.')
    parser.add_argument('desk', nargs='?', default='~/lab', help='the folder of the desk (default: ~/lab)')
    desk = Path(parser.parse_args().desk).expanduser()
    if not desk.is_absolute():  # After `make -C` it would lie in the lab.
        raise LabError(f'DESK={desk}: a folder from the root or from ~ on is wanted, such as ~/lab.')
    lay(desk)
    print(f'{desk} is your desk. Do: cd {desk}; source .venv/bin/activate')
