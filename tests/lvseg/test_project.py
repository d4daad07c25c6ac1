"""A copy of the lab without exercise_solutions/, as for a class that was not given them."""

import sys

from lvseg import networks, project
from lvseg.errors import LabError

import pytest

from classroom import making, packing


@pytest.fixture
def without_solutions(monkeypatch, tmp_path):
    for module in (project, making, packing):
        monkeypatch.setattr(module, 'SOLUTIONS', tmp_path / 'exercise_solutions')


def test_the_exercises_are_known_all_the_same(without_solutions):
    assert {'simple', 'cnn', 'cnnDice'} <= set(project.exercise_names())


@pytest.mark.parametrize('of', [networks.solution, making.generated])
def test_what_needs_the_solutions_says_what_is_missing_and_what_to_do(of, without_solutions):
    with pytest.raises(LabError, match='no exercise_solutions/.*ask whoever gave it out, or take the whole lab'):
        of('cnn')


def test_nothing_is_reset_without_them(without_solutions, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['make_exercises.py', '--reset', 'cnn'])
    with pytest.raises(LabError, match='no exercise_solutions/'):
        making.main()
    assert capsys.readouterr().out == ''


def test_the_archive_says_what_it_lacks(without_solutions, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sys, 'argv', ['archive.py'])
    monkeypatch.setattr(packing, 'pack', lambda *folders: None)
    packing.main()
    assert 'Without exercise_solutions/, which is not here: exercises cannot be checked' in capsys.readouterr().out
