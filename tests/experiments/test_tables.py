"""experiments/tables.py: rows of the tables, by hand arithmetic."""

from experiments import tables
from experiments.commands import Run
from experiments.measuring import Measured


def of_seeds(*seeds):
    """What is kept of trainings: (Dice, Dice per slice, minutes) of each."""
    return [
        Measured({}, 60.0 * minutes, {'dice': dice, 'per_slice': {'dice': {'mean': per_slice}}, 'step': steps}, {})
        for dice, per_slice, minutes, steps in seeds
    ]


def test_a_row_has_mean_and_standard_deviation_over_the_seeds():
    # (0.5 + 0.6 + 0.7) / 3 = 0.6; sqrt((0.01 + 0 + 0.01) / 2) = 0.1; (1 + 2 + 6) / 3 = 3.
    runs = of_seeds((0.5, 0.1, 1, 234), (0.6, 0.1, 2, 234), (0.7, 0.1, 6, 234))
    row = tables.Row('cnnDice', 'cnnDice', '--num_epochs 1', 'dice', 0.034, 0.029)
    assert tables.results_line(row, runs) == (
        '| cnnDice | `--num_epochs 1` | dice | 0.600 ± 0.100 | 0.500, 0.600, 0.700 | 0.034 | 0.029 | 234 | 3.0 |'
    )


def test_a_row_of_the_challenge_has_the_mean_per_slice_too():
    runs = of_seeds((0.5, 0.1, 1, 1500), (0.6, 0.2, 2, 1500), (0.7, 0.3, 6, 1500))
    assert tables.challenge_line('--network fcn', runs) == (
        '| `--network fcn` | 0.600 ± 0.100 | 0.500, 0.600, 0.700 | 0.200 ± 0.100 | 1500 | 3.0 |'
    )


def test_the_table_shows_each_run_and_what_calling_every_pixel_background_scores():
    metrics = {'step': 234, 'precision': 0.98761, 'dice': 0.54321, 'background_precision': 0.98522}
    lines = tables.lab({'cnn': 1}, {'cnn': Run(12.4, metrics)}).splitlines()
    assert lines[0].split() == ['exercise', 'epochs', 'steps', 'seconds', 'precision', 'Dice']
    assert lines[2].split() == ['cnn', '1', '234', '12', '0.988', '0.543']
    # All background: no pixel of the prediction overlaps the label, so Dice is 0.
    assert lines[3].split() == ['every', 'pixel', 'background', '0.985', '0.000']


def test_a_cross_validation_has_its_parts_then_mean_spread_and_all_slices():
    names = ('patients', 'slices', 'steps', 'seconds', 'dice', 'dice_per_slice', 'iou_per_slice')
    names += ('average_perpendicular_distance', 'hausdorff_distance', 'good')
    # Each line by its own number, from which its figures count up: no two figures are alike.
    lines = {first: dict(zip(names, range(first, first + 10))) for first in (10, 20, 30, 40)}
    result = {'unit': 'mm', 'slices_with_that_unit': 11, 'parts': {'fold 1': lines[10]}}
    result.update(mean=lines[20], standard_deviation=lines[30], all_slices=lines[40])
    head, _, fold, waiting, _, *below = tables.cross_validation(['fold 1', 'fold 2'], result).splitlines()
    assert (
        ' '.join(head.split()) == 'held out patients slices steps seconds Dice per slice IoU APD mm Hausdorff mm good'
    )
    assert [' '.join(line.split()) for line in (fold, waiting, *below)] == [
        'fold 1 10 11 12 13 14.000 15.000 16.000 17.00 18.00 19.000',
        'fold 2 not yet measured',
        'mean 20 21 22 23 24.000 25.000 26.000 27.00 28.00 29.000',
        'standard deviation 30 31 32 33 34.000 35.000 36.000 37.00 38.00 39.000',
        'all slices 40 41 42 43 44.000 45.000 46.000 47.00 48.00 49.000',
    ]
