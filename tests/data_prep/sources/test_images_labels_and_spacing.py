"""Pictures of one's own whose masks have several values, and whose pixels are of several sizes."""

import csv
import math

import numpy as np
import pytest
from PIL import Image

IMAGE = np.full((256, 256), 50, np.uint8)
EMPTY = np.zeros((256, 256), np.uint8)


def squares(*values, shape=(256, 256)):
    """A mask of squares side by side, each of 20 x 20 pixels of a value."""
    mask = np.zeros(shape, np.uint8)
    for place, value in enumerate(values):
        mask[100:120, 100 + 20 * place : 120 + 20 * place] = value
    return mask


def disc(side, radius):
    rows, columns = np.ogrid[:side, :side]
    return (((rows + 0.5 - side / 2) ** 2 + (columns + 0.5 - side / 2) ** 2) < radius**2).astype(np.uint8)


@pytest.fixture
def folders(tmp_path, write_tree, make_picture):
    """Images and masks, arrays or files' bytes, of the same names; returns what stands behind `images`."""

    def make(images, masks):
        for folder, pictures in (('images', images), ('masks', masks)):
            files = {name: data if isinstance(data, bytes) else make_picture(data) for name, data in pictures.items()}
            write_tree(tmp_path / folder, files)
        return tmp_path / 'images', tmp_path / 'masks', '--out', tmp_path / 'out', '--val_fraction', 0

    return make


@pytest.fixture
def masked(folders):
    """As `folders`, of masks alone: all images are alike."""
    return lambda masks: folders(dict.fromkeys(masks, IMAGE), masks)


@pytest.fixture
def rows(tmp_path):
    return lambda: {row['name']: row for row in csv.DictReader((tmp_path / 'out/manifest.csv').open())}


# --- Labels ---


@pytest.mark.parametrize('workers', [1, 2])
@pytest.mark.parametrize('skip_bad', [[], ['--skip_bad']])
def test_masks_of_several_values_are_refused_until_one_is_said(masked, data_prep, tmp_path, rows, workers, skip_bad):
    # 3 * 400 pixels of 1, 2 * 400 of 2, 1 * 400 of 3.
    args = (*masked({'a.png': squares(1, 2, 3), 'b.png': squares(1, 2), 'c.png': squares(1)}), '--workers', workers)
    error = data_prep('images', *args, *skip_bad).error
    assert '1 (1,200 pixels in 3 masks), 2 (800 pixels in 2 masks), 3 (400 pixels in 1 mask)' in error
    assert '--label' in error
    assert not (tmp_path / 'out').exists()
    done = data_prep('images', *args, *skip_bad, '--label', 2)
    assert (done.status, done.stderr) == (0, '')
    assert 'Left ventricle is 2 in the masks; left out are 1 (1,200 pixels in 3 masks), 3 (400' in done.stdout
    assert {name: row['lv_pixels'] for name, row in rows().items()} == {'a': '400', 'b': '400', 'c': '0'}


def test_a_palette_is_told_by_its_colours(masked, make_picture, data_prep, succeed, rows):
    image = Image.fromarray(squares(1, 2, 2), 'P')
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    args = masked({'a.png': make_picture(image)})
    assert '#00ff00 (800 pixels in 1 mask), #ff0000 (400 pixels in 1 mask)' in data_prep('images', *args).error
    for text in ('ff0000', '#FF0000'):
        succeed('images', *args, '--label', text)
        assert rows()['a']['lv_pixels'] == '400'


def test_a_palette_that_begins_with_white_is_asked_about(masked, make_picture, data_prep, succeed, rows):
    image = Image.fromarray(squares(1), 'P')
    image.putpalette([255, 255, 255, 0, 0, 0])
    args = masked({'a.png': make_picture(image)})
    # 65536 - 400 = 65136 pixels are 99.4 %.
    assert 'the value 255 covers over half of the picture' in data_prep('images', *args).error
    assert '99.4%' in data_prep('images', *args, '--skip_bad').error
    succeed('images', *args, '--label', 0)
    assert rows()['a']['lv_pixels'] == '400'


def test_one_inverted_mask_among_others_is_asked_about(masked, data_prep):
    args = masked({'a.png': squares(255), 'b.png': 255 - squares(255), 'c.png': squares(255)})
    assert 'in 1 of 3 masks' in data_prep('images', *args).error


