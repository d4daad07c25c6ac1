"""What README and guide say holds: both languages say the same, links lead somewhere, shapes and numbers are right."""

import re

import lvseg.flags
from lvseg import metrics, networks
from lvseg.project import PROJECT

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import data_prep.arguments
from data_prep.phantom import studies, truth
from data_prep.phantom.patient import invent_patient
from docs.figures import drawing
from experiments import cross_validation, domain_shift, recipe
from inside import counting
from inside import drawing as show
from tests.docs.conftest import LANGUAGES, chapters_of

MAX_PICTURE_BYTES = 150_000

GUIDES = [str(file.relative_to(PROJECT)) for language in LANGUAGES for file in chapters_of(PROJECT, language)]
DOCUMENTS = ['README.md', 'docs/lab.md', 'docs/lab.ko.md', 'docs/differences.md', 'docs/instructor.md', *GUIDES]


# --- Two languages, one lab


def test_both_languages_have_the_same_chapters(chapters):
    english, korean = ([file.name for file in chapters(language)] for language in LANGUAGES)
    assert len(english) > 10
    assert english == korean


@pytest.mark.parametrize('language', LANGUAGES)
def test_each_chapter_leads_to_the_ones_before_and_after_it(chapters, language, document, root):
    contents, *files = chapters(language)
    names = [file.name for file in files]
    for file, before, after in zip(files, [contents.name, *names], [*names[1:], contents.name]):
        assert {before, after} <= set(document(file.relative_to(root)).links), file.name


@pytest.mark.parametrize('language', LANGUAGES)
def test_the_contents_and_the_old_page_list_every_chapter_by_its_title(chapters, language, document, root):
    contents, *files = chapters(language)
    for file in files:
        title = document(file.relative_to(root)).headings[0][1]
        assert f'[{title}]({file.name})' in contents.read_text(encoding='utf-8')
        assert f'[{title}]({language}/{file.name})' in (root / 'docs' / f'{language}.md').read_text(encoding='utf-8')


@pytest.fixture(params=[file.name for file in chapters_of(PROJECT, 'lab')])
def chapter(request, document):
    """A chapter in both languages."""
    return [document(f'docs/{language}/{request.param}') for language in LANGUAGES]


def test_a_chapter_has_the_same_commands_output_headings_links_and_pictures_in_both_languages(chapter):
    english, korean = chapter
    assert english.blocks == korean.blocks
    assert [level for level, _ in english.headings] == [level for level, _ in korean.headings]
    assert english.pictures == korean.pictures
    assert len(english.links) == len(korean.links)
    assert sorted(english.inline_code) == sorted(korean.inline_code)


def test_a_chapter_has_the_same_numbers_in_both_languages(chapter):
    english, korean = (numbers(text.prose) for text in chapter)
    assert english == korean


def numbers(prose):
    """All but single digits, which may be words, and millions, which Korean counts in units of 10,000."""
    prose = re.sub(r'[\d.]+ million|[\d억 ]*\d+만', '', prose)
    return sorted(number for number in re.findall(r'\d+(?:[.,]\d+)*', prose) if len(number) > 1)


def test_each_numbered_chapter_has_its_objective_and_ends_with_five_sentences(chapters):
    for language in LANGUAGES:
        for file in chapters(language)[1:]:
            if file.name[0].isdigit():
                lines = file.read_text(encoding='utf-8').splitlines()
                assert re.fullmatch(r'\*.*\d+.*\*', lines[4]), file
                assert [line[:3] for line in lines[-9:-4]] == [f'{number}. ' for number in range(1, 6)], file


def test_each_question_has_an_answer_and_each_answer_a_question(guides, chapters, document, root):
    for language, guide in zip(LANGUAGES, guides):
        answers = document(f'docs/{language}/answers.md').prose
        asked = re.findall(r'\*\*(?:Question|질문) (\d+\.\d+)\.\*\*', guide.prose)
        assert asked == re.findall(r'^\*\*(\d+\.\d+)\.\*\*', answers, re.MULTILINE)
        assert len(asked) > 20


def test_bold_is_not_closed_between_punctuation_and_a_particle(guides):
    """Markdown would show the stars: a closing ** after punctuation wants a blank or punctuation behind it."""
    bold = re.findall(r'(?<!\*)\*\*(?!\*)(.+?)\*\*(.?)', guides[1].prose)
    assert len(bold) > 50
    assert not [text for text, after in bold if re.search(r'[^\w]$', text) and re.match(r'[가-힣]', after)]


