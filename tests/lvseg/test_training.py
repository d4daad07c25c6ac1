import fcntl
import functools
import glob
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import termios
import time

from lvseg import checkpoints, chief, training

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

# Runs an exercise's script with other constants: `python -c DRIVER CHECKPOINT_STEPS runTraining.py FLAGS`.
DRIVER = """
import os, runpy, sys
from lvseg import chief
chief._CHECKPOINT_STEPS = int(sys.argv[1])
sys.argv = sys.argv[2:]
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name='__main__')
"""


def weights(run_dir):
    """All variables of the newest checkpoint."""
    checkpoint = tf.train.load_checkpoint(str(run_dir))
    return {name: checkpoint.get_tensor(name) for name in checkpoint.get_variable_to_shape_map()}


def assert_same_weights(run_dir, other_dir):
    ours, theirs = weights(run_dir), weights(other_dir)
    assert set(ours) == set(theirs) == {'Hidden1/W_fc', 'Final/W_fc2', 'global_step'}
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], name)


def steps_saved(run_dir):
    state = tf.train.get_checkpoint_state(str(run_dir))
    return [int(path.rsplit('-')[-1]) for path in state.all_model_checkpoint_paths]


def curve(run_dir, tag):
    """{step: value} as TensorBoard shows it."""
    events = EventAccumulator(str(run_dir)).Reload()
    scalars = events.Scalars(tag)
    assert len({scalar.step for scalar in scalars}) == len(scalars), 'a stretch is there twice'
    return {scalar.step: scalar.value for scalar in scalars}


def assert_refused(outcome, *parts):
    """One line says it, after the one on the device; nothing is claimed to be done."""
    assert outcome.code == 1
    assert 'Done training' not in outcome.out
    lines = [line for line in outcome.err.splitlines() if not line.startswith('Running on')]
    assert len(lines) == 1 and lines[0].startswith('ERROR: '), outcome.err
    for part in parts:
        assert part in lines[0]


@pytest.fixture(scope='module')
def finished(simple, tmp_path_factory):
    """A run of 2 epochs of 10 steps, and what it printed. Tests that change it take a copy."""
    run_dir = tmp_path_factory.mktemp('finished') / 'train'
    return run_dir, simple.train(run_dir, '--num_epochs', 2, '--seed', 1)


@pytest.fixture
def finished_copy(finished, tmp_path):
    shutil.copytree(str(finished[0]), str(tmp_path / 'train'))
    return tmp_path / 'train'


# Steps, lines and checkpoints.


def test_every_slice_makes_a_step(finished):
    run_dir, outcome = finished
    assert outcome.code == 0
    assert outcome.out.endswith('OUTPUT: Done training for 2 epochs, 20 steps.\n')
    assert weights(run_dir)['global_step'] == 20


def test_the_last_smaller_batch_makes_a_step_too(simple, tmp_path):
    outcome = simple.train(tmp_path / 'train', '--batch_size', 4)
    assert outcome.out.endswith('OUTPUT: Done training for 1 epochs, 3 steps.\n')


def test_nothing_but_the_device_is_on_stderr(finished):
    assert re.fullmatch(r'Running on the .*\n', finished[1].err)


def test_checkpoints_are_made_every_1000_steps():
    assert chief._CHECKPOINT_STEPS == 1000


def test_checkpoints_are_made_regularly_and_at_the_end_and_two_are_kept(simple, tmp_path, monkeypatch):
    monkeypatch.setattr(chief, '_CHECKPOINT_STEPS', 4)
    simple.train(tmp_path / 'train')
    assert steps_saved(tmp_path / 'train') == [8, 10]
    kept = {re.split(r'\.(index|data)', path)[0] for path in glob.glob(f'{tmp_path}/train/model.ckpt-*')}
    assert kept == {f'{tmp_path}/train/model.ckpt-{step}' for step in (8, 10)}


def test_no_checkpoint_is_written_twice(simple, tmp_path, monkeypatch):
    """A kill while the newest one is being written again would leave none."""
    saved, save = [], checkpoints.save

    def note_and_save(*args):
        saved.append(args[-1])
        save(*args)

    monkeypatch.setattr(chief, '_CHECKPOINT_STEPS', 5)
    monkeypatch.setattr(checkpoints, 'save', note_and_save)
    simple.train(tmp_path / 'train')
    simple.train(tmp_path / 'train', '--resume')  # There is nothing left to do.
    assert saved == [0, 5, 10]


