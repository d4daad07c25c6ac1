"""experiments/results.py: what is measured again and what is not, and that docs/results.md speaks of these rows."""

import json
import sys

from lvseg.errors import LabError

import pytest

from experiments import commands, results
from experiments.measuring import fingerprint


@pytest.mark.parametrize('flags', [*(row.flags for row in results.ROWS), *results.CHALLENGE])
def test_each_row_stands_in_the_published_tables(flags, root):
    assert f'| `{flags}` |' in (root / 'docs' / 'results.md').read_text()


@pytest.fixture
def data_of(write_slices, tmp_path):
    """Makes a folder without a manifest, with so many slices to train and one to validate."""

    def make(slices):
        folder = tmp_path / f'data-of-{slices}'
        write_slices(folder / 'train_images.tfrecords', range(slices))
        write_slices(folder / 'val_images.tfrecords', [0])
        return folder

    return make


@pytest.fixture
def trainings(trainings, monkeypatch):
    """Those of the stand-in; here Dice is so many tenths as there are slices to train, and seconds are so many."""
    measure = commands.train_and_evaluate

    def train_and_evaluate(exercise, data_dir, folder, flags, exercises):
        slices = int(data_dir.name[-1])
        done = measure(exercise, data_dir, folder, flags, exercises)
        return commands.Run(60.0 * slices, {**done.metrics, 'dice': slices / 10})

    monkeypatch.setattr(commands, 'train_and_evaluate', train_and_evaluate)
    return trainings


@pytest.fixture
def measure(monkeypatch, tmp_path, capsys):
    """Runs the command on a folder, with one row of the lab and one of the challenge; returns what it printed."""
    monkeypatch.setattr(results, 'LOGS', tmp_path / 'logs')
    monkeypatch.setattr(results, 'machine', lambda: 'a machine')
    monkeypatch.setattr(results, 'CHALLENGE', ('--network fcn',))

    def run(data_dir, flags='--num_epochs 1'):
        row = results.Row('cnnDice', 'cnn', flags, 'dice', 0.034, 0.029)
        monkeypatch.setattr(results, 'ROWS', (row,))
        monkeypatch.setattr(sys, 'argv', ['results.py', str(data_dir)])
        results.main()
        return capsys.readouterr().out

    return run


def lab_row(printed):
    return next(line for line in printed.splitlines() if line.startswith('| cnnDice'))


def test_each_row_is_trained_with_three_seeds_and_the_tables_have_them_all(measure, trainings, data_of):
    printed = measure(data_of(5))
    assert trainings == [
        *((f'seed-{seed}', 'cnn', ['--num_epochs', '1', '--seed', f'{seed}']) for seed in (1, 2, 3)),
        *((f'seed-{seed}', 'challenge', ['--network', 'fcn', '--seed', f'{seed}']) for seed in (1, 2, 3)),
    ]
    assert printed.splitlines() == [
        '',
        'Measured on a machine; seeds 1, 2, 3; mean ± standard deviation.',
        '',
        '| solution | flags | figure | here | each seed | handout | original code | steps | minutes |',
        '|---|---|---|---|---|---|---|---|---|',
        '| cnnDice | `--num_epochs 1` | dice | 0.500 ± 0.000 | 0.500, 0.500, 0.500 | 0.034 | 0.029 | 7 | 5.0 |',
        '',
        '| challenge, flags | Dice | each seed | Dice per slice | steps | minutes |',
        '|---|---|---|---|---|---|',
        '| `--network fcn` | 0.500 ± 0.000 | 0.500, 0.500, 0.500 | 0.667 ± 0.000 | 7 | 5.0 |',
    ]


def test_what_was_measured_before_is_not_measured_again(measure, trainings, data_of):
    first = measure(data_of(5))
    assert measure(data_of(5)) == first
    assert len(trainings) == 6


def test_of_other_data_the_old_figure_is_not_given_and_not_lost(measure, trainings, data_of):
    of_five = measure(data_of(5))
    assert '| 0.700, 0.700, 0.700 |' in lab_row(measure(data_of(7)))
    assert len(trainings) == 12
    assert measure(data_of(5)) == of_five
    assert len(trainings) == 12


def test_what_is_kept_names_its_data_in_full(measure, trainings, data_of, tmp_path):
    """The folder's name has the first 8 digits alone."""
    measure(data_of(5))
    kept = [json.loads(path.read_text()) for path in tmp_path.glob('logs/results/*/*/*/measured.json')]
    assert [one['made_with']['data'] for one in kept] == [fingerprint(data_of(5))] * 6


def test_a_manifest_added_makes_other_data(measure, trainings, data_of):
    """It may tell the pixel spacing, and then distances are in mm."""
    data_dir = data_of(5)
    measure(data_dir)
    (data_dir / 'manifest.csv').write_text('split,name\n')
    measure(data_dir)
    assert len(trainings) == 12


def test_a_row_of_other_flags_is_measured_anew(measure, trainings, data_of):
    measure(data_of(5))
    measure(data_of(5), flags='--num_epochs 2')
    assert [flags for *_, flags in trainings[6:]] == [['--num_epochs', '2', '--seed', f'{seed}'] for seed in (1, 2, 3)]


def test_what_was_broken_off_goes_on(measure, trainings, data_of, monkeypatch):
    train_and_evaluate = commands.train_and_evaluate

    def broken_off(exercise, data_dir, folder, flags, exercises):
        if flags[-1] == '2':
            raise KeyboardInterrupt
        return train_and_evaluate(exercise, data_dir, folder, flags, exercises)

    with monkeypatch.context() as patch:
        patch.setattr(commands, 'train_and_evaluate', broken_off)
        with pytest.raises(KeyboardInterrupt):
            measure(data_of(5))
    assert [name for name, *_ in trainings] == ['seed-1']
    measure(data_of(5))
    assert [name for name, *_ in trainings] == ['seed-1', 'seed-2', 'seed-3', 'seed-1', 'seed-2', 'seed-3']


@pytest.mark.parametrize('missing', ['train_images.tfrecords', 'val_images.tfrecords'])
def test_a_missing_record_file_is_told_before_anything_is_trained(measure, trainings, data_of, missing):
    data_dir = data_of(5)
    (data_dir / missing).unlink()
    with pytest.raises(LabError, match=f'{missing} not found'):
        measure(data_dir)
    assert not trainings


@pytest.mark.parametrize('told', [None, 'processor\t: 0\nBogoMIPS\t: 50.00\n'])
def test_where_no_model_is_told_as_on_macos_and_arm_the_architecture_is(told, monkeypatch):
    def read_text(path):
        if told is None:
            raise FileNotFoundError(path)
        return told

    monkeypatch.setattr(results.Path, 'read_text', read_text)
    monkeypatch.setattr(results.os, 'cpu_count', lambda: 8)
    monkeypatch.setattr(results.platform, 'processor', lambda: '')
    monkeypatch.setattr(results.platform, 'machine', lambda: 'arm64')
    assert results.machine().startswith('8 x arm64, Python 3.')
