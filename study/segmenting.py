"""A study's stack with the network's ventricle in it: what everything that is written about a study is made of."""

from typing import List, NamedTuple

from lvseg import progress
from lvseg.errors import LabError
from lvseg.prediction import Trained

import numpy as np

from data_prep import fitting
from data_prep.slices import BadFileError
from data_prep.sources import images
from study import outlines, ventricle, volumes
from study.stack import Stack
from study.ventricle import Ventricle
from study.volumes import Volumes

_AT_A_TIME = 10  # images, which bounds the memory that a network takes


class Segmented(NamedTuple):
    """A stack, and what the network and the rule of study.ventricle make of it; slices from base to apex."""

    stack: Stack
    pixels: np.ndarray  # int64 [slices, phases, height, width], the scanner's
    ventricle: Ventricle
    outlines: List[List[np.ndarray]]  # by slice and phase, as study.outlines.outline gives them; [0, 2] where none is
    areas: np.ndarray  # float64 [slices, phases], mm2
    volumes: Volumes


def segment(folder: str, stack: Stack, trained: Trained) -> Segmented:
    """Finds the left ventricle in every image of a stack.

    Args:
        folder: that of the study, under which the images' paths lie.

    Raises:
        LabError: an image cannot be read rightly.
    """
    pixels = _pixels(folder, stack)
    probabilities = _probabilities(pixels, trained)
    found = ventricle.ventricle(probabilities >= outlines.EDGE)
    drawn = [
        [outlines.outline(*image) for image in zip(of_slice, kept)] for of_slice, kept in zip(probabilities, found.kept)
    ]
    spacing = stack.images[0][0].spacing
    pixel = spacing.rows * spacing.columns
    areas = np.array([[pixel * outlines.area(points) for points in of_slice] for of_slice in drawn])
    return Segmented(stack, pixels, found, drawn, areas, volumes.volumes(areas, volumes.thicknesses(stack)))


def _pixels(folder: str, stack: Stack) -> np.ndarray:
    try:
        return np.array([[images.picture(folder, one.path).pixels for one in of_slice] for of_slice in stack.images])
    except BadFileError as error:
        raise LabError(f'{error}. Get it whole, or take it out of the folder: segment does without.') from None


def _probabilities(pixels: np.ndarray, trained: Trained) -> np.ndarray:
    """float32, of the same shape; the network sees 256 x 256 pixels, and what lies beyond is background."""
    shape = pixels.shape[2:]
    flat = pixels.reshape(-1, *shape)
    found = np.empty(flat.shape, np.float32)
    with progress.bar(len(flat), description='Segmenting') as bar:
        for start in range(0, len(flat), _AT_A_TIME):
            some = flat[start : start + _AT_A_TIME]
            placed = trained.probabilities(np.array([fitting.centred(image) for image in some]))
            found[start : start + len(some)] = [fitting.uncentred(image, shape) for image in placed]
            bar.update(len(some))
    return found.reshape(pixels.shape)
