"""A folder with the set-up in it, and a PATH on which only stand-ins and plain tools lie."""

import shutil
import stat
import subprocess
import sys

import pytest

TOOLS = ('bash', 'sh', 'dirname', 'mkdir', 'cp', 'rm', 'cat', 'sed', 'readlink', 'mktemp', 'ln', 'awk', 'grep', 'make')

# Answers as a Python of that version on that machine would, makes a venv of itself, and writes down what pip is told.
PYTHON = """#!/bin/sh
case "$1 $2" in
  "setup/editions.py "*) exec {real} -c '
import sys
sys.path.insert(0, ".")
from setup.editions import edition_for
edition = edition_for(sys.argv[1], ({version}), "{machine}")
if edition is None or sys.argv[2:] not in ([], ["{version}".replace(", ", ".")]):
    sys.exit(1)
print(edition.requirements)' "$2" $3;;
  "--version "*) echo "Python {version}" | sed "s/, /./";;
  "-m venv")
    {venv_module}; echo "{name}" >> made_by
    mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; cp {pip} "$3/bin/pip";;
  "-m pip") shift 2; echo "$@" >> installed; {pip_works};;
  "scripts/"*) for argument; do echo "<$argument>"; done;;
esac
"""
# The pip of the folder in which the set-up puts its own uv.
PIP = """#!/bin/sh
echo "$@" >> uv_installed
{brings}
"""
UV = """#!/bin/sh
echo "$@" >> uv_called
for folder; do :; done
case "$*" in *"--python {version} "*) mkdir -p "$folder/bin"; cp {python} "$folder/bin/python";; *) exit 1;; esac
"""


class Project:
    """The folder, and what lies on the PATH there."""

    def __init__(self, folder, root):
        self.folder, self.bin = folder / 'lab', folder / 'bin'
        self.home = folder / 'home'
        for made in (self.folder / 'scripts', self.bin, self.home):
            made.mkdir(parents=True)
        shutil.copy(str(root / 'scripts' / 'setup.sh'), str(self.folder / 'scripts'))
        shutil.copytree(str(root / 'setup'), str(self.folder / 'setup'))
        for path in (*root.glob('requirements*.txt'), root / 'pyproject.toml', root / 'Makefile'):
            shutil.copy(str(path), str(self.folder))
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.machine('Linux x86_64')
        self.pip_brings('exit 1')

    def machine(self, name, c_library='ldd (GNU libc) 2.36'):
        """What uname and ldd say, and the Pythons that are put here from now on."""
        self.name = name
        system, processor = name.rsplit(' ', 1)
        put(self.bin / 'uname', f'#!/bin/sh\n[ "$1" = -m ] && echo {processor} || echo {system}\n')
        put(self.bin / 'ldd', f'#!/bin/sh\necho "{c_library}"\n')

    def pip_brings(self, what):
        """What the pip does that is told to install uv."""
        self.pip = put(self.folder.parent / 'pip', PIP.format(brings=what))

    def python(self, version, path=None, has_venv=True, pip_works='true'):
        """Puts a Python here: python3.12, for example, or at a path."""
        path = path or self.bin / f'python{version}'
        text = PYTHON.format(
            real=sys.executable,
            name=path.name,
            version=version.replace('.', ', '),
            machine=self.name,
            venv_module='true' if has_venv else 'mkdir -p "$3/bin"; exit 1',
            pip=self.pip,
            pip_works=pip_works,
        )
        return put(path, text)

    def uv(self, version, path=None):
        """Puts a uv here that has this Python to offer, and no other."""
        python = self.python(version, self.folder.parent / 'python_by_uv')
        return put(path or self.bin / 'uv', UV.format(version=version, python=python))

    def set_up(self, *arguments, **environment):
        return self._run([str(self.folder / 'scripts' / 'setup.sh'), *arguments], environment)

    def make(self, *arguments, **environment):
        return self._run(['make', '--no-print-directory', *arguments], environment)

    def start(self, **environment):
        command = [str(self.folder / 'scripts' / 'setup.sh')]
        return subprocess.Popen(command, cwd=str(self.folder), env=self._environment(environment))

    def _run(self, command, environment):
        environment = self._environment(environment)
        return subprocess.run(command, cwd=str(self.folder), env=environment, capture_output=True, text=True)

    def _environment(self, environment):
        return {'PATH': str(self.bin), 'HOME': str(self.home), 'TMPDIR': str(self.folder.parent), **environment}

    def put(self, path, text):
        """Writes a program."""
        return put(path, text)

    def read(self, name):
        """A file of the folder by lines; none if it is not there."""
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def venvs(self):
        """What lies in the folder of which the name begins as those of venvs do."""
        return sorted(entry.name for entry in self.folder.iterdir() if entry.name.startswith('.venv'))


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return path


@pytest.fixture
def project(tmp_path, root):
    return Project(tmp_path, root)
