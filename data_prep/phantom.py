"""Short-axis cine studies of invented patients, so that the lab runs before anyone has registered for the real data.

The files are laid out as the Cardiac Atlas Project lays out the Sunnybrook Cardiac Data, and go the same way through
the lab: real DICOM files, contour files of half-pixel floats, a table of patients. Nobody is in them: patients are
called PHANTOM001 and so on, cases are numbered from 901 (SC-N-904), where the real ones end at SC-N-40.

How an image is made, in the order of a scanner:
1. Anatomy, in millimetres of the slice plane: outlines are filled on a canvas finer than the pixels (`_Canvas`), the
   heart on three planes across the slice's thickness, so that edges blur where the wall is oblique to the slice.
2. Signal of balanced SSFP, relative to blood: bright blood, dark muscle. Fat has the opposite phase to water at the
   usual echo time, half the repetition time, so its signal is negative here: a pixel of both is black, and organs get
   the black outline that real slices show (Hargreaves, JMRI 2012;36:1300).
3. The receive coils' sensitivity: they lie on the chest, so fat there is several times brighter than the heart.
4. k-space: fewer samples than pixels, and noise. The magnitude of complex Gaussian noise is Rician (Gudbjartsson and
   Patz, MRM 1995;34:910).
"""

import csv
import math
import os
import uuid
from typing import List, NamedTuple, Sequence, Tuple

from lvseg.errors import LabError

import numpy as np
from PIL import Image, ImageDraw
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage
from tqdm import tqdm

IMAGES = 'SCD_IMAGES_01'
CONTOURS = 'SCD_ManualContours'
TABLE = 'scd_patientdata.csv'

SIZE = 256  # pixels, rows and columns
FRAMES = 20  # per heartbeat and slice position, as in the real data
FIRST_CASE = 901  # beyond every real one, so that no case can be mistaken for a patient's

_SUPERSAMPLING = 3
_CIRCLE = np.arange(180) * (2 * np.pi / 180)  # radians at which outlines are sampled; y points down, so clockwise
_ROUND = np.ones(len(_CIRCLE))
_SHORT_AXIS_SERIES = 300
_LONG_AXIS_SERIES = 200
_DIASTOLE = FRAMES  # the beat's last frame shows the ventricle as full as it gets
_SLICE_SPACING = 10.0  # mm
_SLICE_THICKNESS = 10.0  # mm
_SMALLEST_CAVITY = 3.0  # mm of mean radius; an expert draws nothing smaller

# Contour files count pixels from one: on the three real patients at hand the border between blood and muscle lies one
# pixel left of and above the contours' numbers, if the first pixel's centre is called 0.
_FIRST_PIXEL = 1

Range = Tuple[float, float]
Point = Tuple[float, float]


class Group(NamedTuple):
    """A pathology of the 2009 challenge; ranges in mm at end-diastole, unless said otherwise.

    The challenge's own definition is kept: ejection fractions below 40 % in heart failure, above 55 % in the others,
    and with hypertrophy a heavy ventricle (Radau et al., MIDAS Journal 2009). The means here are 34, 30, 70 and 63 %,
    of 230, 270, 130 and 140 ml at end-diastole.
    """

    prefix: str
    pathology: str
    radius: Range  # of the cavity, at its widest
    length: Range  # of the cavity, from the mitral valve to the apex
    wall: Range
    shortening: Range  # of the radius at end-systole, as a fraction
    descent: Range  # of the base at end-systole
    septal_excess: float  # of the wall, as a fraction: hypertrophy is mostly asymmetric
    scar: float  # loss of contraction in the infarct, as a fraction


GROUPS = (
    Group('SC-HF-I', 'Heart failure with infarct', (29, 38), (92, 104), (7, 9), (0.12, 0.24), (4, 7), 0.0, 0.85),
    Group('SC-HF-NI', 'Heart failure without infarct', (32, 40), (94, 106), (7, 9), (0.06, 0.18), (3, 7), 0.0, 0.0),
    Group('SC-HYP', 'Hypertrophy', (24, 29), (82, 92), (10, 14), (0.34, 0.46), (8, 12), 0.5, 0.0),
    Group('SC-N', 'Normal', (25, 29), (82, 94), (7, 9), (0.30, 0.40), (10, 14), 0.0, 0.0),
)


class Heart(NamedTuple):
    """Size, shape and motion; lengths in mm, arrays are float [180], one value per angle of `_CIRCLE`."""

    radius: float
    length: float
    descent: float
    wall: np.ndarray
    shape: np.ndarray  # of the cavity, 1 is a circle
    systolic_shape: np.ndarray  # the same for what contraction adds to it
    shortening: np.ndarray
    septum: float  # direction of the right ventricle, radians
    right_width: float
    right_sides: np.ndarray  # [3, 2]: directions of the right ventricle's sides, distances relative to the left one's
    right_reach: float  # radians that it embraces of the left one, to either side of the septum
    fat: np.ndarray  # thickness around both ventricles
    shift: Tuple[float, float]  # of the apex against the base, for the slices are never quite square to the axis
    vessels: np.ndarray  # [3, 4], at the base: angle, distance from the axis, radius, lowest depth
    papillary: np.ndarray  # [n, 5]: angle, radius, first and last depth, distance from the axis (1 is the wall)


class Ellipsoid(NamedTuple):
    """An organ, a vessel or a loop of bowel; mm, with z along the heart's axis."""

    x: float
    y: float
    z: float
    radii: Tuple[float, float, float]
    angle: float
    signal: float
    shape: np.ndarray  # float [180], 1 is a plain ellipsoid


