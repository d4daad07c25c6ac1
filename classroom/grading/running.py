"""The command that grades a class: everyone's networks are built closed off, then judged, then told."""

import multiprocessing
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any, Callable, Dict, List

from lvseg import flags, processes, progress
from lvseg.errors import LabError
from lvseg.project import PROJECT

import tensorflow.compat.v1 as tf

from classroom.checking import CHECKED
from classroom.grading import collecting, grades, reports, sandbox
from classroom.grading.grades import Item
from classroom.grading.observing import Task, task
from classroom.handout import variants
from classroom.judging import Solution

_FORK = multiprocessing.get_context('fork')
_ONLY_LIMITS = (
    'This system does not let the grader close a process off: user namespaces are off, or a container forbids them. '
    'Submissions run with limits of time, memory, processes and output alone; they have the network, and can read what '
    'their user can. Grade on a machine of its own, or in a container started with --privileged.'
)


def grade(submissions: Path, out: Path, solutions: Dict[str, Path], jobs: int) -> List[Dict[str, Any]]:
    """The grades of a class, a dict for each student and exercise (grades.judge); what is kept in `out` is not redone.

    Args:
        submissions: has a folder or an archive for each student.
        out: the folder of the results.
        solutions: the text that is right, for each exercise.
        jobs: how many are built at once; the grades do not depend on it.

    Raises:
        LabError: `submissions` cannot be used as it is.
    """
    students = collecting.students(submissions)
    closed = sandbox.can_close_off()
    if not closed:
        print(f'NOTE: {_ONLY_LIMITS}', file=sys.stderr)
        _insist_on_readable_python()
    items = [
        Item(student, exercise, path, out / 'kept' / student / exercise)
        for student, path in students.items()
        for exercise in solutions
    ]
    # The solutions are read in another process: nobody's network is built in a copy of one that has seen them.
    tasks, lab = _in_a_fork(lambda: _tasks(solutions))
    _each_in_a_fork('building', items, jobs, lambda item: grades.build(item, tasks[item.exercise], closed, lab))

    known = {exercise: Solution(path) for exercise, path in solutions.items()}
    _each_in_a_fork('judging', items, jobs, lambda item: grades.judge(item, known[item.exercise], closed))
    return [grades.grade(item) for item in items]


def _tasks(solutions: Dict[str, Path]) -> Any:  # noqa: ANN401 - tasks by exercise, and a text
    """What may be known of each exercise, and a text that changes whenever the lab does."""
    known: Dict[str, Task] = {exercise: task(Solution(path)) for exercise, path in solutions.items()}
    rooms = [path for room in ('lvseg', 'classroom') for path in sorted((PROJECT / room).glob('**/*.py'))]
    right = [path for network in solutions.values() for path in sorted(network.parent.glob('*.py'))]
    texts = [path.read_bytes() for path in [*rooms, *right]]
    return known, f'{tf.__version__} {grades.hash_of(b"".join(texts))}'


def _in_a_fork(do: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever it gives
    receiver, sender = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=lambda: sender.send(do()))
    process.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        raise RuntimeError('the solutions cannot be read: see above') from None
    finally:
        process.join()


def _each_in_a_fork(what: str, items: List[Item], jobs: int, do: Callable[[Item], None]) -> None:
    """Does something with each item, in a process of its own, so many at once.

    Raises:
        RuntimeError: one failed, by a bug of ours; its traceback is on stderr.
    """
    running: Dict[int, Item] = {}
    try:
        with progress.bar(len(items), description=what, form=progress.COUNTED) as bar:
            for item in items:
                if len(running) == jobs:
                    _wait_for_one(running, bar)
                running[_fork(lambda item=item: do(item))] = item
            while running:
                _wait_for_one(running, bar)
    finally:
        for process in running:  # Only if it is broken off.
            os.kill(process, signal.SIGINT)
            os.waitpid(process, 0)


def _fork(do: Callable[[], None]) -> int:
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        do()
        status = 0
    except KeyboardInterrupt:
        pass
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)


def _wait_for_one(running: Dict[int, Item], bar: Any) -> None:  # noqa: ANN401 - tqdm's
    process, status = os.wait()
    item = running.pop(process)
    if status != 0:
        raise RuntimeError(f'{item.exercise} of {item.student} could not be graded: see above')
    bar.update()


def _insist_on_readable_python() -> None:
    """As root, strangers' code runs as nobody, who has to be able to read Python."""
    folders = {
        folder for prefix in (sys.prefix, sys.base_prefix, str(PROJECT)) for folder in Path(prefix).resolve().parents
    }
    shut = sorted(str(folder) for folder in folders if not folder.stat().st_mode & 0o001)
    if os.getuid() == 0 and shut:
        raise LabError(
            f'Without closing off, root grades as the user nobody, who may not enter {shut[0]}, where Python or the '
            'lab lies. Install the lab where all may read, in /opt for instance, or grade as another user than root.'
        )


def main() -> None:
    """Grades the submissions of a class."""
    parser = flags.Parser(description="Grades the submissions of a class; strangers' code is run closed off.")
    add = parser.add_argument
    add('--submissions', type=Path, required=True, help='the folder that has a folder or an archive for each student')
    add('--out', type=Path, required=True, help='the folder for grades.csv, class.html, feedback and results')
    add(
        '--jobs',
        type=flags.positive_int,
        default=len(processes.cores()),
        help='how many to run at once (default: %(default)s, the cores)',
    )
    add('--seed', type=flags.seed, help='the seed of the variant that was handed out (default: the network of the lab)')
    args = parser.parse_args()
    tf.logging.set_verbosity(tf.logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, variants.solutions(args.seed, Path(folder)) as network:
        solutions = {exercise: network(exercise) for exercise in CHECKED}
        found = grade(args.submissions, args.out, solutions, args.jobs)
    reports.write(found, collecting.languages(args.submissions), args.out)
    students = len({each['student'] for each in found})
    print(f'Graded {students} submissions: {args.out}/grades.csv, class.html, feedback/ and results/.')
