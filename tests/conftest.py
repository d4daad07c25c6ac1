"""What tests of all rooms share: where the real data lies, and how to run a command as a user would."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope='session')
def root():
    return ROOT


@pytest.fixture(scope='session')
def shared():
    """The folder of real data and of the lab's own output, beside the repository; not everyone has it."""
    folder = ROOT.parent / 'shared'
    if not (folder / 'data').is_dir():
        pytest.skip(f'needs the real data of {folder}, which is not here')
    return folder


@pytest.fixture(scope='session')
def run():
    """Runs `python ARGS ...` from the repository's top; returns the finished process with its text output."""

    def run_python(*args, cwd=ROOT, check=False, **kwargs):
        environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
        command = [sys.executable, *map(str, args)]
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, **kwargs)
        if check and done.returncode != 0:
            raise AssertionError(f'{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}')
        return done

    return run_python