def test_the_same_seed_gives_identical_weights(simple, finished, tmp_path):
    simple.train(tmp_path / 'train', '--num_epochs', 2, '--seed', 1)
    assert_same_weights(tmp_path / 'train', finished[0])


def test_another_seed_gives_other_weights(simple, finished, tmp_path):
    simple.train(tmp_path / 'train', '--num_epochs', 2, '--seed', 2)
    assert (weights(tmp_path / 'train')['Final/W_fc2'] != weights(finished[0])['Final/W_fc2']).any()


# TensorBoard.


def test_tensorboard_shows_the_graph_and_every_curve(finished):
    events = EventAccumulator(str(finished[0])).Reload()
    assert set(events.Tags()['scalars']) >= {'loss', 'learning_rate', 'precision', 'dice'}
    nodes = {node.name for node in events.Graph().node}
    assert {'Hidden1/W_fc', 'Final/W_fc2', 'cross_entropy_mean', 'GradientDescent'} <= nodes


def test_tensorboard_shows_the_steps_per_second_of_every_hundred_steps(run_of_234):
    rates = curve(run_of_234.run_dir, 'steps_per_second')
    assert list(rates) == [101, 201]
    assert all(1 < rate < 10000 for rate in rates.values())


def test_tensorboard_shows_a_step_of_every_hundred(run_of_234):
    assert list(curve(run_of_234.run_dir, 'loss')) == [1, 101, 201]


def test_a_summary_speaks_of_the_step_that_was_trained(finished):
    run_dir, outcome = finished
    (printed,) = re.findall(r'Step 0: loss = (\S+)', outcome.out)
    assert f'{curve(run_dir, "loss")[1]:.3f}' == printed


def test_summaries_take_no_slice_from_the_training(simple, tmp_path, monkeypatch):
    monkeypatch.setattr(chief, 'REPORT_STEPS', 1)
    outcome = simple.train(tmp_path / 'train')
    assert outcome.out.endswith('10 steps.\n')
    assert list(curve(tmp_path / 'train', 'loss')) == list(range(1, 11))


def test_the_learning_rates_curve_is_a_staircase(simple, tmp_path, monkeypatch):
    monkeypatch.setattr(chief, 'REPORT_STEPS', 1)
    simple.train(tmp_path / 'train', '--learning_rate', 0.5, '--decay_rate', 0.5, '--decay_steps', 4)
    rates = list(curve(tmp_path / 'train', 'learning_rate').values())
    assert rates == [0.5] * 4 + [0.25] * 4 + [0.125] * 2


# Fresh starts and resumed runs.


def test_a_fresh_start_keeps_the_earlier_run_fit_for_evaluation(simple, finished_copy, finished, tmp_path):
    simple.train(finished_copy, '--seed', 2)
    aside = tmp_path / 'train-1'
    assert_same_weights(aside, finished[0])
    assert steps_saved(finished_copy)[-1] == 10
    assert simple.evaluate(aside, tmp_path / 'eval').code == 0
    assert '"step": 20' in (tmp_path / 'eval' / 'metrics.json').read_text()


def test_a_resumed_run_ends_as_the_run_that_was_not_stopped(simple, finished, tmp_path, monkeypatch):
    """Stopped after the first of three epochs of three steps."""
    monkeypatch.setattr(chief, 'REPORT_STEPS', 1)
    schedule = ['--decay_steps', 4, '--decay_rate', 0.5, '--batch_size', 4, '--seed', 1]
    simple.train(tmp_path / 'whole', '--num_epochs', 3, *schedule)
    simple.train(tmp_path / 'parts', '--num_epochs', 1, *schedule)
    outcome = simple.train(tmp_path / 'parts', '--num_epochs', 3, *schedule, '--resume')

    assert outcome.code == 0
    assert outcome.out.endswith('OUTPUT: Done training for 3 epochs, 9 steps.\n')
    assert re.findall(r'Step (\d+)', outcome.out) == [str(step) for step in range(3, 9)]
    assert_same_weights(tmp_path / 'parts', tmp_path / 'whole')
    for tag in ('loss', 'learning_rate', 'precision', 'dice'):
        assert curve(tmp_path / 'parts', tag) == curve(tmp_path / 'whole', tag)


