"""--eval_every: precision and Dice of the validation slices while training goes on, and the best checkpoint kept."""

import contextlib
import io
import os
from typing import Callable, Dict

from lvseg import checkpoints, device, evaluation, events, inputs, metrics, progress, reports, runs, summaries
from lvseg.hooks import StepHook
from lvseg.runs import Run

import numpy as np
import tensorflow.compat.v1 as tf

# In the directory of the training run.
EVENTS_DIR = 'validation'
BEST_DIR = 'best'

_BEST_DICE = 'best_dice'


class Validation(StepHook):
    """Evaluates every --eval_every epochs, in a graph and a session of its own: training stays as it is without.

    The curves go to the sub-directory `validation`, a run of its own for TensorBoard, under the tags of training.
    The weights with the highest Dice are kept in the sub-directory `best`, from which runEval.py can restore them, and
    beside them their figures in metrics.json.
    """

    def __init__(self, step: tf.Tensor, inference: Callable[..., tf.Tensor], run: Run) -> None:
        super().__init__(step)
        self._run = run
        self._best_dir = os.path.join(run.checkpoint_dir, BEST_DIR)
        with tf.Graph().as_default() as self._graph, contextlib.redirect_stdout(io.StringIO()):  # DEBUG lines once.
            images, labels = inputs.evaluation_batches(run.data_dir, 'eval', batch_size=1)
            self._areas = metrics.areas(inference(images, training=False), labels)
            tf.train.get_or_create_global_step()
            self._variables = {variable.op.name: variable for variable in tf.global_variables()}
            # Saved with the weights, so that a resumed run knows how good they are.
            self._best_dice = tf.get_variable(_BEST_DICE, [], trainable=False)
            self._saver = tf.train.Saver(max_to_keep=1)

    def begin(self) -> None:
        """Finds the variables of the training that the validation graph has too."""
        self._trained = [variable for variable in tf.global_variables() if variable.op.name in self._variables]

    def after_create_session(self, session: tf.Session, coord: tf.train.Coordinator) -> None:
        """Goes on where a resumed run was."""
        super().after_create_session(session, coord)
        self._events = events.EventFile(os.path.join(self._run.checkpoint_dir, EVENTS_DIR))
        # Tells TensorBoard to forget what a killed run wrote after the checkpoint that this one goes on from.
        self._events.add_session_log(tf.SessionLog(status=tf.SessionLog.START), self.steps + 1)
        self._best = self._load_best()

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        """Evaluates, if the epochs asked for are complete."""
        super().after_run(run_context, run_values)
        if self.steps % (self._run.eval_every * self._run.steps_per_epoch):
            return
        weights = self._weights(run_context.session)
        if all(np.isfinite(value).all() for value in weights.values()):  # Else the training is about to end on that.
            self._evaluate(weights)

    def end(self, session: tf.Session) -> None:
        """Closes the curves."""
        self._events.close()

    def _weights(self, session: tf.Session) -> Dict[str, np.ndarray]:
        return session.run({variable.op.name: variable for variable in self._trained})

    def _evaluate(self, weights: Dict[str, np.ndarray]) -> None:
        with self._graph.as_default(), tf.Session(config=device.session_config()) as session:
            checkpoints.assign(session, weights)
            areas = metrics.joined(evaluation.results(session, self._areas, self._run.data_dir, 'eval'))
            figures = summaries.figures(metrics.pooled(areas))
            self._events.add_summary(summaries.scalars(**figures), self.steps)
            better = figures[summaries.DICE] > self._best
            if better:
                self._keep(session, figures, len(areas.total))

        progress.say(
            f'OUTPUT: Epoch {self.steps // self._run.steps_per_epoch}: precision = {figures[summaries.PRECISION]:.3f}, '
            f'Dice = {figures[summaries.DICE]:.3f} on {len(areas.total)} validation slices'
            + (f'; the best so far, kept in {self._best_dir}' if better else '')
        )

    def _keep(self, session: tf.Session, figures: Dict[str, float], slices: int) -> None:
        runs.follow(self._best_dir, self._run.checkpoint_dir)
        self._best = figures[summaries.DICE]
        self._best_dice.load(self._best, session)
        checkpoints.save(session, self._saver, self._best_dir, self.steps)
        found = {'step': self.steps, 'epoch': self.steps // self._run.steps_per_epoch, 'images': slices, **figures}
        runs.save_json(os.path.join(self._best_dir, reports.METRICS_FILE), found)

    def _load_best(self) -> float:
        checkpoint = checkpoints.newest(self._best_dir)
        if checkpoint is None:
            return -1
        checkpoints.remember(self._saver, [checkpoint])  # To be removed when there is a better one.
        return checkpoints.saved_number(checkpoint, _BEST_DICE)
