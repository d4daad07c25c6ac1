"""NIfTI files as ACDC and M&Ms have them, written by nibabel."""

import csv

from lvseg import places

import numpy as np
import pytest

from tests.data_prep.nifti_writing import (
    IMAGE,
    LPS,
    MASK,
    NOISE_GZ,
    TABLE,
    acdc,
    labels,
    mnms,
    nifti,
    nifti_gz,
    pair,
    setting,
    voxels,
    with_voxel,
)


@pytest.fixture
def raw(tmp_path, write_tree):
    (tmp_path / 'raw').mkdir()

    def write(files):
        write_tree(tmp_path / 'raw', files)
        return ['nifti', tmp_path / 'raw', '--out', tmp_path / 'out', '--val_fraction', 0]

    return write


@pytest.fixture
def rows(tmp_path):
    """The manifest's lines, by name."""

    def read():
        with (tmp_path / 'out/manifest.csv').open() as file:
            return sorted(csv.DictReader(file), key=lambda row: row['name'])

    return read


@pytest.fixture
def records(tmp_path, read_records, rows):
    """Name -> image and label."""

    def read():
        with (tmp_path / 'out/manifest.csv').open() as file:
            names = [row['name'] for row in csv.DictReader(file)]
        return dict(zip(names, read_records(tmp_path / 'out', 'train')))

    return read


@pytest.fixture
def convert(raw, succeed, records):
    """Name -> image and label of one image with one mask."""

    def run(image, mask=MASK, *flags):
        succeed(*raw(pair(image, mask)), '--label', 3, *flags)
        return records()

    return run


# --- Layouts


def test_acdc_tells_patients_phases_and_spacing(raw, succeed, rows):
    stdout = succeed(*raw(acdc('patient001', 'patient002')), '--label', 3)
    assert stdout.startswith(
        'Found 4 images with masks of 2 patients, in the layout of ACDC.\n'
        'Passed over: 4 slices without a ventricle in the mask, 2 images without a mask.\n'
    )
    subjects = ('patient001', 'patient002')
    assert [(row['name'], row['patient']) for row in rows()] == [
        (f'{subject}/{phase}-slice{number}', subject)
        for subject in subjects
        for phase in ('ED', 'ES')
        for number in ('02', '03')
    ]
    for row in rows():
        frame = {'ED': '01', 'ES': '12'}[row['name'][11:13]]
        path = f'training/{row["patient"]}/{row["patient"]}_frame{frame}'
        assert (row['image'], row['mask']) == (f'{path}.nii.gz', f'{path}_gt.nii.gz')
        assert (row['lv_pixels'], row['pixel_spacing']) == ('200', '1.5')  # 10 x 20


def test_the_names_of_slices_tell_a_report_where_they_lie(raw, succeed, rows):
    succeed(*raw(acdc('patient001')), '--label', 3)
    found = [places.place(row['name']) for row in rows()]
    assert found == [(1, 'ED'), (2, 'ED'), (1, 'ES'), (2, 'ES')]


def test_without_info_cfg_names_tell_the_frame(raw, succeed, rows):
    files = acdc('patient001')
    del files['training/patient001/Info.cfg']
    succeed(*raw(files), '--label', 3)
    assert [row['name'] for row in rows()][::2] == ['patient001/frame01-slice02', 'patient001/frame12-slice02']


@pytest.fixture(scope='module')
def cine():
    """4 frames, of which 0 and 2 have a mask, as in M&Ms: pixels of frame f are f in one half, 1000 in the other."""
    image, mask = np.zeros((256, 256, 3, 4), np.int16), np.zeros((256, 256, 3, 4), np.uint8)
    image += np.arange(4, dtype=np.int16)
    image[128:] = 1000
    mask[..., 0] = mask[..., 2] = labels()
    return nifti_gz(image, (1.25, 1.25, 10, 1)), nifti_gz(mask, (1.25, 1.25, 10, 1))


