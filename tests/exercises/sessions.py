"""A graph's values, for tests of what a student reads."""

import tensorflow.compat.v1 as tf


def evaluated(*tensors):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(tensors)
