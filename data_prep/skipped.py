"""Why slices were left out, or why nothing was written: for people to read."""

from collections import defaultdict
from typing import DefaultDict, List

from lvseg.manifest import Row

from data_prep.slices import counted

_REASONS_SHOWN = 5


def reasons(skipped: List[Row]) -> List[str]:
    """For each reason the first file and how many more; a few reasons."""
    files: DefaultDict[str, List[str]] = defaultdict(list)
    for row in sorted(skipped, key=lambda row: row.bad_file):
        files[row.reason].append(row.bad_file)
    lines = [
        f'{same[0]}: {reason}' + (f' (and {counted(len(same) - 1, "more such file")})' if len(same) > 1 else '')
        for reason, same in files.items()
    ]
    more = len(lines) - _REASONS_SHOWN
    return lines[:_REASONS_SHOWN] + ([f'and {more} more reasons'] if more > 0 else [])
