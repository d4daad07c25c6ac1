import io
import json
import os
import re
import shutil
import sys
from typing import NamedTuple

from lvseg import errors, networks, pictures, runs
from lvseg.prediction import Trained

import numpy as np
import pytest
from PIL import Image

from inside import drawing as show

SHOW = 'scripts/show.py'


@pytest.fixture(scope='module')
def trained(exercise_of, copy_exercise, tmp_path_factory):
    """An epoch of cnn on 10 slices."""
    run_dir = tmp_path_factory.mktemp('trained') / 'train'
    assert exercise_of(copy_exercise('cnn')).train(run_dir, '--seed', 1).code == 0
    return run_dir


def predict_all_of_slice(wanted):
    """A network that knows the ventricle of slice n, whose other pixels are 1024 n, and takes no other for one."""

    def probabilities(images):
        numbers = images[:, 0, 0] // 1024
        found = images % 1024 == 512
        return (found & np.isin(numbers, list(wanted))[:, np.newaxis, np.newaxis]).astype(np.float32)

    return Trained('model.ckpt-1', 1, 'cnn', {}, probabilities)


def colours_in(picture, colour):
    return int((np.abs(np.asarray(picture).astype(int) - colour).max(axis=-1) < 8).sum())


class Ended(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run_show(monkeypatch, capsys):
    """Runs show.py within the test's process."""

    def run(*flags):
        monkeypatch.setattr(sys, 'argv', ['show.py', *map(str, flags)])
        code = 0
        try:
            errors.exit_with_message(show.main)
        except SystemExit as end:
            code = end.code
        return Ended(code, *capsys.readouterr())

    return run


def error_line(ended):
    assert ended.code == 1
    return [line for line in ended.err.splitlines() if line.startswith('ERROR: ')][0]


def test_a_record_file_becomes_one_small_picture(run, trained, data_dir, tmp_path):
    out = tmp_path / 'shown.png'
    flags = ['cnn', '--checkpoint_dir', trained, '--data', data_dir / 'train_images.tfrecords', '--out', out]
    done = run(SHOW, *flags, check=True)
    assert done.stdout == f'10 of 10 slices are shown in {out}\n'
    picture = Image.open(str(out)).convert('RGB')
    # Two rows, 6 and 4 tiles of 224 pixels, 8 between.
    assert picture.width == 8 + 6 * 232
    assert out.stat().st_size < 1e6
    assert colours_in(picture, pictures.EXPERT) > 10 * 50  # ten ventricles of at least 10 x 20 pixels


def test_by_default_the_validation_slices_are_shown_beside_the_checkpoint(run_show, trained, data_dir):
    done = run_show('--checkpoint_dir', trained, '--data', data_dir)
    assert done.out == f'4 of 4 slices are shown in {trained / "show.png"}\n'
    assert (trained / 'show.png').exists()


def test_a_folder_of_pictures_is_shown_without_dice(run_show, trained, tmp_path):
    folder = tmp_path / 'mine'
    folder.mkdir()
    for number in range(3):
        pixels = np.full((200, 300), 40 * number + 20, np.uint8)  # another size than the network's
        Image.fromarray(pixels).save(str(folder / f'slice{number}.png'))
    out = tmp_path / 'shown.png'
    run_show('--checkpoint_dir', trained, '--data', folder, '--out', out)
    # No expert was asked, and none is named.
    assert colours_in(Image.open(str(out)).convert('RGB'), pictures.EXPERT) == 0


@pytest.fixture
def forty_pictures(tmp_path):
    """Named 001.png to 040.png; number n is of grey n."""
    folder = tmp_path / 'forty'
    folder.mkdir()
    for number in range(1, 41):
        Image.fromarray(np.full((256, 256), number, np.uint8)).save(str(folder / f'{number:03d}.png'))
    return folder


@pytest.mark.parametrize(
    ('flags', 'shown', 'said'),
    [
        ([], range(1, 31), '30 of 40 slices are shown in OUT: 1 to 30; choose others with --slices, as --slices 31:40'),
        (
            ['--slices', '31:60'],
            range(31, 41),
            '10 of 40 slices are shown in OUT: 31 to 40; choose others with --slices, as --slices 1:30',
        ),
        (
            ['--slices', '7:7'],
            [7],
            '1 of 40 slices are shown in OUT: 7 to 7; choose others with --slices, as --slices 8:37',
        ),
        (['--slices', '1:40'], range(1, 41), '40 of 40 slices are shown in OUT'),
    ],
)
def test_of_many_pictures_it_is_told_which_are_shown_and_others_can_be_chosen(
    flags, shown, said, run_show, trained, forty_pictures, tmp_path, monkeypatch
):
    drawn, draw = [], show.draw
    monkeypatch.setattr(show, 'draw', lambda slices, title: drawn.extend(slices) or draw(slices, title))
    out = tmp_path / 'shown.png'
    done = run_show('--checkpoint_dir', trained, '--data', forty_pictures, '--out', out, *flags)
    assert done.out == said.replace('OUT', str(out)) + '\n'
    assert [piece.name for piece in drawn] == [f'{number:03d}.png' for number in shown]


def test_of_records_with_labels_it_is_told_that_the_worst_are_shown(write_slices, tmp_path):
    file = write_slices(tmp_path / 'many.tfrecords', range(40))
    predict = predict_all_of_slice(set(range(40)) - {35, 38})
    slices = show.source(str(file))
    assert show.which(slices, show.worst(slices, predict)).startswith(': those with the lowest Dice; choose others')
    some = show.source(str(file), show.Chosen(35, 37))
    drawn = show.worst(some, predict)
    assert [piece.name for piece in drawn] == ['record 36', 'record 35', 'record 37']
    assert show.which(some, drawn).startswith(': 35 to 37;')


def test_slices_beyond_the_last_are_refused(run_show, trained, forty_pictures):
    done = run_show('--checkpoint_dir', trained, '--data', forty_pictures, '--slices', '41:50')
    assert error_line(done) == f'ERROR: --slices 41:50: there are only 40 slices in {forty_pictures}.'


@pytest.mark.parametrize('slices', ['0:3', '5:4', '30', '1:301', 'a:b', '1:', '-1:3', '1:99999999999999999999'])
def test_what_names_no_slices_is_refused_in_one_line(slices, run_show):
    done = run_show(f'--slices={slices}')
    assert done.code == 2
    assert 'first and last number are wanted' in done.err and len(done.err.splitlines()) == 1


def test_the_legend_names_an_expert_only_where_there_is_one():
    empty = np.zeros((256, 256), int)
    for label, number in ((empty, True), (None, False)):
        piece = show.Shown('x', pictures.Slice(np.zeros((256, 256)), label, empty), None if label is None else 0.0)
        png = Image.open(io.BytesIO(show.draw([piece], 'title'))).convert('RGB')
        assert (colours_in(png, pictures.EXPERT) > 0) == number
        assert colours_in(png, pictures.NETWORK) > 0


def test_a_picture_of_any_name_is_shown_with_what_the_font_has_of_it(run_show, trained, forty_pictures, tmp_path):
    for name in ('심장.png', 'two\nlines.png', os.fsdecode(b'\xff.png')):
        shutil.copy(str(forty_pictures / '001.png'), str(tmp_path / 'forty' / name))
    done = run_show(
        '--checkpoint_dir', trained, '--data', forty_pictures, '--slices', '31:50', '--out', tmp_path / 'o.png'
    )
    assert done.out.startswith('13 of 43 slices')


def test_a_folder_of_dicom_is_shown(run_show, trained, shared, tmp_path):
    studies = shared / 'data' / 'sunnybrook_2009_challenge' / 'challenge_training'
    folder = tmp_path / 'study'
    folder.mkdir()
    for path in sorted(studies.glob('*/*.dcm'))[:2]:
        shutil.copy(str(path), str(folder))
    done = run_show('--checkpoint_dir', trained, '--data', folder, '--out', tmp_path / 'shown.png')
    assert done.out.startswith('2 of 2 slices')


def test_the_worst_come_first(data_dir):
    slices = show.source(str(data_dir))
    drawn = show.worst(slices, predict_all_of_slice({0, 2}))
    assert [(piece.name, piece.dice) for piece in drawn] == [
        ('record 2', 0),
        ('record 4', 0),
        ('record 1', 1),
        ('record 3', 1),
    ]


def test_of_many_slices_the_worst_thirty_are_shown(write_slices, tmp_path):
    file = write_slices(tmp_path / 'many.tfrecords', range(40))
    drawn = show.worst(show.source(str(file)), predict_all_of_slice(set(range(40)) - {35, 38}))
    assert len(drawn) == 30
    assert [piece.name for piece in drawn[:3]] == ['record 36', 'record 39', 'record 1']


def test_captions_tell_dice_and_name_and_fit_below_the_tile():
    piece = pictures.Slice(np.zeros((256, 256)), np.zeros((256, 256), int), np.zeros((256, 256), int))
    long_name = 'a_folder/' * 10 + 'IM-0001-0048.dcm'
    with_label, without = show.Shown(long_name, piece, 0.25), show.Shown('x.png', piece._replace(label=None), None)
    for shown in (with_label, without):
        png = Image.open(io.BytesIO(show.draw([shown], 'title')))
        assert png.width == 224 + 2 * 8


def test_the_newest_run_is_shown_unless_another_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(show, 'LOGS', tmp_path)
    for age, (name, exercise) in enumerate([('cnn/train', 'cnn'), ('lab/simple/train', 'simple'), ('x/train', 'cnn')]):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / 'run.json').write_text(f'{{"exercise": "{exercise}"}}')
        (folder / 'checkpoint').write_text('')
        os.utime(str(folder / 'checkpoint'), (1000 - age, 1000 - age))
    assert show.newest_run(None) == str(tmp_path / 'cnn/train')
    assert show.newest_run('simple') == str(tmp_path / 'lab/simple/train')


