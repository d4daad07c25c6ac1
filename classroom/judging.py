"""Judges the network of an exercise without data and without training: which blanks are solved, and which is next.

The student's graph is built. What was filled into a layer's blank is tried in the solution's layer, and right is what
makes it behave as the solution does: in the shape of its weights, in its window and strides, and in the shape of its
output. The blanks of functions are judged by what these do (classroom.functions).
"""

import numbers
import traceback
import types
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple, Union

from lvseg import flags, networks
from lvseg.errors import LabError
from lvseg.networks import Shape
from lvseg.project import SOLUTIONS, shown

import numpy as np
import tensorflow.compat.v1 as tf

from classroom import blanks, functions, layers
from classroom.blanks import Expression, Parameter
from classroom.layers import Behaviour, Layer
from classroom.texts import Message, message, worded
from classroom.verdicts import FIXME, OPEN, RIGHT, UNKNOWN, WRONG, Verdict, of_error

Place = Union[Parameter, Expression]

AXES = ('height', 'width')

# What to do about a name that is not defined, where numbers are to be filled in.
_UNDEFINED = 'Write a number in its place, or define the name further up.'


class Solution:
    """The solution of an exercise: its blanks, the layers and functions that have them, and what its functions give."""

    def __init__(self, path: Path) -> None:
        self.path = path
        text = networks.source(path)
        self.parameters = blanks.parameters(text)
        with networks.quiet():
            network = networks.load(path, text)
            self.layers = layers.of_network(network, {parameter.layer for parameter in self.parameters})
            given = built(network)
        self.outputs = {function: described(output) for function, output in given.items()}
        self.weights = _weights(network, given)
        files = [path, *(file for file in sorted(path.parent.glob('*.py')) if file != path)]
        found = {file.name: functions.Solved(file) for file in files}
        self.files = {name: solved for name, solved in found.items() if solved.paths}

    def instead(self, parameter: Parameter, _: Any) -> Any:  # noqa: ANN401 - whatever was written
        """What is built in the place of a student's value: the right one, so that the layers after it can be judged."""
        return self.layers[parameter.layer].arguments[parameter.name]

    @property
    def blanks(self) -> int:
        """The number of blanks."""
        in_functions = [paths for solved in self.files.values() for paths in solved.paths.values()]
        return len(AXES) * len(self.parameters) + sum(map(len, in_functions))


class Attempt(NamedTuple):
    """What a student has filled in, as far as their network can be built."""

    values: Dict[Parameter, Any]
    layers: List[str]
    failure: Optional[Message]
    of_solution: bool  # Whether a layer was made by the file of a solution.


# What is wrong with a network as a whole, empty if nothing is, and notes on what is another way than in the lab.
Whole = Tuple[Message, Tuple[Message, ...]]


class Report(NamedTuple):
    """The result of a check."""

    verdicts: Dict[Place, Verdict]
    solved: Optional[int]  # None: there is no telling, for the file cannot be run.
    problem: Message = Message()  # Empty: all is in order.
    hints: Tuple[Message, ...] = ()
    notes: Tuple[Message, ...] = ()


def check(path: Path, solution: Solution) -> Report:
    """Checks a student's network.

    Raises:
        NetworkError: there is no such file, or it is no text.
    """
    text = networks.source(path)
    attempt = attempted(path, text, solution) if solution.parameters else Attempt({}, [], None, False)
    verdicts, failures = {}, []
    for name, file in solution.files.items():
        found, failure = functions.judged(path.with_name(name), file)
        verdicts.update(found)
        failures.append(failure)
    failure = next(filter(None, [attempt.failure, *failures]), None)
    texts = [text, *(networks.source(path.with_name(name)) for name in solution.files)]
    attempt = attempt._replace(failure=failure, of_solution=attempt.of_solution or _names_solutions(texts))
    return reported(text, attempt, solution, lambda: _the_whole(path, text, solution), verdicts)


def reported(
    text: str,
    attempt: Attempt,
    solution: Solution,
    whole: Callable[[], Whole],
    in_functions: Optional[Dict[Expression, Verdict]] = None,
) -> Report:
    """The report on an attempt; runs nothing of the student's.

    Args:
        text: the student's.
        attempt: what it has filled in.
        solution: what it is compared with.
        whole: tells, once all blanks are right, what is wrong with the network as it stands.
        in_functions: what the blanks of functions are; none, where no function was tried.
    """
    lines = blanks.lines(text, solution.parameters)
    verdicts = {parameter: _verdict(parameter, attempt, lines, solution) for parameter in solution.parameters}
    verdicts.update(in_functions or {})
    solved = sum(verdict.solved for verdict in verdicts.values())

    for place, verdict in verdicts.items():
        if verdict.solved == len(verdict.states) or verdict.text.code == functions.WAITING:
            continue
        if attempt.failure and UNKNOWN in verdict.states:
            return Report(verdicts, solved or (0 if attempt.values else None), attempt.failure)
        if UNKNOWN in verdict.states and isinstance(place, Parameter):
            return Report(verdicts, solved, verdict.text)
        return Report(verdicts, solved, _in_its_place(verdict, place), _hints(place, solution))

    problem, notes = whole()
    if verdicts and (attempt.of_solution or _names_solutions([text])):
        notes = (message('solution.used', folder=SOLUTIONS.name), *notes)
    return Report(verdicts, solved, problem, notes=notes)


