"""A trained network as a function from images to probabilities, whichever exercise it was trained by."""

from typing import Any, Callable, Dict, NamedTuple, Optional

from lvseg import checkpoints, device, metrics, networks, records, runs
from lvseg.errors import LabError

import numpy as np
import tensorflow.compat.v1 as tf


class Trained(NamedTuple):
    """A training run's newest checkpoint, ready to be asked."""

    checkpoint: str  # its path
    step: int
    exercise: str
    run: Dict[str, Any]  # what its run.json says (lvseg.runs.load)
    probabilities: Callable[[np.ndarray], np.ndarray]  # of images, integer [batch, 256, 256]: float32, the same shape

    def mask(self, image: np.ndarray) -> np.ndarray:
        """What is left ventricle in an image, integer [256, 256]: uint8 of the same shape, 0 or 1."""
        return (self.probabilities(image[np.newaxis])[0] > 0.5).astype(np.uint8)


def load(directory: str, exercise: Optional[str] = None) -> Trained:
    """Loads the network of a training run.

    Args:
        directory: of the run.
        exercise: whose network it is, where run.json does not say so.

    Raises:
        LabError: no training run lies there, its network cannot be built, or is not the checkpoint's.
    """
    checkpoint = checkpoints.newest(directory)
    run = runs.load(directory) or {}
    exercise = exercise or run.get('exercise')
    if checkpoint is None or exercise is None:
        raise LabError(f'{directory} is no directory of a training run. Give the --checkpoint_dir of one.')
    path = networks.of_run(exercise, run)
    with tf.Graph().as_default() as graph:
        with networks.mistakes_explained(path):
            module = networks.load(path, networks.source(path))
            choices = runs.for_inference(directory, run, getattr(module, 'FLAGS', ()))
            images = networks.images()
            logits = networks.call(module, 'inference', images, training=False, **choices)
            found = metrics.probabilities(logits)
        session = tf.Session(graph=graph, config=device.session_config())
        checkpoints.restore(session, tf.train.Saver(), checkpoint, exercise)

    def probabilities(raw: np.ndarray) -> np.ndarray:
        return np.concatenate([session.run(found, {images: one[np.newaxis] / records.PIXEL_SCALE}) for one in raw])

    return Trained(checkpoint, checkpoints.step(checkpoint), exercise, run, probabilities)
