"""scripts/make_exercises.py: exercises/ is the solutions with blanks, and a student's work is never lost."""

import functools
import re

from lvseg import project, records
from lvseg.layout import RECORD_FILES, SIZE

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classroom import making as make_exercises

NAMES = project.exercise_names()


def solution_text(exercise, name='neuralnetwork.py'):
    return (make_exercises.SOLUTIONS / exercise / name).read_text(encoding='utf-8')


WITH_BLANKS = [name for name in NAMES if make_exercises.marked_lines(solution_text(name))]
FAILING = ['simple', 'cnn']  # The blanks of the others are not come to by a plain runTraining.py.


def answers(solution):
    """The values that the solution has where the exercise has blanks, in order."""
    lines = solution.split('\n')
    marked = [lines[number - 1] for number in make_exercises.marked_lines(solution)]
    whole = re.compile(r'^ *(?:return |[^=]* = )(.*)  # blank expression$')
    found = [(whole.match(line), re.search(r'\[([^\]]*)\][^\]]*  # blank', line)) for line in marked]
    return [
        value
        for all_of_it, values in found
        for value in ([all_of_it.group(1)] if all_of_it else values.group(1).split(', '))
    ]


def without_marks(solution):
    return solution.replace('  # blank expression', '').replace('  # blank', '')


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A project whose exercises/ is empty, and whose solutions are ours."""
    monkeypatch.setattr(project, 'DESK', tmp_path)
    monkeypatch.setattr(make_exercises, 'EXERCISES', tmp_path / 'exercises')
    return tmp_path / 'exercises'


@pytest.fixture
def made(desk):
    for name in NAMES:
        make_exercises.make(name)
    return desk


@pytest.fixture(scope='module')
def unsolved(tmp_path_factory, root, run):
    """Runs an exercise's runTraining.py, blanks and all, on a record file of one black slice; each but once."""
    folder = tmp_path_factory.mktemp('unsolved')
    (folder / 'lvseg').symlink_to(root / 'lvseg')
    black = np.zeros([SIZE, SIZE], np.uint8)
    with tf.python_io.TFRecordWriter(str(folder / RECORD_FILES['train'])) as writer:
        writer.write(records.encode(black.astype(np.int64), black))

    @functools.lru_cache(maxsize=None)
    def finished(name):
        (folder / 'exercises' / name).mkdir(parents=True)
        for path in (make_exercises.SOLUTIONS / name).glob('*.py'):
            text = make_exercises.blanked(path.read_text(encoding='utf-8'))
            (folder / 'exercises' / name / path.name).write_text(text, encoding='utf-8')
        return run(f'exercises/{name}/runTraining.py', '--data_dir', folder, cwd=folder)

    return finished


def test_the_values_of_a_marked_line_become_fixme_and_the_mark_goes():
    assert make_exercises.blanked('    strides=[2, 2],  # blank\n') == '    strides=[FIXME, FIXME],\n'


def test_each_value_of_a_marked_line_is_a_blank_of_its_own():
    assert make_exercises.blanked('x = [1, 2, 3]  # blank') == 'x = [FIXME, FIXME, FIXME]'


def test_what_a_marked_line_assigns_or_returns_becomes_one_fixme():
    solution = 'x = f(a, [b == c])  # blank expression\n    return x[1:]  # blank expression\n'
    assert make_exercises.blanked(solution) == 'x = FIXME\n    return FIXME\n'


def test_a_mark_on_a_line_without_values_is_refused():
    with pytest.raises(ValueError, match='strides=2'):
        make_exercises.blanked('strides=2,  # blank')


def test_a_line_that_is_to_be_found_is_left_out():
    assert make_exercises.blanked('a = 1\nb = 2  # solution\nc = 3\n') == 'a = 1\nc = 3\n'


def test_a_block_that_is_to_be_found_is_left_out():
    solution = 'a = 1\n    # begin solution\n    b = 2\n\n    # end solution\nc = 3\n# begin solution\nd = 4\n'
    assert make_exercises.blanked(solution) == 'a = 1\nc = 3\n'


def test_a_file_of_which_nothing_is_left_is_not_made(made):
    assert (make_exercises.SOLUTIONS / 'challenge' / 'alexnet.py').exists()
    assert not (made / 'challenge' / 'alexnet.py').exists()
    assert (made / 'challenge' / 'fcn.py').exists()


@settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(st.text().filter(lambda text: '# blank' not in text and 'solution' not in text))
def test_what_is_not_marked_stays_the_same_to_the_letter(text):
    assert make_exercises.blanked(text) == text


@pytest.mark.parametrize('name', NAMES)
def test_the_marks_leave_no_trace_in_the_exercise(name, made):
    for path in (made / name).glob('*.py'):
        text = path.read_text(encoding='utf-8')
        assert 'blank' not in text and '# solution' not in text and '# end solution' not in text


def test_the_convolutional_exercise_has_24_blanks_on_12_lines():
    solution = solution_text('cnn')
    assert len(make_exercises.marked_lines(solution)) == 12
    assert make_exercises.blanked(solution).count('FIXME') == 24  # A height and a width on each line.


@pytest.mark.parametrize('name', [name for name in WITH_BLANKS if name != 'challenge'])  # Lines are left out there.
def test_the_blanks_are_on_the_lines_that_the_solution_marks(name):
    solution = solution_text(name)
    lines = make_exercises.blanked(solution).split('\n')
    assert [number for number, line in enumerate(lines, start=1) if 'FIXME' in line] == make_exercises.marked_lines(
        solution
    )


