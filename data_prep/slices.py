"""What the other modules speak of: one slice before it is read, and how its files are opened and named in errors."""

import contextlib
import os
import struct
import zlib
from typing import Iterator, List, NamedTuple, Optional, Tuple

from lvseg.errors import LabError
from lvseg.manifest import Spacing

import numpy as np
from PIL import Image
from pydicom.errors import BytesLengthException, InvalidDicomError

# What an absurd header may ask for at most: 4096 x 4096 pixels of 32 bits are 64 MB.
MAX_SIDE = 4096
MAX_FILE_BYTES = 64 * 2**20

# What pydicom and Pillow were seen to raise on damaged files (tests/data_prep/test_fuzz.py), and what their decoders
# raise by their own code. They have no common base; only calls into these two libraries stand under this list.
LIBRARY_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
    BytesLengthException,
    InvalidDicomError,
    Image.DecompressionBombError,
)


class Slice(NamedTuple):
    """An image with its contour or mask, before it is read. Paths lie under the folders given, with / between."""

    name: str
    patient: str
    image: str
    mask: str
    problem: str = ''  # Why it cannot be read, where that shows before reading.
    frame: int = 0  # Which of the frames in these files, and which slice of it, where they hold more than one.
    number: int = 0


class Found(NamedTuple):
    """The slices of a folder, and what else was seen there: lines for the user."""

    slices: List[Slice]
    notes: List[str]


class Picture(NamedTuple):
    """Pixels as the file has them."""

    pixels: np.ndarray  # int64 [height, width]
    eight_bit: bool  # Stored in 8 bits or fewer, so from 0 to 255.
    spacing: Optional[Spacing] = None  # None where the file does not tell it.


class Pair(NamedTuple):
    """An image with its mask, as they become a record."""

    image: np.ndarray  # integer [256, 256]
    mask: np.ndarray  # uint8 [256, 256]
    spacing: Optional[Spacing] = None  # Of these 256 x 256 pixels; None where it is not known.
    changes: Tuple[str, ...] = ()  # What data_prep.fitting did to come to that size.


class BadFileError(LabError):
    """A LabError that keeps the file's path under the folder given apart from the reason."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f'{file}: {reason}')
        self.file = file
        self.reason = reason


def counted(number: int, noun: str) -> str:
    """'1 slice', '2 slices'."""
    return f'{number} {noun}' if number == 1 else f'{number} {noun}s'


@contextlib.contextmanager
def naming(file: str) -> Iterator[None]:
    """Adds the file's name to a LabError: the readers of DICOM, contours and pictures see bytes only."""
    try:
        yield
    except LabError as error:
        raise BadFileError(file, str(error)) from None


def read_bytes(folder: str, path: str) -> bytes:
    """The content of a file.

    Raises:
        LabError: it cannot be read, or is far too large for one slice.
    """
    full_path = os.path.join(folder, path)
    try:
        size = os.path.getsize(full_path)
        if size > MAX_FILE_BYTES:
            raise LabError(f'has {size} bytes, far more than one slice needs')
        with open(full_path, 'rb') as file:
            return file.read()
    except OSError as error:
        raise LabError(f'cannot be read: {error.strerror}') from None


def folders_in(folder: str) -> List[str]:
    """The names of a folder's sub-folders, sorted; LabError if it cannot be listed."""
    return [entry.name for entry in _entries(folder) if _is_folder(entry)]


def files_in(folder: str) -> List[str]:
    """The names of a folder's files, sorted; LabError if it cannot be listed."""
    return [entry.name for entry in _entries(folder) if _is_file(entry)]


def files_under(folder: str) -> List[str]:
    """Paths of all files of a folder and its sub-folders, relative to it, with / between, sorted.

    Links are followed, but every folder is visited once, by its own path if it has one here: links may lead round and
    round, or to one folder by more ways than can be counted. A link that leads nowhere is passed over.
    """
    found, visited = [], set()
    folders, links = [(folder, '')], []
    while folders or links:
        path, below = folders.pop() if folders else links.pop(0)
        real = os.path.realpath(path)
        if real in visited:
            continue
        visited.add(real)
        for entry in _entries(path):
            if _is_folder(entry):
                (links if entry.is_symlink() else folders).append((entry.path, f'{below}{entry.name}/'))
            elif _is_file(entry):
                found.append(below + entry.name)
    return sorted(found)


def _is_folder(entry: os.DirEntry) -> bool:
    return os.path.isdir(entry.path)  # Of a link to itself, entry.is_dir() raises an error.


def _is_file(entry: os.DirEntry) -> bool:
    return os.path.isfile(entry.path)


def _entries(folder: str) -> List[os.DirEntry]:
    if not os.path.exists(folder):
        raise LabError(f'{folder} not found: a folder is wanted here.')
    if not os.path.isdir(folder):
        raise LabError(f'{folder} is a file: a folder is wanted here.')
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise LabError(f'{folder} cannot be listed: {error.strerror}.') from None
