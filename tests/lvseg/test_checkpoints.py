import os

from lvseg import checkpoints

import numpy as np
import tensorflow.compat.v1 as tf


def network(with_optimizer=True):
    """A variable, what batch normalisation has seen, and an optimizer that keeps two more values of each weight."""
    inputs = tf.placeholder(tf.float32, [None, 3])
    kernel = tf.get_variable('layer/kernel', [3, 2])
    outputs = tf.layers.batch_normalization(inputs @ kernel, training=True, name='norm')
    if with_optimizer:
        step = tf.train.get_or_create_global_step()
        tf.train.AdamOptimizer(0.1).minimize(tf.reduce_sum(outputs**2), step)


OF_THE_NETWORK = {'layer/kernel', 'norm/gamma', 'norm/beta', 'norm/moving_mean', 'norm/moving_variance'}


def saved(directory):
    with tf.Graph().as_default(), tf.Session() as session:
        network()
        session.run(tf.global_variables_initializer())
        checkpoints.save(session, tf.train.Saver(), str(directory), 7)
        return {variable.op.name: session.run(variable) for variable in tf.global_variables()}


def test_of_another_run_weights_and_what_normalisation_has_seen_are_taken_and_nothing_of_the_optimizer(graph, tmp_path):
    values = saved(tmp_path)
    assert len(values) > len(OF_THE_NETWORK) + 2  # Slots, their powers and the step.
    network()
    fitting, missing = checkpoints.fitting_weights(str(tmp_path))
    assert set(fitting) == OF_THE_NETWORK and missing == []
    for name, value in fitting.items():
        np.testing.assert_array_equal(value, values[name], name)


def test_values_are_given_to_the_variables_of_their_names_and_the_others_stay(graph):
    network(with_optimizer=False)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        before = {variable.op.name: session.run(variable) for variable in tf.global_variables()}
        given = {'layer/kernel': np.full([3, 2], 5.0), 'norm/beta': np.array([1.0, 2.0])}
        checkpoints.assign(session, {**given, 'not/there': np.zeros(1)})
        after = {variable.op.name: session.run(variable) for variable in tf.global_variables()}
    for name, value in {**before, **given}.items():
        np.testing.assert_array_equal(after[name], value, name)


def test_a_run_can_be_moved_as_a_whole(tmp_path):
    saved(tmp_path / 'here')
    os.rename(str(tmp_path / 'here'), str(tmp_path / 'there'))
    assert checkpoints.newest(str(tmp_path / 'there')) == str(tmp_path / 'there' / 'model.ckpt-7')


def test_the_note_of_a_run_in_the_current_directory_is_relative_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved('logs')
    assert checkpoints.newest('logs') == 'logs/model.ckpt-7'
    assert str(tmp_path) not in (tmp_path / 'logs' / 'checkpoint').read_text()
