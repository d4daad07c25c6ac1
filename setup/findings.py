"""What make doctor says: one line for each thing that it has looked at."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One line of the screen."""

    ok: bool
    text: str
    stops_lab: bool = False
