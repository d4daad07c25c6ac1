"""Judges the blanks of functions by what the functions do.

A function that does what the solution's does is right, however it is written. Else each blank is tried by itself: all
other blanks of the file are filled as in the solution, and right is what makes the function do what it should.
"""

import ast
import functools
import types
from pathlib import Path
from typing import Dict, List, Optional, Tuple, Union

from lvseg import networks
from lvseg.errors import LabError

from classroom import blanks, making, probes
from classroom.blanks import Expression
from classroom.probes import Told
from classroom.texts import Message, message
from classroom.verdicts import FIXME, OPEN, RIGHT, UNKNOWN, WRONG, Verdict, of_error

Blank = Tuple[Expression, blanks.Path]

# Said of a statement of which nothing is told while another one of its function has an open blank.
WAITING = 'expression.waiting'


class Solved:
    """A file of the solution that has blanks in functions.

    Attributes:
        text: of the file.
        paths: to the blanks of each statement.
        told: what a function does. Run when it is asked: a process that has run a session cannot be forked any more.
    """

    def __init__(self, path: Path) -> None:
        text = networks.source(path)
        self.text = blanks.Text(text)
        of_layers = blanks.lines(text, blanks.parameters(text)).values()
        marked = [line for line in making.marked_lines(text) if line not in of_layers]
        self.paths = dict(self.text.marked(path.name, line, making.is_whole(text, line)) for line in marked)
        self.told = functools.lru_cache(maxsize=None)(lambda function: _told_quietly(path, text, function))


def _told_quietly(path: Path, text: str, function: str) -> Told:
    with networks.quiet():
        return probes.told(function, networks.load(path, text))


def judged(path: Path, solution: Solved) -> Tuple[Dict[Expression, Verdict], Optional[Message]]:
    """What the blanks of a student's file are, and what keeps it from being run at all.

    Raises:
        NetworkError: there is no such file, or it is no text.
    """
    text = networks.source(path)
    try:
        with networks.mistakes_explained(path):
            networks.load(path, text, FIXME=FIXME)
    except LabError as error:
        return unknown(solution), of_error(error)
    attempt = _Attempt(path, blanks.Text(text), solution)
    return {expression: attempt.verdict(expression) for expression in solution.paths}, None


def unknown(solution: Solved) -> Dict[Expression, Verdict]:
    """Of a file that cannot be run."""
    return {each: verdict_on(each, [UNKNOWN] * len(paths), 'not_reached') for each, paths in solution.paths.items()}


def verdict_on(
    expression: Expression, states: List[str], code: str, line: Optional[int] = None, said: str = ''
) -> Verdict:
    """What a statement's blanks are; `code` is what is to be said of them."""
    values = {**expression._asdict(), 'said': f'{said} ' if said else '', 'wanted': wanted(expression)}
    return Verdict(tuple(states), message(f'expression.{code}', **values), line)


def wanted(expression: Expression) -> Message:
    """What a statement should come to, in words."""
    return message(f'{expression.function}.{expression.name}.wanted')


class _Attempt:
    """A student's file, which can be run."""

    def __init__(self, path: Path, text: blanks.Text, solution: Solved) -> None:
        self._path = path
        self._text = text
        self._solution = solution
        functions = {expression.function for expression in solution.paths}
        self._whole = {function: self._try(function, text.tree) is None for function in functions}
        # The student's text between the blanks: does it do what it should once they are filled?
        self._between = {
            function: None if right else self._try(function, self._filled_but(None))
            for function, right in self._whole.items()
        }

    def verdict(self, expression: Expression) -> Verdict:
        paths, line = self._solution.paths[expression], self._text.line(expression)
        if self._whole[expression.function]:
            return verdict_on(expression, [RIGHT] * len(paths), 'right', line)
        of_function = [each for each in self._solution.paths if each.function == expression.function]
        gone = [each for each in of_function if self._text.line(each) is None]
        if gone:
            return verdict_on(gone[0], [UNKNOWN] * len(paths), 'missing')
        places = self._text.places(expression, paths)
        between = self._between[expression.function]
        if between is not None:
            states = [OPEN if self._is_open(expression, place) else UNKNOWN for place in places]
            return verdict_on(expression, states, 'between', line, between)

        found = [self._state(expression, place) for place in places]
        states = [state for state, _ in found]
        code = next(state for state in (WRONG, OPEN, RIGHT) if state in states)
        return verdict_on(expression, states, code, line, ' '.join({said for _, said in found if said}))

    def _is_open(self, expression: Expression, place: blanks.Path) -> bool:
        return blanks.is_open(self._text.at(expression, place))

    def _state(self, expression: Expression, place: blanks.Path) -> Tuple[str, str]:
        """What one blank is, all others being right; and what Python says of it, if it fails."""
        if self._is_open(expression, place):
            return OPEN, ''
        failure = self._try(expression.function, self._filled_but((expression, place)))
        if failure is None:
            return RIGHT, ''
        return WRONG, failure.partition(': ')[2] or failure

    def _filled_but(self, kept: Optional[Blank]) -> ast.Module:
        """The student's text with the solution's values in all its blanks but one."""
        values = {
            (expression, place): self._solution.text.at(expression, place)
            for expression, paths in self._solution.paths.items()
            if self._text.line(expression) is not None
            for place in self._text.places(expression, paths)
            if kept != (expression, place)
        }
        return self._text.filled(values)

    def _try(self, function: str, program: Union[str, ast.Module]) -> Optional[str]:
        """None where the function does what it should; '' where it does something else; or how it fails, and where."""
        try:
            with networks.mistakes_explained(self._path):
                found = self._told(function, networks.load(self._path, program, FIXME=FIXME))
        except LabError as error:
            return str(error)
        return None if found is not None and probes.same(found, self._solution.told(function)) else ''

    @staticmethod
    def _told(function: str, module: types.ModuleType) -> Optional[Told]:
        """None where what a function gives is of another kind than the probe can use."""
        try:
            return probes.told(function, module)
        except Exception as error:
            if networks.line_of(error, Path(module.__file__)):
                raise
            return None
