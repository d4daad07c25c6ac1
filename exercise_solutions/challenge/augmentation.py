"""Augmentation: the network never sees the same slice twice, and learns what ventricles have in common.

TensorFlow 1.15 can crop, mirror and resize images, but not turn them by any angle, outside of tf.contrib; so the
changed image is put together here pixel by pixel: for each pixel, from where in the old image is it taken?
"""

import numpy as np
import tensorflow.compat.v1 as tf

SIZE = 256
# begin solution
LARGEST_ZOOM = 1.3
LARGEST_SHIFT = 12  # pixels
LARGEST_GAMMA = 1.5
# end solution


def augment(images, labels, seed):
    """Images and labels, changed at random, each image in the same way as its label.

    Args:
        images: float32 [batch, 256, 256], pixels from 0 up.
        labels: uint8 [batch, 256, 256], 0 or 1.
        seed: int64 [2]; the same seed makes the same changes.

    Returns:
        The same shapes and types; the labels are still 0 or 1.
    """
    numbers = tf.random.stateless_uniform([6, tf.shape(images)[0], 1, 1], seed, minval=-1, maxval=1)
    rows, columns = places(*tf.unstack(numbers[:5]))
    images = interpolated(images, rows, columns)
    labels = nearest(labels, rows, columns)  # blank expression
    images = with_gamma(images, numbers[5])  # solution
    return images, labels


def places(mirror, turn, zoom, down, right):
    """Where in the old image each pixel of the new one is taken from.

    Args:
        mirror, turn, zoom, down, right: float32 [batch, 1, 1] from -1 to 1.

    Returns:
        rows, columns: float32 [batch, 256, 256], in pixels.
    """
    # Counted from the centre, so that it is turned and zoomed about.
    centre = (SIZE - 1) / 2
    from_centre = tf.range(SIZE, dtype=tf.float32) - centre
    rows, columns = tf.meshgrid(from_centre, from_centre, indexing='ij')
    rows, columns = rows * tf.ones_like(mirror), columns * tf.sign(mirror)
    rows, columns = turned(rows, columns, np.pi * turn)
    # begin solution
    rows, columns = rows * LARGEST_ZOOM**zoom, columns * LARGEST_ZOOM**zoom
    rows, columns = rows + LARGEST_SHIFT * down, columns + LARGEST_SHIFT * right
    # end solution
    return rows + centre, columns + centre


def turned(rows, columns, angle):
    """Rows and columns from the centre, float32 [batch, 256, 256], turned about it by an angle in radians."""
    sine, cosine = tf.sin(angle), tf.cos(angle)
    return cosine * rows - sine * columns, sine * rows + cosine * columns  # blank expression


# begin solution
def with_gamma(images, number):
    """Darker or brighter grey between the same black and white, as other scanners and coils show it."""
    white = tf.maximum(tf.reduce_max(images, axis=[1, 2], keepdims=True), 1e-6)
    return white * tf.maximum(images / white, 0) ** (LARGEST_GAMMA**number)


# end solution
def interpolated(images, rows, columns):
    """Bilinear interpolation between the four pixels around each place; 0 outside of the image.

    Args:
        images: float32 [batch, 256, 256].
        rows, columns: float32 [batch, 256, 256], in pixels.
    """
    top, left = tf.floor(rows), tf.floor(columns)
    below, beside = rows - top, columns - left
    upper = (1 - beside) * _pixels(images, top, left) + beside * _pixels(images, top, left + 1)
    lower = (1 - beside) * _pixels(images, top + 1, left) + beside * _pixels(images, top + 1, left + 1)
    return (1 - below) * upper + below * lower


def nearest(labels, rows, columns):
    """The nearest pixel to each place, so that a label stays 0 or 1; 0 outside of the image; else as interpolated."""
    return _pixels(labels, tf.round(rows), tf.round(columns))


def _pixels(images, rows, columns):
    """The pixels at whole numbers of rows and columns; 0 outside of the image."""
    # A frame of zeros around the image, and every place outside of it moved onto that: quicker than to ask where it is.
    framed = tf.reshape(tf.pad(images, [[0, 0], [1, 1], [1, 1]]), [-1, (SIZE + 2) ** 2])
    rows, columns = (tf.clip_by_value(numbers + 1, 0, SIZE + 1) for numbers in (rows, columns))
    places = tf.cast((SIZE + 2) * rows + columns, tf.int32)
    flat = tf.gather(framed, tf.reshape(places, [-1, SIZE**2]), batch_dims=1)
    return tf.reshape(flat, [-1, SIZE, SIZE])
