"""One invented patient: heart, body and how they are scanned, all drawn by lot."""

import math
from typing import List, NamedTuple

import numpy as np

from data_prep.phantom.body import Body, invent_body
from data_prep.phantom.heart import Group, Heart, cut, has_cavity, invent_heart
from data_prep.phantom.scanner import FRAMES, SLICE_SPACING, Scan, invent_scan
from data_prep.phantom.shifts import PLAIN, Shift
from data_prep.phantom.tissue import Tissue, invent_tissue

FIRST_CASE = 901  # beyond every real one, so that no case can be mistaken for a patient's
DIASTOLE = FRAMES  # the beat's last frame shows the ventricle as full as it gets


class Patient(NamedTuple):
    """One invented patient."""

    number: int  # from 1
    seed: int
    shift: Shift
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

    def random(self, *parts: int) -> np.random.RandomState:
        """This patient's own random numbers, others for other `parts`."""
        return np.random.RandomState([self.seed, self.number, *parts])

    def slice_positions(self) -> List[float]:
        """Distances in mm from the end-diastolic base towards the apex, as long as there is a cavity to be seen."""
        planes = self.first_slice + SLICE_SPACING * np.arange(20)
        return [z for z in planes if has_cavity(cut(self.heart, z, 0.0))]

    def contraction(self, frame: int) -> float:
        """0 at end-diastole, the beat's last frame, 1 at end-systole; filling takes half of the rest of the beat."""
        if frame <= self.systole:
            return (1 - math.cos(math.pi * frame / self.systole)) / 2
        filled = (frame - self.systole) / (0.5 * (FRAMES - self.systole))
        return (1 + math.cos(math.pi * min(filled, 1.0))) / 2


def invent_patient(seed: int, number: int, shift: Shift = PLAIN) -> Patient:
    """Draws a patient; the groups take turns, so that four patients show all of them.

    A shift changes what it is about, and nothing else: heart and body are the same on another scanner.
    """
    rng, own = np.random.RandomState([seed, number]), np.random.RandomState([seed, number, 0, 0])
    group = shift.groups[(number - 1) % len(shift.groups)]
    heart = invent_heart(rng, group)
    tissue = invent_tissue(rng, shift.signals)
    body = invent_body(rng, heart, tissue)
    return Patient(
        number=number,
        seed=seed,
        shift=shift,
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
        scan=invent_scan(rng, own, body, shift.scanner),
    )
