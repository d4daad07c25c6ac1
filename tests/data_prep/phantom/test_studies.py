"""The phantom's files are what a reader of the Cardiac Atlas layout meets, and its patients are like patients."""

import csv
import re
import warnings
from pathlib import Path

from lvseg.errors import LabError

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageDraw

from data_prep.phantom.heart import axis_at, cut
from data_prep.phantom.patient import invent_patient
from data_prep.phantom.studies import write_studies

PATIENTS = 4  # one of each pathology
SEED = 1234


@pytest.fixture(scope='module')
def studies(tmp_path_factory):
    folder = tmp_path_factory.mktemp('phantom')
    write_studies(str(folder), PATIENTS, SEED)
    return folder


@pytest.fixture(scope='module')
def slices(studies):
    """Each contoured slice as (case, number, kind, header, pixels, points)."""
    found = []
    for row in table(studies):
        for path in sorted((studies / 'SCD_ManualContours' / row['OriginalID']).rglob('*.txt')):
            number, kind = re.match(r'IM-0001-(\d{4})-([io])contour-manual\.txt$', path.name).groups()
            (image,) = (studies / 'SCD_IMAGES_01' / row['PatientID']).glob(f'CINESAX_*/IM-*-{number}.dcm')
            header = pydicom.dcmread(str(image))
            found.append((row['OriginalID'], int(number), kind, header, header.pixel_array, np.loadtxt(str(path))))
    return found


def table(folder):
    with open(str(folder / 'scd_patientdata.csv'), newline='') as file:
        return list(csv.DictReader(file))


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob('*') if path.is_file()}


def filled(points, first_pixel=1):
    """bool [256, 256]: pixels whose centre is inside a contour. Four times as fine, so that nothing is rounded."""
    image = Image.new('1', (1024, 1024))
    fine = 4 * (points - first_pixel) + 2
    ImageDraw.Draw(image).polygon([(x, y) for x, y in fine.astype(int)], fill=1)
    return np.array(image)[2::4, 2::4]


def area(points):
    """In square pixels, by the shoelace formula."""
    x, y = points.T
    return abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2


def shrunk(mask, pixels):
    for _ in range(pixels):
        mask = mask & np.roll(mask, 1, 0) & np.roll(mask, -1, 0) & np.roll(mask, 1, 1) & np.roll(mask, -1, 1)
    return mask


def end_diastole(number):
    return number % 20 == 0


def test_same_seed_writes_the_same_bytes(studies, tmp_path):
    write_studies(str(tmp_path / 'again'), 1, SEED)
    again = files(tmp_path / 'again')
    first = files(studies)
    del again['scd_patientdata.csv'], again['truth.csv']  # they list one patient here, four there
    assert len(again) > 30
    assert all(first[name] == data for name, data in again.items())


def test_another_seed_writes_other_images_and_contours(studies, tmp_path):
    write_studies(str(tmp_path), 1, SEED + 1)
    other = {data for name, data in files(tmp_path).items() if not name.endswith('csv')}
    assert not other & set(files(studies).values())


def test_table_names_every_patient_and_no_real_one(studies):
    rows = table(studies)
    assert list(rows[0]) == ['PatientID', 'OriginalID', 'Gender', 'Age', 'Pathology']
    assert [row['PatientID'] for row in rows] == ['PHANTOM001', 'PHANTOM002', 'PHANTOM003', 'PHANTOM004']
    assert [row['OriginalID'] for row in rows] == ['SC-HF-I-901', 'SC-HF-NI-902', 'SC-HYP-903', 'SC-N-904']
    assert {path.name for path in (studies / 'SCD_IMAGES_01').iterdir()} == {row['PatientID'] for row in rows}
    assert {path.name for path in (studies / 'SCD_ManualContours').iterdir()} == {row['OriginalID'] for row in rows}


def test_every_file_is_a_valid_signed_mr_image(studies):
    identifiers = set()
    paths = sorted(studies.rglob('*.dcm'))
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        for path in paths:
            header = pydicom.dcmread(str(path))
            text = str(header)  # every element is decoded, not only those asked for below
            pixels = header.pixel_array
            assert pixels.shape == (256, 256)
            assert pixels.dtype == np.int16
            assert pixels.min() >= 0
            assert header.PhotometricInterpretation == 'MONOCHROME2'
            assert header.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
            assert header.SOPClassUID == pydicom.uid.MRImageStorage
            assert header.PatientID in path.parts
            assert header.InstanceNumber == int(path.stem[-4:])
            assert 'Invented' in text
            assert pydicom.uid.UID(header.SOPInstanceUID).is_valid
            identifiers.add(header.SOPInstanceUID)
    assert len(identifiers) == len(paths)


def test_brightest_pixels_are_in_the_range_of_real_scanners(slices):
    """Real slices: 550 to 2700. The lab divides by 1024 whatever the scanner."""
    maxima = [pixels.max() for *_, pixels, _ in slices]
    assert min(maxima) > 400
    assert max(maxima) < 3500


