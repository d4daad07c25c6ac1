"""One lab for many: installed by root, used by two users who cannot change it.

What takes a download is left out: make install finds a venv, which leads to the packages of the tests' own Python.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest
import tensorflow.compat.v1 as tf

from setup.editions import edition_of
from tests.docs.conftest import Document

USERS = ('daemon', 'games')  # Two that every Debian has.

pytestmark = pytest.mark.slow


class Server:
    """A lab in a folder of root's, and homes beside it."""

    def __init__(self, folder, root):
        self.lab, self.folder = folder / 'opt-lab', folder
        self.source = folder / 'source'
        listed = subprocess.check_output(
            ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], cwd=root, text=True
        )
        for name in listed.rstrip('\0').split('\0'):
            if (root / name).exists():
                (self.source / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(root / name), str(self.source / name))
        doctor = self.source / 'setup' / 'doctor.py'  # What is free here is of no matter.
        doctor.write_text(doctor.read_text().replace('_WANTED = 1.5e9', '_WANTED = 0'))
        for user in USERS:
            self.home(user).mkdir()
            shutil.chown(str(self.home(user)), user)
            self.home(user).chmod(0o700)

    def home(self, user):
        return self.folder / user

    def run(self, user, command, cwd=None, **environment):
        """What a user's shell command gives."""
        place = cwd or self.home(user)
        environment = {
            'PATH': '/usr/local/bin:/usr/bin:/bin',
            'LANG': 'C.UTF-8',
            'LAB_THREADS': '1',
            **environment,
        }
        return subprocess.run(
            # runuser itself would set HOME to the one that the system has for the user.
            [shutil.which('runuser'), '-u', user, '--', 'env', f'HOME={self.home(user)}', 'bash', '-c', command],
            cwd=str(place),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def as_instructor(self, command):
        """What root's shell command prints, in root's own copy of the lab; it is to work."""
        done = subprocess.run(
            ['bash', '-c', f'{command} {self.tf if command.startswith("make ") else ""}'],
            cwd=str(self.source),
            env={**os.environ, 'PYTHONPATH': '', 'LAB_THREADS': '1'},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, f'$ {command}\n{done.stdout}'
        return done.stdout

    def desk(self, user):
        return self.home(user) / 'lab'

    def at_desk(self, user, command):
        """Runs a command as it stands in the guide, with the lab's Python; it is to work."""
        done = self.run(user, f'source .venv/bin/activate; {command}', cwd=self.desk(user))
        assert done.returncode == 0, f'$ {command}\n{done.stdout}'
        return done.stdout

    def state(self):
        """All that lies in the lab, with its time of change."""
        return {str(path): path.lstat().st_mtime_ns for path in self.lab.rglob('*') if '.venv' not in path.parts[:-1]}


@pytest.fixture(scope='module')
def server(root, data_dir):
    if os.geteuid() != 0 or not shutil.which('runuser'):
        pytest.skip('needs root, who alone can act as two users')
    packages = sysconfig.get_path('purelib')
    if subprocess.run(['runuser', '-u', USERS[0], '--', 'test', '-r', tf.__file__]).returncode != 0:
        pytest.skip(f'needs a {packages} that every user may read')
    folder = Path(tempfile.mkdtemp(dir='/tmp'))  # TMPDIR may be a folder of root's alone.
    folder.chmod(0o755)
    try:
        made = Server(folder, root)
        made.lab.mkdir()
        install(made, packages, data_dir)
        yield made
    finally:
        shutil.rmtree(str(folder))


def install(server, packages, data_dir):
    """make install, where an earlier one has left a venv; and a lab of the instructor's own that is set up."""
    edition = edition_of(tf.__version__)
    python = server.lab / 'python'
    relocating = server.source / 'setup' / 'relocating.py'
    subprocess.run([sys.executable, str(relocating), str(python)], check=True)
    for lab in (server.lab, server.source):
        make_venv(lab, python, edition, server.source, packages)
    (server.lab / 'one-for-many').write_text('')
    shutil.copytree(str(data_dir), str(server.source / 'data'))
    server.tf = '' if edition.name == '1.15' else f'TF={edition.name}'
    printed = server.as_instructor(f'make install PREFIX={server.lab}')
    assert printed.splitlines()[-1].startswith(f'The lab is installed in {server.lab}')


def make_venv(lab, python, edition, source, packages):
    """A venv of the copied Python, stamped as set up, with the packages of another."""
    version = '{}.{}'.format(*sys.version_info[:2])
    venv = lab / edition.venv
    subprocess.run([str(python / 'bin' / f'python{version}'), '-m', 'venv', '--without-pip', str(venv)], check=True)
    (venv / 'lib' / f'python{version}' / 'site-packages' / 'lab.pth').write_text(f'{lab}\n{packages}\n')
    installed = ''.join((source / name).read_text() for name in (edition.requirements, 'pyproject.toml'))
    (venv / 'lab-installed').write_text(f'{lab.resolve()}\n{installed}')
    if venv.name != '.venv':
        (lab / '.venv').symlink_to(venv.name)


@pytest.fixture(scope='module')
def desks(server):
    """Both users have their desks."""
    for user in USERS:
        done = server.run(user, f'make -C {server.lab} desk')
        assert done.returncode == 0, done.stdout
        assert f'{server.desk(user)} is your desk.' in done.stdout
    return server


def test_two_users_check_train_evaluate_and_pack_and_nothing_is_written_into_the_lab(desks):
    before = desks.state()
    name = 'neuralnetwork.py'
    network = f'exercises/simple/{name}'
    for user in USERS:
        desks.at_desk(
            user, f"sed 's/HIDDEN_UNITS = 512/HIDDEN_UNITS = 1/' exercise_solutions/simple/{name} > {network}"
        )
        assert 'solved so far, 0 of 24' in desks.at_desk(user, 'make check EXERCISE=cnn')
        desks.at_desk(user, 'python exercises/simple/runTraining.py')
        assert 'OUTPUT' in desks.at_desk(user, 'python exercises/simple/runEval.py')
        assert 'show.png' in desks.at_desk(user, 'make show EXERCISE=simple')
        assert 'ImageSegmentation.tar.gz' in desks.at_desk(user, 'make archive')
        desk = desks.desk(user)
        assert (desk / 'logs' / 'simple' / 'train' / 'checkpoint').exists()
        assert (desk / 'logs' / 'simple' / 'train' / 'show.png').exists()
        assert 'HIDDEN_UNITS = 1\n' in desks.at_desk(
            user, f'tar -xzOf ImageSegmentation.tar.gz ImageSegmentation/{network}'
        )
        assert not list((desk / 'exercises').rglob('__pycache__'))
    assert desks.state() == before


def test_each_user_has_a_tensorboard_of_their_own_beside_the_others(desks):
    shared = desks.folder / 'tmp'
    shared.mkdir()
    shared.chmod(0o1777)
    command = f'mkdir -p logs; TMPDIR={shared} make tensorboard'
    found = {}
    try:
        for user in USERS:
            told = re.match(
                r'TensorBoard: (http://127\.0\.0\.1:\d+) \(kill (\d+) ends it\)', desks.at_desk(user, command)
            )
            found[user] = told.groups()
        addresses = [address for address, _ in found.values()]
        assert len(set(addresses)) == len(USERS)
        for user, address in zip(USERS, addresses):
            assert desks.at_desk(user, command).startswith(f'TensorBoard runs already: {address} ')
    finally:
        for user, (_, process) in found.items():
            assert desks.run(user, f'kill {process}').returncode == 0


def test_a_user_can_change_nothing_of_the_lab(desks):
    done = desks.run(USERS[0], 'touch x || echo refused; echo >> lvseg/flags.py || echo refused', cwd=desks.lab)
    assert done.stdout.count('refused') == 2
    assert (desks.run(USERS[0], 'rm data/*', cwd=desks.lab)).returncode != 0


def test_a_desk_that_is_laid_again_keeps_the_students_work(desks):
    user = USERS[0]
    network = desks.desk(user) / 'exercises' / 'cnn' / 'neuralnetwork.py'
    desks.at_desk(user, 'echo "# mine" >> exercises/cnn/neuralnetwork.py; rm exercises/cnn/runEval.py')
    desks.run(user, f'make -C {desks.lab} desk')
    assert network.read_text().endswith('# mine\n')
    assert (network.parent / 'runEval.py').exists()


def test_preparing_data_over_those_that_are_shared_is_refused_in_one_line(desks):
    done = desks.run(
        USERS[1],
        'source .venv/bin/activate; python -m data_prep phantom --patients 1 --out data',
        cwd=desks.desk(USERS[1]),
    )
    assert done.returncode == 1
    assert done.stdout.startswith('ERROR: cannot write in ') and len(done.stdout.splitlines()) == 1, done.stdout


def test_what_is_not_installed_is_asked_for_from_who_installed_it(desks):
    done = desks.run(USERS[0], 'make search EXERCISE=cnn', cwd=desks.desk(USERS[0]))
    assert done.returncode != 0
    assert f'Ask who installed it to do: make install PREFIX={desks.lab}' in done.stdout


def test_a_copy_with_a_linked_venv_is_led_to_a_desk(desks):
    user = USERS[0]
    done = desks.run(
        user,
        f'mkdir copy; cd copy; cp -r {desks.lab}/Makefile {desks.lab}/scripts {desks.lab}/setup '
        f'{desks.lab}/requirements*.txt {desks.lab}/pyproject.toml .; ln -s {desks.lab}/.venv .venv; '
        'make check EXERCISE=cnn',
    )
    assert done.returncode != 0
    assert f'For a desk of your own that uses that lab: make -C {desks.lab} desk.' in done.stdout
    assert 'Installing' not in done.stdout


def test_doctor_at_a_desk_finds_the_lab_in_order(desks):
    assert 'The lab runs here.' in desks.at_desk(USERS[0], 'make doctor')


@pytest.mark.skipif(not shutil.which('git'), reason='needs git')
def test_a_clone_of_anothers_repository_works_as_the_document_says(server):
    git = ['git', '-c', 'user.name=a', '-c', 'user.email=a@b']
    repository = server.folder / 'repository'
    repository.mkdir()
    (repository / 'file').write_text('')
    for command in (['init', '-q'], ['add', '.'], ['commit', '-qm', 'all']):
        subprocess.run([*git, *command], cwd=str(repository), check=True)
    clone = f'git clone -q {repository} cloned'
    assert 'dubious ownership' in server.run(USERS[0], clone).stdout
    told = f'git config --global --add safe.directory {repository}/.git'
    done = server.run(USERS[0], f'{told} && {clone}')
    assert done.returncode == 0, done.stdout


def test_the_commands_for_instructor_and_students_work_as_they_stand_in_the_document(desks, root):
    """On a lab in another folder than /opt/lab; `make -C` anew for each student, who have their desks already."""
    for block in Document(root / 'docs' / 'instructor.md').blocks:
        who, *commands = block.lines
        commands = [command.replace('/opt/lab', str(desks.lab)) for command in commands]
        if who == '# A student':
            desks.at_desk(USERS[0], ' && '.join(commands))
            continue
        assert who in ('# The instructor', '# The instructor, after a change')
        if who.endswith('change'):
            answers = changed(desks.source / 'exercise_solutions' / 'cnn' / 'neuralnetwork.py')
        printed = ''.join(desks.as_instructor(command) for command in commands)
    assert 'solved so far, 0 of 24' in printed
    assert '2,100' in printed  # 3 x 7 x 1 x 100 weights of conv1, which were 5 x 5 x 1 x 100

    (desks.source / 'exercises' / 'cnn' / 'neuralnetwork.py').write_text(answers)
    assert 'solved so far, 22 of 24' in desks.as_instructor('make check EXERCISE=cnn')


def changed(solution):
    """Gives conv1 another kernel; the text before is what a student has who solved the exercise of before."""
    before = solution.read_text()
    after = before.replace('kernel_size=[5, 5],  # blank', 'kernel_size=[3, 7],  # blank', 1)
    assert after != before
    solution.write_text(after)
    return before
