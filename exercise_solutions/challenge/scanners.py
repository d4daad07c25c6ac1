# begin solution
"""Stronger augmentation: more of the same, and what differs from scanner to scanner and from heart to heart.

It takes long to learn from slices that are changed so much, so this is for long trainings.
"""

import augmentation
import tensorflow.compat.v1 as tf

STRONGER = 1.75  # times the zoom and the gamma of augmentation.py, as powers: up to 1.6 and 2.0
LARGEST_SHADE = 0.3  # of the logarithm of the brightness, for each term
BEND = 3.0  # pixels, the standard deviation
BENDS = 11  # along each side, so one every 25 pixels
LARGEST_NOISE = 0.15  # of the image's standard deviation


def augment(images, labels, seed):
    """As augmentation.augment, and stronger."""
    numbers = tf.random.stateless_uniform([13, tf.shape(images)[0], 1, 1], seed, minval=-1, maxval=1)
    mirror, turn, zoom, down, right, gamma = tf.unstack(numbers[:6])
    images = augmentation.with_gamma(images, STRONGER * gamma)
    images = shaded(images, LARGEST_SHADE * numbers[6:11])
    rows, columns = augmentation.places(mirror, turn, STRONGER * zoom, down, right)
    rows, columns = bent(rows, columns, seed + 1)
    images = augmentation.interpolated(images, rows, columns)
    labels = augmentation.nearest(labels, rows, columns)
    images = blurred(images, numbers[11])
    return noisy(images, LARGEST_NOISE * numbers[12], seed + 2), labels


def shaded(images, terms):
    """Brighter here and darker there, smoothly, as near a coil and far from it.

    Args:
        images: float32 [batch, 256, 256].
        terms: float32 [5, batch, 1, 1]; the brightness's logarithm is a polynomial of second degree with these.
    """
    rows, columns = tf.meshgrid(*[tf.linspace(-1.0, 1.0, augmentation.SIZE)] * 2, indexing='ij')
    down, right, twisted, down_twice, right_twice = tf.unstack(terms)
    shade = down * rows + right * columns + twisted * rows * columns + down_twice * rows**2 + right_twice * columns**2
    return images * tf.exp(shade)


def bent(rows, columns, seed):
    """Places moved a little, neighbours alike (Simard, Steinkraus and Platt 2003): no two hearts are shaped alike."""
    moves = tf.random.stateless_normal([tf.shape(rows)[0], BENDS, BENDS, 2], seed, stddev=BEND)
    moves = tf.image.resize_bicubic(moves, [augmentation.SIZE] * 2, align_corners=True)
    return rows + moves[..., 0], columns + moves[..., 1]


def blurred(images, number):
    """Each pixel on its way to the mean of the 3 x 3 around it, by a number from 0 to 1; below 0, images stay."""
    means = tf.nn.avg_pool2d(images[..., tf.newaxis], ksize=3, strides=1, padding='SAME')[..., 0]
    return images + tf.maximum(number, 0) * (means - images)


def noisy(images, share, seed):
    """With normally distributed noise of so much of the image's standard deviation."""
    _, variance = tf.nn.moments(images, axes=[1, 2], keep_dims=True)
    return images + share * tf.sqrt(variance) * tf.random.stateless_normal(tf.shape(images), seed)
