"""The notebooks hold what the guide and the exercises hold."""

import ast
import re

from lvseg.project import SOLUTIONS, exercise_names

import nbformat
import pytest

from classroom import making
from notebooks import building, chapters
from notebooks.chapters import Edition

EDITIONS = [(language, kind) for language in ('en', 'ko') for kind in ('student', 'solution')]


def code(notebooks):
    return [cell.source for notebook in notebooks.values() for cell in notebook.cells if cell.cell_type == 'code']


def prose(notebook):
    return '\n'.join(cell.source for cell in notebook.cells if cell.cell_type == 'markdown')


@pytest.mark.parametrize('edition', EDITIONS)
def test_there_is_a_valid_notebook_for_each_chapter_of_the_guide(edition, made, root):
    folder = root / 'docs' / {'en': 'lab', 'ko': 'lab.ko'}[edition[0]]
    notebooks = made(*edition)
    assert sorted(notebooks) == sorted(path.stem for path in folder.glob('[0-9]*.md'))
    for notebook in notebooks.values():
        nbformat.validate(notebook)


def test_both_languages_have_the_same_cells(made):
    for kind in ('student', 'solution'):
        assert code(made('en', kind)) == code(made('ko', kind))


def test_students_and_solutions_differ_in_the_blanks_alone(made):
    student, solution = (code(made('en', kind)) for kind in ('student', 'solution'))
    assert len(student) == len(solution)
    for blank, filled in zip(student, solution):
        if 'FIXME' in blank:
            parts = map(re.escape, re.split(r'\bFIXME\b', blank.rstrip()))
            assert re.fullmatch('.+'.join(parts), filled.rstrip())
        else:
            assert blank == filled


def test_every_blank_of_an_exercise_that_the_guide_checks_is_in_a_cell(made):
    student = code(made('en', 'student'))
    checked = {source.split()[1] for source in student if source.startswith('%%check')}
    assert checked
    for exercise in checked:
        blanks = sum(text.count('FIXME') for text in making.generated(exercise).values())
        cells = [source for source in student if re.match(rf'%%(check|save) {exercise}\b', source)]
        assert sum(source.count('FIXME') for source in cells) == blanks


@pytest.mark.parametrize('exercise', exercise_names())
def test_what_is_filled_in_is_the_solution_without_marks(exercise):
    for path in (SOLUTIONS / exercise).glob('*.py'):
        filled = making.filled(path.read_text(encoding='utf-8'))
        assert 'FIXME' not in filled and '# blank' not in filled and '# solution' not in filled
        ast.parse(filled)


def test_the_answers_are_not_in_the_cell_that_asks_for_them(made):
    """Exercise 3 goes on from the network of exercise 2, and so shows its values."""
    asking = [source for source in code(made('en', 'student')) if source.startswith('%%check cnn\n')]
    assert asking and all('kernel_size=[5, 5]' not in source for source in asking)


def test_all_commands_of_the_guide_are_in_cells_but_for_those_that_a_notebook_has_another_way_for(made, root):
    wanted = set()
    for path in (root / 'docs' / 'lab').glob('[0-9]*.md'):
        text = re.sub(r'<!-- shell -->.*?<!-- /shell -->', '', path.read_text(encoding='utf-8'), flags=re.DOTALL)
        wanted.update(re.findall(r'^(?:python|make) .*$', text, re.MULTILINE))
    wanted = {line for line in wanted if not re.search(r"check|<<'END'|make tensorboard|make doctor", line)}
    assert 'python exercises/simple/runTraining.py' in wanted
    assert wanted <= {line for source in code(made('en', 'student')) for line in source.splitlines()}


def test_tensorboard_opens_below_a_cell(made):
    assert '%tensorboard --logdir logs --port 0' in code(made('en', 'student'))


