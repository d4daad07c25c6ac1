"""Prints a network layer by layer: output shape, weights, multiplications for one image.

All of it is read off the graph; no weight is allocated, and nothing is run.
"""

from pathlib import Path
from typing import Callable, Dict, List, NamedTuple

from lvseg import flags, networks
from lvseg.project import exercise_names

import numpy as np
import tensorflow.compat.v1 as tf


class Row(NamedTuple):
    """One layer of the table."""

    layer: str
    output: networks.Shape
    weights: int
    multiplications: int


def _of_convolution(operation: tf.Operation) -> int:
    """Each value of the output is a sum over the kernel's height, width and channels in."""
    kernel, output = networks.shape(operation.inputs[1]), networks.shape(operation.outputs[0])
    return _size(output[1:]) * _size(kernel[:3])


def _of_transposed_convolution(operation: tf.Operation) -> int:
    """Each value of the input is multiplied with the kernel's height, width and channels out."""
    kernel, values = networks.shape(operation.inputs[1]), networks.shape(operation.inputs[2])
    return _size(values[1:]) * _size(kernel[:3])


def _of_matrix(operation: tf.Operation) -> int:
    """Each weight is multiplied once."""
    return _size(networks.shape(operation.inputs[1]))


def _of_pooling(operation: tf.Operation) -> int:
    """A maximum takes none."""
    return 0


# Values that padding adds at the border are counted like all others.
_MULTIPLICATIONS: Dict[str, Callable[[tf.Operation], int]] = {
    'Conv2D': _of_convolution,
    'Conv2DBackpropInput': _of_transposed_convolution,
    'MatMul': _of_matrix,
    'MaxPool': _of_pooling,
}


def rows(path: Path) -> List[Row]:
    """The layers of a network in the order in which they are built.

    Raises:
        LabError: the network cannot be built; says which line and why.
    """
    text = networks.source(path)
    with networks.mistakes_explained(path), tf.Graph().as_default() as graph:
        networks.call(networks.load(path, text), 'inference', networks.images(), training=False)

    weights = {name: _size(shape) for name, shape in networks.weights(graph).items()}
    found = {}
    for operation in graph.get_operations():
        layer = _layer(operation.name)
        if operation.name not in weights and operation.type not in _MULTIPLICATIONS:
            continue
        row = found.get(layer, Row(layer, (), 0, 0))
        if operation.name in weights:
            row = row._replace(weights=row.weights + weights[operation.name])
        else:
            more = _MULTIPLICATIONS[operation.type](operation)
            output = networks.shape(operation.outputs[0])
            row = row._replace(output=output, multiplications=row.multiplications + more)
        found[layer] = row
    return list(found.values())


def table(rows_of_network: List[Row]) -> str:
    """The table, ready to print."""
    total = Row(
        'total',
        (),
        sum(row.weights for row in rows_of_network),
        sum(row.multiplications for row in rows_of_network),
    )
    line = '{:<14} {:<22} {:>13} {:>16}'.format
    lines = [line('layer', 'output shape', 'weights', 'multiplications')]
    lines += [
        line(row.layer, str(row.output or ''), f'{row.weights:,}', f'{row.multiplications:,}')
        for row in [*rows_of_network, total]
    ]
    return '\n'.join(lines)


def _layer(operation: str) -> str:
    """The scope that an operation is in; its own name where it is in none."""
    return operation.rpartition('/')[0] or operation


def _size(shape: networks.Shape) -> int:
    return int(np.prod(shape, dtype=np.int64))


def main() -> None:
    """Prints the table of an exercise."""
    parser = flags.Parser(description='Prints output shape, weights and multiplications for one image, layer by layer.')
    parser.add_argument('exercise', choices=exercise_names(), help='the exercise whose network it is')
    parser.add_argument('--mine', action='store_true', help='your own network (default: that of the solution)')
    args = parser.parse_args()

    tf.logging.set_verbosity(tf.logging.ERROR)
    path = networks.of_student(args.exercise) if args.mine else networks.solution(args.exercise)
    print(table(rows(path)))
