"""How much of the attack is run: a tenth, or with --whole (make attack) all of it."""

import contextlib
import faulthandler
import io
import signal
import sys
from typing import NamedTuple
from unittest import mock

from lvseg.errors import exit_with_message


def pytest_addoption(parser):
    parser.addoption('--whole', action='store_true', help='run the whole attack, not a tenth of it')


def pytest_generate_tests(metafunc):
    if 'tenth' in metafunc.fixturenames:
        # `make test-slow` does not name this folder, so that pytest does not know the flag there.
        whole = metafunc.config.getoption('--whole', default=False)
        metafunc.parametrize('tenth', range(10) if whole else [0])


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


class TookTooLong(BaseException):
    """Passes through everything that catches errors."""


def _interrupt(number, frame):
    raise TookTooLong(f'more than {SECONDS} s')


SECONDS = 60


@contextlib.contextmanager
def within_a_minute():
    """Python code is interrupted; C code that does not return is ended, and the test's process with it."""
    faulthandler.dump_traceback_later(3 * SECONDS, exit=True, file=sys.__stderr__)
    earlier = signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)
        faulthandler.cancel_dump_traceback_later()


def run_main(main, *args):
    """Runs a program's `main` in this process as its command line would; what is no LabError is not caught."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding='utf-8', write_through=True) for _ in range(2))
    code = 0
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        stack.enter_context(mock.patch.object(sys, 'argv', ['program', *map(str, args)]))
        stack.enter_context(within_a_minute())
        try:
            exit_with_message(main)
        except SystemExit as end:
            code = end.code
    return Outcome(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))


def assert_met(outcome):
    """It went well, or it was refused in one line."""
    assert outcome.code in (0, 1), outcome
    lines = [line for line in outcome.err.splitlines() if not line.startswith('Running on the ')]
    said = [line for line in lines if line.startswith('ERROR: ')]
    assert len(said) == outcome.code, outcome
    assert lines == said, outcome
    assert all(line.isprintable() for line in said), outcome  # No name moves the cursor or forges a line.
