"""Runs a stranger's code in a process that reaches nothing but what it is given, and that comes to an end.

It has namespaces of its own (namespaces(7)): no network, no other process in sight, no file but Python, TensorFlow and
what is named, all of it read-only, and a user who owns none of it. And it has limits (setrlimit(2)): of time, memory,
processes, and of what it writes. What comes out is one file, of which nothing is believed as it stands.
"""

import contextlib
import ctypes
import os
import resource
import signal
import stat
import sys
import time
import traceback
from pathlib import Path
from typing import Callable, List, NamedTuple, NoReturn, Optional, Tuple

from lvseg import processes

SECONDS = 60  # Building a network takes one or two.
MEMORY = 2 << 30  # Bytes, beyond what Python with TensorFlow takes by itself.
OUTPUT = 16 << 20  # Bytes: a network's graph has some 100 KB.
PROCESSES = 64  # And threads: a session of TensorFlow has some for each core.
NOBODY = 65534  # The user and the group without rights, if the grader is root.

# How a work ended, as the exit status of the process that watches it.
DONE, DIED, TOOK_TOO_LONG = 0, 3, 4

# From the kernel's headers: sched.h, mount.h, prctl.h, capability.h. mount_setattr has this number on all machines.
_ALL_NEW = 0x00020000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000  # ns, uts, ipc, user, pid, net
_BIND, _RECURSIVE, _PRIVATE, _NOSUID, _NODEV, _DETACH = 4096, 16384, 1 << 18, 2, 4, 2
_MOUNT_SETATTR, _FROM_HERE, _ALL_BELOW, _READ_ONLY = 442, -100, 0x8000, 1
_NO_NEW_PRIVILEGES, _CAPABILITIES = 38, 0x20080522

_DEVICES = ('/dev/null', '/dev/zero', '/dev/urandom', '/dev/random')
_LIBRARIES = ('/usr/lib', '/usr/lib64', '/lib', '/lib64')
_POLL_SECONDS = 0.02
_RESULT = 3  # The number of the open file within; after stdin, stdout and stderr.


class Work(NamedTuple):
    """What is to be done within."""

    do: Callable[[int], None]  # It writes to the open file of this number.
    result: Path  # That file.
    said: Path  # What is written to stdout and stderr past Python's own.
    readable: List[Path]  # What it may read beside Python and TensorFlow.


def can_close_off() -> bool:
    """Whether this system lets us close a process off; many a container and some kernels' settings do not."""
    process = os.fork()
    if process == 0:
        _exit_after(lambda: DONE if _libc().unshare(_ALL_NEW) == 0 else DIED)
    return os.waitpid(process, 0)[1] == 0


def run(work: Work, closed: bool) -> int:
    """Does the work; DONE, DIED or TOOK_TOO_LONG.

    Args:
        work: what to do.
        closed: whether in namespaces of its own (can_close_off); else with the limits alone.
    """
    unshared, told = os.pipe()
    go_on, mapped = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(unshared)
        os.close(mapped)
        _exit_after(lambda: _watched(work, (told, go_on) if closed else None))
    os.close(told)
    os.close(go_on)
    if os.read(unshared, 1):
        _name_users(process)
    os.close(unshared)
    os.close(mapped)
    return os.WEXITSTATUS(os.waitpid(process, 0)[1])


def _exit_after(do: Callable[[], int]) -> NoReturn:
    """Ends this process without what Python does at its end: that is the parent's."""
    status = DIED
    try:
        status = do()
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)


# Outside: the process that watches


def _watched(work: Work, handshake: Optional[Tuple[int, int]]) -> int:
    """Starts the process within, and ends it, with all that it has started."""
    processes.end_with_parent()
    result, said = (
        os.open(str(path), os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600) for path in (work.result, work.said)
    )
    if handshake:
        told, go_on = handshake
        _call('unshare', _ALL_NEW)
        os.write(told, b'.')
        os.read(go_on, 1)  # Ends when the parent has closed it.
    within = os.fork()
    if within == 0:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        _exit_after(lambda: _within(work, bool(handshake), result, said))

    def stop(*_: object) -> None:
        _kill(within)
        os._exit(DIED)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        ended, status = os.waitpid(within, os.WNOHANG)
        if ended:
            _kill(within)
            return DONE if status == 0 else DIED
        time.sleep(_POLL_SECONDS)
    _kill(within)
    return TOOK_TOO_LONG


