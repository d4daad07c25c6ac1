"""The challenge's solution: networks, losses, schedules, augmentation; and the programs with them."""

import json
import math
import re
import shutil
import subprocess
import sys
from argparse import Namespace

from lvseg import flags

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from experiments.recipe import RECIPE

NETWORKS = ['fcn', 'alexnet', 'unet']


@pytest.fixture(scope='module')
def nn(load, root):
    return load(root / 'exercise_solutions' / 'challenge' / 'neuralnetwork.py')


@pytest.fixture(scope='module')
def augmentation(load, root):
    return load(root / 'exercise_solutions' / 'challenge' / 'augmentation.py')


def evaluated(*tensors):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(tensors)


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


# Augmentation


def slices(number=2):
    """Images that are 1000 in the ventricle and 0 elsewhere, so that image and label can be compared."""
    labels = np.zeros([number, 256, 256], np.uint8)
    labels[:, 90:130, 100:160] = 1
    return labels * np.float32(1000), labels


def placed(augmentation, **chosen):
    """A random image where the numbers chosen put it, by both interpolations; all other numbers leave it as it is."""
    numbers = {'mirror': 1, 'turn': 0, 'zoom': 0, 'down': 0, 'right': 0, **chosen}
    image = np.random.RandomState(1).randint(0, 99, [1, 256, 256])
    places = augmentation.places(**{name: tf.fill([1, 1, 1], float(value)) for name, value in numbers.items()})
    smooth, sharp = evaluated(
        augmentation.interpolated(tf.constant(image, tf.float32), *places),
        augmentation.nearest(tf.constant(image, tf.uint8), *places),
    )
    assert np.allclose(smooth, sharp, atol=0.05)  # Here all places are whole pixels, but for rounding.
    return image[0], sharp[0]


def test_left_alone_a_slice_stays_as_it_is(augmentation, graph):
    image, found = placed(augmentation)
    assert np.array_equal(found, image)


def test_a_slice_is_mirrored(augmentation, graph):
    image, found = placed(augmentation, mirror=-0.3)
    assert np.array_equal(found, image[:, ::-1])


def test_a_slice_is_turned_by_any_angle_here_a_quarter(augmentation, graph):
    image, found = placed(augmentation, turn=0.5)
    assert any(np.array_equal(found, np.rot90(image, turns)) for turns in (1, 3))


def test_a_slice_is_turned_by_45_degrees(augmentation, graph):
    _, labels = slices(1)
    numbers = {'mirror': 1.0, 'turn': 0.25, 'zoom': 0.0, 'down': 0.0, 'right': 0.0}
    places = augmentation.places(**{name: tf.fill([1, 1, 1], value) for name, value in numbers.items()})
    (found,) = evaluated(augmentation.nearest(tf.constant(labels), *places))
    assert found.sum() == pytest.approx(40 * 60, rel=0.05)
    _, rows, columns = np.where(found)
    for extent in (np.ptp(rows), np.ptp(columns)):  # Of a box of 40 x 60, on its corner: (40 + 60) / sqrt(2).
        assert extent == pytest.approx(100 / math.sqrt(2), abs=3)


def test_a_slice_is_shifted_and_what_comes_in_is_black(augmentation, graph):
    image, found = placed(augmentation, down=0.5, right=-1)  # 6 rows and 12 columns
    assert np.array_equal(found[:250, 12:], image[6:, :244])
    assert not found[250:].any() and not found[:, :12].any()


def test_a_slice_is_zoomed_about_its_centre(augmentation, graph):
    images, labels = slices(1)
    numbers = {'mirror': 1.0, 'turn': 0.0, 'zoom': 1.0, 'down': 0.0, 'right': 0.0}
    places = augmentation.places(**{name: tf.fill([1, 1, 1], value) for name, value in numbers.items()})
    (found,) = evaluated(augmentation.nearest(tf.constant(labels), *places))
    # 1.3 times as many pixels lie between two places: 40 x 60 pixels become 40 / 1.3 x 60 / 1.3.
    assert found.sum() == pytest.approx(40 * 60 / 1.3**2, rel=0.05)


