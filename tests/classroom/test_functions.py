"""The blanks of simple, cnnDice and challenge: by what the functions do, right is found right and wrong is named."""

import re

from lvseg import networks

import pytest

from classroom import functions, making
from classroom import judging as check
from classroom.texts import message
from tests.classroom.filled import blank_line, fill, folder_of

NN, UNET, AUGMENTATION = 'neuralnetwork.py', 'unet.py', 'augmentation.py'

W_FC = ('simple', NN, 'inference', 'W_fc', 'W_fc = ')
W_FC2 = ('simple', NN, 'inference', 'W_fc2', 'W_fc2 = ')
DIVS = ('cnnDice', NN, 'evaluation', 'divs', 'divs = ')
DICE = ('cnnDice', 'runEval.py', 'dice', 'metric', 'metric = ')
NO_NETWORK = ('cnnDice', 'runNoNetwork.py', 'no_network', 'return', 'return tf.stack')
MOMENTS = ('challenge', NN, 'per_image', 'mean, variance', 'mean, variance = ')
PER_IMAGE = ('challenge', NN, 'per_image', 'return', 'return (images')
SOFT_DICE = ('challenge', NN, 'soft_dice', 'dice', 'dice = ')
LOSS = ('challenge', NN, 'soft_dice', 'return', 'return 1')
RISE = ('challenge', NN, 'warmup', 'rise', 'rise = ')
FALL = ('challenge', NN, 'warmup', 'fall', 'fall = ')
LABELS = ('challenge', AUGMENTATION, 'augment', 'labels', 'labels = ')
TURNED = ('challenge', AUGMENTATION, 'turned', 'return', 'return cosine')
STRIDES = ('challenge', UNET, 'up', 'enlarged', 'strides')
BESIDE = ('challenge', UNET, 'up', 'return', 'return tf.concat')

