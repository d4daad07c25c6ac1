"""experiments/looks.py: what is gained by choosing, and only seems so."""

import numpy as np
import pytest

from experiments import looks

SLICES = 20
PATIENTS = [f'SC-N-{number}' for number in range(SLICES)]


def trials(shares):
    """Trials that find a share of each slice's 100 pixels, and draw 100: Dice is that share."""
    return [np.stack([share, np.full(SLICES, 100), np.full(SLICES, 100)], axis=1) for share in shares]


def test_trials_that_differ_by_chance_alone_seem_better_the_more_are_looked_at_and_are_not():
    chance = np.random.RandomState(7).randint(40, 101, (40, SLICES))  # The mean of 40 to 100 is 70.
    found = looks.hopes(trials(chance), PATIENTS)
    assert [hope.looks for hope in found] == [1, 5, 10, 20, 40]
    assert found[0].by_which_chosen == pytest.approx(0.70, abs=0.01)
    assert found[0].on_the_others == pytest.approx(found[0].by_which_chosen, abs=0.01)
    # The mean of 10 slices has a standard deviation of 17.6 / sqrt(10) = 5.6; the best of 40 normal draws is 2.16
    # deviations above their mean: 12 points.
    assert found[-1].by_which_chosen == pytest.approx(0.82, abs=0.03)
    assert found[-1].on_the_others < 0.73
    seeming = [hope.by_which_chosen for hope in found]
    assert seeming == sorted(seeming)


def test_a_trial_that_is_truly_better_is_so_on_other_patients_too():
    shares = np.full((5, SLICES), 50)
    shares[3] = 90
    best = looks.hopes(trials(shares), PATIENTS)[-1]
    assert best == (5, pytest.approx(0.9), pytest.approx(0.9))


def test_the_slices_of_one_patient_stay_together():
    """Two patients: what is known of one says nothing of the other."""
    first, second = [100] * 10 + [0] * 10, [0] * 10 + [100] * 10
    found = looks.hopes(trials(np.array([first, second] * 3)), ['SC-N-01'] * 10 + ['SC-N-02'] * 10)
    assert found[-1] == (5, pytest.approx(1.0), pytest.approx(0.0))


def test_the_table_says_by_how_much():
    assert looks.table([looks.Hope(40, 0.861, 0.842)]).splitlines()[2] == '| 40 | 0.861 | 0.842 | 0.019 |'
