"""The Sunnybrook Cardiac Data, in either of the two layouts in which it was published -> slices.

Cardiac Atlas Project, today:
    SCD_IMAGES_01/SCD0000101/CINESAX_300/IM-0003-0048.dcm          01 to 05; CINELAX, PERF and SCOUT series beside
    SCD_ManualContours/SC-HF-I-01/contours-manual/IRCCI-expert/IM-0001-0048-icontour-manual.txt
    scd_patientdata.csv                                            SCD0000101 is SC-HF-I-1
MICCAI challenge of 2009:
    challenge_training/SC-HF-I-1/IM-0004-0048.dcm                  _validation, _online; several series in one folder
    Sunnybrook Cardiac MR Database ContoursPart3/TrainingDataContours/SC-HF-I-01/contours-manual/...

A contour's series number is always 0001, so only the second number, the image's, tells which DICOM it belongs to.
Images are numbered slice by slice, the 20 phases of a heartbeat in each.
"""

import csv
import io
import os
import re
from collections import defaultdict
from typing import DefaultDict, Dict, List, NamedTuple, Tuple

from lvseg.errors import LabError
from lvseg.layout import SIZE
from lvseg.places import PHASES

import numpy as np

from data_prep import contours, dicom
from data_prep.names import case_name, slice_name
from data_prep.slices import Found, Pair, Slice, counted, files_in, files_under, folders_in, naming, read_bytes

CONTOURS = 'SCD_ManualContours'
TABLE = 'scd_patientdata.csv'

_DICOM_NAME = re.compile(r'(IM-[0-9]+)-([0-9]+)\.dcm', re.IGNORECASE)
_CONTOUR_NAME = re.compile(r'IM-[0-9]+-([0-9]+)-icontour-manual\.txt', re.IGNORECASE)

# Image number -> files of that number: one, or the folder is not to be trusted.
Series = Dict[int, List[str]]


class _Layout(NamedTuple):
    name: str
    series: Dict[str, Dict[str, Series]]  # case -> series, by its path -> frames: short-axis, or not known to be other
    contours: Dict[str, List[Tuple[int, str]]]  # case -> image numbers and files
    other_series: int  # Known not to be short-axis cine.
    key: str  # What says which series belongs to which case.


def find(raw_dir: str, with_empty: bool = False) -> Found:
    """Pairs every endocardial contour with its DICOM slice.

    Args:
        raw_dir: folder of the data.
        with_empty: take the slices, too, that the expert left empty: above the base and below the apex, at the phases
            that he outlined.

    Raises:
        LabError: no such folder, neither layout, or both.
    """
    layout = _layout(raw_dir)
    slices, empty = [], []
    for case, case_contours in sorted(layout.contours.items()):
        series = layout.series.get(case, {})
        of_case = _pair(case, case_contours, series, layout.key)
        slices += of_case
        if with_empty:
            empty += _empty(case, [number for number, _ in case_contours], of_case, series)
    beside = f', and {counted(len(empty), "slice")} beyond base and apex' if with_empty else ''
    return Found(
        sorted(slices + empty, key=lambda piece: piece.patient),
        [
            f'Found {counted(len(slices), "endocardial contour")}{beside}, in the layout of {layout.name}.',
            f'Passed over: {", ".join(_passed_over(layout, slices + empty)) or "nothing"}.',
        ],
    )


def read(raw_dir: str, piece: Slice) -> Pair:
    """Reads a slice that `find` found.

    Returns:
        image: int64 [256, 256], pixel values of the scanner.
        mask: uint8 [256, 256], 1 inside the endocardial contour and on it, 0 outside; and where there is none.
        spacing: that of the DICOM file.

    Raises:
        BadFileError: one of the two files cannot be read rightly.
    """
    with naming(piece.image):
        image = dicom.read_image(read_bytes(raw_dir, piece.image))
        if image.pixels.shape != (SIZE, SIZE):
            height, width = image.pixels.shape
            raise LabError(f'has {width} x {height} pixels; the contours are drawn on {SIZE} x {SIZE}')
    if not piece.mask:
        return Pair(image.pixels, np.zeros((SIZE, SIZE), np.uint8), image.spacing)
    with naming(piece.mask):
        return Pair(image.pixels, contours.read_mask(read_bytes(raw_dir, piece.mask)), image.spacing)


