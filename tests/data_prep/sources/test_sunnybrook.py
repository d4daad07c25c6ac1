import csv

import numpy as np
import pytest

FRAME = np.zeros((256, 256), np.int16)
CASE_FOLDER = 'SCD_IMAGES_01/SCD0000101'


@pytest.fixture
def frame(make_dicom):
    return make_dicom(FRAME)


@pytest.fixture
def prepare(tmp_path, write_tree, data_prep):
    """Writes a study and runs `sunnybrook` on it."""

    def run(files, *flags):
        (tmp_path / 'raw').mkdir(exist_ok=True)
        write_tree(tmp_path / 'raw', files)
        return data_prep('sunnybrook', tmp_path / 'raw', '--out', tmp_path / 'out', *flags)

    return run


@pytest.fixture
def manifest(tmp_path):
    return lambda: list(csv.DictReader((tmp_path / 'out/manifest.csv').open()))


def test_contours_of_the_cardiac_atlas_layout_are_paired_with_their_slices(
    prepare, atlas, read_records, manifest, tmp_path
):
    done = prepare(atlas({'SC-HF-I-1': [7, 20], 'SC-N-40': [3]}), '--val_fraction', 0)
    assert done.status == 0, done.stderr
    # Pixels are the image's number n; its contour fills (n + 1) ** 2 pixels.
    records = {image[0, 0]: (image, label) for image, label in read_records(tmp_path / 'out', 'train')}
    assert sorted(records) == [3, 7, 20]
    for number, (image, label) in records.items():
        assert (image == number).all()
        expected = np.zeros((256, 256), np.uint8)
        expected[20 : 21 + number, 10 : 11 + number] = 1
        np.testing.assert_array_equal(label, expected)

    rows = {row['name']: row for row in manifest()}
    assert sorted(rows) == ['SC-HF-I-01-IM-0001-0007', 'SC-HF-I-01-IM-0001-0020', 'SC-N-40-IM-0001-0003']
    assert rows['SC-N-40-IM-0001-0003'] == {
        'split': 'train',
        'name': 'SC-N-40-IM-0001-0003',
        'patient': 'SC-N-40',
        'image': 'SCD_IMAGES_01/SCD0000201/CINESAX_300/IM-0003-0003.dcm',
        'mask': 'SCD_ManualContours/SC-N-40/contours-manual/IRCCI-expert/IM-0001-0003-icontour-manual.txt',
        'lv_pixels': '16',
        'pixel_spacing': '',
        'bad_file': '',
        'reason': '',
    }


def challenge(parts, frame, icontour, square):
    """Files as the 2009 challenge laid them out; `parts`: e.g. ('training', 3, 'Training') -> case -> numbers."""
    files = {}
    for (images, part, contours), cases in parts.items():
        for case, numbers in cases.items():
            prefix, number_of_case = case.rsplit('-', 1)
            folder = f'Sunnybrook Cardiac MR Database ContoursPart{part}/{contours}DataContours'
            for number in numbers:
                files[f'{images}/{case}/IM-0106-{number:04d}.dcm'] = frame
                padded = f'{prefix}-{int(number_of_case):02d}'
                files[icontour(padded, number, folder=folder)] = square(1, 1, 2)
    return files


def test_contours_of_the_2009_layout_are_paired_with_their_slices(prepare, frame, icontour, square, manifest):
    parts = {
        ('challenge_training', 3, 'Training'): {'SC-HF-I-1': [4, 8]},
        ('challenge_validation', 2, 'Validation'): {'SC-HF-NI-12': [5]},
        ('challenge_online/challenge_online', 1, 'Online'): {'SC-N-5': [6]},
    }
    done = prepare(challenge(parts, frame, icontour, square), '--val_fraction', 0)
    assert done.status == 0, done.stderr
    assert 'Found 4 endocardial contours, in the layout of the 2009 challenge.' in done.stdout
    assert {row['name']: row['image'] for row in manifest()} == {
        'SC-HF-I-01-IM-0001-0004': 'challenge_training/SC-HF-I-1/IM-0106-0004.dcm',
        'SC-HF-I-01-IM-0001-0008': 'challenge_training/SC-HF-I-1/IM-0106-0008.dcm',
        'SC-HF-NI-12-IM-0001-0005': 'challenge_validation/SC-HF-NI-12/IM-0106-0005.dcm',
        'SC-N-05-IM-0001-0006': 'challenge_online/challenge_online/SC-N-5/IM-0106-0006.dcm',
    }