def test_gamma_keeps_black_and_white(augmentation, graph):
    images = tf.constant([[[0, 250], [500, 1000]]], tf.float32)
    (found,) = evaluated(augmentation.with_gamma(images, tf.constant([[[-1.0]]])))
    # gamma = 1 / 1.5
    assert found.ravel() == pytest.approx([0, 1000 * 0.25 ** (2 / 3), 1000 * 0.5 ** (2 / 3), 1000], abs=0.01)


def test_image_and_label_are_changed_alike_and_the_label_stays_0_or_1(augmentation, graph):
    images, labels = slices(8)
    found_images, found_labels = evaluated(*augmentation.augment(tf.constant(images), tf.constant(labels), [1, 2]))
    assert found_labels.dtype == np.uint8 and set(np.unique(found_labels)) == {0, 1}
    assert found_images.shape == found_labels.shape == (8, 256, 256)
    for image, label in zip(found_images, found_labels):
        # At the border, of up to 2 * (40 + 60) * 1.3 = 260 pixels, grey may fall to either side; gamma moves it by less
        # than a pixel. A label moved by 2 pixels would differ in over 2 * 2 * (40 + 60) / 1.3 = 307.
        assert np.sum((image > 500) != label) < 150
    assert len({label.tobytes() for label in found_labels}) == 8, 'each slice is changed in its own way'


def test_the_seed_decides(augmentation, graph):
    images, labels = map(tf.constant, slices())
    one, same, other = (augmentation.augment(images, labels, [1, step])[0] for step in (5, 5, 6))
    one, same, other = evaluated(one, same, other)
    assert np.array_equal(one, same) and not np.array_equal(one, other)


# The programs

QUICK = ['--num_epochs', 2, '--batch_size', 2, '--seed', 1, '--network', 'fcn']  # 2 steps an epoch, of few_slices.


class Program:
    """The challenge's programs, run in a process of their own or in the test's."""

    def __init__(self, run, root, data, package='exercise_solutions'):
        self._run, self._folder, self._data = run, root / package / 'challenge', ['--data_dir', data]

    def train(self, run_dir, *more):
        return self._run(self._folder / 'runTraining.py', *self._data, '--checkpoint_dir', run_dir, *more)

    def evaluate(self, run_dir, *more):
        results = ['--checkpoint_dir', run_dir, '--eval_dir', f'{run_dir}-eval', *more]
        return self._run(self._folder / 'runEval.py', *self._data, *results)


@pytest.fixture(scope='module')
def few_slices(tmp_path_factory, write_slices):
    """4 slices to train, 2 to validate."""
    folder = tmp_path_factory.mktemp('few')
    write_slices(folder / 'train_images.tfrecords', range(4))
    write_slices(folder / 'val_images.tfrecords', range(2))
    return folder


@pytest.fixture(scope='module')
def program(run_here, root, few_slices):
    return Program(run_here, root, few_slices)


@pytest.fixture(scope='module')
def as_a_user_runs_it(run, root, few_slices):
    return Program(run, root, few_slices)


@pytest.fixture(scope='module')
def unet_run(as_a_user_runs_it, tmp_path_factory):
    """Trained with what the evaluation has to find out by itself, and with augmentation; 2 epochs of 2 steps."""
    run_dir = tmp_path_factory.mktemp('unet') / 'train'
    flags = ['--network', 'unet', '--normalisation', 'per_image', '--augment', '--loss', 'both', '--optimizer', 'adam']
    done = as_a_user_runs_it.train(run_dir, *QUICK, *flags, '--schedule', 'warmup')
    assert done.returncode == 0, done.stderr
    return run_dir


@pytest.fixture(scope='module')
def started_run(unet_run, program, tmp_path_factory):
    """A run that started from the weights of unet_run and left them nearly as they were, and what it printed."""
    run_dir = tmp_path_factory.mktemp('started') / 'train'
    done = program.train(run_dir, *STARTED, '--init_from', unet_run)
    assert done.returncode == 0, done.stderr
    return run_dir, done