def test_the_curves_of_the_validation_slices_go_on_in_a_resumed_run(simple, tmp_path):
    flags = ['--batch_size', 10, '--eval_every', 1, '--seed', 1]  # One step an epoch.
    simple.train(tmp_path / 'whole', '--num_epochs', 3, *flags)
    simple.train(tmp_path / 'parts', '--num_epochs', 2, *flags)
    simple.train(tmp_path / 'parts', '--num_epochs', 3, *flags, '--resume')
    found = curve(tmp_path / 'parts' / 'validation', 'dice')
    assert list(found) == [1, 2, 3]
    assert found == curve(tmp_path / 'whole' / 'validation', 'dice')


def test_a_resumed_run_has_the_seed_of_the_run_even_if_none_was_given(simple, tmp_path):
    run_dir = tmp_path / 'train'
    simple.train(run_dir)
    seed = re.search(r'"seed": (\d+)', (run_dir / 'run.json').read_text())[1]
    simple.train(run_dir, '--num_epochs', 2, '--resume')
    simple.train(tmp_path / 'whole', '--num_epochs', 2, '--seed', seed)
    assert_same_weights(run_dir, tmp_path / 'whole')


def test_resuming_a_finished_run_changes_nothing(simple, finished, finished_copy):
    outcome = simple.train(finished_copy, '--num_epochs', 2, '--resume')
    assert outcome.out.endswith('OUTPUT: Done training for 2 epochs, 20 steps.\n')
    assert_same_weights(finished_copy, finished[0])


def test_resuming_where_nothing_was_trained_starts(simple, tmp_path):
    outcome = simple.train(tmp_path / 'train', '--resume')
    assert outcome.out.endswith('10 steps.\n')


def test_the_stretch_after_the_last_checkpoint_is_not_there_twice(simple, tmp_path, monkeypatch):
    """A run is killed 3 steps after its checkpoint of step 4: those steps are on the disk, and are made again."""
    monkeypatch.setattr(chief, 'REPORT_STEPS', 1)
    monkeypatch.setattr(chief, '_CHECKPOINT_STEPS', 4)
    run_dir = tmp_path / 'train'
    simple.train(tmp_path / 'whole', '--seed', 1)
    with monkeypatch.context() as patch:
        kill_after(patch, steps=7)
        with pytest.raises(Killed):
            simple.train(run_dir, '--seed', 1)
    assert set(curve(run_dir, 'loss')) == set(range(1, 8))
    assert steps_saved(run_dir)[-1] == 4

    simple.train(run_dir, '--seed', 1, '--resume')
    assert curve(run_dir, 'loss') == curve(tmp_path / 'whole', 'loss')


class Killed(BaseException):
    """Passes through everything, so that nothing is saved or tidied up."""


def kill_after(patch, steps):
    after_run = training._Interruption.after_run

    def kill(self, run_context, run_values):
        self.made = getattr(self, 'made', 0) + 1
        if self.made == steps:
            raise Killed
        after_run(self, run_context, run_values)

    patch.setattr(training._Interruption, 'after_run', kill)


def test_curves_reach_as_far_as_the_newest_checkpoint_even_after_a_kill(simple, tmp_path, monkeypatch):
    monkeypatch.setattr(chief, 'REPORT_STEPS', 1)
    monkeypatch.setattr(chief, '_CHECKPOINT_STEPS', 4)
    monkeypatch.setattr(tf.summary.FileWriter, 'close', lambda writer: None)  # A kill closes nothing.
    kill_after(monkeypatch, steps=4)
    with pytest.raises(Killed):
        simple.train(tmp_path / 'train')
    monkeypatch.undo()
    assert set(curve(tmp_path / 'train', 'loss')) == set(range(1, 5))


def test_curves_are_on_their_way_to_the_disk_before_the_checkpoint(simple, tmp_path, monkeypatch):
    """Were the run killed in between, the run that goes on from the checkpoint would have a gap in its curves."""
    run_dir, reached, save = tmp_path / 'train', {}, checkpoints.save

    def look_and_save(*args):
        step = args[-1]
        reached[step] = list(curve(run_dir, 'loss')) if step else []
        save(*args)

    monkeypatch.setattr(chief, 'REPORT_STEPS', 1)
    monkeypatch.setattr(chief, '_CHECKPOINT_STEPS', 4)
    monkeypatch.setattr(checkpoints, 'save', look_and_save)
    simple.train(run_dir)
    assert reached == {step: list(range(1, step + 1)) for step in (0, 4, 8, 10)}


