"""Which patients are held out together: dealt into folds, or those of one pathology."""

import random
from collections import defaultdict
from typing import DefaultDict, Dict, List

from lvseg.errors import LabError

from data_prep.names import PATHOLOGIES, pathology

_HALF_SEED = 16  # With another one, those who judged before would choose.


def deal(patients: List[str], folds: int, seed: int) -> List[List[str]]:
    """Deals patients into folds whose sizes differ by one at most, each pathology spread over them.

    Raises:
        LabError: fewer patients than folds.
    """
    if len(patients) < folds:
        raise LabError(f'--folds {folds} is more than the {len(patients)} patients; give {len(patients)} or less.')
    by_pathology: DefaultDict[str, List[str]] = defaultdict(list)
    for patient in sorted(patients):
        by_pathology[pathology(patient)].append(patient)
    lot = random.Random(seed)
    for same in by_pathology.values():
        lot.shuffle(same)
    dealt = [patient for name in sorted(by_pathology) for patient in by_pathology[name]]
    return [sorted(dealt[number::folds]) for number in range(folds)]


def half(patients: List[str]) -> List[str]:
    """Half of the patients, each pathology halved, of the same patients always the same half.

    Raises:
        LabError: there is one patient only.
    """
    if len(patients) < 2:
        raise LabError(f'--half: of {len(patients)} patients there is no half. Two are wanted at least.')
    return deal(patients, 2, _HALF_SEED)[0]


def hold_out(patients: List[str]) -> Dict[str, List[str]]:
    """The patients of each of the four pathologies.

    Raises:
        LabError: a patient's name tells no pathology, or all are of the same one.
    """
    unknown = [patient for patient in patients if not pathology(patient)]
    if unknown:
        raise LabError(
            f'--hold_out wants names that tell the pathology, {", ".join(f"{name}-01" for name in PATHOLOGIES)} or the '
            f'like; {len(unknown)} of {len(patients)} patients have others, such as {unknown[0]}.'
        )
    found = {name: [patient for patient in patients if pathology(patient) == name] for name in PATHOLOGIES}
    if sum(bool(same) for same in found.values()) < 2:
        raise LabError('--hold_out wants patients of several pathologies: with one alone, nothing is left to train on.')
    return found
