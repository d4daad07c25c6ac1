"""Each mistake drawn: the expert's ventricle is a square of 20 x 20 pixels in most of them."""

from lvseg import mistakes

import numpy as np
import pytest


def square(top, left, height, width=None):
    mask = np.zeros((64, 64), np.uint8)
    mask[top : top + height, left : left + (width or height)] = 1
    return mask


EXPERT = square(20, 20, 20)
NOTHING = np.zeros((64, 64), np.uint8)


def without(mask, hole):
    return mask & (1 - hole)


@pytest.mark.parametrize(
    ('expert', 'predicted', 'kind'),
    [
        (NOTHING, square(20, 20, 3), 'invented'),
        (NOTHING, NOTHING, 'as drawn'),
        (EXPERT, NOTHING, 'missed'),
        (EXPERT, square(2, 2, 10), 'elsewhere'),
        (EXPERT, EXPERT | square(25, 40, 4, 6), 'leaked'),  # 6 pixels out
        (EXPERT, EXPERT | square(25, 40, 4, 5), 'as drawn'),  # 5 pixels out; 420 / 400 is a twentieth too large
        (EXPERT, square(26, 20, 14, 20), 'cut off'),  # 6 of 20 rows
        (EXPERT, without(EXPERT, square(28, 28, 3)), 'hollow'),
        (EXPERT, square(19, 20, 22, 20), 'wide'),  # 440 / 400 = 1.1
        (EXPERT, square(20, 20, 18, 20), 'narrow'),  # 360 / 400 = 0.9
        (EXPERT, square(20, 20, 19, 20), 'as drawn'),  # 0.95
        (EXPERT, square(12, 12, 36), 'wide'),  # 8 pixels out on all sides: no part leaks
        (EXPERT, square(28, 28, 4), 'narrow'),  # 8 pixels in on all sides: no part is cut off
        (EXPERT, without(square(12, 12, 36), square(28, 28, 1)), 'wide'),  # What a hole in it does not change.
        (EXPERT, EXPERT, 'as drawn'),
    ],
)
def test_a_mistake_is_called_by_what_is_seen(expert, predicted, kind):
    assert mistakes.kind(expert, predicted) == kind


def test_what_went_further_out_counts_before_what_is_missing():
    assert mistakes.kind(EXPERT, square(30, 20, 20, 20)) == 'leaked'  # 10 rows too low: both


def test_every_kind_is_told_by_its_rule():
    assert all(mistakes.KINDS.values())
