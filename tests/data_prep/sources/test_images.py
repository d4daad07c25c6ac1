import csv

import numpy as np
import pytest
from PIL import Image

from data_prep.sources import images

IMAGE = np.arange(256, dtype=np.uint8).repeat(256).reshape(256, 256)  # row y has the value y
MASK = np.zeros((256, 256), np.uint8)
MASK[100:110, 50:70] = 255  # 10 x 20 = 200 pixels


@pytest.fixture
def folders(tmp_path, write_tree):
    def make(image_files, mask_files):
        for name in ('images', 'masks'):
            (tmp_path / name).mkdir()
        write_tree(tmp_path / 'images', image_files)
        write_tree(tmp_path / 'masks', mask_files)
        return tmp_path / 'images', tmp_path / 'masks', '--out', tmp_path / 'out'

    return make


@pytest.fixture
def convert(folders, succeed, read_records, tmp_path):
    """Converts one image and one mask, both bytes; returns the record's image and label."""

    def one(image, mask, *flags, image_name='a.png', mask_name='a.png'):
        succeed('images', *folders({image_name: image}, {mask_name: mask}), '--val_fraction', 0, *flags)
        ((pixels, label),) = read_records(tmp_path / 'out', 'train')
        return pixels, label

    return one


def test_8_bit_pixels_are_multiplied_by_4_and_masks_become_0_and_1(convert, make_picture):
    pixels, label = convert(make_picture(IMAGE), make_picture(MASK))
    np.testing.assert_array_equal(pixels, IMAGE.astype(np.int64) * 4)
    np.testing.assert_array_equal(label, MASK // 255)
    assert pixels.max() / 1024 < 1


def test_pixels_of_more_bits_are_left_alone(convert, make_picture):
    pixels, _ = convert(make_picture(IMAGE.astype(np.uint16) + 2000), make_picture(MASK))
    np.testing.assert_array_equal(pixels, IMAGE.astype(np.int64) + 2000)


def test_published_pictures_have_three_equal_channels(convert, make_picture):
    as_rgb = [np.stack([array] * 3, axis=-1) for array in (IMAGE, MASK)]
    pixels, label = convert(*map(make_picture, as_rgb))
    np.testing.assert_array_equal(pixels, IMAGE.astype(np.int64) * 4)
    assert label.sum() == 200


@pytest.mark.parametrize(
    ('image_format', 'mask_format'), [('TIFF', 'PNG'), ('PNG', 'TIFF'), ('PNG', 'JPEG'), ('JPEG', 'PNG')]
)
def test_image_and_mask_may_differ_in_format(convert, make_picture, image_format, mask_format):
    extensions = {'PNG': '.PNG', 'TIFF': '.tif', 'JPEG': '.jpeg'}
    _, label = convert(
        make_picture(IMAGE, image_format),
        make_picture(MASK, mask_format),
        image_name='a' + extensions[image_format],
        mask_name='a' + extensions[mask_format],
    )
    np.testing.assert_array_equal(label, MASK // 255)


@pytest.mark.parametrize('name', ['a.dcm', 'a', '1.2.840.113'])
def test_dicom_is_read_whatever_its_extension(convert, make_dicom, make_picture, name):
    pixels, label = convert(
        make_dicom(IMAGE.astype(np.int16) - 5),
        make_picture(MASK),
        image_name=name,
        mask_name=f'{name}.png'.replace('.dcm', ''),
    )
    np.testing.assert_array_equal(pixels, IMAGE.astype(np.int64) - 5)
    assert label.sum() == 200


def test_8_bit_dicom_is_multiplied_by_4_too(convert, make_dicom):
    pixels, label = convert(make_dicom(IMAGE), make_dicom(MASK), image_name='a.dcm', mask_name='a.dcm')
    np.testing.assert_array_equal(pixels, IMAGE.astype(np.int64) * 4)
    np.testing.assert_array_equal(label, MASK // 255)


def marked(height, width, row, column, value=9):
    array = np.full((height, width), value, np.uint8)
    array[row, column] = 200
    return array


@pytest.mark.parametrize(
    ('height', 'width', 'mark', 'comes_to'),
    [
        (100, 256, (0, 0), (78, 0)),  # (256 - 100) / 2 = 78 rows above
        (256, 101, (3, 100), (3, 177)),  # 155 columns missing: 77 on the left, 78 on the right
        (300, 256, (22, 5), (0, 5)),  # (300 - 256) / 2 = 22 rows cut off above
        (256, 257, (5, 255), (5, 255)),  # 1 column too many: cut off on the right
        (300, 101, (22, 0), (0, 77)),
    ],
)
def test_other_sizes_are_padded_and_cropped_around_the_centre(convert, make_picture, height, width, mark, comes_to):
    mask = marked(height, width, *mark, value=0)
    pixels, label = convert(make_picture(marked(height, width, *mark)), make_picture(mask))
    assert np.argwhere(label).tolist() == [list(comes_to)]
    assert np.argwhere(pixels == 800).tolist() == [list(comes_to)]  # 200 * 4
    inside = min(height, 256) * min(width, 256)
    assert (pixels == 36).sum() == inside - 1  # 9 * 4
    assert (pixels == 0).sum() == 256 * 256 - inside


def test_resizing_takes_image_and_mask_alike(convert, make_picture):
    # Four quarters of 64 x 128 become quarters of 128 x 128, in the image and in the mask.
    image = np.zeros((128, 256), np.uint8)
    image[64:, 128:] = 100
    pixels, label = convert(make_picture(image), make_picture(image), '--fit', 'resize')
    expected = np.zeros((256, 256), np.uint8)
    expected[128:, 128:] = 1
    np.testing.assert_array_equal(label, expected)
    away_from_the_edge = np.ones(256, bool)
    away_from_the_edge[126:130] = False
    inner = np.ix_(away_from_the_edge, away_from_the_edge)
    np.testing.assert_array_equal(pixels[inner], 400 * expected[inner].astype(np.int64))


@pytest.mark.parametrize('side', [100, 400])
def test_a_mask_is_resized_by_nearest_neighbour(convert, make_picture, side):
    mask = np.random.RandomState(0).rand(side, side) < 0.5
    image = np.zeros((side, side), np.uint8)
    _, label = convert(make_picture(image), make_picture(mask), '--fit', 'resize', '--label', 255)
    # The middle of pixel i of 256 lies at (i + 0.5) * side / 256 of the mask's pixels.
    nearest = [int((i + 0.5) * side / 256) for i in range(256)]
    np.testing.assert_array_equal(label, mask[np.ix_(nearest, nearest)])


@pytest.mark.parametrize(
    ('fit', 'spacing'),
    [
        ('centre', '2\\1.5'),  # The pixels stay what they are.
        ('resize', '1\\1.875'),  # 128 rows of 2 mm are 256 of 1 mm; 320 columns of 1.5 mm are 256 of 1.875 mm.
    ],
)
def test_the_spacing_is_that_of_the_records_pixels(folders, succeed, tmp_path, make_dicom, make_picture, fit, spacing):
    image = make_dicom(np.zeros((128, 320), np.int16), PixelSpacing=['2', '1.5'])
    args = folders({'a.dcm': image}, {'a.png': make_picture(np.zeros((128, 320), np.uint8))})
    succeed('images', *args, '--val_fraction', 0, '--fit', fit)
    (row,) = csv.DictReader((tmp_path / 'out/manifest.csv').open())
    assert row['pixel_spacing'] == spacing


def test_pictures_other_than_dicom_have_no_spacing(folders, succeed, tmp_path, make_picture):
    succeed('images', *folders({'a.png': make_picture(IMAGE)}, {'a.png': make_picture(MASK)}), '--val_fraction', 0)
    (row,) = csv.DictReader((tmp_path / 'out/manifest.csv').open())
    assert row['pixel_spacing'] == ''


def test_resizing_leaves_256_x_256_alone(convert, make_picture):
    pixels, label = convert(make_picture(IMAGE), make_picture(MASK), '--fit', 'resize')
    np.testing.assert_array_equal(pixels, IMAGE.astype(np.int64) * 4)
    np.testing.assert_array_equal(label, MASK // 255)


def test_different_sizes_of_image_and_mask_are_refused(folders, data_prep, make_picture):
    done = data_prep('images', *folders({'a.png': make_picture(IMAGE)}, {'a.png': make_picture(MASK[:100])}))
    assert 'a.png: is 256 x 100, but its image is 256 x 256' in done.error


def test_colour_is_refused_in_an_image(folders, data_prep, make_picture):
    red = np.stack([IMAGE, MASK, MASK], axis=-1)
    done = data_prep('images', *folders({'a.png': make_picture(red)}, {'a.png': make_picture(red)}))
    assert 'a.png: is in colour' in done.error


def test_sub_folders_are_searched(folders, succeed, tmp_path, make_picture):
    image, mask = make_picture(IMAGE), make_picture(MASK)
    args = folders(
        {'p1/a.png': image, 'p2/deep/a.tif': make_picture(IMAGE, 'TIFF')}, {'p1/a.png': mask, 'p2/deep/a.png': mask}
    )
    succeed('images', *args, '--val_fraction', 0)
    rows = list(csv.DictReader((tmp_path / 'out/manifest.csv').open()))
    assert sorted((row['image'], row['mask'], row['patient']) for row in rows) == [
        ('p1/a.png', 'p1/a.png', 'p1'),
        ('p2/deep/a.tif', 'p2/deep/a.png', 'p2'),
    ]


def test_linked_folders_are_searched_and_circles_are_not_followed(folders, succeed, tmp_path, make_picture):
    args = folders({}, {'linked/a.png': make_picture(MASK)})
    (tmp_path / 'elsewhere').mkdir()
    (tmp_path / 'elsewhere/a.png').write_bytes(make_picture(IMAGE))
    (tmp_path / 'images/linked').symlink_to(tmp_path / 'elsewhere')
    (tmp_path / 'elsewhere/up').symlink_to(tmp_path / 'images')
    assert 'Found 1 image and 1 mask, by their names of 1 patient.' in succeed('images', *args, '--val_fraction', 0)


def test_unmatched_images_and_masks_are_counted_and_the_first_is_named(folders, data_prep, make_picture):
    picture = make_picture(MASK)
    args = folders(
        {f'{name}.png': picture for name in ('a', 'b', 'c', 'd')}, {f'{name}.png': picture for name in ('a', 'x', 'y')}
    )
    error = data_prep('images', *args).error
    assert 'b.png: has no mask of the same name (and 2 more such files)' in error
    assert 'x.png: is a mask without an image of the same name (and 1 more such file)' in error


def test_the_same_name_twice_is_refused(folders, data_prep, make_picture):
    picture = make_picture(MASK)
    done = data_prep('images', *folders({'a.png': picture, 'a.dcm.png': picture}, {'a.png': picture}))
    assert 'a.dcm.png: is one of several images of the same name, as a.png' in done.error


def test_the_same_mask_twice_is_refused(folders, data_prep, make_picture):
    picture = make_picture(MASK)
    done = data_prep('images', *folders({'a.png': picture}, {'a.png': picture, 'a.tif': picture}))
    assert 'has several masks of the same name, a.png and a.tif' in done.error


def test_other_files_are_passed_over_and_counted(folders, succeed, make_picture):
    picture = make_picture(MASK)
    args = folders(
        {'a.png': picture, 'notes.txt': 'x', '._a.png': 'from a Macintosh'}, {'a.png': picture, 'Thumbs.db': 'x'}
    )
    assert 'Passed over: 2 files of other kinds.' in succeed('images', *args, '--val_fraction', 0)


def test_jpeg_masks_are_mentioned(folders, succeed, make_picture):
    args = folders({'a.png': make_picture(IMAGE)}, {'a.jpg': make_picture(MASK, 'JPEG')})
    assert 'masks are JPEG' in succeed('images', *args, '--val_fraction', 0)


@pytest.mark.parametrize(('image_files', 'found'), [({}, 'no others'), ({'notes.txt': 'x'}, '1 others')])
def test_a_folder_without_pictures_is_refused(folders, data_prep, make_picture, image_files, found):
    done = data_prep('images', *folders(image_files, {'a.png': make_picture(MASK)}))
    assert f'images has no PNG, JPEG, TIFF or DICOM files, but {found}' in done.error


def test_listed_names_validate(folders, succeed, read_records, tmp_path, make_picture):
    mask = make_picture(MASK)
    names = ['SC-N-02-IM-0001-0001', 'SC-N-02-IM-0001-0002', 'SC-N-03-IM-0001-0001']
    levels = {name: np.full((256, 256), level, np.uint8) for level, name in enumerate(names)}
    args = folders(
        {f'Part1/{name}.dcm.png': make_picture(levels[name]) for name in names},
        {f'Part1/{name}.dcm.png': mask for name in names},
    )
    (tmp_path / 'val.txt').write_text(f'{names[1]}.dcm.png\n')
    stdout = succeed('images', *args, '--val_names', tmp_path / 'val.txt')
    assert 'train: 2 slices of 2 patients' in stdout
    assert 'val: 1 slice of 1 patient in' in stdout
    assert [image[0, 0] for image, _ in read_records(tmp_path / 'out', 'val')] == [4]  # level 1, times 4
    assert sorted(image[0, 0] for image, _ in read_records(tmp_path / 'out', 'train')) == [0, 8]


def test_listed_names_may_not_break_a_split_by_patient(folders, data_prep, tmp_path, make_picture):
    picture = make_picture(MASK)
    files = {f'SC-N-02-IM-0001-000{number}.png': picture for number in (1, 2)}
    args = folders(files, files)
    (tmp_path / 'val.txt').write_text('SC-N-02-IM-0001-0001\n')
    done = data_prep('images', *args, '--val_names', tmp_path / 'val.txt', '--split', 'patient')
    assert 'puts 1 patients on both sides, such as SC-N-02' in done.error


def test_images_and_masks_may_lie_in_one_folder_twice_given(succeed, tmp_path, make_picture, write_tree):
    # A picture that is its own mask: where it is black, there is no ventricle.
    write_tree(tmp_path / 'both', {'a.png': make_picture(Image.fromarray(MASK))})
    succeed('images', tmp_path / 'both', tmp_path / 'both', '--out', tmp_path / 'out', '--val_fraction', 0)


def test_images_alone_can_be_read_too(tmp_path, write_tree, make_picture, make_dicom):
    files = {
        'b/a.png': make_picture(IMAGE),
        'a.dcm': make_dicom(marked(300, 256, 22, 5).astype(np.int16)),
        'n.txt': 'x',
    }
    folder = str(write_tree(tmp_path, files))
    assert images.find_images(folder) == ['a.dcm', 'b/a.png']
    np.testing.assert_array_equal(images.read_image(folder, 'b/a.png'), IMAGE.astype(np.int64) * 4)
    assert np.argwhere(images.read_image(folder, 'a.dcm') == 200).tolist() == [[0, 5]]  # 22 rows cut off above
