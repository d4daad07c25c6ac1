"""What went wrong in a slice: one word for each, by a rule that can be seen in the two masks."""

from lvseg import distances

import numpy as np
from scipy import ndimage

# What a slice can be, from the worst on, with the rule.
KINDS = {
    'invented': 'a ventricle where the expert saw none',
    'missed': 'nothing found, where the expert saw a ventricle',
    'elsewhere': "another place: no pixel in common with the expert's",
    'leaked': 'a part that goes further than 5 pixels out: into the outflow tract, the atrium or the muscle',
    'cut off': 'a part of the ventricle, more than 5 pixels deep, was left out',
    'wide': 'too wide, all around or by a little: a tenth too large, or more',
    'narrow': 'too narrow, all around or by a little: a tenth too small, or more',
    'hollow': 'holes within, as papillary muscles make them',
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
    if _bulges(whole, expert):
        return 'leaked'
    if _bulges(expert, whole):
        return 'cut off'
    ratio = whole.sum() / expert.sum()
    if ratio >= 1 + _TENTH:
        return 'wide'
    if ratio <= 1 - _TENTH:
        return 'narrow'
    return 'hollow' if (whole & ~predicted).any() else 'as drawn'


def _bulges(mask: np.ndarray, other: np.ndarray) -> bool:
    """Whether a part of a mask goes further than _DEEP beyond another, and not its whole contour lies beyond."""
    beyond = _distance_to(other)
    return bool(beyond[mask].max() > _DEEP and beyond[distances.contour(mask)].min() == 0)


def _distance_to(mask: np.ndarray) -> np.ndarray:
    """Of each pixel to the nearest of the mask, float64 [height, width], in pixels; 0 within."""
    return ndimage.distance_transform_edt(~mask)
