"""A student's notebook from one blank to the next: what each cell answers, in a kernel as Jupyter has it."""

import os
import re

from lvseg.project import exercise_names

import nbformat
import pytest
from jupyter_client.manager import run_kernel

pytestmark = pytest.mark.slow

# Each check has a Python of its own, which takes seconds to start TensorFlow; 47 checks have one together here. In
# test_run.py a first blank is checked as students check it.
ALL_IN_ONE_PYTHON = """
import contextlib, functools, io, subprocess, sys, types
from unittest import mock

from classroom import checking
from notebooks import magics

checking.Solution = functools.lru_cache(maxsize=None)(checking.Solution)


def checked(command, **_):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), mock.patch.object(sys, 'argv', command[1:]):
        try:
            checking.main()
        except SystemExit as end:
            return subprocess.CompletedProcess(command, end.code, said.getvalue().encode())


magics.subprocess = types.SimpleNamespace(run=checked, PIPE=None, STDOUT=None)
"""


@pytest.fixture(scope='module')
def run(lab, made):
    """Runs a cell in a kernel that stays: whether it was in order, and what stands below it."""
    first_cell = next(iter(made('en', 'student').values())).cells[2].source
    environment = {**os.environ, 'PYTHONPATH': str(lab)}
    with run_kernel(cwd=str(lab / 'notebooks'), env=environment) as kernel:

        def run_cell(source):
            said = []

            def note(message):
                if message['msg_type'] in ('stream', 'error'):
                    output = nbformat.v4.output_from_msg(message)
                    said.append(output.text if output.output_type == 'stream' else '\n'.join(output.traceback))

            # A cell that fails does not take with it the next, which a kernel may have been sent already.
            how = {'allow_stdin': False, 'stop_on_error': False, 'timeout': 300}
            reply = kernel.execute_interactive(source, output_hook=note, **how)
            return reply['content']['status'] == 'ok', ''.join(said)

        for source in (first_cell, ALL_IN_ONE_PYTHON):
            assert run_cell(source) == (True, '')
        yield run_cell


@pytest.mark.parametrize('exercise', exercise_names())
def test_a_student_notebook_stops_at_each_blank_with_what_the_checker_says_until_all_are_filled_in(exercise, made, run):
    cells, filled = (cells_of(exercise, made('en', kind)) for kind in ('student', 'solution'))
    blanks = sum(map(open_blanks, cells.values()))
    for name in cells:
        if name != 'neuralnetwork.py':
            run(cells[name])
    for solved in range(blanks):
        in_order, said = run(cells['neuralnetwork.py'])
        assert not in_order
        assert f': solved so far, {solved} of {blanks}.\n' in said
        name, line, text = where(said)
        assert text.startswith(f'{asked_for(cells[name], line)} is still open (FIXME)')
        cells[name] = with_next_filled_in(cells[name], filled[name], line)
        if name != 'neuralnetwork.py':
            assert run(cells[name]) == (True, f'Saved as exercises/{exercise}/{name}.\n')
    in_order, said = run(cells['neuralnetwork.py'])
    assert in_order and f': solved so far, {blanks} of {blanks}, and the network fits the lab.\n' in said


def cells_of(exercise, notebooks):
    """The cells with an exercise's files, by the files' names, as they come in the notebooks."""
    sources = [cell.source for notebook in notebooks.values() for cell in notebook.cells]
    of_files = [re.match(rf'%%(?:save {exercise} (\S+)|check {exercise})\n', source) for source in sources]
    return {match.group(1) or 'neuralnetwork.py': match.string for match in of_files if match}


def open_blanks(source):
    return len(re.findall(r'\bFIXME\b', source))


def where(said):
    """The file and the line that the checker names, and what it says of them."""
    file, line, text = re.search(r'^\w+(?: in (\w+\.py))?, line (\d+): (.*)', said, re.MULTILINE).groups()
    return file or 'neuralnetwork.py', int(line), text


def asked_for(source, line):
    """The name of what is assigned or returned there; of a layer's parameter its name."""
    return re.match(r' *(return|[^=]*?) ?(=|FIXME)', source.splitlines()[line - 1]).group(1)


def with_next_filled_in(source, filled, line):
    """The first blank of the statement or parameter that begins on a line, filled in as in the solution."""
    blank, solution = (text.splitlines() for text in (source, filled))
    at = next(number for number, text in enumerate(blank) if number >= line - 1 and open_blanks(text))
    parts = map(re.escape, re.split(r'\bFIXME\b', blank[at]))
    value = re.fullmatch('(.+)'.join(parts), solution[at]).group(1)
    blank[at] = re.sub(r'\bFIXME\b', lambda _: value, blank[at], count=1)
    return '\n'.join(blank) + '\n'
