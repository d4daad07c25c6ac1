import tracemalloc
import warnings

from lvseg.errors import LabError

import numpy as np
import pydicom
import pytest
from pydicom import uid

from data_prep import dicom

PIXELS = np.array([[0, 10, 20], [30, 40, 2000]], np.int16)


def test_pixels_are_read_as_they_are(make_dicom):
    picture = dicom.read_image(make_dicom(PIXELS))
    assert picture.pixels.dtype == np.int64
    assert picture.pixels.tolist() == PIXELS.tolist()
    assert not picture.eight_bit


@pytest.mark.parametrize(
    ('dtype', 'values'),
    [
        (np.int16, [-32768, -1, 32767]),
        (np.uint16, [0, 32768, 65535]),
        (np.int8, [-128, -1, 127]),
        (np.uint8, [0, 128, 255]),
        (np.uint32, [0, 2**31, 2**32 - 1]),
    ],
)
def test_signed_and_unsigned_pixels_keep_their_values(make_dicom, dtype, values):
    # Pixel data has an even length, so two rows.
    picture = dicom.read_image(make_dicom(np.array([values, values], dtype)))
    assert picture.pixels.tolist() == [values, values]


@pytest.mark.parametrize('syntax', [uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian])
def test_other_encodings_of_the_same_pixels_are_read(make_dicom, syntax):
    assert dicom.read_image(make_dicom(PIXELS, syntax)).pixels.tolist() == PIXELS.tolist()


def test_run_length_encoding_is_decoded(make_dicom, tmp_path):
    (tmp_path / 'plain.dcm').write_bytes(make_dicom(PIXELS))
    dataset = pydicom.dcmread(tmp_path / 'plain.dcm')
    dataset.compress(uid.RLELossless)
    dataset.save_as(tmp_path / 'rle.dcm')
    assert dicom.read_image((tmp_path / 'rle.dcm').read_bytes()).pixels.tolist() == PIXELS.tolist()


@pytest.mark.parametrize(
    ('stored', 'dtype', 'elements', 'value'),
    [
        (0xF123, np.uint16, {'BitsStored': 12}, 0x123),  # an overlay in the upper four bits
        (0x0FFF, np.int16, {'BitsStored': 12}, -1),  # twelve bits, all set
        (0x07FF, np.int16, {'BitsStored': 12}, 2047),
        (0x1234, np.uint16, {'BitsStored': 12, 'HighBit': 15}, 0x123),
        (0x0123, np.uint16, {'BitsStored': 12, 'HighBit': None}, 0x123),
    ],
)
def test_only_the_stored_bits_count(make_dicom, stored, dtype, elements, value):
    pixels = np.array([[stored]], np.uint16).view(dtype)
    assert dicom.read_image(make_dicom(pixels, **elements)).pixels.tolist() == [[value]]


@pytest.mark.parametrize(
    ('slope', 'intercept', 'expected'),
    [
        ('2', '-3', [-3, -1, 1, 3]),
        ('0.4', '0', [0, 0, 1, 1]),  # 0, 0.4, 0.8, 1.2, rounded
        ('-1', '10', [10, 9, 8, 7]),
        (None, '5', [5, 6, 7, 8]),
        ('3', None, [0, 3, 6, 9]),
    ],
)
def test_rescaling_is_applied_and_rounded(make_dicom, slope, intercept, expected):
    data = make_dicom(np.array([[0, 1, 2, 3]], np.int16), RescaleSlope=slope, RescaleIntercept=intercept)
    pixels = dicom.read_image(data).pixels
    assert pixels.dtype == np.int64
    assert pixels.tolist() == [expected]


def test_monochrome1_is_turned_round_and_stays_at_0_or_above(make_dicom):
    data = make_dicom(np.array([[-5, 10, 30]], np.int16), PhotometricInterpretation='MONOCHROME1')
    assert dicom.read_image(data).pixels.tolist() == [[35, 20, 0]]  # 30 minus the pixel


def test_monochrome1_is_turned_round_after_rescaling(make_dicom):
    data = make_dicom(
        np.array([[0, 10, 30]], np.int16),
        PhotometricInterpretation='MONOCHROME1',
        RescaleSlope='2',
        RescaleIntercept='100',
    )
    assert dicom.read_image(data).pixels.tolist() == [[60, 40, 0]]  # of 100, 120, 160


@pytest.mark.parametrize(
    ('elements', 'eight_bit'),
    [({}, True), ({'RescaleSlope': '4'}, False), ({'RescaleSlope': '1', 'RescaleIntercept': '0'}, True)],
)
def test_says_whether_pixels_have_8_bits(make_dicom, elements, eight_bit):
    assert dicom.read_image(make_dicom(np.full((2, 2), 7, np.uint8), **elements)).eight_bit == eight_bit


