"""Studies made by hand for the tests: a ventricle that is a bright disc, and a network that takes what is bright."""

from lvseg.prediction import Trained

import numpy as np

from tests.data_prep import studies

SPACING = 1.5  # mm
BRIGHT = 1000


def disc(radius, size=256):
    """Pixels of an image with a bright disc around its middle."""
    rows, columns = np.indices((size, size)) - (size - 1) / 2
    return np.where(np.hypot(rows, columns) <= radius, BRIGHT, 0).astype(np.int16)


def image(radius, position, phase, **elements):
    """A DICOM file's bytes: the plane lies `position` mm from the base, the series has ten phases of 100 ms."""
    given = {
        'StudyInstanceUID': '1.2.840.1',
        'SeriesInstanceUID': '1.2.840.1.1',
        'SeriesNumber': 7,
        'SOPInstanceUID': f'1.2.840.1.1.{int(position * 10) + 1}.{phase + 1}',
        'InstanceNumber': int(position * 10) + phase + 1,
        # Rows run to the left, columns to the feet: so the normal points to the front, where the apex is.
        'ImageOrientationPatient': [1, 0, 0, 0, 0, -1],
        'ImagePositionPatient': [0, 0, 0] if position == 0 else [0, -position, 0],
        'PixelSpacing': [SPACING, SPACING],
        'SpacingBetweenSlices': 10,
        'TriggerTime': 100 * phase,
        'HeartRate': 60,
        **elements,
    }
    pixels = given.pop('pixels', None)
    return studies.dicom(disc(radius) if pixels is None else pixels, **given)


def cine(radii, spacing=10, **elements):
    """Files of a series; `radii`: of the disc in pixels, by slice and phase."""
    return {
        f'{number:02d}-{phase:02d}.dcm': image(radius, number * spacing, phase, **elements)
        for number, of_slice in enumerate(radii)
        for phase, radius in enumerate(of_slice)
    }


def bright(pixels):
    """What a network would say that takes bright pixels for ventricle."""
    return (pixels >= BRIGHT / 2).astype(np.float32)


NETWORK = Trained('logs/model.ckpt-9', 9, 'cnn', {'exercise': 'cnn', 'seed': 3, 'num_epochs': 30}, bright)
