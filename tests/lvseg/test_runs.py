import json
import os
import signal
import subprocess
import sys

from lvseg import flags, locks, runs, training
from lvseg.errors import LabError
from lvseg.flags import Flag

import pytest


@pytest.fixture
def directory(tmp_path):
    return tmp_path / 'logs' / 'train'


def described(directory, **others):
    """A training run; any flag that is not the lab's is kept on resume, as those are that an exercise adds."""
    settings = {
        'exercise': 'cnn',
        'data_dir': '/data',
        'slices': 234,
        'batch_size': 1,
        'num_epochs': 1,
        'eval_every': None,
        'seed': 1,
        'checkpoint_dir': str(directory),
        'init_from': None,
        'resume': False,
        **others,
    }
    values = {name: settings[name] for name in runs.Run._fields if name in settings}
    kept = {'batch_size': None, **{name: False for name in others if name not in runs.Run._fields}}
    return runs.Run(**values, steps_done=0, kept_on_resume=kept, for_inference={}, settings=settings)


@pytest.fixture
def training_run(data_dir):
    """Describes a training run by its flags, on the 10 slices of data_dir."""

    def described_by(*given):
        return training.describe(flags.training('cnn').parse_args(['--data_dir', str(data_dir), *map(str, given)]))

    return described_by


def train(directory, **flags):
    """A training that comes and goes, and leaves one file."""
    with runs.claim(described(directory, **flags)):
        (directory / 'model').write_text(f'weights of seed {flags.get("seed")}')


def refusal(directory, **flags):
    with pytest.raises(LabError) as error:
        runs.claim(described(directory, **flags))
    assert '\n' not in str(error.value)
    return str(error.value)


def test_a_run_keeps_its_flags_beside_its_checkpoints(directory):
    train(directory, seed=7)
    run = json.loads((directory / 'run.json').read_text())
    assert (run['exercise'], run['seed'], run['checkpoint_dir']) == ('cnn', 7, str(directory))


def test_a_fresh_start_moves_the_earlier_run_aside_as_a_whole_and_says_so(directory, capsys):
    for seed in (1, 2, 3):
        train(directory, seed=seed)
    said = [f'The earlier run in {directory} is kept in {directory}-{number}.' for number in (1, 2)]
    assert capsys.readouterr().err.splitlines() == said

    for folder, seed in ((f'{directory}-1', 1), (f'{directory}-2', 2), (str(directory), 3)):
        assert runs.load(folder)['seed'] == seed
        with open(os.path.join(folder, 'model')) as file:
            assert file.read() == f'weights of seed {seed}'


def test_a_run_moved_aside_takes_a_number_that_is_free(directory):
    (directory.parent / 'train-1').mkdir(parents=True)
    train(directory, seed=1)
    train(directory, seed=2)
    assert runs.load(f'{directory}-2')['seed'] == 1


def test_a_run_in_the_directory_where_one_stands_is_moved_aside_too(directory, monkeypatch):
    train(directory, seed=1)
    monkeypatch.chdir(directory)
    train(directory, seed=2)
    assert (runs.load(f'{directory}-1')['seed'], runs.load(str(directory))['seed']) == (1, 2)


def test_files_of_somebody_else_are_left_alone(directory):
    directory.mkdir(parents=True)
    (directory / 'thesis.txt').write_text('chapter 1')
    assert f'{directory} holds files, but no run of this lab' in refusal(directory)
    assert os.listdir(str(directory)) == ['thesis.txt']


@pytest.mark.parametrize('below', ['', 'data', 'my/data'])
def test_a_run_is_not_moved_aside_with_the_data_that_is_to_be_read(below, directory, tmp_path):
    train(directory)
    data = directory / below
    data.mkdir(parents=True, exist_ok=True)
    (tmp_path / 'link').symlink_to(data)
    for data_dir in (data, tmp_path / 'link'):
        line = refusal(directory, data_dir=str(data_dir))
        assert line.startswith(f'{data_dir} lies in {directory}, and would be moved aside with the earlier run there.')
    assert (directory / 'run.json').exists() and data.exists() and not os.path.exists(f'{directory}-1')
    train(directory, data_dir=str(data), resume=True)


