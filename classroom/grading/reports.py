"""What is told of the grades of a class: a table, a letter to each student, files for other programs, a page."""

import csv
import html
import json
import xml.etree.ElementTree as Xml
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple

Grade = Dict[str, Any]  # As grades.grade gives it.

# What a blank's state and the letter's headings are called.
_WORDS = {
    'en': {
        'right': 'right',
        'wrong': 'not right yet',
        'open': 'still open',
        'unknown': 'cannot be told yet',
        'total': '{right} of {blanks} blanks are seen to be right.',
        'fits': 'The network fits the lab.',
        'blank': 'blank',
        'state': 'state',
        'next': 'Next',
        'line': 'line {line}',
        'hint': 'A hint',
        'note': 'Note',
    },
    'ko': {
        'right': '맞음',
        'wrong': '아직 틀림',
        'open': '비어 있음',
        'unknown': '아직 알 수 없음',
        'total': '빈칸 {blanks}개 가운데 {right}개가 맞은 것으로 확인되었습니다.',
        'fits': '네트워크가 실습에 맞습니다.',
        'blank': '빈칸',
        'state': '상태',
        'next': '다음',
        'line': '{line}번째 줄',
        'hint': '힌트',
        'note': '참고',
    },
}

# Their texts show what a student's own code says: no example for a class.
_OWN_WORDS = ('python.', 'file.', 'function.', 'lab', 'grade.archive', 'value.', 'grade.lab_changed', 'layer.missing')
_STARTS_A_FORMULA = ('=', '+', '-', '@', '\t', '\r')


class Student(NamedTuple):
    """A student's grades, one for each exercise."""

    name: str
    grades: List[Grade]

    @property
    def right(self) -> int:
        """How many blanks are right in all."""
        return sum(map(right, self.grades))

    @property
    def blanks(self) -> int:
        """How many there are."""
        return sum(len(grade['blanks']) for grade in self.grades)


def right(grade: Grade) -> int:
    """How many blanks of an exercise are right."""
    return sum(blank['right'] for blank in grade['blanks'])


def write(found: List[Grade], languages: Dict[str, str], out: Path) -> None:
    """Writes grades.csv, class.html, and for each student feedback/….md, results/…/results.json and junit.xml."""
    students = [Student(name, [grade for grade in found if grade['student'] == name]) for name in _names(found)]
    for folder in (out / 'feedback', out / 'results'):
        folder.mkdir(parents=True, exist_ok=True)
    with open(str(out / 'grades.csv'), 'w', newline='', encoding='utf-8') as file:
        csv.writer(file).writerows(table(students))
    (out / 'class.html').write_text(page(students), encoding='utf-8')
    for student in students:
        letter = feedback(student, languages.get(student.name, 'en'))
        (out / 'feedback' / f'{student.name}.md').write_text(letter, encoding='utf-8')
        results = out / 'results' / student.name
        results.mkdir(exist_ok=True)
        for_gradescope = gradescope(student, languages.get(student.name, 'en'))
        (results / 'results.json').write_text(
            json.dumps(for_gradescope, indent=2, ensure_ascii=False), encoding='utf-8'
        )
        Xml.ElementTree(junit(student)).write(str(results / 'junit.xml'), encoding='utf-8', xml_declaration=True)


def _names(found: List[Grade]) -> List[str]:
    return list(dict.fromkeys(grade['student'] for grade in found))


def table(students: List[Student]) -> Iterator[List[Any]]:
    """A line for each student: each blank's point, all of them, where they are stuck, and the messages' codes."""
    blanks = [f'{grade["exercise"]} {blank["blank"]}' for grade in students[0].grades for blank in grade['blanks']]
    yield ['student', *blanks, 'total', 'of', *(f'{grade["exercise"]} code' for grade in students[0].grades), 'notes']
    for student in students:
        points = [int(blank['right']) for grade in student.grades for blank in grade['blanks']]
        codes = [grade['problem']['code'] if grade['problem'] else 'in_order' for grade in student.grades]
        notes = ' '.join(sorted({note['code'] for grade in student.grades for note in grade['notes']}))
        yield [_no_formula(student.name), *points, student.right, student.blanks, *codes, notes]


