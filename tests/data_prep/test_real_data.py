"""The commands on real data, against what was published of it."""

import csv

import numpy as np
import pytest
from PIL import Image

PUBLISHED = 'data/sunnybrook_png'


@pytest.fixture(scope='module')
def prepared(shared, run, tmp_path_factory, read_records):
    """Runs a command once; returns its records by slice name, split into 'train' and 'val', and what it printed."""

    def prepare(*args):
        out = tmp_path_factory.mktemp('out')
        args = [shared / arg if str(arg).startswith('data/') else arg for arg in args]
        done = run('-m', 'data_prep', *args, '--out', out, check=True)
        assert done.stderr == ''
        with open(str(out / 'manifest.csv')) as file:
            rows = list(csv.DictReader(file))
        sides = {}
        for side in ('train', 'val'):
            names = [row['name'].split('/')[-1] for row in rows if row['split'] == side]
            sides[side] = dict(zip(names, read_records(out, side)))
        return sides, done.stdout

    return prepare


@pytest.fixture(scope='module')
def atlas_records(prepared):
    return prepared('sunnybrook', 'data/sunnybrook_cardiac_atlas', '--val_fraction', 0)


@pytest.fixture(scope='module')
def png_records(prepared):
    return prepared('images', f'{PUBLISHED}/Images', f'{PUBLISHED}/Labels', '--val_names', f'{PUBLISHED}/val_names.txt')


def published(shared, kind, name):
    array = np.asarray(Image.open(str(shared / PUBLISHED / kind / 'Sunnybrook_Part1' / f'{name}.dcm.png')))
    return array[..., 0].astype(np.int64)


def test_masks_of_the_cardiac_atlas_layout_equal_the_published_ones(shared, atlas_records):
    records = atlas_records[0]['train']
    assert len(records) == 56
    for name, (_, mask) in records.items():
        np.testing.assert_array_equal(mask, published(shared, 'Labels', name) // 255, err_msg=name)


def test_images_of_the_cardiac_atlas_layout_look_like_the_published_ones(shared, atlas_records):
    # Those were scaled to 0 to 255 from each image's own minimum and maximum, so one is a line of the other.
    for name, (image, _) in atlas_records[0]['train'].items():
        scaled = (image - image.min()) * 255 / (image.max() - image.min())
        assert np.abs(scaled - published(shared, 'Images', name)).max() <= 1, name


def test_closing_lines_count_what_has_no_contour(atlas_records):
    # 240 + 36 + 39 DICOM files, of which 56 have an endocardial contour.
    assert 'Passed over: 259 frames without a contour.' in atlas_records[1]


def test_the_2009_layout_has_the_same_slices(prepared, atlas_records):
    sides, stdout = prepared('sunnybrook', 'data/sunnybrook_2009_challenge', '--val_fraction', 0)
    assert 'Found 38 endocardial contours, in the layout of the 2009 challenge.' in stdout
    assert 'Passed over: 37 frames without a contour.' in stdout  # 36 + 39 files
    records = sides['train']
    assert len(records) == 38
    for name, (image, mask) in records.items():
        image_there, mask_there = atlas_records[0]['train'][name]
        np.testing.assert_array_equal(image, image_there)
        np.testing.assert_array_equal(mask, mask_there)


def test_the_published_split_has_234_and_26_slices(shared, png_records):
    sides, stdout = png_records
    for side, file in (('train', 'train_names.txt'), ('val', 'val_names.txt')):
        names = (shared / PUBLISHED / file).read_text().split()
        assert {f'{name}.dcm.png' for name in sides[side]} == set(names)
    assert (len(sides['train']), len(sides['val'])) == (234, 26)
    assert 'Found 260 images and 260 masks, by their names of 15 patients.' in stdout


@pytest.mark.parametrize(('side', 'background'), [('train', 0.983), ('val', 0.985)])
def test_the_share_of_background_is_the_published_one(png_records, side, background):
    masks = [mask for _, mask in png_records[0][side].values()]
    assert round(1 - np.mean(masks), 3) == background


def test_published_pictures_are_read_pixel_for_pixel(shared, png_records):
    for records in png_records[0].values():
        for name, (image, mask) in records.items():
            np.testing.assert_array_equal(image, 4 * published(shared, 'Images', name))
            np.testing.assert_array_equal(mask, published(shared, 'Labels', name) // 255)