def test_of_several_series_in_a_case_folder_the_one_with_all_contoured_images_is_taken(
    prepare, frame, icontour, square, manifest
):
    files = challenge({('challenge_training', 3, 'Training'): {'SC-HF-I-1': [4, 80]}}, frame, icontour, square)
    for number in (3, 4, 5):  # a long-axis series of fewer frames
        files[f'challenge_training/SC-HF-I-1/IM-0104-{number:04d}.dcm'] = b'never read'
    done = prepare(files, '--val_fraction', 0)
    assert done.status == 0, done.stderr
    assert {row['image'] for row in manifest()} == {
        'challenge_training/SC-HF-I-1/IM-0106-0004.dcm',
        'challenge_training/SC-HF-I-1/IM-0106-0080.dcm',
    }
    assert 'Passed over: 1 series without contours.' in done.stdout


def test_what_has_no_contour_is_passed_over_and_counted(prepare, atlas, frame, square):
    files = atlas({'SC-HF-I-1': [7], 'SC-HF-I-2': [9]})
    for extra in (
        'CINESAX_300/IM-0003-0001.dcm',
        'CINESAX_300/IM-0003-0002.dcm',
        'CINELAX_200/IM-0002-0007.dcm',
        'PERF_1/IM-0001-0007.dcm',
        'SCOUT/IM-0001-0007.dcm',
    ):
        files[f'{CASE_FOLDER}/{extra}'] = b'never read'
    files['SCD_IMAGES_02/SCD0000901/CINESAX_300/IM-0001-0001.dcm'] = b'never read'
    contours = 'SCD_ManualContours/SC-HF-I-01/contours-manual/IRCCI-expert'
    files[f'{contours}/IM-0001-0007-ocontour-manual.txt'] = b'never read'
    files[f'{contours}/IM-0001-0007-p1contour-manual.txt'] = b'never read'
    files['SCD_ManualContours/README.txt'] = b'never read'
    done = prepare(files)
    assert done.status == 0, done.stderr
    assert 'Found 2 endocardial contours' in done.stdout
    assert (
        'Passed over: 2 frames without a contour, 3 series that are not short-axis cine, 1 patient without contours.'
        in done.stdout
    )


def test_patients_may_lie_in_several_image_folders(prepare, atlas, write_tree, tmp_path):
    files = atlas({'SC-HF-I-1': [7], 'SC-HF-I-2': [9]})
    files = {
        path.replace('SCD_IMAGES_01/SCD0000201', 'SCD_IMAGES_05/SCD0000201'): content for path, content in files.items()
    }
    assert 'SCD_IMAGES_05/SCD0000201/CINESAX_300/IM-0003-0009.dcm' in files
    assert 'Found 2 endocardial' in prepare(files).stdout


def test_several_short_axis_series_are_told_apart_by_image_numbers(prepare, atlas, frame, manifest):
    # Each series has the images of other slices.
    files = atlas({'SC-HF-I-1': [7, 27]})
    files[f'{CASE_FOLDER}/CINESAX_301/IM-0004-0027.dcm'] = files.pop(f'{CASE_FOLDER}/CINESAX_300/IM-0003-0027.dcm')
    assert prepare(files, '--val_fraction', 0).status == 0
    assert {row['name'][-4:]: row['image'] for row in manifest()} == {
        '0007': f'{CASE_FOLDER}/CINESAX_300/IM-0003-0007.dcm',
        '0027': f'{CASE_FOLDER}/CINESAX_301/IM-0004-0027.dcm',
    }