def _layout(raw_dir: str) -> _Layout:
    folders = folders_in(raw_dir)
    atlas = [name for name in folders if name.startswith('SCD_IMAGES')]
    challenge = [name for name in folders if name.startswith('challenge_')]
    challenge_contours = _challenge_contours(raw_dir, folders)
    is_atlas = bool(atlas) and CONTOURS in folders
    is_challenge = bool(challenge) and bool(challenge_contours)
    if is_atlas and is_challenge:
        raise LabError(
            f'{raw_dir} holds both layouts, and so the same patients twice: put each in a folder of its own.'
        )
    if is_atlas:
        return _atlas_layout(raw_dir, atlas)
    if is_challenge:
        return _challenge_layout(raw_dir, challenge, challenge_contours)

    found = ', '.join(folders[:5]) + (', ...' if len(folders) > 5 else '') if folders else 'no folder'
    raise LabError(
        f'{raw_dir} has neither layout of the Sunnybrook data: SCD_IMAGES_01 and SCD_ManualContours (Cardiac Atlas '
        f'Project), or challenge_training and ... ContoursPart3/TrainingDataContours (challenge of 2009). '
        f'Found there: {found}.'
    )


def _atlas_layout(raw_dir: str, parts: List[str]) -> _Layout:
    cases = _cases(raw_dir)
    series: DefaultDict[str, Dict[str, Series]] = defaultdict(dict)
    other_series = 0
    for part in parts:
        for patient in folders_in(os.path.join(raw_dir, part)):
            patient_series = series[cases.get(patient, patient)]
            for name in folders_in(os.path.join(raw_dir, part, patient)):
                if name.upper().startswith('CINESAX'):
                    patient_series.update(_series(raw_dir, f'{part}/{patient}/{name}'))
                else:
                    other_series += 1
    return _Layout('the Cardiac Atlas Project', series, _contours(raw_dir, CONTOURS), other_series, TABLE)


def _cases(raw_dir: str) -> Dict[str, str]:
    """The table's PatientID -> OriginalID. They are compared with names of folders, and never make a path."""
    table = os.path.join(raw_dir, TABLE)
    if TABLE not in files_in(raw_dir):
        raise LabError(f'{table} not found: it says which contours belong to which patient. It comes with the data.')
    try:
        text = read_bytes(raw_dir, TABLE).decode('utf-8-sig')
        if '\0' in text:  # Which csv itself refuses until Python 3.10.
            raise csv.Error
        rows = list(csv.DictReader(io.StringIO(text)))
        cases = [(row['PatientID'].strip(), case_name(row['OriginalID'].strip())) for row in rows]
    except LabError as error:
        raise LabError(f'{table} {error}.') from None
    except (UnicodeDecodeError, csv.Error, KeyError, AttributeError):  # A row that is too short has None.
        raise LabError(f'{table} is not the table of the data: columns PatientID and OriginalID are wanted.') from None
    twice = [name for column in zip(*set(cases)) for name in column if column.count(name) > 1]
    if twice:
        raise LabError(f'{table} has more than one partner for {twice[0]}: which is right?')
    return dict(cases)


def _challenge_contours(raw_dir: str, folders: List[str]) -> List[str]:
    return [
        f'{folder}/{name}'
        for folder in folders
        if 'Contours' in folder
        for name in folders_in(os.path.join(raw_dir, folder))
        if name.endswith('DataContours')
    ]


def _challenge_layout(raw_dir: str, parts: List[str], contour_folders: List[str]) -> _Layout:
    series: DefaultDict[str, Dict[str, Series]] = defaultdict(dict)
    for part in parts:
        for file_folder in _case_folders(raw_dir, part):
            series[case_name(os.path.basename(file_folder))].update(_series(raw_dir, file_folder))
    all_contours: DefaultDict[str, List[Tuple[int, str]]] = defaultdict(list)
    for folder in contour_folders:
        for case, files in _contours(raw_dir, folder).items():
            all_contours[case] += files
    return _Layout('the 2009 challenge', series, all_contours, 0, "the folders' names")


