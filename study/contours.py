"""The outlines as an expert's contours: a folder that `python -m data_prep sunnybrook` reads.

It is laid out as the Cardiac Atlas Project lays out the Sunnybrook Cardiac Data (data_prep.sources.sunnybrook):
    SCD_ManualContours/STUDY-01/contours-manual/IRCCI-expert/IM-0001-0048-icontour-manual.txt
    SCD_IMAGES_01/STUDY01/CINESAX_300/IM-0003-0048.dcm
    scd_patientdata.csv
The images that have an outline lie beside it, for the study's own files may be called anything and lie anywhere. Of
these they hold the pixels and their spacing only, nothing about the patient. Names of the case and the patient are made
up, and tell no pathology: nobody has made a diagnosis.
"""

import csv
import os
from typing import List, Tuple

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage, generate_uid
from pydicom.valuerep import format_number_as_ds
from scipy.ndimage import find_objects

from data_prep.contours import FIRST_PIXEL
from data_prep.sources.sunnybrook import CONTOURS, TABLE
from study import outlines
from study.dicom_files import save
from study.segmenting import Segmented
from study.stack import Stack


def write(folder: str, segmented: Segmented, study: int = 1) -> int:
    """Writes a contour file, and the image it belongs to, for each image that shows the ventricle.

    A contour is numbered as its image is (InstanceNumber), or by slice and phase where images share a number. Its
    pixels are the study's; `data_prep sunnybrook` reads contours on 256 x 256 pixels and refuses others.

    Args:
        folder: is made if there is anything to write.
        study: which one it is of those in a run, from 1; the case's name is made of it.

    Returns:
        How many contours there are: a ventricle of so few pixels that its contour encloses nothing has none.
    """
    found = _contours(segmented.ventricle.kept)
    if not found:
        return 0
    case, patient = f'STUDY-{study:02d}', f'STUDY{study:02d}'
    contours = os.path.join(folder, CONTOURS, case, 'contours-manual', 'IRCCI-expert')
    images = os.path.join(folder, 'SCD_IMAGES_01', patient, 'CINESAX_300')
    os.makedirs(contours)
    os.makedirs(images)
    with open(os.path.join(folder, TABLE), 'w', newline='', encoding='ascii') as file:
        csv.writer(file, lineterminator='\n').writerows([['PatientID', 'OriginalID'], [patient, case]])

    numbers = _numbers(segmented.stack)
    for (number, phase), points in found:
        name = f'{numbers[number][phase]:04d}'
        with open(
            os.path.join(contours, f'IM-0001-{name}-icontour-manual.txt'), 'w', newline='', encoding='ascii'
        ) as file:
            file.writelines(f'{x:.2f} {y:.2f}\n' for x, y in points.tolist())
        image = _image(segmented.pixels[number, phase], segmented.stack.images[number][phase].spacing)
        save(os.path.join(images, f'IM-0003-{name}.dcm'), image)
    return len(found)


def _contours(kept: np.ndarray) -> List[Tuple[Tuple[int, int], np.ndarray]]:
    """Slice and phase, and the contour's points."""
    contours = [
        ((number, phase), _contour(kept[number, phase])) for number, phase in np.argwhere(kept.any(axis=(2, 3)))
    ]
    return [
        (place, points)
        for place, points in contours
        if len(points) > 2 and np.linalg.matrix_rank(points - points[0]) == 2
    ]


def _contour(mask: np.ndarray) -> np.ndarray:
    """What `data_prep.contours.read_mask` makes that mask of again: float64 [points, 2], whole pixels.

    It fills a contour with Pillow, which rounds points down to whole pixels; so points with fractions, or on half
    pixels as the experts' are, would move the mask by half a pixel. And these are the mask's own outline: that of the
    probabilities (`Segmented.outlines`) lies up to half a pixel from it, which rounded is a pixel here and there, and
    up to 3 % of a mask's area.
    """
    rows, columns = find_objects(mask.astype(np.uint8))[0]
    piece = mask[rows, columns]
    outline = outlines.outline(piece.astype(np.float32), piece) + [columns.start, rows.start]
    points = np.rint(outline + FIRST_PIXEL) + 0.0  # No -0.00 in the file.
    return points[np.any(points != np.roll(points, 1, axis=0), axis=1)]


def _numbers(stack: Stack) -> List[List[int]]:
    numbers = [[image.number for image in of_slice] for of_slice in stack.images]
    every = [number for of_slice in numbers for number in of_slice]
    if len(set(every)) == len(every):
        return numbers
    return (1 + np.arange(len(every)).reshape(len(numbers), stack.phases)).tolist()


def _image(pixels: np.ndarray, spacing: Tuple[float, float]) -> Dataset:
    """As much as data_prep reads of an image."""
    sixteen = np.iinfo(np.int16)
    bits = 16 if sixteen.min <= pixels.min() and pixels.max() <= sixteen.max else 32
    dataset = Dataset()
    dataset.SOPClassUID = MRImageStorage
    dataset.SOPInstanceUID = generate_uid()
    dataset.Modality = 'MR'
    dataset.PixelSpacing = [format_number_as_ds(float(value)) for value in spacing]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = 'MONOCHROME2'
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelRepresentation = 1
    dataset.PixelData = pixels.astype(f'<i{bits // 8}').tobytes()
    dataset['PixelData'].VR = 'OW'
    return dataset