def test_capital_and_small_letters_are_alike_in_the_names_of_series_and_files(prepare, atlas):
    others = {'CINESAX': 'cinesax', 'IM-': 'im-', '.dcm': '.DCM', 'icontour-manual.txt': 'ICONTOUR-MANUAL.TXT'}
    files = {}
    for path, content in atlas({'SC-HF-I-1': [7]}).items():
        for usual, other in others.items():
            path = path.replace(usual, other)
        files[path] = content
    assert f'{CASE_FOLDER}/cinesax_300/im-0003-0007.DCM' in files
    done = prepare(files)
    assert done.status == 0, done.stderr
    assert 'Found 1 endocardial contour,' in done.stdout


@pytest.mark.parametrize(
    'twin',
    [
        f'{CASE_FOLDER}/CINESAX_301/IM-0004-0007.dcm',
        f'{CASE_FOLDER}/CINESAX_300/IM-0004-0007.dcm',
        f'{CASE_FOLDER}/CINESAX_300/IM-0003-007.dcm',
        'SCD_IMAGES_02/SCD0000101/CINESAX_300/IM-0003-0007.dcm',
    ],
    ids=['another series', 'another series in the same folder', 'a shorter number', 'the patient twice'],
)
def test_an_image_number_found_twice_is_refused_with_both_names(prepare, atlas, frame, twin):
    files = atlas({'SC-HF-I-1': [7]})
    files[twin] = frame
    error = prepare(files).error
    assert twin in error
    assert f'{CASE_FOLDER}/CINESAX_300/IM-0003-0007.dcm' in error
    assert 'icontour-manual.txt: fits two DICOM files' in error


def test_a_contour_without_its_dicom_file_is_refused(prepare, atlas):
    files = atlas({'SC-HF-I-1': [7, 20]})
    del files[f'{CASE_FOLDER}/CINESAX_300/IM-0003-0020.dcm']
    error = prepare(files).error
    assert '1 of 2 slices cannot be read' in error
    assert 'IM-0001-0020-icontour-manual.txt: has no DICOM file' in error


def test_a_contour_of_a_patient_without_images_is_refused(prepare, atlas):
    files = atlas({'SC-HF-I-1': [7], 'SC-HF-I-2': [9]})
    files = {path: content for path, content in files.items() if 'SCD0000201' not in path}
    assert 'no short-axis series here belongs to SC-HF-I-02, by scd_patientdata.csv' in prepare(files).error


def test_two_contours_of_one_image_are_refused(prepare, atlas, icontour, square):
    files = atlas({'SC-HF-I-1': [7]})
    files[icontour('SC-HF-I-01', 7, series='0002')] = square(1, 1, 1)
    assert 'is one of several contours of image 7 of SC-HF-I-01' in prepare(files).error


@pytest.mark.parametrize('shape', [(128, 128), (256, 255), (512, 512)])
def test_another_size_than_that_of_the_contours_is_refused(prepare, atlas, make_dicom, shape):
    files = atlas({'SC-HF-I-1': [7]})
    files[f'{CASE_FOLDER}/CINESAX_300/IM-0003-0007.dcm'] = make_dicom(np.zeros(shape, np.int16))
    assert (
        f'IM-0003-0007.dcm: has {shape[1]} x {shape[0]} pixels; the contours are drawn on 256 x 256'
        in prepare(files).error
    )


def test_a_bad_contour_is_named(prepare, atlas, icontour):
    files = atlas({'SC-HF-I-1': [7]})
    files[icontour('SC-HF-I-01', 7)] = '1 1\n2 2\n'
    assert f'{icontour("SC-HF-I-01", 7)}: has 2 of the three' in prepare(files).error