def test_of_m_and_ms_only_frames_with_a_mask_are_taken(raw, succeed, rows, records, cine):
    stdout = succeed(*raw(mnms(*cine)), '--label', 1)
    assert 'Found 1 image with masks of 1 patient, in the layout of M&Ms.' in stdout
    assert 'Passed over: 2 slices without a ventricle in the mask, 2 frames with an empty mask.' in stdout
    names = [f'A0S9V9/{phase}-slice{number}' for phase in ('ED', 'ES') for number in ('02', '03')]
    assert [row['name'] for row in rows()] == names
    assert {(row['patient'], row['lv_pixels'], row['pixel_spacing']) for row in rows()} == {('A0S9V9', '25', '1.25')}
    for name, value in zip(names, (0, 0, 1, 1)):  # Of frame 2: 2 * 600 / 1000 is 1.2.
        assert np.unique(records()[name][0]).tolist() == [value, 600]


def test_without_the_table_frames_are_counted_from_1(raw, succeed, rows, cine):
    files = mnms(*cine)
    del files[TABLE]
    succeed(*raw(files), '--label', 1)
    assert [row['name'] for row in rows()][::2] == ['A0S9V9/frame01-slice02', 'A0S9V9/frame03-slice02']


def test_one_frame_for_both_phases_is_none(raw, succeed, rows, cine):
    """So the table has it of subjects without a mask."""
    succeed(*raw(mnms(*cine, table='External code,ED,ES\nA0S9V9,0,0\n')), '--label', 1)
    assert rows()[0]['name'] == 'A0S9V9/frame01-slice02'


def test_a_table_of_something_else_is_refused(raw, data_prep, cine):
    error = data_prep(*raw(mnms(*cine, table='a,b\n1,2\n')), '--label', 1).error
    assert f"{TABLE} is not M&Ms' table: columns External code, ED and ES are wanted." in error


@pytest.mark.parametrize('mask', ['gt', 'mask', 'seg', 'label'])
def test_other_names_are_read_too(raw, succeed, rows, mask):
    files = {'b/scan.nii': nifti(voxels()), f'b/scan_{mask}.nii': nifti(labels()), 'a.nii.gz': IMAGE}
    succeed(*raw({**files, f'a_{mask}.nii.gz': MASK}), '--label', 3)
    assert [(row['name'], row['patient']) for row in rows()] == [
        ('a/slice02', 'a'),
        ('a/slice03', 'a'),
        ('b/scan/slice02', 'b'),
        ('b/scan/slice03', 'b'),
    ]


def test_files_of_the_long_axis_are_passed_over(raw, succeed, rows):
    files = {
        f'001/001_{view}_ED{end}.nii.gz': data for view in ('SA', 'LA') for end, data in (('', IMAGE), ('_gt', MASK))
    }
    assert 'Passed over: 1 slice without a ventricle in the mask, 2 files of the long axis.' in succeed(
        *raw(files), '--label', 3
    )
    assert [row['name'] for row in rows()] == ['001/001_SA_ED/slice02', '001/001_SA_ED/slice03']


# --- Pictures


def test_image_and_mask_are_turned_by_the_affine_alike(convert, rows):
    directions = LPS[:, [2, 0, 1]] * [1, -1, 1]  # Slices first; then columns, backwards; then rows.
    stored = (array.transpose(2, 0, 1)[:, ::-1] for array in (voxels(), labels()))
    found = convert(*(nifti_gz(array, (10, 1.5, 1.25), directions) for array in stored))
    assert sorted(found) == ['a/slice02', 'a/slice03']
    pixels, label = found['a/slice02']
    np.testing.assert_array_equal(pixels, voxels()[:, :, 1].T * 3)  # 600 / 200
    np.testing.assert_array_equal(label, labels()[:, :, 1].T == 3)
    assert {row['pixel_spacing'] for row in rows()} == {'1.25\\1.5'}


# --- Intensities


