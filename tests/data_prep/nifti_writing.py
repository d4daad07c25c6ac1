"""Writes NIfTI files by nibabel, of a frame whose left ventricle is known."""

import gzip

import nibabel
import numpy as np

LPS = np.diag([-1.0, -1.0, 1.0])  # The axes of an array lead to the patient's left, back and head.


def nifti(voxels, spacing=(1.5, 1.5, 10), directions=LPS, change=None):
    """The bytes of a file. `directions`: a column for each axis, in NIfTI's right, front and head."""
    affine = np.eye(4)
    affine[:3, :3] = np.asarray(directions) * spacing[:3]
    image = nibabel.Nifti1Image(voxels, affine)
    image.header.set_xyzt_units('mm', 'sec')
    content = bytearray(image.to_bytes())
    if change:
        header = nibabel.Nifti1Header(bytes(content[:348]), check=False)
        change(header)
        content[:348] = header.binaryblock
    return bytes(content)


def nifti_gz(*args, **how):
    return gzip.compress(nifti(*args, **how), 1)


def setting(**fields):
    def change(header):
        for name, value in fields.items():
            header[name] = value

    return change


def voxels(shape=(256, 256, 3)):
    """Of a frame 0, but for a half of 200: its brightest hundredth begins at 200, which becomes 600."""
    array = np.zeros(shape, np.int16)
    array[: shape[0] // 2] = 200
    return array


def labels(shape=(256, 256, 3)):
    """In every slice but the first: 3 of 10 x 20, 2 of 30 x 10 and 1 of 5 x 5 pixels."""
    array = np.zeros(shape, np.uint8)
    array[100:110, 50:70, 1:] = 3
    array[120:150, 50:60, 1:] = 2
    array[20:25, 20:25, 1:] = 1
    return array


IMAGE, MASK = nifti_gz(voxels()), nifti_gz(labels())


def pair(image=IMAGE, mask=MASK):
    return {'a.nii.gz': image, 'a_gt.nii.gz': mask}


def with_voxel(array, value):
    array = array.astype(np.float32)
    array[5, 5, 1] = value
    return nifti_gz(array)


NOISE_GZ = nifti_gz(np.random.RandomState(0).randint(0, 200, (256, 256, 3)).astype(np.int16))


TABLE = '211230_M&Ms_Dataset_information_diagnosis_opendataset.csv'


def acdc(*subjects, image=IMAGE, mask=MASK):
    files = {}
    for subject in subjects:
        folder = f'training/{subject}'
        files[f'{folder}/Info.cfg'] = 'ED: 1\nES: 12\nGroup: DCM\nHeight: 184.0\nNbFrame: 30\nWeight: 95.0\n'
        files[f'{folder}/{subject}_4d.nii.gz'] = 'the cine, which is not opened'
        for frame in ('01', '12'):
            files[f'{folder}/{subject}_frame{frame}.nii.gz'] = image
            files[f'{folder}/{subject}_frame{frame}_gt.nii.gz'] = mask
    return files


def mnms(image, mask, table='External code,Vendor,ED,ES\nA0S9V9,A,0,2\n'):
    folder = 'Training/Labeled/A0S9V9/A0S9V9_sa'
    return {f'{folder}.nii.gz': image, f'{folder}_gt.nii.gz': mask, TABLE: table}
