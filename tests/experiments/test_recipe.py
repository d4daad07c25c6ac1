"""experiments/recipe.py: which commands the recipe is, and which the best one."""

import sys

from lvseg.errors import LabError
from lvseg.project import PROJECT

import pytest

from experiments import commands, recipe


@pytest.fixture
def ran(write_data, trainings, tmp_path, monkeypatch):
    """Runs scripts/challenge.py with stand-ins for commands and trainings; returns the commands that it ran."""
    monkeypatch.setattr(recipe, 'LOGS', tmp_path / 'logs')
    made = []

    def run_command(arguments):
        made.append(arguments)
        if arguments[:3] == ['-m', 'data_prep', 'phantom']:
            write_data(PROJECT / arguments[-1], {'train': ['SC-N-901'], 'val': ['SC-N-902']})

    monkeypatch.setattr(commands, 'run', run_command)

    def run(*arguments):
        made.clear()
        monkeypatch.setattr(sys, 'argv', ['challenge.py', *arguments])
        recipe.main()
        return list(made)

    return run


def test_the_recipe_trains_and_evaluates_the_challenges_solution(ran):
    train, evaluate = ran('--data_dir', '/patients', '--checkpoint_dir', '/mine')
    directories = ['--data_dir=/patients', '--checkpoint_dir=/mine']
    assert train == ['exercise_solutions/challenge/runTraining.py', *directories, *recipe.RECIPE]
    assert evaluate == ['exercise_solutions/challenge/runEval.py', *directories, '--eval_dir=/mine/eval']


def test_the_best_recipe_starts_from_phantoms_which_are_made_and_learned_once(ran, trainings, tmp_path):
    phantoms = tmp_path / 'logs' / 'challenge' / 'best-start'
    prepare, train, _ = ran('--best')
    data = str(phantoms / 'data')
    assert prepare == ['-m', 'data_prep', 'phantom', '--patients', '60', '--with_empty', '--seed', '60', '--out', data]
    assert trainings == [('best-start', 'challenge', [*recipe.RECIPE[:-1], '15', '--seed', '1'])]
    program = 'exercise_solutions/challenge/runTraining.py'
    more = ['--strength', 'strong', '--num_epochs', '125']
    assert train == [program, *recipe.RECIPE[:-2], *more, f'--init_from={phantoms / "train"}']
    assert len(ran('--best')) == 2 and len(trainings) == 1  # Training and evaluation, but no phantoms again.


def test_phantoms_that_were_learned_by_other_flags_are_refused(ran, trainings, tmp_path):
    recipe.trained_on_phantoms(tmp_path / 'logs' / 'challenge' / 'best-start', [], ['--num_epochs', '1'])
    with pytest.raises(LabError, match='with other flags'):
        ran('--best')
