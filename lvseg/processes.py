"""What becomes of the processes that a program has started when it is killed itself."""

import ctypes
import signal

_PR_SET_PDEATHSIG = 1
_C_LIBRARY = ctypes.CDLL(None)


def end_with_parent() -> None:
    """Has this process told to end, by SIGTERM, when its parent is gone; nothing where the system cannot (macOS).

    To be called in the child, as `preexec_fn` of subprocess is; so all has to be loaded before (prctl(2)).
    """
    prctl = getattr(_C_LIBRARY, 'prctl', None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