def test_values_of_a_dicom_mask_are_told_too(masked, make_dicom, data_prep, succeed, rows):
    args = masked({'a.dcm': make_dicom(squares(1, 3).astype(np.int16))})
    (args[0] / 'a.dcm').write_bytes(make_dicom(IMAGE.astype(np.int16)))
    assert '1 (400 pixels in 1 mask), 3 (400' in data_prep('images', *args).error
    succeed('images', *args, '--label', 3)
    assert rows()['a']['lv_pixels'] == '400'


def test_a_label_that_no_mask_has_is_refused(masked, data_prep):
    assert (
        '--label 7: no mask has this value' in data_prep('images', *masked({'a.png': squares(3)}), '--label', 7).error
    )


def test_a_picture_in_the_place_of_a_mask_is_a_bad_slice(masked, data_prep, succeed):
    noise = np.random.RandomState(0).randint(0, 60_000, (256, 256)).astype(np.uint16)
    args = masked({'a.png': noise, 'b.png': squares(255)})
    assert 'a.png: has ' in data_prep('images', *args).error
    assert 'Left out 1 slice' in succeed('images', *args, '--skip_bad')


def test_a_label_that_is_none_is_refused_in_one_line(data_prep):
    done = data_prep('images', 'a', 'b', '--out', 'out', '--label', 'red')
    assert done.status == 2
    assert "such as 3 or ff0000, is wanted, not 'red'" in done.stderr


# --- Spacing ---


def test_slices_of_several_spacings_come_to_one(
    folders, make_dicom, make_picture, succeed, rows, tmp_path, read_records
):
    # A disc of a radius of 30 mm, pi * 30 * 30 = 2827 square mm, drawn with pixels of 1.4, 3 and 0.7 mm.
    sides = {'a': (256, 1.4), 'b': (100, 3), 'c': (400, 0.7)}
    discs = {name: disc(side, 30 / spacing) for name, (side, spacing) in sides.items()}
    images = {
        'a.dcm': make_dicom(discs['a'].astype(np.int16) * 500, PixelSpacing=['1.4', '1.4']),
        'b.png': make_picture(discs['b'] * 100, dpi=(25.4 / 3, 25.4 / 3)),
        'c.tif': make_picture(discs['c'] * 100, 'TIFF', dpi=(25.4 / 0.7, 25.4 / 0.7)),
    }
    args = folders(images, {f'{name}.png': mask * 255 for name, mask in discs.items()})
    stdout = succeed('images', *args, '--spacing', 1.4)
    for row in rows().values():
        spacing = float(row['pixel_spacing'])
        assert spacing == pytest.approx(1.4, rel=0.001)
        assert int(row['lv_pixels']) * spacing**2 == pytest.approx(math.pi * 30**2, rel=0.015)
    for image, label in read_records(tmp_path / 'out', 'train'):
        assert (image[label == 1] > 150).mean() > 0.95  # Of 400 or 500: image and mask lie on one another.
        assert (image[label == 0] < 250).mean() > 0.99
    # 100 rows of 3 mm are 214 of 1.4 mm, and 400 of 0.7 mm are 200.
    assert 'To come to 256 x 256 pixels: 2 slices resampled, 2 slices padded.' in stdout
    assert 'WARNING' not in stdout


def test_without_a_spacing_mixed_ones_are_a_line_of_warning(folders, make_dicom, succeed):
    def make(spacing):
        return make_dicom(IMAGE.astype(np.int16), PixelSpacing=[str(spacing)] * 2)

    spacings = {'a.dcm': 1.25, 'b.dcm': 1.4, 'c.dcm': 3, 'd.dcm': 1.3}
    args = folders(
        {name: make(spacing) for name, spacing in spacings.items()},
        {f'{name[0]}.png': squares(255) for name in spacings},
    )
    (line,) = [line for line in succeed('images', *args).splitlines() if 'WARNING' in line]
    assert 'pixel spacings are mixed: 3 slices of 1.25 to 1.4 mm, 1 slice of 3 mm; --spacing' in line
    (args[0] / 'c.dcm').write_bytes(make(1.8))  # 1.8 / 1.25 = 1.44
    assert 'WARNING' not in succeed('images', *args)


