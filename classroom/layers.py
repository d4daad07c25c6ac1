"""The layers of a solution that have blanks: what they do, and what they would do with a student's value."""

import contextlib
import functools
import inspect
import types
from typing import Any, Callable, Dict, Iterator, NamedTuple, Optional, Set, Tuple
from unittest import mock

from lvseg import networks
from lvseg.networks import Shape

import numpy as np
import tensorflow.compat.v1 as tf

# Whatever makes a layer, tf.layers.conv2d or a class, makes it through these; a transposed convolution is a Conv2D.
_KINDS = (
    tf.keras.layers.Conv2D,
    tf.keras.layers.SeparableConv2D,
    tf.keras.layers.MaxPooling2D,
    tf.keras.layers.AveragePooling2D,
)


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


def of_network(network: types.ModuleType, names: Set[str]) -> Dict[str, Layer]:
    """The layers of these names in the network of a solution."""
    made = {}

    def note(kind: type, arguments: Dict[str, Any]) -> None:
        made[arguments['name']] = kind, dict(arguments)

    with tf.Graph().as_default() as graph, reported_to(note):
        network.inference(networks.images(), training=True)
    return {name: Layer(*made[name], _input(graph, name)) for name in names}


@contextlib.contextmanager
def reported_to(note: Callable[[type, Dict[str, Any]], None]) -> Iterator[None]:
    """Calls note(kind, arguments) before each convolution and pooling is made; it may change the arguments."""

    def reporting(make: Callable[..., None]) -> Callable[..., None]:
        _, *names = inspect.signature(make).parameters

        @functools.wraps(make)
        def report_and_make(self: tf.keras.layers.Layer, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Keras' own
            arguments = {**dict(zip(names, args)), **kwargs}
            note(type(self), arguments)
            make(self, **arguments)

        return report_and_make

    with contextlib.ExitStack() as replaced:
        for kind in _KINDS:
            replaced.enter_context(mock.patch.object(kind, '__init__', reporting(kind.__init__)))
        yield


def _input(graph: tf.Graph, layer: str) -> Shape:
    """The shape of what goes into a layer."""
    kinds = ('Conv2D', 'MaxPool')
    operation = next(op for op in graph.get_operations() if op.name.startswith(f'{layer}/') and op.type in kinds)
    return networks.shape(operation.inputs[0])
