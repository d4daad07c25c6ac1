"""manifest.csv, which lies beside the records: a line for each, in their order, that says which slice it is.

The one place that knows what the file looks like; whoever writes records writes it with them.
"""

import csv
import io
import math
import os
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

from lvseg.errors import LabError
from lvseg.layout import MANIFEST_FILE as FILE_NAME

SPLITS = {'train': 'train', 'eval': 'val'}  # What lvseg calls a split -> what the manifest calls it.

_SEPARATOR = '\\'  # DICOM's own between two values.

# What a spreadsheet would run as a formula begins with one of these; behind an apostrophe it is a text.
_FORMULA = ('=', '+', '-', '@', '\t', '\r')

# surrogateescape: a file's name may be in no encoding at all.
_TEXT = {'encoding': 'utf-8', 'errors': 'surrogateescape', 'newline': ''}


class Row(NamedTuple):
    """A line as data_prep writes it; those of a split stand in the order of its records."""

    split: str  # 'train', 'val' or 'skipped'
    name: str
    patient: str
    image: str  # path under the folder given
    mask: str
    lv_pixels: Optional[int] = None
    pixel_spacing: str = ''  # As `spacing_text` writes it, in mm; nothing else of an image file's header is here.
    bad_file: str = ''
    reason: str = ''


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
        with open(path, **_TEXT) as file:
            text = file.read()
        if '\0' in text:  # Which csv itself refuses until Python 3.10.
            raise csv.Error('line contains NUL')
        found = csv.DictReader(io.StringIO(text, newline=''))
        return [_as_it_was(line) for line in found if line.get('split') == SPLITS[split]]
    except (OSError, csv.Error) as error:
        raise LabError(f'cannot read {path}: {error}. Make it again with: python -m data_prep (see -h).') from None


def write(path: str, lines: Sequence[Mapping[str, Any]]) -> None:
    """Writes lines, one at least, under the column names of the first; what a line has not is left empty.

    Raises:
        OSError: it cannot be written.
    """
    with open(path, 'w', **_TEXT) as file:
        writer = csv.DictWriter(file, list(lines[0]), lineterminator='\n', extrasaction='ignore', restval='')
        writer.writeheader()
        writer.writerows({column: cell(value) for column, value in line.items()} for line in lines)


def cell(value: Any) -> Any:  # noqa: ANN401 - whatever csv writes
    """What to write into a table for a value, so that no spreadsheet takes a name for a formula."""
    return f"'{value}" if _is_formula(value) else value


def _as_it_was(line: Dict[str, Any]) -> Dict[str, Any]:
    # A line that ends early has no value in the columns that are left.
    known = {column: '' if value is None else value for column, value in line.items()}
    return {column: value[1:] if _is_formula(value) and value[0] == "'" else value for column, value in known.items()}


def _is_formula(value: Any) -> bool:  # noqa: ANN401 - as `cell`
    return isinstance(value, str) and value.lstrip("'").startswith(_FORMULA)


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
