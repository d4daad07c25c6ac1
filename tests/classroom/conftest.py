"""Checks what a student might have written into the exercise cnn."""

from lvseg import networks

import pytest

from classroom import judging as check


@pytest.fixture(scope='module')
def solution():
    return check.Solution(networks.solution('cnn'))


@pytest.fixture
def report(tmp_path, solution):
    """Checks a text as if a student had saved it."""

    def saved_and_checked(text):
        path = tmp_path / 'neuralnetwork.py'
        path.write_bytes(text.encode())
        return check.check(path, solution)

    return saved_and_checked
