"""Which slices are to train and which for validation.

Names are sorted before they are shuffled with a seed: a file system's order differs from machine to machine.
"""

import os
import random
from collections import defaultdict
from typing import DefaultDict, List, NamedTuple, Set

from lvseg.errors import LabError

from data_prep.names import without_extensions
from data_prep.slices import Slice


class Split(NamedTuple):
    """Slices in the order of their records."""

    train: List[Slice]
    val: List[Slice]


def by_slice(slices: List[Slice], fraction: float, seed: int) -> Split:
    """The lab's way: neighbouring slices of one patient fall on both sides, so validation is too hopeful."""
    shuffled = _shuffled(slices, seed)
    count = _share(len(shuffled), fraction)
    return Split(shuffled[count:], shuffled[:count])


def by_patient(slices: List[Slice], fraction: float, seed: int) -> Split:
    """A fraction of the patients validates, so no patient is on both sides."""
    patients = sorted({piece.patient for piece in slices})
    random.Random(seed).shuffle(patients)
    chosen = set(patients[: _share(len(patients), fraction)])
    shuffled = _shuffled(slices, seed)
    return Split(
        [piece for piece in shuffled if piece.patient not in chosen],
        [piece for piece in shuffled if piece.patient in chosen],
    )


def by_names(slices: List[Slice], names_file: str, seed: int) -> Split:
    """The images that a file lists, one a line, validate; all others train.

    A line is an image's path under its folder or its file name alone; extensions may be left out.

    Raises:
        LabError: the file cannot be read, or a name in it fits no image, or more than one.
    """
    by_any_name: DefaultDict[str, Set[str]] = defaultdict(set)
    for piece in slices:
        if piece.image:
            for name in (piece.name, os.path.basename(piece.name)):
                by_any_name[name].add(piece.name)

    chosen: Set[str] = set()
    missing, unclear = [], []
    for name in _lines(names_file):
        fitting = by_any_name.get(without_extensions(name), set())
        chosen |= fitting
        if not fitting:
            missing.append(name)
        elif len(fitting) > 1:
            unclear.append(name)
    if missing:
        raise LabError(f'{names_file} lists {len(missing)} names of which there is no image, the first: {missing[0]}.')
    if unclear:
        raise LabError(f'{names_file} lists {unclear[0]}, which is in several sub-folders: write it with its folder.')
    shuffled = _shuffled(slices, seed)
    return Split(
        [piece for piece in shuffled if piece.name not in chosen],
        [piece for piece in shuffled if piece.name in chosen],
    )


def patients_on_both_sides(split: Split) -> List[str]:
    """Sorted names."""
    return sorted({piece.patient for piece in split.train} & {piece.patient for piece in split.val})


def _shuffled(slices: List[Slice], seed: int) -> List[Slice]:
    shuffled = sorted(slices)
    random.Random(seed).shuffle(shuffled)
    return shuffled


def _share(count: int, fraction: float) -> int:
    return int(count * fraction + 0.5)


def _lines(path: str) -> List[str]:
    if os.path.exists(path) and not os.path.isfile(path):  # A pipe would be waited for without end.
        raise LabError(f'{path} is no file: a text file is wanted, one image name a line.')
    try:
        with open(path, encoding='utf-8-sig') as file:
            lines = [line.strip() for line in file]
    except OSError as error:
        raise LabError(f'{path} cannot be read: {error.strerror}.') from None
    except UnicodeDecodeError:
        raise LabError(f'{path} is not a text file: one image name a line is wanted.') from None
    return [line for line in lines if line]
