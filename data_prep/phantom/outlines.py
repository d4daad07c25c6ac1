"""Closed curves around a point, as radii at 180 angles: how all that is drawn here is described."""

import math
from typing import Tuple

import numpy as np

CIRCLE = np.arange(180) * (2 * np.pi / 180)  # radians at which outlines are sampled; y points down, so clockwise
ROUND = np.ones(len(CIRCLE))

Point = Tuple[float, float]  # x to the right, y down


def around(centre: Point, radii: np.ndarray) -> np.ndarray:
    """The outline with these radii at the angles of `CIRCLE`, float [180, 2]."""
    return np.stack([centre[0] + radii * np.cos(CIRCLE), centre[1] + radii * np.sin(CIRCLE)], axis=1)


def ellipse(centre: Point, radii: Point, angle: float, shape: np.ndarray = ROUND) -> np.ndarray:
    """An ellipse turned by `angle`, its radii multiplied by `shape`, float [180]; float [60, 2], every third angle."""
    along, across = radii[0] * (shape * np.cos(CIRCLE))[::3], radii[1] * (shape * np.sin(CIRCLE))[::3]
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.stack([centre[0] + along * cosine - across * sine, centre[1] + along * sine + across * cosine], axis=1)


def wrap(angle: np.ndarray) -> np.ndarray:
    """The same angle from -pi to pi."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


def bump(angle: np.ndarray, width: float) -> np.ndarray:
    """1 at angle 0, falling smoothly to 0 at `width` radians and beyond."""
    return np.where(np.abs(wrap(angle)) < width, np.cos(wrap(angle) * (np.pi / 2 / width)) ** 2, 0.0)


def waves(rng: np.random.RandomState, amplitude: float) -> np.ndarray:
    """A smooth random function of the angle with mean 0, float [180]; high orders are weak."""
    orders = np.arange(2, 6)
    phases = rng.uniform(0, 2 * np.pi, len(orders))
    amplitudes = amplitude * rng.normal(0, 1, len(orders)) * (2 / orders) ** 1.5
    return amplitudes @ np.cos(orders[:, np.newaxis] * CIRCLE + phases[:, np.newaxis])
