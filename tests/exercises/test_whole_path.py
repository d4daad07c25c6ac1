"""The programs as a student starts them: prepared, trained, evaluated."""

import json
import os
import re
import subprocess
import sys

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

EXERCISES = {'simple': 'precision', 'cnn': 'precision', 'cnnDice': 'Dice metric'}


@pytest.fixture(scope='module')
def environment(root):
    """lvseg is found although the exercise lies elsewhere."""
    return {**os.environ, 'PYTHONPATH': str(root)}


@pytest.fixture(scope='module')
def start(environment, tmp_path_factory):
    """Runs `python ARGUMENTS ...` from a folder that has nothing to do with the project."""
    elsewhere = tmp_path_factory.mktemp('elsewhere')

    def run(*arguments):
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(command, cwd=str(elsewhere), env=environment, capture_output=True, text=True)

    return run


@pytest.fixture(scope='module')
def phantom(start, root, tmp_path_factory):
    """The slices of one invented patient, 18 to train and 2 to validate, made by the command that training tells."""
    folder = tmp_path_factory.mktemp('phantom') / 'data'
    done = start(root / 'exercise_solutions' / 'simple' / 'runTraining.py', '--data_dir', folder)
    assert done.returncode == 1
    command = re.search(r'train_images.tfrecords not found\. Make it with: python (.*?) \(or see -h\)\.$', done.stderr)
    made = start(*command[1].split(), '--patients', 1)
    assert made.returncode == 0, made.stderr
    return folder


@pytest.mark.parametrize('exercise', list(EXERCISES))
def test_an_exercise_is_prepared_trained_and_evaluated(exercise, start, copy_exercise, phantom, tmp_path):
    folder, data = copy_exercise(exercise), ['--data_dir', phantom]
    no_checkpoint = start(folder / 'runEval.py', *data, '--checkpoint_dir', tmp_path / 'train')
    assert no_checkpoint.returncode == 1

    # The line says what to do; so it is done, word for word.
    command = re.search(
        r'^ERROR: no checkpoint in .*\. Make one with: python (.*)$', no_checkpoint.stderr, re.MULTILINE
    )
    trained = start(*command[1].split())
    assert trained.returncode == 0, trained.stderr
    assert re.search(r'^OUTPUT: Step 0: loss = \d+\.\d{3} \(\d+\.\d{3} sec\)$', trained.stdout, re.MULTILINE)
    assert trained.stdout.endswith('OUTPUT: Done training for 1 epochs, 18 steps.\n')

    directories = ['--checkpoint_dir', tmp_path / 'train', '--eval_dir', tmp_path / 'eval']
    evaluated = start(folder / 'runEval.py', *data, *directories)
    assert evaluated.returncode == 0, evaluated.stderr
    printed = re.search(rf'^OUTPUT: .*: {EXERCISES[exercise]} = (\d\.\d{{3}})$', evaluated.stdout, re.MULTILINE)
    assert f'OUTPUT: 2 images evaluated from file {phantom}/val_images.tfrecords' in evaluated.stdout

    metrics = json.loads((tmp_path / 'eval' / 'metrics.json').read_text())
    assert (metrics['exercise'], metrics['step'], metrics['images']) == (exercise, 18, 2)
    assert printed[1] == f'{metrics["dice" if exercise == "cnnDice" else "precision"]:.3f}'

    assert scalars(tmp_path / 'train') >= {'loss', 'learning_rate', 'precision', 'dice'}
    assert scalars(tmp_path / 'eval') >= {'precision', 'dice'}
    for done in (trained, evaluated):
        assert re.fullmatch(r'Running on the .*\n', done.stderr), 'only the device is told on stderr'


def scalars(directory):
    """The curves that TensorBoard shows of a run."""
    return set(EventAccumulator(str(directory)).Reload().Tags()['scalars'])


def test_a_misspelt_flag_is_refused(start, root):
    done = start(root / 'exercise_solutions' / 'cnn' / 'runTraining.py', '--batchsize', 1)
    assert done.returncode == 2
    assert done.stdout == ''
    assert re.fullmatch(r'ERROR: .*--batchsize.*\n', done.stderr)


def test_help_is_given(start, root):
    done = start(root / 'exercise_solutions' / 'cnn' / 'runEval.py', '-h')
    assert (done.returncode, done.stderr) == (0, '')
    assert '--batch_size' in done.stdout


def test_a_mistake_in_the_students_own_code_keeps_its_traceback(start, copy_exercise, phantom, tmp_path, shared):
    folder = copy_exercise('cnn')
    network = folder / 'neuralnetwork.py'
    network.write_text(network.read_text().replace('kernel_size=[5, 5],  # blank', 'kernel_size=[FIXME, FIXME],'))
    done = start(folder / 'runTraining.py', '--data_dir', phantom, '--checkpoint_dir', tmp_path / 'train')
    expected = (shared / 'golden' / 'cnn_unsolved.txt').read_text().splitlines()
    assert done.returncode == 1
    assert done.stdout.splitlines() == [line for line in expected if line.startswith('DEBUG')]
    assert done.stderr.startswith('Traceback') and done.stderr.splitlines()[-1] == expected[-1]
