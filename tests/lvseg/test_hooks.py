from lvseg.hooks import StepHook, step_made

import pytest
import tensorflow.compat.v1 as tf


@pytest.fixture
def train_op(graph):
    """Makes a step and takes no time for it."""
    return tf.assign_add(tf.train.get_or_create_global_step(), 1).op


def test_the_step_returned_is_the_one_that_has_been_made(train_op):
    step = step_made(train_op)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert [session.run(step) for _ in range(3)] == [1, 2, 3]


def test_a_hook_knows_of_steps_that_others_made(train_op):
    """Two steps are made past the hook, as by another process of the same training."""
    step = step_made(train_op)
    hook = StepHook(step)
    with tf.train.MonitoredSession(hooks=[hook]) as session:
        session.run(step)
        assert hook.steps == 1
        session.run_step_fn(lambda step_context: [step_context.session.run(train_op) for _ in range(2)])
        session.run(step)
        assert hook.steps == 4


def test_a_hook_begins_where_the_session_does(train_op):
    hook = StepHook(step_made(train_op))
    creator = tf.train.ChiefSessionCreator(
        tf.train.Scaffold(init_op=tf.group(tf.assign(tf.train.get_global_step(), 7), name='begin'))
    )
    with tf.train.MonitoredSession(creator, hooks=[hook]):
        assert hook.steps == 7
