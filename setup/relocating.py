"""Copies the Python that runs this into a folder: `python setup/relocating.py FOLDER`.

For a lab that many share (scripts/install.sh), where Python lies in the home of who installs it, which others may not
read. Imports nothing of the lab, for it runs where nothing is installed yet.
"""

import shutil
import subprocess
import sys
from pathlib import Path

_UNUSED = shutil.ignore_patterns('test', '__pycache__', 'site-packages')
_LOADED = 'import ctypes, ssl; print(open("/proc/self/maps").read())'


def relocate(prefix: Path, folder: Path) -> Path:
    """Copies a Python's prefix, and returns the interpreter in the copy, which then needs nothing of the original."""
    shutil.copytree(str(prefix), str(folder), symlinks=True, ignore=_UNUSED)
    python = folder / 'bin' / f'python{sys.version_info[0]}.{sys.version_info[1]}'
    library = f'{prefix}/lib\0'.encode()
    # One built with --enable-shared has the path of its library within. It grows no longer, so that nothing moves.
    python.write_bytes(python.read_bytes().replace(library, b'$ORIGIN/../lib'.ljust(len(library), b'\0')))
    return python


def main() -> None:
    """Copies, and ends with exit status 1 where the copy still loads what lies in the original."""
    prefix, folder = Path(sys.base_prefix).resolve(), Path(sys.argv[1])
    python = relocate(prefix, folder)
    loaded = subprocess.run([str(python), '-c', _LOADED], stdout=subprocess.PIPE)
    if loaded.returncode != 0 or f'{prefix}/' in loaded.stdout.decode():
        sys.exit(1)


if __name__ == '__main__':
    main()
