"""How far the predicted contour lies from the expert's: the measures of the 2009 challenge.

Radau P, Lu Y, Connelly K, Paul G, Dick AJ, Wright GA. "Evaluation Framework for Algorithms Segmenting Short Axis
Cardiac MRI." The MIDAS Journal, 2009, http://hdl.handle.net/10380/3070

There, contours are curves; here, they are what a mask has of them: the centres of its boundary pixels.
"""

from typing import NamedTuple, Tuple

import numpy as np
from scipy.ndimage import binary_erosion

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
    from scipy.spatial import cKDTree  # Not at the top: it takes long, and a training does without it.

    ours, theirs = (np.argwhere(contour(mask)) * spacing for mask in (predicted, expert))
    if not len(ours) or not len(theirs):
        return Distances(np.nan, np.nan)
    to_theirs, _ = cKDTree(theirs).query(ours)
    to_ours, _ = cKDTree(ours).query(theirs)
    return Distances(float(to_theirs.mean()), float(max(to_theirs.max(), to_ours.max())))


def contour(mask: np.ndarray, width: int = 1) -> np.ndarray:
    """The pixels of a mask that lie at its edge, bool [height, width]: what a mask has of its contour.

    Args:
        mask: integer or bool [height, width]; what lies beyond the picture counts as outside.
        width: how many pixels deep the rim is, all of them inside the mask; each has four neighbours.
    """
    inside = mask != 0
    return inside & ~binary_erosion(inside, iterations=width)