def _names_solutions(texts: List[str]) -> bool:
    """Whether programs, apart from their comments, name the folder of the solutions."""
    return any(SOLUTIONS.name in line.partition('#')[0] for text in texts for line in text.splitlines())


def unreadable(error: LabError, solution: Solution) -> Report:
    """The report on a file that check refuses."""
    states = (UNKNOWN, UNKNOWN)
    verdicts = {parameter: Verdict(states, _not_reached(parameter)) for parameter in solution.parameters}
    for file in solution.files.values():
        verdicts.update(functions.unknown(file))
    return Report(verdicts, None, of_error(error))


def _verdict(parameter: Parameter, attempt: Attempt, lines: Dict[Parameter, int], solution: Solution) -> Verdict:
    if parameter in attempt.values:
        verdict = judged(solution.layers[parameter.layer], parameter, attempt.values[parameter])
    elif attempt.failure:
        verdict = Verdict((UNKNOWN, UNKNOWN), _not_reached(parameter))
    else:
        found = ', '.join(attempt.layers) or 'none'
        verdict = Verdict((UNKNOWN, UNKNOWN), message('layer.missing', **parameter._asdict(), found=found))
    return verdict._replace(line=lines.get(parameter))


def _not_reached(parameter: Parameter) -> Message:
    return message('layer.not_reached', **parameter._asdict())


def _in_its_place(verdict: Verdict, place: Place) -> Message:
    """What is said of a place's blanks, with the place and the line before it."""
    where = place.layer if isinstance(place, Parameter) else f'{place.function} in {place.file}'
    code = 'place' if verdict.line else 'place.without_line'
    text = message(code, layer=where, line=verdict.line, text=verdict.text)
    return worded(verdict.text.code, text, verdict.line, verdict.text.values)


def _the_whole(path: Path, text: str, solution: Solution) -> Whole:
    """All blanks are right: does the network as it stands do what runTraining.py and runEval.py need?"""
    try:
        with networks.mistakes_explained(path):
            network = networks.load(path, text)
            given = built(network, solution.outputs)
    except LabError as error:
        return of_error(error), ()
    return Message(), changes(networks.weights(given['loss'].graph), solution.weights)


def _hints(place: Place, solution: Solution) -> Tuple[Message, Message]:
    if isinstance(place, Expression):
        named = f'{place.function}.{place.name}'
        return message(f'{named}.hint'), message(f'{named}.stronger_hint')
    wanted = solution.layers[place.layer].wanted
    return (
        message(f'{place.name}.hint'),
        message(f'{place.name}.stronger_hint', layer=place.layer, wanted=wanted),
    )


def changes(found: Dict[str, Shape], wanted: Dict[str, Shape]) -> Tuple[Message, ...]:
    """How the weights differ from the solution's; nothing where any are as good."""
    if not wanted:
        return ()
    texts = []
    for name in sorted({*found, *wanted}):
        if found.get(name) == wanted.get(name):
            continue
        change = 'new' if name not in wanted else 'gone' if name not in found else 'changed'
        texts.append(message(f'weights.{change}', weights=name, found=found.get(name), wanted=wanted.get(name)))
    return tuple(texts)


# The blanks


def attempted(path: Path, text: str, solution: Solution) -> Attempt:
    """Builds the student's network with the values of `solution.instead` for theirs, and takes note of theirs."""
    values, names, makers = {}, [], set()

    def note(_: type, arguments: Dict[str, Any]) -> None:
        makers.update(frame.f_code.co_filename for frame, _ in traceback.walk_stack(None))
        name = arguments.get('name')
        names.extend([name] if name else [])
        for parameter in solution.parameters:
            if parameter.layer == name and parameter.name in arguments:
                values.setdefault(parameter, arguments[parameter.name])  # Of two layers with one name, the first's.
                arguments[parameter.name] = solution.instead(parameter, arguments[parameter.name])

    try:
        with networks.mistakes_explained(path, _UNDEFINED), tf.Graph().as_default(), layers.reported_to(note):
            network = networks.load(path, text, FIXME=FIXME)
            networks.call(network, 'inference', networks.images(), training=True)
    except LabError as error:
        return Attempt(values, names, of_error(error), False)
    return Attempt(values, names, None, any(SOLUTIONS in Path(maker).resolve().parents for maker in makers))