def test_a_twelve_bit_file_says_it_has_more_than_8(make_dicom):
    assert not dicom.read_image(make_dicom(np.full((2, 2), 7, np.uint16), BitsStored=12)).eight_bit


@pytest.mark.parametrize(
    ('elements', 'reason'),
    [
        ({'PixelData': None}, 'has no pixel data'),
        ({'Rows': None}, 'has no Rows'),
        ({'BitsStored': 17, 'HighBit': 15}, '17 bits in 16'),
        ({'BitsStored': 0, 'HighBit': 15}, '0 bits in 16'),
        ({'BitsAllocated': 64}, '16 bits in 64'),
        ({'HighBit': 16}, 'HighBit'),
        ({'HighBit': 3}, 'HighBit'),
        ({'Rows': 65535, 'Columns': 65535}, '65535 x 65535 pixels; up to 4096 x 4096'),
        ({'Rows': 0}, '3 x 0 pixels'),
        ({'Rows': 3}, 'cut off: 12 of 18 bytes'),
        ({'PixelData': bytes(10)}, 'cut off: 10 of 12 bytes'),
        ({'SamplesPerPixel': 3, 'PhotometricInterpretation': 'RGB', 'PlanarConfiguration': 0}, 'in colour'),
        ({'PhotometricInterpretation': 'PALETTE COLOR'}, 'in colour'),
        ({'PhotometricInterpretation': None}, 'does not say that it is grey'),
        ({'NumberOfFrames': '2', 'PixelData': bytes(24)}, 'several frames'),
        ({'RescaleSlope': '0'}, 'RescaleSlope'),
        ({'RescaleSlope': '1e300'}, 'RescaleSlope'),
        ({'RescaleIntercept': '1e300'}, 'RescaleIntercept'),
    ],
)
def test_what_cannot_be_read_rightly_is_refused_with_the_reason(make_dicom, elements, reason):
    with pytest.raises(LabError, match=reason):
        dicom.read_image(make_dicom(PIXELS, **elements))


def test_the_spacing_is_that_of_rows_and_of_columns(make_dicom):
    assert dicom.read_image(make_dicom(PIXELS, PixelSpacing=['1.5', '1.25'])).spacing == (1.5, 1.25)


def test_the_smallest_and_the_largest_sensible_spacing_are_read(make_dicom):
    assert dicom.read_image(make_dicom(PIXELS, PixelSpacing=['0.01', '10'])).spacing == (0.01, 10)


@pytest.mark.parametrize(
    'spacing',
    [
        None,
        '',
        '1.5',
        ['1.5', '1.5', '1.5'],
        ['0', '0'],
        ['-1', '1'],
        ['1', '11'],
        ['nan', '1'],
        ['inf', '1'],
        ['x', '1'],
    ],
)
def test_without_a_sensible_spacing_pixels_are_read_all_the_same(make_dicom, spacing):
    stand_in = spacing and ['1' * len(value) for value in spacing] if isinstance(spacing, list) else spacing
    data = make_dicom(PIXELS, PixelSpacing=stand_in)
    if isinstance(spacing, list):  # Put in afterwards, since pydicom would not write all of them.
        data = data.replace('\\'.join(stand_in).encode(), '\\'.join(spacing).encode())
    picture = dicom.read_image(data)
    assert picture.spacing is None
    assert picture.pixels.tolist() == PIXELS.tolist()


def test_one_frame_that_is_called_so_is_read(make_dicom):
    assert dicom.read_image(make_dicom(PIXELS, NumberOfFrames='1')).pixels.tolist() == PIXELS.tolist()


def test_the_largest_size_is_read(make_dicom):
    assert dicom.read_image(make_dicom(np.zeros((4096, 1), np.uint8))).pixels.shape == (4096, 1)
    with pytest.raises(LabError, match='1 x 4097 pixels'):
        dicom.read_image(make_dicom(np.zeros((4097, 1), np.uint16)))


@pytest.mark.parametrize('data', [b'', b'DICM', bytes(128) + b'DICX', b'\x89PNG\r\n\x1a\n' + bytes(200)])
def test_what_is_not_dicom_is_refused(data):
    with pytest.raises(LabError, match='not a DICOM file'):
        dicom.read_image(data)


def test_a_file_cut_off_anywhere_is_refused(make_dicom):
    data = make_dicom(PIXELS)
    for length in range(len(data)):
        with pytest.raises(LabError):
            dicom.read_image(data[:length])
    assert dicom.read_image(data).pixels.tolist() == PIXELS.tolist()