def test_what_a_killed_save_has_left_is_removed_when_the_run_goes_on(simple, finished_copy):
    leftover = finished_copy / 'model.ckpt-30.data-00000-of-00001.tempstate5851717544916936927'
    leftover.write_bytes(bytes(1000))
    assert simple.train(finished_copy, '--num_epochs', 3, '--resume').code == 0
    assert not leftover.exists()


# Signals.


def start(folder, data_dir, run_dir, *flags, checkpoint_steps=1000, **kwargs):
    arguments = ['--data_dir', data_dir, '--checkpoint_dir', run_dir, *flags]
    command = [sys.executable, '-c', DRIVER, checkpoint_steps, folder / 'runTraining.py', *arguments]
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(p for p in sys.path if p)}
    pipe = subprocess.PIPE
    return subprocess.Popen(list(map(str, command)), env=environment, stdout=pipe, stderr=pipe, text=True, **kwargs)


def wait_for(process, text):
    """Reads what a process prints until a line begins with the text."""
    lines = iter(process.stdout.readline, '')
    found = next((line for line in lines if line.startswith(text)), None)
    assert found, process.stderr.read()
    return found


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
    assert max(curve(run_dir, 'loss')) == 101  # The event file was closed.
    assert simple.evaluate(run_dir, tmp_path / 'eval').code == 0
    assert f'"step": {step}' in (tmp_path / 'eval' / 'metrics.json').read_text()


def test_a_terminal_that_is_closed_ends_training_with_a_checkpoint(simple, data_dir, tmp_path):
    master, terminal = os.openpty()
    arguments = ['--data_dir', data_dir, '--checkpoint_dir', tmp_path / 'train', '--num_epochs', 100000]
    command = [sys.executable, simple.folder / 'runTraining.py', *arguments]

    def take_terminal():
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(p for p in sys.path if p)}
    process = subprocess.Popen(
        list(map(str, command)),
        env=environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        preexec_fn=take_terminal,
    )
    os.close(terminal)
    shown = b''
    while b'OUTPUT: Step 100' not in shown:
        shown += os.read(master, 4096)
    os.close(master)
    assert process.wait(timeout=60) == 129
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


# Divergence.


def test_a_loss_that_is_not_finite_stops_training_and_keeps_the_last_good_checkpoint(simple, tmp_path):
    run_dir = tmp_path / 'train'
    outcome = simple.train(run_dir, '--learning_rate', 1e30, '--num_epochs', 2)
    assert_refused(outcome, 'the loss is nan at step', 'Try a lower --learning_rate')
    assert all(np.isfinite(values).all() for values in weights(run_dir).values())
    assert simple.evaluate(run_dir, tmp_path / 'eval').code == 0


def test_weights_lost_in_a_step_of_finite_loss_are_not_saved(simple, data_dir, tmp_path, monkeypatch):
    """The rate is infinite as a float32: the first step's loss is still good, its weights are not."""
    monkeypatch.setattr(chief, '_CHECKPOINT_STEPS', 1)
    outcome = simple.train(tmp_path / 'train', '--learning_rate', 1e39)
    assert re.search(r'Step 0: loss = \d+\.\d+ ', outcome.out)
    assert_refused(outcome, 'a weight is no longer finite after 1 steps', 'Try a lower --learning_rate')
    assert steps_saved(tmp_path / 'train') == [0]


def test_weights_lost_in_the_last_step_are_not_saved(simple, tmp_path):
    outcome = simple.train(tmp_path / 'train', '--learning_rate', 1e39, '--batch_size', 10)
    assert_refused(outcome, 'a weight is no longer finite after 1 steps')
    assert steps_saved(tmp_path / 'train') == [0]


@pytest.mark.parametrize('variable', [0, 1])
def test_a_single_variable_that_is_lost_is_not_saved(variable, copy_exercise, exercise_of, tmp_path):
    """In the only step the loss is finite, and after it one value of one variable is not."""
    folder = copy_exercise('simple')
    with open(str(folder / 'neuralnetwork.py'), 'a') as file:
        file.write(LOSING_ONE_VALUE.format(variable=variable))
    outcome = exercise_of(folder).train(tmp_path / 'train', '--batch_size', 10)
    assert_refused(outcome, 'a weight is no longer finite after 1 steps')
    assert steps_saved(tmp_path / 'train') == [0]


LOSING_ONE_VALUE = """

def training(loss, learning_rate, decay_steps, decay_rate):
    with tf.control_dependencies([loss]):
        lost = tf.assign(tf.trainable_variables()[{variable}][0, 0], float('inf'))
    return tf.group(lost, tf.assign_add(tf.train.get_or_create_global_step(), 1))
"""


