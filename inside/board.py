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


def free_port(first: int = FIRST_PORT, last: int = LAST_PORT) -> int:
    """The first port from `first` to `last` that nobody listens on.

    Raises:
        LabError: there is none.
    """
    for port in range(first, last + 1):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # Else one just closed would count as taken.
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise LabError(f'no port from {first} to {last} is free. End what runs there and is yours, with Ctrl-C.')


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
        LabError: TensorBoard ends by itself.
    """
    run_until_ctrl_c('TensorBoard', ['tensorboard.main', '--logdir', str(logs), '--host', HOST, '--port', str(port)])


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
    port = free_port()
    print(told(port), flush=True)
    serve(LOGS, port)
