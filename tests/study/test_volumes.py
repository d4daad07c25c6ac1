import numpy as np
import pytest

from study import volumes
from study.stack import Stack


def thicknesses(*positions):
    return volumes.thicknesses(Stack([[None]] * len(positions), list(positions), [], []))


def test_a_volume_is_the_sum_of_areas_times_thickness():
    # 10 mm x (100 + 200) mm2 = 3 ml, 10 mm x (50 + 100) mm2 = 1.5 ml; (3 - 1.5) / 3 = 50 %.
    found = volumes.volumes(np.array([[50, 100], [100, 200]]), [10, 10])
    assert (found.edv, found.esv, found.ejection_fraction) == (3, 1.5, 50)
    assert (found.ed_phase, found.es_phase) == (1, 0)


def test_slices_evenly_spaced_stand_for_their_spacing():
    assert thicknesses(5, 13, 21) == [8, 8, 8]


def test_a_slice_beside_a_gap_stands_for_half_the_way_to_each_neighbour():
    # Planes at 0, 10, 30, 40 mm: 10 at the ends, (10 + 20) / 2 = 15 beside the gap.
    assert thicknesses(0, 10, 30, 40) == [10, 15, 15, 10]


@pytest.mark.parametrize('areas', [[[0, 0]], [[7]]])
def test_an_empty_ventricle_and_a_single_phase_have_no_ejection_fraction(areas):
    assert volumes.volumes(np.array(areas), [10]).ejection_fraction is None
