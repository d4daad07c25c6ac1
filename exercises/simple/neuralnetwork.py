"""Exercise 1: a neural network of one hidden, fully connected layer that segments the left ventricle.

Every pixel of the image is connected with every hidden unit, and every hidden unit with every pixel of the result:

    65536 pixels -> HIDDEN_UNITS -> 65536 pixels x 2 classes
"""

from lvseg import summaries
from lvseg.shapes import print_tensor_shape

import tensorflow.compat.v1 as tf

HEIGHT, WIDTH = 256, 256
PIXELS = HEIGHT * WIDTH
CLASSES = 2  # 0 is the background, 1 the left ventricle.

# Try other sizes! The two matrices together have HIDDEN_UNITS * (65536 + 131072) weights.
HIDDEN_UNITS = 512


def inference(images, training):
    """From images to the class scores of every pixel.

    Args:
        images: float32 [batch, 256, 256], pixels divided by 1024.
        training: True while training; this network does the same either way.

    Returns:
        logits: float32 [batch, 256, 256, 2], unnormalised class scores; class 1 is the left ventricle.
    """
    print_tensor_shape(images, 'images shape inference')
    print_tensor_shape(images, 'images shape inference')  # Twice, as the lab's handout shows it.

    # Each image becomes one long row of pixels; each hidden unit is a weighted sum of all of them.
    with tf.name_scope('Hidden1'):
        W_fc = tf.Variable(tf.truncated_normal([FIXME, FIXME], stddev=0.1), name='W_fc')
        print_tensor_shape(W_fc, 'W_fc shape')

        flatten1_op = tf.reshape(images, [-1, PIXELS])
        print_tensor_shape(flatten1_op, 'flatten1_op shape')

        h_fc1 = tf.matmul(flatten1_op, W_fc)
        print_tensor_shape(h_fc1, 'h_fc1 shape')

    # Each class score of each pixel is a weighted sum of all hidden units.
    with tf.name_scope('Final'):
        W_fc2 = tf.Variable(tf.truncated_normal([FIXME, FIXME], stddev=0.1), name='W_fc2')
        print_tensor_shape(W_fc2, 'W_fc2 shape')

        h_fc2 = tf.matmul(h_fc1, W_fc2)
        print_tensor_shape(h_fc2, 'h_fc2 shape')

        h_fc2_re = tf.reshape(h_fc2, [-1, HEIGHT, WIDTH, CLASSES])
        print_tensor_shape(h_fc2_re, 'h_fc2_re shape')

    return h_fc2_re


def loss(logits, labels):
    """How far the class scores are from the expert's labels: the mean cross entropy over all pixels.

    Args:
        logits: float32 [batch, 256, 256, 2], unnormalised class scores.
        labels: uint8 [batch, 256, 256], 1 inside the expert's endocardial contour, 0 outside.

    Returns:
        float32 scalar, in nats per pixel; a network that knows nothing and says so scores ln 2 = 0.693.
    """
    print_tensor_shape(logits, 'logits shape before')
    print_tensor_shape(labels, 'labels shape before')

    labels = tf.cast(labels, tf.int64)
    print_tensor_shape(logits, 'logits shape after')
    print_tensor_shape(labels, 'labels shape after')

    cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits, name='cross_entropy')
    print_tensor_shape(cross_entropy, 'cross_entropy shape')

    return tf.reduce_mean(cross_entropy, name='cross_entropy_mean')


def training(loss, learning_rate, decay_steps, decay_rate):
    """One step of plain gradient descent; the learning rate is multiplied by decay_rate every decay_steps steps.

    Args:
        loss: float32 scalar, to be made smaller.
        learning_rate: float, the rate of the first step.
        decay_steps: int, the number of steps that share one rate.
        decay_rate: float, the factor from one rate to the next.

    Returns:
        The operation that makes the step and counts it in the global step.
    """
    global_step = tf.train.get_or_create_global_step()
    rate = tf.train.exponential_decay(learning_rate, global_step, decay_steps, decay_rate, staircase=True)
    tf.summary.scalar(summaries.LEARNING_RATE, rate)

    return tf.train.GradientDescentOptimizer(rate).minimize(loss, global_step=global_step)


def evaluation(logits, labels):
    """The number of pixels that are classified rightly, from which the precision is computed.

    Args:
        logits: float32 [batch, 256, 256, 2], unnormalised class scores.
        labels: uint8 [batch, 256, 256], 1 inside the expert's endocardial contour, 0 outside.

    Returns:
        int32 scalar, in pixels, summed over the batch.
    """
    with tf.name_scope('eval'):
        print_tensor_shape(logits, 'logits eval shape before')

        logits_re = tf.reshape(logits, [-1, CLASSES])
        print_tensor_shape(logits_re, 'logits_re eval shape after')
        labels_re = tf.reshape(tf.cast(labels, tf.int64), [-1])
        print_tensor_shape(labels_re, 'labels_re eval shape after')

        # A pixel is right if the class with the highest score is the expert's.
        correct = tf.equal(tf.argmax(logits_re, axis=1), labels_re)
        print_tensor_shape(correct, 'correct shape')

        return tf.reduce_sum(tf.cast(correct, tf.int32))
