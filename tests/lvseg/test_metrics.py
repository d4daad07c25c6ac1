from lvseg import metrics
from lvseg.metrics import Areas

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

# Two slices of 2 x 3 pixels:
#   labelled   predicted
#   1 1 0      0 1 1        intersection 1, labelled 2, predicted 2, wrong 2 of 6
#   0 0 0      0 0 0
#
#   0 0 0      0 0 0        intersection 1, labelled 1, predicted 3, wrong 2 of 6
#   0 0 1      1 1 1
LABELS = np.array([[[1, 1, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 1]]], np.uint8)
PREDICTED = np.array([[[0, 1, 1], [0, 0, 0]], [[0, 0, 0], [1, 1, 1]]])
AREAS = Areas(np.array([1, 1]), np.array([2, 1]), np.array([2, 3]), np.array([6, 6]))
NOTHING = Areas(np.array(0), np.array(0), np.array(0), np.array(6))


def logits_of(mask):
    """Class scores of which the higher one is the mask's class, by different margins."""
    scores = np.zeros(mask.shape + (2,), np.float32)
    scores[..., 1] = np.where(mask == 1, 0.25, -3)
    return scores


def test_areas_are_counted_for_each_slice(graph):
    areas = metrics.areas(tf.constant(logits_of(PREDICTED)), tf.constant(LABELS))
    with tf.Session() as session:
        found = session.run(areas)
    for area, expected in zip(found, AREAS):
        assert area.tolist() == expected.tolist()


def test_areas_that_are_kept_do_not_hold_tensorflows_memory(graph):
    areas = metrics.areas(tf.constant(logits_of(PREDICTED)), tf.constant(LABELS))
    with tf.Session() as session:
        found = session.run(areas)
    assert all(area.flags.owndata for area in metrics.kept(found))
    assert all(area.flags.owndata for area in metrics.joined([found]))


def test_slices_are_pooled_by_adding_their_areas():
    # intersection 1 + 1, labelled 2 + 1, predicted 2 + 3, total 6 + 6
    assert metrics.pooled(AREAS) == (2, 3, 5, 12)


def test_slices_of_more_pixels_than_an_int32_counts_are_pooled():
    # 40,000 slices of 65,536 pixels: 2,621,440,000; an int32 ends at 2,147,483,647.
    slices = Areas(*(np.full(40000, area, np.int32) for area in (0, 65536, 65536, 65536)))
    assert metrics.pooled(slices) == (0, 2621440000, 2621440000, 2621440000)


@pytest.mark.parametrize(
    ('figure', 'of_each', 'of_nothing'),
    [
        (metrics.precision, [1 - 2 / 6, 1 - 2 / 6], 1),
        (metrics.background_precision, [1 - 2 / 6, 1 - 1 / 6], 1),
        (metrics.dice, [2 * 1 / (2 + 2), 2 * 1 / (3 + 1)], 1),
        (metrics.iou, [1 / 3, 1 / 3], 1),  # The unions are 2 + 2 - 1 and 1 + 3 - 1.
        (metrics.sensitivity, [1 / 2, 1 / 1], 1),
    ],
)
def test_figures_of_areas(figure, of_each, of_nothing):
    assert figure(AREAS) == pytest.approx(of_each)
    assert figure(NOTHING) == of_nothing


@pytest.mark.parametrize('figure', [metrics.precision, metrics.dice])
def test_a_figure_in_the_graph_is_the_same(figure, graph):
    floats = Areas(*(tf.constant(area, tf.float32) for area in AREAS))
    nothing = Areas(*(tf.constant(area, tf.float32) for area in NOTHING))
    with tf.Session() as session:
        assert session.run(figure(floats)) == pytest.approx(figure(AREAS))
        assert session.run(figure(nothing)) == 1


def test_a_missed_ventricle_scores_0():
    missed = Areas(np.array(0), np.array(5), np.array(0), np.array(6))
    assert metrics.dice(missed) == metrics.iou(missed) == metrics.sensitivity(missed) == 0
