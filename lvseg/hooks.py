"""What hooks around a training session have in common."""

import tensorflow.compat.v1 as tf


class CountingHook(tf.train.SessionRunHook):
    """Knows how many steps have been made. (Fetched beside the train op, the global step may be the old or the new.)"""

    step = 0

    def after_create_session(self, session: tf.Session, coord: tf.train.Coordinator) -> None:
        """Starts from where the session does."""
        self.step = int(session.run(tf.train.get_global_step()))

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        """Counts the step."""
        self.step += 1
