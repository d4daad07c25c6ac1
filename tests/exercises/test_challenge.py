"""The challenge's solution: networks, losses, schedules."""

import math
from argparse import Namespace

from lvseg import flags

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from experiments.recipe import RECIPE
from tests.exercises.sessions import evaluated

NETWORKS = ['fcn', 'alexnet', 'unet', 'anywhere']


@pytest.fixture(scope='module')
def nn(load, root):
    return load(root / 'exercise_solutions' / 'challenge' / 'neuralnetwork.py')


def trainable():
    return sum(variable.shape.num_elements() for variable in tf.trainable_variables())


# The networks. A convolution of k x k, c channels in and f out, has k*k*c*f weights; its normalisation has 2*f.


@pytest.mark.parametrize('batch', [1, None])
@pytest.mark.parametrize('network', NETWORKS)
def test_every_network_scores_two_classes_for_each_pixel(network, batch, nn, graph):
    logits = nn.inference(tf.placeholder(tf.float32, [batch, 256, 256]), training=True, network=network)
    assert logits.shape.as_list() == [batch, 256, 256, 2]


def test_the_fcn_has_the_labs_layers(nn, graph):
    nn.inference(tf.placeholder(tf.float32, [1, 256, 256]), training=True, network='fcn')
    # The lab's 1,856,944; 2 biases of the scores; normalisation of 100 + 200 + 300 + 300 channels.
    assert trainable() == 1856944 + 2 + 2 * 900


def test_alexnet_has_its_five_convolutions_and_its_classifier_as_convolutions(nn, graph):
    nn.inference(tf.placeholder(tf.float32, [1, 256, 256]), training=True, network='alexnet')
    convolutions = 11 * 11 * 1 * 96 + 5 * 5 * 96 * 256 + 3 * 3 * 256 * 384 + 3 * 3 * 384 * 384 + 3 * 3 * 384 * 256
    classifier = 256 * 4096 + 4096 * 4096 + (4096 * 2 + 2)
    normalisation = 2 * (96 + 256 + 384 + 384 + 256 + 4096 + 4096)
    upsampling = 63 * 63 * 2 * 2
    assert trainable() == convolutions + classifier + normalisation + upsampling


def test_the_unet_has_about_two_million_weights(nn, graph):
    nn.inference(tf.placeholder(tf.float32, [1, 256, 256]), training=True, network='unet')
    down = 5 * 5 * 16 + 9 * (16 * 32 + 32 * 32 + 32 * 64 + 64 * 64 + 64 * 128 + 128 * 128 + 128 * 256 + 256 * 256)
    enlarged = 4 * (256 * 128 + 128 * 64 + 64 * 32 + 32 * 16)
    up = 9 * (256 * 128 + 128 * 128 + 128 * 64 + 64 * 64 + 64 * 32 + 32 * 32 + 32 * 16)
    normalisation = 2 * (16 + 2 * (32 + 64 + 128 + 256 + 128 + 64 + 32) + 16)
    scores = 16 * 2 + 2 + 3 * 3 * 2 * 2  # and their upsampling
    assert trainable() == down + enlarged + up + normalisation + scores


def test_around_the_centre_the_unet_is_sure_of_the_background(nn, graph):
    images = tf.constant(np.random.RandomState(1).uniform(size=[1, 256, 256]).astype(np.float32))
    (logits,) = evaluated(nn.inference(images, training=True, network='unet'))
    around = np.ones([256, 256], bool)
    around[64:192, 64:192] = False  # The centre is 128 x 128.
    odds = np.exp(logits[0, around, 0] - logits[0, around, 1])
    assert odds == pytest.approx(np.full(256 * 256 - 128 * 128, math.exp(10)), rel=1e-5)


