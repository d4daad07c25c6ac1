"""Serves JupyterLab with the notebooks: -h lists the flags."""

from lvseg import errors

from notebooks import server

if __name__ == '__main__':
    errors.exit_with_message(server.main)
