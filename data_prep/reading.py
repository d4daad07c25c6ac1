"""Reads slices one after another, in several processes if wanted, and holds few of them at a time."""

import contextlib
import functools
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

ReadSlice = Callable[[Slice], Any]  # A Pair; or, of masks alone, a Look.


class Outcome(NamedTuple):
    """A slice read, or the reason why not."""

    piece: Slice
    pair: Optional[Any] = None
    bad_file: str = ''
    reason: str = ''


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
    with ProcessPoolExecutor(workers, initializer=_prepare_process, initargs=(os.getpid(),)) as pool:
        pool.submit(int)  # Starts the processes here, as small as this one is.
        yield functools.partial(_read_in_order, pool, attempt)


def _attempt(read: ReadSlice, piece: Slice) -> Outcome:
    if piece.problem:
        return Outcome(piece, bad_file=piece.image or piece.mask, reason=piece.problem)
    try:
        return Outcome(piece, read(piece))
    except BadFileError as error:
        return Outcome(piece, bad_file=error.file, reason=error.reason)


def _read_in_order(
    pool: ProcessPoolExecutor, attempt: Callable[[Slice], Outcome], slices: List[Slice]
) -> Iterator[Outcome]:
    try:
        # The pool reads ahead all it is given, so it gets a few slices at a time.
        for start in range(0, len(slices), _SLICES_AT_A_TIME):
            yield from pool.map(attempt, slices[start : start + _SLICES_AT_A_TIME])
    except BrokenProcessPool:
        raise LabError('a process that read slices was stopped, perhaps for want of memory. Try --workers 1.') from None


def _prepare_process(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; it is the parent that ends the others.
    threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()


def _end_with_parent(parent: int) -> None:
    """A killed parent cannot end its processes, and they would wait for slices for ever."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
