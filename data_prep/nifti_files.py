"""One NIfTI file, compressed by gzip or not -> voxels, and slices of them as pictures.

nibabel understands the header and unpacks voxels; what it would believe of a damaged header is checked before. Of the
header's texts (descrip, db_name, intent_name, extensions) none is read. Messages quote shapes and sizes only.
"""

import contextlib
import gzip
import shlex
import sys
from typing import IO, Iterator, NamedTuple, Tuple, Union

from lvseg.errors import LabError
from lvseg.manifest import Spacing
from lvseg.project import PROJECT

import numpy as np

from data_prep.slices import LIBRARY_ERRORS, MAX_SIDE

try:
    import nibabel
    from nibabel.arrayproxy import ArrayProxy
    from nibabel.spatialimages import HeaderDataError
    from nibabel.wrapstruct import WrapStructError
except ImportError:
    _INSTALL = [sys.executable, '-m', 'pip', 'install', '-r', str(PROJECT / 'requirements-nifti.txt')]
    raise LabError(
        f'nibabel, which reads NIfTI, is not installed. Install it with: {" ".join(map(shlex.quote, _INSTALL))}'
    ) from None

_ERRORS = (*LIBRARY_ERRORS, HeaderDataError, WrapStructError)

_GZIP = b'\x1f\x8b'
_HEADERS = {348: nibabel.Nifti1Header, 540: nibabel.Nifti2Header}  # By sizeof_hdr, in bytes; either byte order.

_MAX_OFFSET = 2**20  # Before the voxels lie header and extensions.
_MAX_FRAME_VOXELS = 2**24  # 512 x 512 x 64.
_MAX_BYTES = 2**31  # Of all frames, uncompressed.
_PIECE = 2**20

_MM = {0: 1, 1: 1000, 2: 1, 3: 0.001}  # By the lowest three bits of xyzt_units: not told, metre, mm, micrometre.
_MIN_SPACING, _MAX_SPACING = 0.01, 10  # mm, within a slice; as in DICOM files.

# In which direction the right-hand side and the lower edge of a picture should lie, in DICOM's axes: to the patient's
# left, to the back, to the head.
_WANTED_RIGHT = np.array([1, 0.5, 0])
_WANTED_DOWN = np.array([0, 0.5, -1])
_TO_DICOM = np.array([[-1], [-1], [1]])  # NIfTI's axes lead to the right, to the front, to the head.


class Axes(NamedTuple):
    """Which of a volume's axes lead through the slices, down and to the right in a picture; and which of them back."""

    order: Tuple[int, int, int]
    backwards: Tuple[bool, bool, bool]


