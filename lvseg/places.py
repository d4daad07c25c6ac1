"""Where in the heart and in the beat a slice of the Sunnybrook data lies, which its name tells.

SC-HF-I-01-IM-0001-0048 ends in the image's number, and images are numbered slice by slice, from base to apex or from
apex to base, 20 phases of the heartbeat in each: number = 20 x position + phase + 1.
"""

import os
import re
from typing import NamedTuple, Optional

PHASES = 20  # of each slice, in every study of these data

IMAGE_NUMBER = re.compile(r'-IM-[0-9]+-([0-9]+)$')


class Place(NamedTuple):
    """Both from 0."""

    position: int  # along the ventricle
    phase: int  # of the heartbeat


def image_number(name: str) -> Optional[int]:
    """The image's number that the name of a slice ends in, such as 48 of SC-HF-I-01-IM-0001-0048; None without one."""
    match = IMAGE_NUMBER.search(os.path.basename(name))
    return int(match.group(1)) if match else None


def place(name: str) -> Optional[Place]:
    """Of the slice of that name; None where it does not tell."""
    number = image_number(name)
    return Place(*divmod(number - 1, PHASES)) if number else None
