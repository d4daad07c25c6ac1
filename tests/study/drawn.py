"""A study made by hand: three slices of two phases, and discs in the place of what a network would find in it."""

import numpy as np

from study import headers, outlines, segmenting, stack, ventricle, volumes
from tests.data_prep.studies import dicom, write_tree

SIZE = 256
SLICES, PHASES = 3, 2
SPACING = 1.5  # mm
GAP = 8  # mm from slice to slice
FIRST = (-100, -120)  # mm, of the first pixel's centre
STUDY, SERIES, FRAME_OF_REFERENCE = '2.25.1', '2.25.2', '2.25.3'


def uid(number, phase):
    return f'2.25.10.{number}.{phase}'


def name(number, phase):
    return f'scan/picture {number}{phase}'


def value(number, phase):
    """Of all pixels of an image."""
    return 100 * number + phase


def elements(number, phase):
    """What the header of an image says; slices from the base on, which lies nearer to the head than the apex."""
    return {
        'SOPInstanceUID': uid(number, phase),
        'StudyInstanceUID': STUDY,
        'SeriesInstanceUID': SERIES,
        'FrameOfReferenceUID': FRAME_OF_REFERENCE,
        'SeriesNumber': 3,
        'InstanceNumber': 20 * number + phase + 1,
        'ImagePositionPatient': [*FIRST, -GAP * number],
        'ImageOrientationPatient': [1, 0, 0, 0, 1, 0],
        'PixelSpacing': [SPACING, SPACING],
        'SliceThickness': 6,
        'TriggerTime': 400 * phase,
        'PatientName': 'Doe^Jane',
        'PatientID': 'DOE-0815',
        'PatientBirthDate': '19570413',
        'PatientSex': 'F',
        'StudyDate': '20010203',
    }


def write(folder, shape=(SIZE, SIZE), kind=np.int16, **changed):
    """Pixels tell slice and phase; `changed` replaces elements of all images, by a function of slice and phase, too."""
    return write_tree(
        folder,
        {
            name(number, phase): dicom(
                np.full(shape, value(number, phase), kind),
                **{
                    **elements(number, phase),
                    **{key: made(number, phase) if callable(made) else made for key, made in changed.items()},
                },
            )
            for number in range(SLICES)
            for phase in range(PHASES)
        },
    )


def disc(radius, centre, shape=(SIZE, SIZE)):
    """bool: the pixels whose centres lie within it; `centre`: x, y."""
    y, x = np.indices(shape)
    return (x - centre[0]) ** 2 + (y - centre[1]) ** 2 <= radius**2


def discs(shape=(SIZE, SIZE)):
    """Smaller towards the apex and in the second phase; the apex's is empty then."""
    radii = np.array([[20, 15], [16, 12], [12, 0]])
    kept = [[disc(radius, (120, 100), shape) for radius in of_slice] for of_slice in radii]
    return np.array(kept) & (radii > 0)[..., np.newaxis, np.newaxis]


def segmented(folder, kept):
    """What `study.segmenting.segment` would give if the network found just these pixels."""
    images = stack.choose(headers.find(str(folder)).images, None).stack
    pixels = segmenting._pixels(str(folder), images)
    drawn = [[outlines.outline(mask.astype(np.float32), mask) for mask in of_slice] for of_slice in kept]
    areas = np.array([[SPACING**2 * outlines.area(points) for points in of_slice] for of_slice in drawn])
    return segmenting.Segmented(
        images,
        pixels,
        ventricle.Ventricle(kept, 0, []),
        drawn,
        areas,
        volumes.volumes(areas, volumes.thicknesses(images)),
    )
