"""Signals, and kills at any moment."""

import fcntl
import functools
import glob
import os
import random
import re
import signal
import termios
import time

from lvseg import checkpoints, chief, training

import pytest

from tests.lvseg.training_runs import assert_same_weights, curve, start, steps_saved, wait_for, weights


@pytest.mark.parametrize(('number', 'code'), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_training_with_a_checkpoint(number, code, simple, data_dir, tmp_path):
    run_dir = tmp_path / 'train'
    process = start(simple.folder, data_dir, run_dir, '--num_epochs', 100000)
    wait_for(process, 'OUTPUT: Step 100')
    process.send_signal(number)
    out, err = process.communicate()

    assert process.returncode == code
    step = int(re.search(r'^OUTPUT: Interrupted at step (\d+), checkpoint saved\.\n\Z', out, re.MULTILINE)[1])
    assert re.fullmatch(r'Running on the .*\n', err)
    assert weights(run_dir)['global_step'] == step > 100
    # The event file was closed: it has the last of steps 1, 101, 201, …
    assert max(curve(run_dir, 'loss')) == (step - 1) // 100 * 100 + 1
    assert simple.evaluate(run_dir, tmp_path / 'eval').code == 0
    assert f'"step": {step}' in (tmp_path / 'eval' / 'metrics.json').read_text()


def test_a_terminal_that_is_closed_ends_training_with_a_checkpoint(simple, data_dir, tmp_path):
    master, terminal = os.openpty()

    def take_terminal():
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

    streams = dict.fromkeys(['stdin', 'stdout', 'stderr'], terminal)
    flags = ['--num_epochs', 100000]
    process = start(simple.folder, data_dir, tmp_path / 'train', *flags, preexec_fn=take_terminal, **streams)
    os.close(terminal)
    shown = b''
    while b'OUTPUT: Step 100' not in shown:
        shown += os.read(master, 4096)
    os.close(master)
    assert process.wait(timeout=300) == 129
    assert weights(tmp_path / 'train')['global_step'] > 100


def test_a_training_under_nohup_goes_on_when_the_terminal_is_closed(simple, data_dir, tmp_path):
    process = start(
        simple.folder,
        data_dir,
        tmp_path / 'train',
        *('--num_epochs', 30),
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    wait_for(process, 'OUTPUT: Step 100')
    process.send_signal(signal.SIGHUP)
    out, _ = process.communicate()
    assert process.returncode == 0
    assert 'OUTPUT: Done training for 30 epochs' in out


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_does_not_disturb_the_save(number, simple, tmp_path, monkeypatch):
    """Both come at the worst time: the first within a step, the second within the save that it leads to."""
    save, after_run = checkpoints.save, chief._Reporter.after_run

    def save_and_signal(session, saver, directory, step):
        if step > 0:
            os.kill(os.getpid(), number)
        save(session, saver, directory, step)

    def signal_after_run(self, run_context, run_values):
        after_run(self, run_context, run_values)
        if self.steps == 3:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(checkpoints, 'save', save_and_signal)
    monkeypatch.setattr(chief._Reporter, 'after_run', signal_after_run)
    handler = signal.getsignal(number)
    outcome = simple.train(tmp_path / 'train')
    assert outcome.code == 128 + number
    assert outcome.out.endswith('OUTPUT: Interrupted at step 3, checkpoint saved.\n')
    assert steps_saved(tmp_path / 'train')[-1] == 3
    assert signal.getsignal(number) == handler


def test_a_signal_while_the_session_is_made_ends_training_after_one_step(simple, tmp_path, monkeypatch):
    session = training._session

    def signal_and_session(*args):
        os.kill(os.getpid(), signal.SIGTERM)
        return session(*args)

    monkeypatch.setattr(training, '_session', signal_and_session)
    outcome = simple.train(tmp_path / 'train')
    assert (outcome.code, outcome.out.splitlines()[-1]) == (143, 'OUTPUT: Interrupted at step 1, checkpoint saved.')


def test_an_interrupted_run_resumes_where_it_stopped(simple, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        before_run = chief._Reporter.before_run

        def signal_in_step_6(self, run_context):
            if self.steps == 5:
                os.kill(os.getpid(), signal.SIGINT)
            return before_run(self, run_context)

        patch.setattr(chief._Reporter, 'before_run', signal_in_step_6)
        outcome = simple.train(tmp_path / 'train', '--seed', 1, '--num_epochs', 2)
    assert outcome.code == 130
    assert outcome.out.endswith('OUTPUT: Interrupted at step 6, checkpoint saved.\n')
    simple.train(tmp_path / 'train', '--seed', 1, '--num_epochs', 2, '--resume')
    simple.train(tmp_path / 'whole', '--seed', 1, '--num_epochs', 2)
    assert_same_weights(tmp_path / 'train', tmp_path / 'whole')


def test_a_reader_of_the_output_that_goes_away_is_no_error(simple, data_dir, tmp_path):
    process = start(simple.folder, data_dir, tmp_path / 'train', '--num_epochs', 30)
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 128 + signal.SIGPIPE
    assert 'Traceback' not in err and 'Exception' not in err


# Killed at any moment.


@pytest.mark.slow
def test_training_killed_at_20_random_moments_can_always_be_evaluated_and_resumed(
    exercise_of, copy_exercise, data_dir, tmp_path
):
    """A checkpoint of 25 MB every other step. Every other kill waits for a save to begin."""
    folder = copy_exercise('simple', hidden_units=32)
    exercise, run_dir = exercise_of(folder), tmp_path / 'train'
    generator = random.Random(1)
    saved, kills_in_a_save = -1, 0
    for number in range(20):
        flags = ['--num_epochs', 100000, '--seed', 1] + (['--resume'] if number else [])
        process = start(folder, data_dir, run_dir, *flags, checkpoint_steps=2)
        wait_for(process, 'DEBUG cross_entropy')
        if number > 0:
            wait_until(process, functools.partial(has_saved, run_dir, saved + generator.randrange(5)))
        if number % 2:
            wait_until(process, lambda: unfinished_saves(run_dir))
        pass_time(generator.uniform(0, 0.05 if number % 2 else 0.5))
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL

        kills_in_a_save += bool(unfinished_saves(run_dir))
        earlier, saved = saved, newest_step(run_dir)
        assert saved >= earlier
        if saved >= 0:
            outcome = exercise.evaluate(run_dir, tmp_path / 'eval')
            assert outcome.code == 0, outcome.err
    assert saved >= 20 and kills_in_a_save >= 3

    epochs = saved // 10 + 1
    assert exercise.train(run_dir, '--num_epochs', epochs, '--seed', 1, '--resume').code == 0
    exercise.train(tmp_path / 'whole', '--num_epochs', epochs, '--seed', 1)
    assert_same_weights(run_dir, tmp_path / 'whole')


def has_saved(run_dir, step):
    return newest_step(run_dir) >= step


def newest_step(run_dir):
    checkpoint = checkpoints.newest(str(run_dir))
    return -1 if checkpoint is None else checkpoints.step(checkpoint)


def unfinished_saves(run_dir):
    return glob.glob(f'{run_dir}/*.tempstate*')


def wait_until(process, condition):
    while not condition():
        assert process.poll() is None, process.stderr.read()


def pass_time(seconds):
    """Here a moment is what is wanted, not a condition."""
    time.sleep(seconds)
