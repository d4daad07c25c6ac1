"""segmentation.dcm: the left ventricle as a DICOM Segmentation object (PS3.3 A.51), which viewers lay over its images.

Binary, one segment, a frame for each image that shows the ventricle: the standard leaves it to the writer whether there
are frames without it, and common ones leave them out. Frames are indexed by position and by phase, and each names the
image that it was made of. What knows no phases (the importer of 3D Slicer, dcmqi 1.5) lays all of them over each other,
which shows all that the ventricle ever filled. A segment for each phase would be as many ventricles there, all on at
once, and nothing better in a viewer that goes by the images named: a segment is one thing, its phases are a dimension
(PS3.3 C.7.6.17). It is written by pydicom alone, which all editions of the lab have.
"""

import os
import warnings
from datetime import datetime
from typing import Iterable, List, NamedTuple, Tuple

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.sr.codedict import Code, codes
from pydicom.tag import Tag
from pydicom.uid import SegmentationStorage, generate_uid
from pydicom.valuerep import format_number_as_ds

from data_prep import fitting
from data_prep.slices import LIBRARY_ERRORS
from study.dicom_files import save
from study.headers import Image
from study.segmenting import Segmented
from study.stack import Stack

# PS3.16: of the tissues (CID 7150) blood (CID 7191), and whose (CID 7152).
_CATEGORY = codes.cid7150.Tissue
_TYPE = codes.cid7191.Blood
_REGION = codes.cid7152.LeftVentricle

_SERIES_NUMBER = 9001  # Far from the scanner's.
_ALGORITHM = 'lvseg'

_FINER = 8  # Parts of a pixel's side, to tell how much of it lies within an outline.

# What the standard wants of the patient and the study, be it empty (PS3.3 C.7.1.1, C.7.2.1).
_IDENTITY = (
    'PatientName',
    'PatientID',
    'PatientBirthDate',
    'PatientSex',
    'StudyDate',
    'StudyTime',
    'StudyID',
    'AccessionNumber',
)
_TAGS = ['SpecificCharacterSet', *_IDENTITY, 'SOPClassUID', 'FrameOfReferenceUID', 'SliceThickness']


class _Frame(NamedTuple):
    image: Image
    source: Dataset  # the image's header
    position: int  # slice, from 1
    phase: int  # from 1
    mask: np.ndarray  # bool [height, width]


def write(path: str, segmented: Segmented, source_folder: str, anonymous: bool) -> List[str]:
    """Writes the file, in the study's own geometry; its pixels are those inside of the outlines.

    Identifiers of the study, the series and the images are repeated as they are, even where they break the standard's
    rules: mended, they would be those of others, and no viewer would find the images.

    Args:
        source_folder: that of the study, under which the images' paths lie.
        anonymous: whether to leave out the patient's name, identifier, birth date and sex, and the study's date, time
            and numbers. Otherwise they are what the images say, and empty where these say nothing or nothing valid.

    Returns:
        Sentences for the user: why nothing was written, or what a validator will find fault with.
    """
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # pydicom quotes identifiers that break the standard's rules.
        frames = _frames(segmented, source_folder)
        if not frames:
            return ['No pixel is left ventricle: there is no segmentation.dcm.']
        save(path, _dataset(frames, segmented.stack, anonymous))
        return _about_identifiers([frame.image for frame in frames])


def inside(points: np.ndarray, shape: Tuple[int, int]) -> np.ndarray:
    """The pixels of which the largest share lies within a closed curve, as many as make up its area.

    These are about those whose centres lie within it. But an outline that comes from pixels passes close by many a
    centre, and by the centres alone single ventricles would lose or gain up to 1.4 % (data_prep.fitting knows it, too).

    Args:
        points: float64 [points, 2], as `study.outlines.outline` gives them.
        shape: height, width of the image; what lies outside of it is cut off.

    Returns:
        bool [height, width].
    """
    mask = np.zeros(shape, bool)
    first = np.maximum(np.floor(points.min(axis=0)).astype(int), 0)
    last = np.minimum(np.ceil(points.max(axis=0)).astype(int), [shape[1] - 1, shape[0] - 1])
    width, height = np.maximum(last - first + 1, 0)
    fine = _centres_inside((points - first + 0.5) * _FINER - 0.5, (height * _FINER, width * _FINER))
    share = fine.reshape(height, _FINER, width, _FINER).mean(axis=(1, 3))
    mask[first[1] : first[1] + height, first[0] : first[0] + width] = fitting.outlined(share)
    return mask


def _centres_inside(points: np.ndarray, shape: Tuple[int, int]) -> np.ndarray:
    """By the even-odd rule: from the left edge, each crossing of the curve leads in or out again."""
    x, y = points.T
    next_x, next_y = np.roll(points, -1, axis=0).T
    rows = np.arange(shape[0])
    row, line = np.nonzero((y <= rows[:, np.newaxis]) != (next_y <= rows[:, np.newaxis]))
    at = x[line] + (row - y[line]) / (next_y - y)[line] * (next_x - x)[line]
    crossings = np.zeros((shape[0], shape[1] + 1), np.int64)
    np.add.at(crossings, (row, np.clip(np.floor(at).astype(int) + 1, 0, shape[1])), 1)
    return crossings.cumsum(axis=1)[:, :-1] % 2 == 1


