"""The scanner: where its slices and pixels lie, its coils, its k-space, its noise. From signal to pixel values."""

import math
from typing import NamedTuple, Tuple

from lvseg.layout import SIZE

import numpy as np
from PIL import Image

from data_prep.phantom.body import Body, skin_point
from data_prep.phantom.heart import Range
from data_prep.phantom.outlines import Point
from data_prep.phantom.tissue import Tissue

FRAMES = 20  # per heartbeat and slice position, as in the real data
SLICE_SPACING = 10.0  # mm
SLICE_THICKNESS = 10.0  # mm

_WAVELENGTH = 270.0  # mm
_BAND = 4.0  # mm from the middle of a black line to where two thirds of the signal are back
_BAND_FROM_HEART = (15.0, 80.0)  # mm


class Settings(NamedTuple):
    """What DICOM headers tell of field and sequence; the defaults are balanced SSFP at 1.5 T."""

    variant: str = 'SS'  # steady state; SP is spoiled
    tesla: str = '1.5'
    repetition: str = '3.4'  # ms
    echo: str = '1.7'  # ms
    flip: str = '45'  # degrees


class Scanner(NamedTuple):
    """Ranges from which it is drawn how a patient is scanned; the defaults are what the real data show."""

    settings: Settings = Settings()
    spacing: Range = (1.25, 1.4)  # mm
    noise: Range = (0.03, 0.07)  # standard deviation relative to blood
    rows: Tuple[int, int] = (130, 180)  # of k-space, from the first to below the second
    columns: Tuple[int, int] = (190, 224)
    off_centre: Range = (0.0, 0.0)  # pixels that the heart is off beside what all are
    shading: Range = (0.0, 0.0)  # share of the signal that is lost where least of the transmitted field arrives
    bands: int = 0  # black lines of balanced SSFP, where the field is off


class Scan(NamedTuple):
    """How the scanner sees the patient."""

    settings: Settings

    spacing: float  # mm
    angle: float  # radians by which the image is turned
    centre: Point  # pixel on which the heart's axis lies
    sensitivity: np.ndarray  # float [256, 256] of the receive coils, 1 at the heart's axis, less what the field spoils
    gain: float  # pixel value of blood at the heart's axis
    noise: float  # standard deviation relative to blood
    samples: Tuple[int, int]  # rows and columns of k-space
    ghost: float  # strength of the breathing ghosts, relative
    outside: np.ndarray  # bool [256, 256], zeroed by the scanner's correction of geometry


def invent_scan(rng: np.random.RandomState, own: np.random.RandomState, body: Body, scanner: Scanner) -> Scan:
    """Draws how a patient with this body is scanned.

    Args:
        rng: draws what all scanners have.
        own: draws what only some of them do, so that all else stays the same whatever the scanner.
        body: of the patient.
        scanner: its ranges.
    """
    spacing = rng.uniform(*scanner.spacing)
    turned = rng.uniform(0.8, 1.4) if rng.uniform() < 0.1 else 0.0  # a technician plans a few stacks the other way
    scan = Scan(
        settings=scanner.settings,
        spacing=spacing,
        angle=rng.normal(0, 0.18) + turned,
        centre=(rng.normal(132, 8), rng.normal(127, 8)),
        sensitivity=np.ones([SIZE, SIZE]),
        gain=np.clip(rng.lognormal(np.log(220), 0.4), 120, 500),
        noise=rng.uniform(*scanner.noise),
        samples=(rng.randint(*scanner.rows), rng.randint(*scanner.columns)),
        ghost=rng.uniform(0.0, 0.02),
        outside=_outside_field_of_view(rng),
    )
    turn, distance = own.uniform(0, 2 * np.pi), own.uniform(*scanner.off_centre)
    centre = (scan.centre[0] + distance * math.cos(turn), scan.centre[1] + distance * math.sin(turn))
    scan = scan._replace(centre=centre)
    return scan._replace(sensitivity=_invent_sensitivity(rng, body, scan) * _unspoiled(own, scan, scanner))


def _invent_sensitivity(rng: np.random.RandomState, body: Body, scan: Scan) -> np.ndarray:
    """Coils lie on the chest and, weaker, on the back; combined as a root of sum of squares.

    Returns:
        float [256, 256], 1 at the heart's axis.
    """
    y, x = np.mgrid[:SIZE, :SIZE]
    reach = rng.uniform(42, 66) / scan.spacing
    squares = np.zeros([SIZE, SIZE])
    for turn, strength in [(-2.6, 1.0), (-2.1, 1.0), (-1.6, 1.0), (-1.1, 0.9), (-0.3, 0.9), (1.6, 0.5)]:
        above_skin = np.array([skin_point(body, turn + rng.normal(0, 0.15), 1.07)])
        ((coil_x, coil_y),) = to_pixels(scan, above_skin)
        distance = ((x - coil_x) ** 2 + (y - coil_y) ** 2) / reach**2
        squares += (strength * rng.uniform(0.7, 1.2)) ** 2 / (1 + distance) ** 2
    column, row = np.rint(scan.centre).astype(int)
    return np.sqrt(squares / squares[row, column])


def _unspoiled(own: np.random.RandomState, scan: Scan, scanner: Scanner) -> np.ndarray:
    """The share of the signal that is left where the fields are uneven, as they are at 3 T; float [256, 256].

    The transmitted one is a standing wave, whose length in tissue is about 27 cm there; where the static one is off by
    half the repetition rate, balanced SSFP gives no signal (Schär et al., MRM 2004;51:799).
    """
    y, x = scan.spacing * (np.mgrid[:SIZE, :SIZE] - np.array(scan.centre[::-1])[:, np.newaxis, np.newaxis])

    def across(turn: float) -> np.ndarray:
        return x * math.cos(turn) + y * math.sin(turn)

    wave = np.sin(np.pi * (across(own.uniform(0, 2 * np.pi)) / _WAVELENGTH + own.uniform()))
    left = 1 - own.uniform(*scanner.shading) * wave**2
    for _ in range(scanner.bands):
        away = across(own.uniform(0, 2 * np.pi)) - own.uniform(*_BAND_FROM_HEART)
        left = left * (1 - np.exp(-np.square(away / _BAND)))
    return left


def _outside_field_of_view(rng: np.random.RandomState) -> np.ndarray:
    """Pixels that the scanner leaves at zero: outside a circle on most scanners, beside two arcs on the others."""
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    if rng.uniform() < 0.65:
        return np.hypot(x, y) > rng.uniform(107, 123)
    waist = rng.uniform(14, 24)  # pixels cut off on either side, half way down
    return np.abs(x) > SIZE / 2 - waist * (1 - (2 * y / SIZE) ** 2)


def to_pixels(scan: Scan, points: np.ndarray) -> np.ndarray:
    """Millimetres of the slice plane, float [n, 2] of x, y, to pixels, counted from the first one's centre."""
    cosine, sine = math.cos(scan.angle), math.sin(scan.angle)
    turned = points @ np.array([[cosine, sine], [-sine, cosine]])
    return turned / scan.spacing + scan.centre


def acquire(scan: Scan, tissue: Tissue, signal: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """Turns signal, float [256, 256], into pixel values, int16 [256, 256]; `rng` draws noise and flow."""
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


def _smooth_noise(rng: np.random.RandomState, cells: int) -> np.ndarray:
    """A random field that varies over 256 / `cells` pixels; float32 [256, 256], standard deviation about 1."""
    coarse = Image.fromarray(rng.standard_normal([cells, cells]).astype(np.float32))
    return np.asarray(coarse.resize((SIZE, SIZE), Image.BICUBIC))
