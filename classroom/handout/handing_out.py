"""The command that makes the handout: a class's repository, and what grades it at Classroom 50 and at Gradescope."""

import re
import shutil
import tempfile
from pathlib import Path
from typing import Callable, Dict, Optional, Sequence
from unittest import mock

from lvseg import flags, networks
from lvseg.errors import LabError
from lvseg.project import EXERCISES, PROJECT, SOLUTIONS

from classroom import making, packing
from classroom.checking import CHECKED
from classroom.handout import key, variants
from docs.figures import drawing

_FILES = Path(__file__).resolve().parent / 'files'
_GRADING = ('lvseg', 'classroom', 'scripts', 'requirements-tf2.txt', 'pyproject.toml')
# Also the notebooks that were made here, for they have the solutions, or whatever was tried in them.
_LEFT_OUT = shutil.ignore_patterns('__pycache__', 'solutions.key', 'en', 'ko')

_README = """\
> This is a class's copy of the lab. It has no solutions and no answers, so what trains or shows a solution
> does without: `make lab`, `make challenge`, and what the guide runs in `exercise_solutions/`. `make check` works, and
> GitHub runs it whenever you push. A blank exercise comes back by `git checkout`. Begin with
> [the guide](docs/lab/README.md).

"""
_ANSWERS = {
    'lab': '# Answers\n\nYour instructor has the answers to the questions.\n',
    'lab.ko': '# 답\n\n질문의 답은 강사에게 있습니다.\n',
}


def make(out: Path, seed: Optional[int]) -> None:
    """Makes out/repository, out/classroom50 and out/gradescope.

    Args:
        out: a folder that is not there yet.
        seed: of a variant (classroom.handout.variants); None for the lab's own network.

    Raises:
        LabError: there is such a folder, or this is a class's copy itself.
    """
    if out.exists():
        raise LabError(f'{out} is there already. Take it away, or give another folder: make handout OUT=folder')
    if not SOLUTIONS.is_dir():
        raise LabError(f'{SOLUTIONS.name}/ is not here, of which the exercises are made. Take the whole lab.')
    with tempfile.TemporaryDirectory() as folder, variants.solutions(seed, Path(folder)) as network:
        texts = {
            f'{path.parent.name}/{path.name}': path.read_text(encoding='utf-8')
            for path in sorted(network('cnn').parents[1].glob('*/*.py'))
        }
        _make_repository(out / 'repository', texts, network, variants.variant(seed))
    for grader in ('classroom50', 'gradescope'):
        _copy(out / grader / 'lab', (*_GRADING, SOLUTIONS.name))
        if seed is not None:
            (out / grader / 'lab' / 'seed').write_text(f'{seed}\n')
    shutil.copy(str(_FILES / 'autograder.py'), str(out / 'classroom50'))
    for name in ('setup.sh', 'run_autograder'):
        shutil.copy(str(_FILES / name), str(out / 'gradescope'))


def _make_repository(
    folder: Path, texts: Dict[str, str], network: Callable[[str], Path], variant: variants.Variant
) -> None:
    _copy(folder, [name for name in packing.TAKE_HOME if name != EXERCISES.name])
    for place, text in texts.items():
        blank = making.blanked(text)
        if blank:
            path = folder / EXERCISES.name / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(blank.encode())
    (folder / key.FILE.relative_to(PROJECT)).write_text(key.written(texts))
    _change(folder / 'README.md', lambda text: _README + text)
    for guide, answers in _ANSWERS.items():
        (folder / 'docs' / guide / 'answers.md').write_text(answers, encoding='utf-8')
        if variant == variants.LAB:
            continue
        for chapter in variants.CHAPTERS:
            _change(folder / 'docs' / guide / chapter, lambda text: variants.guide(text, variant))
    if variant != variants.LAB:
        with mock.patch.object(networks, 'solution', network):
            figure = drawing.draw_network().text_of_file()
        (folder / 'docs' / 'images' / 'network.svg').write_text(figure, encoding='utf-8')
    workflow = folder / '.github' / 'workflows' / 'check.yml'
    workflow.parent.mkdir(parents=True)
    text = (_FILES / workflow.name).read_text(encoding='utf-8')
    workflow.write_text(re.sub(r'\bEXERCISES\b', ' '.join(CHECKED), text), encoding='utf-8')


def _copy(folder: Path, names: Sequence[str]) -> None:
    folder.mkdir(parents=True)
    for name in names:
        if (PROJECT / name).is_dir():
            shutil.copytree(str(PROJECT / name), str(folder / name), ignore=_LEFT_OUT)
        else:
            shutil.copy(str(PROJECT / name), str(folder / name))


def _change(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text(encoding='utf-8')), encoding='utf-8')


def main() -> None:
    """Makes the handout."""
    parser = flags.Parser(description='Makes the folders that a class and its graders are given.')
    parser.add_argument('--out', type=Path, default=PROJECT / 'handout', help='the folder to make')
    parser.add_argument('--seed', type=flags.seed, help='of a variant (default: the network of the lab)')
    args = parser.parse_args()
    make(args.out, args.seed)
    print(f'{args.out}/repository is for the class: git init there, and push. No solution lies in it in the open.')
    print(f'{args.out}/classroom50 and {args.out}/gradescope are for the graders; solutions are in them.')
