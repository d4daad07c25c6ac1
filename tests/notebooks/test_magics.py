"""What the cells of the notebooks do."""

import sys

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from classroom import making
from notebooks import magics
from notebooks.magics import CellError

# IPython puts its extensions on the path of modules, and beside them its own `tests`, a regular package: processes that
# later tests start would find that in the place of this folder.
sys.path[:] = [path for path in sys.path if not path.endswith('IPython/extensions')]


@pytest.fixture
def project(root, monkeypatch, tmp_path):
    """A project of its own, with the exercises; the checker is a stand-in that repeats what it is called with."""
    (tmp_path / 'scripts').mkdir()
    (tmp_path / 'scripts' / 'check.py').write_text(
        'import sys\n'
        'print("python scripts/check.py", *sys.argv[1:])\n'
        'sys.exit("FIXME" in open("exercises/cnn/neuralnetwork.py").read())\n'
    )
    for module in (magics, making):
        monkeypatch.setattr(module, 'EXERCISES', tmp_path / 'exercises')
    monkeypatch.setattr(magics, 'PROJECT', tmp_path)
    making.make('cnn')
    return tmp_path


@pytest.fixture
def run(project):
    """Runs a cell magic and returns what it shows: texts, and of the rest the kinds."""

    def run_cell(magic, line, cell):
        with capture_output() as captured:
            getattr(magics.LabMagics(InteractiveShell.instance()), magic)(line, cell)
        return captured

    return run_cell


def network(project):
    return (project / 'exercises' / 'cnn' / 'neuralnetwork.py').read_text()


def test_check_says_what_the_checker_says_and_how_to_ask_for_a_hint_in_a_cell(run):
    assert run('check', 'cnn', 'a = 1\n').stdout == '%%check cnn\n'
    assert run('check', 'cnn --hint', 'a = 1\n').stdout == '%%check cnn --hint\n'


def test_a_network_that_is_not_in_order_ends_the_cell_without_a_traceback(run):
    with pytest.raises(CellError, match='%%check cnn') as error:
        run('check', 'cnn', 'a = FIXME\n')
    assert error.value._render_traceback_() == ['%%check cnn']


def test_the_file_has_the_lines_of_the_cell(run, project):
    run('check', 'cnn', 'first = 1\nsecond = 2\n')
    cell = ['%%check cnn', 'first = 1', 'second = 2']
    assert network(project).splitlines()[1:] == cell[1:]


def test_work_done_in_an_editor_is_kept_and_that_of_a_cell_is_not(run, project):
    path = project / 'exercises' / 'cnn' / 'neuralnetwork.py'
    path.write_text('my_own = 1\n')
    assert 'is kept as' in run('check', 'cnn', 'cell = 1\n').stdout
    assert path.with_name('neuralnetwork-1.py').read_text() == 'my_own = 1\n'
    run('check', 'cnn', 'cell = 2\n')
    assert [file.name for file in path.parent.glob('neuralnetwork-*')] == ['neuralnetwork-1.py']


def test_a_blank_exercise_is_not_kept(run, project):
    run('check', 'cnn', 'cell = 1\n')
    assert not list((project / 'exercises' / 'cnn').glob('*-1.py'))


def test_another_file_of_an_exercise_is_saved_beside_it(run, project):
    assert run('save', 'challenge augmentation.py', 'a = 1\n').stdout.endswith('challenge/augmentation.py.\n')
    assert (project / 'exercises' / 'challenge' / 'augmentation.py').read_text().endswith('\na = 1\n')


@pytest.mark.parametrize(
    'magic, line, said',
    [
        ('check', 'ccn', 'ccn is no exercise of this lab; there are challenge, cnn, cnnDice, simple.'),
        ('check', '', 'Nothing is no exercise of this lab'),
        ('save', '', 'Nothing is no exercise of this lab'),
        ('save', 'cnn', 'Nothing is no file of the exercise cnn; there are neuralnetwork.py'),
        ('save', 'cnn ../../lvseg/errors.py', 'is no file of the exercise cnn'),
    ],
)
def test_a_name_that_there_is_not_is_answered_in_one_line(magic, line, said, run):
    with pytest.raises(CellError, match=said) as error:
        run(magic, line, 'a = 1\n')
    assert len(str(error.value).splitlines()) == 1


def test_commands_run_in_the_top_folder_and_the_first_that_fails_ends_the_cell(run, project):
    assert run('lab', '', 'pwd\n').stdout == f'{project}\n'
    with pytest.raises(CellError, match='status 3'):
        run('lab', '', '(exit 3)\ntouch reached\n')
    assert not (project / 'reached').exists()


def test_python_and_make_are_those_of_the_notebook_and_nothing_is_set_up_again(run, project):
    (project / 'Makefile').write_text('PYTHON := other\nsetup:\n\ttouch set-up\ntarget: setup\n\t@echo $(PYTHON)\n')
    assert run('lab', '', 'python -c "import sys; print(sys.executable)"\n').stdout == f'{magics.sys.executable}\n'
    assert run('lab', '', 'make target\n').stdout == f'{magics.sys.executable}\n'
    assert not (project / 'set-up').exists()


def test_commands_see_a_terminal_so_that_there_are_progress_bars(run):
    assert run('lab', '', 'test -t 1 && test -t 2 && echo both\n').stdout == 'both\n'


def test_pictures_and_pages_that_a_command_names_are_shown(run, project):
    (project / 'a.png').write_bytes(b'\x89PNG\r\n\x1a\n')
    (project / 'page.html').write_text('<p class="x">&amp;')
    shown = run('lab', '', 'echo "drawn in a.png: 3 of them"; echo All: page.html; echo not-there.png a.png\n').outputs
    assert [sorted(output.data) for output in shown] == [['image/png', 'text/plain'], ['text/html', 'text/plain']]
    assert 'srcdoc="&lt;p class=&quot;x&quot;&gt;&amp;amp;"' in shown[1].data['text/html']


def test_a_cell_that_is_stopped_waits_until_the_command_has_saved_what_it_has(run, project):
    """As in Jupyter, which interrupts a kernel and its commands together: the command here interrupts its parent."""
    command = 'trap "touch saved; exit" INT; kill -INT $PPID $$\n'
    with pytest.raises(CellError, match='Stopped'):
        run('lab', '', command)
    assert (project / 'saved').exists()
