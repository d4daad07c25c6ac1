"""Every command of README and guide, run as it stands there, in order, in one shell, in a copy of the repository.

So that it takes minutes and not an hour, the copy is made light in two places, and no more: from the moment that
data_prep has made them, the record files hold one slice each, and those of later chapters eight, which is a batch; and
`simple` has 4 hidden units in place of 512. The blanks are filled where a student fills them, those of `cnn` with
the numbers of the guide's own structure list. And the doctor asks for no free memory and disk.
"""

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from PIL import Image

from classroom import making
from setup.editions import edition_of
from tests.data_prep.nifti_writing import acdc

pytestmark = pytest.mark.slow

# Commands that are not run, and why.
LEFT_OUT = {
    'make test': 'it would run all tests within a test; .ci/run runs it on a clean checkout',
    'make setup WHEELS=wheels': 'the wheels are 467 MB; tests/setup/test_setup.py runs it with stand-ins',
    'make search EXERCISE=cnnDice TRIALS=20': 'it trains 27 times; tests/tuning/test_search.py runs it small',
    'make cross-validate DATA_DIR=patients': 'it trains five times; test_cross_validation.py runs it small',
    'python scripts/challenge.py --best --data_dir patients --checkpoint_dir logs/challenge/best': 'it trains on 60 '
    'phantoms and then for 125 epochs; tests/experiments/test_recipe.py runs it with stand-ins',
    'python scripts/domain_shift.py --start logs/challenge/recipe': 'seven times 12 patients; see test_domain_shift.py',
    'python scripts/domain_shift.py': 'the same, and nine trainings; see test_domain_shift.py',
}

# How many slices are kept in the record files that the guide makes.
SLICES_KEPT = {'data': 1, 'patients': 8, 'few': 8, 'scanner': 8, 'noisy': 8}

# Commands that go on until they are stopped, and what they print when they work.
GO_ON = {
    'python scripts/check.py cnn --watch': ' of 24',
    'make cluster EXERCISE=cnnDice WORKERS=2 DATA_DIR=patients CHECKPOINT_DIR=logs/cnnDice/together '
    'FLAGS="--batch_size 4 --num_epochs 50 --resume"': 'Running on the',
}

# What TensorBoard says when it goes on by itself.
SERVED = re.compile(r'TensorBoard: (http://127\.0\.0\.1:\d+) \(kill (\d+) ends it\)')

# The last check of an exercise in a document is where the student has filled in its blanks.
CHECK = re.compile(r'(?:make check EXERCISE=|python scripts/check\.py )(\w+)')

# Without its blanks neither of an exercise's programs runs; of the others, training does.
NEED_BLANKS = ('simple', 'cnn')

SECONDS_AT_MOST = 900  # A command takes some seconds on an idle machine, and minutes on a busy one.


@pytest.mark.parametrize('name', ['README.md', 'guide'])
def test_every_command_works_and_prints_what_is_shown(name, document, guides, copy, home, phantom):
    guide = guides[0]  # The Korean guide has the same commands and output, as test_guide.py sees.
    text = guide if name == 'guide' else document(name)
    if 'make lab' in text.commands:  # It takes the records that are there, and makes some only where there are none.
        shutil.copytree(str(phantom), str(copy / 'data'), ignore=shutil.ignore_patterns('phantom_studies'))
        keep_few_slices(copy / 'data')
    with Shell(copy, home) as shell:
        student = Student(copy, shell, guide, filter(None, map(CHECK.fullmatch, text.commands)))
        for example in text.examples:
            printed = ''.join(student.do(command) for command in example.commands)
            for line in example.shown:
                assert was_printed(line, printed), f'{example.commands} shows {line!r}; printed:\n{printed}'


