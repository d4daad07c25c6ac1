"""The one kind of error that a user can cause and put right, and how a program ends on it."""

import signal
import sys
from typing import Callable


class LabError(Exception):
    """One line for the user: what was expected, what was found, what to do."""


def exit_with_message(main: Callable[[], None]) -> None:
    """Runs `main`; a LabError becomes one line on stderr and exit status 1, any other error keeps its traceback."""
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except LabError as error:
        print(f'ERROR: {error}', file=sys.stderr)
        sys.exit(1)