def _frames(segmented: Segmented, folder: str) -> List[_Frame]:
    shape = segmented.pixels.shape[2:]
    frames = []
    for number, phase in np.argwhere(segmented.ventricle.kept.any(axis=(2, 3))):
        image = segmented.stack.images[number][phase]
        mask = inside(segmented.outlines[number][phase], shape)
        if mask.any():
            header = pydicom.dcmread(os.path.join(folder, image.path), specific_tags=_TAGS, stop_before_pixels=True)
            frames.append(_Frame(image, header, int(number) + 1, int(phase) + 1, mask))
    return frames


def _about_identifiers(images: List[Image]) -> List[str]:
    uids = {uid for image in images for uid in (image.uid, image.study, image.series)}
    wrong = sum(not pydicom.uid.UID(uid).is_valid for uid in uids)
    if not wrong:
        return []
    return [
        f"{wrong} of the study's {len(uids)} identifiers break DICOM's rules. segmentation.dcm repeats them as they "
        'are, for by them viewers find its images; a validator will name each.'
    ]


def _dataset(frames: List[_Frame], stack: Stack, anonymous: bool) -> Dataset:
    dataset = Dataset()
    _add_patient_and_study(dataset, frames[0], anonymous)
    _add_series_and_equipment(dataset, frames)
    _add_image(dataset, frames)
    _add_segment(dataset)
    _add_dimensions(dataset)
    _add_functional_groups(dataset, frames, stack)
    return dataset


def _add_patient_and_study(dataset: Dataset, frame: _Frame, anonymous: bool) -> None:
    for keyword in _IDENTITY:
        setattr(dataset, keyword, '' if anonymous else _valid(frame.source, keyword))
    dataset.ReferringPhysicianName = ''
    dataset.StudyInstanceUID = frame.image.study


def _valid(header: Dataset, keyword: str) -> str:
    """What the header says, or '' where that is nothing or breaks the rules for its kind."""
    try:
        element = header[keyword]
        value = '' if element.VM > 1 else str(element.value)
        pydicom.valuerep.validate_value(element.VR, value, pydicom.config.RAISE)
    except LIBRARY_ERRORS:
        return ''
    return value


def _add_series_and_equipment(dataset: Dataset, frames: List[_Frame]) -> None:
    now = datetime.now()
    dataset.Modality = 'SEG'
    dataset.SeriesInstanceUID = generate_uid()
    dataset.SeriesNumber = _SERIES_NUMBER
    dataset.SeriesDescription = 'Left ventricle by a network: a teaching tool'
    dataset.SeriesDate, dataset.SeriesTime = f'{now:%Y%m%d}', f'{now:%H%M%S}'
    dataset.FrameOfReferenceUID = _frame_of_reference(frames)
    dataset.PositionReferenceIndicator = ''
    dataset.Manufacturer = dataset.ManufacturerModelName = _ALGORITHM
    dataset.DeviceSerialNumber = 'none'
    dataset.SoftwareVersions = '2'
    series = Dataset()
    series.SeriesInstanceUID = frames[0].image.series
    series.ReferencedInstanceSequence = [_reference(frame) for frame in frames]
    dataset.ReferencedSeriesSequence = [series]


def _frame_of_reference(frames: List[_Frame]) -> str:
    """The images' own, or a new one where they do not share a valid one: some studies have one in each file."""
    uids = {str(frame.source.get('FrameOfReferenceUID') or '') for frame in frames}
    only = uids.pop() if len(uids) == 1 else ''
    return only if pydicom.uid.UID(only).is_valid else generate_uid()


def _add_image(dataset: Dataset, frames: List[_Frame]) -> None:
    dataset.SOPClassUID = SegmentationStorage
    dataset.SOPInstanceUID = generate_uid()
    dataset.ImageType = ['DERIVED', 'PRIMARY']
    dataset.InstanceNumber = 1
    dataset.ContentDate, dataset.ContentTime = dataset.SeriesDate, dataset.SeriesTime
    dataset.ContentLabel = 'LEFT_VENTRICLE'
    dataset.ContentDescription = dataset.SeriesDescription
    dataset.ContentCreatorName = ''
    dataset.SegmentationType = 'BINARY'
    dataset.LossyImageCompression = '00'
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = 'MONOCHROME2'
    dataset.NumberOfFrames = len(frames)
    dataset.Rows, dataset.Columns = frames[0].mask.shape
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = 0
    dataset.PixelRepresentation = 0
    dataset.PixelData = _packed(np.array([frame.mask for frame in frames]))
    dataset['PixelData'].VR = 'OB'


