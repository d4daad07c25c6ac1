"""Reads slices one after another, in several processes if wanted, and holds few of them at a time."""

import contextlib
import functools
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Callable, Iterator, List, NamedTuple, Optional

from lvseg.errors import LabError

from data_prep.slices import BadFileError, Slice

_SLICES_AT_A_TIME = 64  # of about 0.6 MB

# So many slices may each end a process; with more, it is not they that are bad.
_MOST_DEATHS = 5

ReadSlice = Callable[[Slice], Any]  # A Pair; or, of masks alone, a Look.


class Outcome(NamedTuple):
    """A slice read, or the reason why not."""

    piece: Slice
    pair: Optional[Any] = None
    bad_file: str = ''
    reason: str = ''


Attempt = Callable[[Slice], Outcome]
ReadAll = Callable[[List[Slice]], Iterator[Outcome]]


@contextlib.contextmanager
def reader(read: ReadSlice, workers: int) -> Iterator[ReadAll]:
    """Yields a function that reads slices and gives the outcomes in the same order.

    Not by multiprocessing.Pool, which hangs when a process of it is killed, or when it is left with slices unread.
    """
    attempt = functools.partial(_attempt, read)
    if workers == 1:
        yield functools.partial(map, attempt)
        return
    with _Processes(workers) as processes:
        yield functools.partial(processes.read_in_order, attempt)


def _attempt(read: ReadSlice, piece: Slice) -> Outcome:
    if piece.problem:
        return Outcome(piece, bad_file=piece.image or piece.mask, reason=piece.problem)
    try:
        return Outcome(piece, read(piece))
    except BadFileError as error:
        return Outcome(piece, bad_file=error.file, reason=error.reason)


class _Processes:
    """Processes that read slices. A slice at which one of them dies is bad; new ones read the others."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._deaths = 0

    def __enter__(self) -> '_Processes':
        self._start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown()

    def read_in_order(self, attempt: Attempt, slices: List[Slice]) -> Iterator[Outcome]:
        # The pool reads ahead all it is given, so it gets a few slices at a time.
        for start in range(0, len(slices), _SLICES_AT_A_TIME):
            some, read = slices[start : start + _SLICES_AT_A_TIME], 0
            try:
                for outcome in self._pool.map(attempt, some):
                    yield outcome
                    read += 1
            except BrokenProcessPool:  # At which slice, it does not say.
                self._restart()
                yield from (self._read_alone(attempt, piece) for piece in some[read:])

    def _read_alone(self, attempt: Attempt, piece: Slice) -> Outcome:
        try:
            return self._pool.submit(attempt, piece).result()
        except BrokenProcessPool:
            self._deaths += 1
            if self._deaths > _MOST_DEATHS:
                raise LabError(
                    f'a process that read slices was stopped, and so {_MOST_DEATHS} times before, perhaps for want of '
                    'memory. Try --workers 1.'
                ) from None
            self._restart()
            return Outcome(piece, bad_file=piece.image, reason='ends the process that reads it')

    def _restart(self) -> None:
        self._pool.shutdown()
        # A fork of this process might now wait for ever for what a thread of TensorFlow's has locked.
        self._start(mp_context=multiprocessing.get_context('spawn'))

    def _start(self, **how: Any) -> None:  # noqa: ANN401 - as ProcessPoolExecutor has it
        try:
            self._pool = ProcessPoolExecutor(
                self._workers, initializer=_prepare_process, initargs=(os.getpid(),), **how
            )
            self._pool.submit(int)  # Starts the processes here, as small as this one is.
        except OSError as error:
            raise LabError(f'no processes can be started to read slices: {error.strerror}. Try --workers 1.') from None


def _prepare_process(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; it is the parent that ends the others.
    threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()


def _end_with_parent(parent: int) -> None:
    """A killed parent cannot end its processes, and they would wait for slices for ever."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