STARTED = [*QUICK, '--network', 'unet', '--num_epochs', 1, '--learning_rate', 1e-12]


def weights_of(run_dir):
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(run_dir)))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def assert_equal_weights(one, other):
    assert set(one) == set(other)
    assert [name for name in one if not np.array_equal(one[name], other[name])] == []


def test_the_evaluation_finds_out_which_network_was_trained(unet_run, as_a_user_runs_it):
    done = as_a_user_runs_it.evaluate(unet_run)
    assert done.returncode == 0, done.stderr
    assert re.search(r'^OUTPUT: .*: Dice metric = \d\.\d{3}$', done.stdout, re.MULTILINE)
    assert 'DEBUG down0 shape' in done.stdout
    assert json.loads((unet_run / 'run.json').read_text())['network'] == 'unet'


def test_alexnet_is_trained_and_evaluated(program, tmp_path):
    done = program.train(tmp_path / 'train', *QUICK, '--network', 'alexnet', '--num_epochs', 1, '--augment')
    assert done.returncode == 0, done.stderr
    done = program.evaluate(tmp_path / 'train')
    assert done.returncode == 0, done.stderr
    assert 'Dice metric = ' in done.stdout


def test_an_evaluation_that_goes_on_refuses_a_run_of_another_normalisation_in_the_same_place(
    unet_run, root, data_dir, tmp_path
):
    run_dir = tmp_path / 'train'
    shutil.copytree(str(unet_run), str(run_dir))
    flags = ['--data_dir', data_dir, '--checkpoint_dir', run_dir, '--eval_dir', tmp_path / 'eval']
    script = root / 'exercise_solutions' / 'challenge' / 'runEval.py'
    command = [sys.executable, script, *flags, '--run_once', 'false', '--eval_interval_secs', 0.1]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert any('Dice metric' in line for line in iter(process.stdout.readline, ''))

    told = json.loads((run_dir / 'run.json').read_text())
    (run_dir / 'run.json').write_text(json.dumps({**told, 'normalisation': 'lab', 'started': 'later'}))
    for path in list(run_dir.glob('model.ckpt-4*')):
        shutil.copy(str(path), str(path).replace('ckpt-4', 'ckpt-5'))
    state = run_dir / 'checkpoint'
    state.write_text(state.read_text().replace('ckpt-4', 'ckpt-5'))
    try:
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()  # Without the refusal it would go on for ever.
    assert process.returncode == 1
    assert f'another run stands in {run_dir} now, with --normalisation lab in place of per_image.' in err


def test_a_run_that_does_not_tell_how_it_was_trained_is_refused(unet_run, program, tmp_path):
    copy = tmp_path / 'train'
    shutil.copytree(str(unet_run), str(copy))
    told = json.loads((copy / 'run.json').read_text())
    del told['augment']
    (copy / 'run.json').write_text(json.dumps(told))
    done = program.evaluate(copy)
    assert done.returncode == 1
    assert 'was trained with --augment None; here there is only False, True.' in done.stderr


def test_its_slices_are_drawn_with_the_network_that_was_trained(unet_run, run_here, data_dir, tmp_path):
    done = run_here('scripts/show.py', '--checkpoint_dir', unet_run, '--data', data_dir, '--out', tmp_path / 'show.png')
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'show.png').read_bytes().startswith(b'\x89PNG')


def test_a_network_changed_since_its_training_is_named(unet_run, run_here, data_dir, copy_exercise, tmp_path):
    folder = copy_exercise('challenge')
    unet = folder / 'unet.py'
    unet.write_text(unet.read_text().replace("'down0'", "'first'"))
    done = run_here(folder / 'runEval.py', '--data_dir', data_dir, '--checkpoint_dir', unet_run, '--eval_dir', tmp_path)
    assert done.returncode == 1
    assert 'has no variable first/kernel: the network of challenge was another one when it was trained.' in done.stderr


