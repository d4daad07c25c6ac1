"""What TensorBoard shows. Tags stand here and nowhere else, so that all exercises' runs share their charts."""

from typing import Any, Dict, List

from lvseg import metrics, pictures, together

import numpy as np
import tensorflow.compat.v1 as tf
from tensorboard.plugins.histogram import summary as histogram_plugin
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams import summary as hparams_plugin
from tensorboard.plugins.pr_curve import summary as pr_curve_plugin

LOSS = 'loss'
LEARNING_RATE = 'learning_rate'
PRECISION = 'precision'
DICE = 'dice'
STEPS_PER_SECOND = 'steps_per_second'

# What stands before the slash is the heading under which TensorBoard puts it.
TRAINING_SLICE = 'segmentation/training_slice'
WORST_SLICE = 'segmentation/worst'
MEDIAN_SLICE = 'segmentation/median'
BEST_SLICE = 'segmentation/best'
WEIGHTS = 'weights'
GRADIENTS = 'gradients'
DICE_PER_SLICE = 'dice_per_slice'
LEFT_VENTRICLE = 'left_ventricle'

# The flags that stand in the table of the HParams tab before those that an exercise adds, and their types there; the
# first five are seen at once, or in a newer TensorBoard the first five of the alphabet.
HPARAMS = {
    'exercise': api_pb2.DATA_TYPE_STRING,
    'num_epochs': api_pb2.DATA_TYPE_FLOAT64,
    'learning_rate': api_pb2.DATA_TYPE_FLOAT64,
    'decay_rate': api_pb2.DATA_TYPE_FLOAT64,
    'batch_size': api_pb2.DATA_TYPE_FLOAT64,
    'decay_steps': api_pb2.DATA_TYPE_FLOAT64,
    'seed': api_pb2.DATA_TYPE_FLOAT64,
    'eval_data': api_pb2.DATA_TYPE_STRING,
}

_PICTURE_SIZE = 256  # pixels

# A histogram of so many values looks like that of all 100 million weights of the fully connected network.
_HISTOGRAM_VALUES = 20000


def training(images: tf.Tensor, labels: tf.Tensor, logits: tf.Tensor, loss: tf.Tensor) -> None:
    """Adds the summaries of a training step; the session runs them every 100 steps, together with that step.

    These are the loss, precision and Dice of the batch, its first slice as a picture, and histograms of all weights
    and gradients.

    Args:
        images: float32 [batch, height, width].
        labels: uint8 [batch, height, width], 0 or 1.
        logits: float32 [batch, height, width, 2], class scores.
        loss: float32 scalar.
    """
    weights = tf.trainable_variables()
    with tf.name_scope('summaries'):
        batch = metrics.Areas(*(tf.cast(tf.reduce_sum(area), tf.float32) for area in metrics.areas(logits, labels)))
        precision, dice = metrics.precision(batch), metrics.dice(batch)
        first_slice = [images[0], labels[0], metrics.predictions(logits)[0]]
        picture_summary = tf.py_func(_training_slice, first_slice, tf.string)
        histograms = {f'{WEIGHTS}/{weight.op.name}': _sample(weight) for weight in weights}
        for weight, gradient in zip(weights, tf.gradients(loss, weights)):
            if gradient is not None:  # A weight that the loss does not depend on.
                histograms[f'{GRADIENTS}/{weight.op.name}'] = _sample(gradient)

    # Outside of the scope, whose name would become part of the tags.
    tf.summary.scalar(LOSS, together.loss_of_batch(loss))
    tf.summary.scalar(PRECISION, precision)
    tf.summary.scalar(DICE, dice)
    tf.add_to_collection(tf.GraphKeys.SUMMARIES, picture_summary)
    for tag, values in histograms.items():
        tf.summary.histogram(tag, values)


def figures(total: metrics.Areas) -> Dict[str, float]:
    """The lab's two figures of slices taken together, under their tags."""
    return {PRECISION: float(metrics.precision(total)), DICE: float(metrics.dice(total))}


