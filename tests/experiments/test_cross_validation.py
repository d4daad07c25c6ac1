"""experiments/cross_validation.py: what is measured, what is measured again, and what it prints."""

import json
import sys

from lvseg.errors import LabError

import pytest

from experiments import cross_validation, fold_report, folds


@pytest.fixture
def cross_validate(data, tmp_path, monkeypatch, capsys):
    """Runs the script with these arguments behind DATA_DIR; returns what it printed."""

    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', ['cross_validate.py', str(data), '--out', str(tmp_path / 'out'), *arguments])
        cross_validation.main()
        return capsys.readouterr().out

    return run


def test_each_fold_is_trained_and_the_table_has_them_all(cross_validate, trainings, tmp_path):
    printed = cross_validate('--folds', '2', '--exercise', 'cnnDice', '--seed', '4', '--', '--num_epochs', '3')
    flags = ['--num_epochs', '3', '--seed', '4']
    assert trainings == [('fold-1', 'cnnDice', flags), ('fold-2', 'cnnDice', flags)]
    rows = [line.split() for line in printed.splitlines()]
    figures = ['7', '3', '0.667', '0.667', '0.500', '2.00', '6.50', '1.000']
    assert [row[4:] for row in rows if row[:1] == ['fold']] == [figures, figures]
    # Two patients in each fold, of seven slices in all; the standard deviation of equal numbers is 0.
    assert ['all', 'slices', '4', '7', '14', '6', *figures[2:]] in rows
    assert next(row for row in rows if row[:1] == ['standard'])[:3] == ['standard', 'deviation', '0']
    kept = json.loads((tmp_path / 'out' / '2-folds-seed-4.json').read_text())
    assert kept['flags'] == ['--num_epochs', '3'] and kept['all_slices']['dice'] == pytest.approx(2 / 3)


def test_by_half_of_the_patients_the_others_are_neither_trained_on_nor_held_out(
    cross_validate, trainings, manifest_of, tmp_path
):
    printed = cross_validate('--half', '--folds', '2', '--exercise', 'cnn')
    chosen = folds.half(['SC-HF-I-01', 'SC-HF-NI-03', 'SC-HYP-01', 'SC-N-02'])
    assert [name for name, *_ in trainings] == ['fold-1', 'fold-2']
    held_out = []
    for fold in (1, 2):
        lines = manifest_of(tmp_path / 'out' / 'half' / '2-folds-seed-1' / f'fold-{fold}' / 'data')
        assert {line['patient'] for line in lines} == set(chosen)
        held_out += {line['patient'] for line in lines if line['split'] == 'val'}
    assert sorted(held_out) == chosen
    assert 'fold 2 was measured before' not in printed
    assert 'fold 2 was measured before' in cross_validate('--half', '--folds', '2', '--exercise', 'cnn')


def test_each_training_starts_with_the_weights_of_a_run_on_others(cross_validate, trainings, run_on):
    phantoms = run_on('phantoms', ['SC-N-901'])
    cross_validate('--folds', '2', '--exercise', 'cnn', '--init_from', str(phantoms), '--', '--num_epochs', '3')
    flags = ['--num_epochs', '3', '--init_from', str(phantoms), '--seed', '1']
    assert trainings == [('fold-1', 'cnn', flags), ('fold-2', 'cnn', flags)]


def test_what_was_measured_from_weights_that_were_trained_anew_since_is_kept(cross_validate, trainings, run_on):
    phantoms = run_on('phantoms', ['SC-N-901'])
    cross_validate('--folds', '2', '--init_from', str(phantoms))
    told = json.loads((phantoms / 'run.json').read_text())
    (phantoms / 'run.json').write_text(json.dumps({**told, 'started': 'later'}))
    with pytest.raises(LabError, match='or from weights that were trained anew since. Move or remove it'):
        cross_validate('--folds', '2', '--init_from', str(phantoms))
    assert len(trainings) == 2


def test_weights_that_know_who_is_held_out_are_refused(cross_validate, trainings, run_on):
    with pytest.raises(LabError, match='leaky was trained on SC-HYP-01'):
        cross_validate('--init_from', str(run_on('leaky', ['SC-HYP-01'])))
    assert trainings == []


def test_the_patients_are_dealt_by_the_seed(trainings, write_data, manifest_of, tmp_path, monkeypatch):
    data = write_data(tmp_path / 'data', {'train': list('abcdef')})
    held_out = []
    for seed in (1, 2):
        arguments = ['--folds', '2', '--exercise', 'cnn', '--seed', str(seed), '--out', str(tmp_path / 'out')]
        monkeypatch.setattr(sys, 'argv', ['cross_validate.py', str(data), *arguments])
        cross_validation.main()
        folder = tmp_path / 'out' / f'2-folds-seed-{seed}' / 'fold-1' / 'data'
        held_out.append(sorted(line['patient'] for line in manifest_of(folder) if line['split'] == 'val'))
    assert held_out == [folds.deal(list('abcdef'), 2, seed)[0] for seed in (1, 2)]
    assert held_out[0] != held_out[1]


def test_what_was_measured_before_is_not_measured_again(cross_validate, trainings, tmp_path):
    cross_validate('--folds', '2', '--exercise', 'cnn')
    (tmp_path / 'out' / '2-folds-seed-1' / 'fold-2' / 'measured.json').unlink()  # As if it had been interrupted there.
    assert 'fold 1 was measured before' in cross_validate('--folds', '2', '--exercise', 'cnn')
    assert [name for name, *_ in trainings] == ['fold-1', 'fold-2', 'fold-2']
    cross_validate('--folds', '2', '--exercise', 'cnn', '--seed', '2')
    assert len(trainings) == 5


