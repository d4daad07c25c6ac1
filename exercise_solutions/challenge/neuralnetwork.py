"""The challenge: a network that one would trust with a patient whom it has never seen.

It starts as the lab's network. What --network, --normalisation, --strength, --loss, --optimizer and --schedule can be
stands in six tables here, NETWORKS, NORMALISATIONS and so on: whatever you add to them can be chosen. The flags
themselves stand in a seventh, FLAGS: there you can add one of your own.
"""

from lvseg import metrics, summaries
from lvseg.errors import LabError
from lvseg.flags import Flag
from lvseg.shapes import print_tensor_shape

import alexnet  # solution
import anywhere  # solution
import augmentation
import fcn
import numpy as np
import scanners  # solution
import tensorflow.compat.v1 as tf
import unet

NETWORKS = {
    'fcn': fcn.inference,
    'alexnet': alexnet.inference,  # solution
    'unet': unet.inference,
    'anywhere': anywhere.inference,  # solution
}


def inference(images, training, network='fcn', normalisation='lab', augment=False):
    """From images to the class scores of every pixel.

    Args:
        images: float32 [batch, 256, 256], pixels divided by 1024.
        training: True while training; some layers behave differently then.
        network: a name in NETWORKS.
        normalisation: a name in NORMALISATIONS.
        augment: True if it is trained on slices that are turned; in the evaluation, they may then be turned, too.

    Returns:
        logits: float32 [batch, 256, 256, 2], unnormalised class scores; class 1 is the left ventricle.
    """
    print_tensor_shape(images, 'images shape inference')
    images = tf.expand_dims(NORMALISATIONS[normalisation](images), axis=-1)
    # begin solution
    if augment and not training:
        return mean_of_turns(NETWORKS[network], images)
    # end solution
    return NETWORKS[network](images, training)


# begin solution
def mean_of_turns(network, images):
    """The mean scores of each image turned four ways, and turned back: what one look gets wrong, others do not."""
    turned = tf.concat([tf.image.rot90(images, turns) for turns in range(4)], axis=0)
    scores = tf.split(network(turned, training=False), 4)
    return tf.add_n([tf.image.rot90(part, -turns) for turns, part in enumerate(scores)]) / 4


# end solution
def per_image(images):
    """Each image with mean 0 and standard deviation 1: a scanner's gain and offset make no difference."""
    mean, variance = tf.nn.moments(images, axes=[1, 2], keep_dims=True)  # blank
    variance += 1e-6  # An image may be black all over.
    return (images - mean) / tf.sqrt(variance)  # blank expression


NORMALISATIONS = {'lab': tf.identity, 'per_image': per_image}

AUGMENTATIONS = {
    'mild': augmentation.augment,
    'strong': scanners.augment,  # solution
}


def augmentation_by(args):
    """What changes the slices of a training by its flags --augment and --strength; None if nothing does."""
    if args.augment:
        return AUGMENTATIONS[args.strength]
    if args.strength != 'mild':
        raise LabError(f'--strength {args.strength} changes nothing without --augment. Give both, or neither.')
    return None


def loss(logits, labels, kind):
    """How far the class scores are from the expert's labels.

    Args:
        logits: float32 [batch, 256, 256, 2], unnormalised class scores.
        labels: uint8 [batch, 256, 256], 1 inside the expert's endocardial contour, 0 outside.
        kind: a name in LOSSES.

    Returns:
        float32 scalar.
    """
    return LOSSES[kind](logits, labels)


def cross_entropy(logits, labels):
    """The mean cross entropy over all pixels, in nats: 98 of 100 pixels are background, and count as much as any."""
    labels, odds = tf.cast(labels, tf.float32), metrics.log_odds(logits)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=odds))


def soft_dice(logits, labels):
    """1 - Dice of each slice, with probabilities for the prediction (Milletari, Navab and Ahmadi 2016); their mean.

    A pixel of a small ventricle counts more than one of a large ventricle, and the background hardly at all.
    """
    probability, labels = metrics.probabilities(logits), tf.cast(labels, tf.float32)

    def area(mask):
        return tf.reduce_sum(mask, axis=[1, 2])

    # The 1 (pixel) keeps slices without a ventricle from dividing by zero.
    dice = (2 * area(probability * labels) + 1) / (area(probability) + area(labels) + 1)  # blank expression
    return 1 - tf.reduce_mean(dice)  # blank expression


