"""The studies made by hand, as fixtures; and the commands, run in this process."""

import sys
from pathlib import Path

from lvseg import records
from lvseg.errors import exit_with_message

import pytest

from data_prep import __main__ as command
from tests.data_prep import studies

RECORD_FILES = ('train_images.tfrecords', 'val_images.tfrecords')


@pytest.fixture(scope='session')
def make_dicom():
    return studies.dicom


@pytest.fixture(scope='session')
def make_picture():
    return studies.picture


@pytest.fixture(scope='session')
def square():
    return studies.square


@pytest.fixture(scope='session')
def write_tree():
    return studies.write_tree


@pytest.fixture(scope='session')
def icontour():
    return studies.icontour


@pytest.fixture(scope='session')
def atlas():
    return studies.atlas


class Done:
    """How a command ended, and what it printed."""

    def __init__(self, status, stdout, stderr):
        self.status, self.stdout, self.stderr = status, stdout, stderr

    @property
    def error(self):
        """The one line on stderr."""
        assert self.status == 1, (self.stdout, self.stderr)
        assert self.stderr.startswith('ERROR: ')
        assert self.stderr.count('\n') == 1
        assert self.stdout == ''
        return self.stderr


@pytest.fixture
def data_prep(monkeypatch, capsys):
    """Runs `python -m data_prep ARGS ...` in this process, with one worker if not told otherwise."""

    def run(*args):
        args = [str(arg) for arg in args]
        if args and args[-1] != '-h' and '--workers' not in args:
            args += ['--workers', '1']
        monkeypatch.setattr(sys, 'argv', ['data_prep', *args])
        monkeypatch.setattr(sys.stdout, 'reconfigure', lambda **how: None, raising=False)  # pytest's has none
        try:
            exit_with_message(command.main)
            status = 0
        except SystemExit as end:
            status = end.code
        captured = capsys.readouterr()
        return Done(status, captured.out, captured.err)

    return run


@pytest.fixture
def succeed(data_prep):
    """Runs a command that must end well; returns what it printed."""

    def run(*args):
        done = data_prep(*args)
        assert (done.status, done.stderr) == (0, ''), done.stderr
        return done.stdout

    return run


@pytest.fixture(scope='session')
def read_records():
    """(image, label) of all records of a file; an empty list if there is none."""

    def read(out, side):
        path = Path(out) / {'train': RECORD_FILES[0], 'val': RECORD_FILES[1]}[side]
        return list(records.read(str(path))) if path.exists() else []

    return read


@pytest.fixture(scope='session')
def content():
    """Path -> bytes of every file under a folder."""

    def read(folder):
        folder = Path(folder)
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob('*') if path.is_file()}

    return read