@pytest.mark.parametrize('read', ['run', 'data'])
def test_results_are_not_moved_aside_with_what_is_to_be_read(read, directory, tmp_path):
    train(directory)
    held = {'run': directory, 'data': tmp_path / 'data', read: tmp_path / 'eval' / read}
    (tmp_path / 'eval').mkdir()
    (tmp_path / 'eval' / 'run.json').write_text('{"started": "earlier"}')
    if read == 'run':
        train(held['run'])
    with pytest.raises(LabError, match=f'{held[read]} lies in {tmp_path}/eval, and would be moved aside'):
        runs.follow(str(tmp_path / 'eval'), str(held['run']), str(held['data']))
    assert os.path.exists(str(tmp_path / 'eval' / 'run.json'))


def test_an_empty_directory_is_used(directory, capsys):
    directory.mkdir(parents=True)
    train(directory)
    assert capsys.readouterr().err == ''


def test_what_a_run_leaves_that_is_killed_at_once_stops_no_one(directory, capsys):
    directory.mkdir(parents=True)
    (directory / 'lock').write_text('99')
    (directory / 'run.json.part').write_text('{"seed"')
    train(directory)
    train(directory, resume=True)
    assert capsys.readouterr().err == ''


def test_resuming_goes_on_in_the_same_directory(directory, capsys):
    train(directory, seed=1)
    started = runs.load(str(directory))['started']
    train(directory, seed=1, resume=True)
    assert runs.load(str(directory))['started'] == started
    assert capsys.readouterr().err == ''
    assert not os.path.exists(f'{directory}-1')


def test_resuming_where_there_is_no_run_starts_one(directory):
    train(directory, resume=True)
    assert (directory / 'run.json').exists()


def test_resuming_the_run_of_another_exercise_is_refused(directory):
    train(directory, exercise='simple')
    assert refusal(directory, exercise='cnn', resume=True).startswith('checkpoint of simple, this is cnn.')


def test_resuming_the_challenge_with_another_network_is_refused(directory):
    train(directory, exercise='challenge', network='fcn', normalisation='lab')
    line = refusal(directory, exercise='challenge', network='unet', normalisation='lab', resume=True)
    assert f'the run in {directory} has --network fcn, not unet' in line


def test_resuming_the_challenge_with_another_optimizer_is_refused(directory):
    train(directory, exercise='challenge', optimizer='adam')
    line = refusal(directory, exercise='challenge', optimizer='sgd', resume=True)
    assert f'the run in {directory} has --optimizer adam, not sgd' in line


def test_resuming_with_another_batch_size_is_refused(directory):
    train(directory, batch_size=4)
    line = refusal(directory, batch_size=2, resume=True)
    assert f'the run in {directory} has --batch_size 4, not 2' in line


def test_resuming_with_another_number_of_training_slices_is_refused(directory):
    train(directory, slices=234)
    line = refusal(directory, slices=10, data_dir='/other', resume=True)
    assert f'the run in {directory} has seen 234 training slices, /other has 10.' in line


def test_resuming_with_the_same_slices_moved_elsewhere_goes_on(directory):
    train(directory, slices=234)
    train(directory, slices=234, data_dir='/other', resume=True)
    assert runs.load(str(directory))['data_dir'] == '/other'


@pytest.mark.parametrize('content', ['', '{"seed": 1', '[]', 'null', '\x00\xff'])
def test_a_damaged_run_json_refuses_to_resume_and_is_moved_aside_by_a_fresh_start(content, directory):
    train(directory)
    (directory / 'run.json').write_bytes(content.encode('latin-1'))
    assert f'{directory}/run.json is damaged' in refusal(directory, resume=True)
    train(directory)
    assert (directory.parent / 'train-1' / 'run.json').read_bytes() == content.encode('latin-1')


