"""An exercise as a student has it, with something filled into its blanks."""

import re
import shutil

from lvseg import networks

from classroom import making


def folder_of(exercise, folder):
    """A folder of the exercise with all blanks filled in as in the solution."""
    solution = networks.solution(exercise).parent
    shutil.copytree(str(solution), str(folder), ignore=shutil.ignore_patterns('__pycache__'))
    for path in folder.glob('*.py'):
        path.write_text(re.sub(r'  # blank( expression)?$', '', path.read_text(), flags=re.MULTILINE))
    return folder


def blank_line(exercise, file, start):
    """A line of the solution that has blanks, known by how it begins, and the same line with its blanks open."""
    lines = (networks.solution(exercise).parent / file).read_text().split('\n')
    (line,) = [line for line in lines if line.strip().startswith(start) and '# blank' in line]
    return re.sub(r'  # blank( expression)?$', '', line), making.blanked(line)


def fill(path, solved, opened, values):
    """Puts values where the blanks of a line are, in their order."""
    text = path.read_text()
    assert text.count(solved) == 1
    for value in values:
        opened = opened.replace('FIXME', value, 1)
    path.write_text(text.replace(solved, opened))