class Student:
    """Types one command after the other, and fills in an exercise's blanks before the last one that checks them."""

    def __init__(self, project, shell, guide, checks):
        self._project = project
        self._shell = shell
        self._guide = guide
        self._checks_left = [check.group(1) for check in checks]
        self._solved = set()

    def do(self, command):
        """What the command prints; it is to work, unless it needs blanks that are still open."""
        check = CHECK.fullmatch(command)
        if check:
            self._checks_left.remove(check.group(1))
            if check.group(1) not in self._checks_left:
                fill_blanks(self._project, check.group(1), self._guide)
                self._solved.add(check.group(1))
        if command in LEFT_OUT:
            return ''
        if command in GO_ON:
            return output_until(GO_ON[command], command, self._project)

        status, output = self._shell.run(command)
        if command == 'make tensorboard':
            address, process = SERVED.match(output).groups()
            with urllib.request.urlopen(address) as page:
                assert page.status == 200
            os.kill(int(process), signal.SIGTERM)
        exercise = re.match(r'python (?:exercises/|scripts/check\.py )(\w+)', command)
        is_to_fail = exercise and exercise.group(1) in NEED_BLANKS and exercise.group(1) not in self._solved
        assert (status != 0) == bool(is_to_fail), f'$ {command}\nended with {status}:\n{output}'
        if 'data_prep' in command:
            for folder in SLICES_KEPT:
                keep_few_slices(self._project / folder)
        return output


def was_printed(line, printed):
    """Whether the line was printed; figures may be others, since data and networks are, and … stands for anything."""
    wanted = re.escape(without_figures(line)).replace(re.escape('…'), '.*')
    return any(re.fullmatch(wanted, without_figures(found)) for found in printed.splitlines())


def without_figures(line):
    """Runs of digits and what belongs to them become #, but for the numbers of lines; and runs of blanks one."""
    return re.sub(r'\s+', ' ', re.sub(r'(?<!line )(?<!\d)\d[\d.,:-]*', '#', line)).strip()


def fill_blanks(project, exercise, guide):
    """Does what a student does: of cnn reads the structure list, of the others writes what the solution has."""
    if exercise == 'cnn':
        fill_layers(project, guide)
        return
    for path in (project / 'exercise_solutions' / exercise).glob('*.py'):
        filled = making.blanked(re.sub(r'  # blank( expression)?$', '', path.read_text(), flags=re.MULTILINE))
        if filled:
            (project / 'exercises' / exercise / path.name).write_text(filled)


def fill_layers(project, guide):
    """Puts the numbers of the structure list in place of FIXME, layer by layer."""
    network = project / 'exercises' / 'cnn' / 'neuralnetwork.py'
    text = network.read_text()
    for _, _, size, stride, _ in guide.table('conv1'):
        if stride and 'FIXME' in text:
            height, width = size.split(' × ')
            text = text.replace('[FIXME, FIXME]', f'[{height}, {width}]', 1)
            text = text.replace('[FIXME, FIXME]', f'[{stride}, {stride}]', 1)
    network.write_text(text)


def keep_few_slices(folder):
    """The first slices of each record file, and their lines of the manifest."""
    for path in folder.glob('*.tfrecords'):
        kept = list(itertools.islice(tf.python_io.tf_record_iterator(str(path)), SLICES_KEPT[folder.name]))
        with tf.python_io.TFRecordWriter(str(path)) as writer:
            for record in kept:
                writer.write(record)
    for path in folder.glob('manifest.csv'):
        head, *lines = path.read_text().splitlines()
        sides = [[line for line in lines if line.startswith(f'{side},')] for side in ('train', 'val')]
        kept = [line for side in sides for line in side[: SLICES_KEPT[folder.name]]]
        path.write_text('\n'.join([head, *kept]) + '\n')


