import errno
import os
import signal

from lvseg.errors import LabError

import numpy as np
import pytest

from data_prep import reading
from data_prep.reading import reader
from data_prep.slices import BadFileError, Pair, Slice

SLICES = [Slice(f'{number:03d}', 'p', f'{number}.png', '') for number in range(150)]


def read_number(piece):
    number = int(piece.name)
    if number % 10 == 3:
        raise BadFileError(piece.image, 'ends in 3')
    return Pair(np.full((2, 2), number), np.zeros((2, 2), np.uint8))


def be_killed(piece):
    os.kill(os.getpid(), signal.SIGKILL)


class NoteReading:
    """A picklable function that notes in a file that it was called."""

    def __init__(self, path):
        self.path = path

    def __call__(self, piece):
        with open(self.path, 'ab', buffering=0) as file:
            file.write(b'.')
        return read_number(Slice('0', '', '', ''))


@pytest.mark.parametrize('workers', [1, 2, 3])
def test_outcomes_come_in_the_order_asked_for(workers):
    slices = SLICES[::-1]
    with reader(read_number, workers) as read_all:
        outcomes = list(read_all(slices))
    assert [outcome.piece for outcome in outcomes] == slices
    for outcome in outcomes:
        number = int(outcome.piece.name)
        if number % 10 == 3:
            assert (outcome.bad_file, outcome.reason, outcome.pair) == (f'{number}.png', 'ends in 3', None)
        else:
            assert (outcome.reason, outcome.pair.image[0, 0]) == ('', number)


@pytest.mark.parametrize('workers', [1, 2])
def test_a_slice_with_a_known_problem_is_not_read(workers):
    with reader(be_killed, workers) as read_all:
        (outcome,) = read_all([Slice('a', 'p', '', 'a.txt', 'has no DICOM')])
    assert (outcome.bad_file, outcome.reason) == ('a.txt', 'has no DICOM')


def test_one_process_reads_a_slice_when_it_is_wanted(tmp_path):
    with reader(NoteReading(str(tmp_path / 'notes')), 1) as read_all:
        outcomes = read_all(SLICES)
        next(outcomes)
        next(outcomes)
    assert (tmp_path / 'notes').read_bytes() == b'..'


def test_several_processes_read_64_slices_ahead_and_no_more(tmp_path):
    with reader(NoteReading(str(tmp_path / 'notes')), 2) as read_all:
        outcomes = read_all(SLICES)
        for _ in range(64):
            next(outcomes)
    assert (tmp_path / 'notes').read_bytes() == b'.' * 64


def test_a_killed_process_is_an_error_and_no_endless_wait():
    with pytest.raises(LabError, match='process that read slices was stopped'), reader(be_killed, 2) as read_all:
        list(read_all(SLICES))


def be_killed_at_two(piece):
    if piece.name in ('007', '100'):
        be_killed(piece)
    return read_number(Slice('0', '', '', ''))


def test_a_slice_that_ends_the_process_is_bad_and_all_others_are_read():
    with reader(be_killed_at_two, 2) as read_all:
        outcomes = list(read_all(SLICES))
    assert [outcome.piece for outcome in outcomes] == SLICES
    bad = [(outcome.bad_file, outcome.reason) for outcome in outcomes if outcome.pair is None]
    assert bad == [(f'{number}.png', 'ends the process that reads it') for number in (7, 100)]


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ValueError, match='invalid literal'), reader(read_number, 2) as read_all:
        list(read_all([Slice('no number', '', '', '')]))


def test_processes_end_with_a_killed_parent(run):
    # The parent prints its processes' numbers and kills itself. They share its standard output, which `run` reads until
    # the last of them has ended.
    code = (
        'import multiprocessing, os, signal\n'
        'from data_prep.reading import reader\n'
        'with reader(None, 2):\n'
        '    print(*[child.pid for child in multiprocessing.active_children()], flush=True)\n'
        '    os.kill(os.getpid(), signal.SIGKILL)\n'
    )
    done = run('-c', code, timeout=300)
    assert done.returncode == -signal.SIGKILL
    assert len(done.stdout.split()) == 2


def test_where_no_processes_can_be_started_one_line_says_so(monkeypatch):
    def refuse(*args, **how):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(reading, 'ProcessPoolExecutor', refuse)
    wanted = 'no processes can be started to read slices: Too many open files. Try --workers 1.'
    with pytest.raises(LabError, match=wanted), reader(len, workers=2):
        pass