@pytest.mark.parametrize(
    ('values', 'found'),
    [
        ('{"seed": "abc"}', 'seed must be a whole number'),
        ('{"seed": 1.5}', 'seed must be a whole number'),
        ('{"seed": true}', 'seed must be a whole number'),
        ('{"seed": -1}', 'seed must be from 0 to 2147483647'),
        ('{"seed": 2147483648}', 'seed must be from 0 to 2147483647'),
        ('{"seed": 1%s}' % ('0' * 30), "'seed' must be a text, a number, true, false or null"),
        ('{"started": 5}', 'started must be a text'),
        ('{"exercise": 5}', 'exercise must be a text'),
        ('{"init_from": 5}', 'init_from must be a text'),
        ('{"network": ["unet"]}', "'network' must be a text, a number, true, false or null"),
        ('{"network": {}}', "'network' must be a text, a number, true, false or null"),
        ('{"two\\nlines": []}', r"'two\nlines' must be a text"),
        ('{"added_flags": 5}', 'added_flags must be a list of flags'),
        ('{"added_flags": [[]]}', 'added_flags must be a list of flags'),
        ('[' * 100000, 'the flags of a run are wanted'),
        ('{"a":' * 100000, 'the flags of a run are wanted'),
    ],
    ids=lambda value: value[:20],
)
def test_a_run_json_of_what_no_run_has_is_damaged(values, found, directory):
    directory.mkdir(parents=True)
    (directory / 'run.json').write_text(values)
    with pytest.raises(LabError) as error:
        runs.load(str(directory))
    line = str(error.value)
    assert line.startswith(f'{directory}/run.json is damaged: {found}') and line.count('\n') == 0


def test_a_folder_or_a_link_to_nowhere_in_the_place_of_run_json_is_refused(directory):
    (directory / 'run.json').mkdir(parents=True)
    assert f'cannot read {directory}/run.json: Is a directory' in refusal(directory, resume=True)
    (directory / 'run.json').rmdir()
    (directory / 'run.json').symlink_to('nowhere')
    assert f'cannot read {directory}/run.json: No such file' in refusal(directory, resume=True)


@pytest.mark.parametrize('resume', [False, True])
def test_a_second_training_is_refused_and_told_who_holds_the_directory(resume, directory):
    with runs.claim(described(directory)):
        line = refusal(directory, resume=resume)
        assert f'{directory} is in use by another training (process {os.getpid()})' in line
    runs.claim(described(directory, resume=resume)).close()


def test_who_held_a_directory_before_is_not_told(directory):
    train(directory)
    (directory / 'lock').write_text('1234567')
    with runs.claim(described(directory, resume=True)):
        assert f'(process {os.getpid()})' in refusal(directory)


