import struct
import zlib

from lvseg.errors import LabError

import numpy as np
import pytest
from PIL import Image

from data_prep import image_files, labels

GREY = np.array([[0, 1, 127], [128, 254, 255]], np.uint8)


def rgb(*channels):
    return np.stack(channels, axis=-1)


@pytest.mark.parametrize('file_format', ['PNG', 'TIFF'])
@pytest.mark.parametrize('mode', ['L', 'RGB', 'RGBA', 'LA', 'P'])
def test_8_bit_grey_is_read_as_stored_however_it_is_wrapped(make_picture, file_format, mode):
    picture = image_files.read_image(make_picture(Image.fromarray(GREY).convert(mode), file_format))
    assert picture.pixels.dtype == np.int64
    assert picture.pixels.tolist() == GREY.tolist()
    assert picture.eight_bit


@pytest.mark.parametrize('compression', ['tiff_lzw', 'tiff_deflate', 'packbits'])
def test_compressed_tiff_is_read(make_picture, compression):
    assert image_files.read_image(make_picture(GREY, 'TIFF', compression=compression)).pixels.tolist() == GREY.tolist()


def test_jpeg_is_read(make_picture):
    picture = image_files.read_image(make_picture(np.full((8, 8), 100, np.uint8), 'JPEG'))
    assert picture.pixels.tolist() == np.full((8, 8), 100).tolist()  # even areas survive compression
    assert picture.eight_bit


@pytest.mark.parametrize('file_format', ['PNG', 'TIFF'])
def test_16_bits_are_read_as_stored(make_picture, file_format):
    values = np.array([[0, 255, 256], [40_000, 65_535, 7]], np.uint16)
    picture = image_files.read_image(make_picture(values, file_format))
    assert picture.pixels.tolist() == values.tolist()
    assert not picture.eight_bit


def test_black_and_white_of_one_bit_is_0_and_255(make_picture):
    picture = image_files.read_image(make_picture(Image.fromarray(GREY >= 128)))
    assert picture.pixels.tolist() == [[0, 0, 0], [255, 255, 255]]


