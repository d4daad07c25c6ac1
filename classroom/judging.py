"""Checks the network of an exercise without data and without training: how many blanks are solved, and which is next.

The student's graph is built. What was filled into a blank is tried in the solution's layer, and right is what makes it
behave as the solution does: in the shape of its weights, in its window and strides, and in the shape of its output.
"""

import ast
import contextlib
import functools
import numbers
import sys
import time
import types
from argparse import Namespace
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple
from unittest import mock

from lvseg import flags, networks
from lvseg.errors import LabError
from lvseg.networks import Shape
from lvseg.project import shown

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.python.keras.layers.convolutional import Conv
from tensorflow.python.keras.layers.pooling import Pooling2D

from classroom import making

# Not the challenge: there the student is free to change whatever helps.
_CHECKED = ('simple', 'cnn', 'cnnDice')

_POLL_SECONDS = 0.2
_CLEAR_SCREEN = '\033[H\033[2J'


class Texts(NamedTuple):
    """What is said of a parameter; the answer never is."""

    open: str
    wrong: str
    hint: str
    stronger_hint: str


_TEXTS = {
    'kernel_size': Texts(
        'kernel_size is still open (FIXME). The kernel of {layer} is in the structure list of docs/lab.md.',
        'kernel_size gave weights of {found.weights}; {layer} has another kernel in the structure list of docs/lab.md.',
        'The shape of the weights is (height, width, channels in, filters): kernel_size is the first half of it.',
        'With the kernel that is wanted, {layer} has {wanted.weight_count:,} weights: '
        'height x width x {wanted.weights[2]} x {wanted.weights[3]}. It is as high as it is wide.',
    ),
    'pool_size': Texts(
        'pool_size is still open (FIXME). The window of {layer} is in the structure list of docs/lab.md.',
        'pool_size gave a window of {found.window}; {layer} has another window in the structure list of docs/lab.md.',
        'A window is what each maximum is taken of. Here the windows lie side by side, with no overlap and no gap.',
        'With the window that is wanted, each maximum is taken of {wanted.window_area} values. '
        'It is as high as it is wide.',
    ),
    'strides': Texts(
        'strides is still open (FIXME); an output of {wanted.output} is wanted. Each stride divides height and width.',
        'strides gave an output of {found.output}; {wanted.output} is wanted. Each stride divides height and width.',
        "With padding='same', the height of the output is that of the input divided by the stride, rounded up; "
        'the width likewise.',
        'The input of {layer} is {wanted.input}: {wanted.input[1]} divided by which stride is {wanted.output[1]}?',
    ),
}
_NO_SUCH_LAYER = (
    '{parameter.layer}: there is no layer of this name with a {parameter.name} any more; there are {found}. '
    "Put it back: name='{parameter.layer}'."
)
_HINT_OFFERED = 'A hint: python scripts/check.py {exercise} --hint'
_STRONGER_HINT_OFFERED = 'A stronger hint: python scripts/check.py {exercise} --hint --hint'
_NEXT = 'Next: python exercises/{exercise}/runTraining.py, then python exercises/{exercise}/runEval.py'


class Fixme:
    """Stands for a blank that is still open, so that the layers after it can be looked at too."""

    def __repr__(self) -> str:
        return 'FIXME'


FIXME = Fixme()


class Parameter(NamedTuple):
    """A parameter of a layer that has two blanks: for the height and for the width."""

    layer: str
    name: str


class Behaviour(NamedTuple):
    """What a convolution or a pooling does. Weights, window and strides begin with height and width."""

    input: Shape
    weights: Optional[Shape]
    window: Optional[Shape]
    strides: Shape
    output: Shape

    def along(self, axis: int) -> Tuple[Optional[int], ...]:
        """What it does along the height (0) or the width (1)."""
        return (*(sizes and sizes[axis] for sizes in (self.weights, self.window, self.strides)), self.output[1 + axis])

    @property
    def weight_count(self) -> int:
        """The number of weights."""
        return int(np.prod(self.weights))

    @property
    def window_area(self) -> int:
        """The number of values that each maximum is taken of."""
        return int(np.prod(self.window))


class Layer:
    """A layer of the solution, which can be made again with other arguments.

    Attributes:
        arguments: what the solution makes it with.
        behaviour: what it does with other arguments, given by name.
        wanted: what it does in the solution.
    """

    def __init__(self, kind: type, arguments: Dict[str, Any], input_shape: Shape) -> None:
        self._kind = kind
        self._input = input_shape
        self.arguments = arguments
        # The same values come again with every --watch.
        self.behaviour = functools.lru_cache(maxsize=None)(self._behaviour)
        self.wanted = self.behaviour()

    def _behaviour(self, **changes: Any) -> Behaviour:  # noqa: ANN401 - whatever a student has written
        with networks.quiet(), tf.Graph().as_default():
            layer = self._kind(**{**self.arguments, **changes})
            output = networks.shape(layer(tf.placeholder(tf.float32, self._input)))
        weights = networks.shape(layer.kernel) if hasattr(layer, 'kernel') else None
        return Behaviour(self._input, weights, getattr(layer, 'pool_size', None), layer.strides, output)


