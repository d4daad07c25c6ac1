"""The lines that the programs print: those of the lab's handout, in wording and order."""

import contextlib
import io
import re

import pytest
import tensorflow.compat.v1 as tf

# As the handout shows them.
SIMPLE = """\
DEBUG images shape inference (1, 256, 256)
DEBUG images shape inference (1, 256, 256)
DEBUG W_fc shape (65536, 512)
DEBUG flatten1_op shape (1, 65536)
DEBUG h_fc1 shape (1, 512)
DEBUG W_fc2 shape (512, 131072)
DEBUG h_fc2 shape (1, 131072)
DEBUG h_fc2_re shape (1, 256, 256, 2)
"""
CONVOLUTIONAL = """\
DEBUG images shape inference (1, 256, 256)
DEBUG images shape inference (1, 256, 256)
DEBUG conv1 shape (1, 128, 128, 100)
DEBUG pool 1 shape (1, 64, 64, 100)
DEBUG conv2 shape (1, 32, 32, 200)
DEBUG pool 2 shape (1, 16, 16, 200)
DEBUG conv3 shape (1, 16, 16, 300)
DEBUG conv4 shape (1, 16, 16, 300)
DEBUG drop shape (1, 16, 16, 300)
DEBUG score_classes shape (1, 16, 16, 2)
DEBUG upscore shape (1, 256, 256, 2)
"""
LOSS = """\
DEBUG logits shape before (1, 256, 256, 2)
DEBUG labels shape before (1, 256, 256)
DEBUG logits shape after (1, 256, 256, 2)
DEBUG labels shape after (1, 256, 256)
"""
CROSS_ENTROPY = 'DEBUG cross_entropy shape (1, 256, 256)\n'
SIMPLE_EVALUATION = """\
DEBUG logits eval shape before (1, 256, 256, 2)
DEBUG logits_re eval shape after (65536, 2)
DEBUG labels_re eval shape after (65536,)
DEBUG correct shape (65536,)
"""
DICE_EVALUATION = """\
DEBUG logits eval shape before (1, 256, 256, 2)
DEBUG labels eval shape before (1, 256, 256)
DEBUG logits_re eval shape after (65536, 2)
DEBUG labels_re eval shape after (65536,)
DEBUG labels_re eval shape after (65536, 1)
DEBUG indices shape (65536, 1)
DEBUG example_sum shape ()
DEBUG label_sum shape ()
DEBUG sum_tensor shape (65536, 1)
DEBUG twos shape (65536, 1)
DEBUG divs shape (65536, 1)
"""


@pytest.fixture
def debug_lines(load, root):
    """What building the graph of an exercise prints, for training or for evaluation."""

    def build(exercise, training):
        nn = load(root / 'exercise_solutions' / exercise / 'neuralnetwork.py')
        with tf.Graph().as_default(), contextlib.redirect_stdout(io.StringIO()) as out:
            images = tf.placeholder(tf.float32, [1, 256, 256])
            labels = tf.placeholder(tf.uint8, [1, 256, 256])
            logits = nn.inference(images, training=training)
            if training:
                nn.training(nn.loss(logits, labels), learning_rate=0.01, decay_steps=1000, decay_rate=1.0)
            else:
                nn.evaluation(logits, labels)
        return out.getvalue()

    return build


@pytest.mark.parametrize(
    ('exercise', 'lines'),
    [('simple', SIMPLE + LOSS + CROSS_ENTROPY), ('cnn', CONVOLUTIONAL + LOSS), ('cnnDice', CONVOLUTIONAL + LOSS)],
    ids=['simple', 'cnn', 'cnnDice'],
)
def test_training_prints_the_handouts_shapes(exercise, lines, debug_lines):
    assert debug_lines(exercise, training=True) == lines


@pytest.mark.parametrize(
    ('exercise', 'lines'),
    [('simple', SIMPLE + SIMPLE_EVALUATION), ('cnnDice', CONVOLUTIONAL + DICE_EVALUATION)],
    ids=['simple', 'cnnDice'],
)
def test_evaluation_prints_the_handouts_shapes(exercise, lines, debug_lines):
    assert debug_lines(exercise, training=False) == lines


def test_evaluation_of_cnn_prints_the_shapes_of_its_network_and_of_simples_evaluation(debug_lines):
    """The handout shows no output of it."""
    lines = debug_lines('cnn', training=False)
    assert lines.startswith(CONVOLUTIONAL)
    evaluation = lines[len(CONVOLUTIONAL) :].splitlines(keepends=True)
    assert [line for line in evaluation if line in SIMPLE_EVALUATION] == SIMPLE_EVALUATION.splitlines(keepends=True)


def output_lines(text):
    """The OUTPUT lines without what is measured and where the files lie."""
    lines = ''.join(line for line in text.splitlines(keepends=True) if line.startswith('OUTPUT'))
    lines = re.sub(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}', 'DATE', lines)
    lines = re.sub(r'\d+\.\d{3}', 'NUMBER', lines)
    return re.sub(r'file /\S*/', 'file FOLDER/', lines)


TRAINING_OUTPUT = """\
OUTPUT: Step 0: loss = NUMBER (NUMBER sec)
OUTPUT: Step 100: loss = NUMBER (NUMBER sec)
OUTPUT: Step 200: loss = NUMBER (NUMBER sec)
OUTPUT: Done training for 1 epochs, 234 steps.
"""
EVALUATION_OUTPUT = """\
OUTPUT: DATE: precision = NUMBER
OUTPUT: 26 images evaluated from file FOLDER/val_images.tfrecords
"""


def test_training_of_234_slices_prints_a_line_every_100_of_234_steps(run_of_234):
    assert output_lines(run_of_234.trained.out) == TRAINING_OUTPUT


def test_evaluation_prints_the_handouts_two_lines_first(run_of_234):
    assert output_lines(run_of_234.evaluated.out).startswith(EVALUATION_OUTPUT)


def test_the_shapes_come_before_the_output(run_of_234):
    for outcome in (run_of_234.trained, run_of_234.evaluated):
        assert re.fullmatch(r'(DEBUG .*\n)+(OUTPUT.*\n)+', outcome.out)


def golden(shared, program):
    return (shared / 'golden' / f'{program}.txt').read_text()


def debug_part(text):
    return ''.join(line for line in text.splitlines(keepends=True) if line.startswith('DEBUG'))


@pytest.mark.parametrize('exercise', ['simple', 'cnnDice'])
def test_shapes_are_those_of_the_labs_own_output(exercise, shared, debug_lines):
    assert debug_lines(exercise, training=True) == debug_part(golden(shared, f'{exercise}_runTraining'))
    assert debug_lines(exercise, training=False) == debug_part(golden(shared, f'{exercise}_runEval'))


def test_output_lines_are_those_of_the_labs_own_output(shared, run_of_234):
    """But for the steps: the original lab loses 3 of the 234 slices."""
    trained = output_lines(golden(shared, 'simple_runTraining')).replace('231 steps', '234 steps')
    assert output_lines(run_of_234.trained.out) == trained
    evaluated = output_lines(golden(shared, 'simple_runEval'))
    assert output_lines(run_of_234.evaluated.out).startswith(evaluated)


def test_dice_is_printed_as_in_the_labs_own_output(shared, load, root):
    run_eval = load(root / 'exercise_solutions' / 'cnnDice' / 'runEval.py')
    printed = output_lines(golden(shared, 'cnnDice_runEval')).splitlines()[0]
    figure = run_eval.dice(65536, 30, 900, 900)
    assert re.sub(r'\d+\.\d{3}', 'NUMBER', f'OUTPUT: DATE: {figure}') == printed
