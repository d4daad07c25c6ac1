"""TensorBoard of the runs, for this machine alone: on port 6006, or the next that is free."""

import getpass
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List

from lvseg import flags
from lvseg.errors import LabError, one_line
from lvseg.project import LOGS

HOST = '127.0.0.1'  # TensorBoard asks for no password, so nobody else's machine may reach it.
FIRST_PORT = 6006
LAST_PORT = FIRST_PORT + 99


class PortTakenError(LabError):
    """Between the look for a free port and TensorBoard's start, which takes seconds, another has taken the port."""


def free_port(first: int = FIRST_PORT, last: int = LAST_PORT) -> int:
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


def told(port: int) -> str:
    """What is to be known to open it."""
    lines = [f'TensorBoard: http://{HOST}:{port} (Ctrl-C ends it)']
    if port != FIRST_PORT:
        lines.append(f'Port {FIRST_PORT} is taken, by another user or by a TensorBoard of yours that still runs.')
    return '\n'.join([*lines, *way_from_elsewhere(port)])


def way_from_elsewhere(port: int) -> List[str]:
    """How somebody who has come by SSH gets there with the browser: a line, or none."""
    if 'SSH_CONNECTION' not in os.environ:
        return []
    machine = f'{getpass.getuser()}@{socket.gethostname()}'
    return [f'From your own machine: ssh -L {port}:{HOST}:{port} {machine}; then the same address there.']


def serve(logs: Path, port: int) -> None:
    """Serves until Ctrl-C.

    Raises:
        PortTakenError: it cannot begin, for others listen on the port by now.
        LabError: it ends by itself.
    """
    try:
        run_until_ctrl_c(
            'TensorBoard', ['tensorboard.main', '--logdir', str(logs), '--host', HOST, '--port', str(port)]
        )
    except LabError as end:
        if _is_free(port):
            raise
        raise PortTakenError(str(end)) from None


def run_until_ctrl_c(name: str, module: List[str], **environment: str) -> None:
    """Runs a server, a module of Python's with its arguments.

    Raises:
        LabError: it ends by itself.
    """
    with tempfile.TemporaryFile() as said:  # Servers warn of much that is in order; only the last words matter.
        command = [sys.executable, '-m', *module]
        process = subprocess.Popen(command, stdout=said, stderr=said, env={**os.environ, **environment})
        try:
            status = process.wait()
        except KeyboardInterrupt:  # It goes to both.
            process.wait()
            return
        said.seek(0)
        words = said.read().decode(errors='replace').strip().splitlines() or [f'status {status}']
        raise LabError(f'{name} has ended: {one_line(words[-1])}')


def main() -> None:
    """Serves the runs in logs/."""
    flags.Parser(description='Serves TensorBoard of the runs in logs/, for this machine alone.').parse_args()
    port = FIRST_PORT - 1
    while True:
        port = free_port(port + 1)
        print(told(port), flush=True)
        try:
            return serve(LOGS, port)
        except PortTakenError:
            continue
