"""What the cells of the notebooks can do: %load_ext notebooks.magics, as the first cell does.

%%lab                        runs commands of the guide, in the top folder; pictures and pages that they name are shown
%%save challenge layers.py   saves the cell as a file of an exercise
%%check cnn --hint           saves the cell as the network of an exercise, and checks it as make check does
%tensorboard --logdir logs   TensorBoard below the cell; its own. --port 0 is any free one, where 6006 may be another's
"""

import atexit
import codecs
import html
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import Dict, Iterator, List, Tuple, Union

from lvseg.project import EXERCISES, PROJECT, exercise_names, shown

import psutil
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, magics_class
from IPython.display import HTML, Image, display

from classroom import making

# make and python are the notebook's own Python, whatever else is set up here, and nothing is set up again.
_COMMANDS = """
python() { "$PYTHON" "$@"; }
make() { command make --environment-overrides --old-file=setup "$@"; }
"""
_SHOWN = re.compile(r'\S+\.(?:png|gif|html)\b')
_FIRST_LINE = '# %%check'


class CellError(Exception):
    """Ends a cell with some lines and no traceback, and with it a run of all cells."""

    def _render_traceback_(self) -> List[str]:
        return str(self).splitlines()


@magics_class
class LabMagics(Magics):
    """The lab's own cell magics."""

    @cell_magic
    def lab(self, line: str, cell: str) -> None:
        """Runs commands in the top folder; the first that fails ends the cell."""
        said = []
        status = _run(cell, said)
        if status:
            raise CellError(f'The command ended with status {status}; above it has said why.')
        for path in _named(''.join(said)):
            display(_visible(path))

    @cell_magic
    def save(self, line: str, cell: str) -> None:
        """Saves the cell as a file of an exercise: %%save challenge augmentation.py."""
        exercise, _, name = line.strip().partition(' ')
        print(f'Saved as {shown(_saved(exercise, name, cell))}.')

    @cell_magic
    def check(self, line: str, cell: str) -> None:
        """Saves the cell as the network of an exercise, and checks it: %%check cnn, %%check cnn --hint."""
        exercise, *hints = line.split() or ['']
        _saved(exercise, 'neuralnetwork.py', cell)
        command = [sys.executable, 'scripts/check.py', exercise, *hints]
        answer = subprocess.run(
            command, cwd=str(PROJECT), env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        said = answer.stdout.decode(errors='replace').strip().replace('python scripts/check.py ', '%%check ')
        if answer.returncode:
            raise CellError(said)
        print(said)


def _saved(exercise: str, name: str, cell: str) -> Path:
    """The file of an exercise, with the cell's text; its lines have the numbers that they have in the cell.

    What somebody has written into the file by other means is kept beside it.

    Raises:
        CellError: there is no such exercise or file.
    """
    if exercise not in exercise_names():
        raise CellError(f'{exercise or "Nothing"} is no exercise of this lab; there are {", ".join(exercise_names())}.')
    path, blank = EXERCISES / exercise / name, making.generated(exercise)
    if path not in blank:
        names = ', '.join(sorted(file.name for file in blank))
        raise CellError(f'{name or "Nothing"} is no file of the exercise {exercise}; there are {names}.')
    try:
        if path.exists() and not _is_of_a_notebook(path) and making.differing({path: blank[path]}):
            making.keep(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f'{_FIRST_LINE} {exercise}: saved from a notebook.\n{cell}'.encode())
    except OSError as error:
        raise CellError(f'{shown(path)} cannot be written: {error.strerror}.') from None
    return path


def _is_of_a_notebook(path: Path) -> bool:
    return path.read_bytes().startswith(_FIRST_LINE.encode())


def _run(commands: str, said: List[str]) -> int:
    """Runs commands in a shell; what they print is shown at once, progress bars too, and put into `said`.

    Stop the cell, and Jupyter interrupts its commands as well, as Ctrl-C does: a training saves what it has, and ends.
    """
    interruptions = []
    before = signal.signal(signal.SIGINT, lambda *_: interruptions.append(True))
    try:
        status = _run_to_its_end(commands, said)
    finally:
        signal.signal(signal.SIGINT, before)
    if interruptions:
        raise CellError('Stopped.')
    return status


def _run_to_its_end(commands: str, said: List[str]) -> int:
    ours, theirs = _terminal()
    process = subprocess.Popen(
        ['bash', '-e', '-c', _COMMANDS + commands],
        cwd=str(PROJECT),
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    decode = codecs.getincrementaldecoder('utf-8')(errors='replace').decode
    for piece in _pieces(ours):
        text = decode(piece)
        print(text, end='', flush=True)
        said.append(text)
    os.close(ours)
    return process.wait()


def _terminal() -> Tuple[int, int]:
    """Our end of a terminal that leaves ends of lines alone, and theirs: only on a terminal are there progress bars."""
    ours, theirs = pty.openpty()
    attributes = termios.tcgetattr(theirs)
    attributes[1] &= ~termios.ONLCR
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    return ours, theirs


def _pieces(terminal: int) -> Iterator[bytes]:
    """What comes from a terminal, until all programs in it have ended."""
    while True:
        try:
            piece = os.read(terminal, 1 << 16)
        except OSError:  # So Linux tells the end; a Mac by an empty piece.
            return
        if not piece:
            return
        yield piece


def _environment() -> Dict[str, str]:
    path = os.pathsep.join([str(PROJECT), *filter(None, [os.environ.get('PYTHONPATH')])])
    return {**os.environ, 'PYTHON': sys.executable, 'PYTHONPATH': path}


def _named(said: str) -> List[Path]:
    """The pictures and pages that a command has named and that are there, each once."""
    found = [PROJECT / name for name in _SHOWN.findall(said)]
    return [path for path in dict.fromkeys(found) if path.is_file()]


def _visible(path: Path) -> Union[HTML, Image]:
    """A picture, or a page in a frame."""
    if path.suffix != '.html':
        return Image(filename=str(path))
    page = html.escape(path.read_text(encoding='utf-8'))
    return HTML(f'<div><iframe srcdoc="{page}" width="100%" height="640" frameborder="0"></iframe></div>')


def _end_tensorboards() -> None:
    for child in psutil.Process().children():
        if 'tensorboard' in ' '.join(child.cmdline()):
            child.terminate()


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Called by %load_ext."""
    shell.register_magics(LabMagics)
    # By its name on the PATH the magic of TensorBoard starts it, and leaves it running.
    os.environ['PATH'] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get('PATH', '')])
    shell.run_line_magic('load_ext', 'tensorboard')
    atexit.register(_end_tensorboards)