def test_the_first_check_of_an_exercise_becomes_its_cell_and_later_ones_stay_commands(tmp_path):
    chapter = tmp_path / '01-a.md'
    checks = ['cnn', 'cnn --watch', 'cnn', 'cnn --hint', 'simple']
    chapter.write_text('# A\n\n' + ''.join(f'```sh\npython scripts/check.py {check}\n```\n\n' for check in checks))
    cells = [cell.source for cell in chapters.notebook(chapter, Edition('en', 'student'), '').cells[3:]]
    assert [cell.splitlines()[:2] if cell.startswith('%%lab') else cell.splitlines()[0] for cell in cells] == [
        '%%check cnn',
        ['%%lab', 'python scripts/check.py cnn'],
        ['%%lab', 'python scripts/check.py cnn --hint'],
        '%%check simple',
    ]


def test_a_program_and_commands_of_one_block_get_a_cell_each(tmp_path):
    chapter = tmp_path / '01-a.md'
    chapter.write_text("# A\n\n```sh\nls\npython - <<'END'\na = 1\nprint(a)\nEND\npwd\n```\n")
    cells = [cell.source for cell in chapters.notebook(chapter, Edition('en', 'student'), '').cells[3:]]
    assert cells == ['%%lab\nls', 'a = 1\nprint(a)', '%%lab\npwd']


def test_what_is_for_the_shell_alone_is_left_out_and_what_is_for_notebooks_alone_is_in(tmp_path):
    chapter = tmp_path / '01-a.md'
    chapter.write_text('# A\n\n<!-- shell -->\nby hand\n<!-- /shell -->\n\n<!-- notebook\nin a cell\n-->\n\nboth\n')
    text = prose(chapters.notebook(chapter, Edition('en', 'student'), ''))
    assert 'by hand' not in text and '<!--' not in text
    assert 'in a cell' in text and 'both' in text


@pytest.mark.parametrize('edition', EDITIONS)
def test_links_lead_somewhere_and_pictures_are_in_the_notebook(edition, made, root):
    folder, names = root / 'notebooks' / edition[0] / edition[1], made(*edition)
    pictures = 0
    for notebook in names.values():
        for cell in notebook.cells:
            for target in re.findall(r'\]\(([^)\s]+)\)', cell.source if cell.cell_type == 'markdown' else ''):
                file = target.partition('#')[0]
                if target.startswith('attachment:'):
                    pictures += 1
                    assert file[len('attachment:') :] in cell.attachments
                elif file.endswith('.ipynb'):
                    assert (folder / file).stem in names
                elif file and '://' not in file:
                    assert (folder / file).resolve().exists(), target
    assert pictures


def test_the_same_guide_makes_the_same_notebooks(made):
    first, second = (made('en', 'student') for _ in range(2))
    assert {name: nbformat.writes(notebook) for name, notebook in first.items()} == {
        name: nbformat.writes(notebook) for name, notebook in second.items()
    }


def test_the_command_writes_all_of_them(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(chapters, 'NOTEBOOKS', tmp_path)
    (tmp_path / 'first_cell.py').write_text("ADDRESS = ''\n")
    building.build()
    number = len(chapters.chapters('en'))
    assert len(list(tmp_path.glob('*/*/*.ipynb'))) == 4 * number
    assert capsys.readouterr().out.count(f'{number} notebooks are in ') == 4


@pytest.mark.parametrize(
    'origin, told',
    [
        ('https://host.example/lab.git', 'https://host.example/lab.git'),
        ('https://name:password@host.example/lab.git', ''),  # A notebook goes to others.
        ('/home/me/lab', ''),
        ('', ''),
    ],
)
def test_the_first_cell_knows_where_the_lab_was_cloned_from(origin, told, monkeypatch, tmp_path):
    monkeypatch.setattr(building, 'PROJECT', tmp_path)
    building.subprocess.run(['git', 'init', '--quiet', str(tmp_path)], check=True)
    if origin:
        building.subprocess.run(['git', '-C', str(tmp_path), 'remote', 'add', 'origin', origin], check=True)
    assert building.address() == told
    assert f'ADDRESS = {told!r}' in chapters._first_cell(building.address())
