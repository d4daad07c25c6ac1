"""Cores, signals, and what becomes of the processes that a program has started when it is killed itself."""

import contextlib
import ctypes
import os
import signal
from typing import Any, Callable, Iterable, Iterator, List

_PR_SET_PDEATHSIG = 1
_C_LIBRARY = ctypes.CDLL(None)


def end_with_parent() -> None:
    """Has this process told to end, by SIGTERM, when its parent is gone; nothing where the system cannot (macOS).

    To be called in the child, as `preexec_fn` of subprocess is; so all has to be loaded before (prctl(2)).
    """
    prctl = getattr(_C_LIBRARY, 'prctl', None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@contextlib.contextmanager
def on_signals(numbers: Iterable[int], handler: Callable[[int, Any], None]) -> Iterator[None]:
    """Within the block, these signals call the handler; afterwards, what they called before."""
    earlier = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, before in earlier.items():
            signal.signal(number, before)


def cores() -> List[int]:
    """Those that this process may use, which on a shared machine can be fewer than there are."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else list(range(os.cpu_count() or 1))


def keep_to(cores: List[int]) -> None:
    """Has this process, and those that it starts, use these cores; nothing where the system cannot (macOS)."""
    if hasattr(os, 'sched_setaffinity'):
        os.sched_setaffinity(0, cores)
