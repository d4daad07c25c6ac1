"""A chapter of the guide as a notebook: its commands and the exercises' files become cells, the rest stays text.

What is for one kind of reader alone is marked in the chapter, by comments that nobody sees:

    <!-- shell -->           up to <!-- /shell --> it is left out of the notebooks
    <!-- notebook            up to --> it is in the notebooks alone
"""

import base64
import mimetypes
import os
import re
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Set

from lvseg.project import PROJECT

import jupytext
from nbformat import NotebookNode

from classroom import making
from classroom.handout import key

STUDENT, SOLUTION = 'student', 'solution'
KINDS = (STUDENT, SOLUTION)
GUIDES = {'en': PROJECT / 'docs' / 'lab', 'ko': PROJECT / 'docs' / 'lab.ko'}
NOTEBOOKS = PROJECT / 'notebooks'

_FOR_THE_SHELL = re.compile(r'<!-- shell -->\n.*?<!-- /shell -->\n', re.DOTALL)
_FOR_NOTEBOOKS = re.compile(r'<!-- notebook\n(.*?)-->\n', re.DOTALL)
_COMMANDS = re.compile(r'^```sh\n(.*?)^```\n', re.MULTILINE | re.DOTALL)
_PROGRAM = re.compile(r"^python - <<'(\w+)'\n(.*?)^\1\n", re.MULTILINE | re.DOTALL)
_CHECK = re.compile(r'(?:make check EXERCISE=|python scripts/check\.py )(\w+)$')
_LINK = re.compile(r'(!?)\[([^\]]*)\]\(([^)\s]+)\)')
_CHAPTER = re.compile(r'\d+-.*\.md')

_RUN_FIRST = {
    'en': 'Run the next cell first: it does all the set-up. On a hosted notebook that takes some minutes.',
    'ko': '다음 셀을 먼저 실행하십시오. 필요한 준비를 모두 합니다. 호스팅 노트북에서는 몇 분이 걸립니다.',
}

# The first cell has done these.
_SET_UP = ('make setup', 'source .venv/bin/activate')
# What a notebook has another way for, and what would set up another Python.
_OTHERWISE = {
    'make tensorboard': '%tensorboard --logdir logs --port 0',
    'make doctor': '%%lab\npython scripts/doctor.py',
}


class Edition(NamedTuple):
    """One of the four series of notebooks."""

    language: str
    kind: str

    @property
    def folder(self) -> Path:
        """Where its notebooks are made."""
        return NOTEBOOKS / self.language / self.kind

    def path(self, chapter: Path) -> Path:
        """Of the notebook of a chapter."""
        return self.folder / f'{chapter.stem}.ipynb'


def chapters(language: str) -> List[Path]:
    """The chapters of the guide in a language, in their order."""
    return sorted(path for path in GUIDES[language].glob('*.md') if _CHAPTER.match(path.name))


def notebook(chapter: Path, edition: Edition, address: str) -> NotebookNode:
    """The notebook of a chapter; `address` is where the first cell gets the lab from, if it is not there."""
    text = _FOR_NOTEBOOKS.sub(r'\1', _FOR_THE_SHELL.sub('', chapter.read_text(encoding='utf-8')))
    shown = set()  # The exercises whose files have come already.

    def cells(match: 're.Match') -> str:
        return '\n'.join(map(_fenced, _cells(match.group(1), edition.kind, shown)))

    made = jupytext.reads(_COMMANDS.sub(cells, text), {'extension': '.md', 'split_at_heading': True})
    first = jupytext.reads(f'{_RUN_FIRST[edition.language]}\n\n{_fenced(_first_cell(address))}', 'md')
    # A block of which nothing is left leaves an empty cell.
    made.cells = [made.cells[0], *first.cells, *(cell for cell in made.cells[1:] if cell.source)]
    for number, cell in enumerate(made.cells, start=1):
        cell.id = f'cell-{number}'
        cell.metadata = {'jupyter': {'source_hidden': True}} if cell is first.cells[1] else {}
        if cell.cell_type == 'markdown':
            _lead_elsewhere(cell, chapter, edition)
    made.metadata = {
        'kernelspec': {'name': 'python3', 'display_name': 'Python 3', 'language': 'python'},
        'language_info': {'name': 'python'},
    }
    made.nbformat, made.nbformat_minor = 4, 5
    return made


