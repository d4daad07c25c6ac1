"""A DICOM file carries a name, a birth date, identifiers. None of it may be written or printed."""

import io
import warnings
from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import DataElement

SECRETS = {
    'PN': 'DOE^JANE^MARY',
    'LO': 'DOELONGSTRING',
    'SH': 'DOESHORT',
    'LT': 'DOELONGTEXT',
    'ST': 'DOESHORTTEXT',
    'UT': 'DOEUNLIMITED',
    'UC': 'DOECHARACTERS',
    'UR': 'http://doe.example/JANE',
    'AE': 'DOEENTITY',
    'CS': 'DOECODESTRING',
    'AS': '067Y',
    'DA': '19570413',
    'TM': '041357.570413',
    'DT': '19570413041357',
    'IS': '57041357',
    'DS': '57041.3570413',
    'UI': '1.2.840.57041357.1957',
}

# What the reader itself looks at, and so might put into a message.
WANTED = {
    'PhotometricInterpretation': 'DOECODESTRING',
    'NumberOfFrames': '57041357',
    'RescaleSlope': '57041.3570413',
    'RescaleIntercept': 'DOEINTERCEPT',
    'PixelSpacing': '57041.35\\19570413',
    'TransferSyntaxUID': '1.2.840.57041357.195',
}


def leave_values(data):
    """The file with its elements, and one of every text element that DICOM knows, filled with secrets."""
    dataset = pydicom.dcmread(io.BytesIO(data))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for tag, (vr, *_, keyword) in pydicom.datadict.DicomDictionary.items():
            if vr in SECRETS and tag >> 16 not in (0, 2, 4, 6) and keyword not in WANTED:
                dataset[tag] = DataElement(tag, vr, SECRETS[vr])
        dataset.SpecificCharacterSet = 'ISO_IR 100'  # As a secret, it would be a fault of its own.
        dataset.private_block(0x0009, SECRETS['LO'], create=True).add_new(0x01, 'LT', SECRETS['LT'])
        dataset.OtherPatientIDsSequence = [pydicom.Dataset()]
        dataset.OtherPatientIDsSequence[0].PatientName = SECRETS['PN']
        dataset.file_meta.MediaStorageSOPInstanceUID = SECRETS['UI']
        dataset.file_meta.ImplementationVersionName = SECRETS['SH']
        dataset.file_meta.SourceApplicationEntityTitle = SECRETS['AE']
        dataset.preamble = SECRETS['PN'].encode().ljust(128, b'\0')
        content = io.BytesIO()
        pydicom.dcmwrite(content, dataset, write_like_original=False)
    return content.getvalue()


# A name or a number may be cut off, or written in another way.
WORDS = ('DOE', 'JANE', '19570413')
NUMBER = '57041'


def assert_no_secret(done, out, content, parts=(*WORDS, NUMBER)):
    files = content(out)
    printed = ''.join([done.stdout, done.stderr, *files])
    for secret in {*SECRETS.values(), *WANTED.values(), *parts}:
        assert secret not in printed
        holders = [name for name, data in files.items() if secret.encode() in data]
        assert [name for name in holders if not spelt_by_chance(secret, name)] == []


def spelt_by_chance(secret, name):
    """Among the bytes of weights and events, any four letters turn up soon; any eight do not."""
    return len(secret) < 8 and ('model.ckpt' in name or 'events.out' in name)


@pytest.fixture
def raw(tmp_path, atlas, write_tree):
    return write_tree(tmp_path / 'raw', atlas({'SC-HF-I-1': [1, 2]}))


@pytest.fixture
def image(raw):
    return raw / 'SCD_IMAGES_01/SCD0000101/CINESAX_300/IM-0003-0001.dcm'


