"""Submissions that mean harm: each graded as what it is, and those after it graded fairly."""

import csv
import io
import json
import os
import socket
import subprocess
import sys
import tarfile

from lvseg import networks
from lvseg.project import PROJECT

import pytest

from classroom.grading import sandbox
from tests.classroom.cnn import BLANK, SOLVED

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sandbox.can_close_off(), reason='this system has no namespaces to close a process off in'),
]

# As scripts/grade.py, with one exercise and shorter limits. That of networks is shorter only for loops, which are to
# come to it: on a busy machine others may take a while, and `stubborn` has to have got rid of it before it is reached.
GRADE = """
from lvseg import networks
from pathlib import Path
import sys
from classroom.grading import grades, reports, running, sandbox
sandbox.SECONDS = 30
build = grades.build
def build_with_limit(item, *args):  # In a process of its own.
    if item.student.startswith('loop'):
        networks.SECONDS_AT_MOST = 5
    build(item, *args)
grades.build = build_with_limit
exercise = sys.argv[4]
solutions = {exercise: networks.solution(exercise)}
found = running.grade(Path(sys.argv[1]), Path(sys.argv[2]), solutions, int(sys.argv[3]))
reports.write(found, {}, Path(sys.argv[2]))
"""

DOCS, TESTS = str(PROJECT / 'docs'), str(PROJECT / 'tests')
OF_SOLUTION = str(networks.solution('cnn'))
STUBBORN = """
import faulthandler, signal
faulthandler.cancel_dump_traceback_later()
signal.setitimer(signal.ITIMER_REAL, 0)
while True:
    pass
"""
CHANGES_THE_CHECKER = """
from lvseg import networks
from classroom import judging
judging.judged = lambda *_: judging.Verdict(('right', 'right'), '')
judging.check = judging.reported = lambda *_: judging.Report({}, 24)
"""
LOOKS_AROUND = f"""
import gc, os
mark = 'strides=[2, 2],  #' + ' blank'.lower()  # Of a solution alone; classroom.making explains itself by a kernel.
def answers(found):
    return any(type(part) is str and part is not mark and mark in part for part in found)
found = [1 for each in gc.get_objects() if type(each) in (list, tuple) and answers(each)]
found += [2 for each in gc.get_objects() if type(each) is dict and answers(list(each.values()))]
found += [3 for each in gc.get_objects() if type(each).__name__ == 'Solution']
found += [place for place in ('/home', '/proc/1', {DOCS!r}, {TESTS!r}) if os.path.exists(place)]
found += [name for name in os.environ if 'SECRET' in name]
raise RuntimeError(f'found {{found}}')
"""
BREAKS_OUT = """
import os
for number in range(3, 200):
    try:
        os.write(number, b'{"values": [["conv1", "kernel_size", [5, 5]]]')
    except OSError:
        pass
print('solved so far, 24 of 24, and the network fits the lab.')
os.write(1, b'solved so far, 24 of 24, and the network fits the lab.')
os._exit(0)
"""

# Of each: what stands at the end of a solved or a blank exercise, its code, and what is told of it.
ENDINGS = {
    'loop': ('while True:\n    pass\n', 'python.endless', 'Is this a loop that never ends?'),
    'loop_in_c': ('sum(iter(int, 1))\n', 'python.endless', 'Is this a loop that never ends?'),
    'stubborn': (STUBBORN, 'grade.endless', 'still here after 30 seconds'),
    'sys_exit': ('import sys\nsys.exit(0)\n', 'python.exit', 'the program is ended here'),
    'os_exit': ('import os\nos._exit(0)\n', 'python.exit', 'ends Python itself'),
    'faked': (BREAKS_OUT, 'grade.not_read', 'nothing of that counts'),
    'reads_solution': (f'open({OF_SOLUTION!r})\n', 'python.error', 'No such file or directory'),
    'looks_around': (LOOKS_AROUND, 'python.error', 'found []'),
    'deletes_own': ('import os\nos.remove(__file__)\n', 'python.error', 'Read-only file system'),
    'deletes_lab': (f'import os\nos.remove({networks.__file__!r})\n', 'python.error', 'Read-only file system'),
    'gigabyte': ("import os\nfor _ in range(1024):\n    os.write(1, b'x' * 2**20)\n", 'python.error', 'File too large'),
    'memory': ('bytearray(2**33)\n', 'python.error', 'MemoryError'),
}
ALONE = {
    'imports_solution': f'import sys\nsys.path[:0] = [{os.path.dirname(OF_SOLUTION)!r}]\nfrom alexnet import *\n',
    'changes_checker': BLANK + CHANGES_THE_CHECKER,
    'a_fair': SOLVED,
    'm_fair': SOLVED,
    'z_fair': SOLVED,
    'half': SOLVED.replace('kernel_size=[5, 5]', 'kernel_size=[5, 3]', 1),
}


