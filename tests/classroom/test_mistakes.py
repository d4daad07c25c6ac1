"""What is said of the mistakes of beginners, and of changes that have nothing to do with the blanks."""

import re
import sys

from lvseg import networks

import pytest

from classroom import functions
from classroom import judging as check
from tests.classroom.cnn import KERNEL, LINES, SOLVED, STRIDES, is_solved, with_values
from tests.classroom.filled import folder_of

# Mistakes of beginners


@pytest.mark.parametrize(
    ('written', 'said'),
    [
        ("'5, 5'", "kernel_size is the text '5, 5'; numbers are wanted"),
        ("['5', '5']", "kernel_size has the text '5' in it; numbers are wanted"),
        ('[0, 5]', 'kernel_size has 0 in it; numbers above 0 are wanted'),
        ('-5', 'kernel_size has -5 in it; numbers above 0 are wanted'),
        ('[5.0, 5.0]', 'kernel_size has 5.0 in it; whole numbers are wanted'),
        ('2.5', 'kernel_size has 2.5 in it; whole numbers are wanted'),
        ('True', 'kernel_size has True in it; whole numbers are wanted'),
        ('None', 'kernel_size has None in it; whole numbers are wanted'),
        ('{5}', 'kernel_size has {5} in it; whole numbers are wanted'),
        ('[5, 5, 5]', 'kernel_size wants a height and a width, as in [height, width]; values given: 3'),
        ('[5]', 'kernel_size wants a height and a width, as in [height, width]; values given: 1'),
        ('[]', 'kernel_size wants a height and a width, as in [height, width]; values given: 0'),
        ('10**40', 'kernel_size is refused by TensorFlow'),
    ],
)
def test_a_value_of_another_kind_is_explained(written, said, report):
    found = report(SOLVED.replace(KERNEL, f'kernel_size={written}', 1))
    assert found.solved == 22
    assert found.problem.startswith(f'conv1, line {LINES[0]}: {said}')


# Python words these two in another way from 3.10 on, and sees the first at the end of the call.
SINCE_3_10 = sys.version_info >= (3, 10)
LINE_OF_ORDER = LINES[0] + 7 if SINCE_3_10 else LINES[0]
UNENDED = ': unterminated string literal' if SINCE_3_10 else ': EOL while scanning string literal'


@pytest.mark.parametrize(
    ('before', 'after', 'said'),
    [
        (KERNEL, 'kernel_size=[5 5]', f'line {LINES[0]}: invalid syntax'),
        (KERNEL, 'kernel_size=5, 5', f'line {LINE_OF_ORDER}: positional argument follows keyword argument'),
        ("name='conv1'", "name='conv1", UNENDED),
        ('    conv1 = ', '      conv1 = ', ': unexpected indent'),
        (KERNEL, 'kernel_size=[five, 5]', "name 'five' is not defined. Write a number in its place"),
        (KERNEL, 'kernel_size=FIXME * 2', f'line {LINES[0]}: unsupported operand'),
        ('import tensorflow', 'import no_such_module\nimport tensorflow', 'the module no_such_module is not installed'),
        ('from lvseg import summaries', 'from lvseg import no_such_name', 'cannot import name'),
        ('CLASSES = 2', 'exit()', 'the program is ended here'),
        ('        kernel_size=[5, 5],\n', '', "missing 1 required positional argument: 'kernel_size'"),
        ("name='conv2'", "name='conv1'", 'Variable conv1/kernel already exists'),
        ('    pool1 = ', '    1 / 0\n    pool1 = ', 'division by zero'),
        ('def inference(', 'def infer(', 'has no function inference'),
        ('def evaluation(', 'def evaluate(', 'has no function evaluation'),
        ('def loss(logits, labels)', 'def loss(logits, labels, more)', 'loss does not take what the lab calls it with'),
        ('    return upscore\n', '', 'inference gives nothing'),
        ('        pool1,\n', '        conv1,\n', 'inference gives float32 (1, 512, 512, 2); float32 (1, 256, 256, 2)'),
        (
            "tf.reduce_mean(cross_entropy, name='cross_entropy_mean')",
            'cross_entropy',
            'loss gives float32 (1, 256, 256); float32 () is wanted',
        ),
        ('DROPOUT_RATE = 0.0', "DROPOUT_RATE = 'half'", 'half'),
        ('CLASSES = 2', 'CLASSES = FIXME', 'FIXME'),
    ],
)
def test_a_mistake_beside_the_blanks_is_explained_in_one_line(before, after, said, report):
    assert before in SOLVED
    problem = report(SOLVED.replace(before, after, 1)).problem
    assert said in problem
    assert len(problem.splitlines()) == 1


def test_a_mistake_in_a_function_of_the_students_own_is_told_with_its_line_there(report):
    text = SOLVED.replace('    conv1 = ', '    half(images_re)\n    conv1 = ')
    text += '\n\ndef half(images):\n    return images / nothing\n'
    assert f"line {text.count(chr(10))}: name 'nothing' is not defined" in report(text).problem