def _packed(masks: np.ndarray) -> bytes:
    """Eight pixels a byte, the first in the lowest bit, frames without a gap, to a whole number of words (PS3.5 8.1.1).

    pydicom's own pack_bits wants a newer NumPy than that of TensorFlow 1.15.
    """
    bits = np.pad(masks.ravel(), (0, -masks.size % 16), 'constant')
    return np.packbits(bits.reshape(-1, 8)[:, ::-1]).tobytes()


def _add_segment(dataset: Dataset) -> None:
    segment = Dataset()
    segment.SegmentNumber = 1
    segment.SegmentLabel = 'Left ventricle blood pool'
    segment.SegmentAlgorithmType = 'AUTOMATIC'
    segment.SegmentAlgorithmName = _ALGORITHM
    segment.SegmentedPropertyCategoryCodeSequence = [_code(_CATEGORY)]
    segment.SegmentedPropertyTypeCodeSequence = [_code(_TYPE)]
    segment.AnatomicRegionSequence = [_code(_REGION)]
    dataset.SegmentSequence = [segment]


def _code(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return item


def _add_dimensions(dataset: Dataset) -> None:
    organization = Dataset()
    organization.DimensionOrganizationUID = generate_uid()
    dataset.DimensionOrganizationSequence = [organization]
    dataset.DimensionIndexSequence = []
    for pointer, group in (
        ('ReferencedSegmentNumber', 'SegmentIdentificationSequence'),
        ('ImagePositionPatient', 'PlanePositionSequence'),
        ('TemporalPositionIndex', 'FrameContentSequence'),
    ):
        index = Dataset()
        index.DimensionOrganizationUID = organization.DimensionOrganizationUID
        index.DimensionIndexPointer = Tag(pointer)
        index.FunctionalGroupPointer = Tag(group)
        index.DimensionDescriptionLabel = pointer
        dataset.DimensionIndexSequence.append(index)


def _add_functional_groups(dataset: Dataset, frames: List[_Frame], stack: Stack) -> None:
    shared = Dataset()
    shared.PixelMeasuresSequence = [_pixel_measures(frames[0], stack)]
    # Each index counts from 1 the values that occur; TemporalPositionIndex, too (PS3.3 C.7.6.16.2.2).
    _, places = np.unique([frame.position for frame in frames], return_inverse=True)
    _, moments = np.unique([frame.phase for frame in frames], return_inverse=True)
    indices = [[1, place + 1, moment + 1] for place, moment in zip(places.tolist(), moments.tolist())]
    groups = list(map(_functional_groups, frames, indices))
    orientations = [_orientation(frame.image) for frame in frames]
    if all(orientation == orientations[0] for orientation in orientations):
        shared.PlaneOrientationSequence = [orientations[0]]
    else:
        for group, orientation in zip(groups, orientations):
            group.PlaneOrientationSequence = [orientation]
    dataset.SharedFunctionalGroupsSequence = [shared]
    dataset.PerFrameFunctionalGroupsSequence = groups


def _pixel_measures(frame: _Frame, stack: Stack) -> Dataset:
    measures = Dataset()
    measures.PixelSpacing = _decimals(frame.image.spacing)
    thickness = float(_valid(frame.source, 'SliceThickness') or 0) or frame.image.thickness
    if thickness:
        measures.SliceThickness = _decimals([thickness])[0]
    if np.isfinite(stack.spacing):
        measures.SpacingBetweenSlices = _decimals([stack.spacing])[0]
    return measures


def _orientation(image: Image) -> Dataset:
    orientation = Dataset()
    orientation.ImageOrientationPatient = _decimals([*image.across, *image.down])
    return orientation


def _functional_groups(frame: _Frame, indices: List[int]) -> Dataset:
    """Those of a frame of its own."""
    segment, content, place, derivation, groups = (Dataset() for _ in range(5))
    segment.ReferencedSegmentNumber = 1
    content.DimensionIndexValues = indices
    content.TemporalPositionIndex = indices[-1]
    place.ImagePositionPatient = _decimals(frame.image.position)

    source = _reference(frame)
    source.PurposeOfReferenceCodeSequence = [_code(codes.cid7202.SourceImageForImageProcessingOperation)]
    source.SpatialLocationsPreserved = 'YES'
    derivation.SourceImageSequence = [source]
    derivation.DerivationCodeSequence = [_code(codes.cid7203.Segmentation)]

    groups.SegmentIdentificationSequence = [segment]
    groups.FrameContentSequence = [content]
    groups.PlanePositionSequence = [place]
    groups.DerivationImageSequence = [derivation]
    return groups


def _reference(frame: _Frame) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = frame.source.SOPClassUID
    reference.ReferencedSOPInstanceUID = frame.image.uid
    return reference


def _decimals(values: Iterable[float]) -> List[str]:
    """As DICOM's decimal strings, of at most 16 characters."""
    return [format_number_as_ds(float(value)) for value in values]
