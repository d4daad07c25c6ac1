"""scripts/setup.sh, run in a folder of its own with a PATH on which only stand-ins lie."""

import os
import shutil
import stat
import subprocess

import pytest

# Answers as a Python of that version would, and makes .venv out of itself.
PYTHON = """#!/bin/sh
case "$1 $2" in
  "-c "*) case "$2" in *"(3, 7)"*) [ "{version}" = 3.7 ]; exit;; esac;;
  "-m venv") mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; cp "$0" "$3/bin/pip"; echo "{name}" > made_by;;
  "-m pip") shift 2; echo "$@" > installed;;
  "install "*) exit 1;;
esac
"""
UV = """#!/bin/sh
echo "$@" > uv_called
for folder; do :; done
mkdir -p "$folder/bin"; cp "{python}" "$folder/bin/python"
"""


@pytest.fixture
def project(tmp_path, root):
    (tmp_path / 'scripts').mkdir()
    (tmp_path / 'bin').mkdir()
    shutil.copy(str(root / 'scripts' / 'setup.sh'), str(tmp_path / 'scripts'))
    for tool in ('bash', 'sh', 'dirname', 'mkdir', 'cp', 'rm'):
        (tmp_path / 'bin' / tool).symlink_to(shutil.which(tool))
    return tmp_path


def put(folder, name, text):
    path = folder / name
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def set_up(project, *requirements):
    environment = {**os.environ, 'PATH': str(project / 'bin')}
    command = [str(project / 'scripts' / 'setup.sh'), *requirements]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_takes_python3_7_first(project):
    put(project / 'bin', 'python3.7', PYTHON.format(version='3.7', name='python3.7'))
    put(project / 'bin', 'python3', PYTHON.format(version='3.7', name='python3'))

    done = set_up(project)

    assert done.returncode == 0, done.stderr
    assert (project / 'made_by').read_text() == 'python3.7\n'
    assert (project / 'installed').read_text().endswith('--requirement requirements.txt\n')


@pytest.mark.parametrize(
    ('requirements', 'size'),
    [('requirements.txt', ' (the first time some 450 MB, a few minutes)'), ('requirements-dev.txt', '')],
)
def test_the_size_told_is_that_of_what_is_installed(requirements, size, project):
    put(project / 'bin', 'python3.7', PYTHON.format(version='3.7', name='python3.7'))
    assert set_up(project, requirements).stdout == f'Installing {requirements} into .venv{size} …\n'


def test_passes_over_a_python3_7_that_does_not_answer_as_under_pyenv(project):
    put(project / 'bin', 'python3.7', '#!/bin/sh\necho "pyenv: python3.7: command not found" >&2\nexit 127\n')
    put(project / 'bin', 'python3', PYTHON.format(version='3.7', name='python3'))

    assert set_up(project).returncode == 0
    assert (project / 'made_by').read_text() == 'python3\n'


def test_gets_python_by_uv_where_there_is_none(project):
    put(project / 'bin', 'python3', PYTHON.format(version='3.12', name='python3'))
    by_uv = put(project, 'python_by_uv', PYTHON.format(version='3.7', name='uv'))
    put(project / 'bin', 'uv', UV.format(python=by_uv))

    assert set_up(project).returncode == 0
    assert '--python 3.7' in (project / 'uv_called').read_text()
    assert (project / 'installed').exists()


def test_says_in_two_lines_what_to_install_where_uv_fails_too(project):
    put(project / 'bin', 'python3', PYTHON.format(version='3.12', name='python3'))

    done = set_up(project)

    assert done.returncode != 0
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith('ERROR: ')
    assert 'Install Python 3.7' in lines[1]
    assert not (project / 'installed').exists()


def test_make_help_lists_every_target_with_a_line_of_explanation(root):
    makefile = (root / 'Makefile').read_text().replace('\\\n', ' ').splitlines()
    phony = next(line for line in makefile if line.startswith('.PHONY:')).split()[1:]

    printed = subprocess.run(
        ['make', '--no-print-directory', 'help'], cwd=root, capture_output=True, text=True, check=True
    ).stdout

    explained = {line.split()[0]: line.split(None, 1)[1] for line in printed.replace('make ', '').splitlines()}
    assert sorted(explained) == sorted(phony)
    assert all(len(text) > 10 for text in explained.values())
