"""The student's desk: it may lie anywhere on the disk, and what is there is the network and the two steps."""

import ast
import os
import shutil
import subprocess
import sys

import pytest

PROGRAMS = ['runTraining.py', 'runEval.py']


def without_pythonpath():
    return {name: value for name, value in os.environ.items() if name != 'PYTHONPATH'}


@pytest.mark.parametrize('program', PROGRAMS)
def test_a_copy_of_an_exercise_anywhere_on_the_disk_finds_the_lab(program, root, tmp_path):
    shutil.copytree(str(root / 'exercises' / 'cnn'), str(tmp_path / 'desk'))
    command = [sys.executable, str(tmp_path / 'desk' / program), '-h']
    done = subprocess.run(command, cwd=str(tmp_path), env=without_pythonpath(), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, '')
    assert '--data_dir' in done.stdout


@pytest.mark.parametrize('program', PROGRAMS)
def test_where_the_lab_is_not_installed_a_line_says_what_to_do(program, root, tmp_path):
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', str(tmp_path)], check=True)
    command = [str(tmp_path / 'bin' / 'python'), str(root / 'exercises' / 'cnn' / program)]
    done = subprocess.run(command, cwd=str(root), env=without_pythonpath(), capture_output=True, text=True)
    assert done.returncode == 1
    error = [line for line in done.stderr.splitlines() if line.strip(' ^~')]  # Python's own marks, from 3.11 on.
    assert error[-1] == "ModuleNotFoundError: No module named 'lvseg'"
    assert error[-2].endswith('# Not found? make setup; source .venv/bin/activate')


def test_no_program_mends_pythons_path(root):
    for folder in ('exercises', 'exercise_solutions'):
        for path in (root / folder).glob('*/*.py'):
            imported = {
                name.name for node in ast.walk(ast.parse(path.read_text())) for name in getattr(node, 'names', ())
            }
            assert not imported & {'sys', 'os', 'pathlib'}, path