def _fenced(code: str) -> str:
    return f'```python\n{code.rstrip()}\n```\n'


def _first_cell(address: str) -> str:
    text = (NOTEBOOKS / 'first_cell.py').read_text(encoding='utf-8')
    return text.replace("ADDRESS = ''", f'ADDRESS = {address!r}')


def _cells(commands: str, kind: str, shown: Set[str]) -> Iterator[str]:
    """The cells that a block of shell commands becomes; a program within it gets a cell of its own."""
    while commands:
        program = _PROGRAM.search(commands)
        before, after = (commands[: program.start()], commands[program.end() :]) if program else (commands, '')
        yield from _cells_of_lines(before.splitlines(), kind, shown)
        if program:
            yield program.group(2)
        commands = after


def _cells_of_lines(lines: List[str], kind: str, shown: Set[str]) -> Iterator[str]:
    """The first check of an exercise becomes the cells with its files; whatever checks it again is a command."""
    left = []
    for command in lines:
        check = _CHECK.match(command)
        if command in _SET_UP or command.endswith('--watch'):
            continue
        if command in _OTHERWISE:
            yield _OTHERWISE[command]
        elif check and check.group(1) not in shown:
            shown.add(check.group(1))
            yield from exercise_cells(check.group(1), kind)
        else:
            left.append(command)
    if left:
        yield '\n'.join(['%%lab', *left])


def exercise_cells(exercise: str, kind: str) -> Iterator[str]:
    """The files of an exercise that have blanks, a cell each; the last is the network, which is checked."""
    texts = _files_with_blanks(exercise, kind)
    network = texts.pop('neuralnetwork.py')
    for name, text in texts.items():
        yield f'%%save {exercise} {name}\n{text}'
    yield f'%%check {exercise}\n{network}'


def _files_with_blanks(exercise: str, kind: str) -> Dict[str, str]:
    """By name, and the network in any case."""
    make = making.blanked if kind == STUDENT else making.filled
    with key.solution(exercise) as network:
        texts = {path.name: path.read_text(encoding='utf-8') for path in sorted(network.parent.glob('*.py'))}
    wanted = {name for name, text in texts.items() if making.marked_lines(text)} | {'neuralnetwork.py'}
    return {name: make(text) for name, text in texts.items() if name in wanted}


def _lead_elsewhere(cell: NotebookNode, chapter: Path, edition: Edition) -> None:
    """Pictures become part of the cell, so that the notebook can be taken anywhere; links lead on from the notebook."""
    attachments = {}

    def led(match: 're.Match') -> str:
        mark, words, target = match.groups()
        picture = _picture(chapter.parent / target) if mark else None
        if picture:
            attachments[Path(target).name] = picture
            target = f'attachment:{Path(target).name}'
        elif '://' not in target and not target.startswith('#'):
            target = _from_notebook(target, chapter, edition)
        return f'{mark}[{words}]({target})'

    cell.source = _LINK.sub(led, cell.source)
    if attachments:
        cell.attachments = attachments


def _picture(path: Path) -> Optional[Dict[str, str]]:
    if not path.is_file():
        return None
    kind, _ = mimetypes.guess_type(path.name)
    return {kind: base64.b64encode(path.read_bytes()).decode()}


def _from_notebook(target: str, chapter: Path, edition: Edition) -> str:
    """A link of the chapter's, as it leads from the chapter's notebook: to another chapter's notebook, or to a file."""
    file, mark, place = target.partition('#')
    path = Path(os.path.normpath(str(chapter.parent / file)))
    for language, guide in GUIDES.items():
        if path.parent == guide and _CHAPTER.match(path.name):
            path = Edition(language, edition.kind).path(path)
    return os.path.relpath(str(path), str(edition.folder)) + mark + place
