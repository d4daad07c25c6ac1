"""From areas to volumes: Simpson's slices, end-diastole, end-systole and the ejection fraction."""

from typing import List, NamedTuple, Optional

import numpy as np

from study.stack import Stack

_MM3_IN_ML = 1000


class Volumes(NamedTuple):
    """Of one ventricle over a heartbeat; ml."""

    by_phase: np.ndarray  # float64 [phases]
    ed_phase: int  # from 0
    es_phase: int

    @property
    def edv(self) -> float:
        """At end-diastole, ml."""
        return float(self.by_phase[self.ed_phase])

    @property
    def esv(self) -> float:
        """At end-systole, ml."""
        return float(self.by_phase[self.es_phase])

    @property
    def ejection_fraction(self) -> Optional[float]:
        """Stroke volume by end-diastolic volume, %; None of an empty ventricle, or of a single phase."""
        return None if len(self.by_phase) == 1 else ejection_fraction(self.edv, self.esv)


def ejection_fraction(edv: float, esv: float) -> Optional[float]:
    """Stroke volume by end-diastolic volume, %; None of an empty ventricle."""
    return 100 * (edv - esv) / edv if edv else None


def volumes(areas: np.ndarray, thicknesses: List[float]) -> Volumes:
    """Sums the slices up: area times thickness (the method of discs, or Simpson's slices).

    End-diastole is the phase of the largest volume, not the first: series begin at different moments of the beat.

    Args:
        areas: float64 [slices, phases], mm2.
        thicknesses: of each slice, mm.
    """
    by_phase = np.asarray(thicknesses) @ areas / _MM3_IN_ML
    return Volumes(by_phase, int(by_phase.argmax()), int(by_phase.argmin()))


def thicknesses(stack: Stack) -> List[float]:
    """How much of the ventricle each slice stands for, mm: half the way to each of its neighbours.

    The first and the last reach as far outwards as inwards. So where slices are evenly spaced, it is their spacing.
    """
    if len(stack.positions) == 1:
        return [stack.spacing]
    gaps = np.diff(stack.positions)
    return list((np.concatenate([gaps[:1], gaps]) + np.concatenate([gaps, gaps[-1:]])) / 2)
