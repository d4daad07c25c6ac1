"""What several workers take: the formula, and how the line between them is slowed down."""

from lvseg import processes
from lvseg.errors import LabError

import pytest

from experiments import scaling

NETWORK = scaling.Network(['cnnDice'], bytes=5_000_000)


@pytest.mark.parametrize(
    ('workers', 'megabits', 'seconds'),
    [
        (1, None, 0.8),  # 8 slices of 0.1 s
        (2, None, 0.4),
        (3, None, 0.4),  # Shares of 3 would take 0.3 s, but two cores take 0.4 s for all 8.
        (1, 400, 1.0),  # 10 MB there and back, 50 MB a second
        (2, 400, 0.8),  # 20 MB
    ],
)
def test_a_step_takes_what_a_share_and_the_line_take(workers, megabits, seconds, monkeypatch):
    monkeypatch.setattr(processes, 'cores', lambda: [0, 1])
    assert scaling.expected(NETWORK, 0.1, workers, megabits) == pytest.approx(seconds)


def test_where_no_line_can_be_slowed_down_it_is_one_line(monkeypatch):
    assert scaling.slowed_down(None) == []
    monkeypatch.setenv('PATH', '')
    with pytest.raises(LabError, match='--megabits needs unshare, ip and tc'):
        scaling.slowed_down(200)


def test_the_table_has_the_medians_and_the_formula_by_what_one_worker_took_without_a_slow_line(monkeypatch, capsys):
    monkeypatch.setattr(processes, 'cores', lambda: [0, 1])
    monkeypatch.setitem(scaling.NETWORKS, 'cnnDice', NETWORK)
    steps = {(None, 1): [0.9, 0.8, 0.7], (None, 2): [0.4, 0.5, 0.6], (400, 1): [1.1] * 3, (400, 2): [1.0] * 3}
    taken = {
        scaling.Case('cnnDice', line, workers): [scaling.Taken(9.0, step, 10.0, 600.0, 500.0) for step in of_case]
        for (line, workers), of_case in steps.items()
    }
    scaling.report(taken)
    assert capsys.readouterr().out.splitlines()[2:] == [
        '| cnnDice | - | 1 | 9.0 | 0.800 (0.700 to 0.900) | 1.00 | 0.800 | 10.0 | 600, 500 |',
        '| cnnDice | - | 2 | 9.0 | 0.500 (0.400 to 0.600) | 1.60 | 0.400 | 10.0 | 600, 500 |',
        '| cnnDice | 400 | 1 | 9.0 | 1.100 (1.100 to 1.100) | 1.00 | 1.000 | 10.0 | 600, 500 |',
        '| cnnDice | 400 | 2 | 9.0 | 1.000 (1.000 to 1.000) | 1.10 | 0.800 | 10.0 | 600, 500 |',
    ]
