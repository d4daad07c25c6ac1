"""tuning/space.py: what is searched, as spaces.ini and the command line say it."""

import lvseg.flags
from lvseg.errors import LabError
from lvseg.flags import Flag

import pytest

from tuning import space
from tuning.space import Choice, Range

NETWORKS = {'fcn': None, 'mine': None}


@pytest.fixture
def exercise(tmp_path):
    """One whose student has added a network."""
    added = [
        Flag('network', 'which', 'fcn', choices=NETWORKS),
        Flag('augment', 'switch'),
        Flag('note', 'any', '', type=str),
    ]
    return space.Exercise('challenge', tmp_path, lvseg.flags.training('challenge', added), added)


def test_a_line_is_a_range_a_choice_or_one_value(exercise):
    lines = {'learning_rate': '1e-4..0.1', 'decay_steps': '500..1000', 'batch_size': '1, 2,4', 'num_epochs': '30'}
    found = space.make(exercise, lines)
    assert found.searched == {
        'learning_rate': Range(1e-4, 0.1, whole=False),
        'decay_steps': Range(500, 1000, whole=True),
        'batch_size': Choice(('1', '2', '4')),
    }
    assert found.fixed == {'num_epochs': '30'}


def test_from_ten_times_the_lower_end_on_it_is_the_order_of_magnitude_that_is_drawn():
    assert Range(0.01, 0.1, False).logarithmic and not Range(0.02, 0.1, False).logarithmic
    assert not Range(-1, 5, True).logarithmic


def test_a_star_is_what_the_exercise_offers_and_what_a_student_has_added(exercise):
    found = space.make(exercise, {'network': '*', 'augment': '*'})
    assert found.searched == {'network': Choice(('fcn', 'mine')), 'augment': Choice(('off', 'on'))}


def test_settings_become_the_flags_of_a_training(exercise):
    found = space.make(exercise, {'learning_rate': '1e-4..0.1', 'augment': '*', 'num_epochs': '30', 'network': 'mine'})
    assert found.flags({'learning_rate': 0.0123456, 'augment': 'on'}) == [
        *('--num_epochs', '30', '--network', 'mine', '--learning_rate', '0.0123', '--augment')
    ]
    # The defaults of what is searched: those flags are left out.
    assert found.flags({}) == ['--num_epochs', '30', '--network', 'mine']
    assert '--augment' not in found.flags({'augment': 'off'})


def test_the_command_line_comes_as_words_with_or_without_an_equals_sign():
    words = ['--learning_rate', '1e-4..1e-1', '--batch_size=1,2', '--augment', '--loss', 'both']
    assert space.given(words) == {
        'learning_rate': '1e-4..1e-1',
        'batch_size': '1,2',
        'augment': 'on',
        'loss': 'both',
    }


@pytest.mark.parametrize('name', ['simple', 'cnn', 'cnnDice', 'challenge'])
def test_every_exercise_has_a_space_of_its_own_flags(name):
    of = space.exercise(name, mine=False)
    found = space.make(of, space.read(space.SPACES, name))
    assert {'learning_rate', 'batch_size'} <= set(found.searched)
    assert found.searched['learning_rate'].logarithmic
    if name == 'challenge':
        assert {'unet', 'alexnet'} <= set(found.searched['network'].values)
        assert {'network', 'normalisation', 'augment', 'loss', 'optimizer', 'schedule'} <= set(found.searched)


def test_the_last_epoch_is_always_evaluated(exercise):
    def every(epochs, wanted=None):
        return space.epochs_between_evaluations(space.Space({'num_epochs': str(epochs)}, {}), exercise, wanted)

    # A tenth, or the next smaller number that divides them.
    assert [every(epochs) for epochs in (1, 10, 25, 30, 36, 100)] == [1, 1, 1, 3, 3, 10]
    assert every(30, wanted=5) == 5
    with pytest.raises(LabError, match='--eval_every 4 does not divide --num_epochs 30'):
        every(30, wanted=4)


@pytest.mark.parametrize(
    ('lines', 'said'),
    [
        ({'learning_rat': '1e-3..0.1'}, '--learning_rat is no flag of challenge; there are --learning_rate, '),
        ({'learning_rate': '0.1..1e-3'}, '--learning_rate 0.1..1e-3 is an empty range: the lower end comes first'),
        ({'learning_rate': '0.1..0.1'}, '--learning_rate 0.1..0.1 is an empty range'),
        ({'network': 'fcn..mine'}, '--network fcn..mine: --network takes no numbers'),
        ({'learning_rate': '*'}, '--learning_rate *: there are too many values to try all'),
        ({'augment': 'yes'}, '--augment yes: it is a switch, on or off.'),
        ({'batch_size': '1,,2'}, '--batch_size 1,,2: values with commas between them are wanted'),
        ({'seed': '1..9'}, '--seed cannot be searched'),
        ({'resume': 'on'}, '--resume cannot be searched'),
        ({'num_epochs': '10..50', 'batch_size': '1,2'}, '--num_epochs wants one number'),
        ({'learning_rate': '0.1'}, 'nothing is searched: every flag has one value'),
        ({}, 'nothing is searched'),
    ],
)
def test_a_space_that_cannot_be_is_one_line(lines, said, exercise):
    with pytest.raises(LabError) as error:
        space.make(exercise, lines)
    assert str(error.value).startswith(said)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize(
    'lines',
    [
        {'learning_rate': '0..1'},
        {'learning_rate': 'low..high'},
        {'batch_size': '0,1'},
        {'batch_size': '1.5..3'},
        {'network': 'fcn,other'},
        {'decay_rate': 'nan..inf'},
    ],
)
def test_what_the_exercise_itself_refuses_is_refused_in_its_words(lines, exercise, capsys):
    with pytest.raises(SystemExit) as end:
        space.make(exercise, lines)
    (line,) = capsys.readouterr().err.splitlines()
    assert end.value.code == 2
    assert line.startswith(f'ERROR: argument --{next(iter(lines))}: ')


def test_a_word_that_belongs_to_no_flag_is_one_line():
    with pytest.raises(LabError, match="'2' belongs to no flag"):
        space.given(['--batch_size', '1', '2'])


@pytest.mark.parametrize('text', ['no section', '[a]\n[a]\n', b'\xff\xfe=1'])
def test_a_file_that_is_none_of_spaces_is_one_line(text, tmp_path):
    path = tmp_path / 'mine.ini'
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(LabError, match='is no file of spaces'):
        space.read(path, 'cnn')
    with pytest.raises(LabError, match='No such file'):
        space.read(tmp_path / 'none.ini', 'cnn')


def test_an_exercise_without_a_section_has_the_lines_of_default(tmp_path):
    path = tmp_path / 'mine.ini'
    path.write_text('[DEFAULT]\nlearning_rate = 1..2\n[cnn]\nlearning_rate = 3..4\n')
    assert space.read(path, 'cnnDice') == {'learning_rate': '1..2'}
    assert space.read(path, 'cnn') == {'learning_rate': '3..4'}
