import json
import os
import shutil
import socket

from lvseg import events, project, runs
from lvseg.errors import LabError

import pytest
import tensorflow.compat.v1 as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.lvseg.training_runs import curve


def scalar(value):
    return tf.Summary(value=[tf.Summary.Value(tag='loss', simple_value=value)])


def test_tensorboard_reads_what_was_added_serialised_or_not_and_at_once(tmp_path):
    with events.EventFile(str(tmp_path / 'run')) as file:
        file.add_summary(scalar(0.5), 1)
        file.add_summary(scalar(0.25).SerializeToString(), 2)
        assert curve(tmp_path / 'run', 'loss') == {1: 0.5, 2: 0.25}


def test_a_start_has_tensorboard_forget_what_was_there_of_later_steps(tmp_path):
    with events.EventFile(str(tmp_path)) as file:
        for step in (1, 2, 3):
            file.add_summary(scalar(step), step)
    with events.EventFile(str(tmp_path)) as file:
        file.add_session_log(tf.SessionLog(status=tf.SessionLog.START), 2)
        file.add_summary(scalar(20), 2)
    assert curve(tmp_path, 'loss') == {1: 1, 2: 20}


def test_two_files_of_one_moment_are_two_and_sort_by_their_time(tmp_path):
    for number in range(3):
        with events.EventFile(str(tmp_path)) as file:
            file.add_summary(scalar(number), number)
    assert curve(tmp_path, 'loss') == {0: 0, 1: 1, 2: 2}
    assert len(os.listdir(str(tmp_path))) == 3


def test_a_directory_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(LabError, match=f'the curves cannot be written in {tmp_path}/file/run: Not a directory'):
        events.EventFile(str(tmp_path / 'file' / 'run'))


def test_a_full_disk_is_told_and_the_error_before_it_stays(tmp_path):
    (tmp_path / 'run').mkdir()
    with pytest.raises(LabError, match='the curves cannot be written in .*No space left'), full(
        tmp_path / 'run'
    ) as file:
        file.add_summary(scalar(1), 1)
    with pytest.raises(ZeroDivisionError), full(tmp_path / 'run'):
        raise ZeroDivisionError


def full(directory):
    """An event file on a device that is always full."""
    file = events.EventFile(str(directory))
    file._writer.close()
    file._writer = tf.python_io.TFRecordWriter('/dev/full')
    return file


# What a run that is handed in tells of the machine.


@pytest.fixture
def at_home(monkeypatch, tmp_path):
    """A home with data and the project in it."""
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.setattr(project, 'DESK', tmp_path / 'course' / 'lab')
    return tmp_path


def test_a_run_tells_neither_host_nor_home_and_is_evaluated_and_resumed(at_home, simple, data_dir):
    shutil.copytree(str(data_dir), str(at_home / 'data'))
    run_dir = at_home / 'course' / 'lab' / 'logs' / 'train'
    flags = ['--data_dir', at_home / 'data', '--seed', 1, '--eval_every', 1]
    assert simple.train(run_dir, *flags, '--init_from', trained(simple, at_home / 'first')).code == 0
    assert simple.evaluate(run_dir, run_dir / 'eval', '--data_dir', at_home / 'data').code == 0
    assert simple.train(run_dir, *flags, '--resume', '--num_epochs', 2).code == 0

    told = json.loads((run_dir / 'run.json').read_text())
    assert (told['data_dir'], told['checkpoint_dir'], told['init_from']) == ('~/data', 'logs/train', '~/first')
    assert json.loads((run_dir / 'eval' / 'metrics.json').read_text())['file'] == '~/data/val_images.tfrecords'
    for path in run_dir.rglob('*'):
        assert f'.{socket.gethostname()}.' not in path.name
        if path.is_file():
            assert str(at_home).encode() not in path.read_bytes(), path


def trained(simple, run_dir):
    assert simple.train(run_dir).code == 0
    return run_dir


def test_what_a_run_tells_is_found_again_and_so_is_what_older_ones_tell(at_home):
    lab = at_home / 'course' / 'lab'
    for path, told in (
        (lab / 'data', 'data'),
        (at_home / 'data', '~/data'),
        ('/data', '/data'),
        (at_home, str(at_home)),
    ):
        assert project.told(str(path)) == told
        assert project.found(told) == project.found(str(path)) == str(path)


def test_results_of_a_run_keep_what_it_tells(at_home):
    train = at_home / 'course' / 'lab' / 'logs' / 'train'
    train.mkdir(parents=True)
    (train / 'run.json').write_text('{"data_dir": "~/data", "started": "once"}')
    runs.follow(str(train.parent / 'eval'), str(train))
    assert json.loads((train.parent / 'eval' / 'run.json').read_text()) == {'data_dir': '~/data', 'started': 'once'}
    assert runs.load(str(train))['data_dir'] == str(at_home / 'data')


def test_a_graph_is_there_and_tells_no_path(at_home, graph):
    tf.constant(str(at_home / 'x.tfrecords'), name='path')
    with events.EventFile(str(at_home / 'run')) as file:
        file.add_graph(graph)
    (node,) = EventAccumulator(str(at_home / 'run')).Reload().Graph().node
    assert node.attr['value'].tensor.string_val[0] == b'~/x.tfrecords'