class Grid(NamedTuple):
    """Where the voxels of a frame lie."""

    shape: Tuple[int, int, int]
    spacing: np.ndarray  # float [3], in mm, by pixdim
    affine: np.ndarray  # float [4, 4], voxel indices -> coordinates in the header's unit

    @property
    def axes(self) -> Axes:
        """Slices lie across the axis of the largest spacing, and if there are several of it, across the last.

        In the plane, rows and columns are turned as DICOM images usually are: the right-hand side of the picture is the
        patient's left, or else back; its lower edge is the feet, or else the back. Of a short axis, this shows the
        anterior wall above and the right ventricle on the left. Slices are counted along columns x rows, as the third
        axis of DICOM's.
        """
        directions = (_TO_DICOM * self.affine[:3, :3] / np.linalg.norm(self.affine[:3, :3], axis=0)).T
        spacing = self.spacing.round(3)
        through = int(np.flatnonzero(spacing == spacing.max())[-1])
        first, second = (axis for axis in range(3) if axis != through)
        right, down = max(
            ((first, second), (second, first)),
            key=lambda axes: abs(directions[axes[0]] @ _WANTED_RIGHT) + abs(directions[axes[1]] @ _WANTED_DOWN),
        )
        is_left, is_up = directions[right] @ _WANTED_RIGHT < 0, directions[down] @ _WANTED_DOWN < 0
        normal = np.cross(directions[right], directions[down]) * (-1 if is_left != is_up else 1)
        return Axes((through, down, right), (bool(normal @ directions[through] < 0), bool(is_up), bool(is_left)))

    @property
    def pixel_spacing(self) -> Spacing:
        """Of the pictures."""
        _, down, right = self.axes.order
        return Spacing(float(self.spacing[down]), float(self.spacing[right]))

    def pictures(self, voxels: np.ndarray) -> np.ndarray:
        """Turns a frame [i, j, k], as stored, into its slices [slice, row, column]."""
        order, backwards = self.axes
        return voxels.transpose(order)[tuple(slice(None, None, -1 if back else 1) for back in backwards)]

    def same_as(self, other: 'Grid') -> bool:
        """Whether every voxel lies within half a voxel of the other grid's: rounding and scaling differ."""
        if self.shape != other.shape:
            return False
        corners = np.array([[i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * (*self.shape, 1)
        moved = (corners @ (self.affine - other.affine).T)[:, :3]
        half = np.linalg.norm(self.affine[:3, :3], axis=0).min() / 2
        return np.allclose(self.spacing, other.spacing, rtol=0.01) and bool((np.abs(moved) < half).all())


class NiftiFile:
    """An open file: `grid`, how many `frames` there are, and their voxels.

    Raises:
        LabError: not NIfTI, damaged, neither 3-D nor 4-D, in colour or complex, without a spacing, or too large.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        header = _header(stream)
        shape = _shape(header)
        self.frames = shape[3]
        self.grid = Grid(shape[:3], _spacing(header), _affine(header))
        pixel_spacing = self.grid.pixel_spacing
        if not all(_MIN_SPACING <= value <= _MAX_SPACING for value in pixel_spacing):
            raise LabError(
                f'has pixels of {pixel_spacing.rows:g} x {pixel_spacing.columns:g} mm; from 0.01 to 10 are read'
            )
        layout = _voxel_layout(header, shape)
        _, dtype, offset, *_ = layout
        self._end = offset + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        if self._end - offset > _MAX_BYTES:
            raise LabError(f'has {_sides(shape)} voxels, more than {_MAX_BYTES} bytes; so much is not read')
        self._proxy = ArrayProxy(stream, layout, mmap=False)

    def frame(self, index: int) -> np.ndarray:
        """The voxels [i, j, k] of one frame with slope and intercept applied, as stored; all are numbers.

        Raises:
            LabError: damaged, cut off, or not all of them are finite.
        """
        try:
            with np.errstate(all='ignore'):
                voxels = np.asarray(self._proxy[..., index])
        except _ERRORS:
            raise LabError('is damaged or cut off') from None
        if not np.isfinite(voxels).all():
            raise LabError('has voxels that are no numbers (NaN or infinite)')
        return voxels

    def check_to_the_end(self) -> None:
        """Reads all that is left, for gzip's checksum stands at the end; raises LabError as `frame` does."""
        try:
            at = self._stream.tell()
            while at <= self._end + _PIECE:
                piece = self._stream.read(_PIECE)
                if not piece:
                    break
                at += len(piece)
        except _ERRORS:
            raise LabError('is damaged or cut off') from None
        if at < self._end:
            raise LabError(f'is cut off: {at} of {self._end} bytes are there')
        if at > self._end + _PIECE:
            raise LabError('has far more bytes than its header tells of')


@contextlib.contextmanager
def opened(path: str) -> Iterator[NiftiFile]:
    """Opens a file; raises LabError as `NiftiFile`, or where it cannot be read."""
    try:
        with open(path, 'rb') as file:
            is_compressed = file.read(len(_GZIP)) == _GZIP
            file.seek(0)
            yield NiftiFile(gzip.GzipFile(fileobj=file) if is_compressed else file)
    except OSError as error:
        raise LabError(f'cannot be read: {error.strerror}') from None


def _header(stream: IO[bytes]) -> nibabel.Nifti1Header:
    try:
        block = stream.read(max(_HEADERS))
        for order in ('little', 'big'):
            kind = _HEADERS.get(int.from_bytes(block[:4], order))
            if kind:
                # Nothing is checked here, for nibabel would print what it thinks of it; and mended in silence.
                header = kind(block[: kind.sizeof_hdr], check=False)
                break
        else:
            raise LabError('is no NIfTI file, or a damaged one')
        is_single = bytes(header['magic'])[:3] in (b'n+1', b'n+2')
    except _ERRORS:
        raise LabError('is no NIfTI file, or a damaged one') from None
    if not is_single:
        raise LabError('is no NIfTI file that holds header and voxels in one')
    return header


def _shape(header: nibabel.Nifti1Header) -> Tuple[int, int, int, int]:
    dimensions = int(header['dim'][0])
    if not 1 <= dimensions <= 7:
        raise LabError('has a damaged header')
    shape = [int(side) for side in header['dim'][1 : dimensions + 1]]
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    if len(shape) not in (3, 4):
        raise LabError(f'has {len(shape)} dimensions; 3 are wanted, or 4 where there are several frames')
    if min(shape) < 1 or max(shape) > MAX_SIDE:
        raise LabError(f'has {_sides(shape)} voxels; sides from 1 to {MAX_SIDE} are read')
    if shape[0] * shape[1] * shape[2] > _MAX_FRAME_VOXELS:
        raise LabError(f'has {_sides(shape)} voxels; up to {_MAX_FRAME_VOXELS} a frame are read')
    return (*shape, 1)[:4]


def _spacing(header: nibabel.Nifti1Header) -> np.ndarray:
    """By pixdim: ACDC's affines are without scale."""
    unit = _MM.get(int(header['xyzt_units']) % 8, np.nan)
    spacing = np.abs(np.asarray(header['pixdim'][1:4], np.float64)) * unit
    if not np.isfinite(spacing).all() or not spacing.all():
        raise LabError('does not tell the size of its voxels')
    return spacing


def _affine(header: nibabel.Nifti1Header) -> np.ndarray:
    try:
        with np.errstate(all='ignore'):
            affine = np.asarray(header.get_best_affine(), np.float64)
            lengths = np.linalg.norm(affine[:3, :3], axis=0)
            volume = abs(np.linalg.det(affine[:3, :3] / lengths))
    except _ERRORS:
        raise LabError('does not tell how it lies in the patient') from None
    if not volume > 0.1 or not np.isfinite(affine).all():  # Of a unit cube's; NaN is not more either.
        raise LabError('does not tell how it lies in the patient')
    return affine


def _voxel_layout(
    header: nibabel.Nifti1Header, shape: Tuple[int, int, int, int]
) -> Tuple[Tuple[int, ...], np.dtype, int, float, float]:
    """What nibabel's ArrayProxy wants to know."""
    try:
        dtype = np.dtype(header.get_data_dtype())
        slope, inter = header.get_slope_inter()
        offset = int(header['vox_offset'])
    except _ERRORS:
        raise LabError('has a damaged header') from None
    if dtype.kind not in 'iuf' or not 1 <= dtype.itemsize <= 8:
        raise LabError('has voxels of a kind that is not read here; integers and floats of up to 64 bits are')
    if not header.sizeof_hdr <= offset <= _MAX_OFFSET:
        raise LabError('has a damaged header')
    return shape, dtype, offset, 1.0 if slope is None else slope, 0.0 if inter is None else inter


def _sides(shape: Union[Tuple[int, ...], list]) -> str:
    return ' x '.join(map(str, shape))
