"""What can differ where the next patients come from: other scanners, other settings, other hearts.

A network that was trained here meets them there. Each shift changes one thing, and a patient of the same seed and
number is the same but for that.
"""

from typing import Dict, NamedTuple, Tuple

from data_prep.phantom.heart import GROUPS, Group
from data_prep.phantom.scanner import Scanner, Settings
from data_prep.phantom.tissue import Signals


class Shift(NamedTuple):
    """In what these patients differ from those that `python -m data_prep phantom` invents by itself."""

    name: str  # '' for none
    told: str  # What differs, for the help.
    groups: Tuple[Group, ...] = GROUPS
    signals: Signals = Signals()
    scanner: Scanner = Scanner()


PLAIN = Shift('', 'balanced SSFP at 1.5 T, as the Sunnybrook data have it')

_SPOILED = Settings(variant='SP', repetition='5.0', echo='2.3', flip='15')
_THREE_TESLA = Settings(tesla='3', repetition='3.4', echo='1.7', flip='40')

# Walls twice as thick as a healthy heart's around a small cavity that all but closes; 55 to 90 ml at end-diastole.
_SEVERE = Group('SC-HYP', 'Hypertrophy', (18, 23), (74, 84), (15, 20), (0.42, 0.54), (7, 11), 0.5, 0.0)

SHIFTS: Dict[str, Shift] = {
    shift.name: shift
    for shift in (
        # Twice the field, twice the signal. T1 is longer and T2 not, so fat and liver lose against blood, and muscle
        # too; both fields are less even (Schär et al., MRM 2004;51:799).
        Shift(
            'field_strength',
            '3 T: half the noise, uneven brightness, black bands',
            signals=Signals(myocardium=(0.26, 0.48), muscle=(0.18, 0.30), fat=(0.65, 1.0), liver=(0.22, 0.38)),
            scanner=Scanner(_THREE_TESLA, noise=(0.015, 0.035), shading=(0.3, 0.6), bands=2),
        ),
        # Spoiled gradient echo: contrast by T1 and inflow. Blood is hardly brighter than muscle, fat is the brightest;
        # at 2.3 ms it is still opposite to water. There is half the signal, so twice the noise relative to it.
        Shift(
            'contrast',
            'spoiled gradient echo: little contrast between blood and muscle',
            signals=Signals(
                right_blood=(0.75, 1.05),
                myocardium=(0.58, 0.76),
                muscle=(0.50, 0.66),
                fat=(1.1, 1.5),
                marrow=(0.7, 1.0),
                liver=(0.60, 0.78),
            ),
            scanner=Scanner(_SPOILED, noise=(0.06, 0.12)),
        ),
        # A parallel acquisition four times as fast: noise doubles, and grows by the coils' geometry besides.
        Shift('noise', 'three to five times the noise', scanner=Scanner(noise=(0.14, 0.22))),
        # A field of view of 430 to 500 mm and a k-space of 112 to 144 rows: a smaller heart with softer edges.
        Shift(
            'matrix',
            'pixels of 1.7 to 1.95 mm out of a smaller matrix',
            scanner=Scanner(spacing=(1.7, 1.95), rows=(112, 144), columns=(128, 160)),
        ),
        Shift('pathology', 'severe hypertrophy in all patients: thick walls, small cavities', groups=(_SEVERE,)),
        # 40 to 60 mm, on a stack that was planned on the body and not on the heart.
        Shift('off_centre', 'the heart 32 to 44 pixels off', scanner=Scanner(off_centre=(32.0, 44.0))),
    )
}
