"""The editions of TensorFlow that are set up beside one another, each run as a user runs it."""

import os
import subprocess
from pathlib import Path

import pytest

from setup.editions import EDITIONS

ROOT = Path(__file__).resolve().parent.parent.parent
VENVS = {edition.name: edition.venv for edition in EDITIONS}

# Runs an exercise's program so that it reports, and sums up, every step: `python -c EVERY_STEP runTraining.py FLAGS`.
EVERY_STEP = """
import os, runpy, sys
from lvseg import chief
chief.REPORT_STEPS = 1
sys.argv = sys.argv[1:]
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name='__main__')
"""


class Edition:
    """An edition of TensorFlow, set up in a venv of its own."""

    def __init__(self, name):
        self.name = name
        self._python = ROOT / VENVS[name] / 'bin' / 'python'

    @property
    def is_there(self):
        return self._python.exists()

    def run(self, *arguments):
        """What `python ARGUMENTS` prints; it must end well, and say nothing but the device on stderr."""
        environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
        command = [str(self._python), *map(str, arguments)]
        done = subprocess.run(command, cwd=str(ROOT), env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f'{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}'
        said = [line for line in done.stderr.splitlines() if not line.startswith(('Running on the ', 'Starting from '))]
        assert said == [], f'{command} said on stderr:\n{done.stderr}'
        return done.stdout


def edition(name):
    found = Edition(name)
    if not found.is_there:
        pytest.skip(f'needs TensorFlow {name} in {VENVS[name]}: make setup TF={name}')
    return found


@pytest.fixture(scope='session')
def reference():
    return edition('1.15')


@pytest.fixture(scope='session', params=['2.15', '2'])
def other(request):
    return edition(request.param)


@pytest.fixture(scope='session')
def data(reference, tmp_path_factory):
    """The slices of one invented patient, prepared by the reference: 18 to train and 2 to validate."""
    folder = tmp_path_factory.mktemp('phantom')
    reference.run('-m', 'data_prep', 'phantom', '--patients', 1, '--out', folder)
    return folder
