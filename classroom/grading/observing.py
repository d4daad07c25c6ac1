"""What a student's network is seen to do: written where the student's code runs, read where it does not.

It holds values and graphs, and no verdict. Whoever makes it up has to know the answers; none is in the process in which
the student's code runs: the layers are built with the student's own values.
"""

import base64
import json
import numbers
import re
import types
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from lvseg import networks
from lvseg.errors import LabError
from lvseg.layout import SIZE

import numpy as np
import tensorflow.compat.v1 as tf

from classroom import functions, judging, probes
from classroom.blanks import Expression, Parameter, Text, is_open
from classroom.functions import Solved
from classroom.judging import Attempt, Solution, Whole
from classroom.texts import Message, message, worded
from classroom.verdicts import FIXME, OPEN, RIGHT, UNKNOWN, WRONG, Verdict

_LONGEST = 300  # Letters, of what a student's code says.
_CODE = re.compile(r'[a-z_]{1,30}\.[a-z_]{1,30}')


class Task(NamedTuple):
    """What may be known of an exercise where a student's code runs."""

    parameters: List[Parameter]
    outputs: Dict[str, str]  # What each function is to give.
    functions: Dict[str, List[str]]  # Those that have blanks, of each file that has such.


def task(solution: Solution) -> Task:
    """Of a solution, what may be known."""
    functions = {name: sorted({place.function for place in file.paths}) for name, file in solution.files.items()}
    return Task(solution.parameters, solution.outputs, functions)


# Where the student's code runs


def observed(path: Path, exercise: Task) -> str:
    """Builds a student's network, as judging.check does; what was seen, as JSON."""
    text = networks.source(path)
    attempt = Attempt({}, [], None, False)
    if exercise.parameters:
        attempt = judging.attempted(path, text, _WithoutAnswers(exercise.parameters))
    seen = {
        'values': [[*parameter, _plain(value)] for parameter, value in attempt.values.items()],
        'layers': attempt.layers,
        'failure': _told(attempt.failure, path),
        'functions': {name: _probed(path.with_name(name), found) for name, found in exercise.functions.items()},
    }
    if not attempt.failure:
        seen['whole'] = _whole(path, text, exercise)
    return json.dumps(seen)


def _probed(path: Path, functions: List[str]) -> Dict[str, Any]:
    """What functions do with the input of classroom.probes; or why the file, or one of them, does nothing."""
    try:
        with networks.mistakes_explained(path):
            module = networks.load(path, networks.source(path), FIXME=FIXME)
    except LabError as error:
        return {'failure': _told(judging.of_error(error), path)}
    return {'told': {function: _told_by(module, function, path) for function in functions}}


def _told_by(module: types.ModuleType, function: str, path: Path) -> Any:  # noqa: ANN401 - arrays as lists, or None
    try:
        with networks.mistakes_explained(path):
            return [found.tolist() for found in probes.told(function, module)]
    except Exception:  # As good as another answer: it is not what the solution does.
        return None


def refused(error: LabError, path: Path) -> str:
    """What is seen of a file that is refused, as JSON."""
    return json.dumps({'values': [], 'layers': [], 'failure': _told(judging.of_error(error), path), 'functions': {}})


class _WithoutAnswers:
    """Stands for a solution, and puts into each layer what the student has, or 1 where that cannot be built."""

    def __init__(self, parameters: List[Parameter]) -> None:
        self.parameters = parameters

    def instead(self, parameter: Parameter, value: Any) -> Any:  # noqa: ANN401 - whatever was written
        """What is built in the place of a student's value."""
        return value if judging.usable(parameter, value) and np.max(value) <= SIZE else [1, 1]


def _whole(path: Path, text: str, exercise: Task) -> Dict[str, Any]:
    try:
        with networks.mistakes_explained(path):
            given = judging.built(networks.load(path, text), exercise.outputs)
    except LabError as error:
        return {'failure': _told(judging.of_error(error), path)}
    return {
        'outputs': {function: _names(output) for function, output in given.items()},
        'graphs': {name: _exported(_graph(given[name])) for name in ('evaluation', 'loss')},
    }


def _exported(graph: tf.Graph) -> str:
    with graph.as_default():
        return base64.b64encode(tf.train.export_meta_graph().SerializeToString()).decode()


def _graph(output: Any) -> tf.Graph:  # noqa: ANN401 - a tensor, or several
    return _graph(output[0]) if isinstance(output, (list, tuple)) else output.graph


def _names(output: Any) -> Any:  # noqa: ANN401 - whatever a function gives
    return [_names(part) for part in output] if isinstance(output, (list, tuple)) else output.name


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever was written
    """A value as JSON can hold it; what it cannot is held by what it looks like."""
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    return {'open': True} if value is FIXME else {'looks': repr(value)[:_LONGEST]}


def _told(said: Optional[Message], path: Path) -> Optional[Dict[str, Any]]:
    """What is said, with the student's file as it is called in the lab."""
    if said is None:
        return None
    return {'code': said.code, 'text': said.replace(f'{path.parents[2]}/', '')[:_LONGEST], 'line': said.line}