def test_an_empty_file_is_explained(report):
    found = report('')
    assert 'has no function inference' in found.problem
    assert found.solved is None


def test_an_earlier_blank_comes_before_a_later_mistake(report):
    text = with_values(SOLVED, LINES[0], ['FIXME', 'FIXME']).replace('    pool2 = ', '    1 / 0\n    pool2 = ')
    found = report(text)
    assert found.problem.startswith('conv1, ')
    assert found.solved == 3 * 4 - 2  # Three layers are built before the mistake; two of conv1's blanks are open.


def test_an_earlier_mistake_comes_before_a_later_blank(report):
    text = with_values(SOLVED, LINES[-1], ['FIXME', 'FIXME']).replace('    pool1 = ', '    1 / 0\n    pool1 = ')
    found = report(text)
    assert 'division by zero' in found.problem
    assert found.solved == 4  # Those of conv1.


def test_a_loop_without_end_is_stopped(report, monkeypatch):
    monkeypatch.setattr(networks, 'SECONDS_AT_MOST', 2)
    text = SOLVED + '\nwhile True:\n    pass\n'
    problem = report(text).problem
    assert 'Is this a loop that never ends?' in problem
    assert re.search(rf'line ({text.count(chr(10)) - 1}|{text.count(chr(10))}):', problem)


def test_a_students_own_except_does_not_swallow_the_time_limit(report, monkeypatch):
    monkeypatch.setattr(networks, 'SECONDS_AT_MOST', 0.5)
    text = SOLVED + '\nwhile True:\n    try:\n        pass\n    except Exception:\n        pass\n'
    assert 'Is this a loop that never ends?' in report(text).problem


@pytest.mark.parametrize(
    ('content', 'said'), [('# Höhe\n'.encode('latin-1'), 'not saved as UTF-8'), (b'\0\0\0', 'damaged')]
)
def test_a_file_that_is_no_text_is_explained(content, said, tmp_path, solution):
    path = tmp_path / 'neuralnetwork.py'
    path.write_bytes(content)
    with pytest.raises(networks.LabError, match=said):
        check.check(path, solution)


def test_a_missing_file_is_explained(tmp_path, solution):
    with pytest.raises(networks.LabError, match='not found.*make exercises'):
        check.check(tmp_path / 'neuralnetwork.py', solution)


