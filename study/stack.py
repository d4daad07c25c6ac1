"""The short-axis cine of a study as a stack: slices from base to apex, phases from the R wave on."""

import math
from collections import Counter, defaultdict
from typing import DefaultDict, Dict, List, NamedTuple, Optional, Tuple

from lvseg.errors import LabError

import numpy as np

from data_prep.slices import counted
from study.headers import Image

# Positions and directions in the headers are rounded, differently from image to image.
_SAME_PLANE = 0.5  # mm
_PARALLEL = math.cos(math.radians(2))

# Where the apex lies, seen from the base: to the left, to the front and to the feet (DICOM's axes point to the left,
# the back and the head).
_TOWARDS_APEX = np.array([1.0, -1.0, -1.0])


class Stack(NamedTuple):
    """Slices whose planes are parallel, all with as many phases."""

    images: List[List[Image]]  # by slice, from base to apex, then by phase
    positions: List[float]  # mm along the normal, one for each slice, from base to apex
    warnings: List[str]  # sentences
    left_out: List[str]  # paths of images of this series that have no place in the stack

    @property
    def phases(self) -> int:
        """How many images each slice has."""
        return len(self.images[0])

    @property
    def spacing(self) -> float:
        """Median distance of neighbouring planes, mm; of a single slice what its file says, NaN if nothing."""
        if len(self.positions) > 1:
            return float(np.median(np.diff(self.positions)))
        thickness = self.images[0][0].thickness
        return math.nan if thickness is None else thickness


class Choice(NamedTuple):
    """The stack that was chosen, and in a sentence which series that is and why."""

    stack: Stack
    series_number: Optional[int]
    why: str


def choose(images: List[Image], wanted: Optional[int]) -> Choice:
    """Picks the short-axis cine of a study: of the series of parallel planes, that with the most planes.

    The ventricle is covered from base to apex by its short axes only; of long axes there are a few, fanned out.

    Args:
        images: of one study.
        wanted: the number of the series that is to be taken, if one was named.

    Raises:
        LabError: there is no such series, or none that is a stack of cine slices.
    """
    series = _by_series(images)
    numbers = sorted({group[0].series_number for group in series.values() if group[0].series_number is not None})
    if wanted is not None:
        series = {uid: group for uid, group in series.items() if group[0].series_number == wanted}
        if not series:
            raise LabError(f'there is no series {wanted} in the study. Give --series one of: {_listed(numbers)}.')
    stacks = [_stack(group) for group in series.values()]
    cines = [stack for stack in stacks if stack.phases > 1] or [stack for stack in stacks if len(stack.positions) > 2]
    if not cines:
        raise LabError(
            'there is no short-axis cine in the study: no series has parallel slices with several phases each. '
            f'Its series are: {_listed(numbers)}.'
        )
    best = max(cines, key=lambda stack: (len(stack.positions), stack.phases))
    number = best.images[0][0].series_number
    size = f'{counted(len(best.positions), "parallel slice")} x {counted(best.phases, "phase")}'
    why = 'the only series' if len(stacks) == 1 else f'the most slices of {len(stacks)} series'
    why = why if wanted is None else 'the one that was asked for'
    return Choice(best, number, f'Series {number}: {size}, {why}.')


def _listed(numbers: List[int]) -> str:
    return ', '.join(map(str, numbers)) or 'without numbers'


def _by_series(images: List[Image]) -> Dict[str, List[Image]]:
    series: DefaultDict[str, List[Image]] = defaultdict(list)
    for image in images:
        series[image.series].append(image)
    return dict(series)


def _stack(series: List[Image]) -> Stack:
    """The largest part of a series whose images are of one size and parallel, as a stack."""
    alike = _largest_alike(series)
    left_out = [image.path for image in series if image not in alike]
    warnings = (
        [f'{counted(len(left_out), "image")} of another size, spacing or direction: left out.'] if left_out else []
    )

    planes = _planes(alike)
    twice: Dict[float, int] = {}
    for position, plane in planes.items():
        planes[position], doubled = _in_time(plane)
        left_out += [image.path for image in doubled]
        if doubled:
            twice[position] = len(doubled)
    if twice:
        where = ', '.join(f'{position:.0f}' for position in twice)
        number = sum(twice.values())
        is_or_are = 'is' if number == 1 else 'are'
        warnings.append(f'{counted(number, "image")} at {where} mm {is_or_are} there twice: the first is taken.')
    phases = Counter(map(len, planes.values())).most_common(1)[0][0]
    for position, plane in list(planes.items()):
        if len(plane) == phases:
            continue
        if len(plane) < phases / 2:
            del planes[position]
            left_out += [image.path for image in plane]
            warnings.append(f'The slice at {position:.0f} mm has {len(plane)} phases of {phases}: left out.')
            continue
        planes[position] = [plane[len(plane) * phase // phases] for phase in range(phases)]
        left_out += [image.path for image in plane if image not in planes[position]]
        warnings.append(
            f'The slice at {position:.0f} mm has {len(plane)} phases, not {phases}: '
            'they are matched by their share of the heartbeat.'
        )
    return Stack(list(planes.values()), list(planes), [*warnings, *_about_spacing(list(planes))], left_out)


def _largest_alike(series: List[Image]) -> List[Image]:
    groups: List[List[Image]] = []
    for image in series:
        group = next((group for group in groups if _alike(group[0], image)), None)
        if group is None:
            groups.append([image])
        else:
            group.append(image)
    return max(groups, key=len)


def _alike(one: Image, other: Image) -> bool:
    return (
        one.shape == other.shape
        and np.allclose(one.spacing, other.spacing, rtol=0.01)
        and min(one.across @ other.across, one.down @ other.down) > _PARALLEL
    )


def _planes(images: List[Image]) -> Dict[float, List[Image]]:
    """Distances along the normal in mm, from base to apex, and the images that lie there.

    Taken from ImagePositionPatient: SliceLocation runs the other way in some studies.
    """
    normal = images[0].normal * (1 if images[0].normal @ _TOWARDS_APEX >= 0 else -1)
    planes: Dict[float, List[Image]] = {}
    last = -math.inf
    for distance, image in sorted(((image.position @ normal, image) for image in images), key=lambda pair: pair[0]):
        if distance - last > _SAME_PLANE:
            last = distance
            planes[float(distance)] = []
        planes[last].append(image)
    return planes


def _in_time(plane: List[Image]) -> Tuple[List[Image], List[Image]]:
    """The images of a slice by trigger time, or by number where one has none; and those of which it has one already."""
    timed = all(image.trigger_time is not None for image in plane)
    times = {image.path: image.trigger_time if timed else image.number for image in plane}
    ordered: List[Image] = []
    doubled = []
    for image in sorted(plane, key=lambda image: (times[image.path], image.number)):
        if ordered and times[image.path] == times[ordered[-1].path]:
            doubled.append(image)
        else:
            ordered.append(image)
    return ordered, doubled


def _about_spacing(positions: List[float]) -> List[str]:
    gaps = np.diff(positions)
    if len(gaps) < 2 or np.allclose(gaps, np.median(gaps), rtol=0.1):
        return []
    return [
        f'The slices are {gaps.min():.1f} to {gaps.max():.1f} mm apart: each stands for half the way to its neighbours.'
    ]
