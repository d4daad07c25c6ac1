"""Slices to train on, and the processes of a cluster one by one."""

import json
import os
import subprocess
import sys

from lvseg import records

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from cluster import local

SLICES = 22  # Batches of 4 leave 2, of which three workers do not all get one.


@pytest.fixture(scope='session')
def data(tmp_path_factory):
    """Slices of noise, each with a ventricle at another place."""
    folder, random = tmp_path_factory.mktemp('data'), np.random.RandomState(0)
    for name, number in (('train', SLICES), ('val', 2)):
        with tf.python_io.TFRecordWriter(str(folder / f'{name}_images.tfrecords')) as writer:
            for _ in range(number):
                label = np.zeros((256, 256), np.uint8)
                row, column = random.randint(80, 150, 2)
                label[row : row + 30, column : column + 25] = 1
                writer.write(records.encode(random.randint(0, 400, (256, 256)) + 600 * label.astype(np.int64), label))
    return folder


@pytest.fixture
def cluster():
    """The addresses of a chief, a worker and a ps on ports that are free."""
    return local.addresses(workers=2)


@pytest.fixture
def task(root, data):
    """Starts one process of a cluster; `program` goes before the script, which is python's own otherwise."""
    started = []

    def start_task(cluster, kind, *flags, program=(), exercise='cnn', index=0):
        config = json.dumps({'cluster': cluster, 'task': {'type': kind, 'index': index}})
        environment = {**os.environ, 'PYTHONPATH': str(root), 'LAB_THREADS': '1', 'TF_CONFIG': config}
        script = f'exercise_solutions/{exercise}/runTraining.py'
        command = [sys.executable, *program, script, '--data_dir', data, *flags]
        pipes = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, 'text': True}
        process = subprocess.Popen(list(map(str, command)), cwd=root, env=environment, **pipes)
        started.append(process)
        return process

    yield start_task
    for process in started:
        process.kill()
        process.communicate()
