"""Folders of NIfTI images with their masks beside them -> slices. Also read by their names and tables:

ACDC (Automated Cardiac Diagnosis Challenge):
    training/patient001/patient001_frame01.nii.gz       one phase of the heart; its mask patient001_frame01_gt.nii.gz
    training/patient001/patient001_4d.nii.gz            the whole cine, which has no mask
    training/patient001/Info.cfg                        ED and ES: the numbers of their frames, from 1
M&Ms (Multi-Centre, Multi-Vendor & Multi-Disease challenge):
    Training/Labeled/A0S9V9/A0S9V9_sa.nii.gz            4-D; its mask A0S9V9_sa_gt.nii.gz is empty but at ED and ES
    ..._M&Ms_Dataset_information_..._opendataset.csv    External code, ED and ES: their frames, from 0
Others: an image X.nii or X.nii.gz, and its mask X_gt, X_mask, X_seg or X_label.
"""

import csv
import io
import os
import re
from collections import Counter, defaultdict
from typing import Callable, DefaultDict, Dict, List, NamedTuple, Optional, Set, Tuple, Union
from typing import Counter as CounterOf

from lvseg.errors import LabError

import numpy as np
from tqdm import tqdm

from data_prep.nifti_files import NiftiFile, opened
from data_prep.slices import Found, Pair, Slice, counted, files_in, files_under, naming, read_bytes

_NIFTI = re.compile(r'(.+)\.nii(\.gz)?', re.IGNORECASE)
_MASK = re.compile(r'(.+)_(gt|mask|seg|label)', re.IGNORECASE)
_LONG_AXIS = re.compile(r'.+_la(_.+)?', re.IGNORECASE)
_TABLE = re.compile(r'.*dataset_information.*\.csv', re.IGNORECASE)
_INFO = re.compile(r'^\s*(ED|ES)\s*:\s*([0-9]{1,6})\s*$', re.MULTILINE)

# How an image of each layout is named, and the label of the left ventricle there.
_LAYOUTS = {
    'ACDC': (re.compile(r'(?P<subject>.+)_frame(?P<frame>[0-9]+)'), 3),
    'M&Ms': (re.compile(r'(?P<subject>.+)_sa'), 1),
}

_MAX_VALUES = 32  # Of a mask; more are an image, or probabilities.
_VALUES_SHOWN = 8

# MRI has no fixed scale. In the Sunnybrook data the brightest hundredth of an image begins at 370 to 840.
_BRIGHT = 600
_MAX_PIXEL = 4095

Phases = Dict[int, str]  # Frame, as its layout counts -> 'ED' or 'ES'


class _Volume(NamedTuple):
    """An image with its mask, either of them a file of one frame or several."""

    name: str
    patient: str
    image: str
    mask: str
    frame: Optional[int]  # The number in the name.
    phases: Phases
    layout: str
    problem: str = ''


class _Labels(NamedTuple):
    """What a mask holds: voxels of each value, and the slices that have it, by frame and number."""

    voxels: Dict[int, int]
    places: Dict[int, List[Tuple[int, int]]]
    slices: int  # Of all frames that have any value.
    frames: int
    empty_frames: int


def find(folder: str, label: Optional[int]) -> Found:
    """Pairs images with masks, and takes the slices whose mask has the label.

    Args:
        label: the value of the left ventricle in the masks; None where they have but one besides 0.

    Raises:
        LabError: no such folder; no image with a mask in it; several values, and no label; a label that no mask has.
    """
    volumes, passed_over = _volumes(folder)
    surveyed = [(volume, _survey(folder, volume)) for volume in tqdm(volumes, unit='image', leave=False, disable=None)]
    readable = [labels for _, labels in surveyed if isinstance(labels, _Labels)]
    label = _label(folder, label, readable, {volume.layout for volume in volumes})
    slices: List[Slice] = []
    for volume, labels in surveyed:
        if isinstance(labels, _Labels):
            slices += _slices(volume, labels, label)
        else:
            slices.append(labels)
    return Found(slices, _notes(volumes, readable, label, passed_over))