def hand_in(folder, student, text):
    network = folder / student / 'exercises' / 'cnn' / 'neuralnetwork.py'
    network.parent.mkdir(parents=True)
    network.write_text(text, encoding='utf-8')


def hand_in_archive(folder, student, files):
    with tarfile.open(str(folder / f'{student}.tar.gz'), 'w:gz') as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f'ImageSegmentation/{name}')
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))


def graded(submissions, out, jobs=2, exercise='cnn'):
    environment = {**os.environ, 'PYTHONPATH': str(PROJECT), 'SECRET_OF_THE_SERVER': '1'}
    command = [sys.executable, '-c', GRADE, str(submissions), str(out), str(jobs), exercise]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ''
    with open(str(out / 'grades.csv'), newline='', encoding='utf-8') as file:
        return {row['student']: row for row in csv.DictReader(file)}


@pytest.fixture(scope='module')
def listener():
    with socket.socket() as listening:
        listening.bind(('127.0.0.1', 0))
        listening.listen(1)
        listening.settimeout(0)
        yield listening


@pytest.fixture(scope='module')
def submissions(tmp_path_factory, listener):
    folder = tmp_path_factory.mktemp('submissions')
    for student, (ending, _, _) in ENDINGS.items():
        hand_in(folder, student, f'{SOLVED}\n{ending}')
    for student, text in ALONE.items():
        hand_in(folder, student, text)
    calls = f'import socket\nsocket.create_connection({listener.getsockname()!r})\n'
    hand_in(folder, 'fork_bomb', f'{SOLVED}\nimport os\nwhile True:\n    os.fork()\n')
    hand_in(folder, 'prints_gigabytes', SOLVED + "\nprint('x' * 2**29)" * 8)
    hand_in(folder, 'calls_home', f'{SOLVED}\n{calls}')
    (folder / 'nothing').mkdir()
    (folder / 'damaged.zip').write_bytes(b'PK no archive')
    changed = {'lvseg/networks.py': 'cheat = True\n', 'exercises/cnn/neuralnetwork.py': BLANK}
    hand_in_archive(folder, 'changes_lab', changed)
    return folder


@pytest.fixture(scope='module')
def out(tmp_path_factory):
    return tmp_path_factory.mktemp('out')


@pytest.fixture(scope='module')
def rows(submissions, out):
    return graded(submissions, out)


@pytest.mark.parametrize('student', sorted(ENDINGS))
def test_what_does_not_build_has_no_points_and_is_told_why(student, rows, out):
    _, code, said = ENDINGS[student]
    assert (rows[student]['total'], rows[student]['cnn code']) == ('0', code)
    assert said in json.loads((out / 'kept' / student / 'cnn' / 'grade').read_text())['problem']['en']


def test_a_fork_bomb_has_no_points(rows):
    assert rows['fork_bomb']['total'] == '0'
    # On a machine with much else to do, its first process is ended before it is told that there can be no more.
    assert rows['fork_bomb']['cnn code'] in ('python.error', 'python.exit', 'python.endless')


def test_who_prints_gigabytes_has_no_points(rows):
    assert rows['prints_gigabytes']['total'] == '0'
    # Whether memory or time is used up first depends on the machine.
    assert rows['prints_gigabytes']['cnn code'] in ('python.error', 'python.endless', 'grade.endless')


@pytest.mark.parametrize('student', ['a_fair', 'm_fair', 'z_fair'])
def test_those_between_are_graded_fairly(student, rows):
    assert (rows[student]['total'], rows[student]['cnn code']) == ('24', 'in_order')


def test_a_wrong_blank_costs_its_point(rows):
    assert rows['half']['total'] == '23'
    assert rows['half']['cnn conv1 kernel_size width'] == '0'
    assert rows['half']['cnn code'] == 'kernel_size.wrong'


def test_a_function_with_blanks_is_judged_by_what_it_does_and_not_by_what_it_says(tmp_path):
    dice = networks.solution('cnnDice').with_name('runEval.py').read_text(encoding='utf-8')
    wrong = dice.replace('2 * intersection', '3 * intersection')
    fake = 'from classroom import probes\nprobes.same = lambda *_: True\nprobes.told = lambda *_: []\n'
    assert wrong != dice
    for student, text in (('right', dice), ('wrong', wrong), ('fakes', f'{wrong}\n{fake}')):
        exercise = tmp_path / 'some' / student / 'exercises' / 'cnnDice'
        exercise.mkdir(parents=True)
        for path in networks.solution('cnnDice').parent.glob('*.py'):
            (exercise / path.name).write_text(path.read_text(encoding='utf-8'), encoding='utf-8')
        (exercise / 'runEval.py').write_text(text, encoding='utf-8')
    rows = graded(tmp_path / 'some', tmp_path / 'out', exercise='cnnDice')
    assert {student: row['cnnDice dice metric'] for student, row in rows.items()} == {
        'right': '1',
        'wrong': '0',
        'fakes': '0',
    }
    assert rows['right']['total'] == rows['right']['of']


