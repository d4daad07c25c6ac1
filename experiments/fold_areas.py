"""Ejection fractions of the patients of a cross-validation, each by the network that has not seen him.

The published slices tell no spacing, and an ejection fraction needs none: it is a ratio of areas, on the slices that
the expert outlined in both phases. Their names tell position and phase: image number = 20 x position + phase + 1.
Areas are counted pixels of the network's and of the expert's masks, whose borders are half a pixel too wide alike.
"""

import csv
from collections import defaultdict
from pathlib import Path
from typing import DefaultDict, Dict, List, NamedTuple, Optional

from lvseg import reports
from lvseg.errors import LabError

from data_prep import names
from experiments.pumping import Pumped

_PHASES = 20

# Position -> row of per_slice.csv, of one phase.
_Phase = Dict[int, Dict[str, str]]


class Patient(NamedTuple):
    """One patient; pixels, summed over the slices outlined in both phases."""

    case: str
    slices: int
    network: Pumped
    expert: Pumped


def measure(folder: Path) -> List[Patient]:
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
    phases: DefaultDict[str, DefaultDict[int, _Phase]] = defaultdict(lambda: defaultdict(dict))
    for path in paths:
        with path.open(encoding='utf-8', errors='surrogateescape', newline='') as file:
            for row in csv.DictReader(file):
                number = names.image_number(row['name'])
                if not number:
                    raise LabError(
                        f'{path}: the name {row["name"]!r} does not tell position and phase; one like '
                        'SC-HF-I-01-IM-0001-0048 does.'
                    )
                position, phase = divmod(number - 1, _PHASES)
                phases[names.patient(row['name'])][phase][position] = row
    found = (_patient(case, list(of_case.values())) for case, of_case in sorted(phases.items()))
    return [patient for patient in found if patient]


def _patient(case: str, phases: List[_Phase]) -> Optional[Patient]:
    """Of the two phases that have the most slices; None if there are no two, or no slice is in both."""
    two = sorted(phases, key=len, reverse=True)[:2]
    both = set(two[0]).intersection(*two[1:])
    if len(two) < 2 or not both:
        return None

    def pixels(phase: _Phase, whose: str) -> int:
        return sum(int(phase[position][whose]) for position in both)

    diastole, systole = sorted(two, key=lambda phase: pixels(phase, 'labelled'), reverse=True)
    return Patient(
        case,
        len(both),
        *(Pumped(pixels(diastole, whose), pixels(systole, whose)) for whose in ('predicted', 'labelled')),
    )
