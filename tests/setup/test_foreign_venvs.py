"""scripts/setup.sh meets a .venv that it cannot use: one line that says what to do, and nothing is removed."""

import shutil

import pytest


@pytest.fixture
def venv(project):
    """A venv that the set-up has made."""
    project.python('3.7')
    assert project.set_up().returncode == 0
    return project.folder / '.venv'


def refused(project, **environment):
    """The line with which the set-up ends; what lies there stays, and nothing more is installed."""
    before = project.venvs(), project.read('installed')
    done = project.set_up(**environment)
    assert done.returncode != 0 and done.stdout == ''
    assert (project.venvs(), project.read('installed')) == before
    (line,) = done.stderr.splitlines()
    assert line.startswith('ERROR: .venv')
    assert 'Remove it (rm -r .venv) or move it away, then run make setup again.' in line
    return line


def test_of_another_edition(venv, project):
    project.python('3.12', venv / 'bin' / 'python')
    assert '.venv has Python 3.12, and TensorFlow 1.15 does not run on that.' in refused(project)


def test_whose_python_is_gone(venv, project):
    (venv / 'pyvenv.cfg').write_text('home = /opt/python3.7/bin\nversion = 3.7.16\n')
    (venv / 'bin' / 'python').unlink()
    (venv / 'bin' / 'python').symlink_to('/opt/python3.7/bin/python3.7')
    assert '.venv cannot be used: its Python from /opt/python3.7/bin is gone,' in refused(project)


def test_of_another_machine(venv, project):
    (venv / 'bin' / 'python').write_bytes(b'\x7fELF\x02\x01\x01' + bytes(9) + b'\x02\x00\xb7\x00')  # e_machine 183: ARM
    assert "another machine's" in refused(project)


def test_whose_python_this_user_may_not_run(venv, project):
    (venv / 'bin' / 'python').chmod(0o600)
    assert 'not yours to run' in refused(project)


def test_that_is_an_empty_folder(project):
    (project.folder / '.venv').mkdir()
    assert 'cannot be used' in refused(project)


def test_that_leads_nowhere(project):
    (project.folder / '.venv').symlink_to('/nowhere/.venv')
    assert 'cannot be used' in refused(project)


def test_of_a_folder_that_was_moved(venv, project):
    before = project.folder
    project.folder = before.with_name('moved lab')
    before.rename(project.folder)
    assert f'.venv belongs to the lab in {before}, and a venv cannot be moved.' in refused(project)


def test_of_a_lab_of_which_this_is_a_copy(venv, project):
    original = project.folder
    project.folder = original.with_name('copy')
    shutil.copytree(str(original), str(project.folder), symlinks=True)
    assert f'belongs to the lab in {original}' in refused(project)


def test_that_was_made_by_hand_and_fits_is_used(project):
    project.python('3.7', project.folder / '.venv' / 'bin' / 'python')
    assert project.set_up().returncode == 0
    assert project.read('made_by') == []
    assert project.read('installed')[0].endswith('--requirement requirements.txt')


def test_of_tensorflow_2_names_that_one(project):
    project.python('3.12')
    assert project.set_up(TF='2').returncode == 0
    project.python('3.7', project.folder / '.venv-tf2' / 'bin' / 'python')
    done = project.set_up(TF='2')
    assert done.stderr.startswith(
        'ERROR: .venv-tf2 has Python 3.7, and TensorFlow 2 does not run on that. Remove it (rm -r'
    )
