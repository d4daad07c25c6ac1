"""scripts/check.py --json: what a program can read off it, and the codes, which must stay as they are."""

import json

from lvseg import networks

import pytest

from classroom import apart, judging
from tests.classroom.cnn import BLANK, KERNEL, LINES, PARAMETERS, SOLVED, STRIDES, with_values

KEYS = ['exercise', 'file', 'in_order', 'blanks', 'solved', 'parameters', 'problem', 'hints', 'notes']
CONV1, CONV2 = '    conv1 = tf', '    conv2 = tf'


@pytest.fixture
def answered(tmp_path, monkeypatch, run_here):
    """Runs check.py --json on what a student has saved (None: nothing); returns the exit status and the object."""

    def run(text, *flags, exercise='cnn'):
        monkeypatch.setattr(networks, 'EXERCISES', tmp_path)
        network = tmp_path / exercise / 'neuralnetwork.py'
        network.parent.mkdir(exist_ok=True)
        if text is not None:
            network.write_bytes(text if isinstance(text, bytes) else text.encode())
        done = run_here('scripts/check.py', exercise, '--json', *flags)
        assert done.stderr == ''
        found = json.loads(done.stdout)
        assert list(found) == KEYS
        return done.returncode, found

    return run


@pytest.fixture
def found(answered):
    return lambda text, *flags: answered(text, *flags)[1]


def states(found):
    return [(parameter['height'], parameter['width']) for parameter in found['parameters']]


def test_a_solved_exercise_is_in_order(answered, tmp_path):
    status, found = answered(SOLVED)
    assert status == 0
    assert found['exercise'] == 'cnn'
    assert found['file'] == str(tmp_path / 'cnn' / 'neuralnetwork.py')
    assert (found['in_order'], found['blanks'], found['solved']) == (True, 24, 24)
    assert (found['problem'], found['hints'], found['notes']) == (None, [], [])
    assert states(found) == [('right', 'right')] * 12
    assert {parameter['code'] for parameter in found['parameters']} == {'right'}


def test_each_parameter_is_told_with_its_layer_name_and_line_in_their_order(found):
    parameters = found(SOLVED)['parameters']
    assert [(found['layer'], found['name'], found['line']) for found in parameters] == [
        (*parameter, line) for parameter, line in zip(PARAMETERS, LINES)
    ]


def test_a_blank_exercise_is_all_open(answered):
    status, found = answered(BLANK)
    assert status == 1
    assert (found['in_order'], found['blanks'], found['solved']) == (False, 24, 0)
    assert states(found) == [('open', 'open')] * 12
    assert [parameter['code'] for parameter in found['parameters']] == [f'{name}.open' for _, name in PARAMETERS]


def test_the_problem_is_what_the_screen_says_of_the_first_blank_that_is_not_solved(found):
    answer = found(with_values(SOLVED, LINES[5], ['FIXME', 'FIXME']))
    wrong = answer['parameters'][5]
    assert answer['problem'] == {
        'code': wrong['code'],
        'message': f'{PARAMETERS[5].layer}, line {LINES[5]}: {wrong["message"]}',
        'line': LINES[5],
    }


@pytest.mark.parametrize(
    ('values', 'height', 'width', 'code'),
    [
        (['3', '5'], 'wrong', 'right', 'kernel_size.wrong'),
        (['5', '3'], 'right', 'wrong', 'kernel_size.wrong'),
        (['5', 'FIXME'], 'right', 'open', 'kernel_size.open'),
        (['FIXME', '3'], 'open', 'wrong', 'kernel_size.wrong'),
        (['FIXME', "'5'"], 'open', 'wrong', 'value.text_within'),
        (['5'], 'wrong', 'wrong', 'value.count'),
        (['FIXME'], 'wrong', 'wrong', 'value.count'),
        (['10**40', 'FIXME'], 'wrong', 'open', 'value.refused'),
    ],
)
def test_height_and_width_are_told_by_themselves(values, height, width, code, found):
    parameter = found(with_values(SOLVED, LINES[0], values))['parameters'][0]
    assert (parameter['height'], parameter['width'], parameter['code']) == (height, width, code)


def test_what_is_wrong_further_down_is_told_as_well(found):
    text = with_values(with_values(SOLVED, LINES[0], ['FIXME', 'FIXME']), LINES[-1], ['2', '1'])
    answer = found(text)
    assert answer['solved'] == 24 - 2 - 1
    assert states(answer) == [('open', 'open'), *[('right', 'right')] * 10, ('wrong', 'right')]


