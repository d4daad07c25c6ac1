"""Loads a neuralnetwork.py, a student's or a solution's, and builds its graph; mistakes are explained in one line."""

import ast
import contextlib
import faulthandler
import importlib.util
import inspect
import io
import re
import signal
import sys
import traceback
import types
import warnings
from pathlib import Path
from typing import Any, Dict, Iterator, Optional, Tuple, Union
from unittest import mock

from lvseg.errors import LabError
from lvseg.layout import SIZE
from lvseg.project import EXERCISES, exercise_names, shown, solution_folder

import tensorflow.compat.v1 as tf

Shape = Tuple[int, ...]

SECONDS_AT_MOST = 20  # Building a graph takes less than one.
_ENDLESS = 'still here after {} seconds. Is this a loop that never ends?'
_STDERR = 2
_SECONDS_TO_END = 1  # What Python cannot stop by then is in C code, and so is ended with the whole process.


class NetworkError(LabError):
    """What is wrong with the file of a network, in one line.

    Attributes:
        code: which mistake it is; it stays the same where the words change.
        line: the line of the file, from 1; None where it is about the file as a whole.
    """

    def __init__(self, code: str, text: str, line: Optional[int] = None) -> None:
        super().__init__(text)
        self.code = code
        self.line = line


# What Python raises on a text that is nested too deeply, if it is no SyntaxError: 3.7 does at 100 brackets.
TOO_DEEP = (MemoryError, RecursionError)


class _TookTooLong(BaseException):
    """No Exception, so that a student's own `except Exception` does not swallow it."""


def solution(exercise: str) -> Path:
    """The network of a solution."""
    return solution_folder(exercise) / 'neuralnetwork.py'


def of_student(exercise: str) -> Path:
    """The network of a student."""
    return EXERCISES / exercise / 'neuralnetwork.py'


def of_run(exercise: str, run: Dict[str, Any]) -> Path:
    """The network that a run was made with: a student's if that is where its program lies, else the solution's.

    Args:
        run: what its run.json says (lvseg.runs.load). It comes from anywhere, so no path is taken from it.

    Raises:
        LabError: there is no such exercise.
    """
    if exercise not in exercise_names():
        raise LabError(f'{exercise!r} is no exercise of this lab; there are {", ".join(exercise_names())}.')
    folder = Path(str(run.get('program', ''))).parent.parent.name
    return of_student(exercise) if folder == EXERCISES.name else solution(exercise)


def source(path: Path) -> str:
    """The text of a network.

    Raises:
        NetworkError: there is no such file, or it is not text that Python would read.
    """
    if not path.is_file():
        raise NetworkError('file.missing', f'{shown(path)} not found. Put it there again with: make exercises')
    try:
        text = importlib.util.decode_source(path.read_bytes())
    except (UnicodeDecodeError, SyntaxError) as error:
        raise NetworkError(
            'file.encoding', f'{shown(path)} is not saved as UTF-8: {error}. Save it as UTF-8.'
        ) from None
    if '\0' in text:
        raise NetworkError('file.damaged', f'{shown(path)} is damaged: it holds bytes that are no text. Save it again.')
    return text


def load(path: Path, text: Union[str, ast.Module], **names: Any) -> types.ModuleType:  # noqa: ANN401 - anything
    """Runs the text of a network, or what Python has parsed of it; `names` are defined in it beforehand.

    Raises:
        NetworkError: it is nested too deeply for Python to read.
        Exception: any other that the text raises.
    """
    module = types.ModuleType(path.stem)
    module.__file__ = str(path)
    vars(module).update(names)
    try:
        program = compile(text, str(path), 'exec')
    except TOO_DEEP:
        said = f'{shown(path)} has brackets or signs nested too deeply for Python to read. Write it with fewer.'
        raise NetworkError('python.nested', said) from None
    with _importing_from(path.parent):
        exec(program, vars(module))
    return module


@contextlib.contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """Imports find the files of a folder, as in a program that lies there.

    Afterwards they are forgotten, for the next exercise may have files of the same names, or lack one of them.
    """
    with mock.patch.object(sys, 'path', [str(folder), *sys.path]):
        try:
            yield
        finally:
            for file in folder.glob('*.py'):
                imported = getattr(sys.modules.get(file.stem), '__file__', None)
                # A student's json.py is not what Python has imported by this name.
                if imported and Path(imported).resolve() == file.resolve():
                    del sys.modules[file.stem]


