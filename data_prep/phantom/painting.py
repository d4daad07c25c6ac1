"""Anatomy -> signal: fills the outlines of one plane at one moment, from the outermost to the innermost."""

import math
from typing import Sequence

from lvseg.layout import SIZE

import numpy as np
from PIL import Image, ImageDraw

from data_prep.phantom.body import Ellipsoid, diaphragm_line, skin_point, trunk
from data_prep.phantom.heart import Heart, Section, axis_at, cut
from data_prep.phantom.outlines import CIRCLE, Point, around, ellipse, wrap
from data_prep.phantom.patient import Patient
from data_prep.phantom.scanner import SLICE_THICKNESS, Scan, to_pixels
from data_prep.phantom.tissue import Tissue

_SUPERSAMPLING = 3


class Canvas:
    """A picture of signal, finer than the pixels, on which outlines in millimetres of the slice plane are filled."""

    def __init__(self, scan: Scan, image: Image.Image) -> None:
        self.scan = scan
        self.image = image

    def copy(self) -> 'Canvas':
        """Another one of the same picture."""
        return Canvas(self.scan, self.image.copy())

    def fill(self, outline: np.ndarray, signal: float) -> None:
        """Fills a closed outline, float [n, 2] of x, y in mm."""
        fine = np.rint((to_pixels(self.scan, outline) + 0.5) * _SUPERSAMPLING - 0.5)  # Pillow would round down
        ImageDraw.Draw(self.image).polygon(fine.ravel().tolist(), fill=signal)

    def fill_ellipse(self, centre: Point, radii: Point, signal: float, angle: float = 0.0) -> None:
        """Fills an ellipse; `centre` and `radii` in mm, turned by `angle` in radians."""
        self.fill(ellipse(centre, radii, angle), signal)

    def fill_ring(self, inner: np.ndarray, outer: np.ndarray, signal: float) -> None:
        """Fills what lies between two closed outlines that start at the same angle."""
        self.fill(np.concatenate([outer, outer[:1], inner[:1], inner[::-1]]), signal)

    def pixels(self) -> np.ndarray:
        """Signal as the pixels average it, float32 [256, 256]."""
        return np.asarray(self.image.resize((SIZE, SIZE), Image.BOX))


def short_axis_signal(patient: Patient, surroundings: Canvas, z: float, frame: int) -> np.ndarray:
    """One frame of the slice at `z` mm below the base, painted on its surroundings; float [256, 256]."""
    signal = np.zeros([SIZE, SIZE])
    planes = SLICE_THICKNESS * np.array([-1, 0, 1]) / 3  # the middles of three equal layers
    for plane in planes:
        canvas = surroundings.copy()
        _fill_heart(canvas, patient, z + plane, patient.contraction(frame))
        signal += canvas.pixels() / len(planes)
    return signal


def long_axis_signal(patient: Patient, frame: int) -> np.ndarray:
    """One frame of a slice along the heart's axis; float32 [256, 256]."""
    canvas = paint_surroundings(patient, patient.heart.length / 2)
    _fill_long_axis(canvas, patient, patient.contraction(frame))
    return canvas.pixels()


def paint_surroundings(patient: Patient, z: float) -> Canvas:
    """Paints all but the heart, which alone moves, at `z` mm below the heart's base."""
    body, tissue = patient.body, patient.tissue
    side = SIZE * _SUPERSAMPLING
    canvas = Canvas(patient.scan, Image.new('F', (side, side), tissue.fat))
    _fill_ellipsoids(canvas, body.abdomen, z)

    diaphragm = diaphragm_line(body, z)
    above = np.array([[300.0, -300.0], [-300.0, -300.0]])
    canvas.fill(np.concatenate([diaphragm - [0, 2.5], above]), tissue.muscle)
    canvas.fill(np.concatenate([diaphragm - [0, 4.5], above]), tissue.lung)
    _fill_ellipsoids(canvas, body.chest, z)
    _fill_mediastinum(canvas, patient)
    _fill_chest_wall(canvas, patient, z)
    return canvas


def _fill_mediastinum(canvas: Canvas, patient: Patient) -> None:
    """Fat between the heart and the breastbone, which parts the lungs."""
    body = patient.body
    near = [skin_point(body, body.breastbone + turn, 0.95) for turn in (-0.16, 0.12)]
    canvas.fill(np.array([near[0], near[1], (-5.0, -20.0), (-45.0, 5.0)]), 0.9 * patient.tissue.fat)


def _fill_chest_wall(canvas: Canvas, patient: Patient, z: float) -> None:
    """From inside to outside: muscle with ribs in it, a layer of fat, the outer muscles, fat under the skin, air."""
    body, tissue = patient.body, patient.tissue
    skin = body.outline - 0.0008 * z  # the chest narrows towards the apex
    mean_radius = sum(body.radii) / 2
    outer = skin - body.fat / mean_radius
    inner = outer - body.muscle / mean_radius
    between = inner + body.layer * (outer - inner)
    beyond = np.minimum(between + body.layer_fat / mean_radius, outer)

    canvas.fill_ring(trunk(body, inner), trunk(body, between), tissue.muscle)
    canvas.fill_ring(trunk(body, between), trunk(body, beyond), tissue.fat)
    canvas.fill_ring(trunk(body, beyond), trunk(body, outer), tissue.muscle)
    middle = trunk(body, inner + 0.4 * (between - inner))
    for angle, size in body.ribs:
        x, y = middle[int(angle / (2 * np.pi) * len(middle))]
        direction = math.atan2(y - body.centre[1], x - body.centre[0]) + np.pi / 2
        canvas.fill_ellipse((x, y), (10 * size, 4.5 * size), 0.1, direction)  # the bone's rind
        canvas.fill_ellipse((x, y), (8.5 * size, 3 * size), tissue.marrow, direction)
    canvas.fill_ring(trunk(body, outer), trunk(body, skin), tissue.fat)
    canvas.fill_ring(trunk(body, skin), trunk(body, 3 * skin), 0.0)