def test_after_a_mistake_nothing_is_known_of_the_layers_that_could_not_be_built(found):
    answer = found(SOLVED.replace(CONV2, '    1 / 0\n' + CONV2))
    assert answer['solved'] == 2 * 4  # Of conv1 and pool1.
    assert states(answer) == [('right', 'right')] * 4 + [('unknown', 'unknown')] * 8
    assert {parameter['code'] for parameter in answer['parameters'][4:]} == {'layer.not_reached'}
    assert (answer['problem']['code'], answer['problem']['line']) == ('python.error', LINES[4] - 3)


def test_a_renamed_layer_has_no_line(found):
    answer = found(SOLVED.replace("name='conv1'", "name='first'"))
    assert [parameter['line'] for parameter in answer['parameters'][:3]] == [None, None, LINES[2]]
    assert answer['parameters'][0]['code'] == answer['problem']['code'] == 'layer.missing'


@pytest.mark.parametrize('hints', [0, 1, 2])
def test_there_are_as_many_hints_as_were_asked_for(hints, found):
    given = found(BLANK, *['--hint'] * hints)['hints']
    assert [hint['code'] for hint in given] == ['kernel_size.hint', 'kernel_size.stronger_hint'][:hints]
    assert all(hint['message'] for hint in given)


@pytest.mark.parametrize(
    ('before', 'after', 'code'),
    [
        (KERNEL, "kernel_size='5, 5'", 'value.text'),
        (KERNEL, 'kernel_size=[5.0, 5]', 'value.not_whole'),
        (KERNEL, 'kernel_size=-5', 'value.not_positive'),
        (KERNEL, 'kernel_size=[5 5]', 'python.syntax'),
        (CONV1, '  ' + CONV1, 'python.indentation'),
        (KERNEL, 'kernel_size=[five, 5]', 'python.name'),
        ('import tensorflow', 'import no_such_module\nimport tensorflow', 'python.module'),
        ('CLASSES = 2', 'exit()', 'python.exit'),
        ('def inference(', 'def infer(', 'function.missing'),
        ('def loss(logits, labels)', 'def loss(logits, labels, more)', 'function.arguments'),
        ('    return upscore\n', '', 'output.other'),
    ],
)
def test_every_mistake_has_its_code(before, after, code, found):
    assert before in SOLVED
    assert found(SOLVED.replace(before, after, 1))['problem']['code'] == code


@pytest.mark.parametrize(
    ('line', 'code', 'named'),
    [
        ('sum(iter(int, 1))', 'python.endless', True),  # A loop in C code, which no signal's handler interrupts.
        ('import os; os._exit(0)', 'python.exit', False),
        ('import os; os.kill(os.getpid(), 9)', 'python.exit', False),
        ('x = ' + '(' * 300 + '1' + ')' * 300, ('python.nested', 'python.syntax'), None),
    ],
)
def test_a_text_that_python_cannot_stop_or_read_ends_with_a_report(line, code, named, answered, monkeypatch):
    if code == 'python.endless':  # The others are not to come near the limit, on a busy machine either.
        monkeypatch.setattr(networks, 'SECONDS_AT_MOST', 2)
    status, answer = answered(f'{SOLVED}\n{line}\n')
    assert status == 1
    assert answer['problem']['code'] in code
    assert answer['solved'] is None
    if named is not None:
        assert answer['problem']['line'] == (f'{SOLVED}\n{line}'.count('\n') + 1 if named else None)


def test_what_a_text_writes_past_pythons_output_does_not_get_into_the_object(answered):
    status, answer = answered(SOLVED + "\nimport os\nos.write(1, b'}')\nos.system('echo }')\n")
    assert (status, answer['solved']) == (0, 24)


def test_a_bug_of_ours_keeps_its_traceback(tmp_path, monkeypatch):
    path = tmp_path / 'neuralnetwork.py'
    path.write_text(SOLVED)
    solution = judging.Solution(networks.solution('cnn'))
    monkeypatch.setattr(networks, 'images', lambda: 1 / 0)
    with pytest.raises(SystemExit, match='(?s)Traceback.*ZeroDivisionError'):
        apart.check(path, solution)


@pytest.mark.parametrize(
    'text',
    [
        'import sys\nsys.path.insert(0, {root!r})\nfrom exercise_solutions.cnn.neuralnetwork import *\n',
        'from lvseg import networks\nfile = networks.solution("cnn")\n'
        'globals().update(vars(networks.load(file, networks.source(file))))\n',
        'exec(open({root!r} + "/exercise_solutions/cnn/neuralnetwork.py").read())\n',
    ],
)
def test_blanks_that_the_solution_has_filled_in_are_remarked(text, found, root):
    answer = found(text.format(root=str(root)))
    assert answer['solved'] == 24
    assert 'solution.used' in [note['code'] for note in answer['notes']]