@pytest.mark.parametrize(
    ('slip', 'term'),
    [
        ('0.980를', '0.980을'),
        ('묶음', '폴드'),
        ('학습 단계', '학습 연산(train_op)'),
        ('연습', '실습'),
        ('누출', '데이터 누수'),
        ('처음 가중치', '초기 가중치'),
        ('임의', '무작위'),
        ('면적', '넓이'),
        ('해답', '모범 답안'),
    ],
)
def test_korean_has_one_word_for_a_thing(slip, term, guides):
    """The left ones stood there once; the right ones are those of the table of terms."""
    assert slip not in guides[1].prose
    assert term in guides[1].prose


def test_both_tables_of_terms_have_the_same_words(root):
    tables = {}
    for language in LANGUAGES:
        text = (root / 'docs' / language / 'terms.md').read_text(encoding='utf-8')
        tables[language] = [row.split('|')[1:3] for row in text.splitlines() if row.startswith('| ')][1:]
    assert len(tables['lab']) > 60
    assert tables['lab'] == [[english, korean] for korean, english in tables['lab.ko']]


def test_korean_counts_without_a_blank_before_the_unit(guides):
    assert not re.findall(r'\d (?:에폭|스텝|화소)', guides[1].prose)


# --- Nothing leads nowhere


@pytest.mark.parametrize('path', [*DOCUMENTS, 'docs/results.md'])
def test_links_and_pictures_lead_somewhere(path, document, root):
    text = document(path)
    for link in text.links + text.pictures:
        if not link.startswith('http'):
            file, _, anchor = link.partition('#')
            target = (text.path.parent / file).resolve() if file else text.path
            assert target.exists(), link
            assert not anchor or anchor in document(target.relative_to(root)).anchors, link


def test_pictures_are_small(root):
    for picture in (root / 'docs' / 'images').iterdir():
        assert picture.stat().st_size < MAX_PICTURE_BYTES, picture.name


def test_a_command_within_the_guide_is_also_one_that_is_run(guides):
    """Or else nothing would tell when it stops working: test_commands.py runs what stands between fences."""
    for guide in guides:
        for code in guide.inline_code:
            if code.startswith(('make ', 'python ')):
                assert code in guide.commands


@pytest.mark.parametrize('path', DOCUMENTS)
def test_a_flag_within_the_text_is_one_that_there_is(path, document, root, load):
    challenge = load(root / 'exercise_solutions' / 'challenge' / 'neuralnetwork.py')
    parsers = (
        data_prep.arguments.parser(),
        lvseg.flags.training('challenge', challenge.FLAGS),
        lvseg.flags.evaluation('cnn'),
        cross_validation._parser(),
        domain_shift._parser(),
        recipe._parser(),
        show._parser(),
    )
    there_are = {flag for parser in parsers for flag in re.findall(r'--[a-z_]+', parser.format_help())}
    for code in document(path).inline_code:
        if not code.startswith(('make ', 'python ', 'git ')):
            assert set(re.findall(r'--[a-z_]+', code)) <= there_are, code


@pytest.mark.parametrize('path', DOCUMENTS)
def test_a_make_target_within_the_text_is_one_that_there_is(path, document, root):
    there_are = set(re.findall(r'^([a-z-]+):', (root / 'Makefile').read_text(), re.MULTILINE))
    for code in document(path).inline_code:
        if code.startswith('make '):
            assert code.split()[1] in there_are, code


# --- What is shown is what there is


def test_the_shapes_shown_are_those_that_the_networks_print(guides, root, load, capsys):
    shown = {line for block in guides[0].blocks for line in block.lines if line.startswith('DEBUG')}
    for exercise in ('simple', 'cnn', 'cnnDice'):
        network = load(root / 'exercise_solutions' / exercise / 'neuralnetwork.py')
        for function in (network.loss, network.evaluation):
            with tf.Graph().as_default():
                images = tf.placeholder(tf.float32, [1, 256, 256])
                function(network.inference(images, training=False), tf.placeholder(tf.uint8, [1, 256, 256]))
    assert shown
    assert shown <= set(capsys.readouterr().out.splitlines())


def test_the_structure_list_is_that_of_the_network(guides, root):
    code = (root / 'exercise_solutions' / 'cnn' / 'neuralnetwork.py').read_text().replace('=CLASSES', '=2')
    layers = re.findall(r'^    (\w+) = tf\.layers\.\w+\(\n(.*?)^    \)', code, re.MULTILINE | re.DOTALL)
    wanted = {'drop': ['', '', '']}
    for name, arguments in layers:
        size, stride = re.findall(r'(?:kernel_size|pool_size|strides)=\[(\d+), \1\]', arguments)
        wanted[name] = [f'{size} × {size}', stride, ''.join(re.findall(r'filters=(\d+)', arguments))]
    for guide in guides:
        assert {row[0]: row[2:] for row in guide.table('conv1')} == wanted


