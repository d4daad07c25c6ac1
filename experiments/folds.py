"""Which patients are held out together: dealt into folds, or those of one pathology."""

import random
import re
from collections import defaultdict
from typing import DefaultDict, Dict, List

from lvseg.errors import LabError

# Heart failure with infarct and without, hypertrophy, normal: the pathologies of the Sunnybrook data.
GROUPS = ('SC-HF-I', 'SC-HF-NI', 'SC-HYP', 'SC-N')
_CASE = re.compile(rf'({"|".join(GROUPS)})-[0-9]+')


def group(patient: str) -> str:
    """The pathology that a case's name tells, such as SC-HF-NI of SC-HF-NI-3 or SC-HF-NI-03; '' if it tells none."""
    match = _CASE.fullmatch(patient)
    return match.group(1) if match else ''


def deal(patients: List[str], folds: int, seed: int) -> List[List[str]]:
    """Deals patients into folds whose sizes differ by one at most, each pathology spread over them.

    Raises:
        LabError: fewer patients than folds.
    """
    if len(patients) < folds:
        raise LabError(f'--folds {folds} is more than the {len(patients)} patients; give {len(patients)} or less.')
    by_group: DefaultDict[str, List[str]] = defaultdict(list)
    for patient in sorted(patients):
        by_group[group(patient)].append(patient)
    lot = random.Random(seed)
    for same in by_group.values():
        lot.shuffle(same)
    dealt = [patient for name in sorted(by_group) for patient in by_group[name]]
    return [sorted(dealt[number::folds]) for number in range(folds)]


def hold_out(patients: List[str]) -> Dict[str, List[str]]:
    """The patients of each of the four pathologies.

    Raises:
        LabError: a patient's name tells no pathology, or all are of the same one.
    """
    unknown = [patient for patient in patients if not group(patient)]
    if unknown:
        raise LabError(
            f'--hold_out wants names that tell the pathology, {", ".join(f"{name}-01" for name in GROUPS)} or the '
            f'like; {len(unknown)} of {len(patients)} patients have others, such as {unknown[0]}.'
        )
    found = {name: [patient for patient in patients if group(patient) == name] for name in GROUPS}
    if sum(bool(same) for same in found.values()) < 2:
        raise LabError('--hold_out wants patients of several pathologies: with one alone, nothing is left to train on.')
    return found