def test_with_a_seed_augmented_runs_are_alike_resumed_or_not(program, tmp_path):
    """4 steps in one go; and 2 steps, then 2 more. The rate does not fall here, since it falls over the whole run."""
    flags = [*QUICK, '--augment', '--optimizer', 'momentum']
    assert program.train(tmp_path / 'whole', *flags).returncode == 0
    assert program.train(tmp_path / 'halves', *flags, '--num_epochs', 1).returncode == 0
    assert program.train(tmp_path / 'halves', *flags, '--resume').returncode == 0
    whole, halves = weights_of(tmp_path / 'whole'), weights_of(tmp_path / 'halves')
    assert whole['global_step'] == 4
    assert_equal_weights(whole, halves)


def test_a_run_starts_from_another_ones_weights_at_step_zero(unet_run, started_run):
    run_dir, done = started_run
    assert 'OUTPUT: Step 0: ' in done.stdout and 'OUTPUT: Done training for 1 epochs, 2 steps.' in done.stdout
    earlier, found = weights_of(unet_run), weights_of(run_dir)
    for name in ('down0/kernel', 'scores/bias', 'up1/conv2/norm/gamma'):
        assert np.allclose(found[name], earlier[name], atol=1e-6), name


def test_variables_that_fit_are_taken_and_the_others_are_listed(program, exercise_of, root, tmp_path):
    """The lab's network has the same kernels, but no normalisation."""
    assert exercise_of(root / 'exercise_solutions' / 'cnn').train(tmp_path / 'cnn').code == 0
    flags = [*QUICK, '--num_epochs', 1, '--learning_rate', 1e-12, '--init_from', tmp_path / 'cnn']
    done = program.train(tmp_path / 'train', *flags)
    assert done.returncode == 0, done.stderr
    assert f'Starting from {tmp_path}/cnn: 6 variables are taken.' in done.stderr
    # Of each of the four convolutions gamma, beta, mean and variance; and the scores' bias.
    (listed,) = re.findall(r'^Not there, or of another shape, so started at random: (.*)\.$', done.stderr, re.MULTILINE)
    assert len(listed.split(', ')) == 4 * 4 + 1
    earlier, found = weights_of(tmp_path / 'cnn'), weights_of(tmp_path / 'train')
    assert np.allclose(found['conv3/kernel'], earlier['conv3/kernel'], atol=1e-6)


@pytest.fixture(scope='module')
def simple_run(simple, tmp_path_factory):
    run_dir = tmp_path_factory.mktemp('simple') / 'train'
    assert simple.train(run_dir).code == 0
    return run_dir


@pytest.mark.parametrize('file', ['.index', '.data-00000-of-00001'])
def test_a_checkpoint_is_known_by_its_files_too_as_a_shell_completes_their_names(file, simple, simple_run, tmp_path):
    done = simple.train(tmp_path / 'train', '--init_from', f'{simple_run}/model.ckpt-10{file}')
    assert done.code == 0, done.err
    assert 'variables are taken' in done.err and 'started at random' not in done.err


def test_a_run_killed_before_its_first_checkpoint_still_starts_from_the_weights_when_resumed(
    unet_run, started_run, program, tmp_path
):
    run_dir = tmp_path / 'train'
    shutil.copytree(str(started_run[0]), str(run_dir))
    for path in [run_dir / 'checkpoint', *run_dir.glob('model.ckpt*')]:
        path.unlink()
    done = program.train(run_dir, *STARTED, '--resume')
    assert done.returncode == 0, done.stderr
    assert f'Starting from {unet_run}' in done.stderr
    assert np.allclose(weights_of(run_dir)['up1/conv2/kernel'], weights_of(unet_run)['up1/conv2/kernel'], atol=1e-6)
    # From its checkpoint on, those weights are not wanted any more, but where they came from is still told.
    assert program.train(run_dir, *STARTED, '--num_epochs', 2, '--resume').stderr.count('Starting from') == 0
    assert json.loads((run_dir / 'run.json').read_text())['init_from'] == str(unet_run)


