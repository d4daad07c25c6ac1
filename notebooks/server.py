"""JupyterLab with the notebooks, for this machine alone: on port 8888, or the next that is free."""

import os
import secrets

from lvseg import flags
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
    of_server = {'root_dir': PROJECT, 'ip': board.HOST, 'port': port, 'port_retries': 0, 'answer_yes': True}
    of_server['allow_root'] = os.geteuid() == 0  # In a container one is root.
    arguments = [f'--ServerApp.{name}={value}' for name, value in of_server.items()]
    # The token is not on the command line, where all users of this machine could read it.
    board.run_until_ctrl_c('JupyterLab', ['jupyterlab', '--no-browser', *arguments], JUPYTER_TOKEN=token)


def main() -> None:
    """Serves the notebooks."""
    flags.Parser(description='Serves JupyterLab with the notebooks, for this machine alone.').parse_args()
    port, token = board.free_port(FIRST_PORT, LAST_PORT), secrets.token_hex(16)
    print(told(port, token), flush=True)
    serve(port, token)
