"""What the names of slices, patients and cases tell: the one place that takes them apart.

A slice of the Sunnybrook data is called SC-HF-I-01-IM-0001-0048: the case, which names pathology and patient, a series
number that is always 0001, and the image's number.
"""

import os
import re

from lvseg.places import IMAGE_NUMBER

# Heart failure with infarct and without, hypertrophy, normal: the pathologies of the Sunnybrook data.
PATHOLOGIES = ('SC-HF-I', 'SC-HF-NI', 'SC-HYP', 'SC-N')

# Of pictures, in lower case.
EXTENSIONS = ('.png', '.jpg', '.jpeg', '.tif', '.tiff', '.dcm', '.dicom')

_CASE = re.compile(rf'({"|".join(PATHOLOGIES)})-[0-9]+')
_NUMBERED = re.compile(r'(.+-)([0-9]+)')
_LAST_NUMBER = re.compile(r'[-_. ]*[0-9]+$')


def case_name(text: str) -> str:
    """A case's name with its number padded to two digits: the data has both SC-HF-I-1 and SC-HF-I-01."""
    match = _NUMBERED.fullmatch(text)
    return f'{match.group(1)}{int(match.group(2)):02d}' if match else text


def pathology(case: str) -> str:
    """The pathology that a case's name tells, such as SC-HF-NI of SC-HF-NI-3 or SC-HF-NI-03; '' if it tells none."""
    match = _CASE.fullmatch(case)
    return match.group(1) if match else ''


def slice_name(case: str, image_number: int) -> str:
    """The name of a slice of the Sunnybrook data; `patient` tells the case again."""
    return f'{case}-IM-0001-{image_number:04d}'


def patient(name: str) -> str:
    """Whose slice it is, by its name; in doubt several patients count as one, so that none is on both sides.

    The part before -IM-<series>-<image>, as in SC-HF-I-01-IM-0001-0048; else the first sub-folder; else the name
    without the number at its end.
    """
    base = os.path.basename(name)
    if IMAGE_NUMBER.search(base):
        return case_name(IMAGE_NUMBER.sub('', base))
    if '/' in name:
        return name.split('/')[0]
    return _LAST_NUMBER.sub('', base) or 'unknown'


def without_extensions(path: str) -> str:
    """Takes all picture extensions off: the published names end in .dcm.png."""
    stem, extension = os.path.splitext(path)
    return without_extensions(stem) if extension.lower() in EXTENSIONS else path
