"""TensorBoard of the runs, for this machine alone: on port 6006, or another that is free."""

import contextlib
import getpass
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, Iterator, List, Optional

from lvseg import flags, processes
from lvseg.errors import LabError, one_line
from lvseg.project import LOGS

from tensorboard import manager

HOST = '127.0.0.1'  # TensorBoard asks for no password, so nobody else's machine may reach it.
FIRST_PORT = 6006
# Chosen by the system when TensorBoard begins to listen. Would we look for one, all of a class that starts at the same
# time would find the same, and all but one lose it again, one port after the other.
ANY_FREE_PORT = 0


class PortTakenError(LabError):
    """Between the look for a free port and TensorBoard's start, which takes seconds, another has taken the port."""


def free_port(first: int, last: int) -> int:
    """The first port from `first` to `last` that nobody listens on.

    Raises:
        LabError: there is none.
    """
    for port in range(first, last + 1):
        if _is_free(port):
            return port
    raise LabError(f'no port from {first} to {last} is free. End what runs there and is yours, with Ctrl-C.')


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # Else one just closed would count as taken.
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def told(port: int, end: str) -> str:
    """What is to be known of one that was started, and is ended by a key or a command."""
    lines = [f'TensorBoard: http://{HOST}:{port} ({end} ends it)']
    if port != FIRST_PORT:
        lines.append(f'Port {FIRST_PORT} is taken, by another user or by a TensorBoard of yours of other runs.')
    return '\n'.join([*lines, *way_from_elsewhere(port)])


def way_from_elsewhere(port: int) -> List[str]:
    """How somebody who has come by SSH gets there with the browser: a line, or none."""
    if 'SSH_CONNECTION' not in os.environ:
        return []
    machine = f'{getpass.getuser()}@{socket.gethostname()}'
    return [f'From your own machine: ssh -L {port}:{HOST}:{port} {machine}; then the same address there.']


def use_own_folder() -> None:
    """From now on what is temporary lies in a folder that only this user reads and writes.

    TensorBoard notes there what runs. In the folder that all share, another's note of an earlier process of the same
    number cannot be overwritten, which ends TensorBoard, and anybody could send others to a server of theirs.

    Raises:
        LabError: the folder is another's.
    """
    folder = Path(tempfile.gettempdir()) / f'tensorboard-{os.getuid()}'
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if folder.is_symlink() or not folder.is_dir() or folder.stat().st_uid != os.getuid():
        raise LabError(f'{folder} is not yours. Let its owner remove it, or do: export TMPDIR=a folder of your own')
    tempfile.tempdir = os.environ['TMPDIR'] = str(folder)


def running(logs: Path) -> List[manager.TensorBoardInfo]:
    """This user's TensorBoards of these runs: their `pid` and `port`."""
    return [note for note in manager.get_all() if note.logdir == str(logs) and _serves(note.port, logs)]


def _serves(port: int, logs: Path) -> bool:
    """Whether what answers on the port is a TensorBoard of these runs: a note of one that was killed stays behind."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f'http://{HOST}:{port}/data/environment', timeout=10) as answer:
            return json.load(answer)['data_location'] == str(logs)
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return False


def serve(logs: Path, port: int, hold: bool) -> None:
    """Starts a TensorBoard and tells where it is, once it is there.

    Args:
        logs: the folder of the runs, absolute.
        port: on which it is to listen; or ANY_FREE_PORT.
        hold: whether to stay until Ctrl-C ends it; else it goes on by itself, whatever becomes of the terminal.

    Raises:
        PortTakenError: it cannot begin, for others listen on the port by now.
        LabError: it ends by itself.
    """
    module = ['tensorboard.main', '--logdir', str(logs), '--host', HOST, '--port', str(port)]
    try:
        with _started('TensorBoard', module, apart=not hold) as process:
            its_port = _port_once_there(process, logs)
            if its_port:
                print(told(its_port, 'Ctrl-C' if hold else f'kill {process.pid}'), flush=True)
            if hold:
                process.wait()
    except LabError as end:
        if port == ANY_FREE_PORT or _is_free(port):
            raise
        raise PortTakenError(str(end)) from None


def _port_once_there(process: 'subprocess.Popen[Any]', logs: Path) -> Optional[int]:
    """The port on which a TensorBoard of these runs answers; None if it ends before."""
    while process.poll() is None:
        for note in running(logs):
            if note.pid == process.pid:
                return note.port
        time.sleep(0.2)
    return None


def run_until_ctrl_c(name: str, module: List[str], **environment: str) -> None:
    """Runs a server, a module of Python's with its arguments.

    Raises:
        LabError: it ends by itself.
    """
    with _started(name, module, **environment) as process:
        process.wait()


@contextlib.contextmanager
def _started(
    name: str, module: List[str], apart: bool = False, **environment: str
) -> Iterator['subprocess.Popen[Any]']:
    """A server that runs in the terminal, where Ctrl-C ends it, or apart from it, where it goes on after the block.

    Raises:
        LabError: it has ended by itself by the end of the block.
    """
    with tempfile.TemporaryFile() as said:  # Servers warn of much that is in order; only the last words matter.
        process = subprocess.Popen(
            [sys.executable, '-m', *module],
            stdin=subprocess.DEVNULL if apart else None,
            stdout=said,
            stderr=said,
            env={**os.environ, **environment},
            start_new_session=apart,
            preexec_fn=None if apart else processes.end_with_parent,
        )
        try:
            yield process
        except KeyboardInterrupt:
            if apart:  # Else it has had the Ctrl-C too.
                process.terminate()
            process.wait()
            return
        if process.poll() is None:
            return
        said.seek(0)
        words = said.read().decode(errors='replace').strip().splitlines() or [f'status {process.returncode}']
        raise LabError(f'{name} has ended: {one_line(words[-1])}')


def main() -> None:
    """Serves the runs in logs/."""
    parser = flags.Parser(description='Serves TensorBoard of the runs in logs/, for this machine alone.')
    parser.add_argument('--hold', action='store_true', help='stay until Ctrl-C (default: it runs in the background)')
    hold = parser.parse_args().hold
    use_own_folder()
    for there in running(LOGS):
        found = f'TensorBoard runs already: http://{HOST}:{there.port} (kill {there.pid} ends it)'
        print('\n'.join([found, *way_from_elsewhere(there.port)]))
        return
    if _is_free(FIRST_PORT):
        with contextlib.suppress(PortTakenError):
            serve(LOGS, FIRST_PORT, hold)
            return
    serve(LOGS, ANY_FREE_PORT, hold)