class Body(NamedTuple):
    """What surrounds the heart; mm, the origin on the heart's axis, x right and y down in the image."""

    centre: Point
    radii: Point  # of the trunk, at the skin
    tilt: float  # radians: the chest wall runs from lower left to upper right
    outline: np.ndarray  # float [180], 1 is a plain ellipse
    fat: np.ndarray  # float [180], thickness under the skin
    muscle: np.ndarray  # float [180], thickness of the chest wall
    ribs: np.ndarray  # float [n, 2], angle and size
    layer: np.ndarray  # float [180], share of the chest wall that lies inside its layer of fat
    layer_fat: np.ndarray  # float [180], the layer's thickness
    breastbone: float  # angle
    diaphragm: float  # y below the heart
    dome: np.ndarray  # float [3], amplitudes of the diaphragm's waves
    abdomen: List[Ellipsoid]
    chest: List[Ellipsoid]


class Tissue(NamedTuple):
    """Signal in bSSFP relative to blood; negative where fat makes it."""

    blood: float
    right_blood: float
    myocardium: float
    muscle: float
    fat: float
    marrow: float
    liver: float
    lung: float


class Scan(NamedTuple):
    """How the scanner sees the patient."""

    spacing: float  # mm
    angle: float  # radians by which the image is turned
    centre: Point  # pixel on which the heart's axis lies
    sensitivity: np.ndarray  # float [256, 256] of the receive coils, 1 at the heart's axis
    gain: float  # pixel value of blood at the heart's axis
    noise: float  # standard deviation relative to blood
    samples: Tuple[int, int]  # rows and columns of k-space
    ghost: float  # strength of the breathing ghosts, relative
    outside: np.ndarray  # bool [256, 256], zeroed by the scanner's correction of geometry


class Patient(NamedTuple):
    """One invented patient."""

    number: int  # from 1
    seed: int
    group: Group
    sex: str
    age: int
    heart_rate: int  # per minute
    first_position: int  # slice positions before it lie above the ventricle
    first_slice: float  # mm from the base
    systole: int  # frame of end-systole, from 1
    heart: Heart
    body: Body
    tissue: Tissue
    scan: Scan

    @property
    def patient_id(self) -> str:
        """Names the folder of images, like SCD0000101."""
        return f'PHANTOM{self.number:03d}'

    @property
    def case(self) -> str:
        """Names the folder of contours, like SC-HF-I-01."""
        return f'{self.group.prefix}-{FIRST_CASE - 1 + self.number}'


class Section(NamedTuple):
    """The ventricles cut by one plane, at one moment."""

    depth: float  # 0 at the mitral valve, 1 at the cavity's apex, negative in the atrium
    endo: np.ndarray  # float [180], mm, radius of the cavity
    epi: np.ndarray  # float [180], mm, radius of the muscle around it
    right: np.ndarray  # float [180], mm, radius of the right ventricle's outer border; `epi` where there is none


def write_studies(directory: str, patients: int, seed: int) -> None:
    """Writes the studies of `patients` invented patients; the same numbers give the same bytes.

    A patient depends on the seed and his own number alone, not on how many others there are.

    Args:
        directory: made if needed; gets SCD_IMAGES_01, SCD_ManualContours and scd_patientdata.csv.
        patients: how many.
        seed: 0 to 2**32 - 1.

    Raises:
        LabError: the directory has studies already; neither real patients nor another seed's get mixed with these.
    """
    for name in (IMAGES, CONTOURS, TABLE):
        if os.path.lexists(os.path.join(directory, name)):
            raise LabError(f'{directory} has studies already ({name}); remove them or name a new folder.')
    os.makedirs(directory, exist_ok=True)

    with open(os.path.join(directory, TABLE), 'w', newline='', encoding='ascii') as file:
        table = csv.writer(file, lineterminator='\n')
        table.writerow(['PatientID', 'OriginalID', 'Gender', 'Age', 'Pathology'])
        for number in tqdm(range(1, patients + 1), desc='phantom', unit='patient', disable=None):
            patient = invent_patient(seed, number)
            _write_study(directory, patient)
            table.writerow([patient.patient_id, patient.case, patient.sex, patient.age, patient.group.pathology])


def _write_study(directory: str, patient: Patient) -> None:
    """Writes three frames of every slice position: end-systole, one while the heart fills, end-diastole.

    The expert, whose hand is not quite steady, drew on the first and the last only: the inner border on both, the
    outer one at end-diastole.
    """
    images = os.path.join(directory, IMAGES, patient.patient_id, f'CINESAX_{_SHORT_AXIS_SERIES}')
    contours = os.path.join(directory, CONTOURS, patient.case, 'contours-manual', 'IRCCI-expert')
    os.makedirs(images)
    os.makedirs(contours)

    for position, z in enumerate(_slice_positions(patient), start=patient.first_position):
        surroundings = _surroundings(patient, z)
        for frame in (patient.systole, patient.systole + 3, _DIASTOLE):
            number = position * FRAMES + frame
            pixels = _short_axis_image(patient, surroundings, z, frame, number)
            dataset = _short_axis_dataset(patient, z, frame, number)
            _write_dicom(os.path.join(images, f'IM-0003-{number:04d}.dcm'), dataset, pixels)

            section = _section(patient.heart, z, _contraction(patient, frame))
            if frame in (patient.systole, _DIASTOLE) and _has_cavity(section):
                stem = os.path.join(contours, f'IM-0001-{number:04d}')
                axis = _axis(patient.heart, z)
                hand = 1 + _waves(np.random.RandomState([patient.seed, patient.number, number, 1]), 0.02)
                _write_contour(f'{stem}-icontour-manual.txt', patient.scan, axis, hand * section.endo)
                if frame == _DIASTOLE:
                    _write_contour(f'{stem}-ocontour-manual.txt', patient.scan, axis, hand * section.epi)

    if patient.number == 1:
        _write_long_axis(directory, patient)