def test_slices_are_parallel_and_evenly_spaced(studies):
    headers = [pydicom.dcmread(str(path)) for path in studies.glob('SCD_IMAGES_01/PHANTOM002/CINESAX_*/*.dcm')]
    (directions,) = {tuple(header.ImageOrientationPatient) for header in headers}
    right, down = np.array(directions).reshape(2, 3)
    assert np.hypot.reduce(right) == pytest.approx(1, abs=1e-5)
    assert np.hypot.reduce(down) == pytest.approx(1, abs=1e-5)
    assert right @ down == pytest.approx(0, abs=1e-5)

    places = {h.SliceLocation: np.array(h.ImagePositionPatient, float) for h in headers}
    stack = [places[location] for location in sorted(places)]
    for step in np.diff(stack, axis=0):
        assert step == pytest.approx(-10 * np.cross(right, down), abs=1e-3)  # towards the apex


def test_the_spacing_between_slices_is_that_of_their_positions_along_the_normal(studies):
    for patient in (studies / 'SCD_IMAGES_01').iterdir():
        headers = [pydicom.dcmread(str(path)) for path in patient.glob('CINESAX_*/*.dcm')]
        normal = np.cross(*np.array(headers[0].ImageOrientationPatient, float).reshape(2, 3))
        heights = {round(float(normal @ np.array(h.ImagePositionPatient, float)), 3) for h in headers}
        assert len(heights) > 6
        (told,) = {h.SpacingBetweenSlices for h in headers}
        assert np.diff(sorted(heights)) == pytest.approx(told, abs=2e-3)


def test_times_are_in_milliseconds_of_one_beat(studies):
    for path in studies.rglob('*.dcm'):
        header = pydicom.dcmread(str(path))
        # A minute has 60,000 ms; the interval is rounded to whole ones, which is half of one at most in each beat.
        assert header.NominalInterval * header.HeartRate == pytest.approx(60_000, abs=header.HeartRate / 2)
        # Image 1 is taken as the beat begins, and the others a 20th of it after the one before; so image 20 at 19 / 20.
        since_beat = (header.InstanceNumber - 1) % 20 / 20
        assert header.TriggerTime == pytest.approx(since_beat * 60_000 / header.HeartRate, abs=1e-3)


def test_contours_lie_on_half_pixels_in_the_image_one_step_apart(slices):
    for *_, points in slices:
        assert np.array_equal(points * 2, np.rint(points * 2))
        assert points.min() >= 1
        assert points.max() <= 256
        steps = np.abs(points - np.roll(points, 1, axis=0)).max(axis=1)  # the last point is the first one's neighbour
        assert np.all(steps == 0.5)


def test_contours_count_pixels_from_one(slices):
    """As those of the real data do: moved by -1, they lie where blood gives way to muscle, and nowhere better."""

    def step(first_pixel):
        steps = []
        for _, _, kind, _, pixels, points in slices:
            if kind == 'i' and area(points) > 300:
                cavity = filled(points, first_pixel)
                inside, outside = cavity & ~shrunk(cavity, 2), shrunk(~cavity, 1) & ~shrunk(~cavity, 3)
                steps.append((pixels[inside].mean() - pixels[outside].mean()) / pixels[cavity].mean())
        return np.mean(steps)

    assert max(range(-1, 4), key=step) == 1


def test_lines_are_written_with_two_decimals(studies):
    path = sorted(studies.rglob('*icontour*'))[0]
    assert re.match(r'(\d+\.[05]0 \d+\.[05]0\n)+$', path.read_text())


def test_outer_contours_surround_inner_ones_at_end_diastole_only(slices):
    inner = {(case, number): points for case, number, kind, *_, points in slices if kind == 'i'}
    outer = {(case, number): points for case, number, kind, *_, points in slices if kind == 'o'}
    assert set(outer) == {key for key in inner if end_diastole(key[1])}
    for key in outer:
        assert not np.any(filled(inner[key]) & ~filled(outer[key]))


def test_patients_have_about_as_many_slices_as_real_ones(slices):
    """The lab's 15 real patients have 260 contoured slices, 17.3 each."""
    inner = [case for case, _, kind, *_ in slices if kind == 'i']
    assert len(inner) / PATIENTS == pytest.approx(17.3, abs=2)


def test_ventricle_covers_about_two_percent(slices):
    """Real slices: 1.6 %; a network that answers 'background' everywhere is right on the rest."""
    share = np.mean([area(points) for *_, kind, _, _, points in slices if kind == 'i']) / 256**2
    assert 0.012 < share < 0.028


def test_ventricle_is_smaller_at_end_systole(slices):
    areas = {(case, number): area(points) for case, number, kind, *_, points in slices if kind == 'i'}
    pairs = 0
    for (case, number), diastolic in areas.items():
        if end_diastole(number):
            systolic = [areas.get((case, number - 20 + frame)) for frame in range(1, 20)]
            for found in filter(None, systolic):
                assert found < diastolic
                pairs += 1
    assert pairs > 25


