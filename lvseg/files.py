"""Files that are there whole or not at all, after a power cut too: on disk (fsync) before they get their names."""

import contextlib
import errno
import os
from typing import IO, Any, Iterator

PART = '.part'  # Ends the name of a file that is being written.


@contextlib.contextmanager
def replacing(path: str, **how: Any) -> Iterator[IO]:  # noqa: ANN401 - as `open` has them
    """Yields a text file to be written, which takes the place of `path` at the end; not after an error.

    Args:
        path: of the file, there or not.
        how: further arguments of `open`.
    """
    with open(path + PART, 'w', **how) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + PART, path)
    sync(os.path.dirname(path))


def sync(*paths: str) -> None:
    """Returns when these files, and of these folders the names in them, are on disk."""
    for path in paths:
        descriptor = os.open(path or os.curdir, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            # Some file systems sync no folders, and say so; there is nothing else to be done there.
            if error.errno != errno.EINVAL:
                raise
        finally:
            os.close(descriptor)


def sync_tree(folder: str) -> None:
    """Returns when all that is in a folder, and in the folders within, is on disk."""
    for inside, _, names in os.walk(folder):
        sync(*(os.path.join(inside, name) for name in names), inside)
