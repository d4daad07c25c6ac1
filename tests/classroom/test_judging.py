"""Which of 24 blanks are solved and which is next, for every blank; and hints that give nothing away."""

import re

import pytest

from classroom import checking
from classroom import judging as check
from tests.classroom.cnn import BLANK, KERNEL, LINES, PARAMETERS, SOLVED, answers, is_solved, with_values

AXES = ('height', 'width')
TRIED = (1, 2, 3, 4, 5, 7, 16)

BLANKS = [
    pytest.param(line, axis, id=f'{parameter.layer}-{parameter.name}-{AXES[axis]}')
    for line, parameter in zip(LINES, PARAMETERS)
    for axis in (0, 1)
]


# What is right


def test_there_are_24_blanks(solution):
    assert solution.blanks == 24


def test_the_solution_is_right(report):
    found = report(SOLVED)
    assert is_solved(found) and found.notes == ()


@pytest.mark.parametrize(
    'spelt', ['[5,5]', '(5, 5)', '5', '[10 // 2, 4 + 1]', 'SIZE', '[SIZE, SIZE]', 'np.array([5, 5])']
)
def test_right_is_what_behaves_right_however_it_is_spelt(spelt, report):
    constants = 'import numpy as np\n\nSIZE = 5\n'
    assert is_solved(report(constants + SOLVED.replace(KERNEL, f'kernel_size={spelt}', 1)))


def test_every_blank_may_be_a_single_number(report):
    text = SOLVED
    for line in LINES:
        lines = text.split('\n')
        lines[line - 1] = re.sub(r'\[(\d+), \d+\]', r'\1', lines[line - 1])
        text = '\n'.join(lines)
    assert '[5, 5]' not in text
    assert is_solved(report(text))


def test_what_is_right_by_default_may_be_left_out(report):
    # Strides of 1 are what conv2d has when it is given none.
    assert is_solved(report(SOLVED.replace('        strides=[1, 1],\n', '', 1)))


# What is wrong


@pytest.mark.parametrize(('line', 'axis'), BLANKS)
def test_every_other_value_in_every_blank_is_refused_at_its_layer_and_parameter(line, axis, report):
    parameter = PARAMETERS[LINES.index(line)]
    wrong = [str(value) for value in TRIED if str(value) != answers(line)[axis]]
    assert len(wrong) == len(TRIED) - 1

    for value in wrong:
        values = answers(line)
        values[axis] = value
        found = report(with_values(SOLVED, line, values))
        assert found.solved == 23, value
        assert found.problem.startswith(f'{parameter.layer}, line {line}: {parameter.name} gave '), value
        states = ['the height is right', 'the width is right']
        states[axis] = states[axis].replace('right', 'wrong')
        assert found.problem.lower().endswith(f'{states[0]}, {states[1]}.'), value


def test_strides_are_told_by_the_output_they_gave(report):
    line = LINES[PARAMETERS.index(('conv2', 'strides'))]
    # Pooling has left 64 x 64. Strides of 1 keep that; 64 / 2 = 32 is wanted.
    assert report(with_values(SOLVED, line, ['1', '1'])).problem == (
        f'conv2, line {line}: strides gave an output of (1, 64, 64, 200); (1, 32, 32, 200) is wanted. '
        'Each stride divides height and width.'
    )


def test_a_kernel_is_told_by_its_weights(report):
    # Height x width x 1 grey channel x 100 filters.
    problem = report(with_values(SOLVED, LINES[0], ['3', '4'])).problem
    assert problem.startswith(f'conv1, line {LINES[0]}: kernel_size gave weights of (3, 4, 1, 100); ')


def test_a_window_is_told_by_its_size(report):
    line = LINES[PARAMETERS.index(('pool1', 'pool_size'))]
    problem = report(with_values(SOLVED, line, ['3', '4'])).problem
    assert problem.startswith(f'pool1, line {line}: pool_size gave a window of (3, 4); ')


# What is open


