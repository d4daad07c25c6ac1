"""What lets a network learn badly though every slice can be read: for the closing lines."""

import math
from typing import List

from lvseg import manifest
from lvseg.manifest import Row

import numpy as np

from data_prep.slices import counted

# The phantom has 1.25 to 1.4 mm, as the Sunnybrook data has, and these are learned together. A factor of 1.5 makes 2.25
# times the pixels of the same ventricle, which is as much as a large one has more than a small one.
_MIXED_FROM = 1.5
_FEW_PIXELS = 100


def warning(rows: List[Row]) -> List[str]:
    """One line, or none: of slices whose pixel spacings differ much, and of ventricles that have few pixels."""
    kept = [row for row in rows if row.split != 'skipped']
    doubts = _mixed(kept) + _small(kept)
    return [f'WARNING: {"; ".join(doubts)}.'] if doubts else []


def _mixed(rows: List[Row]) -> List[str]:
    known = filter(None, (manifest.spacing(row._asdict()) for row in rows))
    groups: List[List[float]] = []
    for size in sorted(math.sqrt(spacing.rows * spacing.columns) for spacing in known):
        if groups and size <= _MIXED_FROM * groups[-1][0]:
            groups[-1].append(size)
        else:
            groups.append([size])
    if len(groups) < 2:
        return []
    return [f'pixel spacings are mixed: {", ".join(map(_range, groups))}; --spacing brings all slices to one']


def _range(sizes: List[float]) -> str:
    smallest, largest = f'{sizes[0]:.3g}', f'{sizes[-1]:.3g}'
    return f'{counted(len(sizes), "slice")} of {smallest if smallest == largest else f"{smallest} to {largest}"} mm'


def _small(rows: List[Row]) -> List[str]:
    areas = [row.lv_pixels for row in rows if row.lv_pixels]
    if not areas or np.median(areas) >= _FEW_PIXELS:
        return []
    return [
        f'ventricles are small: half of them have at most {np.median(areas):.0f} pixels, and below {_FEW_PIXELS} there '
        'is little to learn from; a smaller --spacing or --fit resize makes them larger'
    ]
