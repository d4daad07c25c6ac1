"""From the network's probabilities to outlines with parts of pixels, and to their areas.

The lab's masks are not what the experts outlined, but what Pillow makes of it (data_prep.contours): the pixels under
the line are in, which makes a mask half a pixel wider all around, and the contours' numbers count from one, but are
filled as if from zero, which moves it by a pixel. A network learns the masks. So what the expert would have drawn is
half a pixel further in than the network's edge, and a pixel further left and up.
"""

import contourpy
import numpy as np
from scipy.ndimage import binary_fill_holes

from data_prep.contours import FIRST_PIXEL

EDGE = 0.5  # Probability from which on a pixel is in.
_HALF_OF_THE_LINE = 0.5  # pixels


def outline(probabilities: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """What an expert would have drawn around the pixels kept.

    Args:
        probabilities: float32 [height, width], of being left ventricle.
        kept: bool [height, width], one connected piece of the pixels from 0.5 on.

    Returns:
        float64 [points, 2], x to the right and y down, in pixels, the first one's centre at 0: a closed curve, of
        which the first point is not repeated; [0, 2] where nothing is left.
    """
    edge = _edge(probabilities, kept)
    if not len(edge):
        return edge
    return _moved_inwards(edge, _HALF_OF_THE_LINE) - FIRST_PIXEL


def area(points: np.ndarray) -> float:
    """The area within a closed curve, in square pixels, whichever way round it goes (the shoelace formula)."""
    x, y = points.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def _edge(probabilities: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The line on which the probability is a half, by linear interpolation between the centres of pixels."""
    filled = binary_fill_holes(kept)
    # What is not kept counts as outside, and what it encloses as inside, whatever the network thinks of it.
    field = np.where(filled, np.maximum(probabilities, EDGE), np.minimum(probabilities, np.nextafter(EDGE, 0)))
    field = np.where(filled & ~kept, 1, field)
    lines = contourpy.contour_generator(z=np.pad(field.astype(np.float64), 1, 'constant')).lines(EDGE)
    return max(lines, key=area)[:-1] - 1 if lines else np.zeros((0, 2))


def _moved_inwards(points: np.ndarray, distance: float) -> np.ndarray:
    """Each point moved square to the line between its neighbours."""
    along = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    inwards = np.stack([-along[:, 1], along[:, 0]], axis=1)
    x, y = points.T
    turns_right = x @ np.roll(y, -1) - y @ np.roll(x, -1) > 0
    return points + (distance if turns_right else -distance) * inwards
