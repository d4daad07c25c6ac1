"""Bias and limits of agreement are what one works out by hand."""

import math

import pytest

from study.agreement import agreement


def test_the_bias_is_the_mean_difference_and_the_limits_are_1_96_standard_deviations_away():
    # Differences 1, 3, 5: mean 3; squares of the distances from it 4, 0, 4, by n - 1 = 2 that is 4, and its root 2.
    found = agreement([11, 23, 35], [10, 20, 30])
    assert found.n == 3
    assert found.bias == pytest.approx(3)
    assert found.sd == pytest.approx(2)
    assert found.margin == pytest.approx(3.92)
    assert found.limits == pytest.approx((3 - 3.92, 3 + 3.92))


def test_what_is_too_small_has_a_negative_bias():
    assert agreement([9, 18], [10, 20]).bias == pytest.approx(-1.5)  # of -1 and -2


def test_twice_as_much_correlates_perfectly_and_does_not_agree():
    found = agreement([20, 40, 60], [10, 20, 30])
    assert found.correlation == pytest.approx(1)
    assert found.bias == pytest.approx(20)


def test_the_correlation_is_pearsons():
    # Distances from the means -1, 0, 1 and -1, 1, 0: products 1, 0, 0; r = 1 / sqrt(2 x 2) = 0.5.
    assert agreement([1, 2, 3], [1, 3, 2]).correlation == pytest.approx(0.5)


def test_there_is_no_correlation_where_nothing_varies():
    assert math.isnan(agreement([1, 2], [3, 3]).correlation)


@pytest.mark.parametrize('measured, reference', [([1], [1]), ([], []), ([1, 2], [1, 2, 3])])
def test_fewer_than_two_pairs_or_values_without_a_partner_are_refused(measured, reference):
    with pytest.raises(ValueError, match='two or more pairs'):
        agreement(measured, reference)