def test_the_drawings_are_what_the_script_draws(root, load):
    for name, draw in drawing.DRAWINGS.items():
        assert draw().text_of_file() == (root / 'docs' / 'images' / name).read_text(encoding='utf-8'), (
            'Run: make figures'
        )


# --- The numbers


@pytest.mark.parametrize('exercise', ['cnn', 'simple'])
def test_the_table_of_weights_and_multiplications_is_what_the_script_prints(exercise, guides, parameters):
    printed = parameters.table(parameters.rows(networks.solution(exercise))).splitlines()
    assert [example.shown for example in guides[0].examples if f'parameters.py {exercise}' in example.commands[0]] == [
        printed
    ]


def test_the_weights_and_multiplications_in_the_text(guides, parameters):
    simple, cnn = (parameters.rows(networks.solution(exercise)) for exercise in ('simple', 'cnn'))
    weights = {row.layer: row.weights for row in cnn}
    connected = sum(row.weights for row in simple)
    convolved = sum(weights.values())
    multiplications = sum(row.multiplications for row in cnn)

    assert connected == 65536 * 512 + 512 * 131072
    assert round(connected / convolved) == 54
    assert round(multiplications / sum(row.multiplications for row in simple)) == 9
    numbers = [connected, convolved, multiplications, weights['conv2'], weights['conv3'] + weights['conv4']]
    for guide in guides:
        assert all(f'{number:,}' in guide.prose for number in [*numbers, 5 * 5 * 200 * 300])


def test_the_answers_that_are_computed(guides):
    areas = metrics.Areas(intersection=800, labelled=1000, predicted=1000, total=65536)
    figures = [metrics.dice(areas), metrics.iou(areas), metrics.precision(areas), 2 * 0.75 / (1 + 0.75)]
    assert [f'{figure:.3f}' for figure in figures] == ['0.800', '0.667', '0.994', '0.857']
    assert all(number in guide.prose for guide in guides for number in ('0.667', '0.994', '0.857'))


def test_the_arithmetic_of_the_layers(guides):
    field, distance = 1, 1
    without_pools = field, distance
    for kernel, stride, pool in [(5, 2, 0), (2, 2, 1), (5, 2, 0), (2, 2, 1), (3, 1, 0), (3, 1, 0)]:  # conv1 to conv4
        field, distance = field + (kernel - 1) * distance, distance * stride
        if not pool:
            seen, apart = without_pools
            without_pools = seen + (kernel - 1) * apart, apart * stride
    assert (field, without_pools[0]) == (95, 29)

    scores = np.exp([-1, 2])
    background, ventricle = scores / scores.sum()
    rounded = {
        '0.047': background,
        '0.953': ventricle,
        '0.049': -np.log(ventricle),
        '3.049': -np.log(background),
        '126.5': (256 - 5) / 2 + 1,
        '58.9': (1 - 0.0167) / 0.0167,
        '0.818': 0.9 / (2 - 0.9),
        '0.333': 0.5 / (2 - 0.5),
        '0.576': (0.9 / 1.1 + 0.5 / 1.5) / 2,
        '0.538': 0.7 / (2 - 0.7),
        '0.467': 0.637 / (2 - 0.637),
        '0.039': 2 * 0.0197 / (1 + 0.0197),  # Dice of ones everywhere
    }
    for text, value in rounded.items():
        assert f'{value:.{len(text.partition(".")[2])}f}' == text
        assert all(text in guide.prose for guide in guides), text


@pytest.fixture
def results(root):
    """The rows of the tables of docs/results.md, their cells without code marks."""
    text = (root / 'docs' / 'results.md').read_text(encoding='utf-8').replace('`', '')
    return [line.strip('| ').split(' | ') for line in text.splitlines() if line.startswith('| ')]


def test_the_minutes_in_the_text_are_those_of_the_one_table_of_times(results, document, root):
    start = results.index(['command', 'minutes', 'told in'])
    times = {row[0]: row[1:] for row in results[start + 1 : start + 7]}
    for minutes, told_in in times.values():
        for file in told_in.split(', '):
            places = ['README.md'] if file == 'README.md' else [f'docs/{language}/{file}' for language in LANGUAGES]
            for place in places:
                text = document(place).prose
                said = f'{minutes} minutes', f'| {minutes} |', f'{minutes}분'.replace(' to ', '~')
                assert any(each in text for each in (*said, f'| {minutes} |'.replace(' to ', '~'))), (place, minutes)

    # Where they come from: what scripts/measure_times.py printed, which stands below.
    printed = (root / 'docs' / 'results.md').read_text(encoding='utf-8').replace('`', '')
    for command in list(times)[2:]:
        middle, least, most = re.search(rf'  \| {command} \| \d+ \| (\S+) \| (\S+) to (\S+) \|', printed).groups()
        assert times[command][0] in (middle, f'{float(least):.0f} to {float(most):.0f}')


