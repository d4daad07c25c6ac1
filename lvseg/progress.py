"""Progress bars on a terminal: on stderr, so that the OUTPUT lines on stdout stay whole; none in a file or a pipe."""

import os
import sys
from typing import Tuple

from lvseg.errors import one_line
from lvseg.hooks import StepHook
from lvseg.runs import Run

import tensorflow.compat.v1 as tf
from tqdm import tqdm

_IMAGES = '{desc} {percentage:3.0f}%{postfix} |{bar}| {rate_noinv_fmt}, {remaining} left'
COUNTED = '{desc} |{bar}|'  # The description tells all of it.

# Of a terminal that does not tell; tqdm would take it for one without room for a bar.
_SIZE_ELSE = {'ncols': 80, 'nrows': 24}


def bar(images: int, done: int = 0, description: str = '', form: str = _IMAGES) -> tqdm:
    """A bar that counts images, or with another form something else; it clears its line when it is closed."""
    return tqdm(
        total=images,
        initial=done,
        desc=description,
        bar_format=form,
        unit=' images',
        leave=False,
        disable=None,  # Where stderr is no terminal.
        **({'dynamic_ncols': True} if _terminal_has_size() else _SIZE_ELSE),
    )


def say(line: str) -> None:
    """Prints a line to stdout, above the bar if there is one."""
    tqdm.write(one_line(line), file=sys.stdout)
    sys.stdout.flush()


def _terminal_has_size() -> bool:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except OSError:  # No terminal at all.
        return False


class TrainingBar(StepHook):
    """Shows epoch, step, loss, images per second and the time left of a training; use it in a `with` statement."""

    def __init__(self, step: tf.Tensor, loss: tf.Tensor, run: Run) -> None:
        super().__init__(step, loss=loss)
        self._run = run
        _, done = self._epochs_and_images(run.steps_done)
        self._bar = bar(run.num_epochs * run.slices, done)

    def __enter__(self) -> 'TrainingBar':
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        """Moves the bar on."""
        super().after_run(run_context, run_values)
        epochs, images = self._epochs_and_images(self.steps)
        epoch = min(epochs + 1, self._run.num_epochs)
        self._bar.set_description_str(f'Epoch {epoch}/{self._run.num_epochs}', refresh=False)
        self._bar.set_postfix_str(f'step {self.steps}, loss {run_values.results["loss"]:.3f}', refresh=False)
        self._bar.update(images - self._bar.n)

    def _epochs_and_images(self, steps: int) -> Tuple[int, int]:
        """How many epochs are complete after so many steps, and how many images have been seen in all."""
        epochs, more = divmod(steps, self._run.steps_per_epoch)
        return epochs, epochs * self._run.slices + more * self._run.batch_size
