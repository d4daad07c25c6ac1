"""What a training makes and shows: steps, lines, checkpoints, events; and how it ends where it diverges."""

import glob
import re

from lvseg import checkpoints, chief

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.lvseg.training_runs import assert_refused, assert_same_weights, curve, steps_saved, weights

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
