import pytest

from data_prep import names


@pytest.mark.parametrize(
    ('text', 'name'), [('SC-HF-I-1', 'SC-HF-I-01'), ('SC-HF-I-01', 'SC-HF-I-01'), ('SC-N-40', 'SC-N-40'), ('x', 'x')]
)
def test_case_names_are_padded(text, name):
    assert names.case_name(text) == name


@pytest.mark.parametrize(
    ('name', 'patient'),
    [
        ('SC-HF-I-01-IM-0001-0048', 'SC-HF-I-01'),
        ('Part1/SC-HF-I-1-IM-0001-0048', 'SC-HF-I-01'),
        ('anna/slice3', 'anna'),
        ('anna/sax/slice3', 'anna'),
        ('anna_07', 'anna'),
        ('anna-07_0012', 'anna-07'),
        ('anna', 'anna'),
        ('0012', 'unknown'),
    ],
)
def test_the_patient_is_taken_from_the_name(name, patient):
    assert names.patient(name) == patient


@pytest.mark.parametrize(
    ('case', 'pathology'),
    [
        ('SC-HF-I-1', 'SC-HF-I'),
        ('SC-HF-NI-03', 'SC-HF-NI'),
        ('SC-HYP-38', 'SC-HYP'),
        ('SC-N-904', 'SC-N'),
        ('SC-HF-I', ''),
        ('SC-N-1-IM-0001-0048', ''),
        ('anna', ''),
    ],
)
def test_the_pathology_is_taken_from_the_name_of_a_case(case, pathology):
    assert names.pathology(case) == pathology


@pytest.mark.parametrize(
    ('path', 'name'),
    [
        ('a/SC-N-02-IM-0001-0001.dcm.png', 'a/SC-N-02-IM-0001-0001'),
        ('scan.DCM.TIFF', 'scan'),
        ('1.2.840.113', '1.2.840.113'),
        ('v1.5/slice', 'v1.5/slice'),
        ('notes.txt', 'notes.txt'),
    ],
)
def test_all_extensions_of_pictures_are_taken_off_and_no_others(path, name):
    assert names.without_extensions(path) == name


def test_a_slice_of_the_sunnybrook_data_tells_its_case():
    assert names.slice_name('SC-HF-I-01', 48) == 'SC-HF-I-01-IM-0001-0048'
    assert names.patient(names.slice_name('SC-HF-I-01', 48)) == 'SC-HF-I-01'
