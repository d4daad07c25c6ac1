"""tuning/reports.py: search.csv, search.html and the tables."""

import csv
import re

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState

from tuning import reports

RATE = FloatDistribution(1e-4, 1e-1, log=True)
BATCH = CategoricalDistribution(('1', '2'))


@pytest.fixture
def study():
    """Eight trials, every second one pruned after an epoch; the last has diverged before its first evaluation."""
    study = optuna.create_study(direction='maximize')
    for number in range(8):
        pruned, diverged = number % 2 == 1, number == 7
        study.add_trial(
            optuna.create_trial(
                state=TrialState.PRUNED if pruned else TrialState.COMPLETE,
                value=None if pruned else number / 10,
                params={'learning_rate': 1.23456e-4 * (number + 1), 'batch_size': '12'[number % 2]},
                distributions={'learning_rate': RATE, 'batch_size': BATCH},
                intermediate_values={}
                if diverged
                else {1: number / 20}
                if pruned
                else {1: number / 20, 2: number / 10},
                user_attrs={
                    reports.COMMAND: f'python runTraining.py --n {number}',
                    reports.ENDED: reports.DIVERGED if diverged else 'done',
                },
            )
        )
    return study


def test_the_csv_has_a_line_for_each_trial(study, tmp_path):
    reports.write(study, tmp_path)
    with (tmp_path / 'search.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    wanted = {'trial': '6', 'state': 'complete', 'ended': 'done', 'epochs': '2', 'dice': '0.6000', 'batch_size': '1'}
    assert {name: rows[6][name] for name in wanted} == wanted
    assert rows[6]['learning_rate'] == '0.000864'  # 7 * 1.23456e-4 = 8.64192e-4
    assert rows[6]['command'] == 'python runTraining.py --n 6'
    assert (rows[7]['ended'], rows[7]['epochs'], rows[7]['dice']) == ('diverged', '0', '')


def test_the_page_has_four_plots_and_fetches_nothing(study, tmp_path):
    reports.write(study, tmp_path)
    page = (tmp_path / 'search.html').read_text()
    titles = ['The course of the search', 'Which flag mattered', 'Settings side by side', 'Flag by flag']
    assert re.findall('<h2>(.*?)</h2>', page) == titles
    assert page.count('Plotly.newPlot(') >= 4
    assert not re.search(r'<(script|link|img|iframe)[^>]*\b(src|href)=', page)


def test_without_two_trials_that_differ_the_page_says_what_is_wanted(tmp_path):
    reports.write(optuna.create_study(direction='maximize'), tmp_path)
    page = (tmp_path / 'search.html').read_text()
    assert page.count('Two trials with different figures are wanted for this.') == 4


def test_trials_are_compared_at_the_same_age_pruned_ones_too(study):
    # The first figure of each, n / 20; 0 of the last, which has none.
    assert [trial.value for trial in reports.alike(study).trials] == pytest.approx(
        [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0]
    )


def test_the_best_trials_stand_with_their_commands(study):
    assert reports.top(study.trials, 2).splitlines()[1:] == [
        '    6  0.600  $ python runTraining.py --n 6',
        '    4  0.400  $ python runTraining.py --n 4',
    ]


def test_the_last_table_says_how_hopeful_the_inner_figure_was():
    rows = {
        'trial 6': {'inner': [0.9], 'held out': [0.8, 0.85, 0.9]},
        'the default': {'inner': [0.5], 'held out': [0.6]},
    }
    lines = reports.looked(rows).splitlines()
    # (0.8 + 0.85 + 0.9) / 3 = 0.85, and 0.9 - 0.85 = 0.05.
    assert lines[1].split() == ['trial', '6', '0.900', '0.800,', '0.850,', '0.900', '0.850', '+0.050']
    assert lines[2].split() == ['the', 'default', '0.500', '0.600', '0.600', '-0.100']
