"""What a class is handed: no solutions and answers, the checker at work, variants with the guide in step."""

import json
import os
import re
import shutil
import subprocess
import sys

from lvseg import networks
from lvseg.project import PROJECT

import pytest

from classroom import judging as check
from classroom import making
from classroom.handout import handing_out, key, variants
from tests.classroom.cnn import SOLUTION

SEED = 7


@pytest.fixture(scope='module')
def handout(tmp_path_factory):
    out = tmp_path_factory.mktemp('class') / 'handout'
    handing_out.make(out, SEED)
    return out


@pytest.fixture(scope='module')
def wanted():
    return variants.variant(SEED)


def text(path):
    return path.read_text(encoding='utf-8')


def test_no_solution_and_no_answer_is_in_the_repository(handout):
    repository = handout / 'repository'
    assert not (repository / 'exercise_solutions').exists()
    assert not (repository / 'tests').exists()
    assert '# blank' not in ''.join(text(path) for path in (repository / 'exercises').glob('*/*.py'))
    for guide in ('lab', 'lab.ko'):
        assert len(text(repository / 'docs' / guide / 'answers.md').splitlines()) == 3
    blanks = len(re.findall(r'\bFIXME\b', text(repository / 'exercises' / 'cnn' / 'neuralnetwork.py')))
    assert blanks == len(re.findall(r'\bFIXME\b', making.blanked(SOLUTION)))


def test_the_checker_works_in_the_repository(handout):
    repository = handout / 'repository'
    environment = {**os.environ, 'PYTHONPATH': str(repository)}
    command = [sys.executable, 'scripts/check.py', 'cnn', '--json']
    done = subprocess.run(command, cwd=str(repository), env=environment, stdout=subprocess.PIPE, check=False)
    found = json.loads(done.stdout.decode())
    assert found['problem']['code'] == 'kernel_size.open'
    assert found['solved'] == 0


def test_a_class_makes_its_notebooks_with_the_numbers_of_its_variant_and_without_solutions(handout, wanted, tmp_path):
    pytest.importorskip('jupytext', reason='needs the notebook extra')
    repository = tmp_path / 'repository'
    shutil.copytree(str(handout / 'repository'), str(repository))
    subprocess.run(
        [sys.executable, 'scripts/make_notebooks.py'],
        cwd=str(repository),
        env={**os.environ, 'PYTHONPATH': str(repository)},
        check=True,
    )
    made = {str(path.relative_to(repository / 'notebooks')): path for path in repository.glob('notebooks/**/*.ipynb')}
    assert {'en/student/06-convolutional.ipynb', 'ko/student/06-convolutional.ipynb'} <= set(made)
    assert not [name for name in made if 'solution' in name]
    cells = json.loads(text(made['en/student/06-convolutional.ipynb']))['cells']
    sources = [''.join(cell['source']) for cell in cells]
    blank = making.blanked(variants.solution(SOLUTION, wanted))
    assert [source for source in sources if source.startswith('%%check cnn\n')] == [f'%%check cnn\n{blank}'.rstrip()]


def test_notebooks_that_were_made_here_are_not_handed_out(tmp_path, monkeypatch):
    room = tmp_path / 'lab' / 'notebooks'
    for name in ('chapters.py', 'en/solution/06.ipynb', 'ko/student/06.ipynb'):
        (room / name).parent.mkdir(parents=True, exist_ok=True)
        (room / name).write_text('')
    monkeypatch.setattr(handing_out, 'PROJECT', tmp_path / 'lab')
    handing_out._copy(tmp_path / 'out', ['notebooks'])
    assert [path.name for path in (tmp_path / 'out' / 'notebooks').iterdir()] == ['chapters.py']


def test_the_key_gives_back_the_texts(handout):
    texts = key.texts(text(handout / 'repository' / 'classroom' / 'solutions.key'))
    assert texts['simple/neuralnetwork.py'] == text(networks.solution('simple'))
    assert texts['cnn/neuralnetwork.py'] != SOLUTION


def test_the_workflow_checks_every_exercise_that_the_checker_knows(handout):
    workflow = text(handout / 'repository' / '.github' / 'workflows' / 'check.yml')
    assert re.search(r'for exercise in (.*); do', workflow).group(1) == 'simple cnn cnnDice challenge'


def test_a_folder_that_is_there_is_left_alone(handout):
    with pytest.raises(networks.LabError, match='there already'):
        handing_out.make(handout, None)


@pytest.mark.parametrize('seed', range(20))
def test_a_variant_has_no_number_and_no_name_of_the_labs(seed):
    found = variants.variant(seed)
    assert found == variants.variant(seed)
    assert found.name != 'conv'
    assert not {*found.kernels} & {5}
    assert not {*found.filters} & {100, 200, 300}


def test_the_variants_of_a_class_differ():
    assert len({str(variants.variant(seed)) for seed in range(30)}) > 25


