"""Makes the notebooks: for each language and for students and with solutions, one for each chapter of the guide."""

import subprocess

from lvseg import flags
from lvseg.project import PROJECT, SOLUTIONS, shown

import nbformat

from notebooks import chapters
from notebooks.chapters import Edition


def address() -> str:
    """Where this lab was cloned from, if that can be reached from elsewhere; else empty."""
    command = ['git', 'config', '--get', 'remote.origin.url']
    try:
        found = subprocess.run(command, cwd=str(PROJECT), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        return ''
    cloned_from = found.stdout.decode().strip()
    return cloned_from if cloned_from.startswith('https://') and '@' not in cloned_from else ''


def build() -> None:
    """Writes all notebooks, over those that there are; in a class's copy, which has no solutions, the students'."""
    origin, kinds = address(), chapters.KINDS if SOLUTIONS.is_dir() else (chapters.STUDENT,)
    for language in chapters.GUIDES:
        for kind in kinds:
            edition = Edition(language, kind)
            edition.folder.mkdir(parents=True, exist_ok=True)
            for chapter in chapters.chapters(language):
                nbformat.write(chapters.notebook(chapter, edition, origin), str(edition.path(chapter)))
            print(f'{len(chapters.chapters(language))} notebooks are in {shown(edition.folder)}')


def main() -> None:
    """Makes them."""
    flags.Parser(description=__doc__.splitlines()[0]).parse_args()
    build()