@pytest.mark.parametrize('network', NETWORKS)
def test_normalisation_is_by_the_batch_in_training_and_by_what_was_seen_in_evaluation(network, nn, graph, monkeypatch):
    """The first slice of a batch, beside a slice like it and beside a bright one."""
    monkeypatch.setattr(nn.alexnet, 'DROPOUT_RATE', 0.0)  # It would make a difference, too.
    tf.set_random_seed(1)
    dark, bright = (np.random.RandomState(seed).uniform(0, seed, [256, 256]).astype(np.float32) for seed in (1, 9))
    batch = tf.placeholder(tf.float32, [2, 256, 256])
    with tf.variable_scope('network'):
        training = nn.inference(batch, training=True, network=network)[0]
    with tf.variable_scope('network', reuse=True):
        evaluation = nn.inference(batch, training=False, network=network)[0]

    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        alone, beside = ({batch: [dark, other]} for other in (dark, bright))
        assert np.array_equal(session.run(evaluation, alone), session.run(evaluation, beside))
        assert not np.allclose(session.run(training, alone), session.run(training, beside), atol=1e-3)
        assert not np.allclose(session.run(training, alone), session.run(evaluation, alone), atol=1e-3)


def test_a_training_step_takes_note_of_mean_and_variance_for_the_evaluation(nn, graph):
    images = tf.constant(np.random.RandomState(1).uniform(size=[2, 256, 256]).astype(np.float32))
    loss = tf.reduce_mean(nn.inference(images, training=True, network='unet') ** 2)
    args = Namespace(optimizer='sgd', schedule='staircase', learning_rate=0.1, decay_steps=1, decay_rate=1.0)
    train_op = nn.training(loss, args, steps=1)
    (seen,) = [value for value in tf.global_variables() if value.op.name == 'down0/norm/moving_variance']
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        before = session.run(seen)
        session.run(train_op)
        assert not np.allclose(session.run(seen), before)
        assert session.run(tf.train.get_global_step()) == 1


def test_the_learned_upsampling_starts_as_bilinear_interpolation(load, root, graph):
    layers = load(root / 'exercise_solutions' / 'challenge' / 'layers.py')
    # A single 1 becomes a pyramid: 1/2 beside it, 1/4 diagonally.
    spot = np.zeros([1, 3, 3, 1], np.float32)
    spot[0, 1, 1, 0] = 1
    (found,) = evaluated(layers.upsampling(tf.constant(spot), factor=2, name='up'))
    row, column = np.argwhere(found[0, :, :, 0] == 1)[0]
    around = found[0, row - 1 : row + 2, column - 1 : column + 2, 0]
    assert np.array_equal(around, [[0.25, 0.5, 0.25], [0.5, 1, 0.5], [0.25, 0.5, 0.25]])
    assert found.sum() == 4  # and 0 elsewhere


def test_what_is_trained_on_turned_slices_is_evaluated_on_turned_slices_in_evaluation_alone(nn, graph):
    """Scores of an image and of that image turned are then the same, but turned."""
    image = np.random.RandomState(1).uniform(size=[1, 256, 256]).astype(np.float32)
    images = tf.constant(np.concatenate([image, np.rot90(image, axes=(1, 2))]))
    kinds = [(False, True), (False, False), (True, True), (True, False)]  # (training, augment)
    made = {}
    for training, augment in kinds:
        with tf.variable_scope('network', reuse=tf.AUTO_REUSE):
            made[training, augment] = nn.inference(images, training, 'unet', augment=augment)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        found = {kind: session.run(scores) for kind, scores in made.items()}
    as_it_is, turned = found[False, True]
    assert np.allclose(np.rot90(as_it_is), turned, atol=1e-4)
    as_it_is, turned = found[False, False]
    assert not np.allclose(np.rot90(as_it_is), turned, atol=1e-2)
    assert np.array_equal(found[True, True], found[True, False])


# Intensities


def test_per_image_normalisation_takes_gain_and_offset_away(nn, graph):
    image = np.random.RandomState(1).uniform(size=[256, 256]).astype(np.float32)
    plain, changed, black = nn.per_image(tf.constant(np.stack([image, 3 * image + 5, 0 * image]))).eval(
        session=tf.Session()
    )
    assert plain.mean() == pytest.approx(0, abs=1e-4) and plain.std() == pytest.approx(1, abs=1e-4)
    assert np.allclose(plain, changed, atol=1e-4)
    assert np.array_equal(black, np.zeros([256, 256]))


# Losses. Logits of 0 make the probability 1/2; logits of (0, 50) or (0, -50) make it 1 or 0.


def scores_of(probabilities):
    left_ventricle = {0.5: 0, 1: 50, 0: -50}
    scores = np.zeros([*np.shape(probabilities), 2], np.float32)
    scores[..., 1] = np.vectorize(left_ventricle.get)(probabilities)
    return tf.constant(scores)


