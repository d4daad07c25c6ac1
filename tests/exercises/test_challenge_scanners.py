"""The challenge's stronger augmentation: what differs from scanner to scanner, and the label that goes with it."""

import math

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.exercises.sessions import evaluated
from tests.exercises.test_challenge_augmentation import slices


@pytest.fixture
def scanners(load, root):
    return load(root / 'exercise_solutions' / 'challenge' / 'scanners.py')


def number(value):
    return tf.fill([1, 1, 1], float(value))


def test_image_and_label_are_changed_alike_and_the_label_stays_0_or_1(scanners, graph, monkeypatch):
    monkeypatch.setattr(scanners, 'LARGEST_SHADE', 0)  # So that grey tells what was inside.
    monkeypatch.setattr(scanners, 'LARGEST_NOISE', 0)
    images, labels = slices(8)
    found_images, found_labels = evaluated(
        *scanners.augment(tf.constant(images), tf.constant(labels), tf.constant([1, 2]))
    )
    assert found_labels.dtype == np.uint8 and set(np.unique(found_labels)) == {0, 1}
    assert found_images.shape == found_labels.shape == (8, 256, 256)
    for image, label in zip(found_images, found_labels):
        # Of a border of up to 2 * (40 + 60) * 1.3 ** 1.75 = 317 pixels, half may fall to the other side. A label moved
        # by 2 rows and 2 columns would differ in 2 * 2 * (40 + 60) / 1.3 ** 1.75 = 253.
        assert np.sum((image > 500) != label) < 200
    assert len({label.tobytes() for label in found_labels}) == 8, 'each slice is changed in its own way'


def test_the_seed_decides(scanners, graph):
    images, labels = map(tf.constant, slices())
    one, same, other = evaluated(*(scanners.augment(images, labels, tf.constant([1, step]))[0] for step in (5, 5, 6)))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


def test_a_shade_runs_smoothly_from_one_side_to_the_other(scanners, graph):
    terms = np.zeros([5, 1, 1, 1], np.float32)
    terms[1] = math.log(2)  # That of the columns: half on the left, as it was in the middle, twice on the right.
    (found,) = evaluated(scanners.shaded(tf.fill([1, 256, 256], 100.0), tf.constant(terms)))
    # Columns lie at -1, -1 + 2/255, … and 1: 100 * 2 to the power of each.
    assert found[0, 0, [0, 255]] == pytest.approx([50, 200], abs=0.01)
    assert found[0, 0, 1:] / found[0, 0, :-1] == pytest.approx(np.full(255, 2 ** (2 / 255)), rel=1e-5)
    assert np.array_equal(found[0], np.tile(found[0, 0], [256, 1]))


def test_neighbours_are_bent_alike_and_by_pixels(scanners, graph):
    still = tf.zeros([4, 256, 256])
    rows, columns = evaluated(*scanners.bent(still, still, [1, 2]))
    for moves in (rows, columns):
        # 3 pixels at the 11 x 11 places, which are drawn; less between them, where their mean is taken.
        assert 1.5 < moves.std() < 3.5
        # At most as steep as a cubic between two places 25 pixels apart that differ by 4 standard deviations.
        assert max(np.abs(np.diff(moves, axis=axis)).max() for axis in (1, 2)) < 1.5 * 4 * 3 * math.sqrt(2) / 25
    assert not np.array_equal(rows, columns)


def test_a_blur_takes_the_mean_of_nine_and_half_of_the_images_stay(scanners, graph):
    images = np.zeros([1, 5, 5], np.float32)
    images[0, 2, 2] = 9
    blurred, half, sharp = evaluated(*(scanners.blurred(tf.constant(images), number(n)) for n in (1, 0.5, -0.7)))
    assert np.allclose(blurred[0, 1:4, 1:4], 1) and blurred.sum() == pytest.approx(9)
    assert half[0, 2, 2] == pytest.approx(5) and half[0, 1, 1] == pytest.approx(0.5)
    assert np.array_equal(sharp, images)


def test_noise_is_a_share_of_the_images_standard_deviation(scanners, graph):
    images, _ = slices(1)
    (found,) = evaluated(scanners.noisy(tf.constant(images), number(0.1), [1, 2]))
    # Of 65536 numbers the standard deviation is off by 1 / sqrt(2 * 65536) = 0.3 %, their mean by 1 / 256 of it.
    assert np.std(found - images) == pytest.approx(0.1 * images.std(), rel=0.02)
    assert np.mean(found - images) == pytest.approx(0, abs=0.1 * images.std() / 50)