def test_it_is_told_where_a_run_comes_from_if_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(show, 'LOGS', tmp_path)
    with pytest.raises(show.LabError, match=r'no trained network cnn .*exercise_solutions/cnn/runTraining\.py'):
        show.newest_run('cnn')


def test_a_directory_that_is_no_run_is_refused(run_show, tmp_path):
    assert 'no directory of a training run' in error_line(run_show('--checkpoint_dir', tmp_path))


def test_data_that_is_not_there_is_refused(run_show, trained, tmp_path):
    assert f'{tmp_path / "none"} not found' in error_line(
        run_show('--checkpoint_dir', trained, '--data', tmp_path / 'none')
    )


@pytest.fixture
def noted(trained, tmp_path):
    """A copy of the run with other entries in its run.json."""

    def copy(**entries):
        run_dir = tmp_path / 'noted'
        shutil.copytree(str(trained), str(run_dir))
        run = json.loads((run_dir / 'run.json').read_text())
        (run_dir / 'run.json').write_text(json.dumps({**run, **entries}))
        return run_dir

    return copy


@pytest.mark.parametrize('folder', ['exercises', 'exercise_solutions'])
def test_the_network_is_the_one_beside_the_program_that_made_the_run(folder, simple, root, tmp_path, monkeypatch):
    program = root / folder / 'simple' / 'runTraining.py'
    monkeypatch.setattr(sys, 'argv', [str(program)])
    simple.train(tmp_path / 'train')
    assert networks.of_run('simple', runs.load(str(tmp_path / 'train'))) == program.with_name('neuralnetwork.py')


