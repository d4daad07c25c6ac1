"""What the tests of the search share: a stand-in for runTraining.py that takes no time, and a PostgreSQL."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

from lvseg import errors, events, summaries

import optuna
import psycopg2
import pytest

from tuning import space, studies, worker
from tuning.trials import Setting
from tuning.worker import Limits, Worker

EPOCHS = 3

# With a batch size of n, Dice is n / 10 at the end, and so many thirds of that after each of three epochs; 7 diverges,
# 8 has a mistake in it, 9 goes on until it is stopped. All do so where there is a file `wait` beside the program; where
# there is one `slow`, an epoch takes half a second.
PROGRAM = """
import json, os, shutil, signal, sys, time
flags = dict(zip(sys.argv[1::2], sys.argv[2::2]))
batch, train = int(flags['--batch_size']), flags['--checkpoint_dir']
here = os.path.dirname(os.path.abspath(__file__))
os.makedirs(os.path.join(train, 'validation'), exist_ok=True)
with open(os.path.join(train, 'run.json'), 'w') as file:
    json.dump({'exercise': 'simple', 'slices': batch, 'batch_size': batch, 'learning_rate': 0.01}, file)
print('OUTPUT: begun', flush=True)
if batch == 7:
    sys.exit('ERROR: the loss is nan at step 3: training has diverged. Try a lower --learning_rate.')
if batch == 8:
    raise NameError("name 'FIXME' is not defined")
now = time.time_ns()
with open(os.path.join(train, 'validation', f'events.out.tfevents.{now // 10**9}.{now}'), 'wb') as file:
    for epoch in (1, 2, 3):
        with open(os.path.join(here, f'batch-{batch}-epoch-{epoch}'), 'rb') as event:
            shutil.copyfileobj(event, file)
        file.flush()
        if os.path.exists(os.path.join(here, 'slow')):
            time.sleep(0.5)
        if batch == 9 or os.path.exists(os.path.join(here, 'wait')):
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
            signal.pause()
"""


@pytest.fixture(scope='session')
def events_of_trials(tmp_path_factory):
    """What the stand-in writes, by batch size and epoch, for it would take seconds to import TensorFlow."""
    folder = tmp_path_factory.mktemp('events')
    for batch in (1, 2, 3, 4, 5, 6, 9):
        for epoch in (1, 2, 3):
            with events.EventFile(str(folder / 'one')) as file:
                begun = os.path.getsize(file.path)
                file.add_summary(summaries.scalars(**{summaries.DICE: batch / 10 * epoch / 3}), epoch)
            (folder / f'batch-{batch}-epoch-{epoch}').write_bytes(Path(file.path).read_bytes()[begun:])
    return folder


@pytest.fixture
def program(events_of_trials, tmp_path):
    folder = tmp_path / 'exercise'
    shutil.copytree(str(events_of_trials), str(folder))
    (folder / 'runTraining.py').write_text(PROGRAM)
    return folder / 'runTraining.py'


@pytest.fixture(autouse=True)
def quick_look(monkeypatch):
    """The stand-in's trials take no time."""
    monkeypatch.setattr(worker, 'SECONDS_BETWEEN_LOOKS', 0.02)


@pytest.fixture
def quick_beat(monkeypatch):
    """A trial whose worker is silent for two seconds is stale."""
    monkeypatch.setattr(studies, 'HEARTBEAT', 1)
    monkeypatch.setattr(studies, 'GRACE', 2)


