"""How well a prediction agrees with the expert: pixel counts in the graph, and the figures made of them."""

from typing import Iterable, NamedTuple, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

THRESHOLDS = 101  # 0.00, 0.01, … 1.00


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
        labels, predicted = tf.cast(labels, tf.int32), predictions(logits)

        def area(mask: tf.Tensor) -> tf.Tensor:
            return tf.reduce_sum(mask, axis=[1, 2])

        return Areas(area(labels * predicted), area(labels), area(predicted), area(tf.ones_like(labels)))


def predictions(logits: tf.Tensor) -> tf.Tensor:
    """The class with the higher score: int32 [batch, height, width] of [batch, height, width, 2]."""
    return tf.argmax(logits, axis=-1, output_type=tf.int32)


def probabilities(logits: tf.Tensor) -> tf.Tensor:
    """The softmax probability of the left ventricle: float32 [batch, height, width] of [batch, height, width, 2]."""
    return tf.sigmoid(log_odds(logits))


def log_odds(logits: tf.Tensor) -> tf.Tensor:
    """By how much the left ventricle's score is the higher one: float32 [batch, height, width].

    Of two classes, the softmax is the logistic function of this, which takes a third of the time.
    """
    background, left_ventricle = tf.unstack(logits, axis=-1)
    return left_ventricle - background


def mask_areas(label: np.ndarray, prediction: np.ndarray) -> Areas:
    """Areas of one slice, or of several together, of arrays of 0 and 1."""
    intersection, labelled, predicted = (int(np.sum(mask)) for mask in (label * prediction, label, prediction))
    return Areas(intersection, labelled, predicted, np.size(label))


def each_mask_areas(pairs: Iterable[Tuple[np.ndarray, np.ndarray]]) -> Areas:
    """Areas [slices] of pairs of label and prediction, each as of mask_areas."""
    return Areas(*map(np.array, zip(*(mask_areas(label, prediction) for label, prediction in pairs))))


def probability_counts(probability: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How many pixels have which probability of being left ventricle: what a precision-recall curve is made of.

    Args:
        probability: float [...], 0 to 1.
        labels: integer [...], 1 in the left ventricle, 0 elsewhere.

    Returns:
        int64 [2, THRESHOLDS], of the background and of the left ventricle; column i counts the probabilities from
        i / (THRESHOLDS - 1) on and below the next.
    """
    columns = np.floor(np.nan_to_num(probability) * (THRESHOLDS - 1)).astype(np.int64)
    cells = labels.astype(np.int64) * THRESHOLDS + columns
    return np.bincount(cells.ravel(), minlength=2 * THRESHOLDS).reshape(2, THRESHOLDS)


def kept(areas: Areas) -> Areas:
    """A copy of what a session returned, in memory of its own.

    What a session returns lies in TensorFlow's memory, scattered between the large arrays of each step. Were it held,
    their room could not be used again: 50 kB for every slice.
    """
    return Areas(*map(np.array, areas))


def joined(batches: Iterable[Areas]) -> Areas:
    """The areas of all slices, [slices], of those of batches, [batch]."""
    return Areas(*(np.concatenate(column) for column in zip(*map(kept, batches))))


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