def test_a_run_that_diverged_is_seen_in_tensorboard(simple, tmp_path, monkeypatch):
    monkeypatch.setattr(chief, 'REPORT_STEPS', 1)
    simple.train(tmp_path / 'train', '--learning_rate', 1e30)
    assert np.isnan(list(curve(tmp_path / 'train', 'loss').values())[-1])


# What is in the way.


def test_a_directory_that_cannot_be_written_is_refused(simple, tmp_path):
    (tmp_path / 'file').write_text('')
    assert_refused(simple.train(tmp_path / 'file' / 'train'), f'cannot write to {tmp_path}/file/train: Not a directory')


def test_a_second_training_is_refused(simple, data_dir, tmp_path):
    run_dir = tmp_path / 'train'
    process = start(simple.folder, data_dir, run_dir, '--num_epochs', 100000)
    try:
        wait_for(process, 'OUTPUT: Step 0')
        for flags in ([], ['--resume', '--num_epochs', 100000]):
            assert_refused(simple.train(run_dir, *flags), f'in use by another training (process {process.pid})')
    finally:
        process.kill()
        process.communicate()
    assert simple.train(run_dir).code == 0


@pytest.mark.parametrize('name', ['run[1]', 'run*', 'what?', 'a [b'])
def test_a_directory_whose_name_reads_as_a_pattern_is_one_like_others(name, simple, tmp_path):
    run_dir = tmp_path / name
    assert simple.train(run_dir, '--num_epochs', 1, '--eval_every', 1).code == 0
    resumed = simple.train(run_dir, '--num_epochs', 2, '--eval_every', 1, '--resume')
    assert resumed.out.endswith('OUTPUT: Done training for 2 epochs, 20 steps.\n'), resumed.err
    assert simple.evaluate(run_dir, tmp_path / 'eval').code == 0
    # Two are kept, here as elsewhere: the one of the start is gone.
    assert sorted(path.name for path in run_dir.glob('*.index')) == ['model.ckpt-10.index', 'model.ckpt-20.index']


def test_a_note_that_names_another_runs_checkpoint_is_refused_and_that_is_kept(simple, finished, finished_copy):
    """Otherwise the other run's would be removed as outdated by the next that is saved."""
    other = finished[0] / 'model.ckpt-20'
    note = finished_copy / 'checkpoint'
    note.write_text(f'{note.read_text()}all_model_checkpoint_paths: "{other}"\n')
    outcome = simple.train(finished_copy, '--num_epochs', 3, '--resume')
    assert_refused(outcome, str(note), str(other), 'not in this directory', 'Train again')
    assert (finished[0] / 'model.ckpt-20.index').exists()


def test_resuming_another_exercises_run_is_refused(simple, finished_copy):
    text = (finished_copy / 'run.json').read_text()
    (finished_copy / 'run.json').write_text(text.replace('"simple"', '"cnn"'))
    assert_refused(simple.train(finished_copy, '--resume'), 'checkpoint of cnn, this is simple')


def test_resuming_with_another_hidden_size_names_the_variable_and_both_shapes(
    exercise_of, copy_exercise, finished_copy
):
    outcome = exercise_of(copy_exercise('simple', hidden_units=2)).train(finished_copy, '--resume')
    assert_refused(outcome, 'the variable Hidden1/W_fc has the shape [65536, 1]', '[65536, 2] in this network')


def test_resuming_with_other_data_is_refused_and_changes_nothing(
    simple, finished, finished_copy, tmp_path, write_slices
):
    for split in ('train', 'val'):
        write_slices(tmp_path / 'data' / f'{split}_images.tfrecords', range(3))
    outcome = simple.train(finished_copy, '--num_epochs', 9, '--resume', '--data_dir', tmp_path / 'data')
    assert_refused(outcome, f'has seen 10 training slices, {tmp_path}/data has 3')
    assert_same_weights(finished_copy, finished[0])


