"""What the grader says of the blanks of functions, which it judges as a whole."""

from lvseg import networks

import pytest

from classroom.grading import observing
from classroom.judging import OPEN, UNKNOWN, WRONG, Solution
from tests.classroom.filled import folder_of

W_FC, W_FC2 = '[PIXELS, HIDDEN_UNITS]', '[HIDDEN_UNITS, PIXELS * CLASSES]'


@pytest.fixture(scope='module')
def solution():
    return Solution(networks.solution('simple'))


@pytest.fixture
def report(tmp_path, solution):
    """The grader's report on exercise 1 with other values in its two matrices."""

    def graded(first, second):
        path = folder_of('simple', tmp_path / 'simple') / 'neuralnetwork.py'
        text = path.read_text().replace(W_FC, first).replace(W_FC2, second)
        path.write_text(text)
        seen = observing.observed(path, observing.task(solution))
        return observing.report(seen.encode(), {path.name: text}, solution)

    return graded


@pytest.mark.parametrize(
    ('first', 'second', 'states', 'following'),
    [
        (W_FC, '[FIXME, FIXME]', [(UNKNOWN, UNKNOWN), (OPEN, OPEN)], 'W_fc2'),
        (W_FC, 'FIXME', [(UNKNOWN, UNKNOWN), (OPEN, OPEN)], 'W_fc2'),
        ('[FIXME, FIXME]', W_FC2, [(OPEN, OPEN), (UNKNOWN, UNKNOWN)], 'W_fc'),
        ('[PIXELS, FIXME]', W_FC2, [(UNKNOWN, OPEN), (UNKNOWN, UNKNOWN)], 'W_fc'),
    ],
)
def test_beside_an_open_blank_none_is_called_wrong_and_the_open_one_is_next(first, second, states, following, report):
    found = report(first, second)
    assert [verdict.states for verdict in found.verdicts.values()] == states
    assert f': {following} is still open (FIXME). ' in found.problem
    assert found.hints[0].code == f'inference.{following}.hint'
    assert not any('not what is wanted' in verdict.text for verdict in found.verdicts.values())


def test_which_of_several_filled_blanks_is_wrong_is_not_claimed(report):
    found = report('[PIXELS, CLASSES]', W_FC2)
    assert [verdict.states for verdict in found.verdicts.values()] == [(WRONG, WRONG)] * 2
    for verdict in found.verdicts.values():
        assert ', or another blank of this function, is not what is wanted. ' in verdict.text


def test_solved_it_is_in_order(report):
    found = report(W_FC, W_FC2)
    assert (found.problem, found.solved) == ('', 4)
