"""The plot of Bland and Altman: how far off each measurement is, over how large what it measures is."""

from lvseg import pictures

import numpy as np
from PIL import Image

from experiments import panels
from experiments.pumping import QUANTITIES, Comparison, signed

POINT = pictures.ORANGE


def picture(comparison: Comparison) -> bytes:
    """A PNG file with a panel for each of the quantities that two or more patients have.

    Across lies the mean of the two, as Bland and Altman advise, up measured minus reference; a line at the bias, and
    dashed ones at the 95 % limits of agreement.
    """
    quantities = [quantity for quantity in comparison.quantities if comparison.agreement(quantity)]
    paper = panels.canvas(max(len(quantities), 1))
    for number, quantity in enumerate(quantities):
        _draw_panel(paper, number, comparison, quantity)
    return pictures.png(paper)


def _draw_panel(paper: Image.Image, number: int, comparison: Comparison, quantity: str) -> None:
    values = np.array(comparison.values(quantity))
    means, differences = values.mean(axis=1), values[:, 0] - values[:, 1]
    found = comparison.agreement(quantity)
    panel = panels.Panel(paper, number, means, [*differences, *found.limits, 0])
    for y, name in ((found.bias, 'bias'), (found.limits.upper, '+1.96 sd'), (found.limits.lower, '-1.96 sd')):
        panel.level(y, f'{name} {signed(y)}'.replace('−', '-'), dashed=name != 'bias')
    for x, y in zip(means, differences):
        panel.point(x, y, POINT)
    heading, unit = QUANTITIES[quantity]
    panel.title(f'{heading} ({unit}): {comparison.name}', 'mean of the two; up: measured - reference')