# Where it does not


class _Looks:
    """A value of which only the looks have come across."""

    def __init__(self, looks: str) -> None:
        self._looks = looks

    def __repr__(self) -> str:
        return self._looks


def report(seen: bytes, texts: Dict[str, str], solution: Solution) -> judging.Report:
    """The report on what was seen of a student's files; runs nothing of the student's.

    Args:
        seen: what `observed` has written.
        texts: the student's neuralnetwork.py, and each file whose functions have blanks, if it is there.
        solution: what they are compared with.

    Raises:
        ValueError: that is nothing that `observed` has written.
    """
    try:
        told = json.loads(seen.decode())
        values = {Parameter(str(layer), str(name)): _value(value) for layer, name, value in told['values']}
        in_functions, failure = _judged_functions(told['functions'], texts, solution)
        attempt = Attempt(values, [str(layer) for layer in told['layers']], _message(told['failure']) or failure, False)
        text = texts['neuralnetwork.py']
        return judging.reported(text, attempt, solution, lambda: _judged_whole(told, solution), in_functions)
    except (KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise ValueError(str(error)) from None


def _value(plain: Any) -> Any:  # noqa: ANN401 - whatever was written
    if isinstance(plain, list):
        return [_value(part) for part in plain]
    if not isinstance(plain, dict):
        return plain
    return FIXME if 'open' in plain else _Looks(str(plain['looks']))


def _message(told: Optional[Dict[str, Any]]) -> Optional[Message]:
    if told is None:
        return None
    line = told['line'] if isinstance(told['line'], int) else None
    code = str(told['code'])
    return worded(code if _CODE.fullmatch(code) else 'python.error', str(told['text'])[:_LONGEST], line)


def _judged_functions(
    told: Dict[str, Any], texts: Dict[str, str], solution: Solution
) -> Tuple[Dict[Expression, Verdict], Optional[Message]]:
    """What the blanks of functions are, and why a file could not be run."""
    verdicts, failures = {}, []
    for name, file in solution.files.items():
        seen = told.get(name, {})
        failures.append(_message(seen.get('failure')))
        try:
            text = Text(texts[name]) if name in texts else None
        except (SyntaxError, *networks.TOO_DEEP):
            text = None
        if text is None or 'told' not in seen:
            verdicts.update(functions.unknown(file))
            continue
        for place in file.paths:
            found = seen['told'].get(place.function)
            right = found is not None and probes.same(
                [np.array(one, np.float64) for one in found], file.told(place.function)
            )
            verdicts[place] = _judged_function(place, file, text, bool(right))
    return verdicts, next(filter(None, failures), None)


def _judged_function(place: Expression, file: Solved, text: Text, right: bool) -> Verdict:
    """A function is right as a whole; which of its blanks keeps it from that is not tried, but for open ones."""
    paths, line = file.paths[place], text.line(place)
    if right:
        return functions.verdict_on(place, [RIGHT] * len(paths), RIGHT, line)
    if line is None:
        return functions.verdict_on(place, [UNKNOWN] * len(paths), 'missing')
    together = [each for each in file.paths if each.function == place.function]
    if any(any(_open(each, file, text)) for each in together):
        states = [OPEN if opened else UNKNOWN for opened in _open(place, file, text)]
        return functions.verdict_on(place, states, OPEN if OPEN in states else 'waiting', line)
    return functions.verdict_on(place, [WRONG] * len(paths), 'wrong' if len(together) == 1 else 'wrong_together', line)


def _open(place: Expression, file: Solved, text: Text) -> List[bool]:
    """Which blanks of a statement are open; none of one that is gone."""
    found = [text.at(place, path) for path in text.places(place, file.paths[place])]
    return [part is not None and is_open(part) for part in found]


def _judged_whole(told: Dict[str, Any], solution: Solution) -> Whole:
    """Are the graphs those of a network that does what the lab needs? TensorFlow finds their shapes again by itself."""
    whole = told.get('whole', told)
    if whole.get('failure'):
        return _message(whole['failure']), ()
    graphs = {name: _imported(graph) for name, graph in whole['graphs'].items()}
    for function, wanted in solution.outputs.items():
        graph = graphs['evaluation' if function == 'evaluation' else 'loss']
        found = judging.described(_outputs(graph, whole['outputs'][function]))
        if found != wanted:
            return message('output.other', file='neuralnetwork.py', function=function, found=found, wanted=wanted), ()
    return Message(), judging.changes(networks.weights(graphs['loss']), solution.weights)


def _imported(graph: str) -> tf.Graph:
    wanted = tf.MetaGraphDef.FromString(base64.b64decode(graph))
    with tf.Graph().as_default() as imported:
        tf.train.import_meta_graph(wanted)
    return imported


def _outputs(graph: tf.Graph, names: Any) -> Any:  # noqa: ANN401 - a name, or several
    return [_outputs(graph, name) for name in names] if isinstance(names, list) else graph.as_graph_element(names)
