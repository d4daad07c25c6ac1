"""Damaged files: every one is read or refused with a LabError; no other error, no hang, nothing on the terminal."""

import csv
import io
import random

from lvseg.errors import LabError

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydicom import uid

from data_prep import contours, dicom, image_files
from tests.data_prep.fuzzing import MUTATIONS, THOROUGH, mutated

pytestmark = pytest.mark.slow

GREY = np.arange(0, 256, 4, dtype=np.uint8).reshape(8, 8)


def check_image(read, data):
    try:
        picture = read(data)
    except LabError as refusal:
        assert '\n' not in str(refusal)
        return
    assert picture.pixels.dtype == np.int64
    assert picture.pixels.ndim == 2
    assert max(picture.pixels.shape) <= 4096


def check_mask(read, data):
    try:
        mask = read(data)
    except LabError as refusal:
        assert '\n' not in str(refusal)
        return
    assert mask.dtype == np.uint8
    assert mask.ndim == 2
    assert set(np.unique(mask)) <= {0, 1}


@pytest.fixture(scope='module')
def dicom_files(make_dicom, make_picture):
    pixels = np.arange(-32, 32, dtype=np.int16).reshape(8, 8)
    texts = {'PatientName': 'A^B', 'StudyInstanceUID': '1.2', 'RescaleSlope': '2', 'RescaleIntercept': '-3'}
    texts.update({'NumberOfFrames': '1', 'WindowCenter': '7'})
    plain = [uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian]
    files = [make_dicom(pixels, syntax, **texts) for syntax in plain]

    dataset = pydicom.dcmread(io.BytesIO(files[0]))
    dataset.compress(uid.RLELossless)
    content = io.BytesIO()
    pydicom.dcmwrite(content, dataset)
    files.append(content.getvalue())

    for syntax, picture_format in [(uid.JPEGBaseline8Bit, 'JPEG'), (uid.JPEG2000Lossless, 'JPEG2000')]:
        fragments = pydicom.encaps.encapsulate([make_picture(GREY, picture_format)])
        files.append(make_dicom(GREY, syntax, PixelData=fragments))
    for file in files:
        assert dicom.read_image(file).pixels.shape == (8, 8)
    return files


@pytest.fixture(scope='module')
def picture_files(make_picture):
    rgb = Image.fromarray(GREY).convert('RGB')
    files = [make_picture(GREY), make_picture(rgb), make_picture(GREY.astype(np.uint16)), make_picture(GREY > 99)]
    files += [make_picture(Image.fromarray(GREY).convert('P')), make_picture(GREY, 'JPEG'), make_picture(rgb, 'JPEG')]
    compressions = [None, 'tiff_lzw', 'tiff_deflate', 'packbits', 'jpeg']
    files += [make_picture(GREY, 'TIFF', compression=compression) for compression in compressions]
    files.append(make_picture(GREY > 99, 'TIFF', compression='group4'))
    for file in files:
        assert image_files.read_image(file).pixels.shape == (8, 8)
    return files


@THOROUGH
@given(which=st.integers(0, 5), mutations=MUTATIONS)
def test_damaged_dicom_is_read_or_refused(dicom_files, which, mutations):
    data = mutated(dicom_files[which], mutations)
    check_image(dicom.read_image, data)
    check_mask(dicom.read_mask, data)


@THOROUGH
@given(which=st.integers(0, 5), mutations=MUTATIONS)
def test_dicom_with_a_damaged_header_is_read_or_refused(dicom_files, which, mutations):
    # As above, but the preamble and the magic word stay, which half of the mutations would hit.
    data = dicom_files[which]
    data = data[:132] + mutated(data[132:], mutations)
    check_image(dicom.read_image, data)


@THOROUGH
@given(which=st.integers(0, 12), mutations=MUTATIONS)
def test_damaged_pictures_are_read_or_refused(picture_files, which, mutations):
    data = mutated(picture_files[which], mutations)
    check_image(image_files.read_image, data)
    check_mask(image_files.read_mask, data)


@THOROUGH
@given(mutations=MUTATIONS, encoding=st.sampled_from(['utf-8', 'utf-8-sig', 'utf-16']))
def test_damaged_contours_are_read_or_refused(mutations, encoding):
    text = '10.50 20.00\n30.00 20.50\n31.00 40.00\n11.50 41.00\n'
    check_mask(contours.read_mask, mutated(text.encode(encoding), mutations))


NUMBER = st.one_of(st.floats(), st.floats(-1, 257), st.integers(), st.integers(0, 256), st.text(max_size=4))


@THOROUGH
@given(
    points=st.lists(st.tuples(NUMBER, NUMBER), max_size=8),
    separator=st.sampled_from([' ', '\t', ',', ';', ', ', '', '  ']),
    line_end=st.sampled_from(['\n', '\r\n', '\r', '\n\n']),
)
def test_contours_of_any_numbers_are_read_or_refused(points, separator, line_end):
    text = ''.join(f'{x}{separator}{y}{line_end}' for x, y in points)
    check_mask(contours.read_mask, text.encode('utf-8', 'surrogatepass'))


@THOROUGH
@given(data=st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data):
    check_image(dicom.read_image, data)
    check_image(dicom.read_image, bytes(128) + b'DICM' + data)
    check_image(image_files.read_image, data)
    check_mask(contours.read_mask, data)


@pytest.mark.parametrize('flags', [['--skip_bad'], []])
def test_a_study_of_damaged_files_ends_in_a_line_for_each_or_one_error(run, tmp_path, atlas, write_tree, flags):
    draw = random.Random(7)
    numbers = list(range(1, 201))
    files = atlas({'SC-HF-I-1': numbers})
    for path in files:
        if path.endswith(('.dcm', '.txt')):
            content = files[path] if isinstance(files[path], bytes) else files[path].encode()
            kinds = draw.choices(['cut', 'overwrite', 'insert', 'flip', 'repeat'], k=draw.choice([0, 1, 2]))
            files[path] = mutated(
                content, [(kind, draw.random() ** 4, b'\xff' * draw.choice([1, 4])) for kind in kinds]
            )
    write_tree(tmp_path / 'raw', files)
    done = run('-m', 'data_prep', 'sunnybrook', tmp_path / 'raw', '--out', tmp_path / 'out', *flags, timeout=300)
    if not flags:
        assert done.returncode == 1
        assert done.stderr.startswith('ERROR: ')
        assert done.stderr.count('\n') == 1
        assert not (tmp_path / 'out').exists()
        return
    assert (done.returncode, done.stderr) == (0, '')
    with open(str(tmp_path / 'out/manifest.csv'), newline='') as file:
        rows = list(csv.DictReader(file))
    assert sorted(int(row['name'][-4:]) for row in rows) == numbers
    assert {row['split'] for row in rows} == {'train', 'val', 'skipped'}