def test_small_ventricles_are_a_line_of_warning(masked, succeed):
    small, empty = EMPTY.copy(), EMPTY
    small[100:109, 100:111] = 255  # 99 pixels
    args = masked({'a.png': small, 'b.png': small, 'c.png': squares(255), 'd.png': empty})
    assert 'WARNING: ventricles are small: half of them have at most 99 pixels' in succeed('images', *args)
    assert 'WARNING' not in succeed('images', *masked({'a.png': squares(255), 'b.png': squares(255)}))


def test_an_unknown_spacing_is_a_bad_slice_if_one_is_wanted_until_it_is_told(folders, make_picture, data_prep, rows):
    mask = disc(128, 20) * 255  # pi * 400 pixels of 2.8 mm are 4 times as many of 1.4 mm: 5027
    told = make_picture(disc(128, 20) * 100, dpi=(25.4 / 1.4, 25.4 / 1.4))
    args = folders({'a.png': disc(128, 20) * 100, 'b.png': told}, {'a.png': mask, 'b.png': mask})
    error = data_prep('images', *args, '--spacing', 1.4).error
    assert '1 of 2 slices' in error
    assert 'a.png: does not tell its pixel spacing, which --spacing needs; tell it with --pixel_size' in error
    assert data_prep('images', *args, '--spacing', 1.4, '--pixel_size', 2.8).status == 0
    assert int(rows()['a']['lv_pixels']) == pytest.approx(4 * math.pi * 400, rel=0.01)
    assert int(rows()['b']['lv_pixels']) == disc(128, 20).sum()


def test_a_pixel_size_that_is_told_goes_on_to_the_manifest(masked, succeed, rows):
    succeed('images', *masked({'a.png': squares(255)}), '--pixel_size', 1.3)
    assert rows()['a']['pixel_spacing'] == '1.3'


@pytest.mark.parametrize('flag', ['--spacing', '--pixel_size'])
@pytest.mark.parametrize('value', ['0', '-1', 'nan', '11', 'x'])
def test_spacings_that_are_none_are_refused(data_prep, flag, value):
    done = data_prep('images', 'a', 'b', '--out', 'out', f'{flag}={value}')
    assert done.status == 2
    assert f"from 0.01 to 10 is wanted, not '{value}'" in done.stderr


def test_a_spacing_and_resizing_exclude_each_other(masked, data_prep):
    args = masked({'a.png': squares(255)})
    assert 'give one of the two' in data_prep('images', *args, '--spacing', 1.4, '--fit', 'resize').error


# --- Padding and cropping ---


def test_what_was_padded_and_cropped_is_counted(folders, succeed):
    shapes = {'a.png': (256, 256), 'b.png': (300, 300), 'c.png': (200, 300), 'd.png': (200, 256)}
    blank = {name: np.zeros(shape, np.uint8) for name, shape in shapes.items()}
    stdout = succeed('images', *folders(blank, blank))
    assert 'To come to 256 x 256 pixels: 2 slices padded, 2 slices cropped.' in stdout
    assert 'To come to 256 x 256 pixels: 3 slices resized.' in succeed(
        'images', *folders(blank, blank), '--fit', 'resize'
    )


def test_a_ventricle_that_cropping_cuts_off_is_a_bad_slice_unless_allowed(folders, data_prep, succeed, rows):
    mask = np.zeros((300, 300), np.uint8)
    mask[12:32, 100:120] = 255  # 22 rows go above: 10 of 20 rows
    args = folders({'a.png': mask, 'b.png': IMAGE}, {'a.png': mask, 'b.png': squares(255)})
    error = data_prep('images', *args).error
    assert 'a.png: would lose 200 of the 400 pixels of its ventricle' in error
    assert '--allow_cropped' in error
    assert 'Left out 1 slice' in succeed('images', *args, '--skip_bad')
    stdout = succeed('images', *args, '--allow_cropped')
    assert '1 slice cropped, 1 slice with part of the ventricle cut off.' in stdout
    assert rows()['a']['lv_pixels'] == '200'


def test_the_help_tells_the_flags_with_their_defaults(data_prep):
    text = ' '.join(data_prep('images', '-h').stdout.split())
    for flag, default in {
        '--label VALUE': 'default: the one value that is not 0',
        '--spacing MM': 'default: pixels stay as they are',
        '--pixel_size MM': 'default: unknown',
        '--allow_cropped': 'default: such a slice is a bad one',
    }.items():
        assert any(f'({default})' in part.split(' --')[0] for part in text.split(f' {flag} ')[1:]), flag
