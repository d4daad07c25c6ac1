"""Reads manifest.csv, which data_prep writes beside the records: a line for each, in their order."""

import csv
import math
import os
from typing import Dict, List, NamedTuple, Optional, Sequence

from lvseg.errors import LabError

FILE_NAME = 'manifest.csv'
SPLITS = {'train': 'train', 'eval': 'val'}  # What lvseg calls a split -> what the manifest calls it.

_SEPARATOR = '\\'  # DICOM's own between two values.


class Spacing(NamedTuple):
    """Distances of pixel centres in mm, in the order of DICOM's PixelSpacing and of an array's axes."""

    rows: float  # From one row to the next, downwards.
    columns: float


def lines(data_dir: str, split: str) -> List[Dict[str, str]]:
    """The manifest's lines of a split, 'train' or 'eval', by column names; none where there is no manifest.

    Raises:
        LabError: it cannot be read.
    """
    path = os.path.join(data_dir, FILE_NAME)
    if not os.path.isfile(path):
        return []
    try:
        # surrogateescape: a file's name may be in no encoding at all.
        with open(path, encoding='utf-8', errors='surrogateescape', newline='') as file:
            return [line for line in csv.DictReader(file) if line.get('split') == SPLITS[split]]
    except (OSError, csv.Error) as error:
        raise LabError(f'cannot read {path}: {error}. Make it again with: python -m data_prep (see -h).') from None


def fits(found: List[Dict[str, str]], labelled: Sequence[int]) -> bool:
    """Whether these lines speak of the records whose labels have these areas in pixels: another file may lie there."""
    return [line.get('lv_pixels') for line in found] == [str(area) for area in labelled]


def spacing(line: Dict[str, str]) -> Optional[Spacing]:
    """The pixel spacing that a line tells; None where it tells none, as manifests did before there was the column."""
    try:
        values = [float(value) for value in (line.get('pixel_spacing') or '').split(_SEPARATOR)]
    except ValueError:
        return None
    if len(values) > 2 or not all(0 < value < math.inf for value in values):
        return None
    return Spacing(values[0], values[-1])


def spacing_text(known: Optional[Spacing]) -> str:
    r"""What `spacing` reads: '1.25' of square pixels, '1.5\1.25' where rows and columns differ, '' where unknown."""
    if known is None:
        return ''
    row, column = (f'{value:.6g}' for value in known)
    return row if row == column else f'{row}{_SEPARATOR}{column}'
