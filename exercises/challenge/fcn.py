"""The lab's network, started with more care: the fully convolutional network of the exercises 2 and 3.

layer          filters  output                what it does
conv1          100      128 x 128 x 100       convolution, batch normalisation, ReLU
pool1                    64 x  64 x 100       max pooling
conv2          200       32 x  32 x 200       convolution, batch normalisation, ReLU
pool2                    16 x  16 x 200       max pooling
conv3          300       16 x  16 x 300       convolution, batch normalisation, ReLU
conv4          300       16 x  16 x 300       convolution, batch normalisation, ReLU
score_classes  2         16 x  16 x   2       convolution
upscore        2        256 x 256 x   2       transposed convolution
"""

from lvseg.shapes import print_tensor_shape

import layers
import tensorflow.compat.v1 as tf

CLASSES = 2  # 0 is the background, 1 the left ventricle.


def inference(images, training):
    """From images to the class scores of every pixel.

    Args:
        images: float32 [batch, 256, 256, 1].
        training: True while training.

    Returns:
        logits: float32 [batch, 256, 256, 2], unnormalised class scores; class 1 is the left ventricle.
    """
    conv1 = layers.convolution(images, 100, 5, training, 'conv1', strides=2)
    pool1 = tf.layers.max_pooling2d(conv1, pool_size=2, strides=2, padding='same', name='pool1')
    print_tensor_shape(pool1, 'pool 1 shape')

    conv2 = layers.convolution(pool1, 200, 5, training, 'conv2', strides=2)
    pool2 = tf.layers.max_pooling2d(conv2, pool_size=2, strides=2, padding='same', name='pool2')
    print_tensor_shape(pool2, 'pool 2 shape')

    conv3 = layers.convolution(pool2, 300, 3, training, 'conv3')
    conv4 = layers.convolution(conv3, 300, 3, training, 'conv4')

    score_classes = layers.scores(conv4, CLASSES, 'score_classes')
    return layers.upsampling(score_classes, factor=16, name='upscore')
