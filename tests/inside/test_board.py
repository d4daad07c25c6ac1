"""TensorBoard beside others' TensorBoards."""

import contextlib
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
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


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder for what is temporary."""
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    return tmp_path


def test_a_port_that_is_taken_is_passed_over():
    with taken() as port:
        assert port < board.free_port(port, port + 50) <= port + 50


def test_where_no_port_is_free_it_says_what_to_do():
    with taken() as port, pytest.raises(LabError, match=rf'no port from {port} to {port} is free\. .* Ctrl-C'):
        board.free_port(port, port)


def test_the_usual_port_is_told_in_one_line(monkeypatch):
    monkeypatch.delenv('SSH_CONNECTION', raising=False)
    assert board.told(6006, 'Ctrl-C') == 'TensorBoard: http://127.0.0.1:6006 (Ctrl-C ends it)'


def test_another_port_and_the_way_from_another_machine_are_told(monkeypatch):
    monkeypatch.setenv('SSH_CONNECTION', '10.0.0.1 5000 10.0.0.2 22')
    first, second, third = board.told(6008, 'kill 17').splitlines()
    assert first == 'TensorBoard: http://127.0.0.1:6008 (kill 17 ends it)'
    assert second.startswith('Port 6006 is taken')
    assert third.startswith('From your own machine: ssh -L 6008:127.0.0.1:6008 ')


def test_a_tensorboard_that_cannot_begin_says_why(temporary, capsys):
    with taken() as port, pytest.raises(board.PortTakenError, match=r'TensorBoard has ended: .*port'):
        board.serve(temporary, port, hold=False)
    assert not capsys.readouterr().out  # No address where there is nothing.


def test_where_another_is_faster_to_take_the_port_any_free_one_is_taken(temporary, monkeypatch):
    tried = []

    def serve(_, port, hold):
        tried.append(port)
        if len(tried) == 1:
            raise board.PortTakenError('another was faster')

    monkeypatch.setattr(board, 'serve', serve)
    monkeypatch.setattr(sys, 'argv', ['board.py'])
    monkeypatch.setattr(board, 'FIRST_PORT', board.free_port(7006, 7105))
    board.main()
    assert tried == [board.FIRST_PORT, 0]


def test_its_notes_lie_in_a_folder_of_this_user_alone(temporary):
    board.use_own_folder()
    folder = temporary / f'tensorboard-{os.getuid()}'
    assert folder.stat().st_mode & 0o777 == 0o700
    assert tempfile.gettempdir() == os.environ['TMPDIR'] == str(folder)


@pytest.mark.parametrize('is_there', [True, False])
def test_a_link_that_another_has_put_in_its_place_is_refused(temporary, is_there):
    if is_there:
        (temporary / 'elsewhere').mkdir()
    (temporary / f'tensorboard-{os.getuid()}').symlink_to(temporary / 'elsewhere')
    with pytest.raises(LabError, match='is not yours'):
        board.use_own_folder()


@contextlib.contextmanager
def server_that_says(answer):
    """Something that answers on a port as TensorBoard does when it is asked whose logs it shows."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer((board.HOST, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def note(temporary, logs, port):
    """What TensorBoard leaves in its folder while it runs, and for good if it is killed."""
    folder = temporary / '.tensorboard-info'
    folder.mkdir()
    words = dict.fromkeys(('version', 'path_prefix', 'db', 'cache_key'), '')
    text = json.dumps({**words, 'start_time': 0, 'pid': 17, 'port': port, 'logdir': str(logs)})
    (folder / 'pid-17.info').write_text(text)


def test_one_that_shows_the_same_logs_is_found(temporary, monkeypatch):
    monkeypatch.setenv('http_proxy', 'http://127.0.0.1:9')  # Nobody's: what is on this machine is asked directly.
    for name in ('no_proxy', 'NO_PROXY'):
        monkeypatch.delenv(name)
    with server_that_says(json.dumps({'data_location': '/lab/logs'}).encode()) as port:
        note(temporary, '/lab/logs', port)
        (found,) = board.running('/lab/logs')
        assert (found.pid, found.port) == (17, port)
        assert not board.running('/other/logs')


@pytest.mark.parametrize('answer', [b'{"data_location": "/other/logs"}', b'{}', b'[]', b'hello'])
def test_a_note_is_not_believed_where_another_answers_on_its_port(temporary, answer):
    with server_that_says(answer) as port:
        note(temporary, '/lab/logs', port)
        assert not board.running('/lab/logs')


def test_a_note_is_not_believed_where_nobody_answers(temporary):
    note(temporary, '/lab/logs', board.free_port(7006, 7105))
    assert not board.running('/lab/logs')


@pytest.fixture
def where_6006_is_anothers(temporary):
    """A program that serves runs of its own."""
    with taken() as port:
        logs = f'board.LOGS = pathlib.Path({str(temporary / "logs")!r})'
        yield f'import pathlib; from inside import board; board.FIRST_PORT = {port}; {logs}; board.main()'


@pytest.mark.slow
def test_it_goes_on_without_its_terminal_is_found_again_and_ends_by_the_line_that_is_told(where_6006_is_anothers, root):
    def said():
        command = [sys.executable, '-c', where_6006_is_anothers]
        return subprocess.check_output(command, cwd=str(root), text=True).splitlines()[0]

    begun = said()
    port, pid = map(int, re.fullmatch(r'TensorBoard: http://127.0.0.1:(\d+) \(kill (\d+) ends it\)', begun).groups())
    try:
        assert listened_on(port)
        assert os.getsid(pid) == pid  # A session of its own: nothing that ends ours reaches it.
        assert said() == begun.replace('TensorBoard:', 'TensorBoard runs already:')
    finally:
        subprocess.run(['kill', str(pid)], check=True)
    while listened_on(port):
        time.sleep(0.1)


@pytest.mark.slow
def test_ctrl_c_ends_it_and_leaves_nothing_running(temporary, root):
    port = board.free_port(7006, 7105)
    serve = f'from pathlib import Path; from inside import board; board.serve(Path({str(temporary)!r}), {port}, True)'
    process = subprocess.Popen([sys.executable, '-c', serve], cwd=str(root), start_new_session=True)
    try:
        while process.poll() is None and not listened_on(port):
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)  # As the terminal does, to all that run in it.
        assert process.wait(timeout=120) == 0
        assert not listened_on(port)
    finally:
        process.kill()