def test_a_comment_on_the_solutions_is_not_remarked(found):
    assert found('# As in exercise_solutions?\n' + SOLVED)['notes'] == []


def test_a_students_error_cannot_forge_a_line(found):
    answer = found(SOLVED + "\nraise ValueError('\\x1b[2J\\x08forged')\n")
    assert ': \\x1b[2J\\x08forged (ValueError)' in answer['problem']['message']


@pytest.mark.parametrize(
    ('before', 'after', 'line'),
    [
        (KERNEL, KERNEL.replace('kernel', 'kernal'), LINES[0]),
        (STRIDES, STRIDES.replace('strides', 'stride'), LINES[1]),
    ],
)
def test_a_wrong_keyword_is_told_with_its_own_line(before, after, line, found):
    problem = found(SOLVED.replace(before, after, 1))['problem']
    assert problem['line'] == line and f', line {line}: ' in problem['message']


def test_an_open_blank_of_a_renamed_layer_is_told_with_its_own_line(found):
    assert found(BLANK.replace("name='conv1'", "name='first'"))['problem']['line'] == LINES[0]


def test_a_loop_without_end_has_its_code(found, monkeypatch):
    monkeypatch.setattr(networks, 'SECONDS_AT_MOST', 0.5)
    assert found(SOLVED + '\nwhile True: pass\n')['problem']['code'] == 'python.endless'


def test_a_mistake_that_python_cannot_read_is_told_with_its_line(found):
    answer = found(SOLVED.replace(KERNEL, 'kernel_size=[5 5]', 1))
    assert answer['problem']['line'] == LINES[0]
    assert answer['solved'] is None
    assert states(answer) == [('unknown', 'unknown')] * 12


@pytest.mark.parametrize(
    ('content', 'code'),
    [(None, 'file.missing'), ('# Höhe\n'.encode('latin-1'), 'file.encoding'), (b'\0\0\0', 'file.damaged')],
)
def test_a_file_that_cannot_be_read_is_an_answer_too(content, code, answered):
    status, found = answered(content)
    assert status == 1
    assert (found['in_order'], found['blanks'], found['solved']) == (False, 24, None)
    assert found['problem']['code'] == code and found['problem']['line'] is None
    assert states(found) == [('unknown', 'unknown')] * 12


@pytest.mark.parametrize(
    ('before', 'after', 'codes'),
    [
        ('filters=200', 'filters=64', ['weights.changed'] * 2),  # Of conv2 and of conv3, which it goes into.
        ("name='upscore'", "name='up'", ['weights.new', 'weights.gone']),
    ],
)
def test_notes_have_codes_and_leave_it_in_order(before, after, codes, answered):
    status, found = answered(SOLVED.replace(before, after))
    assert (status, found['in_order']) == (0, True)
    assert [note['code'] for note in found['notes']] == codes


def test_the_blanks_of_functions_are_told_with_their_file_and_states(answered):
    """Two matrices with two blanks each, of which one is right, one wrong, and two are open."""
    text = networks.source(networks.solution('simple'))
    text = text.replace('[PIXELS, HIDDEN_UNITS]', '[PIXELS, CLASSES]')
    text = text.replace('[HIDDEN_UNITS, PIXELS * CLASSES]', '[FIXME, FIXME]')
    status, found = answered(text, exercise='simple')
    assert (status, found['in_order'], found['blanks'], found['solved']) == (1, False, 4, 1)
    first, second = found['parameters']
    assert list(first) == ['file', 'function', 'name', 'line', 'states', 'code', 'message']
    assert (first['function'], first['name'], first['states']) == ('inference', 'W_fc', ['right', 'wrong'])
    assert (second['name'], second['states'], second['code']) == ('W_fc2', ['open', 'open'], 'expression.open')
    assert found['problem']['code'] == 'expression.wrong' and found['problem']['line'] == first['line']


def test_what_a_student_prints_is_not_in_it(found):
    assert found('print("solved: 24")\n' + BLANK)['solved'] == 0


def test_it_is_not_for_watching(run_here):
    done = run_here('scripts/check.py', 'cnn', '--json', '--watch')
    assert done.returncode == 2
    assert done.stdout == ''
    assert done.stderr.startswith('ERROR: ') and len(done.stderr.splitlines()) == 1