# For each blank, what is wrong in it; in lists of several blanks, each list has one wrong value in each place, or more
# values than there are places.
WRONG = {
    W_FC: [
        'HIDDEN_UNITS PIXELS',
        'PIXELS CLASSES',
        'HEIGHT HIDDEN_UNITS',
        'PIXELS 1',
        '1 HIDDEN_UNITS',
        'PIXELS PIXELS',
        'WIDTH CLASSES',
        '(PIXELS*CLASSES) HIDDEN_UNITS',
        'PIXELS (HIDDEN_UNITS+1)',
        '-1 HIDDEN_UNITS',
        'HEIGHT WIDTH,HIDDEN_UNITS',
        '1 PIXELS,HIDDEN_UNITS',
        'PIXELS HIDDEN_UNITS,1',
    ],
    W_FC2: [
        'PIXELS HIDDEN_UNITS',
        'HIDDEN_UNITS PIXELS',
        'HIDDEN_UNITS CLASSES',
        'PIXELS (PIXELS*CLASSES)',
        '1 (PIXELS*CLASSES)',
        'HIDDEN_UNITS HIDDEN_UNITS',
        'HIDDEN_UNITS (PIXELS*CLASSES*2)',
        'HIDDEN_UNITS 1',
        'HIDDEN_UNITS (PIXELS+CLASSES)',
        '(HIDDEN_UNITS-1) (PIXELS*CLASSES)',
        'CLASSES (PIXELS*CLASSES)',
        '(PIXELS*CLASSES) HIDDEN_UNITS',
        'HIDDEN_UNITS HEIGHT,WIDTH,CLASSES',
    ],
    DIVS: [
        'sum_tensor',
        'indices',
        'labels_re',
        'twos',
        'tf.floordiv(twos, sum_tensor + 1)',
        'sum_tensor - twos',
        'tf.maximum(indices, labels_re)',
        'tf.cast(tf.equal(indices, labels_re), tf.int32)',
        'sum_tensor / twos',
        'tf.zeros_like(indices)',
        'tf.mod(sum_tensor, twos)',
        'tf.floordiv(sum_tensor + 1, twos)',
        'indices - labels_re',
        'tf.math.floor(sum_tensor / twos)',
        'tf.cast(indices * labels_re, tf.float32)',
        'tf.cast(indices * labels_re, tf.int64)',
    ],
    DICE: [
        'intersection / (labelled + predicted)',
        '2 * intersection / labelled',
        '2 * intersection / predicted',
        '2 * intersection / labelled + predicted',
        'intersection / (labelled + predicted - intersection)',
        '1',
        '2 * intersection / pixels',
        '2 * (labelled + predicted) / intersection',
        '2 * intersection // (labelled + predicted)',
        '1 - 2 * intersection / (labelled + predicted)',
        'intersection / max(labelled, predicted)',
        "'0.6'",
    ],
    NO_NETWORK: [
        'images',
        'tf.ones_like(images)',
        'tf.zeros(images.shape.as_list() + [2])',
        'tf.stack([tf.zeros_like(images), tf.ones_like(images)], axis=-1)',
        'tf.stack([tf.ones_like(images), tf.zeros_like(images)], axis=1)',
        'tf.stack([images, tf.zeros_like(images)], axis=-1)',
        'tf.stack([tf.zeros_like(images), images], axis=-1)',
        'tf.zeros_like(images)',
        'tf.layers.conv2d(images[..., None], 2, 1)',
        'tf.stack([tf.ones_like(images), tf.ones_like(images)], axis=-1)',
    ],
    MOMENTS: ['0 1', '0 2', '1 0', '2 0', '1 1', '2 2', '3 1', '3 2', '1 1.5', '1 None', '0 1,2'],
    PER_IMAGE: [
        'images - mean',
        'images / tf.sqrt(variance)',
        '(images - mean) / variance',
        'images - mean / variance',
        '(images + mean) / tf.sqrt(variance)',
        '(mean - images) / tf.sqrt(variance)',
        '(images - mean) * tf.sqrt(variance)',
        'images',
        '(images - mean) / mean',
        'images - mean / tf.sqrt(variance)',
        'tf.nn.relu((images - mean) / variance)',
    ],
    SOFT_DICE: [
        '2 * area(probability * labels) / (area(probability) + area(labels) + 1)',
        '(area(probability * labels) + 1) / (area(probability) + area(labels) + 1)',
        '(2 * area(probability * labels) + 1) / (area(probability) + area(labels))',
        '(2 * area(probability) * area(labels) + 1) / (area(probability) + area(labels) + 1)',
        '(2 * area(probability * labels) + 1) / (area(probability + labels * labels * 2) + 1)',
        '(2 * area(probability * labels) + 1) / (area(labels) + area(labels) + 1)',
        '(2 * area(probability * labels) + 1) / area(probability) + area(labels) + 1',
        '(2 * area(probability * labels) + 1) / (area(probability * probability) + area(labels) + 1)',
        'tf.reduce_sum(probability * labels)',
    ],
    LOSS: [
        'dice',
        '1 - dice',
        'tf.reduce_mean(dice)',
        'tf.reduce_mean(dice) - 1',
        '1 - tf.reduce_sum(dice)',
        '-tf.reduce_mean(dice)',
        '1 - tf.reduce_max(dice)',
        '1 - dice[0]',
        '1 / tf.reduce_mean(dice)',
        '0.0',
    ],
    RISE: [
        'done',
        'done + 0.05',
        'done / 0.05',
        '(done + 1 / steps) / 0.1',
        '(done + 1 / steps) * 0.05',
        '1.0',
        'steps',
        '(done + 1 / steps) * 0.5',
        '1 - done / 0.05',
        '(done + 1) / 0.05',
        '(done + 1 / steps) / 20',
        '20 * done**2',
    ],
    FALL: [
        'tf.cos(np.pi * done)',
        '1 + tf.cos(np.pi * done)',
        '(1 + tf.cos(done)) / 2',
        '1 - done',
        '1.0',
        'done',
        '(1 - tf.cos(np.pi * done)) / 2',
        '(1 + tf.sin(np.pi * done)) / 2',
        '(1 + tf.cos(2 * np.pi * done)) / 2',
        '1 + tf.cos(np.pi * done) / 2',
        '(1 + tf.cos(np.pi * step)) / 2',
        'tf.cos(np.pi * done / 2)',
        '0.5 * (1 + tf.cos(3.14 * done))',
    ],
    LABELS: [
        'labels',
        'interpolated(labels, rows, columns)',
        'nearest(labels, columns, rows)',
        'tf.zeros_like(labels)',
        'nearest(labels, -rows, columns)',
        'nearest(images, rows, columns)',
        'labels[:, ::-1]',
        'images',
        'interpolated(tf.cast(labels, tf.float32), rows, columns)',
        'nearest(labels, rows + 4, columns)',
        'tf.ones_like(labels)',
        'nearest(labels[::-1], columns, rows)',
        'tf.cast(nearest(labels, rows, columns), tf.int32)',
        'tf.cast(images > 500, tf.uint8)',
        'tf.cast(images > tf.reduce_max(images) / 2, tf.uint8)',
    ],
    TURNED: [
        'rows, columns',
        'columns, rows',
        'sine * rows + cosine * columns, cosine * rows - sine * columns',
        'cosine * rows + sine * columns, sine * rows + cosine * columns',
        'cosine * rows - sine * columns, cosine * rows + sine * columns',
        'cosine * rows, sine * columns',
        'cosine * rows - sine * columns, sine * rows - cosine * columns',
        'rows + angle, columns + angle',
        'cosine * rows - sine * columns',
        '2 * (cosine * rows - sine * columns), 2 * (sine * rows + cosine * columns)',
        'rows - sine * columns, sine * rows + columns',
        '-cosine * rows + sine * columns, -sine * rows - cosine * columns',
    ],
    STRIDES: ['1 1', '1 2', '2 1', '4 4', '16 2', '2 16', '0 2', '2 -2', '3 2', '2 4', '1 2,2,1', '2 2,2'],
    BESIDE: [
        'enlarged',
        'seen',
        'enlarged + seen',
        'tf.concat([enlarged, enlarged], axis=-1)',
        'tf.concat([seen, seen], axis=-1)',
        'tf.concat([enlarged, seen], axis=1)',
        'tf.concat([enlarged, seen], axis=0)',
        'tf.maximum(enlarged, seen)',
        'tf.concat([enlarged, tf.zeros_like(seen)], axis=-1)',
        'enlarged * seen',
        'tf.concat([enlarged, seen, seen], axis=-1)',
        'tf.stack([enlarged, seen], axis=-1)',
    ],
}

