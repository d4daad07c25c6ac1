"""Evaluates the newest checkpoint of a training: -h lists the flags."""

from lvseg import errors, evaluation, flags, inputs  # Not found? make setup; source .venv/bin/activate

import neuralnetwork as nn
import tensorflow.compat.v1 as tf


def precision(pixels, correct):
    """The share of pixels classified rightly, as the lab prints it."""
    return f'precision = {correct / pixels:.3f}'


def main(args):
    with tf.Graph().as_default():
        # 1. The data flow graph, without loss and training.
        images, labels = inputs.evaluation_batches(args.data_dir, args.eval_data, args.batch_size)
        logits = nn.inference(images, training=False)
        correct = nn.evaluation(logits, labels)

        # 2. The session: the newest checkpoint's weights, and every slice once.
        evaluation.run([correct], precision, images, labels, logits, args)


if __name__ == '__main__':
    errors.exit_with_message(lambda: main(flags.evaluation('cnn').parse_args()))
