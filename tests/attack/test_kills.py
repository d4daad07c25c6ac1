"""kill -9 at a random moment, of every program: what comes after is as if it had never been."""

import random
import shutil
import subprocess
import sys
import time

import pytest

from data_prep import __main__ as command
from tests.attack.conftest import run_main
from tests.data_prep import studies
from tests.lvseg.training_runs import assert_same_weights, start, wait_for

pytestmark = pytest.mark.slow

EPOCHS = 3  # of 10 steps each
TRAINING = ['--num_epochs', EPOCHS, '--seed', 1]


@pytest.fixture(scope='module')
def program(copy_exercise, exercise_of):
    """`simple` with a checkpoint of 6 MB, so that a save takes its time."""
    return exercise_of(copy_exercise('simple', hidden_units=8))


@pytest.fixture(scope='module')
def never_killed(program, tmp_path_factory):
    run_dir = tmp_path_factory.mktemp('never_killed') / 'train'
    assert program.train(run_dir, *TRAINING).code == 0
    return run_dir


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def kill(process, draw, seconds):
    """Kills a process after up to so many seconds; tells whether it was still running."""
    time.sleep(draw.uniform(0, seconds))  # A moment is wanted here, not a condition.
    process.kill()
    process.communicate()
    return process.returncode < 0


def kill_in_a_save(process, run_dir, draw):
    while process.poll() is None and not list(run_dir.glob('*.tempstate*')):
        pass
    return kill(process, draw, 0.02)


@pytest.mark.parametrize('within', ['anywhere', 'a save'])
def test_a_training_killed_at_any_moment_resumes_to_the_weights_of_one_never_killed(
    within, program, data_dir, never_killed, tenth, tmp_path
):
    number, killed = 3, 0
    for case in range(tenth * number, (tenth + 1) * number):
        draw, run_dir = random.Random(f'{within} {case}'), tmp_path / f'{case}'
        process = start(program.folder, data_dir, run_dir, *TRAINING, checkpoint_steps=2)
        wait_for(process, 'DEBUG cross_entropy')
        seconds = 0 if case % number == 0 else 2  # So that one at least is not over before.
        killed += kill_in_a_save(process, run_dir, draw) if within == 'a save' else kill(process, draw, seconds)
        outcome = program.train(run_dir, *TRAINING, '--resume')
        assert outcome.code == 0, outcome
        assert_same_weights(run_dir, never_killed)
        shutil.rmtree(str(run_dir))
    assert killed > 0


def test_an_evaluation_killed_at_any_moment_changes_nothing_and_is_done_again(
    program, never_killed, data_dir, tenth, tmp_path
):
    number, killed, before = 2, 0, content(never_killed)
    assert program.evaluate(never_killed, tmp_path / 'whole').code == 0
    for case in range(tenth * number, (tenth + 1) * number):
        eval_dir = tmp_path / f'{case}'
        process = start(program.folder, data_dir, never_killed, '--eval_dir', eval_dir, program='runEval.py')
        wait_for(process, 'DEBUG')
        killed += kill(process, random.Random(case), 0 if case % number == 0 else 1)
        assert content(never_killed) == before
        assert program.evaluate(never_killed, eval_dir).code == 0
        for name in ('metrics.json', 'per_slice.csv'):
            assert (eval_dir / name).read_bytes() == (tmp_path / 'whole' / name).read_bytes()
    assert killed > 0


def test_a_preparation_killed_at_any_moment_is_done_again_and_leaves_no_debris(root, tenth, tmp_path):
    number, killed = 2, 0
    raw = studies.write_tree(tmp_path / 'raw', studies.atlas({'SC-HF-I-1': range(1, 41)}))
    prepare = ['sunnybrook', raw, '--workers', 2, '--out']
    assert run_main(command.main, *prepare, tmp_path / 'whole').code == 0
    for case in range(tenth * number, (tenth + 1) * number):
        out = tmp_path / f'{case}'
        program = [sys.executable, '-m', 'data_prep', *prepare, out]
        process = subprocess.Popen(list(map(str, program)), cwd=str(root), stdout=subprocess.PIPE)
        seconds = 0 if case % number == 0 else 2
        while not seconds and process.poll() is None and not out.exists():
            pass
        killed += kill(process, random.Random(case), seconds)
        assert run_main(command.main, *prepare, out).code == 0
        assert content(out) == content(tmp_path / 'whole')
    assert killed > 0
