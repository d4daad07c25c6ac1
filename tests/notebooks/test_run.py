"""The notebooks run: those with solutions from top to bottom, those for students up to the first blank."""

import os
import re

import pytest

from tests.docs.test_commands import LEFT_OUT, SLICES_KEPT, keep_few_slices

pytestmark = pytest.mark.slow

# The first seven are the lab. What follows takes minutes, and its cells are the commands that test_commands.py runs;
# whoever changes how cells run can have all of them: LAB_NOTEBOOKS=99 python -m pytest -m slow tests/notebooks
CHAPTERS = int(os.environ.get('LAB_NOTEBOOKS', 7))


def test_the_solution_notebooks_of_the_lab_run_from_top_to_bottom(made, run_notebook, lab):
    """One after the other, for they look at what earlier ones have trained; on few slices."""

    def lighten(cell, cell_index, **_):
        if 'data_prep' in cell.source:
            for name in SLICES_KEPT:
                keep_few_slices(lab / name)

    for name, notebook in sorted(made('en', 'solution').items())[:CHAPTERS]:
        notebook.cells = [cell for cell in notebook.cells if cell.source.replace('%%lab\n', '') not in LEFT_OUT]
        ran = run_notebook(notebook, on_cell_executed=lighten)
        assert ran.error is None, f'{name}: {ran.error}'
        said = '\n'.join(ran.outputs)
        for exercise in re.findall(r'^%%check (\w+)$', str_of(notebook), re.MULTILINE):
            assert re.search(
                rf'exercises/{exercise}\b.*: solved so far, (\d+) of \1, and the network fits the lab', said
            )
        if name.endswith('tensorboard'):
            assert '<iframe' in str(notebook.cells)
        if 'scripts/show.py' in str(notebook.cells):
            assert any('image/png' in output for output in ran.outputs), 'the slices drawn are not shown'


def test_a_student_notebook_stops_at_the_first_blank_with_what_the_checker_says(made, run_notebook, lab):
    (notebook,) = [notebook for name, notebook in made('ko', 'student').items() if '%%check cnn\n' in str_of(notebook)]
    ran = run_notebook(notebook)
    assert str(ran.error).splitlines()[-1].startswith('A hint: %%check cnn --hint')
    assert 'kernel_size is still open (FIXME)' in ran.outputs[-1]
    line = int(re.search(r'conv1, line (\d+)', ran.outputs[-1]).group(1))
    (cell,) = [cell for cell in notebook.cells if cell.source.startswith('%%check cnn\n')]
    assert cell.source.splitlines()[line - 1].strip() == 'kernel_size=[FIXME, FIXME],'


def str_of(notebook):
    return '\n'.join(cell.source for cell in notebook.cells)
