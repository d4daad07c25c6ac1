"""The notebooks run: those with solutions from top to bottom, those for students up to the first blank."""

import re

import pytest

from tests.docs.test_commands import LEFT_OUT, SLICES_KEPT, keep_few_slices

pytestmark = pytest.mark.slow

# So that all of them take minutes and not an hour: few patients where the guide leaves their number to data_prep, an
# epoch for each training, a small `simple`. The fixture `lab` makes light what does not stand in a cell.
LIGHTER = [
    (r'data_prep phantom\b(?!.* --patients)', r'\g<0> --patients 6'),
    (r'--num_epochs \d+', '--num_epochs 1'),
    (r'^HIDDEN_UNITS = 512$', 'HIDDEN_UNITS = 4'),
]


def test_the_solution_notebooks_run_from_top_to_bottom(made, run_notebook, lab):
    """One after the other, for they look at what earlier ones have trained; those in Korean have the same cells."""

    def keep_few(cell, cell_index, **_):
        if 'data_prep' in cell.source:
            for name in SLICES_KEPT:
                keep_few_slices(lab / name)

    for name, notebook in sorted(made('en', 'solution').items()):
        notebook.cells = [cell for cell in notebook.cells if cell.source.replace('%%lab\n', '') not in LEFT_OUT]
        for cell in notebook.cells:
            cell.source = lighter(cell.source)
        ran = run_notebook(notebook, on_cell_executed=keep_few)
        assert ran.error is None, f'{name}: {ran.error}'
        said = '\n'.join(ran.outputs)
        assert not re.search('warning', said, re.IGNORECASE)
        for exercise in re.findall(r'^%%check (\w+)$', str_of(notebook), re.MULTILINE):
            assert re.search(
                rf'exercises/{exercise}\b.*: solved so far, (\d+) of \1, and the network fits the lab', said
            )
        if name.endswith('tensorboard'):
            assert '<iframe' in str(notebook.cells)
        if re.search(r'^python scripts/show\.py', str_of(notebook), re.MULTILINE):
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


def lighter(source):
    for long, short in LIGHTER:
        source = re.sub(long, short, source, flags=re.MULTILINE)
    return source