def _case_folders(raw_dir: str, part: str) -> List[str]:
    """Folders of cases: challenge_training/SC-HF-I-1, and challenge_online/challenge_online/SC-HF-I-5 as it unpacks."""
    paths = [f'{part}/{name}' for name in folders_in(os.path.join(raw_dir, part))]
    nested = [path for path in paths if os.path.basename(path) == part]
    return [path for path in paths if path not in nested] + [
        f'{path}/{name}' for path in nested for name in folders_in(os.path.join(raw_dir, path))
    ]


def _series(raw_dir: str, folder: str) -> Dict[str, Series]:
    series: DefaultDict[str, Series] = defaultdict(dict)
    for name in files_in(os.path.join(raw_dir, folder)):
        match = _DICOM_NAME.fullmatch(name)
        if match:
            frames = series[f'{folder}/{match.group(1)}']
            frames.setdefault(int(match.group(2)), []).append(f'{folder}/{name}')
    return series


def _contours(raw_dir: str, folder: str) -> Dict[str, List[Tuple[int, str]]]:
    contours_of: DefaultDict[str, List[Tuple[int, str]]] = defaultdict(list)
    for case in folders_in(os.path.join(raw_dir, folder)):
        for path in files_under(os.path.join(raw_dir, folder, case)):
            match = _CONTOUR_NAME.fullmatch(os.path.basename(path))
            if match:
                contours_of[case_name(case)].append((int(match.group(1)), f'{folder}/{case}/{path}'))
    return contours_of


def _passed_over(layout: _Layout, slices: List[Slice]) -> List[str]:
    used = {piece.image for piece in slices}
    frames_without_contour = series_without_contour = 0
    for case in layout.contours:
        for frames in layout.series.get(case, {}).values():
            files = {file for same_number in frames.values() for file in same_number}
            if files & used:
                frames_without_contour += len(files - used)
            else:
                series_without_contour += 1
    patients_without_contour = len(set(layout.series) - set(layout.contours))
    counts = [
        (frames_without_contour, f'{counted(frames_without_contour, "frame")} without a contour'),
        (layout.other_series, f'{layout.other_series} series that are not short-axis cine'),
        (series_without_contour, f'{series_without_contour} series without contours'),
        (patients_without_contour, f'{counted(patients_without_contour, "patient")} without contours'),
    ]
    return [text for count, text in counts if count]


def _pair(case: str, case_contours: List[Tuple[int, str]], series: Dict[str, Series], key: str) -> List[Slice]:
    numbers = [number for number, _ in case_contours]
    # The expert drew on one series, so one that alone has every contoured number is it, whatever others lie beside.
    complete = [frames for frames in series.values() if frames.keys() >= set(numbers)]
    candidates = complete if len(complete) == 1 else list(series.values())

    slices = []
    for number, contour in case_contours:
        name = slice_name(case, number)
        images = [file for frames in candidates for file in frames.get(number, [])]
        if not series:
            problem = f'no short-axis series here belongs to {case}, by {key}'
        elif not images:
            problem = f'has no DICOM file: no short-axis series of {case} has the image number {number}'
        elif len(images) > 1:
            problem = f'fits two DICOM files, {images[0]} and {images[1]}; move the one not contoured out of the folder'
        elif numbers.count(number) > 1:
            problem = f'is one of several contours of image {number} of {case}; move the wrong ones out of the folder'
        else:
            problem = ''
        slices.append(Slice(name, case, '' if problem else images[0], contour, problem))
    return slices


def _empty(case: str, numbers: List[int], outlined: List[Slice], series: Dict[str, Series]) -> List[Slice]:
    """The slices beyond those outlined, at each of their phases, of the series that has them all.

    Between two outlined slices an empty one is an oversight, and no sign that there is no ventricle.
    """
    images = {piece.image for piece in outlined}
    found = []
    for frames in series.values():
        files = {number: paths[0] for number, paths in frames.items() if len(paths) == 1}
        if not images <= set(files.values()):
            continue
        for phase in sorted({number % PHASES for number in numbers}):
            of_phase = [number for number in numbers if number % PHASES == phase]
            beyond = [
                number
                for number in sorted(files)
                if number % PHASES == phase and not min(of_phase) <= number <= max(of_phase)
            ]
            found += [Slice(slice_name(case, number), case, files[number], '') for number in beyond]
    return found