def output_until(sign, command, project):
    """Starts a command in a shell of its own, and presses Ctrl-C once the sign is there."""
    with open(str(project.parent / 'output'), 'w+') as output:
        process = subprocess.Popen(
            ['bash', '-c', f'source .venv/bin/activate; {command}'],
            cwd=project,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        printed, until = '', time.time() + SECONDS_AT_MOST
        while sign not in printed:
            assert time.time() < until and process.poll() is None, f'$ {command}\nshows no {sign}:\n{printed}'
            time.sleep(0.5)
            output.seek(0)
            printed = output.read()
        os.killpg(process.pid, signal.SIGINT)
        process.wait(SECONDS_AT_MOST)
    return printed


@pytest.fixture
def copy(root, tmp_path, monkeypatch):
    """The repository as git has it, and what is not yet committed; with an environment that is set up."""
    folder = tmp_path / 'lab'
    monkeypatch.setenv('PYTHONPATH', str(folder))  # The environment itself leads to the repository's own rooms.
    listed = ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
    for name in subprocess.check_output(listed, cwd=root, text=True).rstrip('\0').split('\0'):
        if (root / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(root / name), str(folder / name))

    edition = edition_of(tf.__version__)
    venv = folder / ('.venv' if edition.name == '1.15' else f'.venv-tf{edition.name}')
    venv.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if not entry.name.endswith('-installed'):
            (venv / entry.name).symlink_to(entry)
    for stamp, requirements in (('lab-installed', edition.requirements), ('dev-installed', 'requirements-dev.txt')):
        installed = ''.join((folder / name).read_text() for name in (requirements, 'pyproject.toml'))
        (venv / stamp).write_text(f'{folder.resolve()}\n{installed}')
    if venv.name != '.venv':
        (folder / '.venv').symlink_to(venv.name)

    for exercises in ('exercises', 'exercise_solutions'):
        network = folder / exercises / 'simple' / 'neuralnetwork.py'
        network.write_text(network.read_text().replace('HIDDEN_UNITS = 512', 'HIDDEN_UNITS = 4'))
    doctor = folder / 'setup' / 'doctor.py'  # What is free here is of no matter.
    doctor.write_text(doctor.read_text().replace('_WANTED = 1.5e9', '_WANTED = 0'))
    return folder


@pytest.fixture(scope='module')
def phantom(run, tmp_path_factory):
    """Records and studies of one invented patient."""
    folder = tmp_path_factory.mktemp('phantom') / 'data'
    run('-m', 'data_prep', 'phantom', '--patients', 1, '--out', folder, check=True)
    return folder


@pytest.fixture
def home(phantom, tmp_path):
    """A home directory with what the README supposes there: a Sunnybrook study, pictures with masks, and ACDC."""
    folder = tmp_path / 'home'
    shutil.copytree(str(phantom / 'phantom_studies'), str(folder / 'sunnybrook'))
    for name in ('images', 'masks'):
        (folder / name).mkdir()
        for number in (1, 2):
            pixels = np.zeros((256, 256), np.uint8)
            pixels[100:140, 100:140] = 255
            Image.fromarray(pixels).save(str(folder / name / f'{number}.png'))
    for path, content in acdc('patient001').items():
        file = folder / 'acdc' / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


class Shell:
    """A bash session that takes one command after the other, as a person types them."""

    _END = '--- ended with '

    def __init__(self, folder, home):
        self._script = folder.parent / 'command.sh'
        self._process = subprocess.Popen(
            ['bash', '--norc'],
            cwd=folder,
            env={**os.environ, 'HOME': str(home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._kill()
        self._process.communicate()

    def run(self, command):
        """Exit status and output."""
        output = ''
        for line in self._lines(command):
            if line.startswith(self._END):
                return int(line[len(self._END) :]), output
            output += line
        raise AssertionError(f'$ {command}\ndid not end within {SECONDS_AT_MOST} s:\n{output}')

    def _lines(self, command):
        self._script.write_text(command + '\n')
        self._process.stdin.write(f'. {self._script} </dev/null; echo "{self._END}$?"\n')
        self._process.stdin.flush()
        limit = threading.Timer(SECONDS_AT_MOST, self._kill)
        limit.start()
        try:
            # Line by line: a generator that is not read to its end would close the pipe itself.
            yield from iter(self._process.stdout.readline, '')
        finally:
            limit.cancel()

    def _kill(self):
        os.killpg(self._process.pid, signal.SIGKILL)
