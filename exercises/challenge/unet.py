"""A U-Net (Ronneberger, Fischer and Brox 2015): down to see what there is, up again to see where its border runs.

stage   filters  size       what it does
centre           128 x 128  cut out of the image
down0    16       64 x  64  convolution
down1    32       32 x  32  max pooling, two convolutions
down2    64       16 x  16  max pooling, two convolutions
down3   128        8 x   8  max pooling, two convolutions
down4   256        4 x   4  max pooling, two convolutions
up3     128        8 x   8  enlarged, beside it what down3 saw, two convolutions
up2      64       16 x  16  enlarged, beside it what down2 saw, two convolutions
up1      32       32 x  32  enlarged, beside it what down1 saw, two convolutions
up0      16       64 x  64  enlarged, beside it what down0 saw, convolution
scores    2       64 x  64  of both classes
upscore   2      128 x 128  learned upsampling; around it, all is background

Nothing is computed at full size, where each convolution would take four times as long as at half: the ventricle's
border is smooth enough to be drawn between the pixels of half size.
"""

from lvseg.shapes import print_tensor_shape

import layers
import tensorflow.compat.v1 as tf

CLASSES = 2  # 0 is the background, 1 the left ventricle.
FILTERS = [16, 32, 64, 128, 256]

# Who plans a cardiac MRI puts the heart into its centre: all ventricles of the 234 slices that train lie within the
# central 98 x 98 pixels. Looking at 128 x 128 takes a quarter of the time, and nothing far away is mistaken for a
# ventricle.
BORDER = 64
SURE = 5.0  # The scores of the border: background with a probability of 1 - exp(-10).


def inference(images, training):
    """From images to the class scores of every pixel.

    Args:
        images: float32 [batch, 256, 256, 1].
        training: True while training.

    Returns:
        logits: float32 [batch, 256, 256, 2], unnormalised class scores; class 1 is the left ventricle.
    """
    centre = images[:, BORDER : 256 - BORDER, BORDER : 256 - BORDER]
    print_tensor_shape(centre, 'centre shape')
    scores = window_scores(centre, training)

    border = [[0, 0], [BORDER, BORDER], [BORDER, BORDER]]
    background, left_ventricle = tf.unstack(scores, axis=-1)
    background = tf.pad(background, border, constant_values=SURE)
    left_ventricle = tf.pad(left_ventricle, border, constant_values=-SURE)
    logits = tf.stack([background, left_ventricle], axis=-1)
    print_tensor_shape(logits, 'logits shape')
    return logits


def window_scores(images, training):
    """The class scores of a part of the image, or of all of it.

    Args:
        images: float32 [batch, height, width, 1]; height and width are multiples of 32.
        training: True while training.

    Returns:
        float32 [batch, height, width, 2].
    """
    outputs = layers.convolution(images, FILTERS[0], 5, training, 'down0', strides=2)
    seen = [outputs]
    for stage in range(1, len(FILTERS)):
        outputs = tf.layers.max_pooling2d(outputs, pool_size=2, strides=2)
        outputs = _two_convolutions(outputs, FILTERS[stage], training, f'down{stage}')
        seen.append(outputs)

    for stage in reversed(range(1, len(FILTERS) - 1)):
        outputs = up(outputs, seen[stage], FILTERS[stage], f'enlarged{stage}')
        outputs = _two_convolutions(outputs, FILTERS[stage], training, f'up{stage}')
    outputs = up(outputs, seen[0], FILTERS[0], 'enlarged0')
    outputs = layers.convolution(outputs, FILTERS[0], 3, training, 'up0')

    scores = layers.scores(outputs, CLASSES, 'scores')
    return layers.upsampling(scores, factor=2, name='upscore')


def _two_convolutions(inputs, filters, training, name):
    outputs = layers.convolution(inputs, filters, 3, training, f'{name}/conv1')
    return layers.convolution(outputs, filters, 3, training, f'{name}/conv2')


def up(inputs, seen, filters, name):
    """A step of the way up: twice as high and wide, and beside that what the way down has seen at this size.

    Args:
        inputs: float32 [batch, height, width, channels].
        seen: float32 [batch, 2 * height, 2 * width, filters]; what skips all that lies below.
        filters: the number of channels after enlarging.
        name: of the layer that enlarges.

    Returns:
        float32 [batch, 2 * height, 2 * width, 2 * filters]: the one's channels and the other's.
    """
    enlarged = tf.layers.conv2d_transpose(
        inputs,
        filters,
        kernel_size=[2, 2],
        strides=[FIXME, FIXME],
        use_bias=False,
        kernel_initializer=layers.he_normal(),
        name=name,
    )
    print_tensor_shape(enlarged, f'{name} shape')
    return FIXME
