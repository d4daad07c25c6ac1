"""A finished training, for those who look at it or go on from it; and the graph's reader of records."""

import shutil

from lvseg import inputs
from lvseg.layout import record_file

import pytest
import tensorflow.compat.v1 as tf


@pytest.fixture(scope='module')
def finished(simple, tmp_path_factory):
    """A run of 2 epochs of 10 steps, and what it printed. Tests that change it take a copy."""
    run_dir = tmp_path_factory.mktemp('finished') / 'train'
    return run_dir, simple.train(run_dir, '--num_epochs', 2, '--seed', 1)


@pytest.fixture
def finished_copy(finished, tmp_path):
    shutil.copytree(str(finished[0]), str(tmp_path / 'train'))
    return tmp_path / 'train'


@pytest.fixture(scope='module')
def graph_reader():
    """Reads all records of a file by the graph, as the exercises do, and returns how many there are."""
    with tf.Graph().as_default(), tf.Session() as session:
        path = tf.placeholder(tf.string, [])
        iterator = tf.data.make_initializable_iterator(inputs._decoded(path))
        batch = iterator.get_next()

        def read(folder):
            file = record_file(str(folder), 'train')
            inputs.count(str(folder), 'train', batch_size=1)
            session.run(iterator.initializer, {path: file})
            number = 0
            with inputs.explaining_bad_records(str(folder), 'train'):
                while True:
                    try:
                        session.run(batch)
                    except tf.errors.OutOfRangeError:
                        return number
                    number += 1

        yield read
