"""One process at a time: a lock file, which the system lets go when the process ends, however it ends."""

import fcntl
import os
from typing import IO


class HeldError(Exception):
    """Another process holds the lock: its number, or 'just started'."""


def take(path: str) -> IO:
    """Takes a lock, made if need be; it is held until the file returned is closed.

    Raises:
        HeldError: it is held by another.
        OSError: the file cannot be made.
    """
    file = open(path, 'a+')  # noqa: SIM115 - held open as long as the lock
    if not _is_ours(file, path):
        file.seek(0)
        holder = file.read() or 'just started'
        file.close()
        raise HeldError(holder)
    os.register_at_fork(after_in_child=file.close)  # Else a child would hold it on when this process is killed.
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _is_ours(lock: IO, path: str) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    # Between opening and locking, another process may have removed the file, or moved it aside with its directory.
    return os.path.exists(path) and os.path.samestat(os.stat(path), os.fstat(lock.fileno()))
