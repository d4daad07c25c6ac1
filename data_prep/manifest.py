"""manifest.csv: which slice went where, and why some went nowhere."""

import csv
from collections import defaultdict
from typing import DefaultDict, List, NamedTuple, Optional

from data_prep.slices import counted

_REASONS_SHOWN = 5


class Row(NamedTuple):
    """A line of the manifest; those of a side stand in the order of its records."""

    split: str  # 'train', 'val' or 'skipped'
    name: str
    patient: str
    image: str  # path under the folder given
    mask: str
    lv_pixels: Optional[int] = None
    pixel_spacing: str = ''  # As lvseg.manifest writes it, in mm; nothing else of a DICOM file's header is here.
    bad_file: str = ''
    reason: str = ''


def write(path: str, rows: List[Row]) -> None:
    """Writes the rows under a line of column names; raises OSError."""
    # surrogateescape: a file's name may be in no encoding at all.
    with open(path, 'w', encoding='utf-8', errors='surrogateescape', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(Row._fields)
        writer.writerows(rows)


def reasons(skipped: List[Row]) -> List[str]:
    """For each reason the first file and how many more; a few reasons, for people to read."""
    files: DefaultDict[str, List[str]] = defaultdict(list)
    for row in sorted(skipped, key=lambda row: row.bad_file):
        files[row.reason].append(row.bad_file)
    lines = [
        f'{same[0]}: {reason}' + (f' (and {counted(len(same) - 1, "more such file")})' if len(same) > 1 else '')
        for reason, same in files.items()
    ]
    more = len(lines) - _REASONS_SHOWN
    return lines[:_REASONS_SHOWN] + ([f'and {more} more reasons'] if more > 0 else [])
