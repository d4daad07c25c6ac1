import inspect
import math
import re

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

EXERCISES = ['simple', 'cnn', 'cnnDice']
CONVOLUTIONAL = ['cnn', 'cnnDice']

CONVOLUTIONAL_WEIGHTS = {
    'conv1/kernel': [5, 5, 1, 100],
    'conv2/kernel': [5, 5, 100, 200],
    'conv3/kernel': [3, 3, 200, 300],
    'conv4/kernel': [3, 3, 300, 300],
    'score_classes/kernel': [1, 1, 300, 2],
    'upscore/kernel': [31, 31, 2, 2],
}
# 5*5*1*100 + 5*5*100*200 + 3*3*200*300 + 3*3*300*300 + 1*1*300*2 + 31*31*2*2
#    2,500  +   500,000   +   540,000   +   810,000   +    600    +  3,844
CONVOLUTIONAL_TOTAL = 1856944


@pytest.fixture
def network(load, root):
    """Loads the neuralnetwork.py of an exercise's solution."""
    return lambda exercise: load(root / 'exercise_solutions' / exercise / 'neuralnetwork.py')


def images_of(batch):
    return tf.placeholder(tf.float32, [batch, 256, 256])


def weights():
    return {variable.op.name: variable.shape.as_list() for variable in tf.global_variables()}


# The layers.


@pytest.mark.parametrize('batch', [1, None])
def test_simple_has_two_fully_connected_layers(batch, network, graph):
    logits = network('simple').inference(images_of(batch), training=True)
    assert weights() == {'Hidden1/W_fc': [65536, 512], 'Final/W_fc2': [512, 131072]}
    assert logits.shape.as_list() == [batch, 256, 256, 2]


def test_simple_multiplies_the_pixels_by_its_two_matrices_and_does_nothing_else(load, copy_exercise, graph):
    """Two hidden units: the first takes -2 times pixel 0, the second pixel 65535; nothing is added, nothing
    cut off.
    """
    simple = load(copy_exercise('simple', hidden_units=2) / 'neuralnetwork.py')
    images = images_of(1)
    logits = simple.inference(images, training=True)
    hidden, final = np.zeros((65536, 2), np.float32), np.zeros((2, 131072), np.float32)
    hidden[0, 0], hidden[65535, 1] = -2, 1
    final[0, 3] = 10  # Class 1 of pixel 1.
    final[1, 131070] = -1  # Class 0 of the last pixel.

    image = np.zeros((1, 256, 256), np.float32)
    image[0, 0, 0], image[0, 255, 255] = 3, 5
    with tf.Session() as session:
        for variable, value in zip(tf.global_variables(), (hidden, final)):
            variable.load(value, session)
        scores = session.run(logits, {images: image})
    assert scores[0, 0, 1].tolist() == [0, -2 * 3 * 10]
    assert scores[0, 255, 255].tolist() == [-5, 0]
    assert np.count_nonzero(scores) == 2


@pytest.mark.parametrize('exercise', CONVOLUTIONAL)
def test_the_convolutional_network_has_these_weights_and_no_bias(exercise, network, graph):
    network(exercise).inference(images_of(1), training=True)
    assert weights() == CONVOLUTIONAL_WEIGHTS
    assert sum(np.prod(shape) for shape in weights().values()) == CONVOLUTIONAL_TOTAL


@pytest.mark.parametrize('exercise', CONVOLUTIONAL)
@pytest.mark.parametrize('batch', [1, None])
def test_the_convolutional_layers_have_these_sizes(exercise, batch, network, graph, capsys):
    logits = network(exercise).inference(images_of(batch), training=True)
    sizes = re.findall(r'DEBUG (\S.*) shape \(\S+, (\d+, \d+, \d+)\)', capsys.readouterr().out)
    assert sizes == [
        ('conv1', '128, 128, 100'),
        ('pool 1', '64, 64, 100'),
        ('conv2', '32, 32, 200'),
        ('pool 2', '16, 16, 200'),
        ('conv3', '16, 16, 300'),
        ('conv4', '16, 16, 300'),
        ('drop', '16, 16, 300'),
        ('score_classes', '16, 16, 2'),
        ('upscore', '256, 256, 2'),
    ]
    assert logits.dtype == tf.float32


