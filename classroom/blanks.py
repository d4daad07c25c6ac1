"""Where the blanks of a network stand in its text."""

import ast
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

from lvseg import networks

from classroom import making


class Parameter(NamedTuple):
    """A parameter of a layer that has two blanks: for the height and for the width."""

    layer: str
    name: str


def parameters(solution: str) -> List[Parameter]:
    """The parameters that a solution's text marks as blank, in its order.

    Raises:
        ValueError: a mark elsewhere than in a layer with a name; the author's slip.
    """
    marked = making.marked_lines(solution)
    found = {
        keyword.value.lineno: Parameter(layer, keyword.arg)
        for layer, made in _named_calls(solution)
        for keyword in made.keywords
    }
    if not set(marked) <= set(found):
        raise ValueError(f'lines {sorted(set(marked) - set(found))} are marked as blank, but in no call with a name=')
    return [found[line] for line in marked]


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
