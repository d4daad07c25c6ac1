"""experiments/figures.py: mean and spread over parts, and all their slices together; and how the table shows them."""

import pytest

from experiments import tables
from experiments.figures import summary
from experiments.measuring import Measured


def found(images, areas, dice, contours):
    """What is kept of a part; distances are (unit, slices with both contours, mean)."""
    known = {}
    for unit, both, distance in contours:
        known[unit] = {'slices': both, 'both_contours': both, 'contours': both, 'good': 0.5}
        known[unit].update(average_perpendicular_distance={'mean': distance}, hausdorff_distance={'mean': distance})
    metrics = {'images': images, 'step': 1, 'dice': 0.5, 'contours': known}
    metrics['per_slice'] = {'dice': {'mean': dice}, 'iou': {'mean': dice / 2}}
    areas = dict(zip(('intersection', 'labelled', 'predicted'), areas))
    return Measured({'held_out': ['a']}, 1.0, metrics, areas)


def test_all_slices_count_alike_whatever_their_fold():
    # 1 slice of Dice 0.2, 3 of 0.6: 2.0 / 4 = 0.5 per slice, 0.4 over folds. Pooled: 2 * 40 / (50 + 50) = 0.8.
    # Distances of 1 and 3 slices, 4 and 2 mm: 10 / 4 = 2.5, 3 over folds.
    measured = {
        'fold 1': found(1, (10, 20, 20), 0.2, [('mm', 1, 4.0)]),
        'fold 2': found(3, (30, 30, 30), 0.6, [('mm', 3, 2.0)]),
    }
    result = summary(measured)
    assert result['mean']['dice_per_slice'] == pytest.approx(0.4)
    assert result['standard_deviation']['dice_per_slice'] == pytest.approx(0.2 * 2**0.5)  # sqrt((0.04 + 0.04) / 1)
    whole = result['all_slices']
    assert (whole['dice'], whole['dice_per_slice']) == (pytest.approx(0.8), pytest.approx(0.5))
    assert result['mean']['hausdorff_distance'] == 3 and whole['hausdorff_distance'] == 2.5
    assert 'Distances are of' not in tables.cross_validation(list(measured), result)


def test_each_figure_counts_what_it_is_of():
    # IoU of slices: (1 * 0.1 + 3 * 0.3) / 4 = 0.25. Distances of slices with both contours: (1 * 4 + 1 * 2) / 2 = 3.
    # Good of the slices with any contour: (1 * 1 + 2 * 0.25) / 3 = 0.5.
    measured = {
        'fold 1': found(1, (10, 20, 20), 0.2, [('mm', 1, 4.0)]),
        'fold 2': found(3, (30, 30, 30), 0.6, [('mm', 1, 2.0)]),
    }
    measured['fold 1'].metrics['contours']['mm'].update(slices=1, contours=1, good=1.0)
    measured['fold 2'].metrics['contours']['mm'].update(slices=3, contours=2, good=0.25)
    whole = summary(measured)['all_slices']
    assert whole['iou_per_slice'] == pytest.approx(0.25)
    assert whole['average_perpendicular_distance'] == whole['hausdorff_distance'] == pytest.approx(3)
    assert whole['good'] == pytest.approx(0.5)


def test_nothing_labelled_and_nothing_predicted_is_a_dice_of_one():
    measured = {name: found(1, (0, 0, 0), 1.0, []) for name in ('fold 1', 'fold 2')}
    assert summary(measured)['all_slices']['dice'] == 1


def test_distances_in_pixels_are_not_averaged_with_those_in_mm():
    measured = {
        'fold 1': found(3, (10, 20, 20), 0.2, [('mm', 2, 4.0), ('pixels', 1, 9.0)]),
        'fold 2': found(3, (30, 30, 30), 0.6, [('pixels', 3, 9.0)]),
    }
    result = summary(measured)
    assert result['unit'] == 'mm' and result['all_slices']['average_perpendicular_distance'] == 4
    assert result['mean']['hausdorff_distance'] == 4 and result['standard_deviation']['hausdorff_distance'] is None
    text = tables.cross_validation(list(measured), result)
    assert 'Distances are of the 2 of 6 slices whose pixel spacing is known.' in text


def test_without_any_spacing_distances_are_in_pixels_and_no_contour_is_called_good():
    measured = {'fold 1': found(3, (10, 20, 20), 0.2, [('pixels', 3, 9.0)])}
    del measured['fold 1'].metrics['contours']['pixels']['good']
    text = tables.cross_validation(['fold 1'], summary(measured))
    assert 'APD pixels' in text.splitlines()[0]
    assert text.splitlines()[2].split()[-2:] == ['9.00', '-']
