"""How far the predicted contour lies from the expert's: the measures of the 2009 challenge.

Radau P, Lu Y, Connelly K, Paul G, Dick AJ, Wright GA. "Evaluation Framework for Algorithms Segmenting Short Axis
Cardiac MRI." The MIDAS Journal, 2009, http://hdl.handle.net/10380/3070

There, contours are curves; here, they are what a mask has of them: the centres of its boundary pixels.
"""

from typing import NamedTuple, Tuple

import numpy as np
from scipy import ndimage

GOOD = 5.0  # mm; the challenge calls a contour good if its average perpendicular distance is below.

PIXELS = (1.0, 1.0)  # The spacing with which distances come out in pixels.


class Distances(NamedTuple):
    """Of one slice, in the unit of the spacing; NaN where one of the two contours, or both, are missing."""

    average: float  # Average perpendicular distance.
    hausdorff: float


def between(predicted: np.ndarray, expert: np.ndarray, spacing: Tuple[float, float] = PIXELS) -> Distances:
    """Distances between the contours of two masks.

    The average perpendicular distance (APD) is the mean, over the points of the predicted contour, of the distance to
    the nearest point of the expert's, which lies perpendicular to it (Radau 2009). So it is not symmetric: of what the
    prediction leaves out, it sees little. The Hausdorff distance is: the largest distance from a point of either
    contour to the nearest one of the other (Huttenlocher 1993).

    Args:
        predicted: integer or bool [height, width], not 0 inside; may consist of several parts.
        expert: the same of the expert's label.
        spacing: distance of neighbouring rows, and of neighbouring columns; both 1 for distances in pixels.
    """
    window = _window(predicted, expert)
    ours, theirs = contour(predicted[window]), contour(expert[window])
    if not ours.any() or not theirs.any():
        return Distances(np.nan, np.nan)
    to_theirs = ndimage.distance_transform_edt(~theirs, sampling=spacing)[ours]
    to_ours = ndimage.distance_transform_edt(~ours, sampling=spacing)[theirs]
    return Distances(float(to_theirs.mean()), float(max(to_theirs.max(), to_ours.max())))


def contour(mask: np.ndarray) -> np.ndarray:
    """Boundary pixels, bool [height, width]: inside, with one of the four neighbours outside, or beyond the image."""
    inside = mask != 0
    return inside & ~ndimage.binary_erosion(inside)


def _window(predicted: np.ndarray, expert: np.ndarray) -> Tuple[slice, slice]:
    """The smallest part of the image that holds both masks: distances to all the rest of it would be for nothing."""
    either = (predicted != 0) | (expert != 0)
    return tuple(_extent(either.any(axis=axis)) for axis in (1, 0))


def _extent(used: np.ndarray) -> slice:
    places = np.flatnonzero(used)
    return slice(places[0], places[-1] + 1) if len(places) else slice(0)
