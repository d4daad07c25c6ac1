import numpy as np
import pytest

from data_prep.phantom.heart import cut
from data_prep.phantom.patient import invent_patient


def wall_volume(heart, contraction):
    """In cubic mm, of the middle of the ventricle, where neither valve nor apex makes the wall another one."""
    heights = np.arange(0, 120, 0.05)
    sections = [section for section in (cut(heart, z, contraction) for z in heights) if 0.25 < section.depth < 0.95]
    # The area of a ring in polar coordinates is half the sum of the radii's squares, times the angle, here 2 degrees.
    return sum(np.sum(np.square(one.epi) - np.square(one.endo)) / 2 * np.radians(2) * 0.05 for one in sections)


@pytest.mark.parametrize('number', range(1, 5))
def test_muscle_keeps_its_volume_as_the_heart_contracts(number):
    heart = invent_patient(1234, number).heart
    assert cut(heart, 40, 1).endo.mean() < cut(heart, 40, 0).endo.mean()
    assert wall_volume(heart, 1) == pytest.approx(wall_volume(heart, 0), rel=0.005)
