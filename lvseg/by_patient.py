"""The slices of an evaluation by patient, by level of the heart and by moment of the beat: the field's own tables."""

from collections import defaultdict
from typing import Callable, DefaultDict, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from lvseg import places

import numpy as np

LEVELS = ('base', 'mid', 'apex')

_DRAWS = 2000  # of patients, for an interval
_WITHIN = (2.5, 97.5)  # percent of the draws
_WORST = 0.05  # of all slices


class Slice(NamedTuple):
    """Whose slice it is, and the areas in it, pixels."""

    name: str
    patient: str
    labelled: int
    predicted: int


class Beat(NamedTuple):
    """Areas of one patient, summed over the slices outlined in both phases; pixels, the network's and the expert's."""

    patient: str
    slices: int
    diastole: Tuple[int, int]
    systole: Tuple[int, int]


def beats(slices: Sequence[Slice]) -> List[Beat]:
    """Of each patient of whom there are slices outlined in two phases, as their names tell; sorted.

    The two phases are those with the most slices; end-diastole is that with the larger area.
    """
    phases: DefaultDict[str, DefaultDict[Union[int, str], Dict[int, Slice]]] = defaultdict(lambda: defaultdict(dict))
    for piece in slices:
        place = places.place(piece.name)
        if place and piece.labelled:
            phases[piece.patient][place.phase][place.position] = piece
    found = (_beat(patient, list(of_patient.values())) for patient, of_patient in sorted(phases.items()))
    return [beat for beat in found if beat]


def _beat(patient: str, phases: List[Dict[int, Slice]]) -> Optional[Beat]:
    two = sorted(phases, key=len, reverse=True)[:2]
    both = set(two[0]).intersection(*two[1:])
    if len(two) < 2 or not both:
        return None

    def areas(phase: Dict[int, Slice]) -> Tuple[int, int]:
        chosen = [phase[position] for position in both]
        return sum(piece.predicted for piece in chosen), sum(piece.labelled for piece in chosen)

    diastole, systole = sorted(map(areas, two), key=lambda pair: pair[1], reverse=True)
    return Beat(patient, len(both), diastole, systole)


def levels(slices: Sequence[Slice]) -> List[str]:
    """Of each slice, one of LEVELS: which third of his patient's outlined positions it lies in.

    The base is where the ventricle is larger: studies are numbered from either end. A slice has none ('') whose name
    does not tell its position, where the expert outlined nothing, and of a patient of fewer than three positions.
    """
    of_patient: DefaultDict[str, DefaultDict[int, List[int]]] = defaultdict(lambda: defaultdict(list))
    for number, piece in enumerate(slices):
        place = places.place(piece.name)
        if place and piece.labelled:
            of_patient[piece.patient][place.position].append(number)
    found = [''] * len(slices)
    for positions in of_patient.values():
        if len(positions) < len(LEVELS):
            continue
        ordered = [positions[position] for position in sorted(positions)]
        first, last = (np.mean([slices[number].labelled for number in end]) for end in (ordered[0], ordered[-1]))
        for rank, numbers in enumerate(ordered if first >= last else ordered[::-1]):
            for number in numbers:
                found[number] = LEVELS[rank * len(LEVELS) // len(ordered)]
    return found


def area_ratios(found: Sequence[Beat]) -> Tuple[float, float]:
    """The network's area divided by the expert's, of all patients together: at end-diastole and at end-systole."""
    diastole, systole = (
        sum(network for network, _ in areas) / sum(expert for _, expert in areas)
        for areas in ([beat.diastole for beat in found], [beat.systole for beat in found])
    )
    return diastole, systole


def worst(dice: np.ndarray) -> float:
    """Mean Dice of the worst twentieth of the slices, one at least."""
    return float(np.sort(dice)[: max(1, round(_WORST * len(dice)))].mean())


def interval(
    figures: Callable[[np.ndarray], Sequence[float]], patients: Sequence[str]
) -> Optional[Tuple[np.ndarray, np.ndarray]]:
    """95 % of what figures come to where patients are drawn anew, with replacement; None of a single one.

    A patient's slices resemble each other, so it is patients that are drawn, not slices (the cluster bootstrap; Efron
    and Tibshirani, An Introduction to the Bootstrap, 1993). Draws are the same every time.

    Args:
        figures: of the numbers of slices, int64 [drawn], where those of a patient drawn twice are there twice; NaN if
            there is none of these slices.
        patients: whose each slice is.

    Returns:
        The lower and the upper bound of each figure, over the draws that have it; NaN where none has.
    """
    names, of_slice = np.unique(patients, return_inverse=True)
    if len(names) < 2:
        return None
    numbers = [np.flatnonzero(of_slice == patient) for patient in range(len(names))]
    random = np.random.RandomState(1)
    drawn = (random.randint(len(names), size=len(names)) for _ in range(_DRAWS))
    found = np.array([figures(np.concatenate([numbers[patient] for patient in one])) for one in drawn])
    bounds = [_percentiles(column[~np.isnan(column)]) for column in found.T]
    low, high = np.array(bounds).T
    return low, high


def _percentiles(values: np.ndarray) -> Sequence[float]:
    return np.percentile(values, _WITHIN) if len(values) else (np.nan, np.nan)
