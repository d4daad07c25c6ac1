"""How the room writes DICOM files."""

import warnings

from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian


def save(path: str, dataset: Dataset) -> None:
    """Writes a data set as a file, explicit VR little endian, its texts in UTF-8."""
    dataset.SpecificCharacterSet = 'ISO_IR 192'
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset(path, dataset, file_meta=meta, preamble=bytes(128))
    file.is_little_endian, file.is_implicit_VR = True, False
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # pydicom quotes identifiers that break the standard's rules.
        dcmwrite(path, file, write_like_original=False)
