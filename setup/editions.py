"""The editions of TensorFlow that the lab runs on, and which of them a Python can have.

`python setup/editions.py 2 [3.12]` prints the requirements file of the newest TensorFlow 2 for the Python that runs it;
where there is none, or this Python is not 3.12, it ends with exit status 1. Imports nothing of the lab, for the set-up
asks Pythons in which nothing is installed.
"""

import os
import platform
import sys
from typing import NamedTuple, Optional, Tuple


class Edition(NamedTuple):
    """A TensorFlow with all that belongs to it."""

    name: str  # What TF= says, or begins to say.
    requirements: str
    pythons: Tuple[Tuple[int, int], ...]
    machines: Tuple[str, ...]  # That its wheels are built for.

    @property
    def venv(self) -> str:
        """The folder in which scripts/setup.sh sets it up; where 1.15 cannot be had, its own is a link to another's."""
        return '.venv' if self.name == '1.15' else f'.venv-tf{self.name}'


# The newest first: TF=2 takes the first that fits.
EDITIONS = (
    Edition(
        '2',
        'requirements-tf2.txt',
        ((3, 13), (3, 12), (3, 11), (3, 10)),
        ('Linux x86_64', 'Linux aarch64', 'Darwin arm64'),
    ),
    Edition(
        '2.15',
        'requirements-tf2.15.txt',
        ((3, 11), (3, 10), (3, 9)),
        ('Linux x86_64', 'Linux aarch64', 'Darwin arm64', 'Darwin x86_64'),
    ),
    Edition('1.15', 'requirements.txt', ((3, 7),), ('Linux x86_64',)),
)
TF = ('1', '1.15', '2', '2.15')  # What TF= may say.


def editions_meant(wanted: str) -> Tuple[Edition, ...]:
    """The editions that TF=wanted may mean, the newest first: '2' means 2.15 too, and '1' is 1.15."""
    return tuple(edition for edition in EDITIONS if edition.name == wanted or edition.name.startswith(f'{wanted}.'))


def edition_for(wanted: str, python: Tuple[int, int], machine: str) -> Optional[Edition]:
    """The newest edition that TF=wanted may mean and that this Python can have on this machine, or None."""
    for edition in editions_meant(wanted):
        if python in edition.pythons and machine in edition.machines:
            return edition
    return None


def edition_of(tensorflow: str) -> Optional[Edition]:
    """The edition that a TensorFlow of this version belongs to; None for one that the lab does not run on."""
    if tensorflow.startswith('2.') and int(tensorflow.split('.')[1]) > 15:
        return EDITIONS[0]
    return next(
        (edition for edition in EDITIONS if tensorflow.startswith(f'{edition.name}.') and edition.name != '2'), None
    )


def this_machine() -> str:
    """System and processor that this Python is built for, such as 'Linux x86_64'; a wheel must be, too."""
    system, processor = platform.system(), platform.machine()
    if system == 'Linux' and not _has_glibc():
        system = 'Linux without glibc'
    if sys.maxsize < 2**32:
        processor += ' with 32 bits'
    return f'{system} {processor}'


def _has_glibc() -> bool:
    """Whether the C library is the GNU one, for which wheels are built, rather than Alpine's musl."""
    try:
        return bool(os.confstr('CS_GNU_LIBC_VERSION'))
    except (AttributeError, OSError, ValueError):
        return False


def main() -> None:
    """Prints the requirements file of the edition that is wanted, for the Python that runs this."""
    wanted, version = sys.argv[1], sys.version_info[:2]
    edition = edition_for(wanted, version, this_machine())
    is_other = len(sys.argv) > 2 and sys.argv[2] != '.'.join(map(str, version))
    if edition is None or is_other or platform.python_implementation() != 'CPython':
        sys.exit(1)
    print(edition.requirements)


if __name__ == '__main__':
    main()