def _no_formula(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text


def feedback(student: Student, language: str) -> str:
    """What a student is told: what is right, which blank is not, and a hint."""
    words = _WORDS[language]
    total = words['total'].format(right=student.right, blanks=student.blanks)
    parts = [f'# {_plain(student.name)}', total, *(_of_exercise(grade, language) for grade in student.grades)]
    return '\n\n'.join(parts) + '\n'


def _of_exercise(grade: Grade, language: str) -> str:
    words = _WORDS[language]
    parts = [f'## {grade["exercise"]}']
    if grade['blanks']:
        rows = [f'| {blank["blank"]} | {words[blank["state"]]} |' for blank in grade['blanks']]
        parts.append('\n'.join([f'| {words["blank"]} | {words["state"]} |', '|---|---|', *rows]))
    if grade['problem']:
        line = grade['problem']['line']
        place = f' ({words["line"].format(line=line)})' if line else ''
        parts.append(f'**{words["next"]}**{place}: {_plain(grade["problem"][language])}')
    else:
        parts.append(words['fits'])
    parts.extend(f'**{words["hint"]}**: {_plain(hint[language])}' for hint in grade['hints'][:1])
    parts.extend(f'**{words["note"]}**: {_plain(note[language])}' for note in grade['notes'])
    return '\n\n'.join(parts)


def _plain(text: str) -> str:
    """A text of which Markdown makes no markup."""
    return ''.join(f'\\{letter}' if letter in '\\`*_[]<>#|' else letter for letter in text)


def gradescope(student: Student, language: str) -> Dict[str, Any]:
    """What Gradescope reads as results.json: a test for each blank, and one for each exercise as a whole.

    Its form: https://gradescope-autograders.readthedocs.io/en/latest/specs/
    """
    tests = []
    for grade in student.grades:
        for blank in grade['blanks']:
            test = {'name': f'{grade["exercise"]}: {blank["blank"]}', 'score': int(blank['right']), 'max_score': 1}
            output = '' if blank['right'] else blank['said'][language]
            tests.append({**test, 'status': _passed(blank['right']), 'output': output, 'visibility': 'visible'})
        said = grade['problem'][language] if grade['problem'] else _WORDS[language]['fits']
        status = {'status': _passed(not grade['problem']), 'output': said, 'visibility': 'visible'}
        tests.append({'name': grade['exercise'], 'score': 0, 'max_score': 0, **status})
    return {
        'score': student.right,
        'output': _WORDS[language]['total'].format(right=student.right, blanks=student.blanks),
        'output_format': 'text',
        'visibility': 'visible',
        'stdout_visibility': 'hidden',
        'tests': tests,
    }


def _passed(passed: bool) -> str:
    return 'passed' if passed else 'failed'


def junit(student: Student) -> Xml.Element:
    """The same as JUnit's XML: a suite for each exercise, a case for each blank and one for the whole."""
    suites = Xml.Element('testsuites', name='lvseg')
    for grade in student.grades:
        failures = sum(not blank['right'] for blank in grade['blanks']) + bool(grade['problem'])
        counts = {'tests': str(len(grade['blanks']) + 1), 'failures': str(failures), 'errors': '0', 'skipped': '0'}
        suite = Xml.SubElement(suites, 'testsuite', name=grade['exercise'], **counts)
        for blank in grade['blanks']:
            _case(suite, grade['exercise'], blank['blank'], None if blank['right'] else blank['said'])
        _case(suite, grade['exercise'], 'the whole', grade['problem'])
    return suites


def _case(suite: Xml.Element, exercise: str, name: str, failure: Any) -> None:  # noqa: ANN401 - a message or None
    case = Xml.SubElement(suite, 'testcase', classname=exercise, name=name)
    if failure:
        Xml.SubElement(case, 'failure', type=failure['code'], message=failure['en']).text = failure['en']


# The page on the class, which names nobody


def page(students: List[Student]) -> str:
    """How many solved each blank, the common mistakes with an example, and how many are stuck where."""
    blanks = f'On average {_mean(students):.1f} of {students[0].blanks} blanks are seen to be right.'
    parts = [f'<p>{len(students)} submissions. {blanks}</p>']
    for number, first in enumerate(students[0].grades):
        of_exercise = [student.grades[number] for student in students]
        parts.append(f'<h2>{html.escape(first["exercise"])}</h2>')
        parts.extend([_solved(of_exercise), _stuck(of_exercise), _mistakes(of_exercise, students)])
    return _PAGE.format(body='\n'.join(parts))


def _mean(students: List[Student]) -> float:
    return sum(student.right for student in students) / len(students)


def _solved(of_exercise: List[Grade]) -> str:
    rows = []
    for number, blank in enumerate(of_exercise[0]['blanks']):
        count = sum(grade['blanks'][number]['right'] for grade in of_exercise)
        bar = f'<progress max="{len(of_exercise)}" value="{count}"></progress>'
        rows.append([html.escape(blank['blank']), str(count), bar])
    rows.append(['the whole', str(sum(not grade['problem'] for grade in of_exercise)), ''])
    return _html_table(['blank', 'solved by', f'of {len(of_exercise)}'], rows)


def _stuck(of_exercise: List[Grade]) -> str:
    """How many have each blank, or the network as a whole, as the next thing to do."""
    places = Counter(_next(grade) for grade in of_exercise if grade['problem'])
    if not places:
        return '<p>Nobody is stuck.</p>'
    return _html_table(['stuck at', 'students'], [[html.escape(at), str(count)] for at, count in places.most_common()])


def _next(grade: Grade) -> str:
    if not any(blank['right'] or blank['state'] in ('wrong', 'open') for blank in grade['blanks']):
        return 'the file as a whole'
    stuck = (blank['blank'] for blank in grade['blanks'] if not blank['right'] and not _waits(blank))
    return next(stuck, 'the network as a whole')


def _waits(blank: Dict[str, Any]) -> bool:
    """Whether it is filled in, and not told apart while another blank of its function is open."""
    return blank['state'] == 'unknown' and blank['said']['code'] in ('expression.waiting', 'expression.open')


def _mistakes(of_exercise: List[Grade], students: List[Student]) -> str:
    """The problems by their codes, each with what one was told; not where a student's own words are in it."""
    problems = [grade['problem'] for grade in of_exercise if grade['problem']]
    names = [student.name.casefold() for student in students]
    rows = []
    for code, count in Counter(problem['code'] for problem in problems).most_common():
        said = next(problem['en'] for problem in problems if problem['code'] == code)
        own = code.startswith(_OWN_WORDS) or any(name in said.casefold() for name in names)
        rows.append([html.escape(code), str(count), '' if own else html.escape(said)])
    return _html_table(['message', 'students', 'for example'], rows) if rows else ''


def _html_table(head: List[str], rows: List[List[str]]) -> str:
    def line(cells: List[str], kind: str) -> str:
        return '<tr>' + ''.join(f'<{kind}>{cell}</{kind}>' for cell in cells) + '</tr>'

    return '\n'.join(['<table>', line(head, 'th'), *(line(row, 'td') for row in rows), '</table>'])


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>The class</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }}
table {{ border-collapse: collapse; margin: 1em 0 }}
th, td {{ text-align: left; padding: .2em .8em; border-bottom: 1px solid #ccc }}
</style>
<h1>The class</h1>
{body}
</html>
"""
