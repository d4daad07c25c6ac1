"""Checkpoints: finding the newest, and restoring it into the network that it was made by."""

import os
from argparse import Namespace
from typing import Optional

import tensorflow.compat.v1 as tf

from lvseg import runs
from lvseg.errors import LabError


def newest(directory: str) -> Optional[str]:
    """The path of the newest complete checkpoint, as TensorFlow takes it; None where there is none."""
    return tf.train.latest_checkpoint(directory)


def step(checkpoint: str) -> int:
    """The global step at which a checkpoint was made."""
    return int(tf.train.load_variable(checkpoint, tf.GraphKeys.GLOBAL_STEP))


def restore(session: tf.Session, saver: tf.train.Saver, checkpoint: str, args: Namespace) -> None:
    """Restores the weights.

    Raises:
        LabError: the checkpoint is damaged, or of another network; says which.
    """
    try:
        _check_same_network(checkpoint, args.exercise)
        saver.restore(session, checkpoint)
    except (tf.errors.DataLossError, tf.errors.OutOfRangeError, tf.errors.NotFoundError):
        raise LabError(f'the checkpoint {checkpoint} is damaged. Train again.') from None


def _check_same_network(checkpoint: str, exercise: str) -> None:
    trained = (runs.load(os.path.dirname(checkpoint)) or {}).get('exercise', 'another network')
    found = tf.train.load_checkpoint(checkpoint).get_variable_to_shape_map()
    for variable in tf.global_variables():
        name, wanted = variable.op.name, variable.shape.as_list()
        if name not in found:
            raise LabError(
                f'checkpoint of {trained}, this is {exercise}: {checkpoint} has no variable {name}. '
                f'Give the --checkpoint_dir of a run of {exercise}.'
            )
        if found[name] != wanted:
            raise LabError(
                f'the variable {name} has the shape {found[name]} in {checkpoint}, {wanted} in this network. '
                'Train again with this network, or change it back.'
            )
