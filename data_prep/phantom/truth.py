"""How much blood an invented heart holds: the truth that a measurement of its images can be held against."""

from typing import List, NamedTuple

import numpy as np

from data_prep.phantom.heart import Heart, base_and_length, cut
from data_prep.phantom.outlines import CIRCLE
from data_prep.phantom.patient import DIASTOLE, Patient

FILE = 'truth.csv'
COLUMNS = ['patient_id', 'case', 'edv_ml', 'esv_ml', 'ejection_fraction_percent', 'ed_phase', 'es_phase']

_PLANES = 200  # Five times as many change a volume by less than a hundred-thousandth.
_MM3_IN_ML = 1000


class Truth(NamedTuple):
    """The volumes of one patient's left ventricle, ml."""

    edv: float  # at end-diastole
    esv: float  # at end-systole

    @property
    def ejection_fraction(self) -> float:
        """Stroke volume by end-diastolic volume, %."""
        return 100 * (self.edv - self.esv) / self.edv


def truth(patient: Patient) -> Truth:
    """The volumes of a patient's heart at the two moments that the expert outlines."""
    return Truth(*(cavity(patient.heart, patient.contraction(frame)) for frame in (DIASTOLE, patient.systole)))


def cavity(heart: Heart, contraction: float) -> float:
    """The volume of the left ventricle's cavity, ml, from the anatomy itself: neither pixels nor slices are in it.

    The area of the cavity's cross-section is summed up from the mitral valve to the apex, through planes so close that
    the sum is an integral (the midpoint rule). That area, of radii at equal angles, is half the sum of their squares
    times the angle. Papillary muscles and trabeculae stand in the cavity and count as blood, as in the contours, which
    the phantom's expert draws around them, as the real ones do.
    """
    base, length = base_and_length(heart, contraction)
    depths = (np.arange(_PLANES) + 0.5) / _PLANES
    radii = np.array([cut(heart, base + depth * length, contraction).endo for depth in depths])
    areas = np.square(radii).sum(axis=1) / 2 * (2 * np.pi / len(CIRCLE))
    return float(areas.mean() * length / _MM3_IN_ML)


def row(patient: Patient, frames: List[int]) -> List[str]:
    """A patient's line of truth.csv.

    Args:
        patient: whose heart it is.
        frames: those of which there are images, in the order of time: phases are counted among them, from 0, as
            whoever has only the files counts them.
    """
    found = truth(patient)
    figures = [f'{value:.2f}' for value in (*found, found.ejection_fraction)]
    phases = [str(frames.index(frame)) for frame in (DIASTOLE, patient.systole)]
    return [patient.patient_id, patient.case, *figures, *phases]