# Of each kind that was once taken for right, or for another trouble: these are tried in every run.
QUICK = {
    (W_FC, 'PIXELS HIDDEN_UNITS,1'),
    (W_FC2, 'HIDDEN_UNITS HEIGHT,WIDTH,CLASSES'),
    (DIVS, 'tf.math.floor(sum_tensor / twos)'),
    (DIVS, 'tf.cast(indices * labels_re, tf.int64)'),
    (MOMENTS, '0 1,2'),
    (LABELS, 'tf.cast(images > tf.reduce_max(images) / 2, tf.uint8)'),
    (LABELS, 'tf.cast(interpolated(tf.cast(labels, tf.float32), rows, columns) > 0.5, tf.uint8)'),
    (STRIDES, '1 2,2,1'),
}

# What is right as well, however it is written.
AS_GOOD = {
    W_FC: ['65536 512', 'HEIGHT*WIDTH HIDDEN_UNITS'],
    W_FC2: ['512 131072'],
    DIVS: [
        'indices * labels_re',
        'tf.minimum(indices, labels_re)',
        'sum_tensor // 2',
        'tf.bitwise.bitwise_and(indices, labels_re)',
    ],
    DICE: [
        'intersection / ((labelled + predicted) / 2)',
        '1 - (labelled + predicted - 2 * intersection) / (labelled + predicted)',
    ],
    NO_NETWORK: ['tf.stack([0 * images, 0 * images - 3], axis=3)', 'tf.zeros_like(images)[..., None] - [0.0, 9.0]'],
    MOMENTS: ['2 1', '-2 -1'],
    PER_IMAGE: ['(images - mean) * tf.math.rsqrt(variance)', '(images - mean) / variance ** 0.5'],
    LOSS: ['tf.reduce_mean(1 - dice)', '1 - tf.add_n(tf.unstack(dice)) / 3'],
    RISE: ['20 * (done + 1 / steps)', '20 * tf.cast(step + 1, tf.float32) / steps'],
    FALL: ['tf.cos(np.pi * done / 2) ** 2', '0.5 + 0.5 * tf.cos(done * np.pi)'],
    LABELS: ['tf.cast(interpolated(tf.cast(labels, tf.float32), rows, columns) > 0.5, tf.uint8)'],
    TURNED: [
        'cosine * rows + sine * columns, cosine * columns - sine * rows',
        '(cosine * rows - sine * columns, sine * rows + cosine * columns)',
    ],
    BESIDE: ['tf.concat([seen, enlarged], axis=3)', 'tf.concat((enlarged, seen), -1)'],
}

EXERCISES = ('simple', 'cnnDice', 'challenge')


@pytest.fixture(scope='module')
def solutions():
    return {exercise: check.Solution(networks.solution(exercise)) for exercise in EXERCISES}


@pytest.fixture
def verdicts(tmp_path, solutions):
    """The verdicts on a file of which all blanks are filled in rightly, but those of a place as given."""

    def judged(place, values):
        exercise, file, _, _, start = place
        folder = folder_of(exercise, tmp_path / exercise)
        fill(folder / file, *blank_line(exercise, file, start), values)
        found, failure = functions.judged(folder / file, solutions[exercise].files[file])
        assert failure is None
        return found

    return judged


def values_of(written, place):
    blanks = blank_line(place[0], place[1], place[4])[1].count('FIXME')
    return written.split(' ') if blanks > 1 else [written]