def _write_long_axis(directory: str, patient: Patient) -> None:
    """Writes a series that holds no short axes: the real studies have such ones too, and a reader passes them over."""
    folder = os.path.join(directory, IMAGES, patient.patient_id, f'CINELAX_{_LONG_AXIS_SERIES}')
    os.makedirs(folder)
    for number in (patient.systole, _DIASTOLE):
        canvas = _surroundings(patient, patient.heart.length / 2)
        _fill_long_axis(canvas, patient, _contraction(patient, number))
        pixels = _acquire(patient, canvas.pixels(), number)
        dataset = _long_axis_dataset(patient, number)
        _write_dicom(os.path.join(folder, f'IM-0002-{number:04d}.dcm'), dataset, pixels)


# --- Inventing a patient ---


def invent_patient(seed: int, number: int) -> Patient:
    """Draws a patient; the groups take turns, so that four patients show all of them."""
    rng = np.random.RandomState([seed, number])
    group = GROUPS[(number - 1) % len(GROUPS)]
    heart = _invent_heart(rng, group)
    tissue = _invent_tissue(rng)
    body = _invent_body(rng, heart, tissue)
    return Patient(
        number=number,
        seed=seed,
        group=group,
        sex=['Female', 'Male'][rng.randint(2)],
        age=rng.randint(25, 85),
        heart_rate=rng.randint(55, 90),
        first_position=rng.randint(0, 5),
        first_slice=rng.uniform(2, 7),
        systole=rng.randint(7, 10),
        heart=heart,
        body=body,
        tissue=tissue,
        scan=_invent_scan(rng, body),
    )


def _invent_heart(rng: np.random.RandomState, group: Group) -> Heart:
    septum = np.pi + rng.uniform(0.0, 0.5)  # left, and a little up
    scar = group.scar * _bump(_CIRCLE - rng.uniform(0, 2 * np.pi), 1.1)
    wall = rng.uniform(*group.wall) * (1 + _waves(rng, 0.05))
    wall = wall * (1 + group.septal_excess * _bump(_CIRCLE - septum, 1.4)) * (1 - 0.3 * scar)

    # A triangle with round corners that wraps the septum: free wall, outflow and the side on the diaphragm.
    right_sides = np.array(
        [
            [septum + rng.uniform(-0.2, 0.35), 1.0],
            [septum + rng.uniform(1.1, 1.5), rng.uniform(1.05, 1.3)],
            [septum - rng.uniform(1.2, 1.5), rng.uniform(0.95, 1.2)],
        ]
    )
    fat = 1.5 + sum(rng.uniform(1, 10) * _bump(_CIRCLE - septum - turn, 0.7) for turn in (-1.2, -0.6, 0.4, 1.2))
    return Heart(
        radius=rng.uniform(*group.radius),
        length=rng.uniform(*group.length),
        descent=rng.uniform(*group.descent),
        wall=wall,
        shape=1 + _waves(rng, 0.035),
        systolic_shape=_waves(rng, 0.05),
        shortening=rng.uniform(*group.shortening) * (1 - scar),
        septum=septum,
        right_width=rng.uniform(18, 30),
        right_sides=right_sides,
        right_reach=rng.uniform(1.35, 1.6),
        fat=fat,
        shift=(rng.normal(0, 6), rng.normal(0, 6)),
        vessels=_invent_great_vessels(rng, septum),
        papillary=_invent_papillary(rng, septum),
    )


def _invent_great_vessels(rng: np.random.RandomState, septum: float) -> np.ndarray:
    """The right atrium, the outflow tract to the lungs and the aorta's root."""
    return np.array(
        [
            [septum - rng.uniform(0.5, 1.0), rng.uniform(42, 52), rng.uniform(17, 24), rng.uniform(0.02, 0.15)],
            [septum + rng.uniform(0.8, 1.1), rng.uniform(44, 54), rng.uniform(11, 16), rng.uniform(0.12, 0.30)],
            [septum + rng.uniform(0.1, 0.5), rng.uniform(36, 44), rng.uniform(12, 16), rng.uniform(-0.02, 0.12)],
        ]
    )


def _invent_papillary(rng: np.random.RandomState, septum: float) -> np.ndarray:
    """The two papillary muscles, opposite to the septum, and the trabeculae, thin columns along the free wall."""
    muscles = []
    for side in (-1, 1):
        angle = septum + np.pi + side * rng.uniform(0.7, 1.1)
        for _ in range(rng.randint(1, 3)):  # each has one head or two
            muscles.append([angle + rng.normal(0, 0.12), rng.uniform(3.2, 5.2), 0.25, 0.85, rng.uniform(0.62, 0.76)])
    for _ in range(rng.randint(25, 50)):
        first = rng.uniform(0.2, 0.8)
        spread = septum + np.pi + rng.uniform(-2.2, 2.2)
        muscles.append([spread, rng.uniform(1.2, 2.8), first, first + rng.uniform(0.15, 0.5), rng.uniform(0.90, 1.0)])
    return np.array(muscles)


def _invent_tissue(rng: np.random.RandomState) -> Tissue:
    """Signals go with the root of T2/T1 (1.5 T), and vary with flip angle, shim and scanner."""
    return Tissue(
        blood=1.0,
        right_blood=rng.uniform(0.75, 1.1),
        myocardium=rng.uniform(0.30, 0.56),
        muscle=rng.uniform(0.22, 0.34),
        fat=-rng.uniform(0.8, 1.2),
        marrow=-rng.uniform(0.4, 0.7),
        liver=rng.uniform(0.30, 0.48),
        lung=rng.uniform(0.02, 0.05),
    )


