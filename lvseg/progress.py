"""Progress bars on a terminal: on stderr, so that the OUTPUT lines on stdout stay whole; none in a file or a pipe."""

import os
import sys
from argparse import Namespace
from typing import Tuple

from lvseg import checkpoints, inputs
from lvseg.hooks import CountingHook

import tensorflow.compat.v1 as tf
from tqdm import tqdm

_FORMAT = '{desc} {percentage:3.0f}%{postfix} |{bar}| {rate_noinv_fmt}, {remaining} left'

# Of a terminal that does not tell; tqdm would take it for one without room for a bar.
_SIZE_ELSE = {'ncols': 80, 'nrows': 24}


def bar(images: int, done: int = 0, description: str = '') -> tqdm:
    """A bar that counts images; it clears its line when it is closed."""
    return tqdm(
        total=images,
        initial=done,
        desc=description,
        bar_format=_FORMAT,
        unit=' images',
        leave=False,
        disable=None,  # Where stderr is no terminal.
        **({'dynamic_ncols': True} if _terminal_has_size() else _SIZE_ELSE),
    )


def say(line: str) -> None:
    """Prints a line to stdout, above the bar if there is one."""
    tqdm.write(line, file=sys.stdout)
    sys.stdout.flush()


def _terminal_has_size() -> bool:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except OSError:  # No terminal at all.
        return False


class TrainingBar(CountingHook):
    """Shows epoch, step, loss, images per second and the time left of a training; use it in a `with` statement."""

    def __init__(self, loss: tf.Tensor, args: Namespace) -> None:
        self._loss = loss
        self._args = args
        self._slices = args.slices
        _, done = self._epochs_and_images(checkpoints.steps_done(args))
        self._bar = bar(args.num_epochs * self._slices, done)

    def __enter__(self) -> 'TrainingBar':
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()

    def before_run(self, run_context: tf.train.SessionRunContext) -> tf.train.SessionRunArgs:
        """Asks for the loss."""
        return tf.train.SessionRunArgs(self._loss)

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        """Moves the bar on."""
        super().after_run(run_context, run_values)
        epochs, images = self._epochs_and_images(self.step)
        epoch = min(epochs + 1, self._args.num_epochs)
        self._bar.set_description_str(f'Epoch {epoch}/{self._args.num_epochs}', refresh=False)
        self._bar.set_postfix_str(f'step {self.step}, loss {run_values.results:.3f}', refresh=False)
        self._bar.update(images - self._bar.n)

    def _epochs_and_images(self, step: int) -> Tuple[int, int]:
        """How many epochs are complete after so many steps, and how many images have been seen in all."""
        epochs, steps = divmod(step, inputs.steps_per_epoch(self._slices, self._args.batch_size))
        return epochs, epochs * self._slices + steps * self._args.batch_size