def scalars(**values: float) -> tf.Summary:
    """A summary of numbers already computed, as tag=value."""
    return tf.Summary(value=[tf.Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])


def picture(tag: str, piece: pictures.Slice, caption: str) -> tf.Summary:
    """A slice with the contours of the expert and the network, for the Images tab."""
    tile = pictures.tile(piece, [*pictures.LEGEND, (caption, pictures.TEXT)], _PICTURE_SIZE)
    image = tf.Summary.Image(
        width=tile.width, height=tile.height, colorspace=3, encoded_image_string=pictures.png(tile)
    )
    return tf.Summary(value=[tf.Summary.Value(tag=tag, image=image)])


def dice_histogram(dice: np.ndarray) -> tf.Summary:
    """How many slices have which Dice ([slices]), for the Histograms and Distributions tabs."""
    return histogram_plugin.pb(DICE_PER_SLICE, dice)


def pr_curve(counts: np.ndarray) -> tf.Summary:
    """The precision-recall curve of the left-ventricle class, for the PR Curves tab.

    Args:
        counts: int64 [2, thresholds], the sum of metrics.probability_counts over all slices.
    """
    background, labelled = counts[:, ::-1].cumsum(axis=1)[:, ::-1]  # Pixels with this probability or a higher one.
    return pr_curve_plugin.raw_data_pb(
        LEFT_VENTRICLE,
        true_positive_counts=labelled,
        false_positive_counts=background,
        true_negative_counts=background[0] - background,
        false_negative_counts=labelled[0] - labelled,
        precision=labelled / np.maximum(labelled + background, 1),
        recall=labelled / max(labelled[0], 1),
        num_thresholds=counts.shape[1],
        description='Here precision is the share of pixels called left ventricle that are it; elsewhere in the lab it '
        'is the share of all pixels called rightly.',
    )


def hparams(run: Dict[str, Any], name: str) -> List[bytes]:
    """A row of the table in the HParams tab, and its columns; serialised tf.Summary.

    Args:
        run: the flags of training and evaluation; those of HPARAMS are taken, and those that its exercise adds.
        name: of the row.
    """
    kinds = {**HPARAMS, **{flag: _hparam_type(run[flag]) for flag in run.get('added_flags', ()) if flag in run}}
    columns = hparams_plugin.experiment_pb(
        hparam_infos=[api_pb2.HParamInfo(name=flag, type=kind) for flag, kind in kinds.items()],
        metric_infos=[api_pb2.MetricInfo(name=api_pb2.MetricName(tag=tag)) for tag in (PRECISION, DICE)],
    )
    values = {flag: run[flag] for flag in kinds if run.get(flag) is not None}
    start = hparams_plugin.session_start_pb(values, group_name=name)
    end = hparams_plugin.session_end_pb(api_pb2.STATUS_SUCCESS)
    return [summary.SerializeToString() for summary in (columns, start, end)]


def _hparam_type(value: Any) -> int:  # noqa: ANN401 - whatever a flag can be
    if isinstance(value, bool):
        return api_pb2.DATA_TYPE_BOOL
    return api_pb2.DATA_TYPE_STRING if isinstance(value, str) else api_pb2.DATA_TYPE_FLOAT64


def _training_slice(image: np.ndarray, label: np.ndarray, prediction: np.ndarray) -> bytes:
    caption = f'Dice {metrics.dice(metrics.mask_areas(label, prediction)):.3f}'
    return picture(TRAINING_SLICE, pictures.Slice(image, label, prediction), caption).SerializeToString()


def _sample(values: tf.Tensor) -> tf.Tensor:
    """Every n-th value; n is odd, to fall out of step with layers whose sizes are powers of two."""
    flat = tf.reshape(values, [-1])
    some = flat[:: flat.shape.num_elements() // _HISTOGRAM_VALUES | 1]
    # Of a training that diverges, the loss is to tell, not this. (tf.boolean_mask makes 25 operations of it.)
    return tf.gather_nd(some, tf.where(tf.is_finite(some)))