def _fill_ellipsoids(canvas: Canvas, ellipsoids: Sequence[Ellipsoid], z: float) -> None:
    for organ in ellipsoids:
        away = (z - organ.z) / organ.radii[2]
        if abs(away) < 1:
            cut = math.sqrt(1 - away**2)
            radii = (organ.radii[0] * cut, organ.radii[1] * cut)
            canvas.fill(ellipse((organ.x, organ.y), radii, organ.angle, organ.shape), organ.signal)


def _fill_heart(canvas: Canvas, patient: Patient, z: float, contraction: float) -> None:
    heart, tissue = patient.heart, patient.tissue
    section = cut(heart, z, contraction)
    axis = axis_at(heart, z)

    has_right = section.right > section.epi + 0.1
    canvas.fill(around(axis, section.right + heart.fat + 2.5 * has_right), tissue.fat)
    canvas.fill(around(axis, section.right + 2.5 * has_right), tissue.myocardium)
    canvas.fill(around(axis, section.right), tissue.right_blood)
    _fill_right_trabeculae(canvas, heart, section, axis, tissue)
    _fill_great_vessels(canvas, heart, section, axis, tissue)
    canvas.fill(around(axis, section.epi), tissue.myocardium)
    canvas.fill(around(axis, section.endo), tissue.blood)
    _fill_papillary_muscles(canvas, heart, section, axis, tissue)


def _fill_papillary_muscles(canvas: Canvas, heart: Heart, section: Section, axis: Point, tissue: Tissue) -> None:
    for angle, radius, first, last, distance in heart.papillary:
        if first < section.depth < last:
            taper = math.sin(math.pi * (section.depth - first) / (last - first)) ** 0.5
            place = distance * np.interp(angle % (2 * np.pi), CIRCLE, section.endo)
            centre = (axis[0] + place * math.cos(angle), axis[1] + place * math.sin(angle))
            canvas.fill_ellipse(centre, (1.5 * radius * taper, 0.75 * radius * taper), tissue.myocardium, angle)


def _fill_right_trabeculae(canvas: Canvas, heart: Heart, section: Section, axis: Point, tissue: Tissue) -> None:
    """Like some of the left ventricle's columns, on the other side of the septum and further from the wall."""
    for angle, radius, first, last, distance in heart.papillary[4:14]:
        if first < section.depth < last:
            turn = heart.septum + 0.45 * wrap(angle - heart.septum)
            inside, outside = (np.interp(turn % (2 * np.pi), CIRCLE, side) for side in (section.epi, section.right))
            place = inside + (outside - inside) * (distance - 0.25)
            centre = (axis[0] + place * math.cos(turn), axis[1] + place * math.sin(turn))
            canvas.fill_ellipse(centre, (1.3 * radius, 0.8 * radius), tissue.myocardium, turn)


def _fill_great_vessels(canvas: Canvas, heart: Heart, section: Section, axis: Point, tissue: Tissue) -> None:
    """At the base: the right atrium, the way out to the lungs and the aorta's root, as bright as the ventricles."""
    for wall, signal in [(3, tissue.fat), (2, tissue.myocardium), (0, tissue.blood)]:
        for angle, distance, radius, lowest in heart.vessels:
            if section.depth < lowest:
                shown = radius * min(1.0, (lowest - section.depth) / 0.05) ** 0.5 + wall
                centre = (axis[0] + distance * math.cos(angle), axis[1] + distance * math.sin(angle))
                canvas.fill_ellipse(centre, (1.15 * shown, 0.9 * shown), signal, 1.8 * angle)


def _fill_long_axis(canvas: Canvas, patient: Patient, contraction: float) -> None:
    """Both ventricles cut along the axis, which points down."""
    heart, tissue = patient.heart, patient.tissue
    base = heart.descent * contraction
    heights = np.linspace(base, heart.length + heart.wall.mean(), 40)
    sections = [cut(heart, z, contraction) for z in heights]

    def fill(left: Sequence[float], right: Sequence[float], signal: float) -> None:
        y = heights - heart.length / 2
        sides = np.column_stack([right, y]), np.column_stack([left, y])[::-1]
        canvas.fill(np.concatenate(sides), signal)

    half = len(CIRCLE) // 2  # the angle that points left
    septum = [0.0] * len(heights)
    fill([-s.right[half] - 3 for s in sections], septum, tissue.myocardium)
    fill([-s.right[half] for s in sections], septum, tissue.right_blood)
    fill([-s.epi[half] for s in sections], [s.epi[0] for s in sections], tissue.myocardium)
    fill([-s.endo[half] for s in sections], [s.endo[0] for s in sections], tissue.blood)