def test_groups_pump_as_the_challenge_defined_them(slices):
    """Ejection fractions below 40 % in heart failure, above 55 % in the others (Radau et al. 2009)."""
    volumes = {}  # in squares of pixels; the slices are equally thick
    for case, number, kind, *_, points in slices:
        if kind == 'i':
            moment = (case, end_diastole(number))
            volumes[moment] = volumes.get(moment, 0) + area(points)
    ejected = {case: 1 - volumes[case, False] / volumes[case, True] for case, _ in volumes}
    assert ejected['SC-HF-I-901'] < 0.40
    assert ejected['SC-HF-NI-902'] < 0.40
    assert ejected['SC-HYP-903'] > 0.55
    assert ejected['SC-N-904'] > 0.55


def test_failing_hearts_are_large_and_hypertrophic_ones_thick(slices):
    def at_widest(case, kind):
        return max(area(points) for name, _, of_kind, *_, points in slices if (name, of_kind) == (case, kind))

    def wall(case):
        return np.sqrt(at_widest(case, 'o') / np.pi) - np.sqrt(at_widest(case, 'i') / np.pi)

    assert at_widest('SC-HF-I-901', 'i') > at_widest('SC-N-904', 'i')
    assert at_widest('SC-HF-NI-902', 'i') > at_widest('SC-N-904', 'i')
    assert wall('SC-HYP-903') > 1.3 * wall('SC-N-904')


def test_contours_have_the_area_of_the_heart_that_they_were_drawn_of(slices):
    """In square mm, on the first slices of each patient at end-diastole; the expert's hand is off by 2 %."""
    for case, number, kind, header, _, points in slices:
        if kind == 'i' and end_diastole(number) and header.SliceLocation < 30:
            heart = invent_patient(SEED, int(case[-3:]) - 900).heart
            # The area in polar coordinates is half the sum of radius squared times the angle, here 2 degrees.
            expected = np.sum(np.square(cut(heart, header.SliceLocation, 0).endo)) / 2 * np.radians(2)
            assert area(points) * header.PixelSpacing[0] * header.PixelSpacing[1] == pytest.approx(expected, rel=0.04)


def test_the_heart_lies_where_the_header_says_that_the_image_lies(slices):
    """The hearts' axes pass the scanner's centre; the middle of each ventricle lies off it as the heart is inclined."""
    for case, _, kind, header, _, points in slices:
        if kind == 'i':
            right, down = np.array(header.ImageOrientationPatient, float).reshape(2, 3)
            steps = (points - 1).mean(axis=0) * np.array(header.PixelSpacing, float)  # equal, so the order is no matter
            middle = np.array(header.ImagePositionPatient, float) + steps[0] * right + steps[1] * down
            away = np.hypot(middle @ right, middle @ down)
            heart = invent_patient(SEED, int(case[-3:]) - 900).heart
            assert away == pytest.approx(np.hypot(*axis_at(heart, header.SliceLocation)), abs=2)


def test_blood_is_brighter_than_muscle(slices):
    outer = {(case, number): points for case, number, kind, *_, points in slices if kind == 'o'}
    for case, number, kind, _, pixels, points in slices:
        if kind == 'i' and (case, number) in outer:
            cavity = filled(points)
            muscle = shrunk(filled(outer[case, number]) & ~cavity, 1)
            assert pixels[cavity].mean() > 1.25 * pixels[muscle].mean()


def test_brightness_alone_does_not_find_the_ventricle(slices):
    """The right ventricle, fat and vessels are as bright: no threshold reaches half of the overlap."""
    for _, _, kind, _, pixels, points in slices:
        if kind == 'i':
            cavity = filled(points)
            scores = [dice(pixels > threshold, cavity) for threshold in np.percentile(pixels[cavity], range(5, 100, 5))]
            assert max(scores) < 0.5


def dice(one, other):
    return 2 * np.sum(one & other) / (np.sum(one) + np.sum(other))


def test_one_patient_has_a_series_of_another_kind(studies):
    assert len(list(studies.glob('SCD_IMAGES_01/PHANTOM001/CINELAX_*/*.dcm'))) > 0
    assert not list(studies.glob('SCD_IMAGES_01/PHANTOM00[2-4]/CINELAX_*'))


def test_some_short_axis_frames_have_no_contour(studies):
    frames = len(list(studies.glob('SCD_IMAGES_01/*/CINESAX_*/*.dcm')))
    contours = len(list(studies.rglob('*icontour*')))
    assert 0 < frames - contours < contours


def test_refuses_a_folder_with_studies_in_it(tmp_path):
    (tmp_path / 'SCD_IMAGES_01').mkdir()
    with pytest.raises(LabError, match='has studies already'):
        write_studies(str(tmp_path), 1, SEED)
    assert [path.name for path in tmp_path.iterdir()] == ['SCD_IMAGES_01']
