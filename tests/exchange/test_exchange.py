"""What one edition of TensorFlow writes, any other reads: records, runs, checkpoints, the best, curves."""

import json
import shutil

import pytest

pytestmark = pytest.mark.exchange

CURVE = """
import sys
import lvseg
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
print([(scalar.step, round(scalar.value, 4)) for scalar in EventAccumulator(sys.argv[1]).Reload().Scalars('dice')])
"""


@pytest.fixture(scope='module', params=['from 1.15', 'to 1.15'])
def pair(request, reference, other):
    """Who writes and who reads."""
    return (reference, other) if request.param == 'from 1.15' else (other, reference)


@pytest.fixture(scope='module')
def programs(copy_exercise):
    return copy_exercise('simple', hidden_units=8)


@pytest.fixture(scope='module')
def written(pair, programs, data, tmp_path_factory):
    """A run of the writer's: an epoch, evaluated and validated."""
    folder = tmp_path_factory.mktemp('written')
    run = ['--data_dir', data, '--checkpoint_dir', folder / 'train']
    pair[0].run(programs / 'runTraining.py', *run, '--seed', 1, '--eval_every', 1)
    pair[0].run(programs / 'runEval.py', *run, '--eval_dir', folder / 'eval')
    return folder


@pytest.fixture
def copied(written, tmp_path):
    """The run in a place of its own, to be changed."""
    shutil.copytree(str(written / 'train'), str(tmp_path / 'train'))
    return tmp_path / 'train'


def figures(folder):
    return json.loads((folder / 'metrics.json').read_text())


def test_records_are_the_same_to_the_byte(other, data, tmp_path):
    other.run('-m', 'data_prep', 'phantom', '--patients', 1, '--out', tmp_path)
    for name in ('train_images.tfrecords', 'val_images.tfrecords', 'manifest.csv'):
        assert (tmp_path / name).read_bytes() == (data / name).read_bytes(), name


@pytest.mark.parametrize('checkpoint', ['.', 'best'])
def test_a_checkpoint_is_evaluated_alike(checkpoint, pair, programs, written, data, tmp_path):
    run = ['--data_dir', data, '--checkpoint_dir', written / 'train' / checkpoint]
    pair[1].run(programs / 'runEval.py', *run, '--eval_dir', tmp_path / 'eval')
    ours, theirs = figures(tmp_path / 'eval'), figures(written / 'eval')
    assert ours['step'] == theirs['step'] == 18
    for figure in ('precision', 'dice'):
        assert ours[figure] == pytest.approx(theirs[figure], abs=0.0005)


def test_a_run_is_resumed_and_remembers_its_best(pair, programs, copied, data):
    best = figures(copied / 'best')
    run = ['--data_dir', data, '--checkpoint_dir', copied, '--num_epochs', 2, '--eval_every', 2, '--resume']
    printed = pair[1].run(programs / 'runTraining.py', *run)
    assert printed.endswith('OUTPUT: Done training for 2 epochs, 36 steps.\n')
    assert json.loads((copied / 'run.json').read_text())['seed'] == 1
    assert figures(copied / 'best')['dice'] >= best['dice']


def test_a_fresh_run_starts_from_its_weights(pair, programs, written, data, tmp_path):
    run = ['--data_dir', data, '--checkpoint_dir', tmp_path / 'train', '--init_from', written / 'train' / 'best']
    assert 'Done training for 1 epochs, 18 steps.' in pair[1].run(programs / 'runTraining.py', *run)


def test_its_curves_are_read(pair, written):
    ours, theirs = (edition.run('-c', CURVE, written / 'train' / 'validation') for edition in pair)
    assert ours == theirs != '[]\n'
