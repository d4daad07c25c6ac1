"""The heart: how large it is in which disease, how it beats, and what a plane cuts of it at one moment."""

import math
from typing import NamedTuple, Tuple

import numpy as np

from data_prep.phantom.outlines import CIRCLE, Point, bump, waves, wrap

_SMALLEST_CAVITY = 3.0  # mm of mean radius; an expert draws nothing smaller

Range = Tuple[float, float]


class Group(NamedTuple):
    """A pathology of the 2009 challenge; ranges in mm at end-diastole, unless said otherwise.

    The challenge's own definition is kept: ejection fractions below 40 % in heart failure, above 55 % in the others,
    and with hypertrophy a heavy ventricle (Radau et al., MIDAS Journal 2009). The means here are 34, 27, 70 and 64 %,
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
    """Size, shape and motion; lengths in mm, arrays are float [180], one value per angle of `CIRCLE`."""

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


class Section(NamedTuple):
    """The ventricles cut by one plane, at one moment."""

    depth: float  # 0 at the mitral valve, 1 at the cavity's apex, negative in the atrium
    endo: np.ndarray  # float [180], mm, radius of the cavity
    epi: np.ndarray  # float [180], mm, radius of the muscle around it
    right: np.ndarray  # float [180], mm, radius of the right ventricle's outer border; `epi` where there is none


def invent_heart(rng: np.random.RandomState, group: Group) -> Heart:
    """Draws a heart of a patient of this group."""
    septum = np.pi + rng.uniform(0.0, 0.5)  # left, and a little up
    scar = group.scar * bump(CIRCLE - rng.uniform(0, 2 * np.pi), 1.1)
    wall = rng.uniform(*group.wall) * (1 + waves(rng, 0.05))
    wall = wall * (1 + group.septal_excess * bump(CIRCLE - septum, 1.4)) * (1 - 0.3 * scar)

    # A triangle with round corners that wraps the septum: free wall, outflow and the side on the diaphragm.
    right_sides = np.array(
        [
            [septum + rng.uniform(-0.2, 0.35), 1.0],
            [septum + rng.uniform(1.1, 1.5), rng.uniform(1.05, 1.3)],
            [septum - rng.uniform(1.2, 1.5), rng.uniform(0.95, 1.2)],
        ]
    )
    fat = 1.5 + sum(rng.uniform(1, 10) * bump(CIRCLE - septum - turn, 0.7) for turn in (-1.2, -0.6, 0.4, 1.2))
    return Heart(
        radius=rng.uniform(*group.radius),
        length=rng.uniform(*group.length),
        descent=rng.uniform(*group.descent),
        wall=wall,
        shape=1 + waves(rng, 0.035),
        systolic_shape=waves(rng, 0.05),
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


def base_and_length(heart: Heart, contraction: float) -> Tuple[float, float]:
    """Where the mitral valve is, mm below its place at end-diastole, and how far the cavity reaches below it, mm."""
    base = heart.descent * contraction
    thickening = heart.wall.mean() * heart.shortening.mean() * contraction  # of the apex, whose outside stays in place
    return base, heart.length - base - thickening


def cut(heart: Heart, z: float, contraction: float) -> Section:
    """Cuts the left ventricle, half a prolate spheroid, and the right one around it, at `z` mm below the base."""
    base, length = base_and_length(heart, contraction)
    shortening = heart.shortening * contraction
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
        gap = bump(CIRCLE - heart.septum - 0.7, 0.5) * min(1.0, (0.2 - depth) / 0.15)
        epi = endo + (epi - endo) * (1 - 0.6 * gap)

    width = heart.right_width * (1 - 0.3 * contraction) * math.sqrt(max(1 - (max(depth, 0.0) / 0.95) ** 3, 0.0))
    distances = epi.mean() * heart.right_sides[:, 1] + [1.2 * width, 0, 0]
    nearness = np.maximum(np.cos(CIRCLE - heart.right_sides[:, :1]), 0.01) / distances[:, np.newaxis]
    right = np.sum(nearness**5, axis=0) ** (-1 / 5)
    taper = np.clip((heart.right_reach - np.abs(wrap(CIRCLE - heart.septum))) / 0.5, 0, 1)
    thickness = np.maximum(right - epi, 0) * taper * (width > 0)
    return Section(depth, endo, epi, epi + thickness)


def has_cavity(section: Section) -> bool:
    """Whether the plane lies below the mitral valve, and cuts enough of the left ventricle for an expert to outline."""
    return 0 <= section.depth < 1 and section.endo.mean() > _SMALLEST_CAVITY


def axis_at(heart: Heart, z: float) -> Point:
    """Where the heart's axis meets the plane, mm from where it does so half way to the apex."""
    along = z / heart.length - 0.5
    return heart.shift[0] * along, heart.shift[1] * along
