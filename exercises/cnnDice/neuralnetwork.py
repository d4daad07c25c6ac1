"""Exercise 3: the network of exercise 2, judged by the Dice metric.

layer          filters  output                what it does
conv1          100      128 x 128 x 100       convolution, ReLU
pool1                    64 x  64 x 100       max pooling
conv2          200       32 x  32 x 200       convolution, ReLU
pool2                    16 x  16 x 200       max pooling
conv3          300       16 x  16 x 300       convolution, ReLU
conv4          300       16 x  16 x 300       convolution, ReLU
drop                     16 x  16 x 300       dropout
score_classes  2         16 x  16 x   2       convolution
upscore        2        256 x 256 x   2       transposed convolution
"""

from lvseg import summaries
from lvseg.shapes import print_tensor_shape

import tensorflow.compat.v1 as tf

CLASSES = 2  # 0 is the background, 1 the left ventricle.

# The share of conv4's outputs that is set to 0 at random in each training step. Try 0.5!
DROPOUT_RATE = 0.0


def inference(images, training):
    """From images to the class scores of every pixel.

    Args:
        images: float32 [batch, 256, 256], pixels divided by 1024.
        training: True while training; dropout is active then, and only then.

    Returns:
        logits: float32 [batch, 256, 256, 2], unnormalised class scores; class 1 is the left ventricle.
    """
    initial_weights = tf.truncated_normal_initializer(stddev=0.1)

    # The layers want the number of channels as the last dimension: one, since the slices are grey.
    print_tensor_shape(images, 'images shape inference')
    images_re = tf.reshape(images, [-1, 256, 256, 1])
    print_tensor_shape(images, 'images shape inference')

    # Each filter looks for one small pattern, wherever it is in the image.
    conv1 = tf.layers.conv2d(
        images_re,
        filters=100,
        kernel_size=[5, 5],
        strides=[2, 2],
        padding='same',
        activation=tf.nn.relu,
        use_bias=False,
        kernel_initializer=initial_weights,
        name='conv1',
    )
    print_tensor_shape(conv1, 'conv1 shape')

    # Pooling keeps the strongest answer of each small window.
    pool1 = tf.layers.max_pooling2d(
        conv1,
        pool_size=[2, 2],
        strides=[2, 2],
        padding='same',
        name='pool1',
    )
    print_tensor_shape(pool1, 'pool 1 shape')

    conv2 = tf.layers.conv2d(
        pool1,
        filters=200,
        kernel_size=[5, 5],
        strides=[2, 2],
        padding='same',
        activation=tf.nn.relu,
        use_bias=False,
        kernel_initializer=initial_weights,
        name='conv2',
    )
    print_tensor_shape(conv2, 'conv2 shape')

    pool2 = tf.layers.max_pooling2d(
        conv2,
        pool_size=[2, 2],
        strides=[2, 2],
        padding='same',
        name='pool2',
    )
    print_tensor_shape(pool2, 'pool 2 shape')

    conv3 = tf.layers.conv2d(
        pool2,
        filters=300,
        kernel_size=[3, 3],
        strides=[1, 1],
        padding='same',
        activation=tf.nn.relu,
        use_bias=False,
        kernel_initializer=initial_weights,
        name='conv3',
    )
    print_tensor_shape(conv3, 'conv3 shape')

    conv4 = tf.layers.conv2d(
        conv3,
        filters=300,
        kernel_size=[3, 3],
        strides=[1, 1],
        padding='same',
        activation=tf.nn.relu,
        use_bias=False,
        kernel_initializer=initial_weights,
        name='conv4',
    )
    print_tensor_shape(conv4, 'conv4 shape')

    drop = tf.layers.dropout(conv4, rate=DROPOUT_RATE, training=training)
    print_tensor_shape(drop, 'drop shape')

    # What fully connected layers would do, at each of the 16 x 16 places by itself: the scores of the two classes.
    score_classes = tf.layers.conv2d(
        drop,
        filters=CLASSES,
        kernel_size=[1, 1],
        strides=[1, 1],
        padding='same',
        use_bias=False,
        kernel_initializer=initial_weights,
        name='score_classes',
    )
    print_tensor_shape(score_classes, 'score_classes shape')

    # The way back to the size of the image: every place paints its scores with a learned 31 x 31 brush.
    upscore = tf.layers.conv2d_transpose(
        score_classes,
        filters=CLASSES,
        kernel_size=[31, 31],
        strides=[16, 16],
        padding='same',
        use_bias=False,
        kernel_initializer=initial_weights,
        name='upscore',
    )
    print_tensor_shape(upscore, 'upscore shape')

    return upscore


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
    """Areas from which the Dice metric 2 * intersection / (predicted + labelled) is computed (Dice 1945).

    Args:
        logits: float32 [batch, 256, 256, 2], unnormalised class scores; class 1 is the left ventricle.
        labels: uint8 [batch, 256, 256], 1 inside the expert's endocardial contour, 0 outside.

    Returns:
        Three int32 scalars, in pixels, summed over the batch: intersection, labelled area, predicted area.
    """
    with tf.name_scope('eval'):
        print_tensor_shape(logits, 'logits eval shape before')
        print_tensor_shape(labels, 'labels eval shape before')

        logits_re = tf.reshape(logits, [-1, CLASSES])
        print_tensor_shape(logits_re, 'logits_re eval shape after')
        labels_re = tf.reshape(tf.cast(labels, tf.int32), [-1])
        print_tensor_shape(labels_re, 'labels_re eval shape after')
        labels_re = tf.reshape(labels_re, [-1, 1])
        print_tensor_shape(labels_re, 'labels_re eval shape after')

        # The class with the highest score: 1 where the network sees the left ventricle, 0 elsewhere.
        indices = tf.reshape(tf.argmax(logits_re, axis=1, output_type=tf.int32), [-1, 1])
        print_tensor_shape(indices, 'indices shape')

        # With pixels of 0 and 1, the sum over a mask is its area.
        example_sum = tf.reduce_sum(indices)
        print_tensor_shape(example_sum, 'example_sum shape')
        label_sum = tf.reduce_sum(labels_re)
        print_tensor_shape(label_sum, 'label_sum shape')

        # Both masks added give 2 where they overlap. The intersection is 1 there, and 0 elsewhere.
        sum_tensor = indices + labels_re
        print_tensor_shape(sum_tensor, 'sum_tensor shape')
        twos = tf.fill(tf.shape(sum_tensor), 2)
        twos.set_shape(sum_tensor.shape)
        print_tensor_shape(twos, 'twos shape')
        divs = FIXME
        print_tensor_shape(divs, 'divs shape')

        return tf.reduce_sum(divs), label_sum, example_sum
