import os
import re

from lvseg import errors
from lvseg.errors import one_line

import pytest


@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        ('data/심장 Höhe.png', 'data/심장 Höhe.png'),
        ('a\nERROR: forged', r'a\nERROR: forged'),
        ('\x1b[2J\r\t\x07', r'\x1b[2J\r\t\x07'),
        ('a\u2028b\u202ec', r'a\u2028b\u202ec'),  # A line separator, and one that turns the order of letters.
        (os.fsdecode(b'\xff.png'), r'\udcff.png'),
        ('C:\\new', 'C:\\new'),
    ],
)
def test_a_text_is_shown_in_one_line_and_nothing_in_it_is_obeyed(text, shown):
    assert one_line(text) == shown


def test_a_name_cannot_forge_a_line_of_an_error(capsys):
    def fail():
        raise errors.LabError('cannot read a\nERROR: all is lost\x1b[31m')

    with pytest.raises(SystemExit) as end:
        errors.exit_with_message(fail)
    assert end.value.code == 1
    assert capsys.readouterr().err == 'ERROR: cannot read a\\nERROR: all is lost\\x1b[31m\n'


@pytest.mark.parametrize(('variables'), [{'PYTHONIOENCODING': 'ascii'}, {'PYTHONIOENCODING': 'latin-1'}])
def test_a_name_that_the_terminal_has_no_letters_for_is_printed_all_the_same(variables, run, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    program = 'from lvseg import errors; errors.exit_with_message(lambda: print("심장"))'
    assert run('-c', program, check=True).stdout == '\\uc2ec\\uc7a5\n'


# What the programs print of names.

FORGED = 'a\nERROR: forged\x1b[31m'


def test_a_directory_cannot_forge_a_line(simple, tmp_path):
    run_dir = tmp_path / FORGED / 'train'
    outcomes = [
        simple.train(run_dir, '--seed', 1, '--eval_every', 1),
        simple.train(run_dir, '--seed', 1),
        simple.train(tmp_path / 'other', '--init_from', run_dir),
        simple.evaluate(run_dir, tmp_path / FORGED / 'eval'),
        simple.evaluate(tmp_path / FORGED / 'none', tmp_path / 'eval'),
    ]
    assert [outcome.code for outcome in outcomes] == [0, 0, 0, 0, 1]
    for outcome in outcomes:
        printed = outcome.out + outcome.err
        assert '\x1b' not in printed
        assert 'ERROR: forged' not in re.findall('^.{13}', printed, re.MULTILINE)


@pytest.mark.parametrize('flag', ['--data_dir', '--checkpoint_dir', '--init_from'])
def test_a_name_that_is_not_utf_8_is_refused_in_one_line(flag, simple, tmp_path):
    outcome = simple.train(tmp_path / 'train', flag, os.fsdecode(b'/tmp/\xff'))
    assert outcome.code == 2
    assert 'TensorFlow opens only names in UTF-8, and /tmp/\\udcff is none' in outcome.err
    assert outcome.err.startswith('ERROR: ') and len(outcome.err.splitlines()) == 1