@pytest.mark.parametrize('count', range(12))
def test_the_blanks_are_gone_through_in_order(count, report):
    text = BLANK
    for line in LINES[:count]:
        text = with_values(text, line, answers(line))

    found = report(text)

    assert found.solved == 2 * count
    layer, name = PARAMETERS[count]
    assert found.problem.startswith(f'{layer}, line {LINES[count]}: {name} is still open (FIXME)')


def test_what_is_solved_after_an_open_blank_counts(report):
    found = report(with_values(SOLVED, LINES[0], ['FIXME', 'FIXME']))
    assert found.solved == 22
    assert found.problem.startswith('conv1, ')


def test_of_two_blanks_one_may_be_open(report):
    found = report(with_values(SOLVED, LINES[0], ['5', 'FIXME']))
    assert found.solved == 23
    assert found.problem.endswith('The height is right, the width is still open.')


def test_an_open_blank_beside_a_wrong_one_does_not_show_the_answer(report):
    found = report(with_values(SOLVED, LINES[0], ['3', 'FIXME']))
    assert found.solved == 22
    assert 'weights of (3, 3, 1, 100)' in found.problem


def test_a_wrong_blank_does_not_blame_the_layers_after_it(report):
    # With strides of 1, conv1 gives 256 x 256, and every later shape is another one too.
    found = report(with_values(SOLVED, LINES[1], ['1', '1']))
    assert found.solved == 22
    assert found.problem.startswith('conv1, ')


# Hints


def gives_away(text, answer):
    """Whether a text has a number in it, as figures or as a word, that is the answer."""
    text = text.replace('(1, ', '(')  # The size of the batch.
    text = re.sub(r'line \d+|gave [^;]*;', '', text)  # What came of the student's own value.
    numbers = re.findall(r'(?<![\w.])\d[\d,]*\d|(?<![\w.])\d', text)
    return answer in numbers or re.search(r'\b(one|two|three|five)\b', text, re.IGNORECASE)


@pytest.mark.parametrize(('text', 'given'), [('Try 5.', True), ('It is 5 x 5.', True), ('Five!', True), ('25', False)])
def test_an_answer_would_be_noticed(text, given):
    assert bool(gives_away(text, '5')) == given


def test_no_message_and_no_hint_gives_an_answer_away(report, solution):
    for line, parameter in zip(LINES, PARAMETERS):
        found = report(with_values(SOLVED, line, ['FIXME', 'FIXME']))
        layer = solution.layers[parameter.layer]
        wrong = [value for value in TRIED if str(value) not in answers(line)]
        texts = [found.problem, *found.hints]
        texts += [check.judged(layer, parameter, [value, value]).text for value in wrong]
        texts += [check.judged(layer, parameter, [value, check.FIXME]).text for value in wrong]
        assert len(texts) == 3 + 2 * (len(TRIED) - 1)
        for text in texts:
            assert not any(gives_away(text, answer) for answer in answers(line)), text


def test_the_hints_hold_in_the_solution(solution):
    for parameter in PARAMETERS:
        wanted = solution.layers[parameter.layer].wanted
        if parameter.name == 'kernel_size':
            assert wanted.weights[0] == wanted.weights[1]  # As high as it is wide.
        if parameter.name == 'pool_size':
            assert wanted.window == wanted.strides  # Side by side, with no overlap and no gap.
            assert wanted.window[0] == wanted.window[1]


def test_each_hint_is_one_more_line_and_the_next_is_offered(report):
    found = report(BLANK)
    screens = [checking.screen('cnn', found, 24, hints).splitlines() for hints in (0, 1, 2, 3)]
    assert [len(screen) for screen in screens] == [3, 4, 4, 4]
    assert screens[0][-1] == 'A hint: python scripts/check.py cnn --hint'
    assert screens[1][-2:] == [found.hints[0], 'A stronger hint: python scripts/check.py cnn --hint --hint']
    assert screens[2][-2:] == list(found.hints)
    assert screens[3] == screens[2]