def cases(of):
    return [
        pytest.param(
            place,
            written,
            id=f'{place[2]}-{place[3]}-{number}',
            marks=() if (place, written) in QUICK else pytest.mark.slow,
        )
        for place in of
        for number, written in enumerate(of[place])
    ]


def test_every_blank_of_the_three_exercises_has_its_wrong_fillings(solutions):
    """Six for every blank: where a line has several, six for each of them in which it is not as in the solution."""
    places = {
        (exercise, *each)
        for exercise in EXERCISES
        for file in solutions[exercise].files.values()
        for each in file.paths
    }
    assert {place[:4] for place in WRONG} == places
    blanks = 0
    for place, written in WRONG.items():
        right = answers(place)
        for blank, answer in enumerate(right):
            filled_in = [values_of(each, place)[blank].strip('()') for each in set(written)]
            assert sum(value != answer.strip('()') for value in filled_in) >= 6, (place, blank)
        blanks += len(right)
    assert blanks == sum(solutions[exercise].blanks for exercise in EXERCISES)


def answers(place):
    """What the solution has in the blanks of a place; an expression is one."""
    solved, opened = blank_line(place[0], place[1], place[4])
    pattern = re.escape(opened).replace('FIXME', '(.+)')
    return [re.sub(r' \* ', '*', answer) for answer in re.fullmatch(pattern, solved).groups()]


@pytest.mark.parametrize(('exercise', 'blanks'), [('simple', 4), ('cnnDice', 3), ('challenge', 12)])
def test_solved_it_is_in_order(exercise, blanks, solutions, tmp_path):
    found = check.check(folder_of(exercise, tmp_path / exercise) / NN, solutions[exercise])
    assert (found.problem, found.notes, found.solved, solutions[exercise].blanks) == ('', (), blanks, blanks)


@pytest.mark.parametrize('exercise', EXERCISES)
def test_blank_it_is_open_from_the_first_to_the_last(exercise, solutions, tmp_path):
    folder = folder_of(exercise, tmp_path / exercise)
    for path in networks.solution(exercise).parent.glob('*.py'):
        (folder / path.name).write_text(making.blanked(path.read_text()))
    found = check.check(folder / NN, solutions[exercise])
    assert found.solved == 0
    assert {state for verdict in found.verdicts.values() for state in verdict.states} == {check.OPEN}
    assert ' is still open (FIXME). ' in found.problem


@pytest.mark.parametrize(('place', 'written'), cases(WRONG))
def test_what_is_wrong_is_found_and_its_blank_named(place, written, verdicts):
    _, _, function, name, _ = place
    found = verdicts(place, values_of(written, place))
    assert [each[1:] for each, verdict in found.items() if verdict.solved < len(verdict.states)] == [(function, name)]
    (text,) = [verdict.text for each, verdict in found.items() if each[1:] == (function, name)]
    assert text.startswith(f'{name} is not what is wanted. ') and text.endswith(message(f'{function}.{name}.wanted'))


@pytest.mark.parametrize(('place', 'written'), cases(AS_GOOD))
def test_what_does_the_same_is_right_however_it_is_written(place, written, verdicts):
    found = verdicts(place, values_of(written, place))
    assert {state for verdict in found.values() for state in verdict.states} == {check.RIGHT}


@pytest.mark.parametrize(
    ('strides', 'state'), [('2', check.RIGHT), ('[2]', check.WRONG), ('[]', check.WRONG), ('FIXME', check.OPEN)]
)
def test_what_is_no_list_of_two_is_judged_as_a_whole_beside_an_open_blank(strides, state, solutions, tmp_path):
    unet = folder_of('challenge', tmp_path / 'challenge') / UNET
    text = unet.read_text().replace('strides=[2, 2],\n        use_bias', f'strides={strides},\n        use_bias')
    unet.write_text(text.replace('return tf.concat([enlarged, seen], axis=-1)', 'return FIXME'))
    found, failure = functions.judged(unet, solutions['challenge'].files[UNET])
    assert failure is None
    assert {each.name: verdict.states for each, verdict in found.items()} == {
        'enlarged': (state, state),
        'return': (check.OPEN,),
    }


def test_a_name_that_is_not_defined_is_told_with_what_to_do_about_it(verdicts):
    found = verdicts(DIVS, ['np.minimum(indices, labels_re)'])
    (text,) = [verdict.text for verdict in found.values() if not verdict.solved]
    assert "divs is not what is wanted. name 'np' is not defined. Import it or define it further up. " in text


def test_a_rounded_pi_is_told_of_the_one_that_is_wanted():
    assert 'np.pi' in message('warmup.fall.wanted')
