"""How well two ways to measure the same thing agree: bias and limits of agreement, after Bland and Altman.

J. M. Bland, D. G. Altman, Statistical methods for assessing agreement between two methods of clinical measurement,
Lancet 1986;1:307. A correlation alone says little: two methods of which one always finds twice as much correlate
perfectly, and any two do the better the more the patients differ. It is here because it is published.
"""

from typing import NamedTuple, Sequence

import numpy as np

_OF_95_PERCENT = 1.96  # standard deviations of a normal distribution, to either side of the mean


class Agreement(NamedTuple):
    """Of n measurements with their references; in the unit of these."""

    n: int
    bias: float  # mean of measured minus reference
    sd: float  # standard deviation of these differences, n - 1 in the denominator
    correlation: float  # Pearson's r; NaN where one of the two is the same for all

    @property
    def margin(self) -> float:
        """How far the limits of agreement are from the bias."""
        return _OF_95_PERCENT * self.sd

    @property
    def limits(self) -> 'Limits':
        """Between these, 95 % of the differences are expected, if they are normally distributed."""
        return Limits(self.bias - self.margin, self.bias + self.margin)


class Limits(NamedTuple):
    """The 95 % limits of agreement."""

    lower: float
    upper: float


def agreement(measured: Sequence[float], reference: Sequence[float]) -> Agreement:
    """Compares measurements with what they ought to be, pair by pair.

    Raises:
        ValueError: fewer than two pairs, of which there is no spread, or one of the two has more.
    """
    if len(measured) != len(reference) or len(measured) < 2:
        raise ValueError(f'two or more pairs are wanted, not {len(measured)} and {len(reference)} values')
    measured, reference = np.asarray(measured, np.float64), np.asarray(reference, np.float64)
    differences = measured - reference
    varies = np.ptp(measured) > 0 and np.ptp(reference) > 0
    correlation = np.corrcoef(measured, reference)[0, 1] if varies else np.nan
    return Agreement(len(differences), float(differences.mean()), float(differences.std(ddof=1)), float(correlation))
