import os
import re

from lvseg import flags

import pytest

TRAINING_DEFAULTS = {
    'learning_rate': 0.01,
    'decay_rate': 1.0,
    'decay_steps': 1000,
    'num_epochs': 1,
    'batch_size': 1,
    'seed': None,
    'eval_every': None,
    'init_from': None,
    'resume': False,
}
EVALUATION_DEFAULTS = {
    'batch_size': 1,
    'eval_data': 'eval',
    'run_once': True,
    'eval_interval_secs': 5.0,
    'report': False,
}


def refusal(parser, *arguments, capsys):
    """The line with which the flags are refused."""
    with pytest.raises(SystemExit) as end:
        parser.parse_args(list(arguments))
    out, err = capsys.readouterr()
    assert end.value.code == 2
    assert out == ''
    assert err.startswith('ERROR: ')
    assert err.count('\n') == 1
    return err


def test_training_has_the_labs_defaults(root):
    args = vars(flags.training('cnn').parse_args([]))
    directories = {'data_dir': str(root / 'data'), 'checkpoint_dir': str(root / 'logs' / 'cnn' / 'train')}
    assert args == {**TRAINING_DEFAULTS, **directories, 'exercise': 'cnn'}


def test_evaluation_has_the_labs_defaults(root):
    args = vars(flags.evaluation('simple').parse_args([]))
    logs = root / 'logs' / 'simple'
    directories = {'data_dir': root / 'data', 'checkpoint_dir': logs / 'train', 'eval_dir': logs / 'eval'}
    assert args == {**EVALUATION_DEFAULTS, **{k: str(v) for k, v in directories.items()}, 'exercise': 'simple'}


def test_default_directories_are_the_projects_wherever_one_stands(root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert flags.training('cnn').parse_args([]).data_dir == str(root / 'data')


def test_a_directory_given_is_where_one_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    args = flags.training('cnn').parse_args(['--data_dir', 'mine', '--checkpoint_dir', '.'])
    assert (args.data_dir, args.checkpoint_dir) == (str(tmp_path / 'mine'), str(tmp_path))


@pytest.mark.parametrize(
    ('parser', 'defaults'),
    [(flags.training('cnn'), TRAINING_DEFAULTS), (flags.evaluation('cnn'), EVALUATION_DEFAULTS)],
)
def test_help_lists_every_flag_with_its_default(parser, defaults, capsys, monkeypatch):
    monkeypatch.setenv('COLUMNS', '200')
    with pytest.raises(SystemExit) as end:
        parser.parse_args(['-h'])
    out, err = capsys.readouterr()
    assert (end.value.code, err) == (0, '')

    shown = dict(re.findall(r'^  --(\w+).*\(default: ([^)]*)\)$', re.sub(r'\n {10,}', '  ', out), re.MULTILINE))
    assert set(shown) == set(vars(parser.parse_args([]))) - {'exercise'}
    for flag, default in defaults.items():
        if default not in (None, False):  # These are told in words.
            assert shown[flag] == str(default)


@pytest.mark.parametrize('flag', ['--learningrate', '--learning', '--num_epoch', '--max_steps'])
def test_a_misspelt_or_shortened_flag_is_refused(flag, capsys):
    assert flag in refusal(flags.training('cnn'), flag, '1', capsys=capsys)


@pytest.mark.parametrize('flag', ['--num_epochs', '--batch_size', '--decay_steps'])
@pytest.mark.parametrize('value', ['0', '-1', '1.5', 'nan', 'many', '', '2147483648'])
def test_counts_are_whole_numbers_from_1(flag, value, capsys):
    line = refusal(flags.training('cnn'), f'{flag}={value}', capsys=capsys)
    assert f'{flag}: a whole number from 1 to 2147483647 is wanted, not {value!r}' in line


@pytest.mark.parametrize('flag', ['--learning_rate', '--decay_rate'])
@pytest.mark.parametrize('value', ['0', '-0.1', 'nan', 'inf', '-inf', 'small', ''])
def test_rates_are_finite_numbers_above_0(flag, value, capsys):
    line = refusal(flags.training('cnn'), f'{flag}={value}', capsys=capsys)
    assert f'{flag}: a finite number above 0 is wanted, not {value!r}' in line


@pytest.mark.parametrize('value', ['0', '-5', 'nan', 'inf', '1e300', '86401'])
def test_the_evaluation_interval_is_a_finite_number_above_0(value, capsys):
    assert 'eval_interval_secs' in refusal(flags.evaluation('cnn'), f'--eval_interval_secs={value}', capsys=capsys)


@pytest.mark.parametrize('value', ['-1', '1.5', '2147483648'])
def test_a_seed_is_a_whole_number_that_tensorflow_takes(value, capsys):
    assert 'from 0 to 2147483647' in refusal(flags.training('cnn'), f'--seed={value}', capsys=capsys)


def test_seed_0_is_a_seed():
    assert flags.training('cnn').parse_args(['--seed', '0']).seed == 0


@pytest.mark.parametrize('flag', ['--data_dir', '--checkpoint_dir', '--eval_dir'])
def test_a_directory_that_is_a_file_is_refused(flag, tmp_path, capsys):
    (tmp_path / 'file').write_text('')
    path = os.path.join(str(tmp_path), 'file')
    assert f'a directory is wanted, {path} is a file' in refusal(flags.evaluation('cnn'), flag, path, capsys=capsys)


@pytest.mark.parametrize(('text', 'value'), [('true', True), ('False', False), ('FALSE', False)])
def test_run_once_takes_true_and_false(text, value):
    assert flags.evaluation('cnn').parse_args(['--run_once', text]).run_once is value


@pytest.mark.parametrize('value', ['0', 'no', ''])
def test_run_once_takes_nothing_else(value, capsys):
    assert 'true or false is wanted' in refusal(flags.evaluation('cnn'), f'--run_once={value}', capsys=capsys)


def test_eval_data_is_eval_or_train(capsys):
    assert flags.evaluation('cnn').parse_args(['--eval_data', 'train']).eval_data == 'train'
    assert 'test' in refusal(flags.evaluation('cnn'), '--eval_data', 'test', capsys=capsys)


# What an exercise adds.

ADDED = (
    flags.Flag('network', 'which network', 'fcn', choices=('fcn', 'unet'), for_inference=True),
    flags.Flag('augment', 'change slices'),
    flags.Flag('gamma', 'brightness', 1.0, type=flags.positive_float, kept_on_resume=False),
)


def test_an_exercise_adds_choices_switches_and_values():
    parser = flags.training('mine', ADDED)
    args = parser.parse_args([])
    assert (args.network, args.augment, args.gamma) == ('fcn', False, 1.0)
    args = parser.parse_args(['--network', 'unet', '--augment', '--gamma', '2'])
    assert (args.network, args.augment, args.gamma) == ('unet', True, 2.0)


@pytest.mark.parametrize('wrong', ['--network=vgg', '--gamma=-1', '--augment=yes'])
def test_what_an_exercise_does_not_offer_is_refused_in_one_line(wrong, capsys):
    with pytest.raises(SystemExit):
        flags.training('mine', ADDED).parse_args([wrong])
    error = capsys.readouterr().err
    assert error.startswith(f'ERROR: argument {wrong.partition("=")[0]}') and len(error.splitlines()) == 1


def test_help_tells_what_an_exercise_adds_with_its_defaults():
    text = ' '.join(flags.training('mine', ADDED).format_help().split())
    assert 'which network (default: fcn)' in text and 'brightness (default: 1.0)' in text