@pytest.mark.parametrize(
    'original_id', ['../../SC-HF-I-1', '/etc/SC-HF-I-1', 'SC-HF-I-1/../../outside'], ids=['up', 'absolute', 'through']
)
def test_the_table_cannot_name_a_path_outside(prepare, atlas, tmp_path, write_tree, square, icontour, original_id):
    files = atlas({'SC-HF-I-1': [7]})
    for folder in ('SC-HF-I-1', 'SC-HF-I-01', 'raw/outside', 'outside'):
        write_tree(tmp_path, {icontour(folder, 7, folder='.'): square(1, 1, 1)})
    files['scd_patientdata.csv'] = f'PatientID,OriginalID\nSCD0000101,{original_id}\n'
    assert 'no short-axis series here belongs to SC-HF-I-01' in prepare(files).error


@pytest.mark.parametrize(
    ('table', 'reason'),
    [
        (None, 'scd_patientdata.csv not found'),
        (b'', 'nothing is paired'),
        (b'Patient,Case\nSCD0000101,SC-HF-I-1\n', 'columns PatientID and OriginalID are wanted'),
        (b'PatientID,OriginalID\nSCD0000101\n', 'columns PatientID and OriginalID are wanted'),
        (b'PatientID,OriginalID\n\xff,SC-HF-I-1\n', 'columns PatientID and OriginalID are wanted'),
        (b'PatientID,OriginalID\n\0,SC-HF-I-1\n', 'columns PatientID and OriginalID are wanted'),
        (b'PatientID,OriginalID\nSCD0000101,SC-HF-I-1\nSCD0000101,SC-HF-I-2\n', 'more than one partner for SCD0000101'),
        (
            b'PatientID,OriginalID\nSCD0000101,SC-HF-I-1\nSCD0000201,SC-HF-I-01\n',
            'more than one partner for SC-HF-I-01',
        ),
    ],
)
def test_a_bad_table_is_refused(prepare, atlas, table, reason):
    files = atlas({'SC-HF-I-1': [7]})
    del files['scd_patientdata.csv']
    if table is not None:
        files['scd_patientdata.csv'] = table
    expected = 'no short-axis series here belongs to SC-HF-I-01' if reason == 'nothing is paired' else reason
    assert expected in prepare(files).error


@pytest.mark.parametrize(
    'table',
    [
        b'\xef\xbb\xbfPatientID,OriginalID\r\nSCD0000101,SC-HF-I-1\r\n',
        b'OriginalID,Age,PatientID\n SC-HF-I-01 ,5, SCD0000101 \n',
        b'PatientID,OriginalID\nSCD0000101,SC-HF-I-1\nSCD0000101,SC-HF-I-1\n,\n,\n',
    ],
    ids=['byte-order mark', 'other order and spaces', 'repeated and empty lines'],
)
def test_other_ways_to_write_the_table_are_read(prepare, atlas, table):
    done = prepare({**atlas({'SC-HF-I-1': [7]}), 'scd_patientdata.csv': table})
    assert done.status == 0, done.stderr


def test_linked_folders_are_followed(prepare, atlas, tmp_path, write_tree):
    files = atlas({'SC-HF-I-1': [7]})
    write_tree(tmp_path / 'disk', files)
    (tmp_path / 'raw').mkdir()
    for name in ('SCD_IMAGES_01', 'SCD_ManualContours', 'scd_patientdata.csv'):
        (tmp_path / 'raw' / name).symlink_to(tmp_path / 'disk' / name)
    assert prepare({}).status == 0


def test_neither_layout_is_refused_with_what_was_looked_for_and_found(prepare):
    error = prepare({'pictures/a.png': b'', 'other/b.png': b''}).error
    assert 'SCD_IMAGES_01 and SCD_ManualContours' in error
    assert 'challenge_training and ... ContoursPart3/TrainingDataContours' in error
    assert 'Found there: other, pictures.' in error


