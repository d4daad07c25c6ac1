# begin solution
"""The U-Net for images where the ventricle may be anywhere: it finds it, and then looks closely.

In training it sees one window of each image, the centre as often as one anywhere, and so learns both what a ventricle
looks like and what else there is. In the evaluation it first looks at the whole image, and then at the window around
the place where it saw most of a ventricle. Both looks are taken with the same weights, which fit unet.py, too.

The loss of a training stays above that of unet.py: a window may miss the ventricle, which then counts as not found.
"""

from lvseg import metrics
from lvseg.shapes import print_tensor_shape

import tensorflow.compat.v1 as tf
import unet

SIZE, WINDOW = 256, 128  # pixels
CENTRE = (SIZE - WINDOW) // 2
STEP = 4  # pixels; it is enough to find the place as finely as that.
ABOUT = 9  # steps, odd: twice that is more than the width of a ventricle.


def inference(images, training):
    """From images to the class scores of every pixel; outside of the window, all is background.

    Args:
        images: float32 [batch, 256, 256, 1].
        training: True while training.

    Returns:
        logits: float32 [batch, 256, 256, 2], unnormalised class scores; class 1 is the left ventricle.
    """
    if training:
        return look(images, random_corners(tf.shape(images)[0]), training)
    corners = corners_around(unet.window_scores(images, training))
    with tf.variable_scope(tf.get_variable_scope(), reuse=True):
        return look(images, corners, training)


def look(images, corners, training):
    """The scores of each image's window, and around it sure background, float32 [batch, 256, 256, 2].

    Args:
        images: float32 [batch, 256, 256, 1].
        corners: int32 [batch, 2], row and column.
        training: True while training.
    """
    # For each row of the window, a 1 at that row of the image, and the same for the columns; float32 [batch, 128, 256].
    rows, columns = tf.unstack(tf.one_hot(corners[..., tf.newaxis] + tf.range(WINDOW), SIZE), axis=1)
    windows = tf.matmul(rows @ images[..., 0], columns, transpose_b=True)
    scores = unet.window_scores(windows[..., tf.newaxis], training)

    def around(inside, outside):
        return outside + tf.matmul(rows, inside - outside, transpose_a=True) @ columns

    background, left_ventricle = tf.unstack(scores, axis=-1)
    logits = tf.stack([around(background, unet.SURE), around(left_ventricle, -unet.SURE)], axis=-1)
    print_tensor_shape(logits, 'logits shape')
    return logits


def random_corners(batch):
    """Of each slice's window, int32 [batch, 2], by chance; seed and step decide, so --resume finds the same ones."""
    seed = tf.stack([tf.constant(tf.get_default_graph().seed or 0, tf.int64), tf.train.get_or_create_global_step()])
    anywhere = tf.random.stateless_uniform([batch, 2], seed, maxval=SIZE - WINDOW + 1, dtype=tf.int32)
    centred = tf.random.stateless_uniform([batch, 1], seed + 1) < 0.5
    return tf.where(tf.tile(centred, [1, 2]), tf.fill([batch, 2], CENTRE), anywhere)


def corners_around(scores):
    """Of the window around the place where most of a ventricle is seen, int32 [batch, 2].

    Args:
        scores: float32 [batch, 256, 256, 2], of the whole image.
    """
    # Squared: few pixels of which it is sure are a ventricle rather than many of which it is not.
    seen = tf.nn.softplus(metrics.log_odds(scores)[..., tf.newaxis]) ** 2
    about = tf.nn.avg_pool2d(seen, ksize=STEP, strides=STEP, padding='SAME')
    for _ in range(2):  # Once would do for a large ventricle; of a small one, many places would see as much.
        # With nothing around the image: padding='SAME' would take a mean of what is left of ABOUT x ABOUT at the edges.
        about = tf.pad(about, [[0, 0], [ABOUT // 2] * 2, [ABOUT // 2] * 2, [0, 0]])
        about = tf.nn.avg_pool2d(about, ksize=ABOUT, strides=1, padding='VALID')
    places = tf.argmax(tf.reshape(about, [-1, (SIZE // STEP) ** 2]), axis=1, output_type=tf.int32)
    rows_and_columns = tf.stack([places // (SIZE // STEP), places % (SIZE // STEP)], axis=1)
    return tf.clip_by_value(STEP * rows_and_columns + STEP // 2 - WINDOW // 2, 0, SIZE - WINDOW)
