"""Grades one exercise of one student: the network is built closed off, and judged where none of their code runs."""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

import lvseg
from lvseg import networks
from lvseg.errors import LabError
from lvseg.project import EXERCISES

from classroom import apart, judging
from classroom.blanks import Parameter
from classroom.grading import collecting, observing, sandbox
from classroom.grading.korean import korean
from classroom.grading.observing import Task
from classroom.judging import AXES, Place, Report, Solution
from classroom.texts import Message, message

NETWORK = 'neuralnetwork.py'

# How building it ended, beside what sandbox.run tells.
_MISSING, _NOT_UNPACKED = 'missing', 'not unpacked'


class Item(NamedTuple):
    """One exercise of one student.

    Attributes:
        path: the student's folder or archive.
        kept: the folder of what was seen of it, so that a run that is broken off goes on there.
    """

    student: str
    exercise: str
    path: Path
    kept: Path


# First: everyone's network is built. No solution has been read, not even by the grader, of which these are copies.


def build(item: Item, task: Task, closed: bool, lab: str) -> None:
    """Builds a student's network within a sandbox and keeps what was seen, unless that of the same files is kept.

    Args:
        item: whose.
        task: what is known of the exercise.
        closed: see sandbox.run.
        lab: what else the result depends on, as a text; another one makes what is kept worthless.
    """
    try:
        handed_in = collecting.submission(item.path, item.exercise)
    except LabError as error:
        _keep(item, {'ended': _NOT_UNPACKED, 'error': str(error)})
        return
    key = _key(handed_in, lab)
    if _kept(item).get('key') == key:
        return
    facts = {'key': key, 'changed': handed_in.changed}
    if NETWORK not in handed_in.files:
        _keep(item, {**facts, 'ended': _MISSING})
        return
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        copy = Path(folder).resolve() / EXERCISES.name / item.exercise
        copy.mkdir(parents=True)
        for name, content in handed_in.files.items():
            (copy / name).write_bytes(content)
        facts.update(_built(item, copy / NETWORK, task, closed))
    for name in [path.name for path in item.kept.glob('*.py')]:  # Of an earlier submission.
        (item.kept / name).unlink()
    for name, content in handed_in.files.items():
        (item.kept / name).write_bytes(content)
    _keep(item, facts)


def _built(item: Item, network: Path, task: Task, closed: bool) -> Dict[str, Any]:
    """Has the network built; how that ended, and where it was."""

    def observe(result: int) -> None:
        process = os.getpid()
        try:
            seen = observing.observed(network, task)
        except LabError as error:
            seen = observing.refused(error, network)
        if os.getpid() != process:  # One that the student's code has started.
            return
        with os.fdopen(result, 'w') as file:
            file.write(seen)

    item.kept.mkdir(parents=True, exist_ok=True)
    said = item.kept / 'said'
    readable = [network.parent, *_rooms()]
    work = sandbox.Work(observe, item.kept / 'seen', said, readable)
    ended = sandbox.run(work, closed)
    problem = apart.end(network, said.read_bytes().decode(errors='replace')) if ended == sandbox.DIED else None
    said.unlink()
    return {'ended': ended, 'problem': _told(problem, network)}


def _told(problem: Optional[networks.NetworkError], network: Path) -> Optional[List[Any]]:
    return problem and [problem.code, str(problem).replace(f'{network.parents[2]}/', ''), problem.line]


def _key(handed_in: collecting.Submission, lab: str) -> str:
    """Names the files of a submission and what they are graded with."""
    text = json.dumps(
        [lab, handed_in.changed, *sorted((name, hash_of(data)) for name, data in handed_in.files.items())]
    )
    return hash_of(text.encode())


def hash_of(content: bytes) -> str:
    """Names a content."""
    return hashlib.sha256(content).hexdigest()


def _keep(item: Item, facts: Dict[str, Any]) -> None:
    """Writes down what is known of an item; whole or not at all."""
    item.kept.mkdir(parents=True, exist_ok=True)
    unfinished = item.kept / 'facts.part'
    unfinished.write_text(json.dumps(facts), encoding='utf-8')
    unfinished.replace(item.kept / 'facts.json')


def _kept(item: Item) -> Dict[str, Any]:
    try:
        return json.loads((item.kept / 'facts.json').read_text(encoding='utf-8'))
    except (FileNotFoundError, ValueError):
        return {}


# Then: what was seen is judged.


