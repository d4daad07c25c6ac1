"""A made-up heart for tests of what is written: in each slice a disc that shrinks to end-systole."""

import math

from lvseg.manifest import Spacing

import numpy as np

from study.headers import Image
from study.segmenting import Segmented
from study.stack import Stack
from study.ventricle import Ventricle
from study.volumes import thicknesses, volumes

SIZE = 64  # pixels
CENTRE = (30, 33)  # x, y
RADII = (10, 8, 6, 9)  # mm, by phase: end-diastole is phase 0, end-systole phase 2
SPACING = 10  # mm, from slice to slice; pixels are of 1 mm


def segmented(slices=3, radii=RADII, thickness=SPACING, heart_rate=60.0, spacing=Spacing(1.0, 1.0)):  # noqa: B008
    """All slices alike; a radius of 0 makes no outline."""
    images = [
        [_image(number, phase, thickness, heart_rate, spacing) for phase in range(len(radii))]
        for number in range(slices)
    ]
    stack = Stack(images, [float(number * SPACING) for number in range(slices)], [], [])
    outlines = [[_circle(radius, spacing) for radius in radii] for _ in range(slices)]
    areas = np.array([[math.pi * radius**2 for radius in radii]] * slices)
    pixels = np.array([[_disc(radius, spacing) for radius in radii]] * slices)
    kept = Ventricle(pixels > 500, islands=0, atrium=[])
    return Segmented(stack, pixels, kept, outlines, areas, volumes(areas, thicknesses(stack)))


def report(made_up, **other):
    """What the command would say of it."""
    found = made_up.volumes
    return {
        'edv_ml': found.edv,
        'esv_ml': found.esv,
        'stroke_volume_ml': found.edv - found.esv,
        'ejection_fraction_percent': found.ejection_fraction,
        'ed_phase': found.ed_phase,
        'es_phase': found.es_phase,
        'heart_rate_bpm': made_up.stack.images[0][0].heart_rate,
        'slices': len(made_up.stack.positions),
        'phases': made_up.stack.phases,
        'slice_spacing_mm': SPACING,
        'pixel_spacing_mm': [1.0, 1.0],
        'checkpoint': {'seed': 7, 'flags': {'network': 'unet'}},
        'warnings': [],
        **other,
    }


def _image(number, phase, thickness, heart_rate, spacing):
    return Image(
        path=f'{number}-{phase}.dcm',
        uid='',
        study='',
        series='',
        series_number=1,
        number=phase,
        shape=(SIZE, SIZE),
        spacing=spacing,
        thickness=thickness,
        position=np.array([0.0, 0.0, number * SPACING]),
        across=np.array([1.0, 0.0, 0.0]),
        down=np.array([0.0, 1.0, 0.0]),
        trigger_time=100.0 * phase + number,
        heart_rate=heart_rate,
    )


def _circle(radius, spacing):
    """[60, 2], in pixels."""
    angles = np.arange(60 if radius else 0) * math.pi / 30
    return CENTRE + radius * np.stack([np.cos(angles) / spacing.columns, np.sin(angles) / spacing.rows], axis=1)


def _disc(radius, spacing):
    """Bright blood of 1000 in tissue of 100."""
    rows, columns = np.indices((SIZE, SIZE))
    x, y = (columns - CENTRE[0]) * spacing.columns, (rows - CENTRE[1]) * spacing.rows
    return np.where(x**2 + y**2 <= radius**2, 1000, 100)