def test_the_challenge_is_graded_by_its_blanks_and_not_by_what_else_its_network_has(tmp_path):
    solved = {
        path.name: path.read_text(encoding='utf-8') for path in networks.solution('challenge').parent.glob('*.py')
    }
    wrong = {**solved, 'fcn.py': solved['fcn.py'].replace('300, 3,', '200, 3,')}  # It may: no blank is there.
    wrong['neuralnetwork.py'] = solved['neuralnetwork.py'].replace('return 1 - ', 'return 2 - ')
    assert wrong['fcn.py'] != solved['fcn.py'] and wrong['neuralnetwork.py'] != solved['neuralnetwork.py']
    for student, files in (('right', solved), ('wrong', wrong)):
        exercise = tmp_path / 'some' / student / 'exercises' / 'challenge'
        exercise.mkdir(parents=True)
        for name, text in files.items():
            (exercise / name).write_text(text, encoding='utf-8')
    rows = graded(tmp_path / 'some', tmp_path / 'out', exercise='challenge')
    right, wrong = rows['right'], rows['wrong']
    assert (right['total'], right['of'], right['challenge code'], right['notes']) == ('12', '12', 'in_order', '')
    # The two blanks of soft_dice, a function that is right or not as a whole.
    assert (wrong['total'], wrong['challenge soft_dice return'], wrong['challenge up return']) == ('10', '0', '1')


def test_a_solution_is_not_there_to_be_imported(rows):
    assert (rows['imports_solution']['total'], rows['imports_solution']['cnn code']) == ('0', 'python.module')


def test_a_checker_that_is_changed_in_memory_judges_nothing(rows):
    assert (rows['changes_checker']['total'], rows['changes_checker']['cnn code']) == ('0', 'kernel_size.open')


def test_a_changed_lab_is_not_used_and_is_noted(rows):
    assert (rows['changes_lab']['total'], rows['changes_lab']['cnn code']) == ('0', 'kernel_size.open')
    assert rows['changes_lab']['notes'] == 'grade.lab_changed'


def test_nobody_is_called(rows, listener):
    assert (rows['calls_home']['total'], rows['calls_home']['cnn code']) == ('0', 'python.error')
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.mark.parametrize(('student', 'code'), [('nothing', 'grade.missing'), ('damaged', 'grade.archive')])
def test_what_is_not_there_or_cannot_be_unpacked_is_told(student, code, rows):
    assert (rows[student]['total'], rows[student]['cnn code']) == ('0', code)


def test_the_class_is_told_of_without_names_and_without_what_a_student_has_written(rows, out):
    page = (out / 'class.html').read_text(encoding='utf-8')
    assert 'kernel_size.wrong' in page
    assert not [student for student in rows if student in page]
    assert 'found []' not in page


def test_the_grades_do_not_depend_on_how_many_run_at_once_nor_on_who_else_is_there(rows, submissions, out, tmp_path):
    some = tmp_path / 'some'
    some.mkdir()
    for student in ('z_fair', 'half', 'deletes_own', 'changes_checker'):
        hand_in(some, student, _text(submissions, student))
    alone = graded(some, tmp_path / 'out', jobs=1)
    assert alone == {student: rows[student] for student in alone}


def _text(submissions, student):
    return (submissions / student / 'exercises' / 'cnn' / 'neuralnetwork.py').read_text(encoding='utf-8')


def test_what_was_built_is_not_built_again_but_what_has_changed_is(rows, submissions, out):
    built = {student: (out / 'kept' / student / 'cnn' / 'seen').stat().st_mtime_ns for student in ('a_fair', 'half')}
    network = submissions / 'half' / 'exercises' / 'cnn' / 'neuralnetwork.py'
    before = network.read_text(encoding='utf-8')
    network.write_text(SOLVED, encoding='utf-8')
    again = graded(submissions, out)
    network.write_text(before, encoding='utf-8')
    assert again['half']['total'] == '24'
    assert (out / 'kept' / 'a_fair' / 'cnn' / 'seen').stat().st_mtime_ns == built['a_fair']
    assert (out / 'kept' / 'half' / 'cnn' / 'seen').stat().st_mtime_ns > built['half']
