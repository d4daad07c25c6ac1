"""scripts/check.py: what it says of a student's network, for every blank and for the mistakes of beginners."""

import os
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import time

from lvseg import networks

import pytest

from classroom import blanks, checking
from classroom import judging as check
from classroom import making as make_exercises

ENDS_IT = 'Ctrl-C ends it.)\n'
AXES = ('height', 'width')
TRIED = (1, 2, 3, 4, 5, 7, 16)

SOLUTION = networks.source(networks.solution('cnn'))
SOLVED = SOLUTION.replace('  # blank', '')
BLANK = make_exercises.blanked(SOLUTION)
LINES = make_exercises.marked_lines(SOLUTION)
PARAMETERS = blanks.parameters(SOLUTION)
KERNEL, STRIDES, WINDOW = 'kernel_size=[5, 5]', 'strides=[2, 2]', 'pool_size=[2, 2]'  # As the first of each is solved.


def answers(line):
    """The two values that the solution has on a line."""
    return re.search(r'\[(.*)\]', SOLUTION.split('\n')[line - 1]).group(1).split(', ')


BLANKS = [
    pytest.param(line, axis, id=f'{parameter.layer}-{parameter.name}-{AXES[axis]}')
    for line, parameter in zip(LINES, PARAMETERS)
    for axis in (0, 1)
]


def with_values(text, line, values):
    """The text with other values between the brackets of a line."""
    lines = text.split('\n')
    lines[line - 1] = re.sub(r'\[.*\]', f'[{", ".join(values)}]', lines[line - 1])
    return '\n'.join(lines)


@pytest.fixture(scope='module')
def solution():
    return check.Solution(networks.solution('cnn'))


@pytest.fixture
def report(tmp_path, solution):
    """Checks a text as if a student had saved it."""

    def saved_and_checked(text):
        path = tmp_path / 'neuralnetwork.py'
        path.write_bytes(text.encode())
        return check.check(path, solution)

    return saved_and_checked


@pytest.fixture
def project(tmp_path, root):
    """A project of its own, with blank exercises."""
    for folder in ('scripts', 'classroom', 'lvseg', 'exercise_solutions'):
        shutil.copytree(root / folder, tmp_path / folder, ignore=shutil.ignore_patterns('__pycache__'))
    subprocess.run([sys.executable, 'scripts/make_exercises.py'], cwd=tmp_path, check=True)
    return tmp_path


def is_solved(found):
    return not found.problem and found.solved == 24


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