def _invent_body(rng: np.random.RandomState, heart: Heart, tissue: Tissue) -> Body:
    tilt = -rng.uniform(0.15, 0.75)
    fat = rng.uniform(5, 18)
    radii = (rng.uniform(170, 215), rng.uniform(155, 185))
    muscle = rng.uniform(12, 20)
    # The right ventricle fits between the heart's axis and the chest wall, which it all but touches.
    depth = heart.radius + heart.wall.mean() + 0.8 * heart.right_width + fat + muscle + rng.uniform(2, 14)
    along, below = rng.uniform(-10, 20), radii[1] - depth
    centre = (
        along * np.cos(tilt) - below * np.sin(tilt),
        along * np.sin(tilt) + below * np.cos(tilt),
    )
    diaphragm = heart.radius + heart.wall.mean() + rng.uniform(3, 9)
    return Body(
        centre=centre,
        radii=radii,
        tilt=tilt,
        outline=1 + _waves(rng, 0.015),
        fat=fat * np.maximum(1 + 0.5 * np.cos(_CIRCLE - rng.uniform(-2.4, 0.0)) + _waves(rng, 0.25), 0.3),
        muscle=muscle * np.maximum(1 + _waves(rng, 0.3), 0.4),
        ribs=np.column_stack([np.arange(18) / 3 + rng.uniform(0, 0.3, 18), rng.uniform(0.4, 1.2, 18)]),
        layer=np.clip(0.55 + _waves(rng, 0.25), 0.25, 0.85),
        layer_fat=2.0 * np.maximum(1 + _waves(rng, 0.6), 0.1),
        breastbone=rng.uniform(-2.1, -1.7),
        diaphragm=diaphragm,
        dome=rng.normal(0, [6, 4, 3]),
        abdomen=_invent_abdomen(rng, diaphragm, tissue),
        chest=_invent_lung_vessels(rng),
    )


def _invent_abdomen(rng: np.random.RandomState, top: float, tissue: Tissue) -> List[Ellipsoid]:
    """Organs below the diaphragm, which lies at y = `top`; later ones cover earlier ones."""

    def around(x: float, y: float, spread: float, radii: Sequence[float], signal: float, size: float = 1) -> Ellipsoid:
        a, b, c = (size * radius * rng.uniform(0.85, 1.15) for radius in radii)
        place = (x + rng.normal(0, spread), top + y + rng.normal(0, spread), rng.uniform(10, 70))
        return Ellipsoid(*place, (a, b, c), rng.uniform(-0.3, 0.3), signal, 1 + _waves(rng, 0.12))

    organs = []
    for _ in range(45):  # bowel, pancreas and mesentery: gas, water and muscle in fat
        x, y = rng.uniform(-110, 110), rng.uniform(45, 140)
        size = rng.uniform(0.3, 1.2)
        signal = [0.02, 0.3, 0.4, 0.6][rng.randint(4)] * rng.uniform(0.8, 1.2)
        organs.append(around(x, y, 5, (14, 8, 25), signal, size))
        organs.append(organs[-1]._replace(radii=(8 * size, 4 * size, 20), signal=rng.uniform(-0.6, 0.8)))
    organs.append(around(105, 45, 8, (22, 36, 60), 1.2 * tissue.liver))  # spleen
    for x in (-75, 70):  # kidneys: cortex, then the fat and vessels of the hilum
        organs.append(around(x, 100, 8, (24, 30, 60), 0.55))
        organs.append(organs[-1]._replace(radii=(9, 13, 30), signal=rng.uniform(-0.9, -0.3)))
    organs.append(around(10, 95, 5, (20, 16, 200), tissue.marrow))  # a vertebra
    organs.append(around(14, 117, 3, (8, 6, 200), 1.1))  # the fluid around the spinal cord
    organs.append(around(-60, 26, 6, (90, 28, 120), tissue.liver))
    liver = organs[-1]
    for _ in range(26):  # vessels in the liver
        turn, place = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, 0.7))
        x, y = liver.x + place * liver.radii[0] * np.cos(turn), liver.y + place * liver.radii[1] * np.sin(turn)
        radii = (rng.uniform(1.5, 6), rng.uniform(1, 2.2), rng.uniform(8, 25))
        organs.append(Ellipsoid(x, y, rng.uniform(0, 90), radii, rng.uniform(0, np.pi), rng.uniform(0.5, 0.9), _ROUND))
    organs.append(around(60, 24, 8, (27, 20, 45), 0.3))  # the stomach's wall
    organs.append(organs[-1]._replace(radii=(22, 15, 40), signal=rng.uniform(0.2, 1.0)))  # what was eaten
    organs.append(around(30, 58, 8, (13, 12, 200), 0.25))  # the aorta's wall, then its blood
    organs.append(organs[-1]._replace(radii=(11, 10, 200), signal=0.95))
    return organs


def _invent_lung_vessels(rng: np.random.RandomState) -> List[Ellipsoid]:
    """Bright dots in the lungs, most of them behind the heart, on the right of the image."""
    vessels = []
    for _ in range(300):
        angle, distance = rng.uniform(-1.8, 0.9), 36 + rng.exponential(32)
        radii = (rng.uniform(0.8, 4), rng.uniform(0.5, 1.6), rng.uniform(5, 15))
        place = (distance * np.cos(angle), distance * np.sin(angle), rng.uniform(-5, 100))
        vessels.append(Ellipsoid(*place, radii, rng.uniform(0, np.pi), rng.uniform(0.1, 0.9), _ROUND))
    return vessels


def _invent_scan(rng: np.random.RandomState, body: Body) -> Scan:
    spacing = rng.uniform(1.25, 1.4)
    turned = rng.uniform(0.8, 1.4) if rng.uniform() < 0.1 else 0.0  # a technician plans a few stacks the other way
    scan = Scan(
        spacing=spacing,
        angle=rng.normal(0, 0.18) + turned,
        centre=(rng.normal(132, 8), rng.normal(127, 8)),
        sensitivity=np.ones([SIZE, SIZE]),
        gain=np.clip(rng.lognormal(np.log(220), 0.4), 120, 500),
        noise=rng.uniform(0.03, 0.07),
        samples=(rng.randint(130, 180), rng.randint(190, 224)),
        ghost=rng.uniform(0.0, 0.02),
        outside=_outside_field_of_view(rng),
    )
    return scan._replace(sensitivity=_invent_sensitivity(rng, body, scan))


