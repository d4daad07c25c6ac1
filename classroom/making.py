"""Makes exercises/ from exercise_solutions/, the master copy: what is marked `# blank` there becomes FIXME.

    kernel_size=[5, 5],  # blank              in the solution
    kernel_size=[FIXME, FIXME],               in the exercise

    fall = (1 + cosine) / 2  # blank expression
    fall = FIXME

What the student is to find alone is left out: a line marked `# solution`, and what stands between the lines
`# begin solution` and `# end solution`; so is a file of which nothing would be left.

A file that differs from what would be made is a student's work: it is named and left alone.
"""

import re
import sys
from pathlib import Path
from typing import Dict, List

from lvseg import flags
from lvseg.project import EXERCISES, SOLUTIONS, exercise_names, shown, solution_folder

_MARK = '# blank'
_BLANK_LINE = re.compile(rf'^(?P<before>.*\[)(?P<values>[^\]]*)(?P<after>\].*?)  {_MARK}$')
_ANY_MARK = re.compile(rf'  {_MARK}( \w+)?$')
_BLANK_EXPRESSION = re.compile(rf'^(?P<before> *(?:return |[^=]* = )).*(?P<after>)  {_MARK} expression$')
_LEFT_OUT_LINE = re.compile(r'  # solution$')
_LEFT_OUT_BLOCK = re.compile(r'^ *# begin solution\n.*?(?:^ *# end solution\n|\Z)', re.MULTILINE | re.DOTALL)
_KEPT = re.compile(r'.*-\d+\.py$')  # A student's version, kept by reset.


def blanked(solution: str) -> str:
    """The text of an exercise: its solution's without what is to be found, what is marked as FIXME, no marks.

    Raises:
        ValueError: a mark on a line that has no list of values, or no expression; the author's slip.
    """
    lines = _LEFT_OUT_BLOCK.sub('', solution).split('\n')
    return '\n'.join(_blanked_line(line) for line in lines if not _LEFT_OUT_LINE.search(line))


def filled(solution: str) -> str:
    """As blanked, with every blank filled in: what a student has in the end who follows the guide."""
    lines = _LEFT_OUT_BLOCK.sub('', solution).split('\n')
    return '\n'.join(_ANY_MARK.sub('', line) for line in lines if not _LEFT_OUT_LINE.search(line))


def marked_lines(solution: str) -> List[int]:
    """The numbers of the lines that have blanks, from 1; they are the same in the exercise if nothing is left out."""
    return [number for number, line in enumerate(solution.split('\n'), start=1) if _MARK in line]


def is_whole(solution: str, line: int) -> bool:
    """Whether the blank of a marked line is all that is assigned or returned there, and not the values in brackets."""
    return bool(_BLANK_EXPRESSION.match(solution.split('\n')[line - 1]))


def _blanked_line(line: str) -> str:
    if _MARK not in line:
        return line
    match = _BLANK_EXPRESSION.match(line) or _BLANK_LINE.match(line)
    if match is None:
        raise ValueError(f'marked as blank, but with no values in brackets: {line.strip()}')
    values = match.groupdict().get('values', '').split(',')
    return match['before'] + ', '.join('FIXME' for _ in values) + match['after']


def generated(exercise: str) -> Dict[Path, str]:
    """What the files of an exercise should hold, by path."""
    solutions = sorted(solution_folder(exercise).glob('*.py'))
    texts = {EXERCISES / exercise / path.name: blanked(path.read_text(encoding='utf-8')) for path in solutions}
    return {path: text for path, text in texts.items() if text}


def differing(files: Dict[Path, str]) -> List[Path]:
    """The files that are there and hold something else."""
    return [path for path, text in files.items() if path.exists() and path.read_bytes() != text.encode()]


def make(exercise: str) -> None:
    """Writes the files that are missing; names those that differ and leaves them alone."""
    files = generated(exercise)
    for path, text in files.items():
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
    for path in differing(files):
        print(f'{shown(path)} differs from the blank exercise: left alone. Blank again: make reset EXERCISE={exercise}')


def reset(exercise: str) -> None:
    """Puts the blank files back; a student's version is kept beside, numbered."""
    for path in differing(generated(exercise)):
        keep(path)
    make(exercise)
    print(f'exercises/{exercise} is blank again.')


def keep(path: Path) -> None:
    """Moves a student's file aside, to the next free number, and says so."""
    number = 1
    while path.with_name(f'{path.stem}-{number}.py').exists():
        number += 1
    kept = path.with_name(f'{path.stem}-{number}.py')
    path.rename(kept)
    print(f'Your {shown(path)} is kept as {shown(kept)}.')


def check() -> None:
    """Exits with status 1 and names the files, where exercises/ is not what the solutions would make."""
    files = {path: text for exercise in exercise_names() for path, text in generated(exercise).items()}
    wrong = differing(files) + [path for path in files if not path.exists()]
    extra = [path for path in EXERCISES.glob('*/*.py') if path not in files and not _KEPT.match(path.name)]
    for path in wrong:
        print(f'ERROR: {shown(path)} is not what {SOLUTIONS.name} would make. Run: make exercises', file=sys.stderr)
    for path in sorted(extra):
        print(f'ERROR: {shown(path)} has no file in {SOLUTIONS.name} that makes it.', file=sys.stderr)
    sys.exit(1 if wrong or extra else 0)


def main() -> None:
    """Makes the exercises, or checks or resets them."""
    parser = flags.Parser(description=__doc__.splitlines()[0])
    parser.add_argument(
        '--check', action='store_true', help='change nothing; fail if a file is not as it would be made'
    )
    parser.add_argument(
        '--reset',
        metavar='EXERCISE',
        choices=exercise_names(),
        help='put the blank exercise back, and keep yours beside it (default: leave all work alone)',
    )
    args = parser.parse_args()
    if args.check:
        check()
    elif args.reset:
        reset(args.reset)
    else:
        for exercise in exercise_names():
            make(exercise)
