"""JupyterLab with the notebooks, for this machine alone: on port 8888, or the next that is free."""

import os
import secrets
import subprocess
import sys

from lvseg import flags
from lvseg.errors import LabError
from lvseg.project import PROJECT

from inside import board

FIRST_PORT = 8888
LAST_PORT = FIRST_PORT + 99


def told(port: int, token: str) -> str:
    """What is to be known to open it."""
    address = f'http://{board.HOST}:{port}/lab/tree/notebooks/en/student?token={token}'
    return '\n'.join([f'JupyterLab: {address} (Ctrl-C ends it)', *board.way_from_elsewhere(port)])


def serve(port: int, token: str) -> None:
    """Serves until Ctrl-C.

    Raises:
        LabError: JupyterLab ends by itself.
    """
    command = [sys.executable, '-m', 'jupyterlab', '--no-browser', f'--ServerApp.root_dir={PROJECT}']
    command += [f'--ServerApp.ip={board.HOST}', f'--ServerApp.port={port}', '--ServerApp.port_retries=0']
    command += ['--ServerApp.answer_yes=True', '--ServerApp.log_level=ERROR']
    command += ['--ServerApp.allow_root=True'] if os.geteuid() == 0 else []  # In a container one is root.
    # Not on the command line, where all users of this machine could read it.
    process = subprocess.Popen(command, cwd=str(PROJECT), env={**os.environ, 'JUPYTER_TOKEN': token})
    try:
        status = process.wait()
    except KeyboardInterrupt:  # It goes to both.
        process.wait()
        return
    raise LabError(f'JupyterLab has ended by itself, with status {status}; above it has said why.')


def main() -> None:
    """Serves the notebooks."""
    flags.Parser(description='Serves JupyterLab with the notebooks, for this machine alone.').parse_args()
    port, token = board.free_port(FIRST_PORT, LAST_PORT), secrets.token_hex(16)
    print(told(port, token), flush=True)
    serve(port, token)
