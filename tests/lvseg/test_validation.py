import json
import re
import shutil

from lvseg import checkpoints, events, summaries

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def curve(directory, tag):
    """[(step, value)] as TensorBoard shows it."""
    return [(scalar.step, scalar.value) for scalar in EventAccumulator(str(directory)).Reload().Scalars(tag)]


def weights(run_dir):
    checkpoint = tf.train.load_checkpoint(str(run_dir))
    return {name: checkpoint.get_tensor(name) for name in checkpoint.get_variable_to_shape_map()}


def validation_lines(outcome):
    return [line for line in outcome.out.splitlines() if 'Epoch' in line]


def best_step(run_dir):
    return checkpoints.step(checkpoints.newest(str(run_dir / 'best')))


@pytest.fixture
def dice_is(monkeypatch):
    """Makes the next validations find these values of Dice."""

    def find(*values):
        values = list(values)
        monkeypatch.setattr(summaries, 'figures', lambda total: {'precision': 0.9, 'dice': values.pop(0)})

    return find


@pytest.fixture(scope='module')
def validated(simple, tmp_path_factory):
    """A run of 4 epochs of 10 steps that was evaluated every second epoch."""
    run_dir = tmp_path_factory.mktemp('validated') / 'train'
    return run_dir, simple.train(run_dir, '--num_epochs', 4, '--eval_every', 2, '--seed', 1)


def test_the_validation_curve_has_a_point_every_so_many_epochs_under_the_tags_of_training(validated):
    run_dir, _ = validated
    for tag in ('precision', 'dice'):
        assert [step for step, _ in curve(run_dir / 'validation', tag)] == [20, 40]
        assert curve(run_dir, tag)  # the training's own


def test_the_best_checkpoint_has_its_figures_beside_it(dice_is, simple, tmp_path):
    dice_is(0.5, 0.7, 0.6)
    simple.train(tmp_path / 'train', '--num_epochs', 3, '--eval_every', 1, '--seed', 1)
    kept = json.loads((tmp_path / 'train' / 'best' / 'metrics.json').read_text())
    assert kept == {'step': 20, 'epoch': 2, 'images': 4, 'precision': 0.9, 'dice': 0.7}
    assert best_step(tmp_path / 'train') == 20


def test_an_epochs_last_smaller_batch_is_one_of_its_steps(simple, tmp_path):
    # 10 slices, 4 at a time: an epoch has 3 steps.
    simple.train(tmp_path / 'train', '--num_epochs', 2, '--batch_size', 4, '--eval_every', 1)
    assert [step for step, _ in curve(tmp_path / 'train' / 'validation', 'dice')] == [3, 6]


def test_the_curve_survives_a_kill(simple, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(events.EventFile, 'close', lambda writer: None)  # A kill closes nothing.
        simple.train(tmp_path / 'train', '--eval_every', 1)
    assert [step for step, _ in curve(tmp_path / 'train' / 'validation', 'dice')] == [10]


def test_each_validation_is_printed(validated):
    lines = validation_lines(validated[1])
    assert len(lines) == 2
    pattern = (
        r'OUTPUT: Epoch 2: precision = 0\.\d{3}, Dice = 0\.\d{3} on 4 validation slices; the best so far, kept in .*'
    )
    assert re.fullmatch(pattern, lines[0])
    assert lines[1].startswith('OUTPUT: Epoch 4: ')


def test_the_validation_finds_what_an_evaluation_of_the_same_weights_finds(validated, simple, tmp_path):
    run_dir, _ = validated
    simple.evaluate(run_dir, tmp_path / 'eval')
    found = json.loads((tmp_path / 'eval' / 'metrics.json').read_text())
    assert found['step'] == 40
    assert curve(run_dir / 'validation', 'precision')[-1] == (40, pytest.approx(found['precision']))
    assert curve(run_dir / 'validation', 'dice')[-1] == (40, pytest.approx(found['dice']))


def test_training_goes_the_same_way_with_and_without_validation(validated, simple, tmp_path):
    run_dir, _ = validated
    simple.train(tmp_path / 'without', '--num_epochs', 4, '--seed', 1)
    ours, theirs = weights(run_dir), weights(tmp_path / 'without')
    assert set(ours) == set(theirs)
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], name)


def test_the_shapes_are_printed_once(validated, simple, tmp_path):
    without = simple.train(tmp_path / 'without')
    assert validated[1].out.count('DEBUG') == without.out.count('DEBUG')


def test_without_the_flag_nothing_is_validated(simple, tmp_path):
    outcome = simple.train(tmp_path / 'train')
    assert not validation_lines(outcome)
    assert not (tmp_path / 'train' / 'validation').exists() and not (tmp_path / 'train' / 'best').exists()


