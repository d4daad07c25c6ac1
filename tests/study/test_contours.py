"""The outlines as contours, read by `python -m data_prep sunnybrook` as an expert's are."""

import csv

from lvseg import records

import numpy as np
import pytest

from data_prep.contours import read_mask
from data_prep.sources import sunnybrook
from study import contours
from tests.study import drawn


def prepared(run, folder, out):
    """Name of a slice -> image and mask, as `python -m data_prep sunnybrook` makes records of the folder."""
    run('-m', 'data_prep', 'sunnybrook', folder, '--out', out, '--val_fraction', 0, check=True)
    with open(out / 'manifest.csv') as file:
        names = [row['name'] for row in csv.DictReader(file)]
    return dict(zip(names, records.read(str(out / 'train_images.tfrecords'))))


@pytest.fixture
def study(tmp_path):
    return drawn.write(tmp_path / 'study')


def test_masks_come_back_whole_through_data_prep(study, run, tmp_path):
    kept = drawn.discs()
    assert contours.write(str(tmp_path / 'contours'), drawn.segmented(study, kept)) == 5
    pairs = prepared(run, tmp_path / 'contours', tmp_path / 'data')
    # Images are numbered as in the study, 20 x slice + phase + 1; the last slice has an empty second phase.
    places = {(0, 0): 1, (0, 1): 2, (1, 0): 21, (1, 1): 22, (2, 0): 41}
    assert sorted(pairs) == sorted(f'STUDY-01-IM-0001-{number:04d}' for number in places.values())
    for (number, phase), image_number in places.items():
        image, label = pairs[f'STUDY-01-IM-0001-{image_number:04d}']
        np.testing.assert_array_equal(label > 0, kept[number, phase])
        assert np.ptp(image) == 0  # An image of one value in all its pixels.


def test_the_real_study_comes_back_whole_through_data_prep(shared, run, tmp_path):
    # The masks of the expert's own contours, in a study of which he outlined 18 of the 240 images.
    atlas = shared / 'data/sunnybrook_cardiac_atlas'
    images = drawn.stack.choose(drawn.headers.find(str(atlas / 'SCD_IMAGES_01/SCD0000101')).images, None).stack.images
    expert = {
        int(path.name[8:12]): read_mask(path.read_bytes()) > 0
        for path in (atlas / 'SCD_ManualContours/SC-HF-I-01').rglob('*icontour*')
    }
    assert len(expert) == 18
    none = np.zeros((256, 256), bool)
    kept = np.array([[expert.get(image.number, none) for image in of_slice] for of_slice in images])
    found = drawn.segmented(atlas / 'SCD_IMAGES_01/SCD0000101', kept)
    assert contours.write(str(tmp_path / 'contours'), found, study=7) == 18

    original = prepared(run, atlas, tmp_path / 'expert')
    for name, (image, label) in prepared(run, tmp_path / 'contours', tmp_path / 'data').items():
        theirs = original[name.replace('STUDY-07', 'SC-HF-I-01')]
        np.testing.assert_array_equal(image, theirs[0])
        np.testing.assert_array_equal(label, theirs[1])


@pytest.mark.parametrize('size', range(3, 60))
def test_any_lump_comes_back_whole(size):
    # A walk of random steps: pieces that hang together, with corners, necks and inlets.
    random = np.random.RandomState(size)
    steps = random.randint(-1, 2, (size, 2)).cumsum(axis=0)
    mask = np.zeros((256, 256), bool)
    for y, x in steps + 128:
        mask[y : y + 2, x : x + 2] = True
    mask = drawn.outlines.binary_fill_holes(mask)
    ((_, points),) = contours._contours(mask[np.newaxis, np.newaxis])
    text = ''.join(f'{x} {y}\n' for x, y in points)
    np.testing.assert_array_equal(read_mask(text.encode()), mask)


def test_a_contour_is_an_experts_own_kind_of_file(study, tmp_path):
    kept = np.zeros((drawn.SLICES, drawn.PHASES, 256, 256), bool)
    kept[1, 1, 50:53, 70:72] = True  # Three rows and two columns: the points are its six pixels, all at its edge.
    contours.write(str(tmp_path), drawn.segmented(study, kept))
    file = tmp_path / 'SCD_ManualContours/STUDY-01/contours-manual/IRCCI-expert/IM-0001-0022-icontour-manual.txt'
    lines = file.read_text().splitlines()
    assert sorted(lines) == ['70.00 50.00', '70.00 51.00', '70.00 52.00', '71.00 50.00', '71.00 51.00', '71.00 52.00']


def test_specks_that_enclose_nothing_have_no_contour(study, tmp_path):
    kept = np.zeros((drawn.SLICES, drawn.PHASES, 256, 256), bool)
    kept[0, 0, 5, 5] = True
    kept[1, 0, 5, 5:9] = True
    assert contours.write(str(tmp_path / 'contours'), drawn.segmented(study, kept)) == 0
    assert not (tmp_path / 'contours').exists()


def test_images_that_share_a_number_are_numbered_anew(tmp_path):
    study = drawn.write(tmp_path / 'study', InstanceNumber=1)
    contours.write(str(tmp_path / 'contours'), drawn.segmented(study, drawn.discs()))
    names = sorted(path.name for path in (tmp_path / 'contours').rglob('*.dcm'))
    # Two phases a slice; the sixth has no ventricle.
    assert names == [f'IM-0003-000{number}.dcm' for number in (1, 2, 3, 4, 5)]


@pytest.mark.parametrize('slope', [1, 1000])
def test_pixels_and_their_spacing_are_the_scanners(tmp_path, slope):
    study = drawn.write(tmp_path / 'study', RescaleSlope=slope, RescaleIntercept=-7)
    folder = str(tmp_path / 'contours')
    contours.write(folder, drawn.segmented(study, drawn.discs()))
    # 200 x 1000 is beyond what 16 bits hold.
    last = max(sunnybrook.find(folder).slices, key=lambda piece: piece.name)
    pair = sunnybrook.read(folder, last)
    assert (pair.image == slope * drawn.value(2, 0) - 7).all()
    assert pair.spacing == (1.5, 1.5)


def test_nothing_tells_who_the_patient_is(study, tmp_path):
    contours.write(str(tmp_path / 'contours'), drawn.segmented(study, drawn.discs()))
    files = [path for path in (tmp_path / 'contours').rglob('*') if path.is_file()]
    assert len(files) == 5 + 5 + 1
    for path in files:
        for secret in (b'Doe', b'DOE', b'19570413', b'20010203', drawn.STUDY.encode() + b'\0', b'2.25.10.'):
            assert secret not in path.read_bytes() + str(path.relative_to(tmp_path)).encode()