def _kill(process: int) -> None:
    """Ends a process and its group; the first of a namespace takes all of the namespace with it."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(process, signal.SIGKILL)


def _name_users(process: int) -> None:
    """Says who is who in the namespace of a process: root who sets it up and nobody, or only the user we are."""
    of_process = Path(f'/proc/{process}')
    if os.getuid() == 0:
        users = groups = f'0 0 1\n{NOBODY} {NOBODY} 1'
    else:
        (of_process / 'setgroups').write_text('deny')
        users, groups = (f'{number} {number} 1' for number in (os.getuid(), os.getgid()))
    (of_process / 'uid_map').write_text(users)
    (of_process / 'gid_map').write_text(groups)


# Within


def _within(work: Work, closed: bool, result: int, said: int) -> int:
    nothing = os.open(os.devnull, os.O_RDONLY)
    kept = [os.dup(number) for number in (nothing, said, said, result)]
    for number, descriptor in enumerate(kept):
        os.dup2(descriptor, number)
    os.closerange(len(kept), os.sysconf('SC_OPEN_MAX'))  # Of the grader's own.
    memory = _memory() + MEMORY
    if closed:
        _leave_only([*work.readable, Path(sys.prefix), Path(sys.base_prefix)])
    _give_up_rights()
    _limit(memory)
    for name in [name for name in os.environ if not name.startswith('TF_')]:  # A server's may hold what is secret.
        del os.environ[name]
    work.do(_RESULT)
    return DONE


def _memory() -> int:
    """The address space of this process, in bytes."""
    return int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()


def _leave_only(readable: List[Path]) -> None:
    """Makes these files, libraries and devices the only ones there are, none of them to be written."""
    root = Path('/tmp')  # Covered by the new root, which is filled and then stepped into.
    _call('mount', None, b'/', None, _RECURSIVE | _PRIVATE, None)
    old = os.open('/', os.O_RDONLY)
    opened = {path: os.open(str(path), os.O_PATH) for path in _outermost(readable)}
    named = [str(path) for path in (*readable, *map(Path, _LIBRARIES)) if path.exists()]
    links = {path: os.path.realpath(path) for path in named if os.path.realpath(path) != path}
    links['/proc/self/exe'] = sys.executable
    _call('mount', b'tmpfs', bytes(root), b'tmpfs', _NOSUID | _NODEV, b'size=1m,mode=755')
    for path, descriptor in opened.items():
        _bind(descriptor, root / path.relative_to('/'))
    for path, target in links.items():
        link = root / path[1:]
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():  # It may lie beyond another link.
            link.symlink_to(target)
    (root / 'proc/self/cmdline').write_text(sys.executable)  # With exe all that TensorFlow 2 wants of /proc.
    os.chdir(str(root))
    _set_read_only(b'.')
    _call('pivot_root', b'.', b'.')
    _call('umount2', b'.', _DETACH)
    os.close(old)
    os.chdir('/')


def _outermost(readable: List[Path]) -> List[Path]:
    """The paths to show, without those that lie in another one."""
    wanted = {path.resolve() for path in [*readable, *map(Path, _LIBRARIES), *map(Path, _DEVICES)] if path.exists()}
    return sorted(path for path in wanted if not wanted.intersection(path.parents))


def _bind(descriptor: int, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        place.mkdir()
    else:
        place.touch()
    _call('mount', f'/proc/self/fd/{descriptor}'.encode(), bytes(place), None, _BIND | _RECURSIVE, None)
    os.close(descriptor)


def _set_read_only(folder: bytes) -> None:
    class Attributes(ctypes.Structure):
        _fields_ = [(name, ctypes.c_uint64) for name in ('set', 'clear', 'propagation', 'users')]

    wanted = Attributes(_READ_ONLY | _NOSUID, 0, 0, 0)
    size = ctypes.sizeof(wanted)
    _call('syscall', _MOUNT_SETATTR, _FROM_HERE, folder, _ALL_BELOW, ctypes.byref(wanted), ctypes.c_size_t(size))


def _give_up_rights() -> None:
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    header, none = (ctypes.c_uint32 * 2)(_CAPABILITIES, 0), (ctypes.c_uint32 * 6)()
    _call('capset', header, none)
    _call('prctl', _NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def _limit(memory: int) -> None:
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: SECONDS,
        resource.RLIMIT_FSIZE: OUTPUT,
        resource.RLIMIT_NPROC: PROCESSES,
        resource.RLIMIT_CORE: 0,
    }
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(name: str, *args: object) -> None:
    """Calls a function of the C library.

    Raises:
        OSError: it failed.
    """
    if getattr(_libc(), name)(*args) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f'{name}: {os.strerror(number)}')