@pytest.mark.parametrize(
    ('low', 'high', 'becomes'),
    [
        (0, 200, [0, 600]),
        (0, 30_000, [0, 600]),
        (50, 200, [150, 600]),  # 50 * 600 / 200: only what is below 0 is lifted.
        (-100, 200, [0, 600]),
        (0.25, 1.5, [100, 600]),
    ],
)
@pytest.mark.parametrize(('slope', 'inter'), [(1, 0), (0.5, -20)])
def test_intensities_come_to_a_scanners_range(convert, low, high, becomes, slope, inter):
    image = np.where(voxels() == 200, high, low)
    stored = ((image - inter) / slope).astype(np.float32)
    pixels, _ = convert(nifti_gz(stored, change=setting(scl_slope=slope, scl_inter=inter)))['a/slice02']
    assert pixels.dtype == np.int64
    assert np.unique(pixels).tolist() == becomes


def test_pixels_far_beyond_all_others_are_cut(convert):
    image = voxels()
    image[0, 0, 1] = 2000  # 6000
    image[1, 0, 1] = 1300  # 3900
    pixels, _ = convert(nifti_gz(image))['a/slice02']
    assert pixels[0, :3].tolist() == [4095, 3900, 600]


# --- Labels


def test_several_labels_are_refused_until_one_is_meant(raw, data_prep):
    # 2 frames of 2 slices with 25, 300 and 200 pixels.
    error = data_prep(*raw(acdc('patient001'))).error
    for told in ('3 (800 pixels in 2 masks)', '2 (1,200 pixels in 2 masks)', '1 (100 pixels in 2 masks)', '--label'):
        assert told in error


def test_labels_of_different_masks_are_several_too(raw, data_prep):
    one, two = (nifti_gz((labels() == 3).astype(np.uint8) * value) for value in (1, 2))
    files = {'a.nii.gz': IMAGE, 'b.nii.gz': IMAGE, 'a_gt.nii.gz': one, 'b_gt.nii.gz': two}
    error = data_prep(*raw(files)).error
    assert '1 (400 pixels in 1 mask), 2 (400 pixels in 1 mask)' in error


def test_one_label_needs_no_telling(raw, succeed, rows):
    succeed(*raw(pair(mask=nifti_gz((labels() == 3).astype(np.uint8) * 255))))
    assert [row['lv_pixels'] for row in rows()] == ['200', '200']


def test_labels_left_out_are_told(raw, succeed):
    assert 'left out are 2 (600 pixels in 1 mask), 1 (50 pixels in 1 mask)' in succeed(*raw(pair()), '--label', 3)


def test_a_label_that_no_mask_has_is_refused_with_those_there_are(raw, data_prep):
    error = data_prep(*raw(pair()), '--label', 7).error
    assert '--label 7: no mask has this value.' in error
    assert '3 (400 pixels in 1 mask)' in error


def test_a_ventricle_that_covers_most_of_the_picture_is_asked_about(raw, data_prep):
    mask = np.ones((256, 256, 3), np.uint8)
    mask[100:110, 50:70] = 0
    assert 'is it the background?' in data_prep(*raw(pair(mask=nifti_gz(mask)))).error


def test_masks_that_are_all_empty_are_refused(raw, data_prep):
    error = data_prep(*raw(pair(mask=nifti_gz(np.zeros((256, 256, 3), np.uint8))))).error
    assert 'there is nothing to write.' in error
    assert 'Passed over: 1 frame with an empty mask.' in error


def test_a_label_is_a_whole_number(raw, data_prep):
    assert data_prep(*raw(pair()), '--label', '1.5').status == 2


def test_masks_may_be_floats(convert):
    _, label = convert(IMAGE, nifti_gz(labels().astype(np.float64)))['a/slice02']
    assert label.sum() == 200


# --- Size


