"""What lies around the heart: chest wall, lungs, diaphragm, and the organs below it."""

import math
from typing import List, NamedTuple, Sequence, Tuple

import numpy as np

from data_prep.phantom.heart import Heart
from data_prep.phantom.outlines import CIRCLE, ROUND, Point, ellipse, waves
from data_prep.phantom.tissue import Tissue


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


def invent_body(rng: np.random.RandomState, heart: Heart, tissue: Tissue) -> Body:
    """Draws a body that this heart fits into."""
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
        outline=1 + waves(rng, 0.015),
        fat=fat * np.maximum(1 + 0.5 * np.cos(CIRCLE - rng.uniform(-2.4, 0.0)) + waves(rng, 0.25), 0.3),
        muscle=muscle * np.maximum(1 + waves(rng, 0.3), 0.4),
        ribs=np.column_stack([np.arange(18) / 3 + rng.uniform(0, 0.3, 18), rng.uniform(0.4, 1.2, 18)]),
        layer=np.clip(0.55 + waves(rng, 0.25), 0.25, 0.85),
        layer_fat=2.0 * np.maximum(1 + waves(rng, 0.6), 0.1),
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
        return Ellipsoid(*place, (a, b, c), rng.uniform(-0.3, 0.3), signal, 1 + waves(rng, 0.12))

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
        organs.append(Ellipsoid(x, y, rng.uniform(0, 90), radii, rng.uniform(0, np.pi), rng.uniform(0.5, 0.9), ROUND))
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
        vessels.append(Ellipsoid(*place, radii, rng.uniform(0, np.pi), rng.uniform(0.1, 0.9), ROUND))
    return vessels


def trunk(body: Body, scale: np.ndarray) -> np.ndarray:
    """The trunk's outline, scaled about its centre by float [180]; float [60, 2]."""
    return ellipse(body.centre, body.radii, body.tilt, scale)


def skin_point(body: Body, turn: float, scale: float) -> Point:
    """The point of the skin's ellipse at an angle of the trunk's own, -pi / 2 being its upper side."""
    along, across = scale * body.radii[0] * math.cos(turn), scale * body.radii[1] * math.sin(turn)
    cosine, sine = math.cos(body.tilt), math.sin(body.tilt)
    return body.centre[0] + along * cosine - across * sine, body.centre[1] + along * sine + across * cosine


def diaphragm_line(body: Body, z: float) -> np.ndarray:
    """From left to right, float [121, 2] in mm.

    It rises towards the apex and falls behind the heart, where lung reaches down.
    """
    x = np.linspace(-300, 300, 121)
    y = body.diaphragm - 0.12 * z + np.maximum(np.abs(x + 20) - 60, 0) ** 1.5 / 40
    for order, amplitude in enumerate(body.dome, start=1):
        y = y + amplitude * np.sin(order * x / 60 + amplitude)
    return np.stack([x, np.maximum(y, body.diaphragm - 0.12 * z - 4)], axis=1)