@pytest.mark.parametrize('name', WITH_BLANKS)
def test_filled_in_with_the_solutions_values_it_is_the_solution(name, made):
    solution = solution_text(name)
    filled = (made / name / 'neuralnetwork.py').read_text(encoding='utf-8')
    for value in answers(solution):
        filled = filled.replace('FIXME', value, 1)
    left_out = make_exercises.blanked(without_marks(solution))
    assert filled == left_out


def lines_of_error(done):
    """Without the marks that Python sets below a line from 3.11 on."""
    return [line for line in done.stderr.splitlines() if line.strip(' ^~')]


@pytest.mark.parametrize('name', FAILING)
def test_the_unsolved_exercise_ends_with_a_name_error_at_the_first_blank(name, unsolved):
    first_blank = make_exercises.marked_lines(solution_text(name))[0]
    done = unsolved(name)
    error = lines_of_error(done)
    assert done.returncode == 1
    assert error[-1] == "NameError: name 'FIXME' is not defined"
    assert re.search(rf'exercises/{name}/neuralnetwork.py", line {first_blank}, in inference', error[-3])
    assert 'FIXME' in error[-2]


def test_the_unsolved_exercise_prints_what_the_original_lab_prints(shared, unsolved):
    golden = (shared / 'golden' / 'cnn_unsolved.txt').read_text(encoding='utf-8').splitlines()
    done = unsolved('cnn')
    assert done.stdout.splitlines() == [line for line in golden if line.startswith('DEBUG')]
    last_two = [[line.replace(' ', '') for line in lines[-2:]] for lines in (lines_of_error(done), golden)]
    assert last_two[0] == last_two[1]


def test_what_is_there_already_is_left_alone_and_named(made, capsys):
    mine = made / 'cnn' / 'neuralnetwork.py'
    mine.write_text('my work')

    make_exercises.make('cnn')

    assert mine.read_text() == 'my work'
    assert capsys.readouterr().out.splitlines() == [
        'exercises/cnn/neuralnetwork.py differs from the blank exercise: left alone. '
        'Blank again: make reset EXERCISE=cnn'
    ]


def test_a_file_that_is_missing_is_made_again_beside_a_students_work(made):
    (made / 'cnn' / 'neuralnetwork.py').write_text('my work')
    (made / 'cnn' / 'runEval.py').unlink()

    make_exercises.make('cnn')

    assert (made / 'cnn' / 'runEval.py').exists()
    assert (made / 'cnn' / 'neuralnetwork.py').read_text() == 'my work'


def test_reset_keeps_every_version_numbered(made, capsys):
    network = made / 'cnn' / 'neuralnetwork.py'
    for work in ('first try', 'second try'):
        network.write_text(work)
        make_exercises.reset('cnn')

    assert network.read_text(encoding='utf-8') == make_exercises.blanked(solution_text('cnn'))
    assert (made / 'cnn' / 'neuralnetwork-1.py').read_text() == 'first try'
    assert (made / 'cnn' / 'neuralnetwork-2.py').read_text() == 'second try'
    assert 'Your exercises/cnn/neuralnetwork.py is kept as exercises/cnn/neuralnetwork-2.py.' in capsys.readouterr().out


def test_reset_leaves_the_other_exercises_alone(made):
    other = made / 'simple' / 'neuralnetwork.py'
    other.write_text('my work')
    make_exercises.reset('cnn')
    assert other.read_text() == 'my work'


def test_reset_of_what_is_blank_already_keeps_nothing(made):
    before = sorted((made / 'cnn').iterdir())
    make_exercises.reset('cnn')
    assert sorted((made / 'cnn').iterdir()) == before


def test_work_saved_in_another_encoding_is_kept_byte_by_byte(made):
    work = '# Fenster der Größe 5\n'.encode('latin-1')
    (made / 'cnn' / 'neuralnetwork.py').write_bytes(work)

    make_exercises.make('cnn')
    make_exercises.reset('cnn')

    assert (made / 'cnn' / 'neuralnetwork-1.py').read_bytes() == work


def exit_status_of_check():
    with pytest.raises(SystemExit) as ended:
        make_exercises.check()
    return ended.value.code


def test_check_passes_where_all_is_as_it_would_be_made(made):
    assert exit_status_of_check() == 0


def test_check_passes_beside_versions_that_reset_has_kept(made):
    (made / 'cnn' / 'neuralnetwork-12.py').write_text('kept')
    assert exit_status_of_check() == 0


@pytest.mark.parametrize(
    ('spoil', 'named'),
    [
        (lambda path: path.write_text('changed'), 'exercises/cnn/runEval.py is not what'),
        (lambda path: path.unlink(), 'exercises/cnn/runEval.py is not what'),
        (lambda path: path.rename(path.with_name('other.py')), 'exercises/cnn/other.py has no file'),
    ],
)
def test_check_fails_and_names_the_file(spoil, named, made, capsys):
    spoil(made / 'cnn' / 'runEval.py')
    assert exit_status_of_check() == 1
    assert named in capsys.readouterr().err


def test_an_exercise_that_does_not_exist_is_refused_in_one_line(run):
    done = run('scripts/make_exercises.py', '--reset', 'cnm')
    assert done.returncode == 2
    assert done.stderr.startswith('ERROR: ') and len(done.stderr.splitlines()) == 1