@pytest.mark.parametrize(
    ('before', 'after', 'said'),
    [
        (KERNEL, 'kernel_size=[5 5]', f'line {LINES[0]}: invalid syntax'),
        (KERNEL, 'kernel_size=5, 5', f'line {LINES[0]}: positional argument follows keyword argument'),
        ("name='conv1'", "name='conv1", ': EOL while scanning string literal'),
        ('    conv1 = ', '      conv1 = ', ': unexpected indent'),
        (KERNEL, 'kernel_size=[five, 5]', "name 'five' is not defined"),
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
    monkeypatch.setattr(networks, 'SECONDS_AT_MOST', 0.5)
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


# Exercises without blanks


def checked_without_blanks(name, text, tmp_path):
    path = tmp_path / 'neuralnetwork.py'
    path.write_text(text, encoding='utf-8')
    return check.check(path, check.Solution(networks.solution(name)))


@pytest.mark.parametrize('name', ['simple', 'cnnDice'])
def test_an_exercise_without_blanks_fits_as_it_is(name, tmp_path):
    found = checked_without_blanks(name, networks.source(networks.solution(name)), tmp_path)
    assert found.problem == '' and found.notes == ()
    assert 'fits the lab' in checking.screen(name, found, 0, 0).splitlines()[0]


def test_another_number_of_hidden_units_fits(tmp_path):
    text = networks.source(networks.solution('simple')).replace('HIDDEN_UNITS = 512', 'HIDDEN_UNITS = 64')
    found = checked_without_blanks('simple', text, tmp_path)
    assert found.problem == ''
    assert len(found.notes) == 2  # The two matrices.
    assert 'Hidden1/W_fc has weights of (65536, 64); of (65536, 512) in the lab.' in found.notes[1]


def test_an_evaluation_that_gives_less_does_not_fit(tmp_path):
    text = networks.source(networks.solution('cnnDice'))
    text = text.replace('return tf.reduce_sum(divs), label_sum, example_sum', 'return tf.reduce_sum(divs)')
    found = checked_without_blanks('cnnDice', text, tmp_path)
    assert found.problem.endswith('evaluation gives int32 (); int32 () and int32 () and int32 () is wanted.')


def test_a_mark_outside_a_named_layer_is_the_authors_slip():
    with pytest.raises(ValueError, match=r'\[1\]'):
        blanks.parameters('x = [1, 2]  # blank\n')


# The command


def test_a_blank_exercise_takes_little_time_and_few_lines(project, run):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run('scripts/check.py', 'cnn', cwd=project)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == 'exercises/cnn/neuralnetwork.py: solved so far, 0 of 24.'
    assert len(done.stdout.splitlines()) == 3  # No DEBUG line among them.
    assert done.stderr == ''
    # Processor time, for the clock depends on what else the machine does.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 10


def test_a_solved_exercise_ends_with_status_0_and_says_what_is_next(project, run):
    (project / 'exercises' / 'cnn' / 'neuralnetwork.py').write_text(SOLVED, encoding='utf-8')
    done = run('scripts/check.py', 'cnn', cwd=project)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines() == [
        'exercises/cnn/neuralnetwork.py: solved so far, 24 of 24, and the network fits the lab.',
        'Next: python exercises/cnn/runTraining.py, then python exercises/cnn/runEval.py',
    ]
    assert done.stderr == ''


def test_a_missing_exercise_ends_with_one_line(project, run):
    (project / 'exercises' / 'cnn' / 'neuralnetwork.py').unlink()
    done = run('scripts/check.py', 'cnn', cwd=project)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        'ERROR: exercises/cnn/neuralnetwork.py not found. Put it there again with: make exercises'
    ]


def test_an_exercise_that_does_not_exist_is_refused_in_one_line(run):
    done = run('scripts/check.py', 'cnm')
    assert done.returncode == 2
    assert done.stderr.startswith('ERROR: ') and len(done.stderr.splitlines()) == 1


@pytest.fixture
def watching(project):
    """check.py --watch on the project's cnn."""
    process = subprocess.Popen(
        [sys.executable, 'scripts/check.py', 'cnn', '--watch'],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    yield process
    process.kill()
    process.communicate()


def read_until(process, text, seconds=120):
    """What a process prints, up to this text."""
    printed, deadline = '', time.monotonic() + seconds
    while text not in printed:
        ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        assert ready, f'{text!r} does not come after: {printed}'
        more = os.read(process.stdout.fileno(), 65536).decode()
        assert more, f'it ended before {text!r}: {printed}'
        printed += more
    return printed


def stopped(process):
    """Ctrl-C; the exit status, and what was still printed."""
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=120)
    return process.returncode, printed.decode()


def test_watch_checks_again_when_the_file_is_saved(project, watching):
    network = project / 'exercises' / 'cnn' / 'neuralnetwork.py'
    assert 'solved so far, 0 of 24.' in read_until(watching, ENDS_IT)

    network.write_text(with_values(BLANK, LINES[0], answers(LINES[0])), encoding='utf-8')
    assert 'solved so far, 2 of 24.' in read_until(watching, ENDS_IT)

    # As many editors save: a new file in the place of the old.
    saved = network.with_name('saved')
    saved.write_text(SOLVED, encoding='utf-8')
    saved.replace(network)
    assert 'solved so far, 24 of 24' in read_until(watching, ENDS_IT)

    assert stopped(watching) == (0, '')


def test_watch_goes_on_after_a_mistake_and_a_missing_file(project, watching):
    network = project / 'exercises' / 'cnn' / 'neuralnetwork.py'
    read_until(watching, ENDS_IT)

    network.write_text(SOLVED.replace(KERNEL, 'kernel_size=[5, 5', 1), encoding='utf-8')
    assert 'Python cannot read this line' in read_until(watching, ENDS_IT)

    network.unlink()
    assert 'not found' in read_until(watching, ENDS_IT)

    assert stopped(watching) == (1, '')