class Solution:
    """The solution of an exercise: its blanks, the layers that have them, and what its functions give."""

    def __init__(self, path: Path) -> None:
        self.parameters = blank_parameters(networks.source(path))
        with networks.quiet():
            network = networks.load(path, networks.source(path))
            self.layers = self._layers(network)
            self.outputs, self.weights = _outputs_and_weights(network)

    @property
    def blanks(self) -> int:
        """The number of blanks."""
        return 2 * len(self.parameters)

    def _layers(self, network: types.ModuleType) -> Dict[str, Layer]:
        made = {}

        def note(layer: tf.layers.Layer, arguments: Dict[str, Any]) -> None:
            made[arguments['name']] = type(layer), {key: value for key, value in arguments.items() if key != 'rank'}

        with tf.Graph().as_default() as graph, _layers_reported_to(note):
            network.inference(networks.images(), training=True)
        with_blanks = {parameter.layer for parameter in self.parameters}
        return {name: Layer(*made[name], _input(graph, name)) for name in with_blanks}


class Attempt(NamedTuple):
    """What a student has filled in, as far as their network can be built."""

    values: Dict[Parameter, Any]
    layers: List[str]
    failure: Optional[LabError]


class Verdict(NamedTuple):
    """What a parameter's two blanks are worth, and what is to be said of them."""

    right: Tuple[bool, bool]
    text: str


class Report(NamedTuple):
    """The result of a check."""

    solved: Optional[int]  # None: there is no telling, for the file cannot be run.
    problem: str = ''
    hints: Tuple[str, ...] = ()
    notes: Tuple[str, ...] = ()


def check(path: Path, solution: Solution) -> Report:
    """Checks a student's network.

    Raises:
        LabError: there is no such file.
    """
    text = networks.source(path)
    attempt = attempted(path, text, solution)
    verdicts = {
        parameter: judged(solution.layers[parameter.layer], parameter, value)
        for parameter, value in attempt.values.items()
    }
    solved = sum(sum(verdict.right) for verdict in verdicts.values())

    for parameter in solution.parameters:
        if parameter not in verdicts:
            return _report_without(parameter, attempt, solved)
        verdict = verdicts[parameter]
        if not all(verdict.right):
            return Report(solved, f'{_place(text, parameter)}: {verdict.text}', _hints(parameter, solution))
    return _report_on_the_whole(path, text, solution)


def _report_without(parameter: Parameter, attempt: Attempt, solved: int) -> Report:
    """The network could not be built as far as this parameter, or does not have it."""
    if attempt.failure:
        return Report(solved if attempt.values else None, str(attempt.failure))
    return Report(solved, _NO_SUCH_LAYER.format(parameter=parameter, found=', '.join(attempt.layers) or 'none'))


def _report_on_the_whole(path: Path, text: str, solution: Solution) -> Report:
    """All blanks are right: does the network as it stands do what runTraining.py and runEval.py need?"""
    try:
        with networks.mistakes_explained(path):
            _, weights = _outputs_and_weights(networks.load(path, text), solution.outputs)
    except LabError as error:
        return Report(solution.blanks, str(error))
    return Report(solution.blanks, notes=_changes(weights, solution.weights))


def _hints(parameter: Parameter, solution: Solution) -> Tuple[str, str]:
    wanted = solution.layers[parameter.layer].wanted
    texts = _TEXTS[parameter.name]
    return texts.hint, texts.stronger_hint.format(layer=parameter.layer, wanted=wanted)


def _changes(found: Dict[str, Shape], wanted: Dict[str, Shape]) -> Tuple[str, ...]:
    """How the weights differ from the solution's."""
    texts = []
    for name in sorted({*found, *wanted}):
        if name not in wanted:
            texts.append(f'New: {name}, weights of {found[name]}.')
        elif name not in found:
            texts.append(f'Gone: {name}, weights of {wanted[name]}.')
        elif found[name] != wanted[name]:
            texts.append(f'Changed: {name} has weights of {found[name]}; of {wanted[name]} in the lab.')
    return tuple(texts)


# The blanks


def blank_parameters(solution: str) -> List[Parameter]:
    """The parameters that a solution's text marks as blank, in its order."""
    marked = making.marked_lines(solution)
    found = {
        keyword.value.lineno: Parameter(layer, keyword.arg)
        for layer, made in _named_calls(solution)
        for keyword in made.keywords
    }
    if not set(marked) <= set(found):
        raise ValueError(f'lines {sorted(set(marked) - set(found))} are marked as blank, but in no call with a name=')
    return [found[line] for line in marked]


