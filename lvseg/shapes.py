"""The lab's DEBUG lines: how the shape of the data changes on its way through the network."""

import tensorflow.compat.v1 as tf


def print_tensor_shape(tensor: tf.Tensor, name: str) -> None:
    """Prints the static shape of a tensor while the graph is built; `?` is a size known only when it runs."""
    print(f'DEBUG {name} {tensor.shape}', flush=True)
