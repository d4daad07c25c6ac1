"""What a process that is closed off can reach, and how it ends."""

import contextlib
import os
import socket
import time
from pathlib import Path

import pytest

from classroom.grading import sandbox

CLOSED = pytest.mark.skipif(
    not sandbox.can_close_off(), reason='this system has no namespaces to close a process off in'
)


@pytest.fixture
def within(tmp_path):
    """Does something within; how it ended, and what it wrote."""

    def run(do, closed, readable=()):
        work = sandbox.Work(do, tmp_path / 'result', tmp_path / 'said', list(readable))
        ended = sandbox.run(work, closed)
        return ended, (tmp_path / 'result').read_bytes().decode()

    return run


def written(say):
    """Writes what a function gives, or the error that it raises."""

    def do(result):
        try:
            told = say()
        except Exception as error:
            told = type(error).__name__
        os.write(result, str(told).encode())

    return do


@CLOSED
def test_only_what_is_named_can_be_read_and_nothing_written(within, tmp_path):
    given, other = tmp_path / 'given', tmp_path / 'other'
    for folder in (given, other):
        folder.mkdir()
        (folder / 'file').write_text('text')
    assert within(written(lambda: (given / 'file').read_text()), True, [given])[1] == 'text'
    assert within(written(lambda: (other / 'file').read_text()), True, [given])[1] == 'FileNotFoundError'
    for place in (given / 'file', given / 'new', Path('/new'), Path('/tmp/new'), Path(os.__file__)):
        assert within(written(lambda place=place: place.write_text('')), True, [given])[1] in (
            'OSError',  # A read-only file system.
            'FileNotFoundError',
            'PermissionError',
        )


@CLOSED
def test_a_folder_behind_a_link_is_found_by_both_names(within, tmp_path):
    (tmp_path / 'there').mkdir()
    (tmp_path / 'there' / 'file').write_text('text')
    (tmp_path / 'link').symlink_to(tmp_path / 'there')
    for name in ('link', 'there'):
        say = written(lambda name=name: (tmp_path / name / 'file').read_text())
        assert within(say, True, [tmp_path / 'link'])[1] == 'text'


@CLOSED
def test_there_is_no_network_and_nobody_else(within):
    with socket.socket() as listening:
        listening.bind(('127.0.0.1', 0))
        listening.listen(1)
        address = listening.getsockname()
        found = within(written(lambda: socket.create_connection(address, timeout=1)), True)[1]
    assert found in ('OSError', 'ConnectionRefusedError')
    assert within(written(lambda: (os.getpid(), os.getppid())), True)[1] == '(1, 0)'


@CLOSED
def test_it_has_no_rights_and_gets_none(within):
    user = sandbox.NOBODY if os.getuid() == 0 else os.getuid()
    assert within(written(os.getuid), True)[1] == str(user)
    assert within(written(lambda: os.setuid(0)), True)[1] == ('PermissionError' if user else 'None')
    assert within(written(lambda: sandbox._call('mount', b'tmpfs', b'/dev', b'tmpfs', 0, None)), True)[1] != 'None'


@pytest.mark.parametrize('closed', [False, pytest.param(True, marks=CLOSED)])
def test_it_is_told_how_it_ended(closed, within, monkeypatch):
    assert within(lambda result: None, closed)[0] == sandbox.DONE
    assert within(lambda result: os._exit(1), closed)[0] == sandbox.DIED
    assert within(lambda result: os.kill(os.getpid(), 9) or os.abort(), closed)[0] == sandbox.DIED
    monkeypatch.setattr(sandbox, 'SECONDS', 1)
    assert within(lambda result: time.sleep(60), closed)[0] == sandbox.TOOK_TOO_LONG


@pytest.mark.parametrize('closed', [False, pytest.param(True, marks=CLOSED)])
def test_what_it_writes_and_takes_has_a_limit(closed, within, monkeypatch):
    monkeypatch.setattr(sandbox, 'OUTPUT', 1000)

    def write(result):
        os.write(result, b'x' * 900)
        os.write(result, b'x' * 900)
        os.write(result, b'x' * 900)

    ended, found = within(write, closed)
    assert (ended, len(found)) == (sandbox.DIED, 1000)
    assert within(written(lambda: len(bytearray(sandbox.MEMORY + (1 << 30)))), closed)[1] == 'MemoryError'


@pytest.mark.parametrize('closed', [False, pytest.param(True, marks=CLOSED)])
def test_secrets_of_the_environment_stay_outside(closed, within, monkeypatch):
    monkeypatch.setenv('TOKEN', 'secret')
    assert within(written(lambda: os.environ.get('TOKEN')), closed)[1] == 'None'


@pytest.mark.parametrize('closed', [False, pytest.param(True, marks=CLOSED)])
def test_no_open_file_of_the_graders_is_open_within(closed, within, tmp_path):
    with open(str(tmp_path / 'grades'), 'w') as grades:

        def write(result):
            for number in range(4, 64):
                with contextlib.suppress(OSError):
                    os.write(number, b'24 of 24')

        assert grades.fileno() > 3
        assert within(write, closed)[0] == sandbox.DONE
    assert (tmp_path / 'grades').read_text() == ''
