"""What is in the way of a training: directories, checkpoints, disks."""

import glob
import os
import re
import resource
import shutil
import subprocess

from lvseg import chief

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.lvseg.training_runs import assert_refused, assert_same_weights, start, steps_saved, wait_for, weights

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


def rewrite(run_dir, values):
    """A checkpoint of other values in the place of the newest."""
    with tf.Graph().as_default(), tf.Session() as session:
        saver = tf.train.Saver([tf.Variable(value, name=name) for name, value in values.items()])
        session.run(tf.global_variables_initializer())
        saver.save(session, str(run_dir / 'model.ckpt-20'), write_meta_graph=False, write_state=False)


@pytest.mark.parametrize(
    ('step', 'found'),
    [
        (np.int64(-7), 'has a step of -7; a whole number from 0 is wanted'),
        (np.float32(2.5), 'has a step of 2.5; a whole number from 0 is wanted'),
        (np.array([1, 2]), 'has a global_step of int64 [2]; one finite number is wanted'),
        (np.float64(np.nan), 'has a global_step of float64 []; one finite number is wanted'),
        (np.array('20'), 'one finite number is wanted'),
        (np.float32(20), 'has a step of 20.0; a whole number from 0 is wanted'),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_step_that_is_none_is_neither_evaluated_nor_resumed(step, found, simple, finished_copy, tmp_path):
    rewrite(finished_copy, {**weights(finished_copy), 'global_step': step})
    for outcome in (
        simple.evaluate(finished_copy, tmp_path / 'eval'),
        simple.train(finished_copy, '--num_epochs', 3, '--resume'),
    ):
        assert_refused(outcome, f'{finished_copy}/model.ckpt-20', found, 'Train again')


def test_weights_of_another_type_are_told(simple, finished_copy, tmp_path):
    values = weights(finished_copy)
    rewrite(finished_copy, {**values, 'Final/W_fc2': values['Final/W_fc2'].astype(np.float64)})
    told = f'the variable Final/W_fc2 is of float64 in {finished_copy}/model.ckpt-20, of float32 in this network'
    assert_refused(simple.evaluate(finished_copy, tmp_path / 'eval'), told)
    assert_refused(simple.train(finished_copy, '--num_epochs', 3, '--resume'), told)
    outcome = simple.train(tmp_path / 'new', '--init_from', finished_copy)
    assert outcome.code == 0 and 'so started at random: Final/W_fc2.' in outcome.err


@pytest.mark.parametrize(
    ('name', 'found'),
    [
        ('checkpoint', 'cannot read {}: Is a directory'),
        ('model.ckpt-20.index', 'names a checkpoint that is no longer there'),
        ('model.ckpt-20.data-00000-of-00001', 'model.ckpt-20 is damaged'),
    ],
)
def test_a_folder_in_the_place_of_a_checkpoints_file_is_damage(name, found, simple, finished_copy, tmp_path):
    (finished_copy / name).unlink()
    (finished_copy / name).mkdir()
    for outcome in (
        simple.evaluate(finished_copy, tmp_path / 'eval'),
        simple.train(finished_copy, '--num_epochs', 3, '--resume'),
    ):
        assert_refused(outcome, found.format(finished_copy / name))


@pytest.mark.parametrize(
    ('name', 'found'),
    [
        ('run.json', 'cannot read {}: Permission denied'),
        ('checkpoint', 'cannot read {}: Permission denied'),
        ('model.ckpt-20.index', 'model.ckpt-20 is damaged'),
        ('model.ckpt-20.data-00000-of-00001', 'model.ckpt-20 is damaged'),
    ],
)
def test_a_file_of_a_run_that_may_not_be_read_is_told(name, found, simple, finished_copy, tmp_path):
    (finished_copy / name).chmod(0)
    if os.access(str(finished_copy / name), os.R_OK):
        pytest.skip('needs a user who may not read everything; this one may, as root may')
    for outcome in (
        simple.evaluate(finished_copy, tmp_path / 'eval'),
        simple.train(finished_copy, '--num_epochs', 3, '--resume'),
    ):
        assert_refused(outcome, found.format(finished_copy / name))


@pytest.mark.parametrize('lost', [np.nan, np.inf])
def test_weights_that_are_not_finite_are_neither_evaluated_nor_trained_on(lost, simple, finished_copy, tmp_path):
    values = weights(finished_copy)
    values['Final/W_fc2'][0, 0] = lost
    rewrite(finished_copy, values)
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
