"""experiments/times.py: minutes of a training, reckoned from two short ones."""

import sys

import pytest

from experiments import commands, times


@pytest.fixture
def asked(monkeypatch):
    """Commands run in 10 seconds of start and 4 for each epoch; returns them as they come."""
    asked = []

    def spent(arguments):
        asked.append(arguments)
        epochs = int(arguments[arguments.index('--num_epochs') + 1])
        return commands.Spent(10.0 + 4 * epochs, 500.0)

    monkeypatch.setattr(commands, 'spent', spent)
    return asked


def test_start_and_epochs_are_told_apart():
    # 1 epoch in 14 s and 3 in 22: an epoch takes 4, the start 10, so 30 epochs take 130 s.
    assert times.minutes(14, 22, epochs=30) == pytest.approx(130 / 60)


def test_every_training_that_the_guide_tells_of_is_timed_in_turn(asked, monkeypatch, write_slices, tmp_path, capsys):
    write_slices(tmp_path / 'train_images.tfrecords', range(8))
    write_slices(tmp_path / 'val_images.tfrecords', [0])
    monkeypatch.setattr(sys, 'argv', ['measure_times.py', str(tmp_path)])
    times.main()
    exercises = [arguments[0].split('/')[1] for arguments in asked]
    assert exercises == ['cnn', 'cnn', 'cnnDice', 'cnnDice', *['challenge'] * 6] * times.ROUNDS
    assert all(arguments.count('--num_epochs') == 1 for arguments in asked)  # A later one would count, silently.
    # 10 s and 4 for each of 30, 100, 5, 50 and 125 epochs: 130, 410, 30, 210 and 510 s.
    printed = capsys.readouterr().out
    assert printed.startswith('8 slices, on ')
    assert [line.split(' | ')[1:] for line in printed.splitlines()[4:]] == [
        ['30', '2.2', '2.2 to 2.2 |'],
        ['100', '6.8', '6.8 to 6.8 |'],
        ['5', '0.5', '0.5 to 0.5 |'],
        ['50', '3.5', '3.5 to 3.5 |'],
        ['125', '8.5', '8.5 to 8.5 |'],
    ]


def test_without_records_nothing_is_timed(run_here, tmp_path):
    done = run_here('scripts/measure_times.py', tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith('ERROR: ') and len(done.stderr.splitlines()) == 1