@pytest.mark.parametrize('flags', [[], ['--skip_bad']])
def test_nothing_of_a_good_file_but_its_pixels_and_their_spacing_is_passed_on(
    raw, image, data_prep, tmp_path, content, flags
):
    data = leave_values(image.read_bytes())
    assert all(secret.encode() in data for secret in SECRETS.values())
    image.write_bytes(data)
    done = data_prep('sunnybrook', raw, '--out', tmp_path / 'out', *flags)
    assert (done.status, done.stderr) == (0, '')
    assert_no_secret(done, tmp_path / 'out', content)


def test_nothing_of_a_file_but_its_pixels_is_in_what_training_and_evaluation_write(
    raw, image, data_prep, simple, tmp_path, content
):
    image.write_bytes(leave_values(image.read_bytes()))
    assert data_prep('sunnybrook', raw, '--out', tmp_path / 'data', '--val_fraction', '0.5').status == 0
    logs, flags = tmp_path / 'logs', ['--data_dir', tmp_path / 'data']
    trained = simple.train(logs / 'train', *flags, '--eval_every', 1, '--seed', 1)
    evaluated = simple.evaluate(logs / 'train', logs / 'eval', *flags)
    for done in (trained, evaluated):
        assert done.code == 0
        # The microseconds of the times told here may be any number.
        assert_no_secret(SimpleNamespace(stdout=done.out, stderr=done.err), logs, content, WORDS)
    assert {'train/run.json', 'eval/metrics.json', 'eval/per_slice.csv'} <= set(content(logs))


@pytest.mark.parametrize('flags', [[], ['--skip_bad']])
@pytest.mark.parametrize('keyword', sorted(WANTED))
def test_a_secret_in_the_wrong_place_is_not_repeated(
    raw, image, make_dicom, data_prep, tmp_path, content, keyword, flags
):
    secret = WANTED[keyword]
    if keyword == 'TransferSyntaxUID':
        syntax = pydicom.uid.JPEGLSLossless
        fragments = pydicom.encaps.encapsulate([b'no picture'])
        data = make_dicom(np.zeros((256, 256), np.int16), syntax, PixelData=fragments)
        data = data.replace(syntax.encode().ljust(len(secret), b'\0'), secret.encode())
    else:
        stand_in = '1' * len(secret) if keyword != 'PixelSpacing' else ['1' * 8, '1' * 8]
        data = make_dicom(np.zeros((256, 256), np.int16), **{keyword: stand_in})
        data = data.replace(stand_in.encode() if isinstance(stand_in, str) else b'11111111\\11111111', secret.encode())
    assert secret.encode() in data
    image.write_bytes(data)
    done = data_prep('sunnybrook', raw, '--out', tmp_path / 'out', *flags)
    # A slope is a number: the pixels, all 0, are multiplied by it. Pixels can be read without a spacing.
    refused = keyword not in ('RescaleSlope', 'PixelSpacing')
    assert ('cannot be read' in done.stdout + done.stderr) == refused
    assert_no_secret(done, tmp_path / 'out', content)


@pytest.mark.parametrize('length', [200, 2000, 20_000, 170_000])
def test_a_file_cut_off_anywhere_is_refused_without_a_secret(raw, image, data_prep, tmp_path, content, length):
    data = leave_values(image.read_bytes())
    assert len(data) > 180_000
    image.write_bytes(data[:length])
    done = data_prep('sunnybrook', raw, '--out', tmp_path / 'out')
    assert '1 of 2 slices cannot be read' in done.error
    assert_no_secret(done, tmp_path / 'out', content)


def test_images_are_as_discreet(image, data_prep, tmp_path, make_picture, write_tree, content):
    mask = make_picture(np.eye(256, k=50) > 0)
    write_tree(tmp_path / 'own', {'images/a.dcm': leave_values(image.read_bytes()), 'masks/a.png': mask})
    done = data_prep('images', tmp_path / 'own/images', tmp_path / 'own/masks', '--out', tmp_path / 'out')
    assert (done.status, done.stderr) == (0, '')
    assert_no_secret(done, tmp_path / 'out', content)