def test_an_empty_folder_is_refused(prepare):
    assert 'Found there: no folder.' in prepare({}).error


def test_both_layouts_in_one_folder_are_refused(prepare, atlas, frame, icontour, square):
    files = challenge({('challenge_training', 3, 'Training'): {'SC-HF-I-1': [4]}}, frame, icontour, square)
    assert 'holds both layouts' in prepare({**files, **atlas({'SC-HF-I-1': [4]})}).error


def test_a_layout_without_contours_is_refused(prepare, atlas):
    files = atlas({'SC-HF-I-1': [7]})
    files = {path: content for path, content in files.items() if 'icontour' not in path}
    files['SCD_ManualContours/README.txt'] = b''
    assert 'nothing to write. Found 0 endocardial contours' in prepare(files).error


def test_the_manifest_tells_the_pixel_spacing_of_each_slice(prepare, atlas, make_dicom, manifest):
    spacings = {1: ['1.3671875', '1.3671875'], 2: ['1.5', '1.25'], 3: None}
    files = atlas({'SC-HF-I-1': list(spacings)})
    for number, spacing in spacings.items():
        files[f'{CASE_FOLDER}/CINESAX_300/IM-0003-{number:04d}.dcm'] = make_dicom(FRAME, PixelSpacing=spacing)
    assert prepare(files, '--val_fraction', 0).status == 0
    found = {int(row['name'][-4:]): row['pixel_spacing'] for row in manifest()}
    assert found == {1: '1.36719', 2: '1.5\\1.25', 3: ''}  # Six digits; rows first, as in DICOM.


@pytest.fixture
def four_slices(atlas, frame):
    """Of four slices of 20 phases, 1 to 20 and so on: outlined are the second and the third in phases 7 and 20."""
    files = atlas({'SC-HF-I-1': [27, 40, 47, 60]})
    series = f'{CASE_FOLDER}/CINESAX_300'
    return {**files, **{f'{series}/IM-0003-{number:04d}.dcm': frame for number in (7, 13, 20, 67, 80)}}


def test_slices_beyond_base_and_apex_are_empty_ones_at_the_phases_outlined(prepare, four_slices, manifest, tmp_path):
    done = prepare(four_slices, '--with_empty', '--val_fraction', 0)
    assert 'Found 4 endocardial contours, and 4 slices beyond base and apex' in done.stdout
    assert 'Passed over: 1 frame without a contour.' in done.stdout
    empty = {row['name'][-4:]: row['lv_pixels'] for row in manifest() if not row['mask']}
    assert empty == {'0007': '0', '0020': '0', '0067': '0', '0080': '0'}  # 13 is of a phase that nobody outlined.


def test_an_empty_slice_has_a_label_without_a_ventricle(prepare, four_slices, read_records, tmp_path):
    assert prepare(four_slices, '--with_empty', '--val_fraction', 0).status == 0
    labels = [label for _, label in read_records(tmp_path / 'out', 'train')]
    # The fixture's contour of image n fills (n + 1) ** 2 pixels.
    assert sorted(int(label.sum()) for label in labels) == [0, 0, 0, 0, 28**2, 41**2, 48**2, 61**2]


def test_a_slice_between_two_outlined_ones_is_no_empty_one(prepare, four_slices, manifest):
    contour = 'SCD_ManualContours/SC-HF-I-01/contours-manual/IRCCI-expert/IM-0001-0047-icontour-manual.txt'
    files = {**four_slices, contour.replace('0047', '0067'): four_slices[contour]}
    del files[contour]
    assert prepare(files, '--with_empty', '--val_fraction', 0).status == 0
    assert '0047' not in {row['name'][-4:] for row in manifest()}


def test_without_the_flag_only_slices_with_a_contour_are_taken(prepare, four_slices, manifest):
    assert 'Passed over: 5 frames without a contour.' in prepare(four_slices, '--val_fraction', 0).stdout
    assert all(row['mask'] for row in manifest())
