"""What tests of all rooms share: where the real data lies, and how to run a command as a user would."""

import contextlib
import importlib.util
import io
import os
import runpy
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import lvseg.flags
from lvseg import errors, records

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

# A shell that starts a command with `&` has it ignore Ctrl-C, and nohup a closed terminal, and so all that they start;
# the programs tested must not.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# What `make test` hands on to a make of the tests: it would tell of each folder entered, and take on its variables.
for name in ('MAKEFLAGS', 'MAKELEVEL', 'MAKEOVERRIDES', 'MFLAGS'):
    os.environ.pop(name, None)

# What the tests serve on this machine is not asked for from a proxy.
for name in ('no_proxy', 'NO_PROXY'):
    os.environ[name] = ','.join(filter(None, [os.environ.get(name), '127.0.0.1,localhost']))

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope='session')
def root():
    return ROOT


@pytest.fixture(scope='session')
def shared():
    """The folder of real data and of the lab's own output, beside the repository; not everyone has it."""
    folder = ROOT.parent / 'shared'
    if not (folder / 'data').is_dir():
        pytest.skip(f'needs the real data of {folder}, which is not here')
    return folder


@pytest.fixture(scope='session')
def run():
    """Runs `python ARGS ...` from the top of the repository or of a copy; returns the process with its text output."""

    def run_python(*args, cwd=ROOT, check=False, **kwargs):
        environment = {**os.environ, 'PYTHONPATH': os.pathsep.join([str(cwd), str(ROOT)])}
        command = [sys.executable, *map(str, args)]
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, **kwargs)
        if check and done.returncode != 0:
            raise AssertionError(f'{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}')
        return done

    return run_python


@pytest.fixture(scope='session')
def run_here():
    """As `run`, of a script of the project's, but within the test's process: TensorFlow takes seconds to start."""

    def run_script(script, *args):
        command, out, err = list(map(str, [ROOT / script, *args])), io.StringIO(), io.StringIO()
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.redirect_stdout(out))
            stack.enter_context(contextlib.redirect_stderr(err))
            stack.enter_context(mock.patch.object(sys, 'argv', command))
            stack.enter_context(modules_beside(ROOT / script))
            try:
                runpy.run_path(command[0], run_name='__main__')
                code = 0
            except SystemExit as end:
                code = end.code
        return subprocess.CompletedProcess(command, code, out.getvalue(), err.getvalue())

    return run_script


@pytest.fixture(scope='session')
def write_slices():
    """Makes a record file. Slice `number` is recognised by its pixels, all 1024 * number but for the ventricle."""

    def write(path, numbers):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tf.python_io.TFRecordWriter(str(path)) as writer:
            for number in numbers:
                writer.write(records.encode(*slice_of(number)))
        return path

    return write


def slice_of(number):
    """A slice with a ventricle of (10 + number) x 20 pixels."""
    image = np.full((256, 256), 1024 * number, np.int64)
    label = np.zeros((256, 256), np.uint8)
    label[100 : 110 + number, 120:140] = 1
    image[label == 1] += 512
    return image, label


@pytest.fixture(scope='session')
def data_dir(tmp_path_factory, write_slices):
    """10 slices to train, 4 to validate."""
    folder = tmp_path_factory.mktemp('data')
    write_slices(folder / 'train_images.tfrecords', range(10))
    write_slices(folder / 'val_images.tfrecords', range(4))
    return folder


@pytest.fixture(scope='session')
def copy_exercise(tmp_path_factory):
    """Copies an exercise's solution to a folder of its own; `simple` with so few hidden units that it is quick."""

    def copy(name, hidden_units=1):
        folder = tmp_path_factory.mktemp('project') / 'exercise_solutions' / name
        shutil.copytree(str(ROOT / 'exercise_solutions' / name), str(folder))
        network = folder / 'neuralnetwork.py'
        network.write_text(network.read_text().replace('HIDDEN_UNITS = 512', f'HIDDEN_UNITS = {hidden_units}'))
        return folder

    return copy


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