def test_the_lab_s_own_numbers_make_the_lab_s_own_text():
    assert variants.solution(SOLUTION, variants.LAB) == SOLUTION
    for guide in ('lab', 'lab.ko'):
        for chapter in variants.CHAPTERS:
            there = text(PROJECT / 'docs' / guide / chapter)
            assert variants.guide(there, variants.LAB) == there


def test_a_variant_of_the_solution_is_judged_by_its_own_numbers(tmp_path, wanted):
    with variants.solutions(SEED, tmp_path) as network:
        solution = check.Solution(network('cnn'))
    mine = tmp_path / 'neuralnetwork.py'
    mine.write_text(variants.solution(SOLUTION, wanted).replace('  # blank', ''), encoding='utf-8')
    found = check.check(mine, solution)
    assert not found.problem and found.solved == solution.blanks
    weights = solution.weights[f'{wanted.name}1/kernel']
    assert weights == (wanted.kernels[0], wanted.kernels[0], 1, wanted.filters[0])

    mine.write_text(SOLUTION.replace('  # blank', ''), encoding='utf-8')  # A neighbour's.
    assert check.check(mine, solution).problem


@pytest.mark.parametrize('guide', ['lab', 'lab.ko'])
def test_the_guide_follows_the_variant(guide, handout, wanted):
    chapter = text(handout / 'repository' / 'docs' / guide / '06-convolutional.md')
    with networks.tf.Graph().as_default() as graph, networks.quiet():
        with_variant = key.texts(text(handout / 'repository' / 'classroom' / 'solutions.key'))['cnn/neuralnetwork.py']
        networks.load(networks.solution('cnn'), with_variant).inference(networks.images(), training=False)
    counts = networks.weights(graph)
    total = 0
    for name, (height, width, channels, filters) in counts.items():
        total += height * width * channels * filters
        assert f'{height * width * channels * filters:,}' in chapter, name
    assert f'{total:,}' in chapter
    # 5 x 5 x 100 x 200, 3 x 3 x 200 x 300, 3 x 3 x 300 x 300 and their sum with the lab's others.
    for old in ('500,000 ', '540,000', '1,856,944', '899,697,664', 'conv1', '(1, 16, 16, 200)', '(1, 128, 128, 100)'):
        assert old not in chapter
    layers = text(handout / 'repository' / 'docs' / guide / '05-layers.md')
    assert f'| `{wanted.name}1` |' in layers
    assert f'| {wanted.kernels[0]} × {wanted.kernels[0]} | 2 | {wanted.filters[0]} |' in layers
    figure = text(handout / 'repository' / 'docs' / 'images' / 'network.svg')
    assert f'>128 × 128 × {wanted.filters[0]}<' in figure and f'>{wanted.name}1<' in figure


# The graders elsewhere


@pytest.fixture
def checkout(handout, tmp_path, wanted):
    """A student's checkout of the class's repository, with all of cnn solved."""
    folder = tmp_path / 'checkout'
    exercise = folder / 'exercises' / 'cnn'
    exercise.mkdir(parents=True)
    solved = variants.solution(SOLUTION, wanted).replace('  # blank', '')
    exercise.joinpath('neuralnetwork.py').write_text(solved, encoding='utf-8')
    return folder


@pytest.mark.slow
def test_classroom_50s_autograder_leaves_its_result(handout, checkout):
    told = {name: name.lower() for name in ('CLASSROOM', 'ASSIGNMENT', 'SUBMISSION_TAG', 'COMMIT_URL', 'RELEASE_URL')}
    environment = {**os.environ, **told, 'CLASSROOM50_BUNDLE_DIR': str(handout / 'classroom50')}
    command = [sys.executable, str(handout / 'classroom50' / 'autograder.py')]
    subprocess.run(command, cwd=str(checkout), env=environment, check=True)
    found = json.loads(text(checkout / 'result.json'))
    # What foundation50/classroom50 asks of a result, classroom50/result/v1.
    assert found['schema'] == 'classroom50/result/v1'
    assert set(found) == {
        *('schema', 'classroom', 'assignment', 'submission', 'commit', 'release', 'review', 'datetime'),
        *('score', 'max-score', 'tests'),
    }
    assert all(set(test) == {'test-name', 'passed', 'score', 'max-score'} for test in found['tests'])
    assert found['score'] == sum(test['score'] for test in found['tests']) == 24  # Those of cnn.
    assert 'cnn' in text(checkout / 'release-body.md')


@pytest.mark.slow
def test_gradescopes_autograder_leaves_its_results(handout, checkout, tmp_path):
    gradescope = tmp_path / 'autograder'
    gradescope.mkdir()
    (gradescope / 'source').symlink_to(handout / 'gradescope')
    shutil.copytree(str(checkout), str(gradescope / 'submission'))
    environment = {**os.environ, 'AUTOGRADER': str(gradescope), 'LAB_PYTHON': sys.executable}
    subprocess.run([str(handout / 'gradescope' / 'run_autograder')], env=environment, check=True)
    found = json.loads(text(gradescope / 'results' / 'results.json'))
    assert found['score'] == sum(test['score'] for test in found['tests']) == 24
