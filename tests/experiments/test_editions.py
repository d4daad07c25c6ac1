"""The comparison of editions: whole commands in turn, and ratios to the first of their kind, round by round."""

import re
import sys

import pytest

from experiments import editions
from experiments.commands import Spent
from experiments.editions import Command
from setup.editions import EDITIONS


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project in which 1.15 and 2 are set up, both by the Python of this test."""
    monkeypatch.setattr(editions, 'PROJECT', tmp_path)
    for venv in ('.venv', '.venv-tf2'):
        python = tmp_path / venv / 'bin' / 'python'
        python.parent.mkdir(parents=True)
        python.symlink_to(sys.executable)
    return tmp_path


def writing(name, venv, word, path):
    return Command(name, venv, ['-c', f'open({str(path)!r}, "a").write("{word} ")'], [])


def test_commands_run_in_turn_as_many_rounds_as_asked_for(project, monkeypatch, capsys):
    said = project / 'said'
    compared = [writing('1.15, bare loop', '.venv', 'bare', said), writing('2', '.venv-tf2', 'new', said)]
    monkeypatch.setattr(editions, '_commands', lambda *_: {'a': compared})
    editions.report('data', rounds=2)
    assert said.read_text().split() == ['bare', 'new', 'bare', 'new']
    lines = capsys.readouterr().out.splitlines()[-2:]
    assert [line.split()[1].strip(',') for line in lines] == ['1.15', '2']


def test_the_ratio_is_the_median_over_rounds_and_not_that_of_the_medians():
    first = Command('1.15', '.venv', [], [Spent(2.0, 100.0), Spent(4.0, 100.0), Spent(8.0, 100.0)])
    here = Command('2', '.venv-tf2', [], [Spent(3.0, 110.0), Spent(4.0, 110.0), Spent(4.0, 110.0)])
    # Round by round 3/2 = 1.5, 4/4 = 1 and 4/8 = 0.5, whose median is 1; the medians are 4 and 4; memory 110/100.
    fields = editions._line('cnnDice', here, first).split()
    assert fields == ['cnnDice', '2', '4.0', '110', '1.00', '(0.50', 'to', '1.50)', '1.10']


def test_a_command_that_fails_ends_the_comparison_with_what_it_said(project, monkeypatch, capsys):
    failing = Command('2', '.venv-tf2', ['-c', 'import sys; print("a reason", file=sys.stderr); sys.exit(3)'], [])
    monkeypatch.setattr(editions, '_commands', lambda *_: {'a': [failing]})
    with pytest.raises(SystemExit) as ended:
        editions.report('data', rounds=1)
    assert ended.value.code == 3
    assert capsys.readouterr().err.endswith('a reason\n')


def test_without_the_reference_it_says_how_to_get_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(editions, 'PROJECT', tmp_path)
    editions.report('data')
    assert re.search(r'1\.15 is not set up .*make setup TF=1', capsys.readouterr().out)


def test_where_1_15_cannot_be_had_the_link_in_its_place_is_not_taken_for_it(project, capsys):
    (project / '.venv' / 'bin' / 'python').unlink()
    (project / '.venv' / 'bin').rmdir()
    (project / '.venv').rmdir()
    (project / '.venv').symlink_to('.venv-tf2')
    editions.report('data')
    assert '1.15 is not set up' in capsys.readouterr().out


def test_all_editions_there_do_each_kind_of_command(tmp_path):
    kinds = editions._commands([EDITIONS[-1], EDITIONS[0]], 'data', str(tmp_path))
    assert {kind: [command.name for command in commands] for kind, commands in kinds.items()} == {
        'cnnDice, 3 epochs': ['1.15, bare loop', '1.15', '2'],
        'simple, 1 epoch': ['1.15', '2'],
        'cnnDice, evaluation': ['1.15', '2'],
    }
