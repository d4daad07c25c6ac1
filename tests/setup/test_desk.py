"""A desk away from the lab, and a lab installed for many: what is laid where, and what is refused."""

import os
import subprocess
import sys

from lvseg import project
from lvseg.errors import LabError

import pytest

from setup import desk


@pytest.fixture
def lab(tmp_path):
    """A lab of two files, with a venv and with data."""
    folder = tmp_path / 'opt' / 'lab'
    for path in ('Makefile', 'exercises/cnn/neuralnetwork.py', 'scripts/check.py', '.venv/bin/python', 'data/x'):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
    return folder


def test_exercises_are_copied_and_all_else_leads_to_the_lab(lab, tmp_path):
    own = tmp_path / 'home' / 'lab'
    desk.lay(own, lab)
    assert {path.name: os.readlink(str(path)) for path in own.iterdir() if path.is_symlink()} == {
        '.lab': str(lab),
        **{name: str(lab / name) for name in ('Makefile', 'scripts', '.venv', 'data')},
    }
    assert not (own / 'exercises').is_symlink()
    assert (own / 'exercises' / 'cnn' / 'neuralnetwork.py').read_text() == 'exercises/cnn/neuralnetwork.py'


def test_a_program_or_a_folder_on_a_desk_is_known_to_be_there(lab, tmp_path):
    own = tmp_path / 'home' / 'lab'
    desk.lay(own, lab)
    for places in (
        (str(own / 'exercises' / 'cnn' / 'runTraining.py'), '/'),  # python ~/lab/exercises/cnn/runTraining.py
        (str(own / 'scripts' / 'check.py'), '/'),  # a link's name, not what it leads to
        (str(lab / 'scripts' / 'check.py'), str(own / 'exercises')),  # typed on the desk
    ):
        assert project.desk_of(lab, *places) == own
    assert project.desk_of(lab, str(lab / 'scripts' / 'check.py'), '/') == lab
    assert project.desk_of(tmp_path / 'another lab', str(own / 'scripts'), '/') == tmp_path / 'another lab'


def test_a_folder_with_something_else_in_it_is_refused_and_left_alone(lab, tmp_path):
    (tmp_path / 'thesis').mkdir()
    (tmp_path / 'thesis' / 'chapter').write_text('')
    with pytest.raises(LabError, match='is no desk of this lab'):
        desk.lay(tmp_path / 'thesis', lab)
    assert os.listdir(str(tmp_path / 'thesis')) == ['chapter']


def test_the_lab_itself_and_the_desk_of_another_lab_are_refused(lab, tmp_path):
    with pytest.raises(LabError, match='is the lab itself'):
        desk.lay(lab, lab)
    desk.lay(tmp_path / 'desk', lab)
    with pytest.raises(LabError, match=f'is a desk of the lab in {lab}'):
        desk.lay(tmp_path / 'desk', tmp_path / 'another lab')


def test_a_folder_that_would_lie_in_the_lab_by_make_c_is_refused(monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['desk.py', 'mine'])
    with pytest.raises(LabError, match='DESK=mine: a folder from the root or from ~ on is wanted'):
        desk.main()


@pytest.mark.parametrize(
    ('prefix', 'said'),
    [
        ('lab', 'a folder from the root on is wanted'),
        ('{project}', 'is the folder of this lab itself'),
        ('{thesis}', 'holds something else than an installed lab'),
        ('{closed}/lab', 'others may not enter'),
        ('/dev/null/lab', 'cannot be written'),
    ],
)
def test_where_a_lab_for_many_cannot_be_installed_a_line_says_so_and_nothing_is_changed(
    prefix, said, root, tmp_path_factory
):
    folder = tmp_path_factory.mktemp('server')
    (folder / 'thesis').mkdir()
    (folder / 'thesis' / 'chapter').write_text('')
    (folder / 'closed').mkdir(mode=0o700)
    places = {'project': root, 'thesis': folder / 'thesis', 'closed': folder / 'closed'}
    done = subprocess.run(
        ['bash', str(root / 'scripts' / 'install.sh')],
        env={**os.environ, 'PREFIX': prefix.format(**places)},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0 and done.stdout == ''
    (line,) = done.stderr.splitlines()
    assert line.startswith('ERROR: ') and said in line
    assert os.listdir(str(folder / 'thesis')) == ['chapter']