def test_what_was_measured_with_other_flags_is_kept(cross_validate, trainings, tmp_path):
    cross_validate('--folds', '2', '--exercise', 'cnn')
    kept = (tmp_path / 'out' / '2-folds-seed-1.json').read_text()
    with pytest.raises(
        LabError, match='fold-1 was measured of other data or with other flags, or from .* Move or remove it'
    ):
        cross_validate('--folds', '2', '--exercise', 'cnn', '--', '--num_epochs', '2')
    assert len(trainings) == 2 and (tmp_path / 'out' / '2-folds-seed-1.json').read_text() == kept


def test_what_was_measured_of_other_data_is_kept(cross_validate, trainings, data):
    cross_validate('--folds', '2', '--exercise', 'cnn')
    text = (data / 'manifest.csv').read_text()
    (data / 'manifest.csv').write_text(text.replace('1.25', '1.5'))
    with pytest.raises(LabError, match='fold-1 was measured of other data'):
        cross_validate('--folds', '2', '--exercise', 'cnn')
    assert len(trainings) == 2


def test_a_pathology_held_out_stands_beside_those_not_yet_measured(cross_validate, trainings, manifest_of, tmp_path):
    printed = cross_validate('--hold_out', 'SC-HF-I', '--exercise', 'cnn')
    assert [name for name, *_ in trainings] == ['SC-HF-I']
    folder = tmp_path / 'out' / 'hold-out-seed-1' / 'SC-HF-I' / 'data'
    assert {line['patient'] for line in manifest_of(folder) if line['split'] == 'val'} == {'SC-HF-I-01'}
    for name in ('SC-HF-NI', 'SC-HYP', 'SC-N'):
        assert [name, 'not', 'yet', 'measured'] in [line.split() for line in printed.splitlines()]
    # Once a second one is measured, the first is still there.
    printed = cross_validate('--hold_out', 'SC-N', '--exercise', 'cnn')
    assert [name for name, *_ in trainings] == ['SC-HF-I', 'SC-N']
    assert printed.count('not yet measured') == 2


def test_all_pathologies_are_held_out_in_turn(cross_validate, trainings):
    printed = cross_validate('--hold_out', 'all', '--exercise', 'cnn')
    assert [name for name, *_ in trainings] == ['SC-HF-I', 'SC-HF-NI', 'SC-HYP', 'SC-N']
    assert 'not yet measured' not in printed and 'all slices' in printed


def test_a_pathology_without_patients_is_refused(write_data, tmp_path, monkeypatch):
    data = write_data(tmp_path / 'data', {'train': ['SC-N-1', 'SC-HYP-1']})
    monkeypatch.setattr(sys, 'argv', ['cross_validate.py', str(data), '--hold_out', 'all', '--exercise', 'cnn'])
    with pytest.raises(LabError, match='has no patients of SC-HF-I, SC-HF-NI'):
        cross_validation.main()


def test_without_flags_the_challenge_is_trained_by_its_recipe(cross_validate, trainings, monkeypatch):
    monkeypatch.setattr(cross_validation, 'RECIPE', ['--network', 'unet'])
    cross_validate('--folds', '2')
    assert trainings[0] == ('fold-1', 'challenge', ['--network', 'unet', '--seed', '1'])


@pytest.mark.parametrize(('flags', 'parts'), [(['--folds', '2'], 2), (['--hold_out', 'SC-N'], 1)])
def test_the_report_is_of_all_parts_together(cross_validate, trainings, monkeypatch, flags, parts):
    asked = []
    monkeypatch.setattr(fold_report, 'report', lambda folders, out: asked.append((folders, out)) or 'THE REPORT')
    assert 'THE REPORT' not in cross_validate(*flags, '--exercise', 'cnn') and not asked
    assert 'THE REPORT' in cross_validate(*flags, '--exercise', 'cnn', '--report')
    ((folders, out),) = asked
    assert [folder.name for folder in folders] == [name for name, *_ in trainings] and len(folders) == parts
    assert out == folders[0].parent / 'report'


# As it is run.


def test_two_folds_as_they_are_run(run, write_data, tmp_path):
    data = write_data(tmp_path / 'data', {'train': ['a', 'a', 'b'], 'val': ['b', 'c']})
    arguments = ['scripts/cross_validate.py', data, '--folds', 2, '--exercise', 'cnnDice', '--out', tmp_path / 'out']
    done = run(*arguments, '--', '--num_epochs', 1)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('$ python exercise_solutions/cnnDice/runTraining.py --num_epochs 1 --seed 1') == 2
    folds = [line.split()[1:4] for line in done.stdout.splitlines() if line.startswith('fold')]
    numbers, patients, slices = zip(*(map(int, fold) for fold in folds))
    assert numbers == (1, 2)
    assert sorted(patients) == [1, 2]  # a, b and c
    assert sum(slices) == 5 and min(slices) >= 1


@pytest.mark.parametrize(
    'flags',
    [
        ['--folds', '1'],
        ['--hold_out', 'SC-X'],
        ['--folds', '2', '--num_epochs', '1'],
        ['--', '--seed', '9'],
        ['--', '--init_from=logs/cnn/train'],
    ],
)
def test_bad_flags_are_refused_in_one_line(run_here, data, flags):
    done = run_here('scripts/cross_validate.py', data, *flags)
    assert done.returncode == 2
    assert done.stderr.startswith('ERROR: ') and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize('flag', ['--data_dir', '--checkpoint_dir', '--seed', '--resume', '--init_from'])
def test_what_each_part_sets_for_itself_cannot_be_set_for_all(data, flag, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['cross_validate.py', str(data), '--', '--num_epochs', '1', flag])
    with pytest.raises(SystemExit) as ended:
        cross_validation.main()
    assert ended.value.code == 2
    assert f'{flag} cannot stand behind --' in capsys.readouterr().err