def _invent_sensitivity(rng: np.random.RandomState, body: Body, scan: Scan) -> np.ndarray:
    """Coils lie on the chest and, weaker, on the back; combined as a root of sum of squares.

    Returns:
        float [256, 256], 1 at the heart's axis.
    """
    y, x = np.mgrid[:SIZE, :SIZE]
    reach = rng.uniform(42, 66) / scan.spacing
    squares = np.zeros([SIZE, SIZE])
    for turn, strength in [(-2.6, 1.0), (-2.1, 1.0), (-1.6, 1.0), (-1.1, 0.9), (-0.3, 0.9), (1.6, 0.5)]:
        above_skin = np.array([_skin_point(body, turn + rng.normal(0, 0.15), 1.07)])
        ((coil_x, coil_y),) = _to_pixels(scan, above_skin)
        distance = ((x - coil_x) ** 2 + (y - coil_y) ** 2) / reach**2
        squares += (strength * rng.uniform(0.7, 1.2)) ** 2 / (1 + distance) ** 2
    column, row = np.rint(scan.centre).astype(int)
    return np.sqrt(squares / squares[row, column])


def _outside_field_of_view(rng: np.random.RandomState) -> np.ndarray:
    """Pixels that the scanner leaves at zero: outside a circle on most scanners, beside two arcs on the others."""
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    if rng.uniform() < 0.65:
        return np.hypot(x, y) > rng.uniform(107, 123)
    waist = rng.uniform(14, 24)  # pixels cut off on either side, half way down
    return np.abs(x) > SIZE / 2 - waist * (1 - (2 * y / SIZE) ** 2)


# --- Anatomy at one moment and in one plane ---


def _slice_positions(patient: Patient) -> List[float]:
    """Distances in mm from the end-diastolic base towards the apex, as long as there is a cavity to be seen."""
    planes = patient.first_slice + _SLICE_SPACING * np.arange(20)
    return [z for z in planes if _has_cavity(_section(patient.heart, z, 0.0))]


def _contraction(patient: Patient, frame: int) -> float:
    """0 at end-diastole, the beat's last frame, 1 at end-systole; filling takes half of the rest of the beat."""
    if frame <= patient.systole:
        return (1 - math.cos(math.pi * frame / patient.systole)) / 2
    filled = (frame - patient.systole) / (0.5 * (FRAMES - patient.systole))
    return (1 + math.cos(math.pi * min(filled, 1.0))) / 2


def _section(heart: Heart, z: float, contraction: float) -> Section:
    """Cuts the left ventricle, half a prolate spheroid, and the right one around it, at `z` mm below the base."""
    base = heart.descent * contraction
    shortening = heart.shortening * contraction
    thickening = heart.wall.mean() * shortening.mean()  # of the apex, whose outside stays where it is
    length = heart.length - base - thickening
    depth = (z - base) / length

    profile = math.sqrt(max(1 - max(depth, 0.0) ** 2.3, 0.0)) * (0.9 + 0.1 * min(max(depth, 0.0) / 0.25, 1.0))
    relaxed = heart.radius * profile * heart.shape
    endo = relaxed * (1 - shortening) * (1 + heart.systolic_shape * contraction)

    # Muscle keeps its volume: what the ventricle loses in length and girth, its wall gains in thickness.
    muscle = (relaxed + heart.wall) ** 2 - relaxed**2
    epi = np.sqrt(endo**2 + muscle * (heart.length / length))
    if depth < 0:  # the atrium
        epi = endo + 2.5
    elif depth < 0.2:  # where the aorta leaves, there is hardly any wall
        gap = _bump(_CIRCLE - heart.septum - 0.7, 0.5) * min(1.0, (0.2 - depth) / 0.15)
        epi = endo + (epi - endo) * (1 - 0.6 * gap)

    width = heart.right_width * (1 - 0.3 * contraction) * math.sqrt(max(1 - (max(depth, 0.0) / 0.95) ** 3, 0.0))
    distances = epi.mean() * heart.right_sides[:, 1] + [1.2 * width, 0, 0]
    nearness = np.maximum(np.cos(_CIRCLE - heart.right_sides[:, :1]), 0.01) / distances[:, np.newaxis]
    right = np.sum(nearness**5, axis=0) ** (-1 / 5)
    taper = np.clip((heart.right_reach - np.abs(_wrap(_CIRCLE - heart.septum))) / 0.5, 0, 1)
    thickness = np.maximum(right - epi, 0) * taper * (width > 0)
    return Section(depth, endo, epi, epi + thickness)


def _has_cavity(section: Section) -> bool:
    return 0 <= section.depth < 1 and section.endo.mean() > _SMALLEST_CAVITY


def _axis(heart: Heart, z: float) -> Point:
    """Where the heart's axis meets the plane, mm from where it does so half way to the apex."""
    along = z / heart.length - 0.5
    return heart.shift[0] * along, heart.shift[1] * along


# --- Painting ---


class _Canvas:
    """A picture of signal, finer than the pixels, on which outlines in millimetres of the slice plane are filled."""

    def __init__(self, scan: Scan, image: Image.Image) -> None:
        self.scan = scan
        self.image = image

    def copy(self) -> '_Canvas':
        return _Canvas(self.scan, self.image.copy())

    def fill(self, outline: np.ndarray, signal: float) -> None:
        """Fills a closed outline, float [n, 2] of x, y in mm."""
        fine = np.rint((_to_pixels(self.scan, outline) + 0.5) * _SUPERSAMPLING - 0.5)  # Pillow would round down
        ImageDraw.Draw(self.image).polygon(fine.ravel().tolist(), fill=signal)

    def fill_ellipse(self, centre: Point, radii: Point, signal: float, angle: float = 0.0) -> None:
        self.fill(_ellipse(centre, radii, angle), signal)

    def fill_ring(self, inner: np.ndarray, outer: np.ndarray, signal: float) -> None:
        """Fills what lies between two closed outlines that start at the same angle."""
        self.fill(np.concatenate([outer, outer[:1], inner[:1], inner[::-1]]), signal)

    def pixels(self) -> np.ndarray:
        """Signal as the pixels average it, float32 [256, 256]."""
        return np.asarray(self.image.resize((SIZE, SIZE), Image.BOX))


