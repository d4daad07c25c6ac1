"""Several processes that train one network: as one would, and what becomes of them when one is gone."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow.compat.v1 as tf


@pytest.fixture
def start(root, data):
    """Starts the command that trains by several processes, in a session of its own, as a terminal does."""
    started = []

    def start_cluster(exercise, *flags):
        command = [sys.executable, 'scripts/start_cluster.py', exercise, '--data_dir', data, '--seed', 3, *flags]
        environment = {**os.environ, 'PYTHONPATH': str(root), 'LAB_THREADS': '1'}
        pipes = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, 'text': True}
        process = subprocess.Popen(list(map(str, command)), cwd=root, env=environment, start_new_session=True, **pipes)
        started.append(process)
        return process

    yield start_cluster
    for process in started:
        process.kill()
        process.communicate()


def processes_of(process):
    """{'chief': number, 'worker': …, 'ps': …} of those that a command has started."""
    found = {}
    for number in subprocess.run(['pgrep', '-P', str(process.pid)], stdout=subprocess.PIPE, text=True).stdout.split():
        with open(f'/proc/{number}/environ') as file:
            config = re.search('TF_CONFIG=([^\0]*)', file.read())
        found[json.loads(config[1])['task']['type']] = int(number)
    return found


def lines(text):
    return [line for line in text.splitlines() if line.startswith(('OUTPUT', 'ERROR'))]


def weights(folder):
    checkpoint = tf.train.load_checkpoint(str(folder))
    return {name: checkpoint.get_tensor(name) for name in checkpoint.get_variable_to_shape_map()}


@pytest.mark.slow
@pytest.mark.parametrize('workers', [2, 3])
def test_several_processes_make_the_steps_of_one(workers, start, run, data, tmp_path):
    """24 steps, those of one process to 1e-5 in every weight, the last batch of each epoch smaller than the others."""
    flags = ['--batch_size', 4, '--num_epochs', 4]
    one = run(
        *('exercise_solutions/cnn/runTraining.py', '--data_dir', data, '--seed', 3, *flags),
        *('--checkpoint_dir', tmp_path / 'one'),
        check=True,
    )
    process = start('cnn', '--workers', workers, *flags, '--checkpoint_dir', tmp_path / 'several')
    out, err = process.communicate()
    assert process.returncode == 0, err
    # On a busy machine one starts later than others, and is waited for.
    assert re.fullmatch('(Waiting for .* …\n)*Running on the .*\n(Waiting for .* …\n)*', err)
    # But for the seconds, all that one process prints.
    assert re.sub(r'\(.*\)', '', out) == re.sub(r'\(.*\)', '', one.stdout)
    ours, theirs = weights(tmp_path / 'several'), weights(tmp_path / 'one')
    assert set(ours) == set(theirs) and ours['global_step'] == 24
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=1e-5, err_msg=name)
    described = [json.loads((tmp_path / name / 'run.json').read_text()) for name in ('one', 'several')]
    for values in described:
        del values['started'], values['checkpoint_dir']
    assert described[0] == described[1]


@pytest.mark.slow
def test_a_worker_that_is_killed_ends_all_of_them_within_a_minute(start, tmp_path):
    process = start('cnn', '--batch_size', 2, '--num_epochs', 100000, '--checkpoint_dir', tmp_path / 'train')
    assert any(line.startswith('OUTPUT: Step 0') for line in iter(process.stdout.readline, ''))
    members = processes_of(process)
    began = time.monotonic()
    os.kill(members['worker'], signal.SIGKILL)
    _, err = process.communicate(timeout=300)
    assert time.monotonic() - began < 60
    assert process.returncode == 1
    (line,) = lines(err)
    assert 'worker 0 (127.0.0.1:' in line and 'killed or stopped' in line and '--resume' in line
    assert not any(os.path.exists(f'/proc/{member}') for member in members.values())


@pytest.mark.slow
def test_ctrl_c_ends_all_with_a_checkpoint_and_the_run_goes_on_from_it(start, tmp_path):
    run_dir = tmp_path / 'train'
    process = start('cnn', '--batch_size', 2, '--num_epochs', 100000, '--checkpoint_dir', run_dir)
    assert any(line.startswith('OUTPUT: Step 0') for line in iter(process.stdout.readline, ''))
    members = processes_of(process)
    os.killpg(process.pid, signal.SIGINT)  # As the terminal does, to all that run in it.
    out, err = process.communicate(timeout=300)
    assert process.returncode == 130, err
    step = int(re.fullmatch(r'OUTPUT: Interrupted at step (\d+), checkpoint saved\.', lines(out)[-1])[1])
    assert weights(run_dir)['global_step'] == step
    assert not any(os.path.exists(f'/proc/{member}') for member in members.values())

    epochs = step // 11 + 1  # Of 22 slices in batches of 2.
    process = start('cnn', '--batch_size', 2, '--num_epochs', epochs, '--checkpoint_dir', run_dir, '--resume')
    out, err = process.communicate(timeout=300)
    assert lines(out)[-1] == f'OUTPUT: Done training for {epochs} epochs, {11 * epochs} steps.', err


@pytest.mark.slow
def test_a_worker_with_other_flags_is_refused_with_what_differs(task, cluster, tmp_path):
    flags = ['--checkpoint_dir', tmp_path / 'train', '--batch_size', 4]
    ps = task(cluster, 'ps', *flags)
    chief = task(cluster, 'chief', *flags)
    waiting = next(line for line in iter(chief.stderr.readline, '') if line.startswith('Waiting for worker'))
    assert waiting == f'Waiting for worker 0 ({cluster["worker"][0]}) …\n'
    worker = task(cluster, 'worker', *flags, '--learning_rate', 0.1)
    said = [process.communicate(timeout=300)[1] for process in (chief, worker, ps)]
    assert [process.returncode for process in (chief, worker, ps)] == [1, 3, 3]
    for text in said:
        assert lines(text) == [
            'ERROR: worker 0 has --learning_rate 0.1, the chief --learning_rate 0.01. Start all of them with the same '
            'flags, data and versions.'
        ]
    assert not (tmp_path / 'train').exists()
