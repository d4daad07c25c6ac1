"""The challenge's network that finds the heart: wherever it is, the window lies around it."""

from lvseg import metrics, prediction, records

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from experiments.recipe import RECIPE
from tests.exercises.sessions import evaluated


@pytest.fixture
def anywhere(load, root):
    return load(root / 'exercise_solutions' / 'challenge' / 'anywhere.py')


@pytest.fixture
def seeing(anywhere, monkeypatch):
    """The network's scores of a window are 0 for the background and the pixels for the ventricle."""

    def window_scores(images, training):
        return tf.concat([tf.zeros_like(images), images], axis=-1)

    monkeypatch.setattr(anywhere.unet, 'window_scores', window_scores)
    return anywhere


def with_ventricles(*centres):
    """Images that are 9 in a square of 31 x 31 pixels around these places, and -9 elsewhere."""
    images = np.full([len(centres), 256, 256, 1], -9, np.float32)
    for image, (row, column) in zip(images, centres):
        image[max(row - 15, 0) : row + 16, max(column - 15, 0) : column + 16] = 9
    return images


def test_each_windows_scores_lie_where_it_was_taken_and_around_it_is_background(seeing, graph):
    images = np.random.RandomState(1).normal(size=[2, 256, 256, 1]).astype(np.float32)
    corners = [[0, 128], [37, 5]]
    (found,) = evaluated(seeing.look(tf.constant(images), tf.constant(corners), training=False))
    expected = np.empty([2, 256, 256, 2], np.float32)
    expected[..., 0], expected[..., 1] = seeing.unet.SURE, -seeing.unet.SURE
    for scores, image, (row, column) in zip(expected, images, corners):
        window = np.s_[row : row + 128, column : column + 128]
        scores[window + (0,)], scores[window + (1,)] = 0, image[window + (0,)]
    assert np.allclose(found, expected, atol=1e-6)


def test_the_window_lies_around_the_ventricle_and_within_the_image(seeing, graph):
    images = with_ventricles((130, 122), (70, 180), (240, 20))
    (corners,) = evaluated(seeing.corners_around(seeing.unet.window_scores(tf.constant(images), False)))
    # Half of 128 up and left of the middle, as finely as 4 pixels; the last one's would lie beyond two edges.
    assert np.abs(corners - [[66, 58], [6, 116], [128, 0]]).max() <= 4


def test_what_is_seen_in_a_corner_counts_no_more_than_elsewhere(seeing, graph):
    images = with_ventricles((128, 128))
    images[:, :20, :20] = 9  # 400 pixels, less than the ventricle's 961.
    (corners,) = evaluated(seeing.corners_around(seeing.unet.window_scores(tf.constant(images), False)))
    assert np.abs(corners - [[64, 64]]).max() <= 4


def test_a_ventricle_beyond_the_centre_is_seen_in_the_evaluation(seeing, graph):
    images = with_ventricles((128, 128), (60, 200))
    (scores,) = evaluated(seeing.inference(tf.constant(images), training=False))
    assert np.array_equal(scores[..., 1] > scores[..., 0], images[..., 0] > 0)


def test_training_sees_the_centre_half_of_the_time_and_else_windows_all_over(anywhere, graph):
    (corners,) = evaluated(anywhere.random_corners(4000))
    centred = (corners == 64).all(axis=1)
    # Of 4000 with a chance of 1/2, the standard deviation of the share is sqrt(1/4 / 4000) = 0.008.
    assert centred.mean() == pytest.approx(0.5, abs=0.04)
    others = corners[~centred]
    # 129 places, some 2000 times in rows and in columns: each is left out less than once in 10^13.
    assert others.min() == 0 and others.max() == 128
    assert np.corrcoef(others.T)[0, 1] == pytest.approx(0, abs=0.1)


def test_the_step_decides_which_windows_are_seen(anywhere, graph):
    corners, step = anywhere.random_corners(50), tf.train.get_or_create_global_step()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        first, again = session.run(corners), session.run(corners)
        session.run(step.assign_add(1))
        assert np.array_equal(first, again) and not np.array_equal(first, session.run(corners))


def test_it_has_the_weights_of_the_unet_and_no_others(anywhere):
    def variables(inference):
        with tf.Graph().as_default():
            for training in (True, False):
                with tf.variable_scope('', reuse=not training):
                    inference(tf.zeros([1, 256, 256, 1]), training)
            found = {variable.op.name: variable.shape.as_list() for variable in tf.global_variables()}
            found.pop('global_step', None)
            return found

    assert variables(anywhere.inference) == variables(anywhere.unet.inference)


@pytest.mark.slow
def test_a_phantom_that_is_shifted_about_is_outlined_as_well_as_at_the_centre(run, root, tmp_path):
    """Moved by 60 rows and columns, a third of the ventricles is left in the centre, which is all that `unet` sees."""
    run('-m', 'data_prep', 'phantom', '--split', 'patient', '--out', tmp_path / 'data', check=True)
    program = root / 'exercise_solutions' / 'challenge' / 'runTraining.py'
    directories = ['--data_dir', tmp_path / 'data', '--checkpoint_dir', tmp_path / 'train']
    own = ['--network', 'anywhere', '--num_epochs', 6, '--seed', 1]  # Of two of the same flag, the last counts.
    run(program, *directories, *RECIPE, *own, check=True)
    network = prediction.load(str(tmp_path / 'train'))
    slices = list(records.read(str(tmp_path / 'data' / 'val_images.tfrecords')))

    def dice(down, right):
        each = [(moved(label, down, right), network.mask(moved(image, down, right))) for image, label in slices]
        return float(metrics.dice(metrics.pooled(metrics.each_mask_areas(each))))

    centred = dice(0, 0)
    assert centred > 0.8
    for down, right in ((60, 60), (-60, 60), (-40, -50)):
        assert dice(down, right) > centred - 0.1, (down, right)


def moved(image, down, right):
    """Rows and columns that come in are black."""
    there = np.zeros_like(image)
    rows, columns = (slice(max(by, 0), 256 + min(by, 0)) for by in (down, right))
    from_rows, from_columns = (slice(max(-by, 0), 256 + min(-by, 0)) for by in (down, right))
    there[rows, columns] = image[from_rows, from_columns]
    return there
