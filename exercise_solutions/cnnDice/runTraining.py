"""Trains the network: -h lists the flags."""

import sys
from pathlib import Path

import tensorflow.compat.v1 as tf

sys.path.append(str(Path(__file__).resolve().parents[2]))  # The project's top folder, where lvseg is.

import neuralnetwork as nn

from lvseg import errors, flags, inputs, runs, summaries, training


def main(args):
    with tf.Graph().as_default():
        tf.set_random_seed(runs.seed(args))

        # 1. The data flow graph: describes the computation, computes nothing.
        images, labels = inputs.training_batches(args)
        logits = nn.inference(images, training=True)
        loss = nn.loss(logits, labels)
        train_op = nn.training(loss, args.learning_rate, args.decay_steps, args.decay_rate)
        summaries.training(images, labels, logits, loss)

        # 2. The session: images flow through the graph until the epochs are used up.
        training.run(train_op, loss, nn.inference, args)


if __name__ == '__main__':
    errors.exit_with_message(lambda: main(flags.training('cnnDice').parse_args()))
