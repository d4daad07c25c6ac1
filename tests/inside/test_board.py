"""TensorBoard beside others' TensorBoards."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

from lvseg.errors import LabError

import pytest

from inside import board


@contextlib.contextmanager
def taken(port=0):
    """Listens on a port, as another's TensorBoard does."""
    with socket.socket() as other:
        other.bind((board.HOST, port))
        other.listen(1)
        yield other.getsockname()[1]


def listened_on(port):
    try:
        return board.free_port(port, port) != port
    except LabError:
        return True


def test_a_port_that_is_taken_is_passed_over():
    with taken() as port:
        assert port < board.free_port(port, port + 50) <= port + 50


def test_where_no_port_is_free_it_says_what_to_do():
    with taken() as port, pytest.raises(LabError, match=rf'no port from {port} to {port} is free\. .* Ctrl-C'):
        board.free_port(port, port)


def test_the_usual_port_is_told_in_one_line(monkeypatch):
    monkeypatch.delenv('SSH_CONNECTION', raising=False)
    assert board.told(6006) == 'TensorBoard: http://127.0.0.1:6006 (Ctrl-C ends it)'


def test_another_port_and_the_way_from_another_machine_are_told(monkeypatch):
    monkeypatch.setenv('SSH_CONNECTION', '10.0.0.1 5000 10.0.0.2 22')
    first, second, third = board.told(6008).splitlines()
    assert first == 'TensorBoard: http://127.0.0.1:6008 (Ctrl-C ends it)'
    assert second.startswith('Port 6006 is taken')
    assert third.startswith('From your own machine: ssh -L 6008:127.0.0.1:6008 ')


def test_a_tensorboard_that_cannot_begin_says_why(tmp_path):
    with taken() as port, pytest.raises(board.PortTakenError, match=r'TensorBoard has ended: .*port'):
        board.serve(tmp_path, port)


def test_where_another_is_faster_to_take_the_port_the_next_one_is_tried(monkeypatch, capsys):
    tried = []

    def serve(_, port):
        tried.append(port)
        if len(tried) == 1:
            raise board.PortTakenError('another was faster')

    monkeypatch.setattr(board, 'serve', serve)
    monkeypatch.setattr(sys, 'argv', ['board.py'])
    board.main()
    first, second = tried
    assert first < second
    assert f'http://127.0.0.1:{second} ' in capsys.readouterr().out


@pytest.mark.slow
def test_ctrl_c_ends_it_and_leaves_nothing_running(tmp_path, root):
    port = board.free_port(7006, 7105)
    serve = f'from pathlib import Path; from inside import board; board.serve(Path({str(tmp_path)!r}), {port})'
    process = subprocess.Popen([sys.executable, '-c', serve], cwd=str(root), start_new_session=True)
    try:
        while process.poll() is None and not listened_on(port):
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)  # As the terminal does, to all that run in it.
        assert process.wait(timeout=30) == 0
        assert not listened_on(port)
    finally:
        process.kill()
