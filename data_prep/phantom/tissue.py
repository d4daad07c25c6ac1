"""How bright each tissue is, before coils and noise."""

from typing import NamedTuple

import numpy as np

from data_prep.phantom.heart import Range


class Signals(NamedTuple):
    """Ranges from which a patient's signals are drawn, relative to blood; those of fat without their sign.

    The defaults are of balanced SSFP at 1.5 T: signals go with the root of T2/T1, and vary with flip angle, shim and
    scanner.
    """

    right_blood: Range = (0.75, 1.1)
    myocardium: Range = (0.30, 0.56)
    muscle: Range = (0.22, 0.34)
    fat: Range = (0.8, 1.2)
    marrow: Range = (0.4, 0.7)
    liver: Range = (0.30, 0.48)
    lung: Range = (0.02, 0.05)


class Tissue(NamedTuple):
    """Signal in bSSFP relative to blood; negative where fat makes it."""

    blood: float
    right_blood: float
    myocardium: float
    muscle: float
    fat: float
    marrow: float
    liver: float
    lung: float


def invent_tissue(rng: np.random.RandomState, signals: Signals) -> Tissue:
    """Draws how bright this patient's tissues are."""
    return Tissue(
        blood=1.0,
        right_blood=rng.uniform(*signals.right_blood),
        myocardium=rng.uniform(*signals.myocardium),
        muscle=rng.uniform(*signals.muscle),
        fat=-rng.uniform(*signals.fat),
        marrow=-rng.uniform(*signals.marrow),
        liver=rng.uniform(*signals.liver),
        lung=rng.uniform(*signals.lung),
    )
