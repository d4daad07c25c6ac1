"""Trains the network: -h lists the flags."""

from lvseg import errors, flags, inputs, summaries, training  # Not found? make setup; source .venv/bin/activate

import neuralnetwork as nn


def main(args):
    run = training.describe(args)
    with training.graph(run):
        # 1. The data flow graph: describes the computation, computes nothing.
        images, labels = inputs.training_batches(run)
        logits = nn.inference(images, training=True)
        loss = nn.loss(logits, labels)
        train_op = nn.training(loss, args.learning_rate, args.decay_steps, args.decay_rate)
        summaries.training(images, labels, logits, loss)

        # 2. The session: images flow through the graph until the epochs are used up.
        training.run(train_op, loss, nn.inference, run)


if __name__ == '__main__':
    errors.exit_with_message(lambda: main(flags.training('cnnDice').parse_args()))