def _place(text: str, parameter: Parameter) -> str:
    """Layer and line of a parameter in a student's file."""
    for layer, made in _named_calls(text):
        if layer == parameter.layer:
            values = {keyword.arg: keyword.value for keyword in made.keywords}
            return f'{layer}, line {values.get(parameter.name, made).lineno}'
    return parameter.layer


def _named_calls(text: str) -> Iterator[Tuple[str, ast.Call]]:
    """The calls that have a text as name=, with that name."""
    for node in ast.walk(ast.parse(text)):
        for keyword in getattr(node, 'keywords', ()):
            if keyword.arg == 'name' and isinstance(getattr(keyword.value, 's', None), str):
                yield keyword.value.s, node


def attempted(path: Path, text: str, solution: Solution) -> Attempt:
    """Builds the student's network with the solution's values in the place of theirs, and takes note of theirs."""
    values, layers = {}, []

    def note(_: tf.layers.Layer, arguments: Dict[str, Any]) -> None:
        name = arguments.get('name')
        layers.extend([name] if name else [])
        for parameter in solution.parameters:
            if parameter.layer == name and parameter.name in arguments:
                values[parameter] = arguments[parameter.name]
                arguments[parameter.name] = solution.layers[parameter.layer].arguments[parameter.name]

    try:
        with networks.mistakes_explained(path), tf.Graph().as_default(), _layers_reported_to(note):
            network = networks.load(path, text, FIXME=FIXME)
            networks.call(network, 'inference', networks.images(), training=True)
    except LabError as error:
        return Attempt(values, layers, error)
    return Attempt(values, layers, None)


