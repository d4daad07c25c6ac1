"""Evaluates the newest checkpoint of a training: -h lists the flags."""

from lvseg import errors, evaluation, flags, inputs, metrics  # Not found? make setup; source .venv/bin/activate

import neuralnetwork as nn
import tensorflow.compat.v1 as tf


def dice(pixels, intersection, labelled, predicted):
    """2 * intersection / (predicted + labelled) over all slices together, as the lab prints it."""
    return f'Dice metric = {metrics.dice(metrics.Areas(intersection, labelled, predicted, pixels)):.3f}'


def main(args):
    # The run that is evaluated knows which network it trained.
    trained_with = evaluation.trained_with(args, nn.FLAGS)

    with tf.Graph().as_default():
        # 1. The data flow graph, without loss and training.
        images, labels = inputs.evaluation_batches(args.data_dir, args.eval_data, args.batch_size)
        logits = nn.inference(images, training=False, **trained_with)
        areas = nn.evaluation(logits, labels)

        # 2. The session: the newest checkpoint's weights, and every slice once.
        evaluation.run(areas, dice, images, labels, logits, args, **trained_with)


if __name__ == '__main__':
    errors.exit_with_message(lambda: main(flags.evaluation('challenge').parse_args()))