@pytest.mark.parametrize('exercise', CONVOLUTIONAL)
def test_relu_stands_after_conv1_to_conv4_only(exercise, network, graph):
    network(exercise).inference(images_of(1), training=True)
    activations = {op.name.split('/')[0] for op in graph.get_operations() if op.type == 'Relu'}
    assert activations == {'conv1', 'conv2', 'conv3', 'conv4'}
    others = {'Sigmoid', 'Tanh', 'Elu', 'Selu', 'Relu6', 'LeakyRelu', 'BiasAdd'}
    assert not others & {op.type for op in graph.get_operations()}


@pytest.mark.parametrize('exercise', EXERCISES)
def test_weights_begin_as_a_normal_distribution_cut_off_at_two_deviations_of_a_tenth(
    exercise, load, copy_exercise, graph
):
    """Cut off at two deviations, a normal distribution has 0.88 of its own deviation."""
    load(copy_exercise(exercise) / 'neuralnetwork.py').inference(images_of(1), training=True)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for values in session.run(tf.global_variables()):
            assert np.abs(values).max() <= 0.2
            assert np.std(values) == pytest.approx(0.088, rel=0.15)


# Dropout.


def dropped_share(network, rate, training):
    """The share of conv4's outputs that dropout sets to zero, of those that were none."""
    network.DROPOUT_RATE = rate
    images = images_of(1)
    network.inference(images, training=training)
    drop = tf.get_default_graph().get_tensor_by_name('score_classes/Conv2D:0').op.inputs[0]
    relu = tf.get_default_graph().get_tensor_by_name('conv4/Relu:0')
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        before, after = session.run([relu, drop], {images: np.random.RandomState(0).rand(1, 256, 256)})
    positive = before > 0
    return 1 - np.count_nonzero(after[positive]) / np.count_nonzero(positive)


@pytest.mark.parametrize('exercise', CONVOLUTIONAL)
def test_dropout_drops_its_share_in_training(exercise, network, graph):
    assert dropped_share(network(exercise), rate=0.5, training=True) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize('exercise', CONVOLUTIONAL)
def test_dropout_drops_nothing_in_evaluation(exercise, network, graph):
    assert dropped_share(network(exercise), rate=0.5, training=False) == 0


@pytest.mark.parametrize('exercise', CONVOLUTIONAL)
def test_dropout_is_off_unless_a_student_turns_it_on(exercise, network):
    assert network(exercise).DROPOUT_RATE == 0


# The same in all exercises.


def text(function):
    """A function's text without what differs on purpose: the marks of blanks, and lines that only print."""
    lines = inspect.getsource(function).replace('  # blank', '').splitlines()
    return [line for line in lines if 'print_tensor_shape' not in line]


@pytest.mark.parametrize('function', ['loss', 'training'])
def test_loss_and_training_are_the_same_text_in_all_exercises(function, network):
    simple, cnn, cnn_dice = (text(getattr(network(exercise), function)) for exercise in EXERCISES)
    assert simple == cnn == cnn_dice


def test_cnn_and_cnn_dice_hold_the_same_network(network):
    cnn, cnn_dice = (text(network(exercise).inference) for exercise in CONVOLUTIONAL)
    assert cnn == cnn_dice


def test_simple_and_cnn_evaluate_by_the_same_text(network):
    simple, cnn = (text(network(exercise).evaluation) for exercise in ('simple', 'cnn'))
    assert simple == cnn


# Loss, training and evaluation, worked out by hand.