def damage_file(path, damage):
    data = bytearray(path.read_bytes())
    path.write_bytes({'cut': data[: len(data) // 2], 'empty': b'', 'flipped': flipped(data)}[damage])


def flipped(data):
    return data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]


@pytest.mark.parametrize('damage', ['cut', 'empty', 'flipped'])
@pytest.mark.parametrize('part', ['index', 'data-00000-of-00001'])
def test_resuming_from_a_damaged_checkpoint_is_refused(part, damage, simple, finished_copy):
    damage_file(finished_copy / f'model.ckpt-20.{part}', damage)
    outcome = simple.train(finished_copy, '--num_epochs', 3, '--resume')
    assert_refused(outcome, f'the checkpoint {finished_copy}/model.ckpt-20 is damaged')


@pytest.mark.parametrize('damage', ['cut', 'empty'])
def test_resuming_where_the_note_of_the_newest_checkpoint_is_damaged_is_refused(damage, simple, finished_copy):
    damage_file(finished_copy / 'checkpoint', damage)
    outcome = simple.train(finished_copy, '--num_epochs', 3, '--resume')
    assert_refused(outcome, f'{finished_copy}/checkpoint is damaged, or names a checkpoint that is no longer there')


@pytest.mark.parametrize('lost', [np.nan, np.inf])
def test_weights_that_are_not_finite_are_neither_evaluated_nor_trained_on(lost, simple, finished_copy, tmp_path):
    values = weights(finished_copy)
    values['Final/W_fc2'][0, 0] = lost
    with tf.Graph().as_default(), tf.Session() as session:
        saver = tf.train.Saver([tf.Variable(value, name=name) for name, value in values.items()])
        session.run(tf.global_variables_initializer())
        saver.save(session, str(finished_copy / 'model.ckpt-20'), write_meta_graph=False, write_state=False)
    for outcome in (
        simple.evaluate(finished_copy, tmp_path / 'eval'),
        simple.train(finished_copy, '--num_epochs', 3, '--resume'),
        simple.train(tmp_path / 'new', '--init_from', finished_copy),
    ):
        assert_refused(outcome, 'model.ckpt-20', 'Final/W_fc2', 'not finite', 'train again')


def test_resuming_where_the_checkpoint_was_removed_is_refused(simple, finished_copy):
    for path in glob.glob(f'{finished_copy}/model.ckpt-20.*'):
        os.remove(path)
    assert_refused(simple.train(finished_copy, '--resume'), 'names a checkpoint that is no longer there')


def test_a_directory_removed_during_training_ends_it_in_one_line(simple, tmp_path, monkeypatch):
    after_run = chief._Reporter.after_run

    def remove(self, run_context, run_values):
        after_run(self, run_context, run_values)
        shutil.rmtree(str(tmp_path / 'logs'), ignore_errors=True)

    run_dir = tmp_path / 'logs' / 'simple' / 'train'
    monkeypatch.setattr(chief._Reporter, 'after_run', remove)
    assert_refused(simple.train(run_dir), f'{run_dir} was removed during the training')


# Out of disk. A checkpoint of `simple` with one hidden unit takes 4 * (65536 + 131072) + 8 = 786440 bytes.


def test_out_of_disk_leaves_the_earlier_checkpoints_and_says_how_much_is_needed(
    simple, data_dir, finished, finished_copy, tmp_path
):
    def limit_file_size():
        resource.setrlimit(resource.RLIMIT_FSIZE, (500000, 500000))

    flags = ['--num_epochs', 3, '--resume']
    process = start(simple.folder, data_dir, finished_copy, *flags, preexec_fn=limit_file_size)
    out, err = process.communicate()
    assert process.returncode == 1
    assert 'Done training' not in out
    assert re.search(
        r'^ERROR: the checkpoint of step 30 cannot be saved in .*: File too large\. It needs 0\.8 MB', err, re.M
    )
    assert err.count('\n') == 2  # The other is the device's.
    assert_same_weights(finished_copy, finished[0])
    assert simple.evaluate(finished_copy, tmp_path / 'eval').code == 0


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / 'disk'
    disk.mkdir()
    mount = ['mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', str(disk)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip('mounting a small disk is not allowed here')
    yield disk
    subprocess.run(['umount', '--lazy', str(disk)], check=True)


def test_a_full_disk_leaves_the_earlier_checkpoints_too(simple, small_disk, tmp_path):
    """2 MB hold two checkpoints and little else, so that the third one, of step 20, has no room."""
    run_dir = small_disk / 'train'
    simple.train(run_dir)
    assert steps_saved(run_dir) == [0, 10]
    outcome = simple.train(run_dir, '--num_epochs', 2, '--resume')
    assert_refused(outcome, 'the checkpoint of step 20 cannot be saved', 'No space left on device. It needs 0.8 MB, 0.')
    assert steps_saved(run_dir) == [0, 10]
    assert simple.evaluate(run_dir, tmp_path / 'eval').code == 0


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
