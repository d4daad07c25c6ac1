"""scripts/results.py: rows of the tables, by hand arithmetic, and that docs/results.md speaks of these rows."""

import pytest

from experiments import results


def of_challenge(dice, per_slice, minutes):
    return {'dice': dice, 'per_slice': {'dice': {'mean': per_slice}}, 'minutes': minutes, 'step': 1500}


def test_a_row_has_mean_and_standard_deviation_over_the_seeds():
    # (0.5 + 0.6 + 0.7) / 3 = 0.6; sqrt((0.01 + 0 + 0.01) / 2) = 0.1; (1 + 2 + 6) / 3 = 3.
    runs = [{'dice': dice, 'minutes': minutes, 'step': 234} for dice, minutes in ((0.5, 1), (0.6, 2), (0.7, 6))]
    row = results.Row('cnnDice', 'cnnDice', '--num_epochs 1', 'dice', 0.034, 0.029)
    assert results.line(row, runs) == (
        '| cnnDice | `--num_epochs 1` | dice | 0.600 ± 0.100 | 0.500, 0.600, 0.700 | 0.034 | 0.029 | 234 | 3.0 |'
    )


def test_a_row_of_the_challenge_has_the_mean_per_slice_too():
    runs = [of_challenge(0.5, 0.1, 1), of_challenge(0.6, 0.2, 2), of_challenge(0.7, 0.3, 6)]
    assert results.challenge_line('--network fcn', runs) == (
        '| `--network fcn` | 0.600 ± 0.100 | 0.500, 0.600, 0.700 | 0.200 ± 0.100 | 1500 | 3.0 |'
    )


@pytest.mark.parametrize('flags', [*(row.flags for row in results.ROWS), *results.CHALLENGE])
def test_each_row_stands_in_the_published_tables(flags, root):
    assert f'| `{flags}` |' in (root / 'docs' / 'results.md').read_text()
