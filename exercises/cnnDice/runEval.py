"""Evaluates the newest checkpoint of a training: -h lists the flags."""

from lvseg import errors, evaluation, flags, inputs, metrics  # Not found? make setup; source .venv/bin/activate

import neuralnetwork as nn
import tensorflow.compat.v1 as tf


def dice(pixels, intersection, labelled, predicted):
    """2 * intersection / (predicted + labelled) over all slices together, as the lab prints it."""
    return f'Dice metric = {metrics.dice(metrics.Areas(intersection, labelled, predicted, pixels)):.3f}'


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
