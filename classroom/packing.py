"""Packs the lab with a student's exercises and pictures, to take home."""

import os
import tarfile
from pathlib import Path
from typing import Optional

from lvseg import flags
from lvseg.errors import LabError
from lvseg.project import DESK, PROJECT, SOLUTIONS

ARCHIVE = 'ImageSegmentation.tar.gz'
FOLDER = 'ImageSegmentation'  # What unpacking makes.

# Not data, runs and environments: they are large, and made again by a command.
TAKE_HOME = (
    *(
        'README.md',
        'LICENSE',
        'Makefile',
        'Dockerfile',
        '.dockerignore',
        '.devcontainer',
        '.gitignore',
        '.python-version',
    ),
    *('requirements.txt', 'requirements-tf2.txt', 'requirements-tf2.15.txt'),
    *('requirements-nifti.txt', 'requirements-search.txt', 'requirements-notebook.txt', 'requirements-dev.txt'),
    'pyproject.toml',
    *(
        'exercises',
        'data_prep',
        'lvseg',
        'study',
        'experiments',
        'tuning',
        'cluster',
        'classroom',
        'inside',
        'notebooks',
        'setup',
        'scripts',
    ),
    'docs',
)
WHERE_THERE = ('exercise_solutions', 'tests', 'pictures')
OF_THE_STUDENT = ('exercises', 'pictures')


def pack(project: Path, desk: Optional[Path] = None) -> Path:
    """Makes the archive on the student's desk and returns its path; an earlier one stays until this one is complete.

    Args:
        desk: where the student's work lies; None for in the project itself.

    Raises:
        LabError: a part of the lab is not there, or the archive cannot be written.
    """
    desk = desk or project
    places = {name: (desk if name in OF_THE_STUDENT else project) / name for name in (*TAKE_HOME, *WHERE_THERE)}
    missing = [name for name in TAKE_HOME if not places[name].exists()]
    if missing:
        raise LabError(
            f'{", ".join(missing)} not found in {project}. Unpack or clone the lab again, with your work in it.'
        )
    archive, unfinished = desk / ARCHIVE, desk / f'.{ARCHIVE}'
    try:
        with tarfile.open(str(unfinished), 'w:gz') as tar:
            for name, place in places.items():
                if place.exists():
                    tar.add(str(place), f'{FOLDER}/{name}', filter=_without_cache)
        os.replace(str(unfinished), str(archive))
    except OSError as error:
        raise LabError(f'{archive} cannot be written: {error.strerror}.') from error
    finally:
        if unfinished.exists():
            unfinished.unlink()
    return archive


def _without_cache(member: tarfile.TarInfo) -> Optional[tarfile.TarInfo]:
    return None if '__pycache__' in member.name.split('/') else member


def main() -> None:
    """Packs this project."""
    flags.Parser(description=__doc__).parse_args()
    pack(PROJECT, DESK)
    print(f'Everything to take home is in {ARCHIVE}')
    if not SOLUTIONS.is_dir():
        print(f'Without {SOLUTIONS.name}/, which is not here: exercises cannot be checked or made anew in it.')
