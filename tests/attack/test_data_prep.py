"""Faulty studies, pictures and contours, through `python -m data_prep`: read or refused in one line, nothing half."""

import gzip
import random
import shutil

from lvseg import records
from lvseg.layout import MANIFEST_FILE, RECORD_FILES

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom import uid

from data_prep import __main__ as command
from tests.attack.conftest import assert_met, run_main
from tests.attack.mutations import misspelt, mutated
from tests.data_prep import studies
from tests.data_prep.nifti_writing import acdc, labels, nifti_gz, voxels

pytestmark = pytest.mark.slow

FILES = {*RECORD_FILES.values(), MANIFEST_FILE}
GREY = np.arange(0, 256, 4, dtype=np.uint8).reshape(8, 8)
RGB = Image.fromarray(GREY).convert('RGB')
MASK = np.zeros((8, 8), np.uint8)
MASK[2:5, 2:5] = 255
NIFTI, NIFTI_MASK = nifti_gz(voxels((160, 80, 2))), nifti_gz(labels((160, 80, 2)))


def dicom_files():
    """Of every kind of coding that the lab reads."""
    plain = [uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian]
    texts = {'PatientName': 'A^B', 'RescaleSlope': '2', 'RescaleIntercept': '-3', 'NumberOfFrames': '1'}
    files = [studies.dicom(GREY.astype(np.int16), syntax, PixelSpacing=[1.4, 1.4], **texts) for syntax in plain]
    for syntax, kind in [(uid.JPEGBaseline8Bit, 'JPEG'), (uid.JPEG2000Lossless, 'JPEG2000')]:
        fragments = pydicom.encaps.encapsulate([studies.picture(GREY, kind)])
        files.append(studies.dicom(GREY, syntax, PixelData=fragments))
    return files


def picture_files():
    """Of every kind of coding and of pixels that the lab reads."""
    files = [studies.picture(image) for image in (GREY, RGB, GREY.astype(np.uint16), GREY > 99)]
    files += [studies.picture(Image.fromarray(GREY).convert('P')), studies.picture(GREY, 'JPEG')]
    compressions = [None, 'tiff_lzw', 'tiff_deflate', 'packbits', 'jpeg']
    return files + [studies.picture(GREY, 'TIFF', compression=compression) for compression in compressions]


DICOM, PICTURES = dicom_files(), picture_files()


# Each writes inputs of which one is faulty, and returns the command's arguments for them.


def dicom(draw, folder):
    tree = studies.atlas({'SC-HF-I-1': [48, 68]})
    image = next(path for path in tree if path.endswith('0068.dcm'))
    data = draw.choice([tree[image], *DICOM])
    # Half of the faults would hit the preamble and the magic word.
    tree[image] = data[:132] + mutated(draw, data[132:]) if draw.random() < 0.8 else mutated(draw, data)
    return ['sunnybrook', studies.write_tree(folder, tree)]


def contours(draw, folder):
    """Or the table of patients."""
    tree = studies.atlas({'SC-HF-I-1': [48, 68]})
    path = draw.choice([path for path in tree if path.endswith(('.txt', '.csv'))])
    tree[path] = misspelt(draw, tree[path])
    return ['sunnybrook', studies.write_tree(folder, tree)]


def pictures(draw, folder):
    """Or masks, or the list of names for validation."""
    tree = {'images/a.png': studies.picture(GREY), 'masks/a.png': studies.picture(MASK)}
    image = draw.choice([*PICTURES, *DICOM])
    tree.update({'images/b.png': image, 'masks/b.png': studies.picture(MASK), 'names.txt': 'a\n'})
    path = draw.choice(['images/b.png'] * 4 + ['masks/b.png'] * 4 + ['names.txt'])
    tree[path] = misspelt(draw, tree[path]) if path == 'names.txt' else mutated(draw, tree[path])
    studies.write_tree(folder, tree)
    names = ['--val_names', folder / 'names.txt'] if path == 'names.txt' else []
    return ['images', folder / 'images', folder / 'masks', *names]


def nifti(draw, folder):
    """Or their masks, packed or not, or the table of phases."""
    tree = acdc('patient001', image=NIFTI, mask=NIFTI_MASK)
    path = draw.choice([path for path in tree if not path.endswith('_4d.nii.gz')])
    if path.endswith('.cfg'):
        tree[path] = misspelt(draw, tree[path])
    elif draw.random() < 0.3:
        tree[path] = mutated(draw, tree[path])
    else:
        tree[path] = gzip.compress(mutated(draw, gzip.decompress(tree[path])), 1)
    return ['nifti', studies.write_tree(folder, tree), '--label', 3]


# A tenth of each; with those of test_training.py and test_environments.py, they are 10,000 in all.
ATTACKS = [(dicom, 200), (contours, 150), (pictures, 200), (nifti, 150)]


@pytest.mark.parametrize(('attack', 'number'), ATTACKS)
def test_faulty_inputs_are_read_or_refused_in_one_line_and_nothing_is_half_written(attack, number, tenth, tmp_path):
    refused = 0
    for case in range(tenth * number, (tenth + 1) * number):
        draw = random.Random(case)
        folder, out = tmp_path / f'{case}', tmp_path / f'{case}' / 'out'
        args = [*attack(draw, folder / 'raw'), '--out', out, '--workers', 1]
        earlier = draw.choice([{}, dict.fromkeys(FILES, b'earlier')])
        studies.write_tree(out, earlier)
        outcome = run_main(command.main, *args, *draw.choice([[], ['--skip_bad']]))
        assert_met(outcome)
        refused += outcome.code
        found = {path.name: path.read_bytes() for path in out.iterdir()} if out.exists() else {}
        if outcome.code:
            assert found == earlier, (case, outcome)
        else:
            assert set(found) <= FILES and MANIFEST_FILE in found, (case, outcome)
            for name in set(found) - {MANIFEST_FILE}:
                assert list(records.read(str(out / name)))
        shutil.rmtree(str(folder))
    # Faults that all were refused, or none, would not have reached what takes the files apart.
    assert number / 20 < refused < number
