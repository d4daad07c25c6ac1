"""Which of the pixels that the network takes for left ventricle are: the whole stack decides, not each image by itself.

1. The ventricle is one thing in space and time: of all pixels of all slices and phases, those are kept that hang
   together, side by side in an image, in neighbouring slices or from one phase to the next; of several such things,
   the largest.
2. In each image it is one piece: the largest of what is left.
3. The atrium above it fills while it contracts. So a slice at the base whose area is larger at end-systole than at
   end-diastole shows the atrium then: it is dropped as a whole, and the next one is looked at.
"""

from typing import List, NamedTuple

import numpy as np
from scipy import ndimage

# In slices, phases, rows and columns; pixels that touch by a corner count as neighbours in an image.
_NEIGHBOURS = np.zeros((3, 3, 3, 3), bool)
_NEIGHBOURS[1, 1] = True
_NEIGHBOURS[:, 1, 1, 1] = True
_NEIGHBOURS[1, :, 1, 1] = True


class Ventricle(NamedTuple):
    """What is kept of a stack."""

    kept: np.ndarray  # bool [slices, phases, height, width]
    islands: int  # pixels dropped because they do not hang together with the rest
    atrium: List[int]  # slices dropped because they show the atrium at end-systole, from 0


def ventricle(mask: np.ndarray) -> Ventricle:
    """Drops islands, and slices above the base.

    Args:
        mask: bool [slices, phases, height, width], from base to apex; the network's left ventricle.
    """
    kept = _largest_in_each_image(_connected(mask))
    islands = int(mask.sum() - kept.sum())
    atrium = _growing_at_the_base(kept.sum(axis=(2, 3)))
    kept[atrium] = False
    return Ventricle(kept, islands, atrium)


def _connected(mask: np.ndarray) -> np.ndarray:
    """The largest connected thing; the last phase is followed by the first."""
    labels, number = ndimage.label(mask, _NEIGHBOURS)
    if number == 0:
        return mask.copy()
    same = np.arange(number + 1)
    meeting = (labels[:, 0] > 0) & (labels[:, -1] > 0)
    for one, other in sorted(set(zip(labels[:, 0][meeting].tolist(), labels[:, -1][meeting].tolist()))):
        same[same == same[one]] = same[other]
    sizes = np.bincount(same[labels[mask]])
    return mask & (same[labels] == sizes.argmax())


def _largest_in_each_image(mask: np.ndarray) -> np.ndarray:
    largest = np.zeros_like(mask)
    for place in np.argwhere(mask.any(axis=(2, 3))):
        labels, _ = ndimage.label(mask[tuple(place)], np.ones((3, 3)))
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        largest[tuple(place)] = labels == sizes.argmax()
    return largest


def _growing_at_the_base(areas: np.ndarray) -> List[int]:
    """The slices to be dropped; `areas`: [slices, phases], from the base on."""
    by_phase = areas.sum(axis=0)
    grows = areas[:, by_phase.argmin()] > areas[:, by_phase.argmax()]
    at_the_base = []
    for number in np.flatnonzero(areas.any(axis=1)):
        if not grows[number]:
            break
        at_the_base.append(int(number))
    return at_the_base