def _surroundings(patient: Patient, z: float) -> _Canvas:
    """Paints all but the heart, which alone moves."""
    body, tissue = patient.body, patient.tissue
    side = SIZE * _SUPERSAMPLING
    canvas = _Canvas(patient.scan, Image.new('F', (side, side), tissue.fat))
    _fill_ellipsoids(canvas, body.abdomen, z)

    diaphragm = _diaphragm(body, z)
    above = np.array([[300.0, -300.0], [-300.0, -300.0]])
    canvas.fill(np.concatenate([diaphragm - [0, 2.5], above]), tissue.muscle)
    canvas.fill(np.concatenate([diaphragm - [0, 4.5], above]), tissue.lung)
    _fill_ellipsoids(canvas, body.chest, z)
    _fill_mediastinum(canvas, patient)
    _fill_chest_wall(canvas, patient, z)
    return canvas


def _diaphragm(body: Body, z: float) -> np.ndarray:
    """Its line from left to right; it rises towards the apex and falls behind the heart, where lung reaches down."""
    x = np.linspace(-300, 300, 121)
    y = body.diaphragm - 0.12 * z + np.maximum(np.abs(x + 20) - 60, 0) ** 1.5 / 40
    for order, amplitude in enumerate(body.dome, start=1):
        y = y + amplitude * np.sin(order * x / 60 + amplitude)
    return np.stack([x, np.maximum(y, body.diaphragm - 0.12 * z - 4)], axis=1)


def _fill_mediastinum(canvas: _Canvas, patient: Patient) -> None:
    """Fat between the heart and the breastbone, which parts the lungs."""
    body = patient.body
    near = [_skin_point(body, body.breastbone + turn, 0.95) for turn in (-0.16, 0.12)]
    canvas.fill(np.array([near[0], near[1], (-5.0, -20.0), (-45.0, 5.0)]), 0.9 * patient.tissue.fat)


def _fill_chest_wall(canvas: _Canvas, patient: Patient, z: float) -> None:
    """From inside to outside: muscle with ribs in it, a layer of fat, the outer muscles, fat under the skin, air."""
    body, tissue = patient.body, patient.tissue
    skin = body.outline - 0.0008 * z  # the chest narrows towards the apex
    mean_radius = sum(body.radii) / 2
    outer = skin - body.fat / mean_radius
    inner = outer - body.muscle / mean_radius
    between = inner + body.layer * (outer - inner)
    beyond = np.minimum(between + body.layer_fat / mean_radius, outer)

    canvas.fill_ring(_trunk(body, inner), _trunk(body, between), tissue.muscle)
    canvas.fill_ring(_trunk(body, between), _trunk(body, beyond), tissue.fat)
    canvas.fill_ring(_trunk(body, beyond), _trunk(body, outer), tissue.muscle)
    middle = _trunk(body, inner + 0.4 * (between - inner))
    for angle, size in body.ribs:
        x, y = middle[int(angle / (2 * np.pi) * len(middle))]
        direction = math.atan2(y - body.centre[1], x - body.centre[0]) + np.pi / 2
        canvas.fill_ellipse((x, y), (10 * size, 4.5 * size), 0.1, direction)  # the bone's rind
        canvas.fill_ellipse((x, y), (8.5 * size, 3 * size), tissue.marrow, direction)
    canvas.fill_ring(_trunk(body, outer), _trunk(body, skin), tissue.fat)
    canvas.fill_ring(_trunk(body, skin), _trunk(body, 3 * skin), 0.0)


def _fill_ellipsoids(canvas: _Canvas, ellipsoids: Sequence[Ellipsoid], z: float) -> None:
    for organ in ellipsoids:
        away = (z - organ.z) / organ.radii[2]
        if abs(away) < 1:
            cut = math.sqrt(1 - away**2)
            radii = (organ.radii[0] * cut, organ.radii[1] * cut)
            canvas.fill(_ellipse((organ.x, organ.y), radii, organ.angle, organ.shape), organ.signal)


def _fill_heart(canvas: _Canvas, patient: Patient, z: float, contraction: float) -> None:
    heart, tissue = patient.heart, patient.tissue
    section = _section(heart, z, contraction)
    axis = _axis(heart, z)

    has_right = section.right > section.epi + 0.1
    canvas.fill(_around(axis, section.right + heart.fat + 2.5 * has_right), tissue.fat)
    canvas.fill(_around(axis, section.right + 2.5 * has_right), tissue.myocardium)
    canvas.fill(_around(axis, section.right), tissue.right_blood)
    _fill_right_trabeculae(canvas, heart, section, axis, tissue)
    _fill_great_vessels(canvas, heart, section, axis, tissue)
    canvas.fill(_around(axis, section.epi), tissue.myocardium)
    canvas.fill(_around(axis, section.endo), tissue.blood)
    _fill_papillary_muscles(canvas, heart, section, axis, tissue)


def _fill_papillary_muscles(canvas: _Canvas, heart: Heart, section: Section, axis: Point, tissue: Tissue) -> None:
    for angle, radius, first, last, distance in heart.papillary:
        if first < section.depth < last:
            taper = math.sin(math.pi * (section.depth - first) / (last - first)) ** 0.5
            place = distance * np.interp(angle % (2 * np.pi), _CIRCLE, section.endo)
            centre = (axis[0] + place * math.cos(angle), axis[1] + place * math.sin(angle))
            canvas.fill_ellipse(centre, (1.5 * radius * taper, 0.75 * radius * taper), tissue.myocardium, angle)


