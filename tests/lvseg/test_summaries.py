import io

from lvseg import metrics, pictures, summaries

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from PIL import Image
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.pr_curve import summary as pr_curve_plugin

SIZE = 8


def tiny_training(slices=3, weight=1.0):
    """Slices whose pixels are all their number + 1; the left half is labelled, and found if the weight is positive."""
    numbers = tf.data.Dataset.range(slices).map(
        lambda number: tf.fill([1, SIZE, SIZE], tf.cast(number + 1, tf.float32))
    )
    images = tf.data.make_one_shot_iterator(numbers).get_next()
    half = np.zeros((1, SIZE, SIZE), np.uint8)
    half[:, :, : SIZE // 2] = 1
    labels = tf.constant(half)
    kernel = tf.get_variable('layer/kernel', initializer=weight)
    tf.get_variable('unused', initializer=1.0)
    logits = tf.stack([tf.zeros_like(images), kernel * images * (2 * half.astype(np.float32) - 1)], axis=-1)
    loss = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.cast(labels, tf.int32), logits=logits)
    )
    train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    return images, labels, logits, loss, train_op


def values_of(serialized):
    return {value.tag: value for value in tf.Summary.FromString(serialized).value}


@pytest.fixture
def session(graph):
    with tf.Session(graph=graph) as session:
        yield session


def test_a_training_step_is_summarised_by_scalars_a_picture_and_histograms(session):
    images, labels, logits, loss, train_op = tiny_training()
    summaries.training(images, labels, logits, loss)
    session.run(tf.global_variables_initializer())
    _, found_loss, serialized = session.run([train_op, loss, tf.summary.merge_all()])
    values = values_of(serialized)
    assert set(values) == {
        'loss',
        'precision',
        'dice',
        'segmentation/training_slice',
        'weights/layer/kernel',
        'weights/unused',
        'gradients/layer/kernel',  # and none of `unused`, which the loss does not depend on
    }
    assert values['loss'].simple_value == pytest.approx(found_loss)
    assert values['precision'].simple_value == values['dice'].simple_value == 1  # It finds the labelled half.


def test_the_gradient_is_that_of_the_step(session):
    images, labels, logits, loss, train_op = tiny_training()
    summaries.training(images, labels, logits, loss)
    session.run(tf.global_variables_initializer())
    _, serialized = session.run([train_op, tf.summary.merge_all()])
    # Cross entropy of every pixel is ln(1 + exp(-w x)); by w that is -x / (1 + exp(w x)), here with w = x = 1.
    assert values_of(serialized)['gradients/layer/kernel'].histo.sum == pytest.approx(-1 / (1 + np.exp(1)))


def test_the_picture_shows_the_slice_of_the_step_and_takes_none_of_its_own(session):
    images, labels, logits, loss, train_op = tiny_training(slices=3)
    summaries.training(images, labels, logits, loss)
    session.run(tf.global_variables_initializer())
    seen = []
    with pytest.raises(tf.errors.OutOfRangeError):
        while True:
            fetched, _, serialized = session.run([images, train_op, tf.summary.merge_all()])
            seen.append(fetched[0, 0, 0])
            assert 'segmentation/training_slice' in values_of(serialized)
    assert seen == [1, 2, 3]


def test_training_goes_the_same_way_with_and_without_summaries():
    def weight_after(steps, summarise):
        with tf.Graph().as_default(), tf.Session() as session:
            tf.set_random_seed(1)
            images, labels, logits, loss, train_op = tiny_training(slices=steps)
            if summarise:
                summaries.training(images, labels, logits, loss)
            fetches = [train_op] + ([tf.summary.merge_all()] if summarise else [])
            session.run(tf.global_variables_initializer())
            for _ in range(steps):
                session.run(fetches)
            (kernel,) = (weights for weights in tf.trainable_variables() if weights.op.name == 'layer/kernel')
            return session.run(kernel)

    assert weight_after(5, summarise=True) == weight_after(5, summarise=False) != 1


def test_a_weight_that_is_no_longer_finite_does_not_stop_the_summaries(session):
    images, labels, logits, loss, _ = tiny_training(weight=float('nan'))
    summaries.training(images, labels, logits, loss)
    session.run(tf.global_variables_initializer())
    assert values_of(session.run(tf.summary.merge_all()))['weights/layer/kernel'].histo.num == 0


def test_of_a_large_layer_some_values_stand_for_all(session):
    images, labels, logits, loss, _ = tiny_training()
    weights = np.arange(4096 * 32, dtype=np.float32).reshape(4096, 32)
    tf.get_variable('large', initializer=weights)
    summaries.training(images, labels, logits, loss)
    session.run(tf.global_variables_initializer())
    found = values_of(session.run(tf.summary.merge_all()))['weights/large'].histo
    # 131072 values // 20000 = 6, made odd: every 7th from 0 on. 131071 = 7 * 18724 + 3.
    assert (found.num, found.min, found.max) == (18725, 0, 7 * 18724)