@pytest.mark.parametrize(
    ('image', 'reason'),
    [
        (Image.fromarray(rgb(GREY, GREY, GREY // 2)), 'in colour'),
        (Image.fromarray(rgb(GREY, GREY, GREY, GREY)), 'transparent'),
        (Image.fromarray(np.zeros((1, 4097), np.uint8)), '4097 x 1 pixels; up to 4096'),
    ],
)
def test_what_cannot_be_read_rightly_is_refused_with_the_reason(make_picture, image, reason):
    with pytest.raises(LabError, match=reason):
        image_files.read_image(make_picture(image))


@pytest.mark.parametrize('mode', ['F', 'CMYK'])
def test_fractions_and_inks_are_refused(make_picture, mode):
    image = Image.fromarray(rgb(GREY, GREY, GREY)).convert(mode)
    with pytest.raises(LabError, match=f'not read here .{mode}.'):
        image_files.read_image(make_picture(image, 'TIFF'))


def test_several_frames_are_refused(make_picture):
    frame = Image.fromarray(GREY)
    with pytest.raises(LabError, match='several frames'):
        image_files.read_image(make_picture(frame, 'TIFF', save_all=True, append_images=[frame]))


@pytest.mark.parametrize('data', [b'', b'text', b'GIF89a' + bytes(50)])
def test_other_files_are_refused(data):
    with pytest.raises(LabError, match='no PNG, JPEG or TIFF'):
        image_files.read_image(data)


@pytest.mark.parametrize(
    ('dtype', 'file_format', 'how'),
    [
        (np.uint8, 'PNG', {}),
        (np.uint16, 'PNG', {}),
        (np.uint8, 'JPEG', {}),
        (np.uint8, 'TIFF', {}),
        (np.uint16, 'TIFF', {}),
        (np.uint8, 'TIFF', {'compression': 'tiff_lzw'}),
    ],
)
def test_a_file_cut_off_before_its_last_pixel_is_refused(make_picture, dtype, file_format, how):
    noise = np.random.RandomState(0).randint(0, 256, (8, 8)).astype(dtype)
    data = make_picture(noise, file_format, **how)
    # Behind the pixels are at most 4 bytes of checksum and 16 of the last chunk, in a PNG.
    for length in range(len(data) - 25):
        with pytest.raises(LabError):
            image_files.read_image(data[:length])


def test_colour_of_16_bits_is_refused_because_pillow_reads_8_of_them():
    # Made by hand, as Pillow writes no such file: one red, green and blue sample of 16 bits.
    def chunk(kind, content):
        return struct.pack('>I', len(content)) + kind + content + struct.pack('>I', zlib.crc32(kind + content))

    header = struct.pack('>IIBBBBB', 1, 1, 16, 2, 0, 0, 0)
    row = b'\0' + struct.pack('>HHH', 300, 300, 300)
    data = b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(row)) + chunk(b'IEND', b'')
    with pytest.raises(LabError, match='16 bits'):
        image_files.read_image(data)


def test_a_mask_is_1_where_any_channel_is_not_0(make_picture):
    zeros = np.zeros((1, 3), np.uint8)
    mask = image_files.read_mask(make_picture(rgb(zeros + [[0, 1, 0]], zeros, zeros + [[0, 0, 255]]).astype(np.uint8)))
    assert mask.dtype == np.uint8
    assert mask.tolist() == [[0, 1, 1]]


@pytest.mark.parametrize('values', [[[0, 255]], [[0, 1]], [[0, 3]]])
@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_masks_of_any_value_and_width_are_read(make_picture, values, dtype):
    assert image_files.read_mask(make_picture(np.array(values, dtype))).tolist() == [[0, 1]]


@pytest.mark.parametrize(('file_format', 'how'), [('JPEG', {'quality': 30}), ('TIFF', {'compression': 'jpeg'})])
def test_the_noise_of_jpeg_is_no_label(make_picture, file_format, how):
    truth = np.zeros((32, 32), np.uint8)
    truth[5:20, 7:22] = 255
    data = make_picture(truth, file_format, **how)
    noisy = image_files.read_image(data).pixels
    assert ((noisy > 0) & (truth == 0)).any()  # or this would show nothing
    np.testing.assert_array_equal(image_files.read_mask(data), truth // 255)


def test_a_jpeg_mask_without_a_left_ventricle_is_read(make_picture):
    assert image_files.read_mask(make_picture(np.zeros((8, 8), np.uint8), 'JPEG')).sum() == 0


def test_a_jpeg_mask_of_few_pixels_is_read(make_picture):
    assert image_files.read_mask(make_picture(np.full((2, 9), 255, np.uint8), 'JPEG')).sum() == 18


def test_a_jpeg_mask_of_0_and_1_is_refused_because_noise_looks_alike(make_picture):
    with pytest.raises(LabError, match='below 128'):
        image_files.read_mask(make_picture(np.ones((8, 8), np.uint8), 'JPEG'))


@pytest.mark.parametrize('quality', [30, 75, 95])
def test_a_jpeg_mask_of_several_greys_is_refused(make_picture, quality):
    values = np.zeros((64, 64), np.uint8)
    values[8:32, 8:56], values[32:56, 8:56] = 85, 170
    with pytest.raises(LabError, match='several greys'):
        image_files.read_mask(make_picture(values, 'JPEG', quality=quality))


def test_a_jpeg_mask_of_one_grey_or_of_blurred_edges_is_read(make_picture):
    edge = np.clip(np.arange(64) * 8 - 128, 0, 255).astype(np.uint8)  # 0 up to column 16, 128 in column 32
    label = image_files.read_mask(make_picture(np.tile(edge, (64, 1)), 'JPEG', quality=95))
    assert label[:, :30].max() == 0 and label[:, 34:].min() == 1
    grey = np.where(edge > 128, 180, 0).astype(np.uint8)
    assert image_files.read_mask(make_picture(np.tile(grey, (64, 1)), 'JPEG', quality=95))[:, 36:].min() == 1


def test_a_palette_tells_colours_and_not_its_numbers(make_picture):
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8), 'P')
    image.putpalette([255, 255, 255, 0, 0, 0, 0, 128, 255])  # white first
    white, black, blue = image_files.read_labels(make_picture(image))[0]
    assert (white, black) == (255, 0)
    assert blue == labels.parse('#0080ff')


def test_a_mask_of_one_label_is_that_label_alone(make_picture):
    values = np.array([[0, 1, 2, 3]], np.uint8)
    assert image_files.read_labels(make_picture(values)).tolist() == [[0, 1, 2, 3]]
    assert image_files.read_mask(make_picture(values), 2).tolist() == [[0, 0, 1, 0]]


@pytest.mark.parametrize(
    ('file_format', 'how'),
    [('PNG', {'dpi': (18, 12)}), ('TIFF', {'dpi': (18, 12)}), ('TIFF', {'resolution_unit': 3, 'x': 18, 'y': 12})],
)
def test_the_spacing_is_that_of_phys_or_of_the_resolution(make_picture, file_format, how):
    if 'x' in how:  # 18 and 12 dots a cm
        how = {'tiffinfo': {282: float(how['x']), 283: float(how['y']), 296: 3}}
        columns, rows = 10 / 18, 10 / 12
    else:  # 18 and 12 dots an inch; PNG has whole dots a metre, 709 and 472 here
        columns, rows = 25.4 / 18, 25.4 / 12
    spacing = image_files.read_image(make_picture(GREY, file_format, **how)).spacing
    assert spacing == pytest.approx((rows, columns), rel=0.001)


@pytest.mark.parametrize('dots', [72, 96, 100, 300, 1, 0])
@pytest.mark.parametrize('file_format', ['PNG', 'TIFF', 'JPEG'])
def test_dots_an_inch_of_screens_and_printers_are_no_spacing(make_picture, file_format, dots):
    assert image_files.read_image(make_picture(GREY, file_format, dpi=(dots, dots))).spacing is None


def test_a_resolution_without_a_unit_is_no_spacing(make_picture):
    data = make_picture(GREY, 'TIFF', tiffinfo={282: 18.0, 283: 18.0, 296: 1})
    assert image_files.read_image(data).spacing is None
    assert image_files.read_image(make_picture(GREY, 'TIFF')).spacing is None


def test_damaged_files_print_nothing(make_picture, capfd):
    # libtiff, in C, prints its complaints past Python.
    data = bytearray(make_picture(GREY, 'TIFF', compression='tiff_deflate'))
    start = data.index(b'\x78')  # of the deflated pixels
    data[start + 1 : start + 6] = b'\xff' * 5
    with pytest.raises(LabError, match='damaged'):
        image_files.read_image(bytes(data))
    assert capfd.readouterr() == ('', '')
