"""The challenge's augmentation: the label turns with the image."""

import math

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.exercises.sessions import evaluated


@pytest.fixture(scope='module')
def augmentation(load, root):
    return load(root / 'exercise_solutions' / 'challenge' / 'augmentation.py')


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
