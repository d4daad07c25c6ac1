"""Ejection fractions of the patients of a cross-validation, each by the network that has not seen him.

The published slices tell no spacing, and an ejection fraction needs none: it is a ratio of areas, on the slices that
the expert outlined in both phases. Their names tell position and phase: image number = 20 x position + phase + 1.
Areas are counted pixels of the network's and of the expert's masks, whose borders are half a pixel too wide alike.
"""

from pathlib import Path
from typing import List

from lvseg import by_patient, places, reports
from lvseg.errors import LabError

from data_prep import names


def measure(folder: Path) -> List[by_patient.Beat]:
    """Reads what the folds of a cross-validation left behind; patients not outlined in two phases are not in it.

    Args:
        folder: of one cross-validation, such as logs/cross_validation/challenge/5-folds-seed-1.

    Raises:
        LabError: no folds lie there, or their slices have no such names.
    """
    paths = sorted(folder.glob(f'*/eval/{reports.PER_SLICE_FILE}'))
    if not paths:
        raise LabError(
            f'{folder} holds no folds with eval/{reports.PER_SLICE_FILE}. Give the folder that make cross-validate '
            'left, such as logs/cross_validation/challenge/5-folds-seed-1.'
        )
    return by_patient.beats([piece for path in paths for piece in _slices(path)])


def _slices(path: Path) -> List[by_patient.Slice]:
    rows = reports.read_per_slice(path)
    for row in rows:
        if not places.place(row['name']):
            raise LabError(
                f'{path}: the name {row["name"]!r} does not tell position and phase; one like SC-HF-I-01-IM-0001-0048 '
                'does.'
            )
    return [
        by_patient.Slice(row['name'], names.patient(row['name']), int(row['labelled']), int(row['predicted']))
        for row in rows
    ]
