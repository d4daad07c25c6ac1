"""Faulty studies, pictures and contours, through `python -m data_prep`: read or refused in one line, nothing half."""

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

pytestmark = pytest.mark.slow

FILES = {*RECORD_FILES.values(), MANIFEST_FILE}
GREY = np.arange(0, 256, 4, dtype=np.uint8).reshape(8, 8)
RGB = Image.fromarray(GREY).convert('RGB')
MASK = (GREY > 99).astype(np.uint8) * 255


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


class Dicom:
    """Images and contours of the Sunnybrook data; one of the images is faulty."""

    kinds = dicom_files()

    def write(self, draw, folder):
        tree = studies.atlas({'SC-HF-I-1': [48, 68]})
        image = next(path for path in tree if path.endswith('0068.dcm'))
        data = draw.choice([tree[image], *self.kinds])
        # Half of the faults would hit the preamble and the magic word.
        tree[image] = data[:132] + mutated(draw, data[132:]) if draw.random() < 0.8 else mutated(draw, data)
        return ['sunnybrook', studies.write_tree(folder, tree)]


class Contours:
    """The same; a contour or the table of patients is faulty."""

    def write(self, draw, folder):
        tree = studies.atlas({'SC-HF-I-1': [48, 68]})
        path = draw.choice([path for path in tree if path.endswith(('.txt', '.csv'))])
        tree[path] = misspelt(draw, tree[path])
        return ['sunnybrook', studies.write_tree(folder, tree)]


class Pictures:
    """Pictures and masks; one of the two is faulty, or the list of names for validation."""

    kinds = [*picture_files(), *dicom_files()]

    def write(self, draw, folder):
        tree = {'images/a.png': studies.picture(GREY), 'masks/a.png': studies.picture(MASK)}
        tree.update({'images/b.png': draw.choice(self.kinds), 'masks/b.png': studies.picture(MASK), 'names.txt': 'a\n'})
        path = draw.choice(['images/b.png'] * 4 + ['masks/b.png'] * 4 + ['names.txt'])
        tree[path] = misspelt(draw, tree[path]) if path == 'names.txt' else mutated(draw, tree[path])
        studies.write_tree(folder, tree)
        names = ['--val_names', folder / 'names.txt'] if path == 'names.txt' else []
        return ['images', folder / 'images', folder / 'masks', *names]


# A tenth of each; with those of test_training.py and test_environments.py, they are 10,000 in all.
ATTACKS = [(Dicom, 260), (Contours, 180), (Pictures, 260)]


@pytest.mark.parametrize(('kind', 'number'), ATTACKS)
def test_faulty_inputs_are_read_or_refused_in_one_line_and_nothing_is_half_written(kind, number, tenth, tmp_path):
    attack, refused = kind(), 0
    for case in range(tenth * number, (tenth + 1) * number):
        draw = random.Random(case)
        folder, out = tmp_path / f'{case}', tmp_path / f'{case}' / 'out'
        args = [*attack.write(draw, folder / 'raw'), '--out', out, '--workers', 1]
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