def test_a_students_unfinished_network_is_explained(run_show, noted, data_dir, root):
    run_dir = noted(program=str(root / 'exercises/cnn/runTraining.py'))
    message = error_line(run_show('--checkpoint_dir', run_dir, '--data', data_dir))
    assert re.search(r"exercises/cnn/neuralnetwork\.py, line \d+: name 'FIXME' is not defined", message)


def test_a_run_from_elsewhere_cannot_name_a_program_to_be_run(run_show, noted, data_dir, tmp_path):
    (tmp_path / 'neuralnetwork.py').write_text('print("run")')
    done = run_show('--checkpoint_dir', noted(exercise=str(tmp_path)), '--data', data_dir)
    assert (
        error_line(done)
        == f"ERROR: '{tmp_path}' is no exercise of this lab; there are challenge, cnn, cnnDice, simple."
    )
    assert done.out == ''


def test_a_checkpoint_of_another_network_is_named(run_show, trained, data_dir):
    assert 'checkpoint of cnn, this is simple' in error_line(
        run_show('simple', '--checkpoint_dir', trained, '--data', data_dir)
    )


def test_a_picture_that_cannot_be_written_is_told(run_show, trained, data_dir):
    flags = ['--checkpoint_dir', trained, '--data', data_dir, '--out', '/proc/none/show.png']
    assert 'cannot write to /proc/none' in error_line(run_show(*flags))
