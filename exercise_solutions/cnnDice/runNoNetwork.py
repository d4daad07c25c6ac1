"""Evaluates what has no weights and has learned nothing: -h lists the flags."""

from lvseg import errors, evaluation, flags, inputs, metrics  # Not found? make setup; source .venv/bin/activate

import tensorflow.compat.v1 as tf


def no_network(images):
    """Class scores that call every pixel of every image background.

    Args:
        images: float32 [batch, 256, 256].

    Returns:
        logits: float32 [batch, 256, 256, 2]; class 0, the background, has the higher score everywhere.
    """
    return tf.stack([tf.ones_like(images), tf.zeros_like(images)], axis=-1)  # blank expression


def main(args):
    with tf.Graph().as_default():
        # 1. The data flow graph: there is nothing in it to be trained.
        images, labels = inputs.evaluation_batches(args.data_dir, args.eval_data, args.batch_size)
        areas = metrics.areas(no_network(images), labels)

        # 2. The session: every slice once.
        with tf.Session() as session:
            found = metrics.joined(evaluation.results(session, areas, args.data_dir, args.eval_data))

    together = metrics.pooled(found)
    print(f'OUTPUT: precision = {metrics.precision(together):.3f}, Dice metric = {metrics.dice(together):.3f}')


if __name__ == '__main__':
    errors.exit_with_message(lambda: main(flags.evaluation('cnnDice').parse_args()))