def call(module: types.ModuleType, function: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - anything
    """Calls one of a network's functions, as runTraining.py and runEval.py do.

    Raises:
        NetworkError: there is no such function, or it takes other arguments.
    """
    found = getattr(module, function, None)
    where = shown(Path(module.__file__))
    if not callable(found):
        raise NetworkError('function.missing', f'{where} has no function {function}, which the lab calls.')
    try:
        inspect.signature(found).bind(*args, **kwargs)
    except TypeError as error:
        said = f'{where}: {function} does not take what the lab calls it with: {error}.'
        raise NetworkError('function.arguments', said) from None
    with _importing_from(Path(module.__file__).parent):
        return found(*args, **kwargs)


def images() -> tf.Tensor:
    """Stands for a batch of one image while a graph is built."""
    return tf.placeholder(tf.float32, [1, SIZE, SIZE])


def labels() -> tf.Tensor:
    """Stands for a batch of one label while a graph is built."""
    return tf.placeholder(tf.uint8, [1, SIZE, SIZE])


def shape(tensor: tf.Tensor) -> Shape:
    """The static shape as a plain tuple; None is a size known only when the graph runs, or no shape at all."""
    return None if tensor.shape.ndims is None else tuple(tensor.shape.as_list())


def weights(graph: tf.Graph) -> Dict[str, Shape]:
    """The shapes of a graph's trainable variables, by name."""
    return {variable.op.name: shape(variable) for variable in graph.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES)}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drops what a network prints while it is built: the lab's DEBUG lines, and warnings."""
    into_nothing = io.StringIO()
    with contextlib.redirect_stdout(into_nothing), contextlib.redirect_stderr(into_nothing), warnings.catch_warnings():
        warnings.simplefilter('ignore')
        yield


@contextlib.contextmanager
def mistakes_explained(path: Path, undefined: str = 'Import it or define it further up.') -> Iterator[None]:
    """Quiet; what fails in the student's file `path` becomes a NetworkError with its line; other errors stay.

    A loop in C code, which no error ends, ends the process with status 1; its place is then on stderr.

    Args:
        path: the student's file.
        undefined: what to do about a name that is not defined.
    """
    try:
        with quiet(), _time_limit():
            yield
    except (Exception, SystemExit, _TookTooLong) as error:
        line = None if isinstance(error, LabError) else line_of(error, path)
        if line is None:
            raise
        line = _line_of_argument(source(path), line, str(error))
        code, explanation = _explained(error, undefined)
        raise NetworkError(code, f'{shown(path)}, line {line}: {explanation}', line) from None


def in_one_line(error: BaseException) -> str:
    """What an error says, without what TensorFlow adds: its own code's lines before it, advice after it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or ['']
    return lines[-1] if lines[0] == 'in converted code:' else lines[0]


def line_of(error: BaseException, path: Path) -> Optional[int]:
    """The line of the student's file at which an error arose."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno or 1
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return lines[-1] if lines else None


def _line_of_argument(text: str, line: int, said: str) -> int:
    """Of a call over several lines, that of the argument that an error names in quotes; else the line as it is.

    Python 3.7 tells the last line of such a call, later ones the first.
    """
    named = re.findall(r"[`'](\w+)[`']", said)
    try:
        calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    except (SyntaxError, *TOO_DEEP):
        return line
    for call in calls:
        last = max(getattr(node, 'lineno', 0) for node in ast.walk(call))
        found = [keyword.value.lineno for keyword in call.keywords if keyword.arg in named]
        if found and call.lineno <= line <= last:
            return found[0]
    return line


def endless(path: Path, line: Optional[int]) -> NetworkError:
    """What is said of a program that does not come to an end; `line` is where it was, if that is known."""
    where = f'{shown(path)}, line {line}' if line else shown(path)
    said = f'{where}: {_ENDLESS.format(SECONDS_AT_MOST)}'
    return NetworkError('python.endless', said, line)


def _explained(error: BaseException, undefined: str) -> Tuple[str, str]:
    """The code of a mistake, and what is said of it."""
    if isinstance(error, IndentationError):
        said = f'{error.msg}: this line begins further left or right than the lines around it.'
        return 'python.indentation', said
    if isinstance(error, SyntaxError):
        said = f'{error.msg}: Python cannot read this line or the one before. Is a bracket, comma or quote missing?'
        return 'python.syntax', said
    if isinstance(error, NameError):
        return 'python.name', f'{error}. {"Fill in this blank." if "FIXME" in str(error) else undefined}'
    if isinstance(error, ModuleNotFoundError):
        said = f'the module {error.name} is not installed; the exercise needs no others than it came with.'
        return 'python.module', said
    if isinstance(error, SystemExit):
        return 'python.exit', 'the program is ended here, before the network is built.'
    if isinstance(error, _TookTooLong):
        return 'python.endless', _ENDLESS.format(SECONDS_AT_MOST)
    return 'python.error', f'{in_one_line(error)} ({type(error).__name__})'


@contextlib.contextmanager
def _time_limit() -> Iterator[None]:
    def stop(signal_number: int, frame: types.FrameType) -> None:
        raise _TookTooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS_AT_MOST)
    # Not sys.stderr, in whose place `quiet` has put something else.
    faulthandler.dump_traceback_later(SECONDS_AT_MOST + _SECONDS_TO_END, exit=True, file=_STDERR)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
