import numpy as np

from study.ventricle import ventricle

SHAPE = (4, 3, 40, 40)  # slices, phases, rows, columns


def stack(radii, at=(20, 20)):
    """Discs of these radii, by slice and phase."""
    rows, columns = np.indices(SHAPE[2:])
    distance = np.hypot(rows - at[0], columns - at[1])
    return distance <= np.array(radii)[:, :, np.newaxis, np.newaxis]


BEATING = [[9, 6, 8], [8, 5, 7], [7, 4, 6], [4, 2, 3]]


def test_a_ventricle_is_kept_as_it_is():
    found = ventricle(stack(BEATING))
    np.testing.assert_array_equal(found.kept, stack(BEATING))
    assert (found.islands, found.atrium) == (0, [])


def test_an_island_is_dropped_however_large_it_is_in_its_image():
    with_island = stack(BEATING)
    with_island[3, 1, :12, :12] = True  # 144 pixels, where the ventricle has 13 there.
    found = ventricle(with_island)
    np.testing.assert_array_equal(found.kept, stack(BEATING))
    assert found.islands == 144


def test_a_piece_that_hangs_together_with_the_ventricle_in_another_slice_only_is_dropped():
    bridged = stack(BEATING)
    bridged[1, 0, 20, 20:39] = True  # A bridge of one pixel's width in slice 1 leads to a piece in slice 2.
    bridged[2, 0, 19:22, 36:39] = True
    found = ventricle(bridged)
    assert not found.kept[2, 0, 19:22, 36:39].any()
    np.testing.assert_array_equal(found.kept[2], stack(BEATING)[2])


def test_the_last_phase_is_followed_by_the_first():
    apart = stack(BEATING)
    apart[:, 1] = False  # Phases 0 and 2 hang together only by the end of the beat.
    np.testing.assert_array_equal(ventricle(apart).kept, apart)


def test_slices_at_the_base_that_grow_while_the_ventricle_contracts_are_dropped():
    found = ventricle(stack([[3, 6, 4], [9, 6, 8], [8, 5, 7], [7, 4, 6]]))
    assert found.atrium == [0]
    assert not found.kept[0].any()
    assert found.kept[1].any()


def test_an_apex_that_bulges_with_an_infarct_is_kept():
    found = ventricle(stack([[9, 6, 8], [8, 5, 7], [7, 4, 6], [3, 4, 3]]))
    assert found.atrium == []
    assert found.kept[3].any()


def test_one_phase_says_nothing_about_the_base():
    one = stack(BEATING)[:, :1]
    np.testing.assert_array_equal(ventricle(one).kept, one)


def test_an_empty_stack_stays_empty():
    found = ventricle(np.zeros(SHAPE, bool))
    assert not found.kept.any()
    assert (found.islands, found.atrium) == (0, [])
