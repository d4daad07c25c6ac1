"""How bright each tissue is, before coils and noise."""

from typing import NamedTuple

import numpy as np


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


def invent_tissue(rng: np.random.RandomState) -> Tissue:
    """Signals go with the root of T2/T1 (1.5 T), and vary with flip angle, shim and scanner."""
    return Tissue(
        blood=1.0,
        right_blood=rng.uniform(0.75, 1.1),
        myocardium=rng.uniform(0.30, 0.56),
        muscle=rng.uniform(0.22, 0.34),
        fat=-rng.uniform(0.8, 1.2),
        marrow=-rng.uniform(0.4, 0.7),
        liver=rng.uniform(0.30, 0.48),
        lung=rng.uniform(0.02, 0.05),
    )
