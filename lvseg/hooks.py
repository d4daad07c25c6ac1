"""What hooks around a training session have in common."""

import tensorflow.compat.v1 as tf


def step_made(train_op: tf.Operation) -> tf.Tensor:
    """Makes a training step; gives the global step to which it has led, int64 scalar.

    Fetched beside the train op, the global step may be the one before or the one after.
    """
    with tf.control_dependencies([train_op]):
        return tf.identity(tf.train.get_global_step().read_value(), name='step_made')


class StepHook(tf.train.SessionRunHook):
    """Knows how many steps have been made, by what the session returns.

    Not by counting what this process has run: where several processes train together, the others make steps as well.
    """

    steps = 0

    def __init__(self, step: tf.Tensor, **fetches: tf.Tensor) -> None:
        """Args:
        step: what `step_made` gives.
        fetches: what else is wanted of each step, to be found in `run_values.results` by name.
        """
        self._fetches = {'step': step, **fetches}

    def after_create_session(self, session: tf.Session, coord: tf.train.Coordinator) -> None:
        """Starts from where the session does."""
        self.steps = int(session.run(tf.train.get_global_step()))

    def before_run(self, run_context: tf.train.SessionRunContext) -> tf.train.SessionRunArgs:
        """Asks for the step, and what else is wanted of it."""
        return tf.train.SessionRunArgs(self._fetches)

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        """Takes note of the step."""
        self.steps = int(run_values.results['step'])
