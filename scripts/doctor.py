"""Tells whether the lab can run here: -h lists the flags."""

import sys
from pathlib import Path

# The one file that does so: it must answer where the lab is not installed, or not in this Python.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lvseg import errors  # noqa: E402

from setup import doctor  # noqa: E402

if __name__ == '__main__':
    errors.exit_with_message(doctor.main)
