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
import functools
import io
import os
import re
from collections import Counter, defaultdict
from typing import Callable, DefaultDict, Dict, List, NamedTuple, Optional, Tuple
from typing import Counter as CounterOf

from lvseg.errors import LabError

import numpy as np
from tqdm import tqdm

from data_prep import labels
from data_prep.nifti_files import NiftiFile, opened
from data_prep.reading import Outcome, reader
from data_prep.slices import Found, Pair, Slice, counted, files_in, files_under, naming, read_bytes

_NIFTI = re.compile(r'(.+)\.nii(\.gz)?', re.IGNORECASE)
_MASK = re.compile(r'(.+)_(gt|mask|seg|label)', re.IGNORECASE)
_LONG_AXIS = re.compile(r'.+_la(_.+)?', re.IGNORECASE)
_TABLE = re.compile(r'.*dataset_information.*\.csv', re.IGNORECASE)
_INFO = re.compile(r'^\s*(ED|ES)\s*:\s*([0-9]{1,6})\s*$', re.MULTILINE)

# How an image is named in each layout.
_LAYOUTS = {'ACDC': re.compile(r'(?P<subject>.+)_frame(?P<frame>[0-9]+)'), 'M&Ms': re.compile(r'(?P<subject>.+)_sa')}

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


class _Contents(NamedTuple):
    """What a mask holds."""

    look: labels.Look  # Of frames that have any value but 0.
    places: Dict[int, List[Tuple[int, int]]]  # Value -> the slices that have it, by frame and number.
    frames: int
    labelled_frames: int
    slices: int  # Of each frame.


def find(folder: str, label: Optional[int], workers: int) -> Found:
    """Pairs images with masks, and takes the slices whose mask has the label.

    Args:
        label: the value of the left ventricle in the masks; None where they have but one besides 0.
        workers: how many processes read the masks.

    Raises:
        LabError: no such folder; no image with a mask in it; or what `labels.check` raises.
    """
    volumes, passed_over = _volumes(folder)
    with reader(functools.partial(_survey, folder), min(workers, len(volumes))) as survey_all:
        bar = tqdm(survey_all(volumes), total=len(volumes), unit='image', leave=False, disable=None)
        surveyed = list(bar)  # On a terminal, with the bar.
    looks = [outcome.pair.look for outcome in surveyed if outcome.pair]
    notes = labels.check(looks, len(volumes), label) if looks else []
    slices = [piece for outcome in surveyed for piece in _slices(outcome, label)]
    return Found(slices, _notes(volumes, surveyed, label, passed_over) + notes)


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
        return fit(pixels, labels.mask_of(values, label), grid.pixel_spacing)


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
    for layout, pattern in _LAYOUTS.items():
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


def _survey(folder: str, volume: _Volume) -> _Contents:
    """Reads an image to its end, and all of its mask; raises BadFileError."""
    with naming(volume.image), opened(os.path.join(folder, volume.image)) as image:
        image.check_to_the_end()
    with naming(volume.mask), opened(os.path.join(folder, volume.mask)) as mask:
        _check_alike(image, mask)
        return _contents(volume.mask, mask)


def _check_alike(image: NiftiFile, mask: NiftiFile) -> None:
    sizes = [' x '.join(map(str, (*file.grid.shape, file.frames))) for file in (mask, image)]
    if sizes[0] != sizes[1]:
        raise LabError(f'has {sizes[0]} voxels, but its image {sizes[1]}; they must be alike')
    if not image.grid.same_as(mask.grid):
        raise LabError('lies elsewhere than its image, by their affines or spacings; they must be alike')


def _contents(path: str, mask: NiftiFile) -> _Contents:
    voxels: CounterOf[int] = Counter()
    places: DefaultDict[int, List[Tuple[int, int]]] = defaultdict(list)
    touches = False
    labelled = []
    for frame in range(mask.frames):
        stored = mask.frame(frame)
        if not stored.any():
            continue
        labelled.append(frame)
        pictures = _whole(mask.grid.pictures(stored))
        for number, picture in enumerate(pictures):
            look = labels.look(path, picture)
            touches = touches or look.touches_all_edges
            voxels.update(look.pixels)
            for value in look.pixels:
                places[value].append((frame, number))
    mask.check_to_the_end()
    slices = mask.grid.shape[mask.grid.axes.order[0]]
    return _Contents(
        labels.Look(path, dict(voxels) or {0: 1}, touches), dict(places), mask.frames, len(labelled), slices
    )


def _whole(pictures: np.ndarray) -> np.ndarray:
    if (pictures != np.rint(pictures)).any():
        raise LabError('has fractions; the labels of a mask are whole numbers')
    return pictures.astype(np.int64)


# --- Slices


def _slices(outcome: Outcome, label: Optional[int]) -> List[Slice]:
    volume, contents = outcome.piece, outcome.pair
    if contents is None:
        image = volume.image if outcome.bad_file == volume.image else ''
        return [Slice(volume.name, volume.patient, image, volume.mask, outcome.reason)]
    return [
        Slice(
            f'{volume.name}/{_frame_name(volume, contents.frames, frame)}slice{number + 1:02d}',
            volume.patient,
            volume.image,
            volume.mask,
            frame=frame,
            number=number,
        )
        for frame, number in _places(contents, label)
    ]


def _places(contents: _Contents, label: Optional[int]) -> List[Tuple[int, int]]:
    if label is not None:
        return contents.places.get(label, [])
    return [place for value, places in contents.places.items() if value != labels.BACKGROUND for place in places]


def _frame_name(volume: _Volume, frames: int, frame: int) -> str:
    """'ED-' or 'ES-' where that is known, else 'frame05-', counted from 1, and '' where there is but one."""
    number = frame if volume.frame is None else volume.frame
    if number in volume.phases:
        return f'{volume.phases[number]}-'
    if volume.frame is None and frames == 1:
        return ''
    return f'frame{number + (volume.frame is None):02d}-'


def _notes(volumes: List[_Volume], surveyed: List[Outcome], label: Optional[int], passed_over: List[str]) -> List[str]:
    layouts = sorted({volume.layout for volume in volumes} - {''})
    where = f', in the layout of {" and ".join(layouts)}' if layouts else ''
    patients = counted(len({volume.patient for volume in volumes}), 'patient')
    read = [outcome.pair for outcome in surveyed if outcome.pair]
    without = sum(each.labelled_frames * each.slices - len(_places(each, label)) for each in read)
    empty = sum(each.frames - each.labelled_frames for each in read)
    counts = [
        (without, f'{counted(without, "slice")} without a ventricle in the mask'),
        (empty, f'{counted(empty, "frame")} with an empty mask'),
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