class Search:
    """Workers of one study that run the stand-in."""

    def __init__(self, program, folder):
        self.program, self.out = program, folder / 'out'
        self.address = f'sqlite:///{folder / "study.db"}'

    def open(self, batches=(1, 2, 3), prune=False):
        pruner = optuna.pruners.SuccessiveHalvingPruner(1, 3) if prune else optuna.pruners.NopPruner()
        return studies.open_study(self.address, Grid(batches), pruner)

    def work(self, trials, batches=(1, 2, 3), jobs=1, seconds=60, prune=False):
        """Runs a worker here, for a minute at most; returns the study."""
        with studies.explaining(self.address):
            study = self.open(batches, prune)
            searched = space.Space({'num_epochs': '3'}, {'batch_size': space.Choice(tuple('123456789'))})
            setting = Setting(self.program, self.program.parent, EPOCHS, 1, 1)
            Worker(study, searched, setting, Limits(trials, seconds, jobs), self.out).run()
        return study

    @contextlib.contextmanager
    def elsewhere(self, *args, **kwargs):
        """Runs a worker in a process of its own, which is killed at the end if it is still there; its number."""
        process = os.fork()
        if process == 0:
            with (self.out.parent / 'said').open('w') as said:
                os.dup2(said.fileno(), 1)
                os.dup2(said.fileno(), 2)
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
            try:
                errors.exit_with_message(lambda: self.work(*args, **kwargs))
                os._exit(0)
            except SystemExit as end:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(end.code)
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(99)
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, 0)

    def said(self):
        return (self.out.parent / 'said').read_text()

    def settings(self, study):
        return [int(trial.params['batch_size']) for trial in study.trials if trial.params]


class Grid(optuna.samplers.BaseSampler):
    """Proposes the batch sizes in their order, round and round."""

    def __init__(self, batches):
        self._batches = [str(batch) for batch in batches]

    def infer_relative_search_space(self, study, trial):
        return {}

    def sample_relative(self, study, trial, search_space):
        return {}

    def sample_independent(self, study, trial, name, distribution):
        return self._batches[trial.number % len(self._batches)]


@pytest.fixture
def search(program, tmp_path):
    return Search(program, tmp_path)


class Server:
    """A PostgreSQL on a free port of this machine alone, with its data in a temporary folder."""

    def __init__(self, programs, folder):
        self._programs, self._folder = programs, folder
        self._run('initdb', '--auth=trust', '--username=lab', '--no-sync', '--locale=C', '--encoding=UTF8')
        with socket.socket() as free:  # Only now, lest somebody takes it meanwhile.
            free.bind(('127.0.0.1', 0))
            self._port = free.getsockname()[1]
        self.start()

    def start(self):
        options = f'-p {self._port} -c listen_addresses=127.0.0.1 -k {self._folder} -c fsync=off'
        self._run('pg_ctl', '--wait', f'--log={self._folder}/log', '-o', options, 'start')

    def stop(self):
        self._run('pg_ctl', '--wait', '--mode=immediate', 'stop')

    def execute(self, command):
        with contextlib.closing(psycopg2.connect(self.address('postgres'))) as connection:
            connection.autocommit = True
            connection.cursor().execute(command)

    def address(self, database, user='lab'):
        return f'postgresql://{user}@127.0.0.1:{self._port}/{database}'

    def _run(self, program, *arguments):
        # The server refuses to run as root.
        as_whom = ['runuser', '-u', 'postgres', '--'] if os.geteuid() == 0 else []
        command = [*as_whom, str(self._programs / program), '-D', f'{self._folder}/data', *arguments]
        done = subprocess.run(
            command, cwd=str(self._folder), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope='session')
def postgresql():
    found = sorted(Path('/usr/lib/postgresql').glob('*/bin'), key=lambda path: int(path.parent.name))
    if not found:
        pytest.skip('needs PostgreSQL, which is not here: apt install postgresql')
    folder = Path(tempfile.mkdtemp(dir='/tmp'))  # Not pytest's own or TMPDIR, which other users may not enter.
    try:
        if os.geteuid() == 0:
            user = pwd.getpwnam('postgres')
            os.chown(str(folder), user.pw_uid, user.pw_gid)
        server = Server(found[-1], folder)
        yield server
        server.stop()
    finally:
        shutil.rmtree(str(folder))


@pytest.fixture
def in_postgresql(postgresql, search):
    """The search's study lies in a new database."""
    name = f'study_{os.urandom(4).hex()}'
    postgresql.execute(f'CREATE DATABASE {name}')
    search.address = postgresql.address(name)
    return search