def test_a_bug_of_ours_keeps_its_traceback(tmp_path, monkeypatch, solution):
    path = tmp_path / 'neuralnetwork.py'
    path.write_text(SOLVED)
    monkeypatch.setattr(networks, 'images', lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        check.check(path, solution)


# Changes that have nothing to do with the blanks


@pytest.mark.parametrize(
    ('before', 'after', 'note'),
    [
        ('DROPOUT_RATE = 0.0', 'DROPOUT_RATE = 0.5', None),
        ('    conv1 = ', '    # Eyes first.\n    conv1 = ', None),
        (f'{KERNEL},\n        {STRIDES}', f'{STRIDES},\n        {KERNEL}', None),
        (
            'filters=100,\n        kernel_size=[5, 5],\n        strides=[2, 2],',
            'kernel_size=[5, 5],\n        strides=[2, 2],\n        filters=100,',
            None,
        ),
        (
            'filters=100,\n        kernel_size=[5, 5],\n        strides=[2, 2],\n        padding=',
            '100,\n        [5, 5],\n        [2, 2],\n        padding=',
            None,
        ),
        ('\n', '\r\n', None),
        (
            'filters=200',
            'filters=64',
            'Changed: conv2/kernel has weights of (5, 5, 100, 64); of (5, 5, 100, 200) in the lab.',
        ),
        ('use_bias=False', 'use_bias=True', 'New: conv1/bias, weights of (100,).'),
        ("name='upscore'", "name='up'", 'Gone: upscore/kernel, weights of (31, 31, 2, 2).'),
    ],
)
def test_a_change_that_fits_the_lab_is_accepted_and_noted(before, after, note, report):
    count = -1 if before == '\n' else 1
    assert before in SOLVED
    found = report(SOLVED.replace(before, after, count))
    assert is_solved(found), found.problem
    assert found.notes == () if note is None else note in found.notes


def test_a_renamed_layer_is_missed_by_its_name(report):
    found = report(SOLVED.replace("name='conv1'", "name='first'"))
    assert found.problem.startswith('conv1: there is no layer of this name')
    assert 'first, pool1, conv2' in found.problem
    assert found.solved == 20


def test_of_two_layers_with_one_name_the_first_is_judged(report):
    text = SOLVED.replace("name='conv2'", "name='conv1'")
    second = LINES[4]
    # The second one's open blank is not the first one's, which is right.
    assert 'conv1/kernel already exists' in report(with_values(text, second, ['FIXME', 'FIXME'])).problem
    wrong = report(with_values(text, LINES[0], ['3', '3'])).problem
    assert wrong.startswith(f'conv1, line {LINES[0]}: kernel_size gave weights of (3, 3, 1, 100)')


def test_a_deleted_layer_is_missed(report):
    start, end = SOLVED.index('    conv4 = '), SOLVED.index('    drop = ')
    found = report(SOLVED[:start] + SOLVED[end:].replace('dropout(conv4', 'dropout(conv3'))
    assert found.problem.startswith('conv4: there is no layer of this name')
    assert found.solved == 20


def test_a_pooling_that_became_a_convolution_is_missed(report):
    text = SOLVED.replace(
        'max_pooling2d(\n        conv1,\n        pool_size', 'conv2d(\n        conv1, 100, kernel_size'
    )
    assert report(text).problem.startswith('pool1: there is no layer of this name with a pool_size')


def test_another_padding_does_not_blame_the_blanks(report):
    found = report(SOLVED.replace("padding='same'", "padding='valid'"))
    assert found.solved == 24
    assert found.problem.endswith('float32 (1, 256, 256, 2) is wanted.')


# The exercises whose blanks are in functions


@pytest.fixture
def checked(tmp_path):
    """Checks an exercise whose blanks are all filled in, one text changed in its network."""

    def check_changed(name, before='', after=''):
        path = folder_of(name, tmp_path / name) / 'neuralnetwork.py'
        assert before in path.read_text()
        path.write_text(path.read_text().replace(before, after))
        return check.check(path, check.Solution(networks.solution(name)))

    return check_changed


def test_another_number_of_hidden_units_fits(checked):
    found = checked('simple', 'HIDDEN_UNITS = 512', 'HIDDEN_UNITS = 64')
    assert found.problem == ''
    assert len(found.notes) == 2  # The two matrices.
    assert 'Hidden1/W_fc has weights of (65536, 64); of (65536, 512) in the lab.' in found.notes[1]


def test_what_is_wrong_around_the_blanks_is_told_apart_from_them(checked):
    found = checked('cnnDice', 'return tf.reduce_sum(divs), label_sum, example_sum', 'return tf.reduce_sum(divs)')
    assert found.problem.startswith('evaluation in neuralnetwork.py, line ')
    assert 'with all blanks filled in rightly, the function would still do something else' in found.problem


@pytest.mark.parametrize(
    ('before', 'after', 'line', 'name'),
    [
        ('    mean, variance = ', '    middle = undefined\n    mean, variance = ', '    middle = ', 'undefined'),
        ('import numpy as np\n', '', '    fall = ', 'np'),
    ],
)
def test_a_name_missing_around_the_blanks_is_told_with_its_line(before, after, line, name, checked, tmp_path):
    found = checked('challenge', before, after).problem
    text = (tmp_path / 'challenge' / 'neuralnetwork.py').read_text()
    number = text[: text.index(line)].count('\n') + 1
    assert 'is not the trouble so far' in found
    assert f"line {number}: name '{name}' is not defined. Import it or define it further up. Put back what" in found


def test_a_function_may_be_written_in_another_way_altogether(checked):
    divs = 'divs = tf.floordiv(sum_tensor, twos)'
    found = checked('cnnDice', divs, 'both = indices * labels_re\n        divs = both')
    assert found.problem == '' and found.solved == 3


def test_a_line_with_a_blank_that_is_gone_is_missed(checked):
    found = checked('challenge', '    fall = (1 + tf.cos(np.pi * done)) / 2\n', '').problem
    assert found.startswith('warmup in neuralnetwork.py: fall is not there any more')


def test_a_file_that_python_cannot_read_is_told_with_its_line(checked, tmp_path):
    found = checked('challenge', 'rise = (done + 1 / steps)', 'rise = (done + 1 / steps')
    assert 'neuralnetwork.py, line ' in found.problem and 'Python cannot read this line' in found.problem
    states = [verdict.states for each, verdict in found.verdicts.items() if each.file == 'neuralnetwork.py']
    assert set(sum(states, ())) == {'unknown'}


@pytest.mark.parametrize(
    ('before', 'after'),
    [
        ("LOSSES = {", "LOSSES = {\n    'mine': lambda logits, labels: tf.reduce_mean(logits),"),
        ("FLAGS = [", "FLAGS = [\n    Flag('mine', 'of my own', 1.0, type=float),"),
        ("    'fcn': fcn.inference,", "    'fcn': fcn.inference,\n    'mine': lambda images, training: images,"),
    ],
)  # fmt: skip
def test_what_is_added_freely_to_the_challenge_is_in_order(before, after, checked):
    found = checked('challenge', before, after)
    assert (found.problem, found.notes, found.solved) == ('', (), 12)


def test_a_mark_elsewhere_is_the_authors_slip(tmp_path):
    path = tmp_path / 'neuralnetwork.py'
    path.write_text('x = [1, 2]  # blank\n')
    with pytest.raises(ValueError, match='line 1 is marked as blank'):
        functions.Solved(path)
