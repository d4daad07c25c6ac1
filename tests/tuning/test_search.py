"""scripts/search.py as a whole: the inner split, what it refuses, and a search of real trainings."""

import csv
import re
import shlex
import subprocess
import sys

from lvseg import records

import pytest

from tests.experiments.conftest import manifest_of, trainings, write_data  # noqa: F401 - fixtures
from tuning import command, trials


@pytest.fixture
def data(tmp_path, write_data):  # noqa: F811
    """Six slices of five patients to train, and two to validate, one of them of a patient who is on both sides."""
    sides = {
        'train': ['SC-N-2', 'SC-HYP-1', 'SC-N-2', 'SC-HF-I-1', 'SC-HF-NI-3', 'SC-N-5'],
        'val': ['SC-N-2', 'SC-N-9'],
    }
    return write_data(tmp_path / 'data', sides)


@pytest.fixture
def search(data, tmp_path, monkeypatch, capsys):
    """Runs the command with these arguments; what it printed."""

    def run(*arguments):
        directories = ['--data_dir', str(data), '--out', str(tmp_path / 'out')]
        monkeypatch.setattr(sys, 'argv', ['search.py', *arguments, *directories])
        command.main()
        return capsys.readouterr().out

    return run


def test_trials_are_compared_on_patients_of_the_training_slices_and_the_held_out_ones_are_not_there(
    data,
    tmp_path,
    manifest_of,  # noqa: F811
):
    folder = command.inner_split(data, tmp_path / 'out', seed=1)
    lines = manifest_of(folder)
    sides = {side: {line['patient'] for line in lines if line['split'] == side} for side in ('train', 'val')}
    assert len(lines) == 6 and not sides['train'] & sides['val']
    # A fifth of five patients, of two pathologies and more.
    assert len(sides['val']) == 1
    # The pixels of a slice are its number; 6 and 7 are held out.
    found = {
        int(image.max())
        for name in ('train_images.tfrecords', 'val_images.tfrecords')
        for image, _ in records.read(str(folder / name))
    }
    assert found == {0, 1, 2, 3, 4, 5}
    assert command.inner_split(data, tmp_path / 'out', seed=1) == folder


def test_slices_of_one_patient_are_one_line(write_data, tmp_path):  # noqa: F811
    data = write_data(tmp_path / 'one', {'train': ['a', 'a'], 'val': ['b']})
    with pytest.raises(command.LabError, match='are all of one patient; a search wants two patients or more'):
        command.inner_split(data, tmp_path / 'out', seed=1)


def test_a_folder_that_cannot_be_written_is_one_line(data, tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(command.LabError, match='cannot (be written|write to)'):
        command.inner_split(data, tmp_path / 'file' / 'out', seed=1)


def test_without_optuna_the_line_says_how_to_install_it(search, monkeypatch):
    find = command.importlib.util.find_spec
    monkeypatch.setattr(command.importlib.util, 'find_spec', lambda name: None if name == 'optuna' else find(name))
    with pytest.raises(command.LabError) as error:
        search('cnnDice')
    assert str(error.value) == 'the search wants an extra (optuna not found). Install it: make setup EXTRA=search'


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (['cnnDice', '--trials', '0'], 'argument --trials: a whole number from 1 to 2147483647 is wanted'),
        (['cnnDice', '--jobs', 'two'], 'argument --jobs: a whole number from 1'),
        (['cnnDice', '--minutes', 'inf'], 'argument --minutes: a finite number above 0 is wanted'),
        (['other'], 'argument EXERCISE: invalid choice'),
        ([], 'the following arguments are required: EXERCISE'),
    ],
)
def test_bad_flags_are_refused_in_one_line(arguments, said, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['search.py', *arguments])
    with pytest.raises(SystemExit) as end:
        command.main()
    (line,) = capsys.readouterr().err.splitlines()
    assert end.value.code == 2 and line.startswith(f'ERROR: {said}')


@pytest.mark.slow
def test_a_search_of_real_trainings_ends_with_the_command_of_the_best(search, trainings, data, tmp_path):  # noqa: F811
    arguments = ['cnnDice', '--trials', '2', '--num_epochs', '2', '--batch_size', '5', '--learning_rate=1e-3..0.01']
    printed = search(*arguments)
    out = tmp_path / 'out'
    with (out / 'search.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert [row['state'] for row in rows if row['state'] == 'complete'] and len(rows) == 2
    for row in rows:  # For the HParams tab, with the last Dice.
        (row_of_trial,) = out.glob(f'trial-{int(row["trial"]):04d}/events.out.tfevents.*')
        assert trials.read_dice(str(row_of_trial)) == pytest.approx({int(row['epochs']): float(row['dice'])}, abs=1e-4)
    assert (out / 'search.html').exists()

    # Looked at once: the best and the default with three seeds each; and the default on the inner slices.
    assert [name for name, *_ in trainings] == ['inner', *['seed-1', 'seed-2', 'seed-3'] * 2]
    assert re.search(r'^the default .* 0\.667, 0\.667, 0\.667 +0\.667', printed, re.MULTILINE)
    last = shlex.split(printed.splitlines()[-1])
    assert last[:4] == ['python', 'exercise_solutions/cnnDice/runTraining.py', '--data_dir', str(data)]
    subprocess.run([sys.executable, *last[1:], '-h'], check=True, stdout=subprocess.DEVNULL)

    # The same command again trains nothing, and looks at nothing again.
    again = search(*arguments)
    assert again.splitlines()[-1] == printed.splitlines()[-1]
    assert len(trainings) == 7