def read(folder: str, label: Optional[int], fit: Callable[..., Pair], piece: Slice) -> Pair:
    """Reads a slice that `find` found.

    Args:
        fit: `fitting.fitted`, which is given pixels, mask and spacing.

    Returns:
        image: int64 [256, 256], from 0 to 4095. Of each frame the smallest pixel is brought to 0 where it is negative,
            and the brightest hundredth begins at 600; fractions are rounded, and what is beyond is cut.
        mask: uint8 [256, 256], 1 where the mask has the label.
        spacing: of these pixels.

    Raises:
        BadFileError: one of the two files cannot be read rightly, or not fitted.
    """
    with naming(piece.image), opened(os.path.join(folder, piece.image)) as image:
        pixels = _scaled(image.grid.pictures(image.frame(piece.frame)))[piece.number]
        grid = image.grid
    with naming(piece.mask), opened(os.path.join(folder, piece.mask)) as file:
        values = grid.pictures(file.frame(piece.frame))[piece.number]
        mask = (values != 0 if label is None else values == label).astype(np.uint8)
        return fit(pixels, mask, grid.pixel_spacing)


# --- Which image has which mask


def _volumes(folder: str) -> Tuple[List[_Volume], List[str]]:
    """Returns them sorted by name, and what was passed over."""
    images: DefaultDict[str, List[str]] = defaultdict(list)
    masks: DefaultDict[str, List[str]] = defaultdict(list)
    long_axis = 0
    for path in files_under(folder):
        match = _NIFTI.fullmatch(path)
        if not match or os.path.basename(path).startswith('.'):
            continue
        mask = _MASK.fullmatch(match.group(1))
        if _LONG_AXIS.fullmatch(os.path.basename(match.group(1))):
            long_axis += 1
        elif mask:
            masks[mask.group(1)].append(path)
        else:
            images[match.group(1)].append(path)
    if not images and not masks:
        raise LabError(f'{folder} has no NIfTI files (.nii or .nii.gz).')
    if not masks:
        raise LabError(
            f'{folder} has {counted(len(images), "NIfTI image")}, but no mask: that of X.nii.gz is to be called '
            'X_gt.nii.gz, or X_mask, X_seg or X_label.'
        )
    table = _table(folder)
    volumes = [_volume(folder, stem, images[stem], masks[stem], table) for stem in sorted(masks)]
    without_mask = len(images.keys() - masks.keys())
    passed_over = [
        (without_mask, f'{counted(without_mask, "image")} without a mask'),
        (long_axis, f'{counted(long_axis, "file")} of the long axis'),
    ]
    return _with_twins_refused(volumes), [text for count, text in passed_over if count]


def _volume(folder: str, stem: str, images: List[str], masks: List[str], table: Dict[str, Phases]) -> _Volume:
    image, problem = images[0] if images else '', _problem(images, masks)
    base, parent = os.path.basename(stem), os.path.dirname(stem)
    for layout, (pattern, _) in _LAYOUTS.items():
        match = pattern.fullmatch(base)
        if match:
            subject = match.group('subject')
            frame = match.groupdict().get('frame')
            phases = table.get(subject, {}) if frame is None else _info(folder, parent)
            return _Volume(subject, subject, image, masks[0], frame and int(frame), phases, layout, problem)
    return _Volume(stem, parent or stem, image, masks[0], None, {}, '', problem)


def _problem(images: List[str], masks: List[str]) -> str:
    if not images:
        return 'is a mask without an image of the same name'
    if len(images) > 1:
        return f'is one of several images of the same name, as {images[1]}'
    if len(masks) > 1:
        return f'has several masks, {masks[0]} and {masks[1]}'
    return ''


