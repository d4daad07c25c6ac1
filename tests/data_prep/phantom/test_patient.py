from data_prep import names
from data_prep.phantom.patient import invent_patient

SEED = 1234


def test_patients_differ_from_each_other():
    patients = [invent_patient(SEED, number) for number in range(1, 16)]
    assert len({patient.patient_id for patient in patients}) == 15
    assert len({patient.case for patient in patients}) == 15
    for values in zip(*[(p.heart.radius, p.heart.length, p.scan.centre, p.scan.angle, p.scan.gain) for p in patients]):
        assert len(set(values)) == 15


def test_the_name_of_a_case_tells_its_pathology():
    for number in range(1, 5):
        patient = invent_patient(SEED, number)
        assert names.pathology(patient.case) == patient.group.prefix