class Exercise:
    """An exercise whose two programs run within the test's process: what they print, and how they would exit."""

    def __init__(self, folder, data_dir):
        self.folder = folder
        self._data_dir = data_dir
        self._train = load_script(folder / 'runTraining.py')
        self._evaluate = load_script(folder / 'runEval.py')

    def train(self, run_dir, *flags):
        arguments = ['--data_dir', self._data_dir, '--checkpoint_dir', run_dir, *flags]
        return self._run(self._train, lvseg.flags.training, arguments)

    def evaluate(self, run_dir, eval_dir, *flags):
        arguments = ['--data_dir', self._data_dir, '--checkpoint_dir', run_dir, '--eval_dir', eval_dir, *flags]
        return self._run(self._evaluate, lvseg.flags.evaluation, arguments)

    def _run(self, script, parser, arguments):
        code, out, err = 0, io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                errors.exit_with_message(
                    lambda: script.main(parser(self.folder.name).parse_args(list(map(str, arguments))))
                )
            except SystemExit as end:
                code = end.code
        return Outcome(code, out.getvalue(), err.getvalue())


def load_script(path):
    """A module from a file."""
    with modules_beside(path):
        spec = importlib.util.spec_from_file_location(f'{path.parent.name}_{path.stem}', str(path))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def modules_beside(path):
    """A script finds the `neuralnetwork` beside it, of which there is one in every exercise."""
    earlier, siblings = list(sys.path), [sibling.stem for sibling in path.parent.glob('*.py')]
    sys.path.insert(0, str(path.parent))
    for name in siblings:
        sys.modules.pop(name, None)
    try:
        yield
    finally:
        sys.path[:] = earlier
        for name in siblings:
            sys.modules.pop(name, None)


@pytest.fixture(scope='session')
def load():
    return load_script


@pytest.fixture(scope='session')
def exercise_of(data_dir):
    """An Exercise of a folder, with the 10 and 4 slices of data_dir."""
    return lambda folder: Exercise(folder, data_dir)


@pytest.fixture(scope='session')
def simple(copy_exercise, exercise_of):
    """The exercise `simple` with one hidden unit."""
    return exercise_of(copy_exercise('simple'))


class LabRun(NamedTuple):
    run_dir: Path
    trained: Outcome
    evaluated: Outcome


@pytest.fixture(scope='session')
def run_of_234(copy_exercise, tmp_path_factory, write_slices):
    """The lab's number of slices, 234 and 26, through `simple` with one hidden unit."""
    folder = tmp_path_factory.mktemp('lab')
    write_slices(folder / 'data' / 'train_images.tfrecords', [number % 10 for number in range(234)])
    write_slices(folder / 'data' / 'val_images.tfrecords', [number % 10 for number in range(26)])
    exercise, run_dir = Exercise(copy_exercise('simple'), folder / 'data'), folder / 'train'
    return LabRun(run_dir, exercise.train(run_dir), exercise.evaluate(run_dir, folder / 'eval'))


@pytest.fixture
def graph():
    """A graph of the test's own."""
    with tf.Graph().as_default() as own:
        yield own


class Disk:
    """What was told to the disk, in order: ('sync', file, its bytes then) and ('name', file, path) of a renaming.

    A file is told by its device and inode, which renaming leaves as they are. Each file told of is held open: the inode
    of one that was removed would be given to a later file, and the two taken for one.
    """

    def __init__(self):
        self.told, self._held = [], []

    def tell(self, what, descriptor, detail):
        """Notes it, and keeps the file's descriptor."""
        self._held.append(descriptor)
        found = os.fstat(descriptor)
        self.told.append((what, (found.st_dev, found.st_ino), detail))

    def close(self):
        for descriptor in self._held:
            os.close(descriptor)

    def named(self, path):
        """When the file that is there now was given a name, in places of `told`."""
        return next(place for place, told in enumerate(self.told) if told[:2] == ('name', self.file(path)))

    def synced(self, path, since=0, until=None):
        """The sizes, in bytes, with which a file or folder reached the disk between two places of `told`."""
        return [told[2] for told in self.told[since:until] if told[:2] == ('sync', self.file(path))]

    @staticmethod
    def file(path):
        found = os.stat(str(path))
        return found.st_dev, found.st_ino


@pytest.fixture
def disk(monkeypatch):
    """A Disk that notes what this process syncs and renames from now on."""
    disk, sync = Disk(), os.fsync

    def noted_sync(descriptor):
        sync(descriptor)
        disk.tell('sync', os.dup(descriptor), os.fstat(descriptor).st_size)

    def noted(rename):
        def renamed(source, target):
            rename(source, target)
            disk.tell('name', os.open(str(target), os.O_RDONLY), str(target))

        return renamed

    monkeypatch.setattr(os, 'fsync', noted_sync)
    monkeypatch.setattr(os, 'rename', noted(os.rename))
    monkeypatch.setattr(os, 'replace', noted(os.replace))
    yield disk
    disk.close()
