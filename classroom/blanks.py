"""Where the blanks of an exercise stand in its texts: in the call of a layer that has a name, or in a function."""

import ast
import copy
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

from lvseg import networks

from classroom import making


class Parameter(NamedTuple):
    """A parameter of a layer that has two blanks: for the height and for the width."""

    layer: str
    name: str


def parameters(solution: str) -> List[Parameter]:
    """The parameters that a solution's text marks as blank, in its order.

    What is marked elsewhere than in a layer with a name is an Expression.
    """
    found = {
        keyword.value.lineno: Parameter(layer, keyword.arg)
        for layer, made in _named_calls(solution)
        for keyword in made.keywords
        if keyword.arg != 'name'
    }
    return [found[line] for line in making.marked_lines(solution) if line in found]


def lines(text: str, wanted: List[Parameter]) -> Dict[Parameter, int]:
    """The line of each parameter in a student's text, or else that of its layer; of those that are not there none."""
    try:
        calls = list(_named_calls(text))
    except (SyntaxError, *networks.TOO_DEEP):
        return {}
    found = {}
    for layer, made in reversed(calls):  # Of two layers with one name, the first.
        values = {keyword.arg: keyword.value.lineno for keyword in made.keywords}
        of_layer = [parameter for parameter in wanted if parameter.layer == layer]
        found.update({parameter: values.get(parameter.name, made.lineno) for parameter in of_layer})
    return found


def _named_calls(text: str) -> Iterator[Tuple[str, ast.Call]]:
    """The calls that have a text as name=, with that name."""
    for node in ast.walk(ast.parse(text)):
        for keyword in getattr(node, 'keywords', ()):
            if keyword.arg == 'name' and isinstance(_constant(keyword.value), str):
                yield _constant(keyword.value), node


def _constant(node: ast.AST) -> Any:  # noqa: ANN401 - a constant of any type, or a part of the tree
    """The value of a constant, which Python 3.7 has under a name of its own for texts."""
    return getattr(node, 'value', None) or getattr(node, 's', None)


# In functions

Path = Tuple[Tuple[str, Optional[int]], ...]


class Expression(NamedTuple):
    """A statement of a function that has blanks: what is assigned to a name, or returned."""

    file: str
    function: str
    name: str  # Of what it is assigned to; 'return'.


class Text:
    """A Python text in which the blanks of functions can be looked up and filled otherwise.

    Attributes:
        tree: the text as Python has parsed it.

    Raises:
        SyntaxError, or one of networks.TOO_DEEP: Python cannot read it.
    """

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        self._statements = {
            (function.name, name): statement
            for function in self.tree.body
            if isinstance(function, ast.FunctionDef)
            for name, statement in _named_statements(function)
        }

    def line(self, expression: Expression) -> Optional[int]:
        """The line of a statement; None if it is not there."""
        statement = self._statements.get(expression[1:])
        return statement and statement.lineno

    def marked(self, file: str, line: int, whole: bool) -> Tuple[Expression, List[Path]]:
        """The statement of a solution that has a marked line, and the paths to its blanks: its value, or a list's.

        Raises:
            ValueError: the line is not in what a function assigns or returns; the author's slip.
        """
        around = [(place, statement) for place, statement in self._statements.items() if line in _lines(statement)]
        if not around:
            raise ValueError(
                f'{file}, line {line} is marked as blank, but neither a value of a layer nor of a function'
            )
        place, statement = around[0]
        if whole:
            return Expression(file, *place), [()]
        lists = [(path, part) for path, part in _parts(statement.value) if isinstance(part, ast.List)]
        path, values = max((found for found in lists if found[1].lineno == line), key=lambda found: found[1].col_offset)
        return Expression(file, *place), [(*path, ('elts', number)) for number in range(len(values.elts))]

    def places(self, expression: Expression, paths: List[Path]) -> List[Path]:
        """Where this text has the blanks that the solution has at these paths.

        Each is the whole value, (), where that is written in another way, as a list of another length.
        """
        around = self.at(expression, paths[0][:-1])
        return paths if len(getattr(around, 'elts', ())) == len(paths) else [()] * len(paths)

    def at(self, expression: Expression, path: Path) -> Optional[ast.AST]:
        """What stands at a path in the value of a statement; None if there is no such place."""
        statement = self._statements.get(expression[1:])
        return statement and dict(_parts(statement.value)).get(path)

    def filled(self, values: Dict[Tuple[Expression, Path], ast.AST]) -> ast.Module:
        """The tree with other values at these places."""
        changed = copy.deepcopy(self)
        for (expression, path), value in values.items():
            changed._put(expression, path, copy.deepcopy(value))
        return changed.tree

    def _put(self, expression: Expression, path: Path, value: ast.AST) -> None:
        statement = self._statements[expression[1:]]
        for node in ast.walk(value):
            ast.copy_location(node, statement)  # A mistake is told with the student's line.
        *way, (field, number) = (('value', None), *path)
        parent = dict(_parts(statement))[tuple(way)]
        if number is None:
            setattr(parent, field, value)
        else:
            getattr(parent, field)[number] = value


def is_open(node: ast.AST) -> bool:
    """Whether a part of a text has a FIXME in it."""
    return any(isinstance(part, ast.Name) and part.id == 'FIXME' for part in ast.walk(node))


def _named_statements(function: ast.AST) -> Iterator[Tuple[str, ast.stmt]]:
    """What a function assigns to names and returns, those of functions within it left out."""
    for node in ast.iter_child_nodes(function):
        if isinstance(node, ast.Assign):
            target = node.targets[0]
            names = [getattr(part, 'id', '?') for part in getattr(target, 'elts', [target])]
            yield ', '.join(names), node
        elif isinstance(node, ast.Return) and node.value:
            yield 'return', node
        elif isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef):
            yield from _named_statements(node)


def _lines(statement: ast.stmt) -> range:
    """The lines of a statement; Python 3.7 tells where each part begins, and not where it ends."""
    return range(statement.lineno, max(getattr(node, 'lineno', 0) for node in ast.walk(statement)) + 1)


def _parts(node: ast.AST, path: Path = ()) -> Iterator[Tuple[Path, ast.AST]]:
    """A part of a tree and all parts of it, with the paths to them."""
    yield path, node
    for field, value in ast.iter_fields(node):
        numbered = enumerate(value) if isinstance(value, list) else [(None, value)]
        for number, part in numbered:
            if isinstance(part, ast.AST):
                yield from _parts(part, (*path, (field, number)))
