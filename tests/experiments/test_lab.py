"""scripts/lab.py: which preparation a folder gets, and what the closing table says."""

import pytest

from experiments import whole_lab


@pytest.fixture(scope='module')
def lab():
    return whole_lab


def test_without_a_source_the_phantom_is_prepared(lab):
    assert lab._preparation(None) == ['phantom']


def test_a_folder_of_images_and_masks_is_known_by_its_subfolders(lab, tmp_path):
    for name in ('Images', 'Labels'):
        (tmp_path / name).mkdir()
    assert lab._preparation(str(tmp_path)) == ['images', str(tmp_path / 'Images'), str(tmp_path / 'Labels')]


def test_a_list_of_validation_names_is_used_where_there_is_one(lab, tmp_path):
    for name in ('images', 'masks'):
        (tmp_path / name).mkdir()
    (tmp_path / 'val_names.txt').write_text('a.png\n')
    assert lab._preparation(str(tmp_path))[-2:] == ['--val_names', str(tmp_path / 'val_names.txt')]


def test_any_other_folder_is_left_to_the_sunnybrook_reader(lab, tmp_path):
    assert lab._preparation(str(tmp_path)) == ['sunnybrook', str(tmp_path)]


def test_a_source_that_is_no_folder_is_refused_in_one_line(run, tmp_path):
    done = run('scripts/lab.py', tmp_path / 'nowhere')
    assert done.returncode == 1
    assert done.stderr.startswith('ERROR: ') and len(done.stderr.splitlines()) == 1


def test_the_table_shows_each_run_and_what_calling_every_pixel_background_scores(lab):
    metrics = {'step': 234, 'precision': 0.98761, 'dice': 0.54321, 'background_precision': 0.98522}
    lines = lab.table([lab.Result('cnn', 1, 12.4, metrics)]).splitlines()
    assert lines[0].split() == ['exercise', 'epochs', 'steps', 'seconds', 'precision', 'Dice']
    assert lines[2].split() == ['cnn', '1', '234', '12', '0.988', '0.543']
    # All background: no pixel of the prediction overlaps the label, so Dice is 0.
    assert lines[3].split() == ['every', 'pixel', 'background', '0.985', '0.000']