def test_the_checkpoint_with_the_highest_dice_is_kept_beside_the_newest(simple, dice_is, tmp_path):
    dice_is(0.3, 0.5, 0.4)
    outcome = simple.train(tmp_path / 'train', '--num_epochs', 3, '--eval_every', 1)
    assert best_step(tmp_path / 'train') == 20
    assert checkpoints.step(checkpoints.newest(str(tmp_path / 'train'))) == 30
    assert ['best so far' in line for line in validation_lines(outcome)] == [True, True, False]
    assert [path.name for path in (tmp_path / 'train' / 'best').glob('*.index')] == ['model.ckpt-20.index']


def test_of_equally_good_checkpoints_the_first_is_kept(simple, dice_is, tmp_path):
    dice_is(0.0, 0.0)
    simple.train(tmp_path / 'train', '--num_epochs', 2, '--eval_every', 1)
    assert best_step(tmp_path / 'train') == 10


def test_the_best_checkpoint_can_be_evaluated(validated, simple, tmp_path):
    run_dir, _ = validated
    outcome = simple.evaluate(run_dir / 'best', tmp_path / 'eval')
    assert outcome.code == 0
    found = json.loads((tmp_path / 'eval' / 'metrics.json').read_text())
    points = dict(curve(run_dir / 'validation', 'dice'))
    assert found['dice'] == pytest.approx(max(points.values())) == pytest.approx(points[found['step']])


def test_a_resumed_run_goes_on_with_its_curve_and_remembers_the_best(simple, dice_is, tmp_path):
    run_dir = tmp_path / 'train'
    flags = ['--eval_every', 1, '--seed', 1]
    dice_is(0.3, 0.5)
    simple.train(run_dir, '--num_epochs', 2, *flags)

    dice_is(0.4)
    simple.train(run_dir, '--num_epochs', 3, '--resume', *flags)
    assert best_step(run_dir) == 20

    dice_is(0.6)
    simple.train(run_dir, '--num_epochs', 4, '--resume', *flags)
    assert best_step(run_dir) == 40
    assert [path.name for path in (run_dir / 'best').glob('*.index')] == ['model.ckpt-40.index']
    assert curve(run_dir / 'validation', 'dice') == [
        (10, pytest.approx(0.3)),
        (20, pytest.approx(0.5)),
        (30, pytest.approx(0.4)),
        (40, pytest.approx(0.6)),
    ]


def test_what_was_validated_after_the_checkpoint_that_a_run_goes_on_from_is_forgotten(simple, dice_is, tmp_path):
    run_dir, killed = tmp_path / 'train', tmp_path / 'killed'
    flags = ['--batch_size', 10, '--eval_every', 1]  # One step an epoch.
    dice_is(0.1, 0.2)
    simple.train(killed, '--num_epochs', 2, *flags)
    shutil.copytree(str(killed), str(run_dir))
    dice_is(0.3, 0.4)
    simple.train(run_dir, '--num_epochs', 4, '--resume', *flags)
    # The curve has four points, and the newest checkpoint is again that of the second step, as after a kill.
    shutil.rmtree(str(killed / 'validation'))
    shutil.copytree(str(run_dir / 'validation'), str(killed / 'validation'))

    dice_is(0.5)
    simple.train(killed, '--num_epochs', 3, '--resume', *flags)
    expected = [(1, 0.1), (2, 0.2), (3, 0.5)]
    assert curve(killed / 'validation', 'dice') == [(step, pytest.approx(dice)) for step, dice in expected]


def test_weights_that_are_not_finite_are_never_the_best(simple, tmp_path):
    outcome = simple.train(tmp_path / 'train', '--learning_rate', 1e30, '--eval_every', 1)
    assert outcome.code == 1 and 'diverged' in outcome.err
    assert not (tmp_path / 'train' / 'best').exists()


def test_validation_records_that_are_missing_are_told_before_anything_is_made(exercise_of, simple, data_dir, tmp_path):
    train_only = tmp_path / 'data'
    train_only.mkdir()
    (train_only / 'train_images.tfrecords').symlink_to(data_dir / 'train_images.tfrecords')
    outcome = simple.train(tmp_path / 'train', '--eval_every', 1, '--data_dir', train_only)
    assert outcome.code == 1
    assert 'val_images.tfrecords not found' in outcome.err
    assert not (tmp_path / 'train').exists()


def test_a_damaged_validation_record_is_named(simple, data_dir, tmp_path):
    folder = tmp_path / 'data'
    folder.mkdir()
    (folder / 'train_images.tfrecords').symlink_to(data_dir / 'train_images.tfrecords')
    damaged = bytearray((data_dir / 'val_images.tfrecords').read_bytes())
    damaged[len(damaged) // 8] ^= 1  # in the first of four records
    (folder / 'val_images.tfrecords').write_bytes(damaged)
    outcome = simple.train(tmp_path / 'train', '--eval_every', 1, '--data_dir', folder)
    assert outcome.code == 1
    assert 'ERROR: record 1 of' in outcome.err and 'val_images.tfrecords' in outcome.err