@contextlib.contextmanager
def _layers_reported_to(note: Callable[[tf.layers.Layer, Dict[str, Any]], None]) -> Iterator[None]:
    """Calls note(layer, arguments) before each convolution and pooling is made; it may change the arguments."""

    def reporting(make: Callable[..., None]) -> Callable[..., None]:
        def report_and_make(self: tf.layers.Layer, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Keras' own
            note(self, kwargs)
            make(self, *args, **kwargs)

        return report_and_make

    with contextlib.ExitStack() as replaced:
        for kind in (Conv, Pooling2D):
            replaced.enter_context(mock.patch.object(kind, '__init__', reporting(kind.__init__)))
        yield


def _input(graph: tf.Graph, layer: str) -> Shape:
    """The shape of what goes into a layer."""
    kinds = ('Conv2D', 'MaxPool')
    operation = next(op for op in graph.get_operations() if op.name.startswith(f'{layer}/') and op.type in kinds)
    return networks.shape(operation.inputs[0])


def judged(layer: Layer, parameter: Parameter, value: Any) -> Verdict:  # noqa: ANN401 - whatever was written
    """Tries a student's value in the solution's layer."""
    complaint = _malformed(value)
    if complaint:
        return Verdict((False, False), f'{parameter.name} {complaint}.')

    pair = _pair(value)
    filled = [element for element in pair if element is not FIXME]
    if not filled:
        texts = _TEXTS[parameter.name]
        return Verdict((False, False), texts.open.format(layer=parameter.layer, wanted=layer.wanted))

    # For one that is open the student's other one is tried: the solution's would show in what came out.
    tried = tuple(filled[0] if element is FIXME else element for element in pair)
    try:
        found = layer.behaviour(**{parameter.name: tried})
    except (ValueError, TypeError, OverflowError) as error:
        return Verdict((False, False), f'{parameter.name} is refused by TensorFlow: {networks.in_one_line(error)}')
    return _compared(parameter, pair, found, layer.wanted)


def _compared(parameter: Parameter, pair: Tuple[Any, Any], found: Behaviour, wanted: Behaviour) -> Verdict:
    states = []
    for axis, element in enumerate(pair):
        as_wanted = found.along(axis) == wanted.along(axis)
        states.append('still open' if element is FIXME else 'right' if as_wanted else 'wrong')

    texts = _TEXTS[parameter.name]
    text = texts.wrong if 'wrong' in states else texts.open
    which = f' The height is {states[0]}, the width is {states[1]}.' if states[0] != states[1] else ''
    return Verdict(
        (states[0] == 'right', states[1] == 'right'),
        text.format(layer=parameter.layer, found=found, wanted=wanted) + which,
    )


def _malformed(value: Any) -> Optional[str]:  # noqa: ANN401 - whatever was written
    """What is wrong with a value that is neither a whole number above 0 nor a pair of them; FIXME is in order."""
    if isinstance(value, str):
        return f'is the text {value!r}; numbers are wanted, without quotes'
    if len(_pair(value)) != len(('height', 'width')):
        return f'wants a height and a width, as in [height, width]; values given: {len(value)}'
    for element in _pair(value):
        if isinstance(element, str):
            return f'has the text {element!r} in it; numbers are wanted, without quotes'
        if element is not FIXME and (isinstance(element, bool) or not isinstance(element, numbers.Integral)):
            return f'has {element!r} in it; whole numbers are wanted'
        if element is not FIXME and element <= 0:
            return f'has {element} in it; numbers above 0 are wanted'
    return None


def _pair(value: Any) -> Tuple[Any, ...]:  # noqa: ANN401 - whatever was written
    return tuple(value) if isinstance(value, (list, tuple, np.ndarray)) else (value, value)


# The whole network


def _outputs_and_weights(
    network: types.ModuleType, wanted: Optional[Dict[str, str]] = None
) -> Tuple[Dict[str, str], Dict[str, Shape]]:
    """Builds the graphs of runTraining.py and runEval.py: what each function gives, and the shapes of the weights.

    Raises:
        LabError: a function gives something else than is wanted.
    """
    outputs = {}

    def give(function: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as they are
        output = networks.call(network, function, *args, **kwargs)
        outputs[function] = _described(output)
        if wanted and outputs[function] != wanted[function]:
            where = shown(Path(network.__file__))
            raise LabError(f'{where}: {function} gives {outputs[function]}; {wanted[function]} is wanted.')
        return output

    with tf.Graph().as_default():
        give('evaluation', give('inference', networks.images(), training=False), networks.labels())
    with tf.Graph().as_default() as graph:
        loss = give('loss', give('inference', networks.images(), training=True), networks.labels())
        give('training', loss, 0.01, 1000, 1.0)  # learning rate, decay steps, decay rate
    return outputs, networks.weights(graph)


def _described(output: Any) -> str:  # noqa: ANN401 - whatever a function gives
    """An output in words: type and shape."""
    if output is None:
        return 'nothing (is its return missing?)'
    if isinstance(output, (list, tuple)):
        return ' and '.join(map(_described, output))
    if isinstance(output, tf.Tensor):
        return f'{output.dtype.base_dtype.name} {networks.shape(output)}'
    return f'an {type(output).__name__}'


# The command


def screen(exercise: str, report: Report, blanks: int, hints: int) -> str:
    """The report as it is printed."""
    file = shown(networks.of_student(exercise))
    count = f'{file}: solved so far, {report.solved} of {blanks}'
    if not report.problem:
        in_order = f'{count}, and the network fits the lab.' if blanks else f'{file}: the network fits the lab.'
        return '\n'.join([in_order, *report.notes, _NEXT.format(exercise=exercise)])

    counted = [f'{count}.'] if blanks and report.solved is not None else []
    offers = [offer.format(exercise=exercise) for offer in (_HINT_OFFERED, _STRONGER_HINT_OFFERED) if report.hints]
    return '\n'.join([*counted, report.problem, *report.hints[:hints], *offers[hints : hints + 1]])


def check_once(args: Namespace, solution: Solution) -> bool:
    """Prints the report; whether all is in order."""
    report = check(networks.of_student(args.exercise), solution)
    print(screen(args.exercise, report, solution.blanks, args.hint), flush=True)
    return not report.problem


def watch(args: Namespace, solution: Solution) -> bool:
    """Prints the report again whenever the file is saved, until Ctrl-C; whether all was in order in the end."""
    path = networks.of_student(args.exercise)
    in_order, seen = False, None
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            stamp = _stamp(path)
            if stamp != seen:
                seen = stamp
                print(_CLEAR_SCREEN if sys.stdout.isatty() else '\n', end='')
                in_order = _checked_or_explained(args, solution)
                print(f'(Checked again whenever {shown(path)} is saved; Ctrl-C ends it.)', flush=True)
            time.sleep(_POLL_SECONDS)
    return in_order


def _checked_or_explained(args: Namespace, solution: Solution) -> bool:
    try:
        return check_once(args, solution)
    except LabError as error:
        print(f'ERROR: {error}', flush=True)
        return False


def _stamp(path: Path) -> Optional[Tuple[int, int]]:
    """Changes whenever a file is saved; None while there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_ino


def main() -> None:
    """Checks an exercise; exits with status 0 only if all is in order."""
    parser = flags.Parser(description='Checks the network of an exercise, without data and without training.')
    add = parser.add_argument
    add('exercise', choices=_CHECKED, help='the exercise to check')
    add(
        '--hint',
        action='count',
        default=0,
        help='a hint on the next blank; given twice, a stronger one (default: none)',
    )
    add('--watch', action='store_true', help='check again whenever the file is saved, until Ctrl-C (default: once)')
    args = parser.parse_args()

    tf.logging.set_verbosity(tf.logging.ERROR)
    solution = Solution(networks.solution(args.exercise))
    in_order = (watch if args.watch else check_once)(args, solution)
    sys.exit(0 if in_order else 1)
