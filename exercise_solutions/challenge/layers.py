"""The layers that the networks of the challenge are built of."""

from lvseg.shapes import print_tensor_shape

import numpy as np
import tensorflow.compat.v1 as tf

# Batch normalisation remembers mean and variance of about the last 20 steps' batches, for the evaluation.
_MOMENTUM = 0.95


def convolution(inputs, filters, kernel_size, training, name, strides=1):
    """Convolution, batch normalisation (Ioffe and Szegedy 2015) and ReLU.

    While training, each channel is brought to mean 0 and variance 1 over the batch; in the evaluation by the mean and
    the variance that training has seen, so that a slice's prediction does not depend on its neighbours in the batch.

    Args:
        inputs: float32 [batch, height, width, channels].
        filters: the number of channels that come out.
        kernel_size: height and width of the kernel.
        training: True while training.
        name: of the layer.
        strides: 2 halves height and width.

    Returns:
        float32 [batch, height / strides, width / strides, filters].
    """
    outputs = tf.layers.conv2d(
        inputs,
        filters,
        kernel_size,
        strides,
        padding='same',
        use_bias=False,  # Batch normalisation takes the mean away, and a bias with it; it has one of its own.
        kernel_initializer=he_normal(),
        name=name,
    )
    outputs = tf.layers.batch_normalization(outputs, momentum=_MOMENTUM, training=training, name=f'{name}/norm')
    outputs = tf.nn.relu(outputs)
    print_tensor_shape(outputs, f'{name} shape')
    return outputs


def scores(inputs, channels, name):
    """What fully connected layers would do at each place by itself: from its channels to its scores, float32."""
    outputs = tf.layers.conv2d(inputs, channels, 1, kernel_initializer=he_normal(), name=name)
    print_tensor_shape(outputs, f'{name} shape')
    return outputs


def upsampling(inputs, factor, name):
    """Learned enlargement by a whole factor: a transposed convolution that starts as bilinear interpolation.

    Long, Shelhamer and Darrell, Fully Convolutional Networks for Semantic Segmentation, 2015.

    Args:
        inputs: float32 [batch, height, width, channels].

    Returns:
        float32 [batch, factor * height, factor * width, channels].
    """
    channels = inputs.shape.as_list()[-1]
    outputs = tf.layers.conv2d_transpose(
        inputs,
        filters=channels,
        kernel_size=2 * factor - 1,
        strides=factor,
        padding='same',
        use_bias=False,
        kernel_initializer=tf.constant_initializer(_bilinear(factor, channels)),
        name=name,
    )
    print_tensor_shape(outputs, f'{name} shape')
    return outputs


def he_normal():
    """Weights that keep the signal's variance through a ReLU (He et al. 2015)."""
    return tf.variance_scaling_initializer(scale=2.0)


def _bilinear(factor, channels):
    """float32 [2 * factor - 1, 2 * factor - 1, channels, channels]: a pyramid for each channel, none between them."""
    slope = 1 - np.abs(np.arange(1 - factor, factor)) / factor
    return np.outer(slope, slope)[:, :, np.newaxis, np.newaxis] * np.eye(channels)
