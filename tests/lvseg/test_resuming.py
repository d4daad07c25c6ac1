"""Fresh starts and resumed runs."""

import re

from lvseg import checkpoints, chief, events

import pytest

from tests.lvseg.training_runs import Killed, assert_same_weights, curve, kill_after, steps_saved


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


def test_curves_reach_as_far_as_the_newest_checkpoint_even_after_a_kill(simple, tmp_path, monkeypatch):
    monkeypatch.setattr(chief, 'REPORT_STEPS', 1)
    monkeypatch.setattr(chief, '_CHECKPOINT_STEPS', 4)
    monkeypatch.setattr(events.EventFile, 'close', lambda writer: None)  # A kill closes nothing.
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


@pytest.mark.parametrize('name', ['run[1]', 'run*', 'what?', 'a [b'])
def test_a_directory_whose_name_reads_as_a_pattern_is_one_like_others(name, simple, tmp_path):
    run_dir = tmp_path / name
    assert simple.train(run_dir, '--num_epochs', 1, '--eval_every', 1).code == 0
    resumed = simple.train(run_dir, '--num_epochs', 2, '--eval_every', 1, '--resume')
    assert resumed.out.endswith('OUTPUT: Done training for 2 epochs, 20 steps.\n'), resumed.err
    assert simple.evaluate(run_dir, tmp_path / 'eval').code == 0
    # Two are kept, here as elsewhere: the one of the start is gone.
    assert sorted(path.name for path in run_dir.glob('*.index')) == ['model.ckpt-10.index', 'model.ckpt-20.index']


def test_a_resume_that_is_refused_leaves_what_a_killed_save_has_left(simple, finished_copy):
    leftover = finished_copy / 'model.ckpt-30.data-00000-of-00001.tempstate5851717544916936927'
    leftover.write_bytes(bytes(1000))
    (finished_copy / 'model.ckpt-20.index').write_bytes(b'cut')
    assert simple.train(finished_copy, '--num_epochs', 3, '--resume').code == 1
    assert leftover.exists()
