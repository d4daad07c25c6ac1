"""scripts/check.py --json: what a program can read off it, and the codes, which must stay as they are."""

import json

from lvseg import networks

import pytest

from tests.classroom.cnn import BLANK, KERNEL, LINES, PARAMETERS, SOLVED, with_values

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


def test_an_exercise_without_blanks_has_no_parameters(answered):
    status, found = answered(networks.source(networks.solution('simple')), exercise='simple')
    assert status == 0
    assert (found['in_order'], found['blanks'], found['solved'], found['parameters']) == (True, 0, 0, [])


def test_what_a_student_prints_is_not_in_it(found):
    assert found('print("solved: 24")\n' + BLANK)['solved'] == 0


def test_it_is_not_for_watching(run_here):
    done = run_here('scripts/check.py', 'cnn', '--json', '--watch')
    assert done.returncode == 2
    assert done.stdout == ''
    assert done.stderr.startswith('ERROR: ') and len(done.stderr.splitlines()) == 1