LABELS = np.array([[[1, 1], [0, 0]], [[1, 0], [0, 0]]], np.uint8)


@pytest.mark.parametrize(
    ('probabilities', 'expected'),
    [
        (LABELS.astype(float), 0),
        # First slice: 1 - (2 * 0.5 * 2 + 1) / (0.5 * 4 + 2 + 1) = 2/5; second: 1 - (2 * 0.5 + 1) / (2 + 1 + 1) = 1/2.
        (np.full([2, 2, 2], 0.5), (2 / 5 + 1 / 2) / 2),
        # Nothing found: 1 - 1 / (0 + 2 + 1) = 2/3; 1 - 1 / (0 + 1 + 1) = 1/2.
        (np.zeros([2, 2, 2]), (2 / 3 + 1 / 2) / 2),
    ],
    ids=['all right', 'half sure of everything', 'nothing found'],
)
def test_the_dice_loss_is_one_minus_dice_with_probabilities(probabilities, expected, nn, graph):
    (found,) = evaluated(nn.loss(scores_of(probabilities), tf.constant(LABELS), 'dice'))
    assert found == pytest.approx(expected, abs=1e-6)


def test_cross_entropy_of_a_network_that_knows_nothing_is_ln_2(nn, graph):
    (found,) = evaluated(nn.loss(scores_of(np.full([2, 2, 2], 0.5)), tf.constant(LABELS), 'cross_entropy'))
    assert found == pytest.approx(math.log(2))


def test_both_is_the_sum(nn, graph):
    (found,) = evaluated(nn.loss(scores_of(np.full([2, 2, 2], 0.5)), tf.constant(LABELS), 'both'))
    assert found == pytest.approx(math.log(2) + (2 / 5 + 1 / 2) / 2)


# Schedules


def test_the_warmup_rises_over_a_twentieth_of_the_run_and_falls_to_nothing_at_its_end(nn, graph):
    step = tf.placeholder(tf.int64, [])
    rate = nn.SCHEDULES['warmup'](Namespace(learning_rate=0.1), step, 1000)
    with tf.Session() as session:
        first, middle, half, last = (session.run(rate, {step: value}) for value in (0, 24, 500, 999))
    assert first == pytest.approx(0.1 * 1 / 50)  # The first of 1000 / 20 = 50 steps up.
    assert middle == pytest.approx(0.1 * 25 / 50, rel=0.01)
    assert half == pytest.approx(0.1 / 2)  # (1 + cos(pi / 2)) / 2
    assert 0 < last < 1e-6


def test_the_staircase_is_the_labs(nn, graph):
    step = tf.placeholder(tf.int64, [])
    args = Namespace(learning_rate=0.1, decay_steps=10, decay_rate=0.5)
    rate = nn.SCHEDULES['staircase'](args, step, 1000)
    with tf.Session() as session:
        assert [session.run(rate, {step: value}) for value in (0, 9, 10, 25)] == pytest.approx([0.1, 0.1, 0.05, 0.025])


@pytest.mark.parametrize(
    ('optimizer', 'first', 'second'),
    [
        ('sgd', 0.1, 0.2),
        # Momentum m = 1, then 1.9; Nesterov's step is rate * (gradient + 0.9 m): 0.19, and 0.1 * (1 + 1.71) = 0.271.
        ('momentum', 0.19, 0.461),
        ('adam', 0.1, 0.2),  # The gradient by its own size: so far always 1.
    ],
)
def test_the_optimizers_make_their_steps(optimizer, first, second, nn, graph):
    weight = tf.get_variable('weight', [], initializer=tf.zeros_initializer())
    args = Namespace(optimizer=optimizer, schedule='staircase', learning_rate=0.1, decay_steps=1, decay_rate=1.0)
    train_op = nn.training(-weight, args, steps=2)  # Its gradient is -1 everywhere.
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        found = []
        for _ in range(2):
            session.run(train_op)
            found.append(session.run(weight))
    assert found == pytest.approx([first, second], rel=1e-4)


def test_the_recipe_is_made_of_the_programs_flags(nn, root):
    recipe = RECIPE
    args = flags.training('challenge', nn.FLAGS).parse_args(recipe)
    assert (args.network, args.augment) == ('unet', True)
