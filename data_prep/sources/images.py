"""A folder of images and a folder of masks of the same names -> slices. The way for pictures of one's own."""

import os
from collections import defaultdict
from types import ModuleType
from typing import DefaultDict, Dict, List, Optional, Tuple

from lvseg.errors import LabError
from lvseg.manifest import Spacing

import numpy as np

from data_prep import dicom, image_files, labels
from data_prep.fitting import centred, fitted
from data_prep.labels import Look
from data_prep.names import EXTENSIONS, patient, without_extensions
from data_prep.slices import Found, Pair, Picture, Slice, counted, files_under, naming, read_bytes

# The lab divides pixels by 1024, to suit a scanner's 550 to 2700; 8 bits times 4 come to the same range.
_EIGHT_BIT_FACTOR = 4


def find(image_dir: str, mask_dir: str) -> Found:
    """Pairs images with masks: same sub-folder and name, but for the extension.

    Raises:
        LabError: no such folder, or no picture in it.
    """
    images, other_images = _pictures(image_dir)
    masks, other_masks = _pictures(mask_dir)
    slices = [
        Slice(
            name,
            patient(name),
            images.get(name, [''])[0],
            masks.get(name, [''])[0],
            _problem(images.get(name, []), masks.get(name, [])),
        )
        for name in sorted({*images, *masks})
    ]
    patients = counted(len({piece.patient for piece in slices}), 'patient')
    notes = [f'Found {counted(len(images), "image")} and {counted(len(masks), "mask")}, by their names of {patients}.']
    if other_images or other_masks:
        notes.append(f'Passed over: {counted(other_images + other_masks, "file")} of other kinds.')
    if any(piece.mask.lower().endswith(image_files.LOSSY_EXTENSIONS) for piece in slices):
        notes.append('Some masks are JPEG, whose compression leaves noise: there, values from 128 to 255 count as 1.')
    return Found(slices, notes)


def look(mask_dir: str, piece: Slice) -> Look:
    """What is in the mask of a slice that `find` found; raises BadFileError."""
    with naming(piece.mask):
        data = read_bytes(mask_dir, piece.mask)
        return labels.look(piece.mask, _reader(data).read_labels(data))


def read(
    image_dir: str,
    mask_dir: str,
    piece: Slice,
    label: Optional[int] = None,
    pixel_size: Optional[float] = None,
    fit: str = 'centre',
    wanted_spacing: Optional[float] = None,
    allow_cropped: bool = False,
) -> Pair:
    """Reads a slice that `find` found.

    Args:
        label: which one of the mask is left ventricle; None: all but 0.
        pixel_size: mm, of images that do not tell their pixel spacing; None: it is not known.
        fit, wanted_spacing, allow_cropped: how a picture gets to 256 x 256: see data_prep.fitting.

    Returns:
        image: int64 [256, 256]; pixels of 8 bits are multiplied by 4.
        mask: uint8 [256, 256], 1 where the left ventricle is.
        spacing: of these pixels, where it is known.

    Raises:
        BadFileError: one of the two files cannot be read rightly, they differ in size, or do not fit.
    """
    pixels, _, spacing = picture(image_dir, piece.image)
    with naming(piece.mask):
        data = read_bytes(mask_dir, piece.mask)
        mask = _reader(data).read_mask(data, label)
        if mask.shape != pixels.shape:
            raise LabError(f'is {_size(mask)}, but its image is {_size(pixels)}; they must be alike')
    if spacing is None and pixel_size is not None:
        spacing = Spacing(pixel_size, pixel_size)
    with naming(piece.image):
        return fitted(pixels, mask, spacing, fit, wanted_spacing, allow_cropped)


def find_images(folder: str) -> List[str]:
    """The paths of all pictures of a folder, sorted: images that no one has made masks for.

    Raises:
        LabError: no such folder, or no picture in it.
    """
    images, _ = _pictures(folder)
    return sorted(path for paths in images.values() for path in paths)


def read_image(folder: str, path: str) -> np.ndarray:
    """Reads one of them: int64 [256, 256], padded or cropped as `read` does with fit 'centre'; raises BadFileError."""
    return centred(picture(folder, path).pixels)


def _pictures(folder: str) -> Tuple[Dict[str, List[str]], int]:
    """Returns name -> files of that name, and how many files are no pictures."""
    found: DefaultDict[str, List[str]] = defaultdict(list)
    paths = [path for path in files_under(folder) if not os.path.basename(path).startswith('.')]
    for path in paths:
        if path.lower().endswith(EXTENSIONS) or dicom.is_dicom(os.path.join(folder, path)):
            found[without_extensions(path)].append(path)
    if not found:
        raise LabError(f'{folder} has no PNG, JPEG, TIFF or DICOM files, but {len(paths) or "no"} others.')
    return dict(found), len(paths) - sum(map(len, found.values()))


def _problem(images: List[str], masks: List[str]) -> str:
    if not masks:
        return 'has no mask of the same name'
    if not images:
        return 'is a mask without an image of the same name'
    if len(images) > 1:
        return f'is one of several images of the same name, as {images[1]}'
    if len(masks) > 1:
        return f'has several masks of the same name, {masks[0]} and {masks[1]}'
    return ''


def picture(folder: str, path: str) -> Picture:
    """Reads an image as it is, but for pixels of 8 bits, which are multiplied by 4; raises BadFileError."""
    with naming(path):
        data = read_bytes(folder, path)
        image = _reader(data).read_image(data)
    return image._replace(pixels=image.pixels * _EIGHT_BIT_FACTOR) if image.eight_bit else image


def _reader(data: bytes) -> ModuleType:
    """The module that reads such a file."""
    is_dicom = data[dicom.MAGIC_AT :].startswith(dicom.MAGIC)
    return dicom if is_dicom else image_files


def _size(array: np.ndarray) -> str:
    height, width = array.shape
    return f'{width} x {height}'
