"""make clean OLD=1: which runs were moved aside; what a student named so is none of them."""

from lvseg import moved_aside

import pytest

PATHS = ('simple/train', 'simple/eval')


@pytest.fixture
def logs(simple, tmp_path):
    """Two trainings, each evaluated, one after the other into the same folders."""
    train, evaluation = (tmp_path / path for path in PATHS)
    for _ in range(2):
        assert simple.train(train).code == 0
        assert simple.evaluate(train, evaluation).code == 0
    return tmp_path


def found(logs):
    return [str(path.relative_to(logs)) for path in moved_aside.find(logs)]


def test_the_earlier_training_and_its_evaluation_are_found_and_no_others(logs, simple):
    own = logs / 'simple' / 'train-7'  # A student's own name, and a run that was made there.
    assert simple.train(own).code == 0
    assert simple.evaluate(own, logs / 'simple' / 'eval-7').code == 0
    (logs / 'simple' / 'notes-1').mkdir()
    assert found(logs) == ['simple/eval-1', 'simple/train-1']

    # It goes on where it was kept, and so is in use again.
    assert simple.train(logs / 'simple' / 'train-1', '--resume', '--num_epochs', 2).code == 0
    assert found(logs) == []


def test_they_are_removed_and_named_and_the_rest_stays(logs, run_here, monkeypatch):
    monkeypatch.setattr(moved_aside, 'LOGS', logs)
    done = run_here('scripts/clean.py')
    assert (done.returncode, done.stderr) == (0, '')
    *removed, last = done.stdout.splitlines()
    assert removed == [f'removed {logs}/simple/eval-1', f'removed {logs}/simple/train-1']
    assert last.endswith(' GB of runs moved aside are removed.')
    assert all((logs / path).is_dir() for path in PATHS)
    assert run_here('scripts/clean.py').stdout == 'No runs were moved aside.\n'