@pytest.mark.parametrize('rows', [4096, 4500, 5000])
def test_the_values_that_stand_for_a_layer_are_of_all_its_columns(rows, session):
    """In a layer of 32 columns, every 6th or 8th value is of an even column; 4500 * 32 values // 20000 = 7."""
    images, labels, logits, loss, _ = tiny_training()
    tf.get_variable('large', initializer=np.tile(np.arange(32, dtype=np.float32), [rows, 1]))
    summaries.training(images, labels, logits, loss)
    session.run(tf.global_variables_initializer())
    found = values_of(session.run(tf.summary.merge_all()))['weights/large'].histo
    assert (found.min, found.max) == (0, 31)
    assert found.sum / found.num == pytest.approx(31 / 2, rel=0.001)  # Of each column about as many.


def test_a_picture_has_the_contours_in_their_colours():
    mask = np.zeros((64, 64), np.uint8)
    mask[10:30, 10:30] = 1
    summary = summaries.picture('some/tag', pictures.Slice(np.zeros((64, 64)), mask, np.roll(mask, 20, 1)), 'Dice 0')
    image = summary.value[0].image
    assert summary.value[0].tag == 'some/tag'
    drawn = np.asarray(Image.open(io.BytesIO(image.encoded_image_string)).convert('RGB'))
    assert drawn.shape == (image.height, image.width, 3)
    slice_part = drawn[:256]  # What is below are words, in the same colours.
    for colour in (pictures.EXPERT, pictures.NETWORK):
        assert (np.abs(slice_part.astype(int) - colour).max(axis=-1) < 8).sum() > 100


def tensor_of(summary):
    return tf.make_ndarray(summary.value[0].tensor)


def test_the_precision_recall_curve_is_that_of_tensorboards_own_function():
    random = np.random.RandomState(3)
    labels = random.randint(0, 2, [4, 16, 16])
    probability = np.clip(0.3 * labels + 0.7 * random.rand(4, 16, 16), 0, 1).astype(np.float32)
    # Slice by slice here, all at once there.
    counts = sum(metrics.probability_counts(*piece) for piece in zip(probability, labels))
    expected = pr_curve_plugin.pb('any', labels.astype(bool), probability, num_thresholds=metrics.THRESHOLDS)
    ours = summaries.pr_curve(counts)
    np.testing.assert_allclose(tensor_of(ours), tensor_of(expected), rtol=1e-6)
    assert ours.value[0].metadata.plugin_data == expected.value[0].metadata.plugin_data


def test_the_precision_recall_curve_of_four_pixels():
    probability, labels = np.array([0.9, 0.6, 0.6, 0.1]), np.array([1, 1, 0, 0])
    curve = tensor_of(summaries.pr_curve(metrics.probability_counts(probability, labels)))
    rows = ['true positive', 'false positive', 'true negative', 'false negative', 'precision', 'recall']
    at = {threshold: dict(zip(rows, curve[:, round(threshold * 100)])) for threshold in (0, 0.5, 0.8, 1)}
    assert list(at[0].values()) == [2, 2, 0, 0, 0.5, 1]  # All are called left ventricle.
    assert list(at[0.5].values()) == pytest.approx([2, 1, 1, 0, 2 / 3, 1])
    assert list(at[0.8].values()) == [1, 0, 2, 1, 1, 0.5]
    assert list(at[1].values()) == [0, 0, 2, 2, 0, 0]  # None is.


def test_probabilities_are_counted_from_0_to_1():
    counts = metrics.probability_counts(np.array([0, 0.005, 0.0101, 1, np.nan]), np.array([0, 1, 1, 1, 0]))
    assert counts.shape == (2, 101) and counts.sum() == 5
    assert counts[0, 0] == 2  # NaN counts as 0: the network says nothing.
    assert (counts[1, 0], counts[1, 1], counts[1, 100]) == (1, 1, 1)


def test_the_probability_is_the_softmax_of_the_class_scores(session):
    # exp(1) / (exp(1) + exp(-1)) = 1 / (1 + exp(-2)) = 0.8808
    assert session.run(metrics.probabilities(tf.constant([[[[-1.0, 1.0]]]]))) == pytest.approx(0.8808, abs=1e-4)


def hparams_of(serialized):
    summary = tf.Summary.FromString(serialized)
    return summary.value[0].tag, summary.value[0].metadata.plugin_data.content


def test_the_flags_of_a_run_become_a_row_of_the_table():
    run = {'exercise': 'cnn', 'learning_rate': 0.03, 'num_epochs': 30, 'seed': None, 'data_dir': '/not/in/the/table'}
    parts = dict(map(hparams_of, summaries.hparams(run, 'a name')))
    start = hparams_metadata.parse_session_start_info_plugin_data(parts[hparams_metadata.SESSION_START_INFO_TAG])
    assert start.group_name == 'a name'
    assert set(start.hparams) == {'exercise', 'learning_rate', 'num_epochs'}
    assert start.hparams['exercise'].string_value == 'cnn'
    assert start.hparams['num_epochs'].number_value == 30
    columns = hparams_metadata.parse_experiment_plugin_data(parts[hparams_metadata.EXPERIMENT_TAG])
    assert [info.name for info in columns.hparam_infos] == list(summaries.HPARAMS)
    assert [info.name.tag for info in columns.metric_infos] == ['precision', 'dice']
