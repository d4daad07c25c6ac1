# begin solution
"""A U-Net (Ronneberger, Fischer and Brox 2015): down to see what there is, up again to see where its border runs.

stage  filters  size       what it does
down0  32       64 x 64    two convolutions
down1  64       32 x 32    max pooling, two convolutions
down2  128      16 x 16    max pooling, two convolutions
down3  256       8 x  8    max pooling, two convolutions
up2    128      16 x 16    enlarged, beside it what down2 saw, two convolutions
up1    64       32 x 32    enlarged, beside it what down1 saw, two convolutions
up0    32       64 x 64    enlarged, beside it what down0 saw, two convolutions
scores 32       64 x 64    of each of the 4 x 4 pixels that lie at one place, the scores of both classes

Inside, the network is four times smaller than the image: 4 x 4 pixels become 16 channels of one place, and back again
at the end. No pixel is lost that way, and at full size the same convolutions would take 16 times as long.
"""

import layers
import tensorflow.compat.v1 as tf

from lvseg.shapes import print_tensor_shape

CLASSES = 2  # 0 is the background, 1 the left ventricle.
FILTERS = [32, 64, 128, 256]
BLOCK = 4


def inference(images, training):
    """From images to the class scores of every pixel.

    Args:
        images: float32 [batch, 256, 256, 1].
        training: True while training.

    Returns:
        logits: float32 [batch, 256, 256, 2], unnormalised class scores; class 1 is the left ventricle.
    """
    outputs = tf.space_to_depth(images, BLOCK)
    print_tensor_shape(outputs, 'blocks shape')

    seen = []
    for stage, filters in enumerate(FILTERS):
        if stage > 0:
            outputs = tf.layers.max_pooling2d(outputs, pool_size=2, strides=2)
        outputs = _two_convolutions(outputs, filters, training, f'down{stage}')
        seen.append(outputs)

    for stage in reversed(range(len(FILTERS) - 1)):
        outputs = _enlarged(outputs, FILTERS[stage], f'up{stage}/enlarged')
        outputs = tf.concat([outputs, seen[stage]], axis=-1)
        outputs = _two_convolutions(outputs, FILTERS[stage], training, f'up{stage}')

    scores = layers.scores(outputs, CLASSES * BLOCK**2, 'scores')
    logits = tf.depth_to_space(scores, BLOCK)
    print_tensor_shape(logits, 'logits shape')
    return logits


def _two_convolutions(inputs, filters, training, name):
    outputs = layers.convolution(inputs, filters, 3, training, f'{name}/conv1')
    return layers.convolution(outputs, filters, 3, training, f'{name}/conv2')


def _enlarged(inputs, filters, name):
    return tf.layers.conv2d_transpose(
        inputs,
        filters,
        kernel_size=2,
        strides=2,
        use_bias=False,
        kernel_initializer=layers.he_normal(),
        name=name,
    )
