"""The one kind of error that a user can cause and put right, and how a program ends on it."""

import io
import os
import signal
import sys
from typing import Callable


class LabError(Exception):
    """One line for the user: what was expected, what was found, what to do."""


def one_line(text: str) -> str:
    r"""The text as a terminal can show it, for names and values that come from anywhere.

    What a terminal would obey, and what is in no encoding, is written as in Python: a line break as \n, an escape as
    \x1b, a byte that is no UTF-8 as \udcff.
    """
    return ''.join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def exit_with_message(main: Callable[[], None]) -> None:
    """Runs `main`; a LabError becomes one line on stderr and exit status 1, any other error keeps its traceback.

    What is no error ends without a line: Ctrl-C, and output that nobody reads on, as in `python runTraining.py | head`.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # A name may be in no encoding at all, or not in the terminal's.
        sys.stdout.reconfigure(errors='backslashreplace')
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python writes what is left when it exits.
        sys.exit(128 + signal.SIGPIPE)
    except LabError as error:
        print(f'ERROR: {one_line(str(error))}', file=sys.stderr)
        sys.exit(1)
