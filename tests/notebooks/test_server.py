"""make notebook: JupyterLab for this machine alone, and for nobody without the token."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import psutil
import pytest

from notebooks import server

SECONDS_AT_MOST = 120


@pytest.fixture
def taken():
    """The first port, taken by somebody."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind(('127.0.0.1', server.FIRST_PORT))
            other.listen()
        except OSError:  # So it is taken already.
            pass
        yield


@pytest.mark.slow
def test_it_serves_on_loopback_on_a_free_port_and_ends_on_ctrl_c(root, taken):
    process = started(root)
    try:
        address, port, token = told_by(process)
        assert int(port) != server.FIRST_PORT
        assert status(address, process) == 200
        assert status(f'http://127.0.0.1:{port}/api/contents', process) == 403

        processes = [process_ for process_ in psutil.process_iter() if process_.pid == process.pid]
        processes += processes[0].children(recursive=True)
        commands, listening = [], []
        for one in processes:
            with contextlib.suppress(psutil.NoSuchProcess):  # A child has ended meanwhile.
                commands.append(' '.join(one.cmdline()))
                listening += [found.laddr.ip for found in one.net_connections() if found.status == 'LISTEN']
        assert commands and not [command for command in commands if token in command]
        assert set(listening) == {'127.0.0.1'}
    finally:
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(SECONDS_AT_MOST) == 0
    assert process.stdout.read().decode() == ''


@pytest.mark.slow
def test_jupyterlab_ends_with_the_script_that_started_it(root):
    process = started(root)
    try:
        address, *_ = told_by(process)
        assert status(address, process) == 200
        (jupyterlab,) = psutil.Process(process.pid).children()
        process.terminate()
        assert process.wait(SECONDS_AT_MOST) == -signal.SIGTERM
        psutil.wait_procs([jupyterlab], timeout=SECONDS_AT_MOST)
        assert not jupyterlab.is_running()
    finally:  # It is in the script's session; a failure is not to leave it behind.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def started(root):
    here = {name: value for name, value in os.environ.items() if name != 'SSH_CONNECTION'}  # It would say more.
    return subprocess.Popen(
        [sys.executable, 'scripts/notebook.py'],
        cwd=str(root),
        env={**here, 'PYTHONPATH': str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def told_by(process):
    """Address, port and token."""
    told = process.stdout.readline().decode()
    return re.search(r'(http://127\.0\.0\.1:(\d+)/\S+\?token=(\w+))', told).groups()


def status(address, process):
    """What the page answers, once there is one."""
    until = time.time() + SECONDS_AT_MOST
    while True:
        try:
            return urllib.request.urlopen(address).status
        except urllib.error.HTTPError as error:
            return error.code
        except urllib.error.URLError:
            assert process.poll() is None and time.time() < until
            time.sleep(0.1)


def test_who_comes_by_ssh_is_told_the_way(monkeypatch):
    monkeypatch.setenv('SSH_CONNECTION', 'from somewhere')
    told = server.told(8890, 'abc').splitlines()
    assert told[0] == 'JupyterLab: http://127.0.0.1:8890/lab/tree/notebooks/en/student?token=abc (Ctrl-C ends it)'
    assert 'ssh -L 8890:127.0.0.1:8890 ' in told[1]
