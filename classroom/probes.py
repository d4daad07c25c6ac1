"""What the functions that have blanks do with chosen input; two of which the probe tells the same do the same.

Where several ways are as good, as to turn to the left or to the right, the probe does not tell which it is.
"""

import types
from argparse import Namespace
from typing import Any, Callable, Dict, List

from lvseg import networks

import numpy as np
import tensorflow.compat.v1 as tf

Told = List[np.ndarray]


def told(function: str, module: types.ModuleType) -> Told:
    """What the probe of a function tells.

    Raises:
        Exception: any that the function raises.
    """
    with tf.Graph().as_default():
        return [np.array(one, np.float64) for one in _PROBES[function](module)]


def same(one: Told, other: Told) -> bool:
    """Whether two probes told the same, but for rounding."""
    return len(one) == len(other) and all(
        a.shape == b.shape and np.allclose(a, b, rtol=1e-3, atol=1e-4) for a, b in zip(one, other)
    )


def _values(tensors: Any) -> Any:  # noqa: ANN401 - whatever a session runs
    """The values of tensors; the weights, if there are any, are 0.1 to 1 in their order."""
    with tf.Session() as session:
        for variable in tf.global_variables():
            shape = variable.shape.as_list()
            variable.load(np.linspace(0.1, 1, int(np.prod(shape))).reshape(shape), session)
        return session.run(tensors)


# exercise 1


def _fully_connected(module: types.ModuleType) -> Told:
    """The shapes of the two matrices, hidden units counted in HIDDEN_UNITS, which are the student's choice."""
    scores = networks.call(module, 'inference', networks.images(), training=True)
    first, second = (variable.shape.as_list() for variable in tf.trainable_variables())
    units = module.HIDDEN_UNITS
    return [(first[0], first[1] / units), (second[0] / units, second[1]), networks.shape(scores)]


# exercise 3

_AREAS = [(30, 40, 60), (0, 7, 0), (0, 0, 9), (50, 50, 50), (3, 30, 11)]  # intersection, labelled, predicted; pixels


def _areas(module: types.ModuleType) -> Told:
    """Areas of random masks of which the prediction is the larger, and of masks that have no pixel in common; int32."""
    random = np.random.RandomState(0).uniform(size=[2, 256, 256])
    apart = (np.arange(256) < 100) + np.zeros([256, 1]), (np.arange(256) > 120) + np.zeros([256, 1])
    scores, labels = tf.placeholder(tf.float32, [1, 256, 256, 2]), networks.labels()
    areas = networks.call(module, 'evaluation', scores, labels)
    told = []
    with tf.Session() as session:
        for label, predicted in ((random[0] < 0.2, random[1] < 0.6), apart):
            values = {labels: [label], scores: [np.stack([1.0 - predicted, predicted], axis=-1)]}
            told.append(session.run(areas, values))
    return [*told, [area.dtype == tf.int32 for area in areas]]


def _dice(module: types.ModuleType) -> Told:
    """The printed figures, from integers of NumPy, as the session gives them."""
    printed = [networks.call(module, 'dice', 65536, *map(np.int64, areas)) for areas in _AREAS]
    return [[float(line.split('=')[1]) for line in printed]]


def _no_network(module: types.ModuleType) -> Told:
    """Which class has the higher score, of images of noise, bright and below 0, and that nothing is to be trained."""
    images = np.random.RandomState(0).normal(size=[2, 256, 256]) * [[[1]], [[50]]]
    scores = networks.call(module, 'no_network', tf.constant(images, tf.float32))
    classes = _values(scores)
    return [classes.shape, [classes.dtype == np.float32], (classes[..., 0] > classes[..., 1]).mean(axis=(1, 2))] + [
        [len(tf.global_variables())]
    ]


# the challenge


def _per_image(module: types.ModuleType) -> Told:
    """A dark image, a bright one of more contrast, and a black one."""
    noise = np.random.RandomState(0).uniform(size=[8, 8])
    images = np.stack([noise, 7 * noise.T**2 + 5, 0 * noise]).astype(np.float32)
    return [_values(networks.call(module, 'per_image', tf.constant(images)))]


