"""scripts/check.py: what it prints, once and when the file is saved, and its exit status."""

import os
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
from argparse import Namespace

from lvseg import files, networks

import pytest

from classroom import checking, judging
from tests.classroom.cnn import BLANK, KERNEL, LINES, SOLVED, answers, with_values

ENDS_IT = 'Ctrl-C ends it.)\n'


@pytest.fixture
def project(tmp_path, root, monkeypatch):
    """A project of its own, as if it were installed, with blank exercises."""
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    for folder in ('scripts', 'classroom', 'lvseg', 'exercise_solutions'):
        shutil.copytree(root / folder, tmp_path / folder, ignore=shutil.ignore_patterns('__pycache__'))
    subprocess.run([sys.executable, 'scripts/make_exercises.py'], cwd=tmp_path, check=True)
    return tmp_path


def test_a_blank_exercise_takes_little_time_and_few_lines(project, run):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run('scripts/check.py', 'cnn', cwd=project)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == 'exercises/cnn/neuralnetwork.py: solved so far, 0 of 24.'
    assert len(done.stdout.splitlines()) == 3  # No DEBUG line among them.
    assert done.stderr == ''
    # Processor time, for the clock depends on what else the machine does.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 30


def test_a_solved_exercise_ends_with_status_0_and_says_what_is_next(project, run):
    (project / 'exercises' / 'cnn' / 'neuralnetwork.py').write_text(SOLVED, encoding='utf-8')
    done = run('scripts/check.py', 'cnn', cwd=project)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines() == [
        'exercises/cnn/neuralnetwork.py: solved so far, 24 of 24, and the network fits the lab.',
        'Next: python exercises/cnn/runTraining.py, then python exercises/cnn/runEval.py',
    ]
    assert done.stderr == ''


def test_what_is_next_after_the_dice_metric_trains_nothing_again():
    *_, following = checking.screen('cnnDice', judging.Report({}, 3), 3, 0).splitlines()
    assert following == (
        'Next: python exercises/cnnDice/runNoNetwork.py, '
        'then python exercises/cnnDice/runEval.py --checkpoint_dir logs/cnn/train'
    )


def test_a_missing_exercise_ends_with_one_line(project, run):
    (project / 'exercises' / 'cnn' / 'neuralnetwork.py').unlink()
    done = run('scripts/check.py', 'cnn', cwd=project)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        'ERROR: exercises/cnn/neuralnetwork.py not found. Put it there again with: make exercises'
    ]


def test_an_exercise_that_does_not_exist_is_refused_in_one_line(run):
    done = run('scripts/check.py', 'cnm')
    assert done.returncode == 2
    assert done.stderr.startswith('ERROR: ') and len(done.stderr.splitlines()) == 1


@pytest.fixture
def watching(project):
    """check.py --watch on the project's cnn."""
    process = subprocess.Popen(
        [sys.executable, 'scripts/check.py', 'cnn', '--watch'],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    yield process
    process.kill()
    process.communicate()


def read_until(process, text, after='', seconds=120):
    """What a process prints, up to this text, or to the first one after another text."""
    printed, deadline = '', time.monotonic() + seconds
    while not re.search(f'{re.escape(after)}.*{re.escape(text)}', printed, re.DOTALL):
        ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        assert ready, f'{text!r} does not come after: {printed}'
        more = os.read(process.stdout.fileno(), 65536).decode()
        assert more, f'it ended before {text!r}: {printed}'
        printed += more
    return printed


def stopped(process):
    """Ctrl-C; the exit status, and what was still printed."""
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=120)
    return process.returncode, printed.decode()


def save_anew(network, text):
    """As an editor does: another file takes the name, and nobody sees half of it."""
    with files.replacing(str(network), encoding='utf-8') as file:
        file.write(text)


def test_watch_checks_again_when_the_file_is_saved(project, watching):
    network = project / 'exercises' / 'cnn' / 'neuralnetwork.py'
    assert 'solved so far, 0 of 24.' in read_until(watching, ENDS_IT)

    network.write_text(with_values(BLANK, LINES[0], answers(LINES[0])), encoding='utf-8')
    read_until(watching, ENDS_IT, after='solved so far, 2 of 24.')  # It may have seen half a file before.

    # As many editors save: a new file in the place of the old.
    save_anew(network, SOLVED)
    read_until(watching, ENDS_IT, after='solved so far, 24 of 24')

    assert stopped(watching) == (0, '')


def test_watch_goes_on_after_a_mistake_and_a_missing_file(project, watching):
    network = project / 'exercises' / 'cnn' / 'neuralnetwork.py'
    read_until(watching, ENDS_IT)

    save_anew(network, SOLVED.replace(KERNEL, 'kernel_size=[5, 5', 1))
    assert 'Python cannot read this line' in read_until(watching, ENDS_IT)

    network.unlink()
    assert 'not found' in read_until(watching, ENDS_IT)

    assert stopped(watching) == (1, '')


@pytest.fixture
def watched(tmp_path, monkeypatch, capsys):
    """What --watch prints within the test's process, check by check, if this happens while it waits."""

    def run(*events):
        waits = iter(events)

        def wait(_seconds):
            event = next(waits, None)
            if event is None:
                raise KeyboardInterrupt
            event(network)

        network = tmp_path / 'cnn' / 'neuralnetwork.py'
        network.parent.mkdir()
        network.write_text(BLANK, encoding='utf-8')
        monkeypatch.setattr(networks, 'EXERCISES', tmp_path)
        monkeypatch.setattr(checking.time, 'sleep', wait)
        checking.watch(Namespace(exercise='cnn', hint=0), judging.Solution(networks.solution('cnn')))
        return capsys.readouterr().out.split(ENDS_IT)[:-1]

    return run


def nothing(network):
    pass


def replaced_at_the_same_time(network):
    """Another file in its place, where the file system's clock is coarse."""
    before = network.stat()
    saved = network.with_name('saved')
    saved.write_text(SOLVED, encoding='utf-8')
    os.utime(str(saved), ns=(before.st_atime_ns, before.st_mtime_ns))
    saved.replace(network)


def test_watch_says_nothing_while_nothing_is_saved(watched):
    assert len(watched(nothing, nothing, nothing)) == 1


def test_watch_notices_another_file_of_the_same_time(watched):
    checks = watched(nothing, replaced_at_the_same_time, nothing)
    assert len(checks) == 2
    assert 'solved so far, 24 of 24' in checks[1]
