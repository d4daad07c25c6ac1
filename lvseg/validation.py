"""--eval_every: precision and Dice of the validation slices while training goes on, and the best checkpoint kept."""

import contextlib
import io
import os
from argparse import Namespace
from typing import Callable, Dict

from lvseg import checkpoints, device, evaluation, inputs, metrics, progress, runs, summaries
from lvseg.hooks import CountingHook

import numpy as np
import tensorflow.compat.v1 as tf

# In the directory of the training run.
EVENTS_DIR = 'validation'
BEST_DIR = 'best'

_BEST_DICE = 'best_dice'


class Validation(CountingHook):
    """Evaluates every --eval_every epochs, in a graph and a session of its own: training stays as it is without.

    The curves go to the sub-directory `validation`, a run of its own for TensorBoard, under the tags of training.
    The weights with the highest Dice are kept in the sub-directory `best`, from which runEval.py can restore them.
    """

    def __init__(self, inference: Callable[..., tf.Tensor], args: Namespace) -> None:
        self._run_dir = args.checkpoint_dir
        self._best_dir = os.path.join(args.checkpoint_dir, BEST_DIR)
        self._epoch_steps = inputs.steps_per_epoch(args.slices, args.batch_size)
        self._every = args.eval_every * self._epoch_steps
        self._slices = Namespace(data_dir=args.data_dir, eval_data='eval', batch_size=1)
        with tf.Graph().as_default() as self._graph, contextlib.redirect_stdout(io.StringIO()):  # DEBUG lines once.
            images, labels = inputs.evaluation_batches(self._slices)
            self._areas = metrics.areas(inference(images, training=False), labels)
            tf.train.get_or_create_global_step()
            self._variables = {variable.op.name: variable for variable in tf.global_variables()}
            # Saved with the weights, so that a resumed run knows how good they are.
            self._best_dice = tf.get_variable(_BEST_DICE, [], trainable=False)
            self._saver = tf.train.Saver(max_to_keep=1, save_relative_paths=True)

    def after_create_session(self, session: tf.Session, coord: tf.train.Coordinator) -> None:
        """Goes on where a resumed run was."""
        super().after_create_session(session, coord)
        self._events = summaries.event_file(os.path.join(self._run_dir, EVENTS_DIR))
        # Tells TensorBoard to forget what a killed run wrote after the checkpoint that this one goes on from.
        self._events.add_session_log(tf.SessionLog(status=tf.SessionLog.START), self.step + 1)
        self._best = self._load_best()

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        """Evaluates, if the epochs asked for are complete."""
        super().after_run(run_context, run_values)
        if self.step % self._every:
            return
        weights = self._weights(run_context.session)
        if all(np.isfinite(value).all() for value in weights.values()):  # Else the training is about to end on that.
            self._evaluate(weights)

    def end(self, session: tf.Session) -> None:
        """Closes the curves."""
        self._events.close()

    def _weights(self, session: tf.Session) -> Dict[str, np.ndarray]:
        """The variables of the training that the validation graph has too."""
        return session.run({name: session.graph.get_tensor_by_name(f'{name}:0') for name in self._variables})

    def _evaluate(self, weights: Dict[str, np.ndarray]) -> None:
        with self._graph.as_default(), tf.Session(config=device.session_config()) as session:
            for name, value in weights.items():
                self._variables[name].load(value, session)
            areas = metrics.joined(evaluation.results(session, self._areas, self._slices))
            figures = summaries.figures(metrics.pooled(areas))
            self._events.add_summary(summaries.scalars(**figures), self.step)
            self._events.flush()
            better = figures[summaries.DICE] > self._best
            if better:
                self._keep(session, figures[summaries.DICE])

        progress.say(
            f'OUTPUT: Epoch {self.step // self._epoch_steps}: precision = {figures[summaries.PRECISION]:.3f}, '
            f'Dice = {figures[summaries.DICE]:.3f} on {len(areas.total)} validation slices'
            + (f'; the best so far, kept in {self._best_dir}' if better else '')
        )

    def _keep(self, session: tf.Session, dice: float) -> None:
        runs.follow(self._best_dir, self._run_dir)
        self._best_dice.load(dice, session)
        checkpoints.save(session, self._saver, self._best_dir, self.step)
        self._best = dice

    def _load_best(self) -> float:
        checkpoint = checkpoints.newest(self._best_dir)
        if checkpoint is None:
            return -1
        self._saver.recover_last_checkpoints([checkpoint])  # To be removed when there is a better one.
        with checkpoints.explaining_damage(checkpoint):
            return float(tf.train.load_variable(checkpoint, _BEST_DICE))
