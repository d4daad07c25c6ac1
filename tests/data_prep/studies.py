"""Small studies made by hand: DICOM files, pictures, contours, and the folders that they lie in."""

import io
import warnings
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset

SIZE = 256


def dicom(pixels, syntax=pydicom.uid.ExplicitVRLittleEndian, **elements):
    """A DICOM file's bytes; `elements` replace or, if None, remove what would be there by default."""
    pixels = np.asarray(pixels)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = pydicom.uid.MRImageStorage
    meta.MediaStorageSOPInstanceUID = '1.2.3'
    meta.TransferSyntaxUID = syntax
    dataset = FileDataset('', {}, file_meta=meta, preamble=bytes(128))
    dataset.is_little_endian = syntax != pydicom.uid.ExplicitVRBigEndian
    dataset.is_implicit_VR = syntax == pydicom.uid.ImplicitVRLittleEndian
    bits = 8 * pixels.dtype.itemsize
    byte_order = '<' if dataset.is_little_endian else '>'
    values = {
        'SOPClassUID': pydicom.uid.MRImageStorage,
        'SOPInstanceUID': '1.2.3',
        'SamplesPerPixel': 1,
        'PhotometricInterpretation': 'MONOCHROME2',
        'Rows': pixels.shape[0],
        'Columns': pixels.shape[1],
        'BitsAllocated': bits,
        'BitsStored': bits,
        'HighBit': elements.get('BitsStored', bits) - 1,
        'PixelRepresentation': int(pixels.dtype.kind == 'i'),
        'PixelData': pixels.astype(pixels.dtype.newbyteorder(byte_order)).tobytes(),
        **elements,
    }
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # Some tests want files that break the rules.
        for keyword, value in values.items():
            if value is not None:
                setattr(dataset, keyword, value)
        if 'PixelData' in dataset:
            dataset['PixelData'].VR = 'OW'
            dataset['PixelData'].is_undefined_length = meta.TransferSyntaxUID.is_encapsulated
        pydicom.dcmwrite(content, dataset, write_like_original=False)
    return content.getvalue()


def picture(array, file_format='PNG', **how):
    """An image file's bytes, of an array or a Pillow image."""
    content = io.BytesIO()
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    image.save(content, file_format, **how)
    return content.getvalue()


def square(left, top, side):
    """A contour file that fills (side + 1) ** 2 pixels: Pillow draws the outline, too."""
    right, bottom = left + side, top + side
    return ''.join(f'{x:.2f} {y:.2f}\n' for x, y in [(left, top), (right, top), (right, bottom), (left, bottom)])


def write_tree(folder, files):
    for path, content in files.items():
        file = Path(folder) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def icontour(case, number, folder='SCD_ManualContours', series='0001'):
    return f'{folder}/{case}/contours-manual/IRCCI-expert/IM-{series}-{number:04d}-icontour-manual.txt'


def atlas(patients, part='SCD_IMAGES_01'):
    """Files of a study as the Cardiac Atlas Project lays it out.

    `patients`: OriginalID -> image numbers with a contour. Pixels of an image are its number; the contour of
    image n of any patient is a square of side n, so of (n + 1) ** 2 pixels.
    """
    table = 'PatientID,OriginalID,Gender,Age,Pathology\n'
    files = {}
    for index, (case, numbers) in enumerate(patients.items(), start=1):
        patient_id = f'SCD{index:05d}01'
        table += f'{patient_id},{case},Male,53,Heart failure with infarct\n'
        prefix, number_of_case = case.rsplit('-', 1)
        for number in numbers:
            pixels = np.full((SIZE, SIZE), number, np.int16)
            files[f'{part}/{patient_id}/CINESAX_300/IM-0003-{number:04d}.dcm'] = dicom(pixels)
            files[icontour(f'{prefix}-{int(number_of_case):02d}', number)] = square(10, 20, number)
    return {**files, 'scd_patientdata.csv': table}
