"""The scanner: where its slices and pixels lie, its coils, its k-space, its noise. From signal to pixel values."""

import math
from typing import NamedTuple, Tuple

from lvseg.layout import SIZE

import numpy as np
from PIL import Image

from data_prep.phantom.body import Body, skin_point
from data_prep.phantom.outlines import Point
from data_prep.phantom.tissue import Tissue

FRAMES = 20  # per heartbeat and slice position, as in the real data
SLICE_SPACING = 10.0  # mm
SLICE_THICKNESS = 10.0  # mm


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


def invent_scan(rng: np.random.RandomState, body: Body) -> Scan:
    """Draws how a patient with this body is scanned."""
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
        above_skin = np.array([skin_point(body, turn + rng.normal(0, 0.15), 1.07)])
        ((coil_x, coil_y),) = to_pixels(scan, above_skin)
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
