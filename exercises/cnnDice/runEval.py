"""Evaluates the newest checkpoint of a training: -h lists the flags."""

from lvseg import errors, evaluation, flags, inputs  # Not found? make setup; source .venv/bin/activate

import neuralnetwork as nn
import tensorflow.compat.v1 as tf


def dice(pixels, intersection, labelled, predicted):
    """The Dice metric of the areas of all slices together, as the lab prints it; 1 where both masks are empty."""
    if not labelled and not predicted:
        return 'Dice metric = 1.000'
    metric = FIXME
    return f'Dice metric = {metric:.3f}'


def main(args):
    with tf.Graph().as_default():
        # 1. The data flow graph, without loss and training.
        images, labels = inputs.evaluation_batches(args.data_dir, args.eval_data, args.batch_size)
        logits = nn.inference(images, training=False)
        areas = nn.evaluation(logits, labels)

        # 2. The session: the newest checkpoint's weights, and every slice once.
        evaluation.run(areas, dice, images, labels, logits, args)


if __name__ == '__main__':
    errors.exit_with_message(lambda: main(flags.evaluation('cnnDice').parse_args()))
