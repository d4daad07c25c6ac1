"""What TensorBoard shows. Tags stand here and nowhere else, so that all exercises' runs share their charts."""

import tensorflow.compat.v1 as tf

from lvseg import metrics

LOSS = 'loss'
LEARNING_RATE = 'learning_rate'
PRECISION = 'precision'
DICE = 'dice'
STEPS_PER_SECOND = 'steps_per_second'


def training(loss: tf.Tensor, logits: tf.Tensor, labels: tf.Tensor) -> None:
    """Adds the scalars of a training step: the loss, and precision and Dice of its batch.

    Args:
        loss: float32 scalar.
        logits: float32 [batch, height, width, 2], class scores.
        labels: uint8 [batch, height, width], 0 or 1.
    """
    batch = metrics.Areas(*(tf.cast(tf.reduce_sum(area), tf.float32) for area in metrics.areas(logits, labels)))
    tf.summary.scalar(LOSS, loss)
    tf.summary.scalar(PRECISION, metrics.precision(batch))
    tf.summary.scalar(DICE, metrics.dice(batch))


def scalars(**values: float) -> tf.Summary:
    """A summary of numbers already computed, as tag=value."""
    return tf.Summary(value=[tf.Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])
