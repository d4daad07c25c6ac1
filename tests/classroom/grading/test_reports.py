"""What is written of the grades of a class."""

import csv
import json
import re
import xml.etree.ElementTree as Xml

import pytest

from classroom import texts
from classroom.grading import korean, reports

RIGHT = {'code': 'right', 'line': None, 'en': 'right', 'ko': '맞음'}
WRONG = {'code': 'kernel_size.wrong', 'line': 7, 'en': 'kernel_size gave (5, 3) <b>', 'ko': '커널이 다릅니다'}
OWN = {'code': 'python.error', 'line': 9, 'en': 'alice was here', 'ko': '오류 (alice was here)'}


def grade(student, states, problem=None):
    blanks = [
        {'blank': f'conv1 kernel_size {axis}', 'right': state == 'right', 'state': state, 'said': WRONG}
        for axis, state in zip(('height', 'width'), states)
    ]
    hints = [{'code': 'kernel_size.hint', 'line': None, 'en': 'the first half', 'ko': '앞의 둘'}] if problem else []
    return {'student': student, 'exercise': 'cnn', 'blanks': blanks, 'problem': problem, 'hints': hints, 'notes': []}


@pytest.fixture
def out(tmp_path):
    found = [
        grade('alice', ('unknown', 'unknown'), OWN),
        grade('=bob', ('right', 'wrong'), WRONG),
        grade('eve', ('right', 'right')),
    ]
    reports.write(found, {'=bob': 'ko'}, tmp_path)
    return tmp_path


def test_the_table_has_a_line_for_each_and_a_point_for_each_blank(out):
    with open(str(out / 'grades.csv'), newline='', encoding='utf-8') as file:
        rows = list(csv.reader(file))
    names = ['cnn conv1 kernel_size height', 'cnn conv1 kernel_size width']
    assert rows[0] == ['student', *names, 'total', 'of', 'cnn code', 'notes']
    assert rows[1] == ['alice', '0', '0', '0', '2', 'python.error', '']
    assert rows[2] == ["'=bob", '1', '0', '1', '2', 'kernel_size.wrong', '']  # No formula of a spreadsheet's.
    assert rows[3] == ['eve', '1', '1', '2', '2', 'in_order', '']


def test_a_letter_is_in_the_students_language_with_the_hint(out):
    korean_letter = (out / 'feedback' / '=bob.md').read_text(encoding='utf-8')
    assert '빈칸 2개 가운데 1개가 맞은 것으로 확인되었습니다.' in korean_letter
    assert '**다음** (7번째 줄): 커널이 다릅니다' in korean_letter and '**힌트**: 앞의 둘' in korean_letter
    english = (out / 'feedback' / 'eve.md').read_text(encoding='utf-8')
    assert '2 of 2 blanks are seen to be right.' in english and 'The network fits the lab.' in english


def test_gradescope_is_told_every_blank(out):
    found = json.loads((out / 'results' / '=bob' / 'results.json').read_text(encoding='utf-8'))
    assert found['score'] == 1 and sum(test['max_score'] for test in found['tests']) == 2
    assert [test['status'] for test in found['tests']] == ['passed', 'failed', 'failed']


def test_junit_counts_its_failures(out):
    suite = Xml.parse(str(out / 'results' / '=bob' / 'junit.xml')).getroot().find('testsuite')
    assert (suite.get('tests'), suite.get('failures')) == ('3', '2')
    assert [case.get('name') for case in suite.iter('testcase') if case.find('failure') is not None] == [
        'conv1 kernel_size width',
        'the whole',
    ]


def test_the_page_counts_and_shows_no_markup_of_others_and_names_nobody(out):
    page = (out / 'class.html').read_text(encoding='utf-8')
    assert '3 submissions. On average 1.0 of 2 blanks are seen to be right.' in page  # (0 + 1 + 2) / 3
    assert '<td>conv1 kernel_size height</td><td>2</td>' in page
    assert '<td>conv1 kernel_size width</td><td>1</td>' in page  # Solved by one, and one is stuck there.
    assert '<td>the file as a whole</td><td>1</td>' in page
    assert 'kernel_size gave (5, 3) &lt;b&gt;' in page
    assert 'alice' not in page and 'bob' not in page


def test_who_has_an_open_blank_is_stuck_there_and_not_at_the_filled_one_before_it(tmp_path):
    stuck = grade('alice', ('unknown', 'open'))
    for blank, code in zip(stuck['blanks'], ('expression.waiting', 'expression.open')):
        blank['said'] = {**WRONG, 'code': code}
    reports.write([{**stuck, 'problem': WRONG}], {}, tmp_path)
    assert '<td>conv1 kernel_size width</td><td>1</td>' in (tmp_path / 'class.html').read_text(encoding='utf-8')
    assert '| conv1 kernel_size height | cannot be told yet |' in (tmp_path / 'feedback' / 'alice.md').read_text()


def test_every_text_of_a_grade_is_there_in_korean():
    around = re.compile(r'(place|solved|fits|next|watching|hint|stronger_hint|state|height_and_width)\b')
    of_grades = {code for code in texts._ENGLISH if not around.match(code)}
    assert of_grades <= set(korean._KOREAN)


def test_korean_texts_show_what_the_english_ones_show():
    for code, text in korean._KOREAN.items():
        assert korean._names(text) <= korean._names(texts._ENGLISH[code]), code


def test_what_python_says_stays_to_be_looked_up():
    said = texts.worded('python.name', "name 'FIXME' is not defined")
    assert korean.korean(said).endswith("(name 'FIXME' is not defined)")
