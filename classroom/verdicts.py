"""What a blank can be, and what is said of it."""

from typing import NamedTuple, Optional, Tuple

from lvseg import networks
from lvseg.errors import LabError

from classroom.texts import Message, worded

# Unknown: the program could not be run so far.
RIGHT, WRONG, OPEN, UNKNOWN = 'right', 'wrong', 'open', 'unknown'


class Fixme:
    """Stands for a blank that is still open, so that what comes after it can be looked at too."""

    def __repr__(self) -> str:
        return 'FIXME'


FIXME = Fixme()


class Verdict(NamedTuple):
    """What the blanks of a layer's parameter or of a function's statement are, and what is to be said of them."""

    states: Tuple[str, ...]  # Of a parameter the height's and the width's.
    text: Message
    line: Optional[int] = None  # Of the student's file; None where it does not have that place.

    @property
    def solved(self) -> int:
        """How many of them are right."""
        return self.states.count(RIGHT)


def of_error(error: LabError) -> Message:
    """What an error says."""
    if isinstance(error, networks.NetworkError):
        return worded(error.code, str(error), error.line)
    return worded('lab', str(error))