def judged(layer: Layer, parameter: Parameter, value: Any) -> Verdict:  # noqa: ANN401 - whatever was written
    """Tries a student's value in the solution's layer."""
    pair = _pair(value)
    states = tuple(OPEN if element is FIXME else WRONG for element in pair)
    complaint = _malformed(parameter, value)
    if complaint:
        return Verdict(states if len(states) == len(AXES) else (WRONG, WRONG), complaint)

    filled = [element for element in pair if element is not FIXME]
    if not filled:
        return Verdict(states, message(f'{parameter.name}.open', layer=parameter.layer, wanted=layer.wanted))

    # For one that is open the student's other one is tried: the solution's would show in what came out.
    tried = tuple(filled[0] if element is FIXME else element for element in pair)
    try:
        found = layer.behaviour(**{parameter.name: tried})
    except (ValueError, TypeError, OverflowError) as error:
        return Verdict(states, message('value.refused', name=parameter.name, error=networks.in_one_line(error)))
    return _compared(parameter, pair, found, layer.wanted)


def _compared(parameter: Parameter, pair: Tuple[Any, Any], found: Behaviour, wanted: Behaviour) -> Verdict:
    as_wanted = [found.along(axis) == wanted.along(axis) for axis in range(len(AXES))]
    states = tuple(OPEN if element is FIXME else RIGHT if right else WRONG for element, right in zip(pair, as_wanted))
    if set(states) == {RIGHT}:
        return Verdict(states, message('right', **parameter._asdict()))
    code = f'{parameter.name}.{WRONG if WRONG in states else OPEN}'
    text = message(code, layer=parameter.layer, found=found, wanted=wanted)
    if states[0] == states[1]:
        return Verdict(states, text)
    words = {axis: message(f'state.{state}') for axis, state in zip(AXES, states)}
    return Verdict(states, worded(code, text + message('height_and_width', **words), values=text.values))


def _malformed(parameter: Parameter, value: Any) -> Optional[Message]:  # noqa: ANN401 - whatever was written
    """What is wrong with a value that is neither a whole number above 0 nor a pair of them; FIXME is in order."""
    if isinstance(value, str):
        return message('value.text', name=parameter.name, value=value)
    if len(_pair(value)) != len(AXES):
        return message('value.count', name=parameter.name, count=len(value))
    for element in _pair(value):
        if isinstance(element, str):
            return message('value.text_within', name=parameter.name, value=element)
        if element is not FIXME and (isinstance(element, bool) or not isinstance(element, numbers.Integral)):
            return message('value.not_whole', name=parameter.name, value=element)
        if element is not FIXME and element <= 0:
            return message('value.not_positive', name=parameter.name, value=element)
    return None


def usable(parameter: Parameter, value: Any) -> bool:  # noqa: ANN401 - whatever was written
    """Whether a layer can be built with a student's value as it stands."""
    return _malformed(parameter, value) is None and all(element is not FIXME for element in _pair(value))


def _pair(value: Any) -> Tuple[Any, ...]:  # noqa: ANN401 - whatever was written
    return tuple(value) if isinstance(value, (list, tuple, np.ndarray)) else (value, value)


# The whole network


def built(network: types.ModuleType, wanted: Optional[Dict[str, str]] = None) -> Dict[str, Any]:
    """Builds the graphs of runTraining.py and runEval.py, each a graph of its own; what each function gives.

    Args:
        network: a network's functions.
        wanted: what each is to give, as `described` puts it.

    Raises:
        NetworkError: a function gives something else than is wanted.
    """
    given = {}

    def give(function: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as they are
        output = given[function] = networks.call(network, function, *args, **kwargs)
        if wanted and described(output) != wanted[function]:
            values = {'function': function, 'found': described(output), 'wanted': wanted[function]}
            text = message('output.other', file=shown(Path(network.__file__)), **values)
            raise networks.NetworkError(text.code, text)
        return output

    with tf.Graph().as_default():
        give('evaluation', give('inference', networks.images(), training=False), networks.labels())
    with tf.Graph().as_default():
        for_loss, for_training = _as_run_training_calls_them(network)
        loss = give('loss', give('inference', networks.images(), training=True), networks.labels(), *for_loss)
        give('training', loss, *for_training)
    return given


def _weights(network: types.ModuleType, given: Dict[str, Any]) -> Dict[str, Shape]:
    """The weights of what was built; none of the challenge, which has flags: there they are the student's own."""
    return {} if hasattr(network, 'FLAGS') else networks.weights(given['loss'].graph)


def _as_run_training_calls_them(network: types.ModuleType) -> Tuple[Tuple[Any, ...], Tuple[Any, ...]]:
    """What loss and training take besides: the flags' defaults, where the network has flags of its own."""
    if not hasattr(network, 'FLAGS'):
        return (), (0.01, 1000, 1.0)  # learning rate, decay steps, decay rate
    args = flags.training('challenge', network.FLAGS).parse_args([])
    return (getattr(args, 'loss', None),), (args, 1000)


def described(output: Any) -> str:  # noqa: ANN401 - whatever a function gives
    """An output in words: type and shape."""
    if output is None:
        return 'nothing (is its return missing?)'
    if isinstance(output, (list, tuple)):
        return ' and '.join(map(described, output))
    if isinstance(output, tf.Tensor):
        return f'{output.dtype.base_dtype.name} {networks.shape(output)}'
    return f'an {type(output).__name__}'