def test_a_picture_of_acdcs_size_is_padded(convert):
    shape = (216, 256, 3)
    pixels, label = convert(nifti_gz(voxels(shape)), nifti_gz(labels(shape)))['a/slice02']
    assert (pixels[:, :20] == 0).all() and (pixels[:, 20 + 216 :] == 0).all()  # (256 - 216) / 2 columns on both sides
    np.testing.assert_array_equal(pixels[:, 20:236], voxels(shape)[:, :, 1].T * 3)
    np.testing.assert_array_equal(label[:, 20:236], labels(shape)[:, :, 1].T == 3)


def test_pictures_are_resampled_to_one_spacing(convert, rows):
    _, label = convert(IMAGE, MASK, '--spacing', 3)['a/slice02']
    assert label.sum() == 50  # 10 x 20 pixels of 1.5 mm are 5 x 10 of 3 mm.
    assert {row['pixel_spacing'] for row in rows()} == {'3'}


def test_a_cropped_ventricle_is_refused_unless_allowed(raw, data_prep, succeed, rows):
    shape = (320, 256, 3)
    mask = np.zeros(shape, np.uint8)
    mask[22:42, 50:60, 1] = 1  # Columns from 22 to 41; those below (320 - 256) / 2 = 32 are cut off.
    args = raw(pair(nifti_gz(voxels(shape)), nifti_gz(mask)))
    assert 'a_gt.nii.gz: would lose 100 of the 200 pixels of its ventricle' in data_prep(*args).error
    succeed(*args, '--allow_cropped')
    assert [row['lv_pixels'] for row in rows()] == ['100']


# --- What cannot be read