def _soft_dice(module: types.ModuleType) -> Told:
    """A large and a small ventricle and none; a good prediction, a poor one, and one of nothing at all."""
    labels = np.zeros([3, 8, 8], np.uint8)
    labels[0, 1:7, 2:8], labels[1, 3:5, 3] = 1, 1
    random = np.random.RandomState(0).normal(size=[3, 8, 8, 2])
    scores = random + 2 * np.stack([1 - labels, labels], axis=-1)
    return [
        _values(networks.call(module, 'soft_dice', tf.constant(logits, tf.float32), tf.constant(labels)))
        for logits in (scores, random, random + [9, -9])
    ]


def _warmup(module: types.ModuleType) -> Told:
    """The rates of chosen steps, in parts of the highest."""
    step = tf.placeholder(tf.int64, [])
    told = []
    for steps in (1000, 200):
        rate = networks.call(module, 'warmup', Namespace(learning_rate=4.0), step, steps)
        with tf.Session() as session:
            shares = (0, 0.01, 0.03, 0.049, 0.05, 0.06, 0.2, 0.5, 0.75, 0.9, 0.995)
            told.append([session.run(rate, {step: int(share * steps)}) for share in shares])
    return told


def _turned(module: types.ModuleType) -> Told:
    """Of three points: how far they are from the centre, how far they came, and that none is mirrored."""
    rows, columns = (np.array(numbers, np.float32).reshape([1, 1, 3]) for numbers in ([-9, 4, 2], [1, 7, -5]))
    told = []
    for angle in (0.0, 0.3, 1.57, 2.5, -1.0):
        places = networks.call(module, 'turned', tf.constant(rows), tf.constant(columns), tf.fill([1, 1, 1], angle))
        before, after = (x[0, 0] + 1j * y[0, 0] for x, y in ((columns, rows), _values(tuple(places))[::-1]))
        ways = after / before  # Each a turn and a growth, as a complex number.
        told.append([np.abs(ways), ways.real, np.abs(ways.imag), np.abs(ways - ways[0])])
    return told


_BORDER = 100  # pixels of 2,400 in which a grey image, smooth and of another gamma, may differ from its label


def _augment(module: types.ModuleType) -> Told:
    """Images that are 1000 in the ventricle and 0 elsewhere: does the label go where the image goes?

    And is it made of the label alone: the same again, where something beside the ventricle is as bright?
    """
    labels = np.zeros([4, 256, 256], np.uint8)
    labels[:, 90:130, 100:160] = 1
    bright = labels.copy()
    bright[:, 150:170, 100:160] = 1
    seed = tf.constant([1, 2], tf.int64)
    (grey, mask), (_, again) = _values(
        [
            networks.call(module, 'augment', tf.constant(image * np.float32(1000)), tf.constant(labels), seed=seed)
            for image in (labels, bright)
        ]
    )
    apart = np.sum((grey > 500) != (mask == 1), axis=(1, 2))
    kept = [mask.dtype == np.uint8, mask.max(), mask.min(), mask.shape == labels.shape, np.array_equal(mask, again)]
    return [[*kept, *(apart > _BORDER)]]


def _up(module: types.ModuleType) -> Told:
    """A step of the U-Net's way up; in which order the channels stand makes no difference."""
    random = np.random.RandomState(0)
    inputs, seen = random.uniform(size=[1, 4, 4, 6]), random.uniform(size=[1, 8, 8, 3])
    outputs = networks.call(module, 'up', tf.constant(inputs, tf.float32), tf.constant(seen, tf.float32), 3, 'up')
    channels = np.moveaxis(_values(outputs), -1, 0)
    return [np.array(sorted(channels.tolist()))]


_PROBES: Dict[str, Callable[[types.ModuleType], Told]] = {
    'inference': _fully_connected,
    'evaluation': _areas,
    'dice': _dice,
    'no_network': _no_network,
    'per_image': _per_image,
    'soft_dice': _soft_dice,
    'warmup': _warmup,
    'turned': _turned,
    'augment': _augment,
    'up': _up,
}
