# begin solution
"""AlexNet (Krizhevsky, Sutskever and Hinton 2012) made fully convolutional (Long, Shelhamer and Darrell 2015).

layer  filters  output          what it does
conv1  96        64 x 64 x 96   convolution 11 x 11
pool1            32 x 32 x 96   max pooling 3 x 3
conv2  256       32 x 32 x 256  convolution 5 x 5
pool2            16 x 16 x 256  max pooling 3 x 3
conv3  384       16 x 16 x 384  convolution 3 x 3
conv4  384       16 x 16 x 384  convolution 3 x 3
conv5  256       16 x 16 x 256  convolution 3 x 3
pool5             8 x  8 x 256  max pooling 3 x 3
fc6    4096       8 x  8 x 4096 convolution 1 x 1, dropout: what were fully connected layers
fc7    4096       8 x  8 x 4096 convolution 1 x 1, dropout
score  2          8 x  8 x 2    convolution 1 x 1
upscore          256 x 256 x 2  learned upsampling

The original saw colour photographs and put them into 1000 classes; here one channel comes in, and no weights of it are
used. Its fc6 saw all 6 x 6 places of pool5 at once; here it sees each place by itself, and has a 36th of the weights.
Batch normalisation, found in 2015, takes the place of its local response normalisation.
"""

from lvseg.shapes import print_tensor_shape

import layers
import tensorflow.compat.v1 as tf

CLASSES = 2  # 0 is the background, 1 the left ventricle.
DROPOUT_RATE = 0.5


def inference(images, training):
    """From images to the class scores of every pixel.

    Args:
        images: float32 [batch, 256, 256, 1].
        training: True while training.

    Returns:
        logits: float32 [batch, 256, 256, 2], unnormalised class scores; class 1 is the left ventricle.
    """
    conv1 = layers.convolution(images, 96, 11, training, 'conv1', strides=4)
    pool1 = _pooling(conv1, 'pool1')
    conv2 = layers.convolution(pool1, 256, 5, training, 'conv2')
    pool2 = _pooling(conv2, 'pool2')
    conv3 = layers.convolution(pool2, 384, 3, training, 'conv3')
    conv4 = layers.convolution(conv3, 384, 3, training, 'conv4')
    conv5 = layers.convolution(conv4, 256, 3, training, 'conv5')
    pool5 = _pooling(conv5, 'pool5')

    fc6 = layers.convolution(pool5, 4096, 1, training, 'fc6')
    fc6 = tf.layers.dropout(fc6, rate=DROPOUT_RATE, training=training)
    fc7 = layers.convolution(fc6, 4096, 1, training, 'fc7')
    fc7 = tf.layers.dropout(fc7, rate=DROPOUT_RATE, training=training)

    score = layers.scores(fc7, CLASSES, 'score')
    return layers.upsampling(score, factor=32, name='upscore')


def _pooling(inputs, name):
    outputs = tf.layers.max_pooling2d(inputs, pool_size=3, strides=2, padding='same', name=name)
    print_tensor_shape(outputs, f'{name} shape')
    return outputs
