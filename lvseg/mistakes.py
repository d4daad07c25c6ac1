"""What went wrong in a slice: one word for each, by a rule that can be seen in the two masks."""

import numpy as np
from scipy import ndimage

# What a slice can be, from the worst on, with the rule.
KINDS = {
    'invented': 'a ventricle where the expert saw none',
    'missed': 'nothing found, where the expert saw a ventricle',
    'elsewhere': "another place: no pixel in common with the expert's",
    'leaked': 'a part that goes further than 5 pixels out: into the outflow tract, the atrium or the muscle',
    'cut off': 'a part of the ventricle, more than 5 pixels deep, was left out',
    'hollow': 'holes within, as papillary muscles make them',
    'wide': 'all around a little too wide: a tenth too large, or more',
    'narrow': 'all around a little too narrow: a tenth too small, or more',
    'as drawn': 'none of these',
}

_DEEP = 5  # pixels
_TENTH = 0.1


def kind(expert: np.ndarray, predicted: np.ndarray) -> str:
    """The first of KINDS that is so.

    Args:
        expert: integer or bool [height, width], not 0 inside.
        predicted: the same of the network's.
    """
    expert, predicted = expert != 0, predicted != 0
    if not expert.any():
        return 'invented' if predicted.any() else 'as drawn'
    if not predicted.any():
        return 'missed'
    if not (expert & predicted).any():
        return 'elsewhere'
    whole = ndimage.binary_fill_holes(predicted)
    if _distance_to(expert)[whole].max() > _DEEP:
        return 'leaked'
    if _distance_to(whole)[expert].max() > _DEEP:
        return 'cut off'
    if (whole & ~predicted).any():
        return 'hollow'
    ratio = predicted.sum() / expert.sum()
    return 'wide' if ratio >= 1 + _TENTH else 'narrow' if ratio <= 1 - _TENTH else 'as drawn'


def _distance_to(mask: np.ndarray) -> np.ndarray:
    """Of each pixel to the nearest of the mask, float64 [height, width], in pixels; 0 within."""
    return ndimage.distance_transform_edt(~mask)
