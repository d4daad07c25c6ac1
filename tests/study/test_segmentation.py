"""segmentation.dcm, read back by pydicom and judged by dciodvfy."""

import shutil
import subprocess
import warnings

import numpy as np
import pydicom
import pytest

from data_prep.phantom.studies import write_studies
from study import segmentation
from tests.study import drawn

IDENTITY = ('PatientName', 'PatientID', 'PatientBirthDate', 'PatientSex', 'StudyDate')
AREA = np.pi * 20**2  # of the largest disc that is drawn, pixels


def write(folder, path, kept, anonymous=False):
    """What is told; a warning of pydicom's would be an error here."""
    found = drawn.segmented(folder, kept)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        return segmentation.write(str(path), found, str(folder), anonymous)


def written(folder, path, kept=None, anonymous=False):
    assert write(folder, path, drawn.discs() if kept is None else kept, anonymous) == []
    return pydicom.dcmread(str(path))


@pytest.fixture
def study(tmp_path):
    return drawn.write(tmp_path / 'study')


@pytest.fixture
def dataset(study, tmp_path):
    return written(study, tmp_path / 'segmentation.dcm')


def errors(path):
    """What dciodvfy has against a file; its other lines are warnings and the name of the kind of object."""
    if shutil.which('dciodvfy') is None:
        pytest.skip('needs dciodvfy, of the Debian package dicom3tools')
    done = subprocess.run(['dciodvfy', str(path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines = done.stdout.decode('utf-8', 'replace').splitlines()
    assert 'Segmentation' in lines, 'dciodvfy did not take it for one'
    return [line for line in lines if line.startswith('Error')]


def references(dataset):
    """SOPInstanceUIDs that the frames name, frame by frame."""
    return [
        frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        for frame in dataset.PerFrameFunctionalGroupsSequence
    ]


def test_each_image_with_ventricle_has_a_frame_that_names_it(dataset):
    # Three slices of two phases, of which the last has none.
    expected = [drawn.uid(*place) for place in [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)]]
    assert references(dataset) == expected
    assert dataset.NumberOfFrames == 5
    (series,) = dataset.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == drawn.SERIES
    assert [item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence] == expected
    assert {item.ReferencedSOPClassUID for item in series.ReferencedInstanceSequence} == {pydicom.uid.MRImageStorage}


def test_it_is_an_object_of_the_study_in_a_series_of_its_own(dataset):
    assert dataset.SOPClassUID == pydicom.uid.SegmentationStorage
    assert dataset.StudyInstanceUID == drawn.STUDY
    assert dataset.FrameOfReferenceUID == drawn.FRAME_OF_REFERENCE
    assert dataset.SeriesInstanceUID != drawn.SERIES


def test_frames_lie_where_their_images_lie(dataset):
    frames = dataset.PerFrameFunctionalGroupsSequence
    positions = [list(frame.PlanePositionSequence[0].ImagePositionPatient) for frame in frames]
    assert positions == [[-100, -120, z] for z in (0, 0, -8, -8, -16)]
    shared = dataset.SharedFunctionalGroupsSequence[0]
    assert shared.PlaneOrientationSequence[0].ImageOrientationPatient == [1, 0, 0, 0, 1, 0]
    measures = shared.PixelMeasuresSequence[0]
    assert measures.PixelSpacing == [1.5, 1.5]
    assert (measures.SliceThickness, measures.SpacingBetweenSlices) == (6, 8)


def test_frames_are_indexed_by_segment_slice_and_phase(dataset):
    pointers = [pydicom.datadict.keyword_for_tag(item.DimensionIndexPointer) for item in dataset.DimensionIndexSequence]
    assert pointers == ['ReferencedSegmentNumber', 'ImagePositionPatient', 'TemporalPositionIndex']
    contents = [frame.FrameContentSequence[0] for frame in dataset.PerFrameFunctionalGroupsSequence]
    assert [item.DimensionIndexValues for item in contents] == [[1, 1, 1], [1, 1, 2], [1, 2, 1], [1, 2, 2], [1, 3, 1]]
    assert [item.TemporalPositionIndex for item in contents] == [1, 2, 1, 2, 1]


def test_indices_count_from_one_the_slices_and_phases_that_occur(study, tmp_path):
    kept = drawn.discs()
    kept[0] = kept[:, 0] = False  # Left is the second phase of the second slice.
    dataset = written(study, tmp_path / 'segmentation.dcm', kept)
    (frame,) = dataset.PerFrameFunctionalGroupsSequence
    assert frame.FrameContentSequence[0].DimensionIndexValues == [1, 1, 1]
    assert frame.FrameContentSequence[0].TemporalPositionIndex == 1
    assert references(dataset) == [drawn.uid(1, 1)]
    assert errors(tmp_path / 'segmentation.dcm') == []


def test_planes_turned_against_each_other_keep_their_own_directions(tmp_path):
    turned = [float(np.cos(0.02)), float(np.sin(0.02)), 0, -float(np.sin(0.02)), float(np.cos(0.02)), 0]
    study = drawn.write(
        tmp_path / 'study', ImageOrientationPatient=lambda number, _: turned if number == 1 else [1, 0, 0, 0, 1, 0]
    )
    dataset = written(study, tmp_path / 'segmentation.dcm')
    assert 'PlaneOrientationSequence' not in dataset.SharedFunctionalGroupsSequence[0]
    second = dataset.PerFrameFunctionalGroupsSequence[2].PlaneOrientationSequence[0].ImageOrientationPatient
    np.testing.assert_allclose(second, turned, atol=1e-9)
    assert errors(tmp_path / 'segmentation.dcm') == []


def pixels(dataset):
    """Frames, unpacked as PS3.5 8.1.1 says: a bit a pixel, the first in the lowest bit of the first byte."""
    bits = np.unpackbits(np.frombuffer(dataset.PixelData, np.uint8)).reshape(-1, 8)[:, ::-1].ravel()
    shape = (dataset.NumberOfFrames, dataset.Rows, dataset.Columns)
    assert len(dataset.PixelData) % 2 == 0
    assert 0 <= len(bits) - np.prod(shape) < 16
    return bits[: np.prod(shape)].reshape(shape)


def test_pydicom_unpacks_the_same_pixels(dataset):
    if tuple(map(int, np.__version__.split('.')[:2])) < (1, 17):
        pytest.skip('pydicom wants NumPy 1.17 to unpack bits')
    np.testing.assert_array_equal(dataset.pixel_array, pixels(dataset))


@pytest.mark.parametrize('shape', [(256, 256), (61, 83)])
def test_pixels_are_those_within_the_outlines(tmp_path, shape):
    study = drawn.write(tmp_path / 'study', shape=shape)
    # One pixel left of and above what the lab's masks say, and half a pixel smaller all around (study.outlines).
    kept = np.zeros((drawn.SLICES, drawn.PHASES, *shape), bool)
    kept[0, 0] = drawn.disc(20.5, (40, 30), shape)
    kept[2, 1] = drawn.disc(10.5, (40, 30), shape)
    first, last = pixels(written(study, tmp_path / 'segmentation.dcm', kept))
    for frame, radius in ((first, 20), (last, 10)):
        assert frame.shape == shape
        np.testing.assert_array_equal(frame[drawn.disc(radius - 1, (39, 29), shape)], 1)
        np.testing.assert_array_equal(frame[~drawn.disc(radius + 1, (39, 29), shape)], 0)
    assert first.sum() == pytest.approx(AREA, rel=0.01)


def test_the_area_is_that_of_the_curve_wherever_it_lies():
    turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    for radius in (11.3, 14, 20.5, 33):  # The smallest: pi x 11.3 x 11.3 = 401 pixels.
        for shift in (0, 0.25, 0.5):
            mask = segmentation.inside(radius * circle + 100 + shift, (256, 256))
            assert mask.sum() == pytest.approx(np.pi * radius**2, rel=0.005)
            assert not (mask & ~drawn.disc(radius + 0.75, (100 + shift, 100 + shift))).any()


def test_whole_pixels_are_in_or_out():
    square = np.array([[1.5, 2.5], [4.5, 2.5], [4.5, 4.5], [1.5, 4.5]])  # Columns 2 to 4, rows 3 and 4.
    expected = np.zeros((8, 9), bool)
    expected[3:5, 2:5] = True
    np.testing.assert_array_equal(segmentation.inside(square, (8, 9)), expected)
    np.testing.assert_array_equal(segmentation.inside(square[::-1], (8, 9)), expected)


def test_what_lies_outside_of_the_image_is_cut_off():
    square = np.array([[-3.5, -2.5], [1.5, -2.5], [1.5, 0.5], [-3.5, 0.5]])
    expected = np.zeros((8, 9), bool)
    expected[0, :2] = True
    np.testing.assert_array_equal(segmentation.inside(square, (8, 9)), expected)
    assert not segmentation.inside(square - 50, (8, 9)).any()
    assert not segmentation.inside(square + 50, (8, 9)).any()


def test_the_segment_is_the_blood_of_the_left_ventricle(dataset):
    (segment,) = dataset.SegmentSequence
    codes = [
        (code.CodeValue, code.CodingSchemeDesignator)
        for (code,) in (
            segment.SegmentedPropertyCategoryCodeSequence,
            segment.SegmentedPropertyTypeCodeSequence,
            segment.AnatomicRegionSequence,
        )
    ]
    # SNOMED CT: Tissue, Blood, Left ventricle (DICOM PS3.16, CID 7150, 7191 and 7152).
    assert codes == [('85756007', 'SCT'), ('87612001', 'SCT'), ('87878005', 'SCT')]
    assert dataset.SegmentationType == 'BINARY'


def test_the_patient_is_the_sources(dataset):
    assert [str(dataset[keyword].value) for keyword in IDENTITY] == [
        'Doe^Jane',
        'DOE-0815',
        '19570413',
        'F',
        '20010203',
    ]


def test_anonymous_leaves_the_patient_out(study, tmp_path):
    path = tmp_path / 'segmentation.dcm'
    dataset = written(study, path, anonymous=True)
    assert [str(dataset[keyword].value or '') for keyword in IDENTITY] == [''] * 5
    for secret in (b'Doe', b'DOE', b'19570413', b'20010203'):
        assert secret not in path.read_bytes()
    assert references(dataset)[0] == drawn.uid(0, 0)
    assert errors(path) == []


@pytest.mark.filterwarnings('ignore:Invalid value for VR')
def test_what_the_source_does_not_say_or_says_wrongly_is_empty(tmp_path):
    study = drawn.write(tmp_path / 'study', PatientName=None, PatientBirthDate='00000000', StudyDate='20120000')
    dataset = written(study, tmp_path / 'segmentation.dcm')
    assert [str(dataset[keyword].value or '') for keyword in IDENTITY] == ['', 'DOE-0815', '', 'F', '']
    assert errors(tmp_path / 'segmentation.dcm') == []


def test_a_name_in_another_alphabet_stays(tmp_path):
    study = drawn.write(
        tmp_path / 'study', SpecificCharacterSet='ISO_IR 192', PatientName='Hong^Gildong=洪^吉洞=홍^길동'
    )
    dataset = written(study, tmp_path / 'segmentation.dcm')
    assert dataset.PatientName == 'Hong^Gildong=洪^吉洞=홍^길동'
    assert errors(tmp_path / 'segmentation.dcm') == []


def test_the_validator_finds_no_error(dataset, tmp_path):
    assert errors(tmp_path / 'segmentation.dcm') == []


def test_a_frame_of_reference_that_differs_from_file_to_file_becomes_one(tmp_path):
    study = drawn.write(tmp_path / 'study', FrameOfReferenceUID=lambda number, phase: f'2.25.77.{number}.{phase}')
    uid = written(study, tmp_path / 'segmentation.dcm').FrameOfReferenceUID
    assert uid.is_valid
    assert not uid.startswith('2.25.77.')
    assert errors(tmp_path / 'segmentation.dcm') == []


@pytest.mark.filterwarnings('ignore:Invalid value for VR')  # pydicom's, when the test reads them back.
def test_identifiers_that_break_the_rules_are_repeated_and_told(tmp_path):
    # With a zero before a number, as in the Sunnybrook data; of the images, those of the first phase are so.
    study = drawn.write(
        tmp_path / 'study',
        StudyInstanceUID='2.25.09',
        SOPInstanceUID=lambda number, phase: f'2.25.0{number + 1}' if phase == 0 else drawn.uid(number, phase),
    )
    path = tmp_path / 'segmentation.dcm'
    (told,) = write(study, path, drawn.discs())
    # The study, and the first phase of three slices; with the series and the second phase of two slices they are seven.
    assert told.startswith("4 of the study's 7 identifiers break DICOM's rules.")
    dataset = pydicom.dcmread(str(path))
    assert dataset.StudyInstanceUID == '2.25.09'
    assert references(dataset) == ['2.25.01', drawn.uid(0, 1), '2.25.02', drawn.uid(1, 1), '2.25.03']
    assert all('<2.25.0' in line or 'invalid data values' in line for line in errors(path))


def test_nothing_is_written_where_nothing_was_found(study, tmp_path):
    path = tmp_path / 'segmentation.dcm'
    told = write(study, path, np.zeros_like(drawn.discs()))
    assert told == ['No pixel is left ventricle: there is no segmentation.dcm.']
    assert not path.exists()


def test_the_validator_finds_no_error_in_a_phantoms(tmp_path):
    write_studies(str(tmp_path / 'raw'), patients=1, seed=1)
    (study,) = (tmp_path / 'raw/SCD_IMAGES_01').iterdir()
    chosen = drawn.stack.choose(drawn.headers.find(str(study)).images, None).stack
    kept = np.broadcast_to(drawn.disc(20, (120, 130)), (len(chosen.positions), chosen.phases, 256, 256)).copy()
    dataset = written(study, tmp_path / 'segmentation.dcm', kept)
    assert dataset.NumberOfFrames == len(chosen.positions) * chosen.phases
    assert dataset.PatientName == 'Phantom^Invented^1'
    assert errors(tmp_path / 'segmentation.dcm') == []


@pytest.mark.filterwarnings('ignore:Invalid value for VR')
@pytest.mark.parametrize(
    'path',
    [
        'sunnybrook_cardiac_atlas/SCD_IMAGES_01/SCD0000101',
        'sunnybrook_studies/SCD0000201',
        'sunnybrook_studies/SCD0000301',
    ],
)
def test_the_validator_has_nothing_but_their_own_identifiers_against_the_real_studies(shared, tmp_path, path):
    study = shared / 'data' / path
    chosen = drawn.stack.choose(drawn.headers.find(str(study)).images, None).stack
    kept = np.broadcast_to(drawn.disc(20, (120, 130)), (len(chosen.positions), chosen.phases, 256, 256)).copy()
    out = tmp_path / 'segmentation.dcm'
    (told,) = write(study, out, kept)
    assert "identifiers break DICOM's rules" in told
    dataset = pydicom.dcmread(str(out))
    assert references(dataset) == [image.uid for of_slice in chosen.images for image in of_slice]
    own = {uid for of_slice in chosen.images for image in of_slice for uid in (image.uid, image.study, image.series)}
    others = [line for line in errors(out) if not any(f'<{uid}>' in line for uid in own)]
    assert others == ['Error - Dicom dataset contains invalid data values for Value Representations']