def _fill_right_trabeculae(canvas: _Canvas, heart: Heart, section: Section, axis: Point, tissue: Tissue) -> None:
    """Like some of the left ventricle's columns, on the other side of the septum and further from the wall."""
    for angle, radius, first, last, distance in heart.papillary[4:14]:
        if first < section.depth < last:
            turn = heart.septum + 0.45 * _wrap(angle - heart.septum)
            inside, outside = (np.interp(turn % (2 * np.pi), _CIRCLE, side) for side in (section.epi, section.right))
            place = inside + (outside - inside) * (distance - 0.25)
            centre = (axis[0] + place * math.cos(turn), axis[1] + place * math.sin(turn))
            canvas.fill_ellipse(centre, (1.3 * radius, 0.8 * radius), tissue.myocardium, turn)


def _fill_great_vessels(canvas: _Canvas, heart: Heart, section: Section, axis: Point, tissue: Tissue) -> None:
    """At the base: the right atrium, the way out to the lungs and the aorta's root, as bright as the ventricles."""
    for wall, signal in [(3, tissue.fat), (2, tissue.myocardium), (0, tissue.blood)]:
        for angle, distance, radius, lowest in heart.vessels:
            if section.depth < lowest:
                shown = radius * min(1.0, (lowest - section.depth) / 0.05) ** 0.5 + wall
                centre = (axis[0] + distance * math.cos(angle), axis[1] + distance * math.sin(angle))
                canvas.fill_ellipse(centre, (1.15 * shown, 0.9 * shown), signal, 1.8 * angle)


def _fill_long_axis(canvas: _Canvas, patient: Patient, contraction: float) -> None:
    """Both ventricles cut along the axis, which points down."""
    heart, tissue = patient.heart, patient.tissue
    base = heart.descent * contraction
    heights = np.linspace(base, heart.length + heart.wall.mean(), 40)
    sections = [_section(heart, z, contraction) for z in heights]

    def fill(left: Sequence[float], right: Sequence[float], signal: float) -> None:
        y = heights - heart.length / 2
        sides = np.column_stack([right, y]), np.column_stack([left, y])[::-1]
        canvas.fill(np.concatenate(sides), signal)

    half = len(_CIRCLE) // 2  # the angle that points left
    septum = [0.0] * len(heights)
    fill([-s.right[half] - 3 for s in sections], septum, tissue.myocardium)
    fill([-s.right[half] for s in sections], septum, tissue.right_blood)
    fill([-s.epi[half] for s in sections], [s.epi[0] for s in sections], tissue.myocardium)
    fill([-s.endo[half] for s in sections], [s.endo[0] for s in sections], tissue.blood)


# --- From signal to pixel values ---


def _short_axis_image(patient: Patient, surroundings: _Canvas, z: float, frame: int, number: int) -> np.ndarray:
    """One frame, int16 [256, 256]."""
    signal = np.zeros([SIZE, SIZE])
    contraction = _contraction(patient, frame)
    planes = _SLICE_THICKNESS * np.array([-1, 0, 1]) / 3  # the middles of three equal layers
    for plane in planes:
        canvas = surroundings.copy()
        _fill_heart(canvas, patient, z + plane, contraction)
        signal += canvas.pixels() / len(planes)
    return _acquire(patient, signal, number)


def _acquire(patient: Patient, signal: np.ndarray, number: int) -> np.ndarray:
    """Turns signal, float [256, 256], into pixel values, int16 [256, 256]; image `number` seeds the noise."""
    rng = np.random.RandomState([patient.seed, patient.number, number])
    scan, tissue = patient.scan, patient.tissue

    # Of all tissues blood alone is bright and positive. It is uneven because it flows.
    blood = np.clip((signal - tissue.myocardium) / (tissue.blood - tissue.myocardium), 0, 1)
    strands = 0.15 * np.exp(-np.square(_smooth_noise(rng, 40) / 0.3))
    flow = 0.16 * _smooth_noise(rng, 14) + 0.12 * _smooth_noise(rng, 40)
    texture = 0.05 * _smooth_noise(rng, 90) + 0.07 * _smooth_noise(rng, 24)
    signal = signal * (1 + blood * flow + (1 - blood) * texture - (signal < 0) * strands)

    # Breathing modulates the rows of k-space with a period of about 3.3 of them, which gives faint copies of the image
    # 256 / 3.3 = 78 pixels above and below it.
    noise = scan.noise * (rng.standard_normal(signal.shape) + 1j * rng.standard_normal(signal.shape))
    rows, columns = (_sampling(samples) for samples in scan.samples)
    phase_encoding = rows * (1 + scan.ghost * np.cos(2 * np.pi * np.fft.fftfreq(SIZE) * SIZE / 3.3))
    spectrum = np.fft.fft2(signal * scan.sensitivity + noise)
    magnitude = np.abs(np.fft.ifft2(spectrum * phase_encoding[:, np.newaxis] * columns))

    magnitude[scan.outside] = 0
    return np.minimum(np.rint(scan.gain * magnitude), np.iinfo(np.int16).max).astype(np.int16)


def _sampling(samples: int) -> np.ndarray:
    """Which of the spatial frequencies are measured, float [256] from 0 to 1: a Fermi window, as scanners use."""
    frequency = np.abs(np.fft.fftfreq(SIZE) * SIZE)
    return 1 / (1 + np.exp((frequency - samples / 2) / 12))


# --- Geometry ---


def _to_pixels(scan: Scan, points: np.ndarray) -> np.ndarray:
    """Millimetres of the slice plane, float [n, 2] of x, y, to pixels, counted from the first one's centre."""
    cosine, sine = math.cos(scan.angle), math.sin(scan.angle)
    turned = points @ np.array([[cosine, sine], [-sine, cosine]])
    return turned / scan.spacing + scan.centre


