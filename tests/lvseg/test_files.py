import errno
import os

from lvseg import checkpoints, files, reports, runs
from lvseg.errors import LabError

import pytest
import tensorflow.compat.v1 as tf


def assert_whole_before_it_has_its_name(disk, path):
    """The file's content reaches the disk before the file gets its name, and the name after that."""
    named = disk.named(path)
    assert disk.synced(path, until=named) == [path.stat().st_size]
    assert disk.synced(path.parent, since=named)


def test_a_file_is_on_disk_before_it_has_its_name_and_then_its_name_is(disk, tmp_path):
    path = tmp_path / 'file'
    with files.replacing(str(path)) as file:
        file.write('whole')
    assert path.read_text() == 'whole'
    assert_whole_before_it_has_its_name(disk, path)


def test_a_file_in_the_current_directory_is_too(disk, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with files.replacing('file') as file:
        file.write('whole')
    assert_whole_before_it_has_its_name(disk, tmp_path / 'file')


def test_a_file_that_was_removed_is_not_taken_for_a_later_one_that_has_its_inode(disk, tmp_path):
    for name in ('a', 'bc', 'def', 'ghij'):
        with files.replacing(str(tmp_path / name)) as file:
            file.write(name)
        assert_whole_before_it_has_its_name(disk, tmp_path / name)
        (tmp_path / name).unlink()


def test_an_error_leaves_the_earlier_file(tmp_path):
    path = tmp_path / 'file'
    path.write_text('earlier')
    with pytest.raises(ZeroDivisionError), files.replacing(str(path)) as file:
        file.write('half')
        1 / 0  # noqa: B018
    assert path.read_text() == 'earlier'


def test_a_file_that_does_not_reach_the_disk_leaves_the_earlier_one(tmp_path, monkeypatch):
    path = tmp_path / 'file'
    path.write_text('earlier')
    monkeypatch.setattr(os, 'fsync', failing_with(errno.EIO))
    with pytest.raises(OSError), files.replacing(str(path)) as file:
        file.write('later')
    assert path.read_text() == 'earlier'


def failing_with(number):
    def fail(descriptor):
        raise OSError(number, os.strerror(number))

    return fail


def test_a_file_system_that_syncs_no_folders_will_do(tmp_path, monkeypatch):
    monkeypatch.setattr(os, 'fsync', failing_with(errno.EINVAL))
    files.sync(str(tmp_path))


def test_a_disk_that_fails_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(os, 'fsync', failing_with(errno.EIO))
    with pytest.raises(OSError, match='Input/output error'):
        files.sync(str(tmp_path))


def test_a_tree_is_on_disk_with_all_its_files_and_folders(disk, tmp_path):
    inside = tmp_path / 'folder' / 'within'
    inside.mkdir(parents=True)
    made = [tmp_path / 'one', tmp_path / 'folder' / 'two', inside / 'three']
    for path in made:
        path.write_text('1')
    files.sync_tree(str(tmp_path))
    folders = [tmp_path, inside.parent, inside]
    assert {told[1] for told in disk.told} == {disk.file(path) for path in made + folders}


# Where wholeness is promised.


def test_the_flags_of_a_run_are_on_disk_before_they_have_their_name(disk, tmp_path):
    runs.save_json(str(tmp_path / 'run.json'), {'seed': 1})
    assert_whole_before_it_has_its_name(disk, tmp_path / 'run.json')


def test_what_an_evaluation_leaves_is_on_disk_before_it_has_its_name(disk, simple, tmp_path):
    simple.train(tmp_path / 'train')
    simple.evaluate(tmp_path / 'train', tmp_path / 'eval')
    for name in (reports.METRICS_FILE, reports.PER_SLICE_FILE):
        assert_whole_before_it_has_its_name(disk, tmp_path / 'eval' / name)


@pytest.fixture
def save(graph, tmp_path):
    """Saves a checkpoint of a step, of a run that keeps two, in `directory`."""
    tf.get_variable('weights', [10])
    saver = tf.train.Saver(max_to_keep=2, save_relative_paths=True)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        yield lambda step: checkpoints.save(session, saver, str(tmp_path), step)


def files_of_step(folder, step):
    return sorted(folder.glob(f'model.ckpt-{step}.*'))


def test_a_checkpoint_is_on_disk_before_it_is_the_newest(disk, save, tmp_path):
    save(1)
    noted = disk.named(tmp_path / 'checkpoint')
    assert [path.suffix for path in files_of_step(tmp_path, 1)] == ['.data-00000-of-00001', '.index']
    for path in files_of_step(tmp_path, 1):
        assert disk.synced(path, until=noted) == [path.stat().st_size]
    assert disk.synced(tmp_path, until=noted)  # Their names.
    assert_whole_before_it_has_its_name(disk, tmp_path / 'checkpoint')


def test_an_old_checkpoint_is_there_until_a_newer_one_is_on_disk(disk, save, tmp_path, monkeypatch):
    removed, remove = [], os.remove

    def noted_remove(path):
        if 'model.ckpt-1.' in path:
            removed.append(bool(disk.synced(tmp_path, since=disk.named(tmp_path / 'checkpoint'))))
        remove(path)

    monkeypatch.setattr(os, 'remove', noted_remove)
    for step in (1, 2, 3):
        save(step)
    assert removed == [True, True]  # Data and index.
    assert not files_of_step(tmp_path, 1)
    state = tf.train.get_checkpoint_state(str(tmp_path))
    assert [os.path.basename(path) for path in state.all_model_checkpoint_paths] == ['model.ckpt-2', 'model.ckpt-3']


def test_a_checkpoint_that_does_not_reach_the_disk_is_not_the_newest(save, tmp_path, monkeypatch):
    save(1)
    monkeypatch.setattr(os, 'fsync', failing_with(errno.ENOSPC))
    with pytest.raises(LabError, match='step 2 cannot be saved in .*: No space left on device. It needs'):
        save(2)
    assert checkpoints.newest(str(tmp_path)) == str(tmp_path / 'model.ckpt-1')


def test_a_step_saved_again_takes_the_place_of_itself_alone(save, tmp_path):
    for step in (1, 2, 2):
        save(step)
    assert [len(files_of_step(tmp_path, step)) for step in (1, 2)] == [2, 2]
