"""Trains the network: -h lists the flags."""

import functools

from lvseg import errors, flags, inputs, runs, summaries, training

import augmentation
import neuralnetwork as nn
import tensorflow.compat.v1 as tf


def main(args):
    with tf.Graph().as_default():
        tf.set_random_seed(runs.seed(args))

        # 1. The data flow graph: describes the computation, computes nothing.
        images, labels = inputs.training_batches(args, augmentation.augment if args.augment else None)
        inference = functools.partial(
            nn.inference, network=args.network, normalisation=args.normalisation, augment=args.augment
        )
        logits = inference(images, training=True)
        loss = nn.loss(logits, labels, args.loss)
        train_op = nn.training(loss, args, inputs.training_steps(args))
        summaries.training(images, labels, logits, loss)

        # 2. The session: images flow through the graph until the epochs are used up.
        training.run(train_op, loss, inference, args)


if __name__ == '__main__':
    errors.exit_with_message(lambda: main(flags.challenge(nn).parse_args()))
