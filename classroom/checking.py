"""The command that checks a student's network: once, whenever it is saved, or for a program that reads JSON."""

import contextlib
import json
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from lvseg import flags, networks
from lvseg.errors import LabError, one_line
from lvseg.project import shown

import tensorflow.compat.v1 as tf

from classroom import apart, judging
from classroom.blanks import Parameter
from classroom.handout import key
from classroom.judging import Place, Report, Solution
from classroom.texts import Message, message
from classroom.verdicts import Verdict

# What is handed out and graded.
CHECKED = ('simple', 'cnn', 'cnnDice', 'challenge')

# Which have something else to do next than to train and evaluate: the network of cnnDice is that of cnn.
_WITH_NEXT_OF_THEIR_OWN = {'cnnDice': 'next.cnnDice'}

_POLL_SECONDS = 0.2
_CLEAR_SCREEN = '\033[H\033[2J'


def screen(exercise: str, report: Report, blanks: int, hints: int) -> str:
    """The report as it is printed."""
    values = {'exercise': exercise, 'file': _checked(exercise, report)}
    values.update(solved=report.solved, blanks=blanks)
    if not report.problem:
        in_order = message('solved.all' if blanks else 'fits', **values)
        following = message(_WITH_NEXT_OF_THEIR_OWN.get(exercise, 'next'), **values)
        return '\n'.join([in_order, *report.notes, following])

    counted = [message('solved', **values)] if blanks and report.solved is not None else []
    offers = [message(offer, **values) for offer in ('hint.offered', 'stronger_hint.offered') if report.hints]
    return '\n'.join([*counted, report.problem, *report.hints[:hints], *offers[hints : hints + 1]])


def _checked(exercise: str, report: Report) -> str:
    """The file that has blanks, or the folder of several."""
    path = networks.of_student(exercise)
    files = {getattr(place, 'file', path.name) for place in report.verdicts}
    return shown(path if files <= {path.name} else path.parent)


def as_json(exercise: str, report: Report, blanks: int, hints: int) -> str:
    """The report as a JSON object; null is what there is not, or what cannot be told."""
    parameters = [
        {
            **place._asdict(),
            'line': verdict.line,
            **_states(place, verdict),
            'code': verdict.text.code,
            'message': verdict.text,
        }
        for place, verdict in report.verdicts.items()
    ]
    found = {
        'exercise': exercise,
        'file': shown(networks.of_student(exercise)),
        'in_order': not report.problem,
        'blanks': blanks,
        'solved': report.solved,
        'parameters': parameters,
        'problem': {**_coded(report.problem), 'line': report.problem.line} if report.problem else None,
        'hints': _all_coded(report.hints[:hints]),
        'notes': _all_coded(report.notes),
    }
    return json.dumps(found, indent=2)


def _states(place: Place, verdict: Verdict) -> Dict[str, Any]:
    """Of a layer's parameter the height's and the width's, of a function's statement those of its blanks in order."""
    if isinstance(place, Parameter):
        return dict(zip(judging.AXES, verdict.states))
    return {'states': list(verdict.states)}


def _coded(text: Message) -> Dict[str, Any]:
    return {'code': text.code, 'message': text}


def _all_coded(texts: Tuple[Message, ...]) -> List[Dict[str, Any]]:
    return [_coded(text) for text in texts]


def check_once(args: Namespace, solution: Solution) -> bool:
    """Prints the report; whether all is in order."""
    report = apart.check(networks.of_student(args.exercise), solution)
    print(screen(args.exercise, report, solution.blanks, args.hint), flush=True)
    return not report.problem


def check_for_a_program(args: Namespace, solution: Solution) -> bool:
    """Prints the report as JSON, of a file that cannot be read, too; whether all is in order."""
    try:
        report = apart.check(networks.of_student(args.exercise), solution)
    except LabError as error:
        report = judging.unreadable(error, solution)
    print(as_json(args.exercise, report, solution.blanks, args.hint), flush=True)
    return not report.problem


def watch(args: Namespace, solution: Solution) -> bool:
    """Prints the report again whenever the file is saved, until Ctrl-C; whether all was in order in the end."""
    path = networks.of_student(args.exercise)
    in_order, seen = False, None
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            stamp = [_stamp(path.with_name(name)) for name in (path.name, *solution.files)]
            if stamp != seen:
                seen = stamp
                print(_CLEAR_SCREEN if sys.stdout.isatty() else '\n', end='')
                in_order = _checked_or_explained(args, solution)
                print(message('watching', file=shown(path)), flush=True)
            time.sleep(_POLL_SECONDS)
    return in_order


def _checked_or_explained(args: Namespace, solution: Solution) -> bool:
    try:
        return check_once(args, solution)
    except LabError as error:
        print(one_line(f'ERROR: {error}'), flush=True)
        return False


def _stamp(path: Path) -> Optional[Tuple[int, int]]:
    """Changes whenever a file is saved; None while there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_ino


def main() -> None:
    """Checks an exercise; exits with status 0 only if all is in order."""
    parser = flags.Parser(description='Checks the network of an exercise, without data and without training.')
    add = parser.add_argument
    add('exercise', choices=CHECKED, help='the exercise to check')
    add(
        '--hint',
        action='count',
        default=0,
        help='a hint on the next blank; given twice, a stronger one (default: none)',
    )
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        '--watch', action='store_true', help='check again whenever the file is saved, until Ctrl-C (default: once)'
    )
    way.add_argument(
        '--json',
        action='store_true',
        help='print one JSON object for programs: what each blank is, right, wrong, open or unknown, on which line, '
        'and all that is said, with codes that stay the same (default: text)',
    )
    args = parser.parse_args()

    tf.logging.set_verbosity(tf.logging.ERROR)
    with key.solution(args.exercise) as path:
        solution = Solution(path)
    check = watch if args.watch else check_for_a_program if args.json else check_once
    sys.exit(0 if check(args, solution) else 1)
