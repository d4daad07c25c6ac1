"""experiments/measuring.py: what was measured before is told again, of the same data, flags and seed, and only then."""

import json
import os
import shutil

from lvseg.errors import LabError

import pytest

from experiments import commands
from experiments.measuring import Training, earlier, fingerprint, measure

RECORDS = ('train_images.tfrecords', 'val_images.tfrecords')
TRAINING = Training('cnn', ['--num_epochs', '1'], 1, 'fingerprint', ['SC-N-02'])


def test_the_same_data_elsewhere_are_the_same(data, tmp_path):
    shutil.copytree(str(data), str(tmp_path / 'moved'))
    assert fingerprint(tmp_path / 'moved') == fingerprint(data)


@pytest.mark.parametrize('name', [*RECORDS, 'manifest.csv'])
def test_a_byte_changed_makes_other_data(data, name):
    before = fingerprint(data)
    content = bytearray((data / name).read_bytes())
    content[-1] ^= 1  # The last of many pieces.
    (data / name).write_bytes(bytes(content))
    assert fingerprint(data) != before


@pytest.mark.parametrize('name', [*RECORDS, 'manifest.csv'])
def test_a_file_taken_away_makes_other_data(data, name):
    before = fingerprint(data)
    (data / name).unlink()
    assert fingerprint(data) != before


def test_the_same_slices_split_otherwise_are_other_data(write_slices, tmp_path):
    """Without a manifest too, which would tell the split."""
    folders = [tmp_path / str(train) for train in (1, 2, 3)]
    for train, folder in enumerate(folders, start=1):
        write_slices(folder / RECORDS[0], range(train))
        write_slices(folder / RECORDS[1], range(train, 4))
    assert len(set(map(fingerprint, folders))) == 3


def test_slices_in_another_order_are_other_data(write_slices, tmp_path):
    write_slices(tmp_path / 'up' / RECORDS[0], [0, 1])
    write_slices(tmp_path / 'down' / RECORDS[0], [1, 0])
    assert fingerprint(tmp_path / 'up') != fingerprint(tmp_path / 'down')


def test_a_file_that_cannot_be_read_is_refused_in_one_line(data):
    (data / 'manifest.csv').unlink()
    os.symlink('/proc/self/mem', str(data / 'manifest.csv'))  # Its first byte cannot be read, not even by root.
    with pytest.raises(LabError, match='cannot read .*manifest.csv: Input/output error'):
        fingerprint(data)


def test_what_was_kept_is_told_again(data, trainings, tmp_path):
    measured = measure(TRAINING, data, tmp_path / 'kept')
    assert trainings == [('kept', 'cnn', ['--num_epochs', '1', '--seed', '1'])]
    # Validation slices 4 to 6 of 20 * (number + 1) pixels, and half of that predicted.
    assert measured.areas == {'labelled': 100 + 120 + 140, 'predicted': 180, 'intersection': 180}
    assert earlier(TRAINING, tmp_path / 'kept') == measured
    assert len(trainings) == 1


@pytest.mark.parametrize(
    'other',
    [
        {'exercise': 'cnnDice'},
        {'flags': ['--num_epochs', '2']},
        {'seed': 2},
        {'data': 'another fingerprint'},
        {'held_out': ['SC-N-03']},
    ],
    ids=lambda other: next(iter(other)),
)
def test_what_was_measured_otherwise_is_neither_told_nor_lost(data, trainings, tmp_path, other):
    measured = measure(TRAINING, data, tmp_path / 'kept')
    with pytest.raises(LabError, match='kept was measured of other data or with other flags'):
        earlier(TRAINING._replace(**other), tmp_path / 'kept')
    assert earlier(TRAINING, tmp_path / 'kept') == measured


@pytest.mark.parametrize('left', [None, '', '{"made_with": {"exercise"'])
def test_nothing_or_a_file_cut_off_is_no_measurement(tmp_path, left):
    if left is not None:
        (tmp_path / 'measured.json').write_text(left)
    assert earlier(TRAINING, tmp_path) is None


def test_a_training_broken_off_keeps_nothing(data, tmp_path, monkeypatch):
    def broken_off(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, 'train_and_evaluate', broken_off)
    with pytest.raises(KeyboardInterrupt):
        measure(TRAINING, data, tmp_path)
    assert earlier(TRAINING, tmp_path) is None


def test_what_is_kept_says_what_it_was_made_with(data, trainings, tmp_path):
    measure(TRAINING, data, tmp_path / 'kept')
    kept = json.loads((tmp_path / 'kept' / 'measured.json').read_text())
    assert kept['made_with'] == {
        'exercise': 'cnn',
        'flags': ['--num_epochs', '1'],
        'seed': 1,
        'data': 'fingerprint',
        'held_out': ['SC-N-02'],
    }
