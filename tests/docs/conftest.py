"""What README and guide are made of: commands with the output shown for them, headings, tables, pictures, links."""

import re
from typing import List, NamedTuple

import pytest

LANGUAGES = ('lab', 'lab.ko')  # folders in docs/

_FENCE = re.compile(r'^(?P<indent> *)```(?P<language>\w*)$')


class Block(NamedTuple):
    """What stands between two fences."""

    language: str
    lines: List[str]


class Example(NamedTuple):
    """Commands, and the output that the document shows for them: none, or lines of which some are left out (…)."""

    commands: List[str]
    shown: List[str]


class Document:
    """A Markdown file, or several that are read as one."""

    def __init__(self, *paths):
        self.path = paths[0]
        self.text = '\n'.join(path.read_text(encoding='utf-8') for path in paths)
        self.prose, self.blocks = _split(self.text)

    @property
    def examples(self):
        found = []
        for block, following in zip(self.blocks, [*self.blocks[1:], Block('sh', [])]):
            if block.language == 'sh':
                found.append(Example(_commands(block.lines), following.lines if following.language == '' else []))
        return found

    @property
    def commands(self):
        return [command for example in self.examples for command in example.commands]

    @property
    def inline_code(self):
        return [' '.join(code.split()) for code in re.findall(r'`([^`]+)`', self.prose)]

    @property
    def headings(self):
        """Their levels and texts."""
        found = re.findall(r'^(#+) (.*)$', self.prose, re.MULTILINE)
        return [(len(marks), text) for marks, text in found]

    @property
    def pictures(self):
        return re.findall(r'!\[[^\]]*\]\(([^)\s]+)\)', self.prose)

    @property
    def links(self):
        return re.findall(r'(?<!!)\[[^\]]*\]\(([^)\s]+)\)', self.prose)

    @property
    def anchors(self):
        """What GitHub makes of the headings: lower case, no punctuation, - for blanks; and places that have a name."""
        headings = {re.sub(r'[^\w\- ]', '', text.lower()).replace(' ', '-') for _, text in self.headings}
        return headings | set(re.findall(r'<a id="([^"]+)"></a>', self.prose))

    def table(self, first_cell):
        """The rows of the table that has a row beginning with this, as lists of cells without their code marks."""
        for lines in re.findall(r'^\|[-|]+\|\n((?:\|.*\n)+)', self.prose, re.MULTILINE):
            rows = [[cell.strip(' `') for cell in line[1:-1].split('|')] for line in lines.splitlines()]
            if first_cell in [row[0] for row in rows]:
                return rows
        raise LookupError(f'{self.path} has no table with a row of {first_cell}')


def chapters_of(root, language):
    """README.md first, then the numbered chapters, then what belongs to all of them."""
    files = (root / 'docs' / language).glob('*.md')
    return sorted(files, key=lambda file: (file.name != 'README.md', not file.name[0].isdigit(), file.name))


def _split(text):
    """The text outside of fences, and the blocks."""
    prose, blocks, inside = [], [], None
    for line in text.splitlines():
        fence = _FENCE.match(line)
        if inside is None and fence:
            inside, indent = Block(fence['language'], []), fence['indent']
        elif fence and not fence['language']:
            blocks.append(inside)
            inside = None
        elif inside is not None:
            inside.lines.append(line[len(indent) :] if line.startswith(indent) else line)
        else:
            prose.append(line)
    assert inside is None, f'a fence is not closed: {inside}'
    return '\n'.join(prose), blocks


def _commands(lines):
    """Commands of a shell block: a here-document belongs to its command."""
    found, lines = [], iter(lines)
    for line in lines:
        here_document = re.search(r"<<'?(\w+)'?$", line)
        command = [line]
        while here_document and command[-1] != here_document[1]:
            command.append(next(lines))
        if line.strip():
            found.append('\n'.join(command))
    return found


@pytest.fixture(scope='session')
def document(root):
    """Reads a document by its path in the repository."""
    return lambda path: Document(root / path)


@pytest.fixture(scope='session')
def chapters(root):
    """The files of the guide of a language, in the order in which they are read."""
    return lambda language: chapters_of(root, language)


@pytest.fixture(scope='session')
def guides(chapters):
    """The guide in both languages, all chapters of each as one document."""
    return tuple(Document(*chapters(language)) for language in LANGUAGES)
