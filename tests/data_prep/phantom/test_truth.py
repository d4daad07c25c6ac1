"""The phantom's truth is the volume of the anatomy: worked out as an integral, and in the ranges of the groups."""

import csv
from collections import defaultdict

import numpy as np
import pytest

from data_prep.phantom import truth
from data_prep.phantom.patient import DIASTOLE, invent_patient
from data_prep.phantom.studies import write_studies

PATIENTS_OF_A_GROUP = 12


@pytest.fixture(scope='module')
def truths():
    """By pathology."""
    found = defaultdict(list)
    for number in range(1, 4 * PATIENTS_OF_A_GROUP + 1):
        patient = invent_patient(1234, number)
        found[patient.group.prefix].append(truth.truth(patient))
    return found


def solid(radius, length):
    """In ml: the integral over the depth d, from 0 to 1, of pi (radius g(d))^2 (1 - d^2.3) length.

    g is 0.9 + 0.4 d down to a quarter, and 1 below. So with g^2 = 0.81 + 0.72 d + 0.16 d^2 down to a quarter:
    """
    quarter = 0.25
    above = sum(
        factor * (quarter ** (power + 1) / (power + 1) - quarter ** (power + 3.3) / (power + 3.3))
        for power, factor in enumerate([0.81, 0.72, 0.16])
    )
    below = (1 - quarter) - (1 - quarter**3.3) / 3.3
    return np.pi * radius**2 * length * (above + below) / 1000


@pytest.fixture
def round_heart():
    """Round, and of constant shape: it does not contract."""
    heart = invent_patient(1234, 4).heart
    still = np.zeros(180)
    return heart._replace(
        radius=30.0, length=90.0, descent=0.0, shape=still + 1, shortening=still, systolic_shape=still
    )


@pytest.mark.parametrize('contraction', [0, 1])
def test_a_heart_that_does_not_contract_has_the_volume_of_the_solid(round_heart, contraction):
    assert truth.cavity(round_heart, contraction) == pytest.approx(solid(30, 90), rel=0.001)


def test_a_heart_that_shortens_by_a_fifth_in_radius_keeps_0_64_of_each_section(round_heart):
    # Its wall of 10 mm thickens by a fifth, so the apex is 2 mm higher: 88 of 90 mm are left of its length.
    heart = round_heart._replace(shortening=np.full(180, 0.2), wall=np.full(180, 10.0))
    assert truth.cavity(heart, 1) == pytest.approx(0.64 * 88 / 90 * solid(30, 90), rel=0.001)


def test_the_descent_of_the_base_takes_its_share_of_the_length(round_heart):
    # 9 mm of 90.
    assert truth.cavity(round_heart._replace(descent=9.0), 1) == pytest.approx(0.9 * solid(30, 90), rel=0.001)


def test_papillary_muscles_count_as_blood_as_in_the_contours(round_heart):
    without = round_heart._replace(papillary=np.zeros((0, 5)))
    assert truth.cavity(round_heart, 0) == truth.cavity(without, 0)


def test_ejection_fractions_are_those_by_which_the_challenge_defined_its_groups(truths):
    """Below 40 % in heart failure, above 55 % in the others (Radau et al. 2009); 1 for the phantom's own spread."""
    for prefix, of_group in truths.items():
        for found in of_group:
            if prefix.startswith('SC-HF'):
                assert 0 < found.ejection_fraction < 41
            else:
                assert 55 < found.ejection_fraction < 85


def test_the_means_of_the_groups_are_those_that_the_class_states(truths):
    """As in the docstring of Group; the mean of 12 hearts that differ by 30 ml is off by 30 / sqrt(12) = 9 ml."""
    stated = {'SC-HF-I': (34, 230), 'SC-HF-NI': (27, 270), 'SC-HYP': (70, 130), 'SC-N': (64, 140)}
    for prefix, (fraction, volume) in stated.items():
        assert np.mean([found.ejection_fraction for found in truths[prefix]]) == pytest.approx(fraction, abs=3)
        assert np.mean([found.edv for found in truths[prefix]]) == pytest.approx(volume, abs=20)


def test_the_ejection_fraction_is_the_share_of_what_was_there():
    assert truth.Truth(edv=200, esv=150).ejection_fraction == 25  # 50 of 200


def test_the_table_lies_beside_the_studies_with_a_line_for_each_patient(tmp_path):
    write_studies(str(tmp_path), 2, 7)
    with open(str(tmp_path / 'truth.csv'), newline='') as file:
        rows = list(csv.DictReader(file))
    assert [(row['patient_id'], row['case']) for row in rows] == [
        ('PHANTOM001', 'SC-HF-I-901'),
        ('PHANTOM002', 'SC-HF-NI-902'),
    ]
    for number, row in enumerate(rows, start=1):
        patient = invent_patient(7, number)
        full = truth.cavity(patient.heart, patient.contraction(DIASTOLE))
        assert float(row['edv_ml']) == pytest.approx(full, abs=0.01)
        assert float(row['esv_ml']) < full
        # Three images of each slice, in the order of time: end-systole, one while the heart fills, end-diastole.
        assert (row['es_phase'], row['ed_phase']) == ('0', '2')
