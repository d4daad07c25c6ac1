"""From the same weights, seed and slices, every edition of TensorFlow computes the same."""

import json

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.exchange.conftest import EVERY_STEP

pytestmark = pytest.mark.exchange

STEPS = 20
# 18 slices, 2 at a time, make 9 steps an epoch: 3 epochs have 27.
FLAGS = ['--batch_size', 2, '--num_epochs', 3, '--seed', 1]
NETWORK = ['--network', 'unet', '--normalisation', 'per_image']
EXERCISES = {
    'simple': [],
    'cnn': [],
    'cnnDice': [],
    # The recipe, but for Adam, which divides each gradient by its own size: where a weight has hardly any, the last bit
    # decides its sign, and that differs between versions; after 20 steps, losses then differ by 0.0002.
    'challenge': [*NETWORK, *('--augment', '--loss', 'both', '--schedule', 'warmup')],
}


@pytest.fixture(scope='module', params=list(EXERCISES))
def exercise(request):
    return request.param


@pytest.fixture(scope='module')
def programs(exercise, copy_exercise):
    return copy_exercise(exercise, hidden_units=8)


@pytest.fixture(scope='module')
def weights(exercise, programs, reference, data, tmp_path_factory):
    """A run of one epoch of the reference's: what all start from, and what all evaluate."""
    run_dir = tmp_path_factory.mktemp('weights') / 'train'
    run = ['--data_dir', data, '--checkpoint_dir', run_dir]
    reference.run(programs / 'runTraining.py', *run, '--seed', 1, '--batch_size', 2, *EXERCISES[exercise])
    return run_dir


def losses(edition, programs, exercise, weights, data, run_dir):
    run = ['--data_dir', data, '--checkpoint_dir', run_dir, '--init_from', weights]
    edition.run('-c', EVERY_STEP, programs / 'runTraining.py', *run, *FLAGS, *EXERCISES[exercise])
    return [scalar.value for scalar in EventAccumulator(str(run_dir)).Reload().Scalars('loss')]


def figures(edition, programs, weights, data, folder):
    run = ['--data_dir', data, '--checkpoint_dir', weights]
    edition.run(programs / 'runEval.py', *run, '--eval_dir', folder)
    return json.loads((folder / 'metrics.json').read_text())


@pytest.fixture(scope='module')
def wanted_losses(reference, programs, exercise, weights, data, tmp_path_factory):
    return losses(reference, programs, exercise, weights, data, tmp_path_factory.mktemp('wanted') / 'train')


@pytest.fixture(scope='module')
def wanted_figures(reference, programs, weights, data, tmp_path_factory):
    return figures(reference, programs, weights, data, tmp_path_factory.mktemp('wanted') / 'eval')


def test_the_losses_of_20_steps_agree(other, programs, exercise, weights, data, wanted_losses, tmp_path):
    found = losses(other, programs, exercise, weights, data, tmp_path / 'train')
    assert len(found) == len(wanted_losses) >= STEPS
    assert found[:STEPS] == pytest.approx(wanted_losses[:STEPS], rel=1e-4)


def test_the_evaluation_of_one_checkpoint_agrees(other, programs, weights, data, wanted_figures, tmp_path):
    found = figures(other, programs, weights, data, tmp_path / 'eval')
    assert found['dice'] == pytest.approx(wanted_figures['dice'], abs=0.0005)
    assert found['precision'] == pytest.approx(wanted_figures['precision'], abs=0.0005)
