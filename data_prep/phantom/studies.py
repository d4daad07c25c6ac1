"""Writes the studies: which files there are, the expert's contours, the table of patients."""

import csv
import os
from typing import List

from lvseg.errors import LabError

import numpy as np
from tqdm import tqdm

from data_prep.contours import FIRST_PIXEL
from data_prep.phantom import truth
from data_prep.phantom.headers import (
    LONG_AXIS_SERIES,
    SHORT_AXIS_SERIES,
    long_axis_header,
    short_axis_header,
    write_dicom,
)
from data_prep.phantom.heart import axis_at, cut, has_cavity
from data_prep.phantom.outlines import CIRCLE, Point, waves
from data_prep.phantom.painting import long_axis_signal, paint_surroundings, short_axis_signal
from data_prep.phantom.patient import DIASTOLE, Patient, invent_patient
from data_prep.phantom.scanner import FRAMES, Scan, acquire, to_pixels
from data_prep.phantom.shifts import PLAIN, Shift
from data_prep.sources.sunnybrook import CONTOURS, TABLE

IMAGES = 'SCD_IMAGES_01'


def write_studies(directory: str, patients: int, seed: int, shift: Shift = PLAIN) -> None:
    """Writes the studies of `patients` invented patients; the same numbers give the same bytes.

    A patient depends on the seed and his own number alone, not on how many others there are.

    Args:
        directory: made if needed; gets SCD_IMAGES_01, SCD_ManualContours, scd_patientdata.csv, and truth.csv with the
            volumes of each heart (data_prep.phantom.truth).
        patients: how many.
        seed: 0 to 2**32 - 1.
        shift: in what they differ from those of `data_prep phantom` itself.

    Raises:
        LabError: the directory has studies already; neither real patients nor another seed's get mixed with these.
    """
    for name in (IMAGES, CONTOURS, TABLE, truth.FILE):
        if os.path.lexists(os.path.join(directory, name)):
            raise LabError(f'{directory} has studies already ({name}); remove them or name a new folder.')
    os.makedirs(directory, exist_ok=True)

    table = [['PatientID', 'OriginalID', 'Gender', 'Age', 'Pathology']]
    truths = [truth.COLUMNS]
    for number in tqdm(range(1, patients + 1), desc='phantom', unit='patient', disable=None):
        patient = invent_patient(seed, number, shift)
        _write_study(directory, patient)
        table.append([patient.patient_id, patient.case, patient.sex, str(patient.age), patient.group.pathology])
        truths.append(truth.row(patient, _frames(patient)))
    _write_table(os.path.join(directory, TABLE), table)
    _write_table(os.path.join(directory, truth.FILE), truths)


def _write_table(path: str, rows: List[List[str]]) -> None:
    with open(path, 'w', newline='', encoding='ascii') as file:
        csv.writer(file, lineterminator='\n').writerows(rows)


def _frames(patient: Patient) -> List[int]:
    """Those of which images are written: end-systole, one while the heart fills, end-diastole."""
    return [patient.systole, patient.systole + 3, DIASTOLE]


def _write_study(directory: str, patient: Patient) -> None:
    """Writes three frames of every slice position.

    The expert, whose hand is not quite steady, drew on the first and the last only: the inner border on both, the
    outer one at end-diastole.
    """
    images = os.path.join(directory, IMAGES, patient.patient_id, f'CINESAX_{SHORT_AXIS_SERIES}')
    contours = os.path.join(directory, CONTOURS, patient.case, 'contours-manual', 'IRCCI-expert')
    os.makedirs(images)
    os.makedirs(contours)

    for position, z in enumerate(patient.slice_positions(), start=patient.first_position):
        surroundings = paint_surroundings(patient, z)
        for frame in _frames(patient):
            number = position * FRAMES + frame
            pixels = _pixels(patient, short_axis_signal(patient, surroundings, z, frame), number)
            header = short_axis_header(patient, z, frame, number)
            write_dicom(os.path.join(images, f'IM-0003-{number:04d}.dcm'), header, pixels)

            section = cut(patient.heart, z, patient.contraction(frame))
            if frame in (patient.systole, DIASTOLE) and has_cavity(section):
                stem = os.path.join(contours, f'IM-0001-{number:04d}')
                axis = axis_at(patient.heart, z)
                hand = 1 + waves(patient.random(number, 1), 0.02)
                _write_contour(f'{stem}-icontour-manual.txt', patient.scan, axis, hand * section.endo)
                if frame == DIASTOLE:
                    _write_contour(f'{stem}-ocontour-manual.txt', patient.scan, axis, hand * section.epi)

    if patient.number == 1:
        _write_long_axis(directory, patient)


def _write_long_axis(directory: str, patient: Patient) -> None:
    """Writes a series that holds no short axes: the real studies have such ones too, and a reader passes them over."""
    folder = os.path.join(directory, IMAGES, patient.patient_id, f'CINELAX_{LONG_AXIS_SERIES}')
    os.makedirs(folder)
    for number in (patient.systole, DIASTOLE):
        pixels = _pixels(patient, long_axis_signal(patient, number), number)
        header = long_axis_header(patient, number)
        write_dicom(os.path.join(folder, f'IM-0002-{number:04d}.dcm'), header, pixels)


def _pixels(patient: Patient, signal: np.ndarray, number: int) -> np.ndarray:
    return acquire(patient.scan, patient.tissue, signal, patient.random(number))


def _write_contour(path: str, scan: Scan, axis: Point, radii: np.ndarray) -> None:
    """Writes an outline as the expert's tool did: `x y` on a half-pixel grid, neighbour after neighbour."""
    turns = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    dense = np.interp(turns, CIRCLE, radii, period=2 * np.pi)
    outline = np.stack([axis[0] + dense * np.cos(turns), axis[1] + dense * np.sin(turns)], axis=1)
    points = np.rint(2 * (to_pixels(scan, outline) + FIRST_PIXEL)) / 2
    points = points[np.any(points != np.roll(points, 1, axis=0), axis=1)]
    with open(path, 'w', newline='', encoding='ascii') as file:
        file.writelines(f'{x:.2f} {y:.2f}\n' for x, y in points)
