"""experiments/whole_lab.py: which preparation a folder gets, and what is trained."""

import sys

from experiments import commands, whole_lab


def test_without_a_source_the_phantom_is_prepared():
    assert whole_lab._preparation(None) == ['phantom']


def test_a_folder_of_images_and_masks_is_known_by_its_subfolders(tmp_path):
    for name in ('Images', 'Labels'):
        (tmp_path / name).mkdir()
    assert whole_lab._preparation(str(tmp_path)) == ['images', str(tmp_path / 'Images'), str(tmp_path / 'Labels')]


def test_a_list_of_validation_names_is_used_where_there_is_one(tmp_path):
    for name in ('images', 'masks'):
        (tmp_path / name).mkdir()
    (tmp_path / 'val_names.txt').write_text('a.png\n')
    assert whole_lab._preparation(str(tmp_path))[-2:] == ['--val_names', str(tmp_path / 'val_names.txt')]


def test_any_other_folder_is_left_to_the_sunnybrook_reader(tmp_path):
    assert whole_lab._preparation(str(tmp_path)) == ['sunnybrook', str(tmp_path)]


def test_a_source_that_is_no_folder_is_refused_in_one_line(run_here, tmp_path):
    done = run_here('scripts/lab.py', tmp_path / 'nowhere')
    assert done.returncode == 1
    assert done.stderr.startswith('ERROR: ') and len(done.stderr.splitlines()) == 1


def test_the_three_solutions_are_trained_and_the_lesson_is_told(monkeypatch, capsys):
    made = []

    def train_and_evaluate(exercise, data_dir, folder, flags):
        made.append((exercise, folder.name, flags))
        return commands.Run(60.0, {'step': 234, 'precision': 0.988, 'dice': 0.5, 'background_precision': 0.98522})

    monkeypatch.setattr(whole_lab, 'prepare', lambda source: None)
    monkeypatch.setattr(commands, 'train_and_evaluate', train_and_evaluate)
    monkeypatch.setattr(sys, 'argv', ['lab.py'])
    whole_lab.main()
    # The handout's order; a seed, so that the table can be made again.
    assert [name for name, *_ in made] == ['simple', 'cnn', 'cnnDice']
    assert all(folder == name and flags[-2:] == ['--seed', '1'] for name, folder, flags in made)
    printed = capsys.readouterr().out
    assert [line.split()[0] for line in printed.splitlines()[3:6]] == ['simple', 'cnn', 'cnnDice']
    assert 'has a precision of 0.985. Dice tells them apart.' in printed
