"""The one kind of error that a user can cause and put right, and how a program ends on it."""

import os
import signal
import sys
from typing import Callable


class LabError(Exception):
    """One line for the user: what was expected, what was found, what to do."""


def exit_with_message(main: Callable[[], None]) -> None:
    """Runs `main`; a LabError becomes one line on stderr and exit status 1, any other error keeps its traceback.

    What is no error ends without a line: Ctrl-C, and output that nobody reads on, as in `python runTraining.py | head`.
    """
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python writes what is left when it exits.
        sys.exit(128 + signal.SIGPIPE)
    except LabError as error:
        print(f'ERROR: {error}', file=sys.stderr)
        sys.exit(1)
