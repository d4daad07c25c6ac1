"""Faulty records and run directories, through runTraining.py and runEval.py: used or refused in one line."""

import random
import shutil

from lvseg import records

import pytest
import tensorflow.compat.v1 as tf

from tests.attack.conftest import assert_met, within_a_minute
from tests.attack.mutations import misspelt, mutated
from tests.conftest import slice_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def trained(simple, tmp_path_factory):
    """A run of 10 steps. It is not changed, but copied."""
    run_dir = tmp_path_factory.mktemp('trained') / 'train'
    assert simple.train(run_dir, '--seed', 1).code == 0
    return run_dir


def copied(folder, to):
    shutil.copytree(str(folder), str(to))
    return to


def content(folder):
    """All files but the lock, which is empty, and run.json, in which a resume notes that it is one."""
    files = (path for path in folder.iterdir() if path.is_file() and path.name not in ('lock', 'run.json'))
    return {path.name: path.read_bytes() for path in files}


@pytest.mark.parametrize('intact_framing', [True, False])
def test_faulty_records_are_evaluated_or_refused_in_one_line(intact_framing, simple, trained, tenth, tmp_path):
    """With intact framing the checksums are right, so that the faults reach what takes the record apart."""
    number, refused = 100, 0
    serialized, file = records.encode(*slice_of(1)), tmp_path / 'data' / 'val_images.tfrecords'
    file.parent.mkdir()
    for case in range(tenth * number, (tenth + 1) * number):
        draw = random.Random(case)
        with tf.python_io.TFRecordWriter(str(file)) as writer:
            writer.write(serialized)
            writer.write(mutated(draw, serialized) if intact_framing else serialized)
        if not intact_framing:
            file.write_bytes(mutated(draw, file.read_bytes()))
        with within_a_minute():
            outcome = simple.evaluate(trained, tmp_path / 'eval', '--data_dir', file.parent)
        assert_met(outcome)
        refused += outcome.code
    assert refused > number / 20


def test_faulty_run_directories_are_used_or_refused_in_one_line_and_left_as_they_were(simple, trained, tenth, tmp_path):
    number, refused = 50, 0
    for case in range(tenth * number, (tenth + 1) * number):
        draw = random.Random(case)
        run_dir = copied(trained, tmp_path / f'{case}' / 'train')
        file = draw.choice(sorted(path for path in run_dir.iterdir() if path.stat().st_size))
        readable = file.name in ('checkpoint', 'run.json')
        file.write_bytes(misspelt(draw, file.read_text()) if readable else mutated(draw, file.read_bytes()))
        before = content(run_dir)
        with within_a_minute():
            if draw.random() < 0.5:
                outcome = simple.evaluate(run_dir, tmp_path / f'{case}' / 'eval')
            else:
                outcome = simple.train(run_dir, '--num_epochs', 2, '--resume')
        assert_met(outcome)
        refused += outcome.code
        if outcome.code:
            assert {name: data for name, data in content(run_dir).items() if name in before} == before, (case, outcome)
        shutil.rmtree(str(run_dir.parent))
    assert number / 20 < refused < number