def test_a_checkpoint_of_which_nothing_fits_is_refused(unet_run, program, tmp_path):
    done = program.train(tmp_path / 'train', *QUICK, '--init_from', unet_run)
    assert done.returncode == 1
    assert re.fullmatch(
        r'Running on .*\nERROR: --init_from .*: none of its variables fits this network; it has .* and \d+ more\.\n',
        done.stderr,
    )


@pytest.mark.parametrize('file', ['', 'checkpoint', 'model.ckpt-7', 'run.json'])
def test_there_is_one_answer_to_a_checkpoint_that_is_not_there(file, program, tmp_path):
    (tmp_path / 'run.json').write_text('{}')
    done = program.train(tmp_path / 'train', *QUICK, '--init_from', tmp_path / file)
    assert done.returncode == 1 and 'no checkpoint there' in done.stderr
    assert not (tmp_path / 'train').exists()


def test_to_start_afresh_from_weights_and_to_resume_exclude_each_other(program, tmp_path):
    done = program.train(tmp_path / 'train', '--init_from', tmp_path, '--resume')
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1


def test_a_choice_that_there_is_not_is_refused_with_those_that_there_are(program, tmp_path):
    done = program.train(tmp_path / 'train', '--network', 'resnet')
    assert done.returncode == 2
    assert "invalid choice: 'resnet' (choose from 'fcn', 'alexnet', 'unet')" in done.stderr


def test_the_exercise_starts_with_the_labs_network_and_runs_as_it_is(unet_run, run_here, root, few_slices, tmp_path):
    exercise = Program(run_here, root, few_slices, 'exercises')
    trained = exercise.train(tmp_path / 'train', *QUICK, '--augment')
    assert trained.returncode == 0, trained.stderr
    assert exercise.evaluate(tmp_path / 'train').returncode == 0
    unknown = exercise.evaluate(unet_run)
    assert unknown.returncode == 1
    assert 'was trained with --network unet; here there is only fcn.' in unknown.stderr


def test_a_checkpoint_of_another_exercise_is_refused(simple_run, program):
    done = program.evaluate(simple_run)
    assert done.returncode == 1
    assert 'checkpoint of simple, this is challenge' in done.stderr


def test_the_recipe_is_made_of_the_programs_flags(nn, root):
    recipe = RECIPE
    args = flags.training('challenge', nn.FLAGS).parse_args(recipe)
    assert (args.network, args.augment) == ('unet', True)


# A flag of the student's own.

GAMMA = "FLAGS = [\n    Flag('gamma', 'exponent of the pixels', 1.0, type=float, for_inference=True),"


@pytest.fixture(scope='module')
def with_gamma(copy_exercise, run_here, few_slices):
    """The challenge's programs with one flag more, which stands where the others do and is taken by inference."""
    folder = copy_exercise('challenge')
    network = folder / 'neuralnetwork.py'
    text = network.read_text().replace('FLAGS = [', GAMMA, 1)
    text = text.replace('augment=False):', 'augment=False, gamma=1.0):', 1)
    first_line = "    print_tensor_shape(images, '"
    network.write_text(text.replace(first_line, f"    print('GAMMA', gamma)\n{first_line}", 1))
    return Program(run_here, folder.parent.parent, few_slices)


def test_a_flag_of_the_students_own_is_added_in_one_place(with_gamma, tmp_path):
    """It is kept in run.json, found again by the evaluation, and a run goes on with nothing else."""
    trained = with_gamma.train(tmp_path / 'train', *QUICK, '--gamma', 2)
    assert 'GAMMA 2.0' in trained.stdout, trained.stderr
    run = json.loads((tmp_path / 'train' / 'run.json').read_text())
    assert run['gamma'] == 2 and 'gamma' in run['added_flags']
    assert 'GAMMA 2.0' in with_gamma.evaluate(tmp_path / 'train').stdout
    refused = with_gamma.train(tmp_path / 'train', *QUICK, '--resume', '--gamma', 3)
    assert refused.returncode == 1
    assert 'has --gamma 2.0, not 3.0' in refused.stderr
