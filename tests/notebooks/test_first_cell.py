"""The first cell of a notebook, wherever it has been taken."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from notebooks import chapters


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to run notebooks in, and a path of modules to change."""
    folder = tmp_path / 'here'
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, 'path', list(sys.path))
    return folder


@pytest.fixture
def lab(tmp_path):
    """A repository with the least of a lab that the first cell wants."""
    folder = tmp_path / 'ImageSegmentation'
    for name, text in {'lvseg/__init__.py': '', 'setup/editions.py': 'print("requirements-tf2.txt")\n'}.items():
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(text)
    git = ['git', '-C', str(folder), '-c', 'user.name=a', '-c', 'user.email=a@b']
    for command in (['init', '--quiet'], ['add', '.'], ['commit', '--quiet', '-m', 'a']):
        subprocess.run([*git, *command], check=True)
    return folder


@pytest.fixture
def run():
    """Runs the cell, and returns the magics that it asks for."""

    def run_cell(address=''):
        asked_for = []

        class Shell:
            def run_line_magic(self, *magic):
                asked_for.append(magic)

        exec(chapters._first_cell(address), {'get_ipython': Shell})
        return asked_for

    return run_cell


def test_within_the_lab_it_goes_to_the_top_folder(lab, run, monkeypatch):
    (lab / 'notebooks' / 'en').mkdir(parents=True)
    monkeypatch.chdir(lab / 'notebooks' / 'en')
    monkeypatch.setattr(sys, 'path', list(sys.path))
    assert run() == [('load_ext', 'notebooks.magics')]
    assert Path.cwd() == lab
    assert sys.path[0] == str(lab)


def test_beside_the_archive_it_unpacks_the_lab(here, lab, run):
    archive = ['tar', '-czf', str(here / 'ImageSegmentation.tar.gz'), '-C', str(lab.parent), lab.name]
    subprocess.run(archive, check=True)
    assert run() == [('load_ext', 'notebooks.magics')]
    assert Path.cwd() == here / 'ImageSegmentation'
    assert Path('lvseg/__init__.py').exists()


def test_alone_it_clones_the_lab_from_where_that_was_cloned(here, lab, run):
    assert run(lab.as_uri()) == [('load_ext', 'notebooks.magics')]
    assert Path.cwd() == here / 'ImageSegmentation'
    assert Path('lvseg/__init__.py').exists()


def test_a_lab_that_it_has_fetched_is_not_fetched_again(here, lab, run, monkeypatch):
    run(lab.as_uri())
    monkeypatch.chdir(here)
    assert run('https://nowhere.example') == [('load_ext', 'notebooks.magics')]


def test_where_there_is_no_lab_it_says_what_to_do(here, run):
    with pytest.raises(SystemExit, match=r'^The lab is not here\. Put ImageSegmentation\.tar\.gz beside this notebook'):
        run()


def test_a_python_without_the_labs_packages_gets_those_of_tensorflow_2(here, lab, run, monkeypatch):
    run(lab.as_uri())
    installed, run_command = [], subprocess.run

    def run_but_pip(command, **kwargs):
        return installed.append(command) if 'pip' in command else run_command(command, **kwargs)

    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    monkeypatch.setattr(subprocess, 'run', run_but_pip)
    run()
    assert installed == [[sys.executable, '-m', 'pip', 'install', '--quiet', '-r', 'requirements-tf2.txt']]