def _with_twins_refused(volumes: List[_Volume]) -> List[_Volume]:
    """The same subject and frame in two folders: one copied, or two subjects of one name, who would be one patient."""
    first: Dict[Tuple[str, Optional[int]], str] = {}
    checked = []
    for volume in volumes:
        twin = first.setdefault((volume.name, volume.frame), volume.image)
        if twin != volume.image and not volume.problem:
            volume = volume._replace(problem=f'has the subject and frame of {twin}; move one of them out of the folder')
        checked.append(volume)
    return checked


def _info(folder: str, parent: str) -> Phases:
    """The phases of ACDC's Info.cfg beside an image, by frame from 1; none where there is no such file."""
    path = f'{parent}/Info.cfg' if parent else 'Info.cfg'
    if not os.path.isfile(os.path.join(folder, path)):
        return {}
    try:
        text = read_bytes(folder, path).decode('utf-8', 'replace')
    except LabError as error:
        raise LabError(f'{path} {error}.') from None
    return _phases({phase: int(number) for phase, number in _INFO.findall(text)})


def _table(folder: str) -> Dict[str, Phases]:
    """The phases of M&Ms' table, by subject and frame from 0; none where there is no such table."""
    for name in files_in(folder):
        if _TABLE.fullmatch(name):
            path = os.path.join(folder, name)
            try:
                text = read_bytes(folder, name).decode('utf-8-sig').replace('\0', '')
                return {row['External code'].strip(): _row_phases(row) for row in csv.DictReader(io.StringIO(text))}
            except LabError as error:
                raise LabError(f'{path} {error}.') from None
            except (UnicodeDecodeError, csv.Error, KeyError, AttributeError):  # A row that is too short has None.
                raise LabError(f"{path} is not M&Ms' table: columns External code, ED and ES are wanted.") from None
    return {}


def _row_phases(row: Dict[str, str]) -> Phases:
    return _phases({phase: int(row[phase]) for phase in ('ED', 'ES') if row[phase].strip().isdecimal()})


def _phases(frames: Dict[str, int]) -> Phases:
    """Turned round; of two phases in one frame, as the table has them of subjects without masks, none is known."""
    return {frame: phase for phase, frame in frames.items()} if len(set(frames.values())) == len(frames) else {}


# --- What the masks hold


def _survey(folder: str, volume: _Volume) -> Union[_Labels, Slice]:
    """Reads an image's header and all of its mask; a slice with a problem where one of them cannot be read."""
    bad = Slice(volume.name, volume.patient, volume.image, volume.mask, volume.problem)
    if bad.problem:
        return bad
    try:
        with opened(os.path.join(folder, volume.image)) as image:
            image.check_to_the_end()
    except LabError as error:
        return bad._replace(problem=str(error))
    try:
        with opened(os.path.join(folder, volume.mask)) as mask:
            _check_alike(image, mask)
            return _labels(mask)
    except LabError as error:
        return bad._replace(image='', problem=str(error))  # So the bad file is the mask.


def _check_alike(image: NiftiFile, mask: NiftiFile) -> None:
    sizes = [' x '.join(map(str, (*file.grid.shape, file.frames))) for file in (mask, image)]
    if sizes[0] != sizes[1]:
        raise LabError(f'has {sizes[0]} voxels, but its image {sizes[1]}; they must be alike')
    if not image.grid.same_as(mask.grid):
        raise LabError('lies elsewhere than its image, by their affines or spacings; they must be alike')


def _labels(mask: NiftiFile) -> _Labels:
    voxels: CounterOf[int] = Counter()
    places: DefaultDict[int, List[Tuple[int, int]]] = defaultdict(list)
    empty = 0
    for frame in range(mask.frames):
        stored = mask.frame(frame)
        if not stored.any():
            empty += 1
            continue
        pictures = mask.grid.pictures(stored)
        for value in _values(pictures):
            found = np.count_nonzero(pictures == value, axis=(1, 2))
            voxels[value] += int(found.sum())
            places[value] += [(frame, int(number)) for number in np.flatnonzero(found)]
    mask.check_to_the_end()
    slices = (mask.frames - empty) * mask.grid.shape[mask.grid.axes.order[0]]
    return _Labels(dict(voxels), dict(places), slices, mask.frames, empty)


