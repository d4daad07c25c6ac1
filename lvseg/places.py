"""Where in the heart and in the beat a slice lies, which its name tells.

Of the Sunnybrook data, SC-HF-I-01-IM-0001-0048 ends in the image's number, and images are numbered slice by slice, from
base to apex or from apex to base, 20 phases of the heartbeat in each: number = 20 x position + phase + 1. Those of
NIfTI volumes are called patient001/ED-slice03, or patient001/frame12-slice03 where no more is known of the frame.
"""

import os
import re
from typing import NamedTuple, Optional, Union

PHASES = 20  # of each slice, in every study of these data

IMAGE_NUMBER = re.compile(r'-IM-[0-9]+-([0-9]+)$')
_NIFTI = re.compile(r'/(ED|ES|frame[0-9]+)-slice([0-9]+)$')


class Place(NamedTuple):
    """Numbers are from 0."""

    position: int  # along the ventricle, from either end
    phase: Union[int, str]  # of the heartbeat: its number, or what a NIfTI volume's slice calls it


def image_number(name: str) -> Optional[int]:
    """The image's number that the name of a slice ends in, such as 48 of SC-HF-I-01-IM-0001-0048; None without one."""
    match = IMAGE_NUMBER.search(os.path.basename(name))
    return int(match.group(1)) if match else None


def place(name: str) -> Optional[Place]:
    """Of the slice of that name; None where it does not tell."""
    nifti = _NIFTI.search(name)
    if nifti:
        return Place(int(nifti.group(2)) - 1, nifti.group(1))
    number = image_number(name)
    return Place(*divmod(number - 1, PHASES)) if number else None