def test_what_each_step_of_the_challenge_moves_is_what_was_measured(results, document):
    measured = {row[0]: [cell[:5] for cell in (row[1], row[3])] for row in results if re.match('--n', row[0])}
    recipe = '--network unet --augment --loss both'
    recipe_later = '--normalisation per_image --schedule warmup'
    steps = {
        '--normalisation per_image': ('--normalisation lab --schedule warmup', recipe_later),
        '--loss both': ('--network unet --augment --loss cross_entropy', recipe),
        '--schedule warmup': ('--normalisation per_image --schedule staircase', recipe_later),
        '--augment': ('--network unet --loss both', recipe),
        '--network unet': ('--network fcn --augment --loss both', recipe),
    }
    for language in LANGUAGES:
        text = document(f'docs/{language}/10-challenge.md').prose.replace('`', '')
        for flag, (without, with_it) in steps.items():
            moves = ' | '.join(f'{less} → {more}' for less, more in zip(measured[without], measured[with_it]))
            assert f'| {flag} | {moves} |' in text


def test_what_each_shift_costs_is_what_was_measured(results, document):
    start = next(number for number, row in enumerate(results) if row[:2] == ['plain', 'field_strength'])
    measured = {figure.strip('*') for figure in results[start + 1][1:]}
    assert len(measured) == 7
    for language in LANGUAGES:
        answers = document(f'docs/{language}/answers.md').prose
        answer = answers[answers.index('**16.1.**') : answers.index('**17.1.**')]
        assert measured <= set(numbers(answer))


def test_the_98_percent_lesson_tells_what_was_measured(results, document):
    rows = [row for row in results if row[0] in ('precision', 'Dice') and len(row) == 2]
    assert [row[0] for row in rows] == ['precision', 'Dice']
    for language in LANGUAGES:
        told = numbers(document(f'docs/{language}/07-dice.md').prose)
        assert {figure for row in rows for figure in row[1].split(', ')} <= set(told)


def test_the_answers_about_volumes(guides):
    growth = 1.072 / 0.984
    disc = np.pi * 1.25**2 * 90 / 1000  # ml, of a radius of one pixel: 9 slices 10 mm apart, pixels of 1.25 mm
    rounded = {
        '0.965': 2 / 2.072,
        '1.089': growth,
        '0.436': 0.40 * growth,
        '56.4': 100 * (1 - 0.40 * growth),
        '1.082': (26 / 25) ** 2,
        '1.21': (11 / 10) ** 2,
        '276.1': disc * 25**2,
        '22.5': disc * (26**2 - 25**2),
        '44.2': disc * 10**2,
        '9.3': disc * (11**2 - 10**2),
        '72.6': 100 * (1 - 11**2 / 21**2),
        '69.8': 100 * (1 - 11**2 / 20**2),
        '1.3': 126.5 * 10 / 1000,  # ml, of 126.5 mm² too many at end-systole
        '63.9': 100 * (1 - 45.65 / 126.37),
        '64.9': 100 * (1 - (45.65 - 1.265) / 126.37),
        '5.3': 100 * 7 / 133.12,  # what a slice with 7 ml too many takes from the EF of the healthy heart
    }
    for text, value in rounded.items():
        assert f'{value:.{len(text.partition(".")[2])}f}' == text
        assert all(text in guide.prose for guide in guides), text


def test_the_answers_about_several_machines(guides):
    def seconds(workers, batch=8):
        return 0.1 * -(-batch // workers) + 2 * 7.4 * workers / 125

    rounded = {
        '0.92': seconds(1),
        '0.64': seconds(2),
        '0.67': seconds(4),
        '1.05': seconds(8),
        '0.12': 2 * 7.4 / 125,
        '1.75': seconds(8, batch=64),
        '6.52': seconds(1, batch=64),
    }
    for text, value in rounded.items():
        assert f'{value:.2f}' == text
        assert all(text in guide.prose for guide in guides), text


def test_the_truth_shown_is_that_of_the_hearts(guides):
    shown = {line for example in guides[0].examples for line in example.shown if line.startswith('PHANTOM')}
    patients = [invent_patient(15, number) for number in range(1, 5)]
    assert {','.join(truth.row(patient, studies._frames(patient))) for patient in patients} == shown


def test_the_staircase_in_the_text(root, load):
    rates = drawing.learning_rates(0.03, 0.5, 2000, [0, 1999, 2000, 3999, 4000])
    assert rates == pytest.approx([0.03, 0.03, 0.015, 0.015, 0.0075])


@pytest.fixture(scope='module')
def parameters():
    return counting