def _values(pictures: np.ndarray) -> List[int]:
    values = [float(value) for value in np.unique(pictures) if value != 0]
    if len(values) > _MAX_VALUES:
        raise LabError(f'has {len(values)} values besides 0: a mask of labels is wanted, and this looks like an image')
    if not all(value.is_integer() for value in values):
        raise LabError('has fractions; the labels of a mask are whole numbers')
    return [int(value) for value in values]


def _label(folder: str, label: Optional[int], found: List[_Labels], layouts: Set[str]) -> Optional[int]:
    """Which value to take, the only one there is if no label is given; raises LabError if that is not clear."""
    voxels: CounterOf[int] = Counter()
    for labels in found:
        voxels.update(labels.voxels)
    if not found or label in voxels:
        return label
    if not voxels:
        raise LabError(f'all masks in {folder} are empty: no voxel is other than 0.')
    told = ', '.join(f'{value} ({counted(count, "voxel")})' for value, count in sorted(voxels.items())[:_VALUES_SHOWN])
    told += f' and {len(voxels) - _VALUES_SHOWN} more' if len(voxels) > _VALUES_SHOWN else ''
    if label is not None:
        raise LabError(f'no mask in {folder} has the label {label}; they have {told}.')
    if len(voxels) == 1:
        return next(iter(voxels))
    (layout,) = layouts if len(layouts) == 1 else ('',)
    hint = f' In {layout}, whose layout this is, it is {_LAYOUTS[layout][1]}.' if layout else ''
    raise LabError(
        f'masks in {folder} have several labels: {told}. Say with --label which is the left ventricle.{hint}'
    )


# --- Slices


def _slices(volume: _Volume, labels: _Labels, label: Optional[int]) -> List[Slice]:
    return [
        Slice(
            f'{volume.name}/{_frame_name(volume, labels, frame)}slice{number + 1:02d}',
            volume.patient,
            volume.image,
            volume.mask,
            frame=frame,
            number=number,
        )
        for frame, number in labels.places.get(label, [])
    ]


def _frame_name(volume: _Volume, labels: _Labels, frame: int) -> str:
    """'ED-' or 'ES-' where that is known, else 'frame05-', counted from 1, and '' where there is but one."""
    number = frame if volume.frame is None else volume.frame
    if number in volume.phases:
        return f'{volume.phases[number]}-'
    if volume.frame is None and labels.frames == 1:
        return ''
    return f'frame{number + (volume.frame is None):02d}-'


def _notes(volumes: List[_Volume], found: List[_Labels], label: Optional[int], passed_over: List[str]) -> List[str]:
    layouts = sorted({volume.layout for volume in volumes} - {''})
    where = f', in the layout of {" and ".join(layouts)}' if layouts else ''
    patients = counted(len({volume.patient for volume in volumes}), 'patient')
    taken = sum(len(labels.places.get(label, [])) for labels in found)
    left_out = sum(labels.slices for labels in found) - taken
    frames = sum(labels.empty_frames for labels in found)
    counts = [
        (left_out, f'{counted(left_out, "slice")} without label {label}'),
        (frames, f'{counted(frames, "frame")} with an empty mask'),
    ]
    passed_over = [text for count, text in counts if count] + passed_over
    return [
        f'Found {counted(len(volumes), "image")} with masks of {patients}{where}.',
        f'Passed over: {", ".join(passed_over) or "nothing"}.',
    ]


# --- Pixels


def _scaled(pixels: np.ndarray) -> np.ndarray:
    """One frame's pixels, of any scale -> int64 from 0 to 4095; LabError if they are all alike."""
    pixels = pixels.astype(np.float64)
    pixels -= min(pixels.min(), 0)
    bright = np.percentile(pixels, 99)
    if not pixels.min() < bright < np.inf:
        raise LabError('has no contrast: of a frame, 99 of 100 voxels or more are alike')
    return np.rint((pixels * (_BRIGHT / bright)).clip(0, _MAX_PIXEL)).astype(np.int64)
