"""One NIfTI file, written by nibabel -> voxels and pictures."""

import gzip
import itertools
import sys

from lvseg.errors import LabError
from lvseg.project import PROJECT

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.nifti_files import opened
from tests.data_prep.fuzzing import MUTATIONS, THOROUGH, mutated
from tests.data_prep.nifti_writing import LPS, NOISE_GZ, nifti, nifti_gz, setting, voxels, with_voxel

# ImageOrientationPatient, in left, back and head, of short-axis series of the Sunnybrook data.
SHORT_AXES = [(0.77, 0.62, 0.16, -0.15, 0.41, -0.90), (0.71, 0.70, -0.03, -0.31, 0.27, -0.91)]

STACK = np.arange(5 * 4 * 3, dtype=np.int16).reshape(5, 4, 3)  # No two voxels are alike.


@pytest.fixture
def read(tmp_path):
    """Pictures [slice, row, column] of the first frame, and their spacing."""

    def run(data):
        (tmp_path / 'a.nii.gz').write_bytes(data)
        with opened(str(tmp_path / 'a.nii.gz')) as file:
            pictures = file.grid.pictures(file.frame(0))
            file.check_to_the_end()
            return pictures, file.grid.pixel_spacing

    return run


@pytest.fixture
def grid(tmp_path):
    def run(data):
        (tmp_path / 'a.nii').write_bytes(data)
        with opened(str(tmp_path / 'a.nii')) as file:
            return file.grid

    return run


# --- Pictures


@pytest.mark.parametrize('order', itertools.permutations(range(3)))
@pytest.mark.parametrize('backwards', itertools.product([False, True], repeat=3))
def test_flipped_and_permuted_affines_give_the_same_pictures(read, order, backwards):
    """The same volume with its axes in another order, and running the other way."""
    turned = STACK.transpose(order)[tuple(slice(None, None, -1 if back else 1) for back in backwards)]
    directions = LPS[:, list(order)] * np.where(backwards, -1, 1)
    pictures, spacing = read(nifti_gz(turned, np.array([1.5, 1.25, 10])[list(order)], directions))
    # Columns lead to the left, as the first axis of the volume does, rows to the back, and slices to the head.
    np.testing.assert_array_equal(pictures, STACK.transpose(2, 1, 0))
    assert spacing == (1.25, 1.5)


@pytest.mark.parametrize('rows_and_columns', SHORT_AXES)
@pytest.mark.parametrize('turned', [False, True])
def test_a_short_axis_is_pictured_as_the_scanner_did(read, rows_and_columns, turned):
    across, down = np.array(rows_and_columns[:3]), np.array(rows_and_columns[3:])
    directions, stack = np.diag([-1, -1, 1]) @ np.stack([across, down, np.cross(across, down)], axis=1), STACK
    if turned:  # Columns first, and rows upwards.
        directions, stack = directions[:, [1, 0, 2]] * [-1, 1, 1], STACK.transpose(1, 0, 2)[::-1]
    pictures, _ = read(nifti(stack, directions=directions))
    np.testing.assert_array_equal(pictures, STACK.transpose(2, 1, 0))


def test_of_equal_spacings_slices_lie_across_the_third_axis(read):
    pictures, _ = read(nifti(STACK, (1.2, 1.2, 1.2)))
    np.testing.assert_array_equal(pictures, STACK.transpose(2, 1, 0))


@pytest.mark.parametrize(('unit', 'factor'), [(2, 1), (0, 1), (1, 1e-3), (3, 1e3)])  # mm, not told, m, micrometres
def test_spacings_are_told_in_mm_whatever_their_unit(read, unit, factor):
    _, spacing = read(nifti(STACK, np.array((1.5, 1.25, 10)) * factor, change=setting(xyzt_units=unit)))
    np.testing.assert_allclose(spacing, (1.25, 1.5), rtol=1e-6)


def test_the_spacing_of_an_affine_without_scale_is_in_pixdim(read):
    """ACDC's sform is so."""
    _, spacing = read(nifti(STACK, (1, 1, 1), change=setting(pixdim=[1, 1.5, 1.25, 10, 1, 0, 0, 0])))
    assert spacing == (1.25, 1.5)