def test_the_lock_of_a_killed_process_refuses_nobody(directory, root):
    program = (
        'import sys, time; from types import SimpleNamespace; from lvseg import runs\n'
        'run = SimpleNamespace(checkpoint_dir=sys.argv[1], data_dir="/data", resume=False, settings={})\n'
        'lock = runs.claim(run)\n'
        'print("held", flush=True); time.sleep(600)'
    )
    command = [sys.executable, '-c', program, str(directory)]
    holder = subprocess.Popen(command, cwd=str(root), stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == 'held\n'
        assert f'(process {holder.pid})' in refusal(directory)
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        holder.stdout.close()
    runs.claim(described(directory)).close()


def test_a_directory_moved_aside_while_it_is_being_locked_is_not_locked(directory, monkeypatch):
    """Two trainings start at once: one has moved the earlier run aside when the other gets the lock that moved too."""
    train(directory, seed=1)
    flock = locks.fcntl.flock

    def slow_flock(file, operation):
        os.rename(str(directory), f'{directory}-1')
        directory.mkdir()
        return flock(file, operation)

    monkeypatch.setattr(locks.fcntl, 'flock', slow_flock)
    assert 'is in use by another training' in refusal(directory, resume=True)


@pytest.mark.parametrize('resume', [False, True])
def test_a_directory_that_cannot_be_made_is_refused(resume, tmp_path):
    (tmp_path / 'file').write_text('')
    line = refusal(tmp_path / 'file' / 'train', resume=resume)
    assert line == f'cannot write to {tmp_path}/file/train: Not a directory. Choose another directory.'


def test_a_directory_of_the_system_is_refused():
    assert 'cannot write to /proc/train: ' in refusal('/proc/train')


def test_a_new_run_draws_its_seed_and_keeps_it(directory, training_run):
    run = training_run('--checkpoint_dir', directory)
    drawn = run.seed
    runs.claim(run).close()
    assert 0 <= drawn < 2**31
    assert training_run('--checkpoint_dir', directory, '--resume').seed == drawn
    assert training_run('--checkpoint_dir', directory, '--resume', '--seed', 5).seed == 5


def test_two_new_runs_draw_two_seeds(directory, training_run):
    assert training_run('--checkpoint_dir', directory).seed != training_run('--checkpoint_dir', directory).seed


def test_results_of_the_same_run_stay_in_one_directory(directory, tmp_path, capsys):
    train(directory)
    for _ in range(2):
        runs.follow(str(tmp_path / 'eval'), str(directory))
    assert os.listdir(str(tmp_path / 'eval')) == ['run.json']
    assert capsys.readouterr().err == ''


def test_results_of_an_earlier_run_are_moved_aside(directory, tmp_path):
    train(directory)
    runs.follow(str(tmp_path / 'eval'), str(directory))
    (tmp_path / 'eval' / 'metrics.json').write_text('{"dice": 0.5}')
    train(directory)
    runs.follow(str(tmp_path / 'eval'), str(directory))
    assert (tmp_path / 'eval-1' / 'metrics.json').read_text() == '{"dice": 0.5}'
    assert not (tmp_path / 'eval' / 'metrics.json').exists()


def test_results_where_no_directory_can_be_made_are_refused(directory, tmp_path):
    train(directory)
    (tmp_path / 'file').write_text('')
    with pytest.raises(LabError, match=f'cannot write to {tmp_path}/file/eval: Not a directory'):
        runs.follow(f'{tmp_path}/file/eval', str(directory))


def test_a_json_file_that_cannot_be_written_whole_leaves_the_earlier_one(tmp_path):
    path = tmp_path / 'metrics.json'
    runs.save_json(str(path), {'dice': 0.5})
    with pytest.raises(TypeError):
        runs.save_json(str(path), {'dice': 0.7, 'of': object()})
    assert json.loads(path.read_text()) == {'dice': 0.5}


NORMALISATION = Flag('normalisation', 'of intensities', 'lab', choices=('lab', 'per_image'), for_inference=True)


def test_what_the_inference_was_called_with_is_taken_from_the_run():
    added = [NORMALISATION, Flag('loss', 'what is made smaller', 'dice', choices=('dice',))]
    run = {'normalisation': 'per_image', 'loss': 'dice', 'seed': 1}
    assert runs.for_inference('logs/run', run, added) == {'normalisation': 'per_image'}


@pytest.mark.parametrize(
    ('run', 'told'),
    [
        ({'normalisation': 'zscore'}, 'logs/run was trained with --normalisation zscore; here there is only lab, per_'),
        ({'normalisation': []}, 'logs/run was trained with --normalisation []; here there is only lab, per_image. '),
        ({}, 'logs/run does not tell --normalisation; here there is only lab, per_image. Use it with the '),
    ],
)
def test_a_run_whose_pixels_were_normalised_in_a_way_unknown_here_is_refused(run, told):
    with pytest.raises(LabError) as refusal:
        runs.for_inference('logs/run', run, [NORMALISATION])
    assert str(refusal.value).startswith(told)