def _around(centre: Point, radii: np.ndarray) -> np.ndarray:
    """The outline with these radii at the angles of `_CIRCLE`, float [180, 2]."""
    return np.stack([centre[0] + radii * np.cos(_CIRCLE), centre[1] + radii * np.sin(_CIRCLE)], axis=1)


def _ellipse(centre: Point, radii: Point, angle: float, shape: np.ndarray = _ROUND) -> np.ndarray:
    """An ellipse turned by `angle`, its radii multiplied by `shape`, float [180]; float [60, 2], every third angle."""
    along, across = radii[0] * (shape * np.cos(_CIRCLE))[::3], radii[1] * (shape * np.sin(_CIRCLE))[::3]
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.stack([centre[0] + along * cosine - across * sine, centre[1] + along * sine + across * cosine], axis=1)


def _trunk(body: Body, scale: np.ndarray) -> np.ndarray:
    """The trunk's outline, scaled about its centre by float [180]; float [60, 2]."""
    return _ellipse(body.centre, body.radii, body.tilt, scale)


def _skin_point(body: Body, turn: float, scale: float) -> Point:
    """The point of the skin's ellipse at an angle of the trunk's own, -pi / 2 being its upper side."""
    along, across = scale * body.radii[0] * math.cos(turn), scale * body.radii[1] * math.sin(turn)
    cosine, sine = math.cos(body.tilt), math.sin(body.tilt)
    return body.centre[0] + along * cosine - across * sine, body.centre[1] + along * sine + across * cosine


def _wrap(angle: np.ndarray) -> np.ndarray:
    """The same angle from -pi to pi."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


def _bump(angle: np.ndarray, width: float) -> np.ndarray:
    """1 at angle 0, falling smoothly to 0 at `width` radians and beyond."""
    return np.where(np.abs(_wrap(angle)) < width, np.cos(_wrap(angle) * (np.pi / 2 / width)) ** 2, 0.0)


def _waves(rng: np.random.RandomState, amplitude: float) -> np.ndarray:
    """A smooth random function of the angle with mean 0, float [180]; high orders are weak."""
    orders = np.arange(2, 6)
    phases = rng.uniform(0, 2 * np.pi, len(orders))
    amplitudes = amplitude * rng.normal(0, 1, len(orders)) * (2 / orders) ** 1.5
    return amplitudes @ np.cos(orders[:, np.newaxis] * _CIRCLE + phases[:, np.newaxis])


def _smooth_noise(rng: np.random.RandomState, cells: int) -> np.ndarray:
    """A random field that varies over 256 / `cells` pixels; float32 [256, 256], standard deviation about 1."""
    coarse = Image.fromarray(rng.standard_normal([cells, cells]).astype(np.float32))
    return np.asarray(coarse.resize((SIZE, SIZE), Image.BICUBIC))


# --- Files ---


def _write_contour(path: str, scan: Scan, axis: Point, radii: np.ndarray) -> None:
    """Writes an outline as the expert's tool did: `x y` on a half-pixel grid, neighbour after neighbour."""
    turns = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    dense = np.interp(turns, _CIRCLE, radii, period=2 * np.pi)
    outline = np.stack([axis[0] + dense * np.cos(turns), axis[1] + dense * np.sin(turns)], axis=1)
    points = np.rint(2 * (_to_pixels(scan, outline) + _FIRST_PIXEL)) / 2
    points = points[np.any(points != np.roll(points, 1, axis=0), axis=1)]
    with open(path, 'w', newline='', encoding='ascii') as file:
        file.writelines(f'{x:.2f} {y:.2f}\n' for x, y in points)


def _short_axis_dataset(patient: Patient, z: float, frame: int, number: int) -> Dataset:
    right, down = _plane(patient.scan.angle)
    towards_base = np.cross(right, down)
    centre = towards_base * (patient.heart.length / 2 - z)
    dataset = _dataset(patient, _SHORT_AXIS_SERIES, 'CINE short axis', frame, number)
    return _place(dataset, patient.scan, right, down, centre, z)


def _long_axis_dataset(patient: Patient, number: int) -> Dataset:
    right, down = _plane(patient.scan.angle)
    towards_base = np.cross(right, down)
    dataset = _dataset(patient, _LONG_AXIS_SERIES, 'CINE long axis', number, number)
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
    dataset.SequenceVariant = 'SS'
    dataset.ScanOptions = 'CG'
    dataset.MRAcquisitionType = '2D'
    dataset.SliceThickness = _decimals([_SLICE_THICKNESS])[0]
    dataset.RepetitionTime = '3.4'
    dataset.EchoTime = '1.7'
    dataset.EchoTrainLength = '1'
    dataset.MagneticFieldStrength = '1.5'
    dataset.SpacingBetweenSlices = _decimals([_SLICE_SPACING])[0]
    dataset.TriggerTime = _decimals([(frame - 1) / FRAMES * interval])[0]
    dataset.NominalInterval = str(round(interval))
    dataset.HeartRate = str(patient.heart_rate)
    dataset.CardiacNumberOfImages = str(FRAMES)
    dataset.FlipAngle = '45'
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


def _write_dicom(path: str, dataset: Dataset, pixels: np.ndarray) -> None:
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
    return _identifier(patient.seed, patient.number, *parts)


def _identifier(*parts: object) -> str:
    """A DICOM UID made of a name-based UUID (ITU-T X.667): the same parts give the same UID, anywhere."""
    name = '/'.join(map(str, ('lvseg phantom', *parts)))
    return f'2.25.{uuid.uuid5(uuid.NAMESPACE_OID, name).int}'


def _decimals(values: Sequence[float]) -> List[str]:
    """Numbers as DICOM's decimal strings of at most 16 characters."""
    return [f'{value:.6f}' for value in values]