@pytest.mark.parametrize('exercise', EXERCISES)
def test_the_loss_is_the_mean_cross_entropy_over_all_pixels(exercise, network, graph):
    """Scores 0 and ln 3 are probabilities 1/4 and 3/4; equal scores are 1/2 each."""
    third = math.log(3)
    logits = tf.constant([[[[0, third], [0, third]], [[5, 5], [0, 0]]]], tf.float32)
    labels = tf.constant([[[1, 0], [1, 0]]], tf.uint8)
    loss = network(exercise).loss(logits, labels)
    expected = -(math.log(3 / 4) + math.log(1 / 4) + 2 * math.log(1 / 2)) / 4
    with tf.Session() as session:
        assert session.run(loss) == pytest.approx(expected)


@pytest.mark.parametrize('exercise', EXERCISES)
def test_training_is_plain_gradient_descent_with_a_staircase_of_rates(exercise, network, graph):
    """The loss is w, its gradient 1: each step takes the rate from w. Rate 1, halved every 2 steps: 1 1 .5 .5 .25"""
    w = tf.get_variable('w', initializer=0.0)
    train_op = network(exercise).training(tf.identity(w), learning_rate=1.0, decay_steps=2, decay_rate=0.5)
    found = []
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(5):
            session.run(train_op)
            found.append(float(session.run(w)))
        steps = session.run(tf.train.get_global_step())
    assert found == [-1, -2, -2.5, -3, -3.25]
    assert steps == 5


@pytest.mark.parametrize('exercise', EXERCISES)
def test_with_a_decay_of_1_the_rate_stays(exercise, network, graph):
    w = tf.get_variable('w', initializer=0.0)
    train_op = network(exercise).training(tf.identity(w), learning_rate=0.25, decay_steps=1, decay_rate=1.0)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(4):
            session.run(train_op)
        assert session.run(w) == -1


# Two slices of 2 x 2 pixels:
#   labelled   predicted
#   1 1        1 0         rightly: 1 + 0 + 1 + 1 = 3
#   0 0        0 0
#
#   0 1        1 1         rightly: 0 + 1 + 1 + 0 = 2
#   0 0        0 1
LABELS = np.array([[[1, 1], [0, 0]], [[0, 1], [0, 0]]], np.uint8)
PREDICTED = np.array([[[1, 0], [0, 0]], [[1, 1], [0, 1]]])
LOGITS = np.stack([np.full(PREDICTED.shape, 0.5), np.where(PREDICTED == 1, 2.0, -1.0)], axis=-1).astype(np.float32)


@pytest.mark.parametrize('exercise', ['simple', 'cnn'])
def test_evaluation_counts_the_pixels_classified_rightly(exercise, network, graph):
    correct = network(exercise).evaluation(tf.constant(LOGITS), tf.constant(LABELS))
    with tf.Session() as session:
        assert session.run(correct) == 3 + 2


def test_evaluation_of_cnn_dice_measures_the_areas(network, graph):
    """Of both slices: they overlap in 1 + 1 pixels, 2 + 1 are labelled, 1 + 3 are predicted."""
    areas = network('cnnDice').evaluation(tf.constant(LOGITS), tf.constant(LABELS))
    with tf.Session() as session:
        assert session.run(areas) == (1 + 1, 2 + 1, 1 + 3)


@pytest.mark.parametrize('exercise', ['simple', 'cnn'])
def test_precision_is_printed_as_the_share_of_pixels(exercise, load, root):
    run_eval = load(root / 'exercise_solutions' / exercise / 'runEval.py')
    assert run_eval.precision(8, 5) == 'precision = 0.625'


def test_dice_is_printed_as_twice_the_overlap_over_both_areas(load, root):
    """2 * 2 / (3 + 4) = 0.5714"""
    run_eval = load(root / 'exercise_solutions' / 'cnnDice' / 'runEval.py')
    assert run_eval.dice(8, 2, 3, 4) == 'Dice metric = 0.571'
