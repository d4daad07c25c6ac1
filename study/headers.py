"""What the lab reads of the headers of a study: how the images lie in space and time. Nothing about the patient."""

import os
import warnings
from typing import Any, List, NamedTuple, Optional, Tuple

from lvseg import progress
from lvseg.errors import LabError
from lvseg.manifest import Spacing

import numpy as np
import pydicom
from pydicom.dataset import FileDataset

from data_prep import dicom
from data_prep.slices import LIBRARY_ERRORS, files_under

_TAGS = [
    'SOPClassUID',
    'SOPInstanceUID',
    'StudyInstanceUID',
    'SeriesInstanceUID',
    'SeriesNumber',
    'InstanceNumber',
    'ImagePositionPatient',
    'ImageOrientationPatient',
    'PixelSpacing',
    'SliceThickness',
    'SpacingBetweenSlices',
    'TriggerTime',
    'HeartRate',
    'NominalInterval',
    'Rows',
    'Columns',
]


class Image(NamedTuple):
    """One image of a study."""

    path: str  # under the study's folder
    uid: str  # SOPInstanceUID
    study: str  # StudyInstanceUID
    series: str  # SeriesInstanceUID
    series_number: Optional[int]
    number: int  # InstanceNumber; 0 if there is none
    shape: Tuple[int, int]  # rows, columns
    spacing: Spacing  # mm
    thickness: Optional[float]  # mm, from one plane to the next if the file says so, else the slice's own
    position: np.ndarray  # float64 [3], mm: where the centre of the first pixel lies in the patient
    across: np.ndarray  # float64 [3], unit vector along a row
    down: np.ndarray  # float64 [3], unit vector along a column
    trigger_time: Optional[float]  # ms after the R wave
    heart_rate: Optional[float]  # beats per minute

    @property
    def normal(self) -> np.ndarray:
        """Unit vector, square to the image (DICOM PS3.3 C.7.6.2.1.1)."""
        return np.cross(self.across, self.down)


class Found(NamedTuple):
    """The images of a folder, and what else lies there."""

    images: List[Image]
    damaged: List[str]  # Paths of DICOM files whose header cannot be read, or is cut off.
    elsewhere: List[str]  # Of those that do not say where they lie, or are no images.


def find(folder: str) -> Found:
    """Reads the headers of all DICOM files of a folder and of those within.

    Raises:
        LabError: there is no such folder.
    """
    found = Found([], [], [])
    paths = [path for path in files_under(folder) if dicom.is_dicom(os.path.join(folder, path))]
    with progress.bar(len(paths), description='Reading headers') as bar, warnings.catch_warnings():
        warnings.simplefilter('ignore')  # pydicom quotes identifiers that break the standard's rules.
        for path in paths:
            _sort_in(found, folder, path)
            bar.update()
    return found


@dicom.nesting_bounded()
def _sort_in(found: Found, folder: str, path: str) -> None:
    try:
        dataset = pydicom.dcmread(os.path.join(folder, path), specific_tags=_TAGS, stop_before_pixels=True)
        identity = [str(dataset.get(tag) or '') for tag in ('SOPInstanceUID', 'StudyInstanceUID', 'SeriesInstanceUID')]
    except (LabError, *LIBRARY_ERRORS):
        found.damaged.append(path)
        return
    try:
        found.images.append(_image(path, identity, dataset))
    except LIBRARY_ERRORS:
        found.elsewhere.append(path)


def _image(path: str, identity: List[str], dataset: FileDataset) -> Image:
    """Raises one of LIBRARY_ERRORS if the file does not tell where the image lies."""
    directions = np.array(dataset.ImageOrientationPatient, dtype=np.float64).reshape(2, 3)
    position = np.array(dataset.ImagePositionPatient, dtype=np.float64).reshape(3)
    rows, columns = map(float, dataset.PixelSpacing)
    lengths = np.linalg.norm(directions, axis=1)
    if not (
        np.isfinite(position).all() and np.allclose(lengths, 1, atol=0.01) and 0 < rows < 100 and 0 < columns < 100
    ):
        raise ValueError('no sensible geometry')
    across, down = directions / lengths[:, np.newaxis]
    if abs(across @ down) > 0.01:
        raise ValueError('rows and columns are not square to each other')
    return Image(
        path,
        *identity,
        series_number=_number(dataset, 'SeriesNumber', int),
        number=_number(dataset, 'InstanceNumber', int) or 0,
        shape=(int(dataset.Rows), int(dataset.Columns)),
        spacing=Spacing(rows, columns),
        thickness=_number(dataset, 'SpacingBetweenSlices', float) or _number(dataset, 'SliceThickness', float),
        position=position,
        across=across,
        down=down,
        trigger_time=_number(dataset, 'TriggerTime', float),
        heart_rate=_heart_rate(dataset),
    )


def _heart_rate(dataset: FileDataset) -> Optional[float]:
    """Some scanners tell it by the milliseconds from one R wave to the next (PS3.3 C.8.3.1)."""
    interval = _number(dataset, 'NominalInterval', float)
    return _number(dataset, 'HeartRate', float) or (60_000 / interval if interval else None)


def _number(dataset: FileDataset, keyword: str, kind: Any) -> Optional[float]:  # noqa: ANN401 - int or float
    try:
        value = kind(dataset.get(keyword))
    except LIBRARY_ERRORS:
        return None
    return value if np.isfinite(value) and value >= 0 else None
