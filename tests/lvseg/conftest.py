"""A finished training, for those who look at it or go on from it."""

import shutil

import pytest


@pytest.fixture(scope='module')
def finished(simple, tmp_path_factory):
    """A run of 2 epochs of 10 steps, and what it printed. Tests that change it take a copy."""
    run_dir = tmp_path_factory.mktemp('finished') / 'train'
    return run_dir, simple.train(run_dir, '--num_epochs', 2, '--seed', 1)


@pytest.fixture
def finished_copy(finished, tmp_path):
    shutil.copytree(str(finished[0]), str(tmp_path / 'train'))
    return tmp_path / 'train'
