"""What becomes of the others when one process of a cluster is killed or stopped, or its connection cut."""

import contextlib
import os
import signal
import socket
import threading
import time

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from cluster import local

# Runs a script with less patience than the lab's 15 seconds, and with a checkpoint every 10 steps.
IMPATIENT = """
import runpy, sys
from lvseg import chief, roll
roll._SECONDS_OF_SILENCE, chief._CHECKPOINT_STEPS = 10.0, 10
del sys.argv[0]
sys.path[0] = sys.argv[0].rpartition('/')[0]
runpy.run_path(sys.argv[0], run_name='__main__')
"""

BATCHES = ['--batch_size', 2, '--seed', 3]  # 11 of them, of 22 slices.


class Line:
    """Passes on what comes to a port of its own, until it is cut."""

    def __init__(self, address):
        host, port = address.split(':')
        self._to, self._ends = (host, int(port)), []
        self._listening = socket.socket()
        self._listening.bind(('127.0.0.1', 0))
        self._listening.listen(10)
        self.address = f'127.0.0.1:{self._listening.getsockname()[1]}'
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        for end in [self._listening, *self._ends]:
            with contextlib.suppress(OSError):  # Those that it connects have closed it.
                end.shutdown(socket.SHUT_RDWR)  # A thread that waits for it goes on.
            end.close()

    def _accept(self):
        with contextlib.suppress(OSError):  # It is cut.
            while True:
                near, far = self._listening.accept()[0], socket.socket()
                self._ends += [near, far]
                if far.connect_ex(self._to):  # There is nobody yet.
                    near.close()
                    continue
                for source, to in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(source, to), daemon=True).start()

    def _pass_on(self, source, to):
        with contextlib.suppress(OSError):
            for piece in iter(lambda: source.recv(65536), b''):
                to.sendall(piece)
        for end in (source, to):
            end.close()


@pytest.fixture
def start(task, tmp_path):
    """Starts the processes of a cluster, each with the cluster as it sees it."""

    def start_all(clusters, *flags):
        flags = ['--checkpoint_dir', tmp_path / 'train', *flags]
        return {kind: task(cluster, kind, *flags, program=['-c', IMPATIENT]) for kind, cluster in clusters.items()}

    return start_all


@pytest.fixture
def underway(start):
    """The same, of a training without end; returns when the chief has made its first step."""

    def start_and_wait(clusters):
        processes = start(clusters, *BATCHES, '--num_epochs', 100000)
        assert any(line.startswith('OUTPUT: Step 0') for line in iter(processes['chief'].stdout.readline, ''))
        return processes

    return start_and_wait


def error(process):
    """The one line of a process that has ended by itself, and its exit status."""
    began = time.monotonic()
    _, err = process.communicate(timeout=300)
    assert time.monotonic() - began < 60
    (line,) = [line for line in err.splitlines() if line.startswith('ERROR')]
    assert '--resume' in line and 'Traceback' not in err
    return line, process.returncode


def weights(folder):
    checkpoint = tf.train.load_checkpoint(str(folder))
    return {name: checkpoint.get_tensor(name) for name in checkpoint.get_variable_to_shape_map()}


def same(cluster):
    """The cluster as each of its processes sees it."""
    return dict.fromkeys(('ps', 'worker', 'chief'), cluster)


@pytest.mark.slow
def test_the_others_end_when_the_ps_is_killed(underway, cluster):
    processes = underway(same(cluster))
    processes.pop('ps').kill()
    for kind, process in processes.items():
        line, status = error(process)
        assert f'ps 0 ({cluster["ps"][0]}) has not been heard of' in line
        assert status == (1 if kind == 'chief' else 3)


@pytest.mark.slow
def test_a_run_whose_chief_was_killed_is_resumed_with_nothing_lost_but_the_steps_since_the_checkpoint(
    start, underway, cluster, run, data, tmp_path
):
    processes = underway(same(cluster))
    while tf.train.latest_checkpoint(str(tmp_path / 'train')).endswith('-0'):
        assert processes['chief'].poll() is None
        time.sleep(0.05)
    processes.pop('chief').kill()
    for process in processes.values():
        line, status = error(process)
        assert f'chief ({cluster["chief"][0]}) has not been heard of' in line and status == 3
    saved = int(tf.train.latest_checkpoint(str(tmp_path / 'train')).rpartition('-')[2])
    assert saved >= 10

    epochs = [*BATCHES, '--num_epochs', saved // 11 + 1]
    resumed = start(same(local.addresses(workers=2)), *epochs, '--resume')
    out, err = resumed['chief'].communicate(timeout=300)
    assert resumed['chief'].returncode == 0, err
    run('exercise_solutions/cnn/runTraining.py', '--data_dir', data, *epochs, '--checkpoint_dir', tmp_path / 'one')
    ours, theirs = weights(tmp_path / 'train'), weights(tmp_path / 'one')
    for name in theirs:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=1e-5, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize(('kind', 'name'), [('chief', 'chief'), ('ps', 'ps 0')])
def test_one_that_is_stopped_ends_with_the_others_even_when_it_goes_on(kind, name, underway, cluster):
    processes = underway(same(cluster))
    stopped = processes.pop(kind)
    os.kill(stopped.pid, signal.SIGSTOP)
    began = time.monotonic()
    for process in processes.values():
        assert f'{name} ({cluster[kind][0]}) has not been heard of' in error(process)[0]
    # Their last word from it may have been a second older than the stop.
    time.sleep(max(0, began + 11 - time.monotonic()))
    os.kill(stopped.pid, signal.SIGCONT)
    line, status = error(stopped)
    assert f'{name} ({cluster[kind][0]}) was stopped for' in line
    assert status == (1 if kind == 'chief' else 3)


@pytest.mark.slow
def test_all_end_when_a_connection_is_cut(underway, cluster):
    """That of the worker with the ps, each of which reaches the other by a line of its own."""
    lines = {kind: Line(cluster[kind][0]) for kind in ('worker', 'ps')}
    as_seen = same({**cluster, 'worker': [lines['worker'].address]})
    as_seen['worker'] = {**cluster, 'ps': [lines['ps'].address]}
    processes = underway(as_seen)
    for line in lines.values():
        line.cut()
    told = {kind: error(process)[0] for kind, process in processes.items()}
    assert f'ps 0 ({lines["ps"].address}) has not been heard of' in told['worker']
    for kind in ('chief', 'ps'):
        assert f'worker 0 ({lines["worker"].address}) has not been heard of' in told[kind]
