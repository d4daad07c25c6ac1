import os

from lvseg.errors import LabError

import pytest

from data_prep import slices


def test_a_file_far_too_large_for_a_slice_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / 'large.dcm'
    path.touch()
    os.truncate(str(path), 64 * 2**20 + 1)  # of zeros that take no room on disk
    with pytest.raises(LabError, match='has 67108865 bytes, far more than one slice needs'):
        slices.read_bytes(str(tmp_path), 'large.dcm')
