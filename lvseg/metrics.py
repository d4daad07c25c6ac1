"""How well a prediction agrees with the expert: pixel counts in the graph, and the figures made of them."""

from typing import NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf


class Areas(NamedTuple):
    """Areas in pixels, of one slice (scalars) or of many ([slices]): NumPy integers, or float32 tensors in a graph."""

    intersection: np.ndarray
    labelled: np.ndarray
    predicted: np.ndarray
    total: np.ndarray


def areas(logits: tf.Tensor, labels: tf.Tensor) -> Areas:
    """Areas of each slice of a batch.

    Args:
        logits: float32 [batch, height, width, 2], unnormalised class scores; class 1 is the left ventricle.
        labels: uint8 [batch, height, width], 1 in the left ventricle, 0 elsewhere.

    Returns:
        int32 tensors [batch].
    """
    with tf.name_scope('areas'):
        labels = tf.cast(labels, tf.int32)
        predictions = tf.argmax(logits, axis=-1, output_type=tf.int32)

        def area(mask: tf.Tensor) -> tf.Tensor:
            return tf.reduce_sum(mask, axis=[1, 2])

        return Areas(area(labels * predictions), area(labels), area(predictions), area(tf.ones_like(labels)))


def pooled(slices: Areas) -> Areas:
    """The areas of all slices together: what the lab's precision and Dice are computed from."""
    return Areas(*(np.sum(area, dtype=np.int64) for area in slices))


def precision(a: Areas) -> np.ndarray:
    """Share of pixels classified rightly. (The lab's word; elsewhere this is accuracy, and precision means TP / P.)"""
    wrong = a.predicted + a.labelled - 2 * a.intersection
    return 1 - wrong / a.total


def background_precision(a: Areas) -> np.ndarray:
    """The precision of calling every pixel background."""
    return 1 - a.labelled / a.total


def dice(a: Areas) -> np.ndarray:
    """2 |intersection| / (|predicted| + |labelled|) (Dice 1945); 1 where both are empty, since they agree."""
    return _ratio(2 * a.intersection, a.predicted + a.labelled)


def iou(a: Areas) -> np.ndarray:
    """|intersection| / |union| (Jaccard 1912), = dice / (2 - dice); 1 where both are empty."""
    return _ratio(a.intersection, a.predicted + a.labelled - a.intersection)


def sensitivity(a: Areas) -> np.ndarray:
    """Share of the labelled pixels that were found; 1 where none is labelled."""
    return _ratio(a.intersection, a.labelled)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    if isinstance(whole, tf.Tensor):
        return tf.where(tf.equal(whole, 0), tf.ones_like(whole), tf.div_no_nan(part, whole))
    return np.where(whole == 0, 1.0, part / np.maximum(whole, 1))
