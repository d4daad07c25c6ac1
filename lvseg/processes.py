"""The processes that a program starts: on which cores they run, and what becomes of them when it is killed itself."""

import ctypes
import os
import signal
from typing import List

_PR_SET_PDEATHSIG = 1
_C_LIBRARY = ctypes.CDLL(None)


def end_with_parent() -> None:
    """Has this process told to end, by SIGTERM, when its parent is gone; nothing where the system cannot (macOS).

    To be called in the child, as `preexec_fn` of subprocess is; so all has to be loaded before (prctl(2)).
    """
    prctl = getattr(_C_LIBRARY, 'prctl', None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def cores() -> List[int]:
    """Those that this process may use, which on a shared machine can be fewer than there are."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else list(range(os.cpu_count() or 1))


def keep_to(cores: List[int]) -> None:
    """Has this process, and those that it starts, use these cores; nothing where the system cannot (macOS)."""
    if hasattr(os, 'sched_setaffinity'):
        os.sched_setaffinity(0, cores)