def judge(item: Item, solution: Solution, closed: bool) -> None:
    """Grades what was built, for `grade` to read. Nothing of the student's runs."""
    facts = _kept(item)
    report = _report_without_judging(item, facts, solution)
    found = _judged(item, facts, solution, closed) if report is None else _grade(item, report, facts)
    (item.kept / 'grade').write_text(json.dumps(found), encoding='utf-8')


def grade(item: Item) -> Dict[str, Any]:
    """The grade of an item that was judged: its blanks, the problem, hints and notes, in both languages."""
    return json.loads((item.kept / 'grade').read_text(encoding='utf-8'))


def _report_without_judging(item: Item, facts: Dict[str, Any], solution: Solution) -> Optional[Report]:
    """The report on what could not be built to its end."""
    values = {'file': f'{EXERCISES.name}/{item.exercise}/{NETWORK}', 'seconds': sandbox.SECONDS}
    values['error'] = facts.get('error')
    codes = {_MISSING: 'grade.missing', _NOT_UNPACKED: 'grade.archive', sandbox.TOOK_TOO_LONG: 'grade.endless'}
    if facts['ended'] in codes:
        return without(message(codes[facts['ended']], **values), solution)
    if facts['ended'] == sandbox.DIED:
        return judging.unreadable(_died(facts), solution)
    return None


def _died(facts: Dict[str, Any]) -> networks.NetworkError:
    code, text, line = facts['problem']
    return networks.NetworkError(code, text, line)


def without(problem: Message, solution: Solution) -> Report:
    """A report that has nothing but a problem."""
    return judging.unreadable(LabError(''), solution)._replace(problem=problem)


def _judged(item: Item, facts: Dict[str, Any], solution: Solution, closed: bool) -> Dict[str, Any]:
    """Judges what was seen, closed off as well: a graph from a stranger may bring TensorFlow down."""
    seen = (item.kept / 'seen').read_bytes()
    file = f'{EXERCISES.name}/{item.exercise}/{NETWORK}'

    def weigh(result: int) -> None:
        with os.fdopen(result, 'w') as written:
            json.dump(_grade(item, _weighed(seen, texts, solution, file), facts), written)

    try:
        there = [name for name in (NETWORK, *solution.files) if (item.kept / name).exists()]
        texts = {name: networks.source(item.kept / name) for name in there}
    except LabError as error:
        return _grade(item, judging.unreadable(error, solution), facts)
    work = sandbox.Work(weigh, item.kept / 'weighed', item.kept / 'said', [*_rooms(), solution.path.parent])
    if sandbox.run(work, closed) != sandbox.DONE:
        return _grade(item, without(message('grade.crash', file=file), solution), facts)
    return json.loads((item.kept / 'weighed').read_text())


def _rooms() -> List[Path]:
    """The lab's rooms, by the paths by which they were imported: of what is imported late, they are read again."""
    return [Path(lvseg.__file__).parent, Path(apart.__file__).parent]


def _weighed(seen: bytes, texts: Dict[str, str], solution: Solution, file: str) -> Report:
    try:
        return observing.report(seen, texts, solution)
    except ValueError:
        code = 'grade.not_read' if seen else 'python.exit'
    if code == 'python.exit':
        said = f'{file} ends Python itself, before the network is built.'
        return judging.unreadable(networks.NetworkError(code, said), solution)
    return without(message(code, file=file), solution)


def _grade(item: Item, report: Report, facts: Dict[str, Any]) -> Dict[str, Any]:
    """A grade: the report, in both languages."""
    notes = list(report.notes)
    if facts.get('changed'):
        notes.append(message('grade.lab_changed', files=', '.join(facts['changed'][:5])))
    blanks = [
        {
            'blank': name,
            'right': state == judging.RIGHT,
            'state': state,
            'said': _both(verdict.text),
        }
        for place, verdict in report.verdicts.items()
        for name, state in zip(_names(place, len(verdict.states)), verdict.states)
    ]
    return {
        'student': item.student,
        'exercise': item.exercise,
        'blanks': blanks,
        'problem': _both(report.problem) if report.problem else None,
        'hints': [_both(hint) for hint in report.hints],
        'notes': [_both(note) for note in notes],
    }


def _names(place: Place, blanks: int) -> List[str]:
    """What the blanks of a place are called."""
    if isinstance(place, Parameter):
        return [f'{place.layer} {place.name} {axis}' for axis in AXES]
    numbers = [''] if blanks == 1 else [f' {number}' for number in range(1, blanks + 1)]
    return [f'{place.function} {place.name}{number}' for number in numbers]


def _both(said: Message) -> Dict[str, Any]:
    return {'code': said.code, 'line': said.line, 'en': str(said), 'ko': korean(said)}
