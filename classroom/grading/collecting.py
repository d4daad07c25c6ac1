"""A class's submissions: a folder or an archive for each student, of which the files of an exercise are taken.

What is in a submission comes from a stranger: no link is followed, no path of it is written to, nothing large is read.
"""

import csv
import gzip
import io
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Dict, Iterator, List, NamedTuple, Tuple

from lvseg.errors import LabError
from lvseg.project import EXERCISES, PROJECT

LANGUAGES = ('en', 'ko')
CLASS_LIST = 'students.csv'

LARGEST_FILE = 1 << 20  # Bytes; a network has some 8,000.
LARGEST_ARCHIVE = 1 << 30  # Bytes, unpacked.
MOST_FILES = 100_000

# The lab's own rooms that a student has no reason to change: the lab's are used, whatever a submission has.
_OF_THE_LAB = ('lvseg', 'classroom', 'scripts')
_TAR_ENDINGS = ('.tar.gz', '.tgz', '.tar')

# What Python raises for an archive that is damaged, or none.
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError)

File = Tuple[PurePosixPath, bytes]


class Submission(NamedTuple):
    """What a student has handed in.

    Attributes:
        files: the files of the exercise's folder, by name.
        changed: files of the lab's own that are not as they are here.
    """

    files: Dict[str, bytes]
    changed: List[str]


def students(folder: Path) -> Dict[str, Path]:
    """Each student's folder or archive, by the student's name, sorted.

    Raises:
        LabError: there is no such folder, or nothing in it, or two of one name.
    """
    if not folder.is_dir():
        raise LabError(f'{folder} is no folder. Give the folder that has a folder or an archive for each student.')
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith('.') or path.is_symlink() or not (path.is_dir() or _is_archive(path)):
            continue
        name = path.name if path.is_dir() else _without_ending(path.name)
        if name in found:
            raise LabError(f'{found[name]} and {path} are both of {name}. Take one of them away.')
        found[name] = path
    if not found:
        raise LabError(f'{folder} has no folder and no archive (.tar.gz, .tar or .zip) of a student in it.')
    return found


def languages(folder: Path) -> Dict[str, str]:
    """Each student's language, from the columns student and language of the file students.csv, if there is one.

    Raises:
        LabError: it cannot be read, or names a language that there is not.
    """
    path = folder / CLASS_LIST
    if not path.exists():
        return {}
    try:
        table = csv.DictReader(io.StringIO(path.read_text(encoding='utf-8-sig')))
        columns, rows = table.fieldnames or [], list(table)
    except (UnicodeDecodeError, csv.Error):
        columns = []
    if not {'student', 'language'} <= set(columns):
        raise LabError(f'{path} is to be a table in UTF-8 with the columns student,language.')
    found = {row['student']: row['language'] for row in rows}
    for student, language in found.items():
        if language not in LANGUAGES:
            raise LabError(f'{path}: {language!r} of {student} is no language of the lab; there are en and ko.')
    return found


def submission(path: Path, exercise: str) -> Submission:
    """The files that a student has handed in for an exercise.

    Raises:
        LabError: an archive is damaged, or too large.
    """
    files, changed = {}, []
    for place, content in _files(path):
        parts = place.parts
        if parts[-3:-1] == (EXERCISES.name, exercise):
            files.setdefault(place.name, content)
        changed.extend(_changed(place, content))
    return Submission(files, sorted(set(changed)))


def _changed(place: PurePosixPath, content: bytes) -> Iterator[str]:
    """The path within the lab of a file that is the lab's, and is not as here."""
    for room in _OF_THE_LAB:
        if room not in place.parts:
            continue
        within = PurePosixPath(*place.parts[place.parts.index(room) :])
        ours = PROJECT / within
        if not ours.is_file() or ours.read_bytes() != content:
            yield str(within)
        return


def _files(path: Path) -> Iterator[File]:
    """The Python files of a submission, those nearest to the top first."""
    found = _of_folder(path) if path.is_dir() else _of_archive(path)
    return iter(sorted(found, key=lambda file: (len(file[0].parts), str(file[0]))))


def _of_folder(folder: Path) -> Iterator[File]:
    for number, path in enumerate(folder.glob('**/*')):
        if number > MOST_FILES:
            raise LabError(f'{folder} has more than {MOST_FILES:,} files; an exercise has three.')
        place = PurePosixPath(*path.relative_to(folder).parts)
        if path.is_symlink() or not path.is_file() or any(folder.joinpath(part).is_symlink() for part in place.parents):
            continue
        if _is_archive(path) and len(place.parts) == 1:
            yield from _of_archive(path)
        elif _wanted(place) and path.stat().st_size <= LARGEST_FILE:
            yield place, path.read_bytes()


def _of_archive(path: Path) -> Iterator[File]:
    try:
        yield from list(_of_zip(path) if path.name.endswith('.zip') else _of_tar(path))
    except _DAMAGED as error:
        raise LabError(f'{path.name} cannot be unpacked: {error}. Pack it again: make archive') from None


def _of_tar(path: Path) -> Iterator[File]:
    with (open if path.name.endswith('.tar') else gzip.open)(str(path), 'rb') as opened:
        tar = tarfile.open(fileobj=_Limited(opened), mode='r|')  # noqa: SIM115 - the file is closed, and that is all
        for member in tar:
            if member.isfile() and member.size <= LARGEST_FILE and _wanted(PurePosixPath(member.name)):
                yield PurePosixPath(member.name), tar.extractfile(member).read()


def _of_zip(path: Path) -> Iterator[File]:
    with zipfile.ZipFile(str(path)) as packed:
        for member in packed.infolist():
            if member.file_size <= LARGEST_FILE and _wanted(PurePosixPath(member.filename)):
                with packed.open(member) as opened:
                    yield PurePosixPath(member.filename), opened.read(LARGEST_FILE)


class _Limited:
    """A file that is unpacked as it is read, up to a limit."""

    def __init__(self, opened: io.BufferedIOBase) -> None:
        self._opened = opened
        self._left = LARGEST_ARCHIVE

    def read(self, size: int) -> bytes:
        """The next bytes.

        Raises:
            ValueError: the limit is reached.
        """
        self._left -= size
        if self._left < 0:
            raise ValueError(f'it holds more than {LARGEST_ARCHIVE >> 30} GB')
        return self._opened.read(size)


def _wanted(place: PurePosixPath) -> bool:
    return place.suffix == '.py'


def _is_archive(path: Path) -> bool:
    return path.is_file() and path.name.endswith((*_TAR_ENDINGS, '.zip'))


def _without_ending(name: str) -> str:
    return next(name[: -len(ending)] for ending in (*_TAR_ENDINGS, '.zip') if name.endswith(ending))
