"""Trains the network: -h lists the flags."""

import functools

from lvseg import errors, flags, inputs, summaries, training  # Not found? make setup; source .venv/bin/activate

import neuralnetwork as nn


def main(args):
    run = training.describe(args, nn.FLAGS)
    with training.graph(run):
        # 1. The data flow graph: describes the computation, computes nothing.
        images, labels = inputs.training_batches(run, nn.augmentation_by(args))
        inference = functools.partial(nn.inference, **run.for_inference)
        logits = inference(images, training=True)
        loss = nn.loss(logits, labels, args.loss)
        train_op = nn.training(loss, args, run.steps)
        summaries.training(images, labels, logits, loss)

        # 2. The session: images flow through the graph until the epochs are used up.
        training.run(train_op, loss, inference, run)


if __name__ == '__main__':
    errors.exit_with_message(lambda: main(flags.training('challenge', nn.FLAGS).parse_args()))
