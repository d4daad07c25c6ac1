"""The DICOM files: what their headers say, and how they are written."""

import math
import uuid
from typing import List, Sequence, Tuple

import numpy as np
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from data_prep.phantom.patient import Patient
from data_prep.phantom.scanner import FRAMES, SLICE_SPACING, SLICE_THICKNESS, Scan

SHORT_AXIS_SERIES = 300
LONG_AXIS_SERIES = 200


def short_axis_header(patient: Patient, z: float, frame: int, number: int) -> Dataset:
    """The header of one frame, from 1 to 20, of the slice at `z` mm below the base; `number` is the image's."""
    right, down = _plane(patient.scan.angle)
    towards_base = np.cross(right, down)
    centre = towards_base * (patient.heart.length / 2 - z)
    dataset = _dataset(patient, SHORT_AXIS_SERIES, 'CINE short axis', frame, number)
    return _place(dataset, patient.scan, right, down, centre, z)


def long_axis_header(patient: Patient, number: int) -> Dataset:
    """The same of the slice along the heart's axis, whose images are its frames."""
    right, down = _plane(patient.scan.angle)
    towards_base = np.cross(right, down)
    dataset = _dataset(patient, LONG_AXIS_SERIES, 'CINE long axis', number, number)
    return _place(dataset, patient.scan, right, -towards_base, np.zeros(3), 0.0)


def _plane(angle: float) -> Tuple[np.ndarray, np.ndarray]:
    """Directions of the image's rows and columns in the patient (to his left, back and head); unit vectors.

    An image that shows the patient turned by `angle` lies in a plane turned the other way.
    """
    right = np.array([0.770, 0.618, 0.155])  # as in the real case SC-HF-I-02
    right /= np.linalg.norm(right)
    down = np.array([-0.152, 0.414, -0.898])
    down -= right * (right @ down)
    down /= np.linalg.norm(down)
    return math.cos(angle) * right - math.sin(angle) * down, math.sin(angle) * right + math.cos(angle) * down


def _place(
    dataset: Dataset, scan: Scan, right: np.ndarray, down: np.ndarray, centre: np.ndarray, location: float
) -> Dataset:
    """Adds where the image lies: `centre` is where the heart's axis meets it, mm from the scanner's centre."""
    first_pixel = centre - scan.spacing * (scan.centre[0] * right + scan.centre[1] * down)
    dataset.ImagePositionPatient = _decimals(first_pixel)
    dataset.ImageOrientationPatient = _decimals([*right, *down])
    dataset.SliceLocation = _decimals([location])[0]
    dataset.PixelSpacing = _decimals([scan.spacing, scan.spacing])
    return dataset


def _dataset(patient: Patient, series: int, description: str, frame: int, number: int) -> Dataset:
    """The header of one frame: MR Image Storage, with everything that the standard wants; no date is a real one."""
    interval = 60000 / patient.heart_rate  # ms
    settings = patient.scan.settings
    dataset = Dataset()
    dataset.SpecificCharacterSet = 'ISO_IR 100'
    dataset.ImageType = ['ORIGINAL', 'PRIMARY', 'OTHER']
    dataset.SOPClassUID = MRImageStorage
    dataset.SOPInstanceUID = _uid(patient, series, number)
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = '20000101'
    dataset.StudyTime = dataset.SeriesTime = dataset.ContentTime = '120000'
    dataset.AccessionNumber = ''
    dataset.Modality = 'MR'
    dataset.Manufacturer = 'data_prep phantom'
    dataset.ReferringPhysicianName = ''
    dataset.StudyDescription = 'Drawn, not scanned: nobody is shown'
    dataset.SeriesDescription = description
    dataset.PatientName = f'Phantom^Invented^{patient.number}'
    dataset.PatientID = patient.patient_id
    dataset.PatientBirthDate = ''
    dataset.PatientSex = patient.sex[0]
    dataset.PatientAge = f'{patient.age:03d}Y'
    dataset.ScanningSequence = 'GR'
    dataset.SequenceVariant = settings.variant
    dataset.ScanOptions = 'CG'
    dataset.MRAcquisitionType = '2D'
    dataset.SliceThickness = _decimals([SLICE_THICKNESS])[0]
    dataset.RepetitionTime = settings.repetition
    dataset.EchoTime = settings.echo
    dataset.EchoTrainLength = '1'
    dataset.MagneticFieldStrength = settings.tesla
    dataset.SpacingBetweenSlices = _decimals([SLICE_SPACING])[0]
    dataset.TriggerTime = _decimals([(frame - 1) / FRAMES * interval])[0]
    dataset.NominalInterval = str(round(interval))
    dataset.HeartRate = str(patient.heart_rate)
    dataset.CardiacNumberOfImages = str(FRAMES)
    dataset.FlipAngle = settings.flip
    dataset.PatientPosition = 'FFS'
    dataset.StudyInstanceUID = _uid(patient)
    dataset.SeriesInstanceUID = _uid(patient, series)
    dataset.StudyID = '1'
    dataset.SeriesNumber = str(series)
    dataset.AcquisitionNumber = '1'
    dataset.InstanceNumber = str(number)
    dataset.FrameOfReferenceUID = _uid(patient, 'frame of reference')
    dataset.PositionReferenceIndicator = ''
    return dataset


def write_dicom(path: str, dataset: Dataset, pixels: np.ndarray) -> None:
    """Adds int16 [256, 256] pixels to a header and writes the file, explicit VR little endian."""
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = 'MONOCHROME2'
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = 1
    dataset.WindowCenter = str(pixels.max() // 2)
    dataset.WindowWidth = str(pixels.max())
    dataset.PixelData = pixels.astype('<i2').tobytes()
    dataset['PixelData'].VR = 'OW'

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = _identifier('implementation')  # fixed: pydicom's own changes with its version
    meta.ImplementationVersionName = 'PHANTOM'
    file = FileDataset(path, dataset, file_meta=meta, preamble=bytes(128))
    file.is_little_endian, file.is_implicit_VR = True, False
    dcmwrite(path, file, write_like_original=False)


def _uid(patient: Patient, *parts: object) -> str:
    shift = [patient.shift.name] if patient.shift.name else []
    return _identifier(*shift, patient.seed, patient.number, *parts)


def _identifier(*parts: object) -> str:
    """A DICOM UID made of a name-based UUID (ITU-T X.667): the same parts give the same UID, anywhere."""
    name = '/'.join(map(str, ('lvseg phantom', *parts)))
    return f'2.25.{uuid.uuid5(uuid.NAMESPACE_OID, name).int}'


def _decimals(values: Sequence[float]) -> List[str]:
    """Numbers as DICOM's decimal strings of at most 16 characters."""
    return [f'{value:.6f}' for value in values]