def both(logits, labels):
    """Cross entropy leads at first, when all probabilities are alike; Dice later, when the background is done."""
    return cross_entropy(logits, labels) + soft_dice(logits, labels)


LOSSES = {
    'cross_entropy': cross_entropy,
    'dice': soft_dice,
    'both': both,
}


def staircase(args, step, steps):
    """The lab's: the rate is multiplied by --decay_rate every --decay_steps steps."""
    return tf.train.exponential_decay(args.learning_rate, step, args.decay_steps, args.decay_rate, staircase=True)


def warmup(args, step, steps):
    """Up by equal steps in the first twentieth of the run, then down to 0 at its end along half a cosine.

    The first of the steps is above 0 already: with a rate of 0 nothing would be learned in it.
    Goyal et al. 2017 for the warm-up, Loshchilov and Hutter 2017 for the cosine.
    """
    done = tf.cast(step, tf.float32) / steps
    rise = (done + 1 / steps) / 0.05  # blank expression
    fall = (1 + tf.cos(np.pi * done)) / 2  # blank expression
    return args.learning_rate * tf.minimum(rise, 1) * fall


SCHEDULES = {
    'staircase': staircase,
    'warmup': warmup,
}

OPTIMIZERS = {
    'sgd': tf.train.GradientDescentOptimizer,
    'momentum': lambda rate: tf.train.MomentumOptimizer(rate, momentum=0.9, use_nesterov=True),  # solution
    'adam': tf.train.AdamOptimizer,  # solution
}


# What the evaluation must build the network with again is marked as for inference.
FLAGS = [
    Flag('network', 'which network is trained', 'fcn', choices=NETWORKS, for_inference=True),
    Flag(
        'normalisation',
        "of intensities: the lab's division by 1024, or each image by its own mean and standard deviation",
        'lab',
        choices=NORMALISATIONS,
        for_inference=True,
    ),
    Flag('augment', 'change slices at random each time they are seen (default: off)', for_inference=True),
    Flag('strength', 'how much --augment changes them', 'mild', choices=AUGMENTATIONS),
    Flag('loss', 'what is made smaller', 'cross_entropy', choices=LOSSES),
    Flag('optimizer', 'how it is made smaller', 'sgd', choices=OPTIMIZERS),
    Flag(
        'schedule',
        'of the learning rate: by --decay_rate every --decay_steps, or up and down again over the run',
        'staircase',
        choices=SCHEDULES,
    ),
]


def training(loss, args, steps):
    """One step of the optimizer.

    Args:
        loss: float32 scalar, to be made smaller.
        args: the flags --optimizer, --schedule, --learning_rate, --decay_steps and --decay_rate.
        steps: int, how many steps the whole run has.

    Returns:
        The operation that makes the step and counts it in the global step.
    """
    global_step = tf.train.get_or_create_global_step()
    rate = SCHEDULES[args.schedule](args, global_step, steps)
    tf.summary.scalar(summaries.LEARNING_RATE, rate)

    # Batch normalisation takes note of the batch's mean and variance.
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        return OPTIMIZERS[args.optimizer](rate).minimize(loss, global_step=global_step)


def evaluation(logits, labels):
    """Areas from which the Dice metric 2 * intersection / (predicted + labelled) is computed (Dice 1945).

    Args:
        logits: float32 [batch, 256, 256, 2], unnormalised class scores; class 1 is the left ventricle.
        labels: uint8 [batch, 256, 256], 1 inside the expert's endocardial contour, 0 outside.

    Returns:
        Three int32 scalars, in pixels, summed over the batch: intersection, labelled area, predicted area.
    """
    areas = metrics.areas(logits, labels)
    return tf.reduce_sum(areas.intersection), tf.reduce_sum(areas.labelled), tf.reduce_sum(areas.predicted)
