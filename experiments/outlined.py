"""Studies that an expert outlined, in a layout of the Sunnybrook data: what he, a network and the truth say of each."""

import csv
import os
from collections import Counter, defaultdict
from typing import DefaultDict, Dict, List, NamedTuple, Optional, Tuple

from lvseg.errors import LabError
from lvseg.prediction import Trained

import numpy as np
from tqdm import tqdm

from data_prep import contours
from data_prep.phantom import truth
from data_prep.slices import Slice, naming, read_bytes
from data_prep.sources import sunnybrook
from experiments.pumping import Pumped
from study import headers, outlines, segmenting, stack, volumes
from study.segmenting import Segmented


class Patient(NamedTuple):
    """One study, measured in several ways; ml."""

    case: str
    network: Pumped  # on its own choice of slices and phases, as make segment
    network_on_outlined: Pumped  # on the very images that the expert outlined
    expert: Pumped
    truth: Optional[Pumped]  # of a phantom


class Measured(NamedTuple):
    """The patients of a folder, and in a sentence each why others are not among them."""

    patients: List[Patient]
    left_out: List[str]


def measure(raw_dir: str, trained: Trained) -> Measured:
    """Segments each study of which there are contours, as a whole.

    Args:
        raw_dir: in either layout of the Sunnybrook data; all images of a patient's series are wanted there, not only
            those with a contour.

    Raises:
        LabError: no such folder, neither layout, or both.
    """
    found = sunnybrook.find(raw_dir)
    by_case: DefaultDict[str, List[Slice]] = defaultdict(list)
    for piece in found.slices:
        by_case[piece.patient].append(piece)
    truths = _truths(raw_dir)
    measured = Measured([], [])
    for case, slices in tqdm(sorted(by_case.items()), desc='measuring', unit='patient', disable=None):
        try:
            measured.patients.append(_patient(raw_dir, case, slices, trained)._replace(truth=truths.get(case)))
        except LabError as error:
            measured.left_out.append(f'{case} is left out: {error}')
    return measured


def _patient(raw_dir: str, case: str, slices: List[Slice], trained: Trained) -> Patient:
    problems = [piece for piece in slices if piece.problem]
    if problems:
        raise LabError(f'{problems[0].mask} {problems[0].problem}.')
    folders = {os.path.dirname(piece.image) for piece in slices}
    if len(folders) > 1:
        raise LabError(f'its contours are of images in {len(folders)} folders.')
    folder = os.path.join(raw_dir, folders.pop())
    segmented = segmenting.segment(folder, stack.choose(headers.find(folder).images, None).stack, trained)

    drawn = _areas(raw_dir, slices, segmented)
    phases = _phases(drawn)
    network = np.where(drawn > 0, segmented.areas, 0)
    return Patient(
        case,
        Pumped(segmented.volumes.edv, segmented.volumes.esv),
        _pumped(network, segmented, phases),
        _pumped(drawn, segmented, phases),
        None,
    )


def _areas(raw_dir: str, slices: List[Slice], segmented: Segmented) -> np.ndarray:
    """float64 [slices, phases], mm2 within the expert's contours; 0 where he drew none."""
    places = {
        image.path: (number, phase)
        for number, of_slice in enumerate(segmented.stack.images)
        for phase, image in enumerate(of_slice)
    }
    spacing = segmented.stack.images[0][0].spacing
    areas = np.zeros(segmented.areas.shape)
    for piece in slices:
        place = places.get(os.path.basename(piece.image))
        if place is None:
            raise LabError(
                f'{piece.image} was outlined, and is not in the stack of slices that was found there. '
                'Are all images of the series in the folder?'
            )
        with naming(piece.mask):
            points = contours.read_points(read_bytes(raw_dir, piece.mask))
        areas[place] = spacing.rows * spacing.columns * outlines.area(points)
    return areas


def _phases(areas: np.ndarray) -> Tuple[int, int]:
    """End-diastole and end-systole: of the two phases that have the most contours, that of the larger area first."""
    outlined = Counter({phase: int(number) for phase, number in enumerate((areas > 0).sum(axis=0)) if number})
    if len(outlined) < 2:
        raise LabError('its contours are of one phase only, and two are wanted.')
    one, other = (phase for phase, _ in outlined.most_common(2))
    return (one, other) if areas[:, one].sum() >= areas[:, other].sum() else (other, one)


def _pumped(areas: np.ndarray, segmented: Segmented, phases: Tuple[int, int]) -> Pumped:
    by_phase = volumes.volumes(areas, volumes.thicknesses(segmented.stack)).by_phase
    return Pumped(*(float(by_phase[phase]) for phase in phases))


def _truths(raw_dir: str) -> Dict[str, Pumped]:
    """By case; empty where the studies are not the phantom's."""
    path = os.path.join(raw_dir, truth.FILE)
    if not os.path.exists(path):
        return {}
    with open(path, newline='', encoding='ascii') as file:
        return {row['case']: Pumped(float(row['edv_ml']), float(row['esv_ml'])) for row in csv.DictReader(file)}