@pytest.mark.parametrize('order', ['<', '>'])
@pytest.mark.parametrize('kind', [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize('dtype', ['u1', 'i2', 'u2', 'i4', 'f4', 'f8', 'i8'])
def test_both_versions_byte_orders_and_all_sizes_are_read(read, kind, order, dtype):
    header = kind.header_class(endianness=order)
    header.set_data_dtype(dtype)
    pictures, _ = read(kind(STACK.astype(dtype), np.diag([-1.5, -1.5, 10, 1]), header).to_bytes())
    np.testing.assert_array_equal(pictures, STACK.transpose(2, 1, 0))


def test_slope_and_intercept_are_applied(read):
    pictures, _ = read(nifti(STACK, change=setting(scl_slope=0.5, scl_inter=-3)))
    np.testing.assert_array_equal(pictures, STACK.transpose(2, 1, 0) * 0.5 - 3)


@pytest.mark.parametrize(
    ('other', 'alike'),
    [
        (nifti(STACK, (1.5001, 1.5, 10)), True),  # Rounding.
        (nifti(STACK, (1.25, 1.5, 10)), False),
        (nifti(STACK, directions=LPS * [-1, 1, 1]), False),
        (nifti(STACK, change=setting(srow_x=[-1.5, 0, 0, 1.5])), False),  # A voxel aside.
    ],
)
def test_grids_are_alike_where_voxels_lie_in_the_same_places(grid, other, alike):
    assert grid(nifti(STACK)).same_as(grid(other)) == alike


# --- What cannot be read


def changed(**fields):
    return nifti(voxels(), change=setting(**fields))


def flipped_byte(data, at):
    return data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :]


PLAIN = nifti(voxels())

BAD_FILES = {
    'text': (b'no NIfTI at all', 'is no NIfTI file'),
    'empty': (b'', 'is no NIfTI file'),
    'gzip of nothing': (gzip.compress(b''), 'is no NIfTI file'),
    'half of a pair': (changed(magic=b'ni1'), 'is no NIfTI file that holds header and voxels'),
    'header cut off': (PLAIN[:200], 'is no NIfTI file'),
    'cut off': (PLAIN[:100_000], 'is damaged or cut off'),
    'gzip cut off': (NOISE_GZ[: len(NOISE_GZ) // 2], 'is damaged or cut off'),
    'gzip without its checksum': (NOISE_GZ[:-8], 'is damaged or cut off'),
    'gzip of a wrong checksum': (flipped_byte(NOISE_GZ, len(NOISE_GZ) - 6), 'is damaged or cut off'),
    'gzip with a flipped byte': (flipped_byte(NOISE_GZ, len(NOISE_GZ) // 2), 'is damaged or cut off'),
    '2-D': (nifti(voxels()[:, :, 0]), 'has 2 dimensions; 3 are wanted'),
    '5-D': (nifti(np.zeros((4, 4, 4, 2, 2), np.int16)), 'has 5 dimensions; 3 are wanted'),
    'no dimension': (changed(dim=[0, 256, 256, 3, 1, 1, 1, 1]), 'has a damaged header'),
    'a negative side': (changed(dim=[3, 256, -256, 3, 1, 1, 1, 1]), 'has 256 x -256 x 3 voxels; sides from'),
    'absurd sides': (changed(dim=[3, 32767, 32767, 9, 1, 1, 1, 1]), 'has 32767 x 32767 x 9 voxels; sides from'),
    'an absurd frame': (
        changed(dim=[3, 4096, 4096, 9, 1, 1, 1, 1]),
        'has 4096 x 4096 x 9 voxels; up to 16777216 a frame',
    ),
    'absurd frames': (
        changed(dim=[4, 4096, 4096, 1, 4000, 1, 1, 1]),
        'has 4096 x 4096 x 1 x 4000 voxels, more than 2147483648 bytes',
    ),
    'absurdly far voxels': (changed(vox_offset=1e9), 'has a damaged header'),
    'voxels of no place': (changed(vox_offset=np.nan), 'has a damaged header'),
    'far more than it tells': (gzip.compress(PLAIN + bytes(2 * 2**20), 1), 'has far more bytes than its header'),
    'colour': (changed(datatype=128, bitpix=24), 'has voxels of a kind that is not read'),
    'complex': (changed(datatype=32, bitpix=64), 'has voxels of a kind that is not read'),
    'no such kind': (changed(datatype=77), 'has a damaged header'),
    'an infinite intercept': (changed(scl_slope=1, scl_inter=np.inf), 'has a damaged header'),
    'no spacing': (changed(pixdim=[1, 0, 1.5, 10, 1, 0, 0, 0]), 'does not tell the size'),
    'spacing not a number': (changed(pixdim=[1, np.nan, 1.5, 10, 1, 0, 0, 0]), 'does not tell the'),
    'pixels of 80 mm': (nifti(voxels(), (80, 80, 90)), 'has pixels of 80 x 80 mm; from 0.01 to 10 are read'),
    'a unit of time': (changed(xyzt_units=7), 'does not tell the size of its voxels'),
    'a flat affine': (changed(srow_y=[-1.5, 0, 0, 0]), 'does not tell how it lies'),
    'an empty affine': (changed(srow_y=[0, 0, 0, 0]), 'does not tell how it lies'),
    'NaN': (with_voxel(voxels(), np.nan), 'has voxels that are no numbers (NaN or infinite)'),
    'infinite': (with_voxel(voxels(), np.inf), 'has voxels that are no numbers (NaN or infinite)'),
}


@pytest.mark.parametrize('bad', BAD_FILES)
def test_what_cannot_be_read_rightly_is_refused_with_the_reason(read, bad):
    data, reason = BAD_FILES[bad]
    with pytest.raises(LabError) as refusal:
        read(data)
    assert str(refusal.value).startswith(reason)


def test_a_file_cut_off_anywhere_is_refused(read):
    for length in np.linspace(0, len(NOISE_GZ) - 1, 100).astype(int):
        with pytest.raises(LabError, match='^is (cut off|damaged|no NIfTI)'):
            read(NOISE_GZ[:length])


@pytest.mark.slow
@THOROUGH
@given(which=st.integers(0, 3), mutations=MUTATIONS)
def test_damaged_files_are_read_or_refused(read, capfd, which, mutations):
    small = nifti(STACK, change=setting(scl_slope=2, scl_inter=-1)), nifti(STACK.astype('f4').reshape(5, 4, 3, 1))
    data = mutated((*small, *map(gzip.compress, small))[which], mutations)
    check(read, data, capfd)


@pytest.mark.slow
@THOROUGH
@given(which=st.booleans(), mutations=MUTATIONS)
def test_files_with_a_damaged_header_are_read_or_refused(read, capfd, which, mutations):
    data = nifti(STACK, change=setting(scl_slope=2, scl_inter=-1))
    data = data[:4] + mutated(data[4:352], mutations)[:348] + data[352:]
    check(read, gzip.compress(data) if which else data, capfd)


def check(read, data, capfd):
    try:
        pictures, spacing = read(data)
    except LabError as refusal:
        assert '\n' not in str(refusal)
    else:
        assert pictures.ndim == 3
        assert np.isfinite(pictures).all()
        assert all(0.01 <= value <= 10 for value in spacing)
    assert capfd.readouterr() == ('', '')


# --- Without nibabel


def test_without_nibabel_the_line_says_how_to_install_it(data_prep, tmp_path, monkeypatch):
    for name in ('data_prep.nifti_files', 'data_prep.sources.nifti'):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delattr('data_prep.sources.nifti', raising=False)
    monkeypatch.setitem(sys.modules, 'nibabel', None)  # As if it were not installed.
    requirements = PROJECT / 'requirements-nifti.txt'
    error = data_prep('nifti', tmp_path, '--out', tmp_path / 'out').error
    assert f'Install it with: {sys.executable} -m pip install -r {requirements}' in error
    assert requirements.exists()
