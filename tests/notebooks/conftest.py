"""A copy of the lab for notebooks to work in, and how to run them there."""

import os
import shutil
import subprocess

import nbclient
import nbformat
import pytest

from notebooks import chapters
from notebooks.chapters import Edition


class Ran:
    """A notebook that was run, as far as it went."""

    def __init__(self, notebook, error):
        self.notebook = notebook
        self.error = error

    @property
    def outputs(self):
        """Of all cells, as texts; of a picture or a page its kind."""
        return [_as_text(output) for cell in self.notebook.cells for output in cell.get('outputs', [])]


def _as_text(output):
    if output.output_type == 'stream':
        return output.text
    if output.output_type == 'error':
        return '\n'.join(output.traceback)
    return ' '.join(output.data)


@pytest.fixture(scope='session')
def lab(root, tmp_path_factory):
    """The repository as git has it, and what is not yet committed; quick: a small `simple`, a recipe of an epoch."""
    folder = tmp_path_factory.mktemp('notebooks') / 'lab'
    listed = ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
    for name in subprocess.check_output(listed, cwd=str(root), universal_newlines=True).rstrip('\0').split('\0'):
        if (root / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(root / name), str(folder / name))
    for exercises in ('exercises', 'exercise_solutions'):
        network = folder / exercises / 'simple' / 'neuralnetwork.py'
        network.write_text(network.read_text().replace('HIDDEN_UNITS = 512', 'HIDDEN_UNITS = 4'))
    recipe = folder / 'experiments' / 'recipe.py'
    recipe.write_text(recipe.read_text().replace("'--num_epochs', '50'", "'--num_epochs', '1'"))
    return folder


@pytest.fixture(scope='session')
def run_notebook(lab):
    """Runs a notebook in the copy, from top to bottom or to the first cell that fails."""

    def run(notebook, **hooks):
        client = nbclient.NotebookClient(
            notebook,
            timeout=300,
            startup_timeout=300,
            iopub_timeout=120,
            kernel_name='python3',
            resources={'metadata': {'path': str(lab / 'notebooks')}},
            **hooks,
        )
        try:
            client.execute(env={**os.environ, 'PYTHONPATH': str(lab)})
        except nbclient.exceptions.CellExecutionError as error:
            return Ran(notebook, error)
        return Ran(notebook, None)

    return run


@pytest.fixture(scope='session')
def made():
    """The notebooks of an edition, by the names of their chapters."""

    def make(language, kind):
        edition = Edition(language, kind)
        return {path.stem: chapters.notebook(path, edition, '') for path in chapters.chapters(language)}

    return make


@pytest.fixture
def cells():
    """A notebook of these cells."""
    return lambda *sources: nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