BAD_IMAGES = {
    'cut off': (nifti(voxels())[:100_000], f'is cut off: 100000 of {352 + 256 * 256 * 3 * 2} bytes are there'),
    'gzip cut off': (NOISE_GZ[: len(NOISE_GZ) // 2], 'is damaged or cut off'),
    'NaN': (with_voxel(voxels(), np.nan), 'has voxels that are no numbers (NaN or infinite)'),
    'no contrast': (nifti(np.full((256, 256, 3), 7, np.int16)), 'has no contrast'),
    'nearly none': (with_voxel(np.zeros((256, 256, 3)), 900), 'has no contrast'),
}


@pytest.mark.parametrize('bad', BAD_IMAGES)
def test_images_that_cannot_be_read_rightly_are_refused_with_the_reason(raw, data_prep, tmp_path, bad):
    image, reason = BAD_IMAGES[bad]
    assert f'a.nii.gz: {reason}' in data_prep(*raw(pair(image)), '--label', 3).error
    assert not (tmp_path / 'out').exists()


BAD_MASKS = {
    'cut off': (NOISE_GZ[: len(NOISE_GZ) // 2], 'is damaged or cut off'),
    'another size': (nifti(labels((256, 255, 3))), 'has 256 x 255 x 3 x 1 voxels, but its image 256 x 256 x 3 x 1'),
    'another number of frames': (
        nifti(np.zeros((256, 256, 3, 2), np.uint8), (1.5, 1.5, 10, 1)),
        'has 256 x 256 x 3 x 2',
    ),
    'another spacing': (nifti(labels(), (1.25, 1.5, 10)), 'lies elsewhere than its image'),
    'turned the other way': (nifti(labels(), directions=LPS * [-1, 1, 1]), 'lies elsewhere than its image'),
    'an image': (
        nifti(np.arange(256 * 256 * 3, dtype=np.int32).reshape(256, 256, 3)),
        'has 65536 different values, too many for a mask',
    ),
    'fractions': (nifti(labels() * 0.5), 'has fractions; the labels of a mask are whole numbers'),
    'NaN': (with_voxel(labels(), np.nan), 'has voxels that are no numbers'),
}


@pytest.mark.parametrize('bad', BAD_MASKS)
def test_masks_that_cannot_be_read_rightly_are_refused_with_the_reason(raw, data_prep, tmp_path, bad):
    mask, reason = BAD_MASKS[bad]
    assert f'a_gt.nii.gz: {reason}' in data_prep(*raw(pair(mask=mask)), '--label', 3).error
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
    ('files', 'reason'),
    [
        ({'notes.txt': 'x'}, 'has no NIfTI files (.nii or .nii.gz).'),
        ({'._a.nii.gz': 'from a Macintosh'}, 'has no NIfTI files (.nii or .nii.gz).'),
        ({'a.nii': IMAGE, 'b.nii': IMAGE}, 'has 2 NIfTI images, but no mask: that of X.nii.gz is to be called X_gt'),
        ({'a_gt.nii': MASK}, 'a_gt.nii: is a mask without an image of the same name'),
        ({**pair(), 'a.nii': IMAGE}, 'a.nii: is one of several images of the same name, as a.nii.gz'),
        ({**pair(), 'a_seg.nii': MASK}, 'a.nii.gz: has several masks, a_gt.nii.gz and a_seg.nii'),
    ],
)
def test_images_and_masks_that_do_not_fit_are_refused(raw, data_prep, files, reason):
    assert reason in data_prep(*raw(files), '--label', 3).error


def test_a_subject_that_is_there_twice_is_refused(raw, data_prep):
    files = acdc('patient001')
    copies = {path.replace('training', 'copy'): data for path, data in files.items()}
    error = data_prep(*raw({**files, **copies}), '--label', 3).error
    assert 'frame01.nii.gz: has the subject and frame of copy/patient001/patient001_frame01.nii.gz' in error


def test_a_missing_folder_is_refused(tmp_path, data_prep):
    assert 'none not found: a folder is wanted here' in data_prep('nifti', tmp_path / 'none', '--out', tmp_path).error


def test_bad_files_can_be_left_out_and_are_listed(raw, succeed, rows):
    files = acdc('patient001', 'patient002')
    files['training/patient001/patient001_frame01.nii.gz'] = NOISE_GZ[:1000]
    files['training/patient002/patient002_frame12_gt.nii.gz'] = b''
    stdout = succeed(*raw(files), '--label', 3, '--skip_bad')
    assert 'Left out 2 slices that cannot be read:' in stdout
    assert {row['bad_file']: row['reason'] for row in rows() if row['split'] == 'skipped'} == {
        'training/patient001/patient001_frame01.nii.gz': 'is damaged or cut off',
        'training/patient002/patient002_frame12_gt.nii.gz': 'is no NIfTI file, or a damaged one',
    }
    assert sum(row['split'] == 'train' for row in rows()) == 4


def test_two_processes_write_the_same_bytes_as_one(raw, succeed, content, tmp_path, cine):
    args = raw({**acdc('patient001'), **mnms(*cine)})
    found = []
    for workers in (1, 2):
        succeed(*args, '--label', 1, '--workers', workers)
        found.append(content(tmp_path / 'out'))
    assert found[0] == found[1]


def test_no_patient_is_on_both_sides_of_a_split_by_patient(raw, succeed, rows):
    args = raw(acdc(*(f'patient00{number}' for number in range(1, 5))))[:-2]
    succeed(*args, '--label', 3, '--split', 'patient', '--val_fraction', 0.5)
    sides = {
        row['patient']: {other['split'] for other in rows() if other['patient'] == row['patient']} for row in rows()
    }
    assert sorted(map(sorted, sides.values())) == [['train'], ['train'], ['val'], ['val']]


@pytest.mark.parametrize('kind', ['good', 'bad'])
def test_no_text_of_a_header_is_passed_on(raw, data_prep, content, tmp_path, kind):
    secret = b'DOE^JANE'
    texts = setting(descrip=secret, db_name=secret, intent_name=secret, aux_file=secret, data_type=secret)
    files = pair(nifti(voxels(), change=texts), nifti(labels(), change=texts))
    if kind == 'bad':
        files['a.nii.gz'] = files['a.nii.gz'][:1000]
    done = data_prep(*raw(files), '--label', 3)
    assert done.status == (kind == 'bad')
    written = content(tmp_path / 'out') if kind == 'good' else {}
    assert not any(secret in data for data in [done.stdout.encode(), done.stderr.encode(), *written.values()])