@pytest.mark.parametrize(
    ('syntax', 'name'),
    [
        (uid.JPEGLSLossless, 'JPEG-LS Lossless'),
        (uid.JPEGLosslessSV1, 'JPEG Lossless'),
        (uid.JPEG2000Lossless, 'JPEG 2000'),
    ],
)
def test_compression_that_is_not_decoded_here_is_refused(make_dicom, syntax, name):
    data = make_dicom(PIXELS, syntax, PixelData=pydicom.encaps.encapsulate([b'\xff\xd8 no picture']))
    with pytest.raises(LabError, match=f'is compressed .{name}'):
        dicom.read_image(data)


def test_an_unknown_transfer_syntax_is_refused_and_not_repeated(make_dicom):
    data = make_dicom(PIXELS, uid.JPEGLSLossless, PixelData=pydicom.encaps.encapsulate([b'no picture']))
    unknown = uid.JPEGLSLossless[:-2] + '00'
    with pytest.raises(LabError, match='in a way that DICOM does not know') as error:
        dicom.read_image(data.replace(uid.JPEGLSLossless.encode(), unknown.encode()))
    assert unknown not in str(error.value)


def test_a_deflated_file_is_refused_before_it_is_inflated(make_dicom):
    data = make_dicom(PIXELS, uid.DeflatedExplicitVRLittleEndian, ImageComments='0' * 10_000)
    tracemalloc.start()
    with pytest.raises(LabError, match='deflated'):
        dicom.read_image(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000


def test_identifiers_that_break_the_rules_do_not_warn(make_dicom, capfd):
    data = make_dicom(PIXELS, StudyInstanceUID='1.02.x', SOPInstanceUID='not a UID', NumberOfFrames='1')
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        assert dicom.read_image(data).pixels.tolist() == PIXELS.tolist()
    assert caught == []
    assert capfd.readouterr() == ('', '')


def test_a_mask_is_what_is_stored_as_other_than_0(make_dicom):
    # With the intercept every pixel would be other than 0.
    data = make_dicom(np.array([[0, 1], [255, 0]], np.uint8), RescaleIntercept='-1024')
    mask = dicom.read_mask(data)
    assert mask.dtype == np.uint8
    assert mask.tolist() == [[0, 1], [1, 0]]


def test_a_mask_below_0_is_a_mask_too(make_dicom):
    assert dicom.read_mask(make_dicom(np.array([[-1, 0, 5]], np.int16))).tolist() == [[1, 0, 1]]


def test_a_mask_compressed_with_loss_is_refused(make_dicom, make_picture):
    jpeg = make_picture(np.full((8, 8), 200, np.uint8), 'JPEG')
    data = make_dicom(np.zeros((8, 8), np.uint8), uid.JPEGBaseline8Bit, PixelData=pydicom.encaps.encapsulate([jpeg]))
    assert dicom.read_image(data).pixels.shape == (8, 8)
    with pytest.raises(LabError, match='with loss'):
        dicom.read_mask(data)


ITEM = b'\xfe\xff\x00\xe0' + b'\xff' * 4
REFERENCED_IMAGES = b'\x08\x00\x40\x11SQ\x00\x00' + b'\xff' * 4  # (0008,1140), of undefined length
ROWS = b'\x28\x00\x10\x00'  # (0028,0010)


def with_sequences(data, depth):
    """A file with so many sequences within one another, each of one item, before its other elements."""
    start = 132 + 12 + int.from_bytes(data[140:144], 'little')  # Behind the group of the file's meta information.
    item_end, sequence_end = b'\xfe\xff\x0d\xe0' + bytes(4), b'\xfe\xff\xdd\xe0' + bytes(4)
    return data[:start] + (REFERENCED_IMAGES + ITEM) * depth + (item_end + sequence_end) * depth + data[start:]


def test_sequences_of_a_header_are_no_obstacle(make_dicom):
    assert dicom.read_image(with_sequences(make_dicom(PIXELS), 32)).pixels.tolist() == PIXELS.tolist()


@pytest.mark.parametrize('depth', [33, 1000, 20000])
@pytest.mark.parametrize('read', [dicom.read_image, dicom.read_mask])
def test_sequences_nested_without_end_are_refused(make_dicom, depth, read):
    with pytest.raises(LabError, match='has sequences within sequences, more than 32 deep'):
        read(with_sequences(make_dicom(PIXELS), depth))


def test_sequences_nested_in_place_of_a_number_are_refused(make_dicom):
    """Those of a defined length are read when their value is asked for."""
    nested = (ITEM + REFERENCED_IMAGES) * 20000
    rows = ROWS + b'SQ\x00\x00' + len(nested).to_bytes(4, 'little') + nested
    data = make_dicom(PIXELS)
    place = data.index(ROWS + b'US')
    with pytest.raises(LabError, match='has sequences within sequences'):
        dicom.read_image(data[:place] + rows + data[place + 10 :])
