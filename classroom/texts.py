"""What the checker says of a student's network; never the answer.

Every text has a code that stays the same: programs that read `check.py --json` go by it, and another language
is one more table of these codes. What is wrong with a file as a whole has its codes in lvseg.networks.
"""

from typing import Any, Dict, Optional

from lvseg.errors import one_line


class Message(str):
    """A text with its code.

    Attributes:
        code: '' where there is nothing to say.
        values: what the text shows, for a text of the same code in another language.
        line: the line of the student's file, from 1, if it is about one.
    """

    code: str = ''
    values: Dict[str, Any] = {}
    line: Optional[int] = None


def message(code: str, **values: Any) -> Message:  # noqa: ANN401 - whatever the text shows
    """The text of a code with these values in it."""
    return worded(code, _ENGLISH[code].format(**values), values=values)


def worded(code: str, text: str, line: Optional[int] = None, values: Optional[Dict[str, Any]] = None) -> Message:
    """A text that is ready as it is; what a student's program has put into it cannot pass for another line."""
    said = Message(one_line(text))
    said.code, said.line, said.values = code, line, values or {}
    return said


_ENGLISH = {
    # A parameter whose two blanks are filled in rightly, are open, or are not.
    'right': '{name} of {layer} is right.',
    'kernel_size.open': 'kernel_size is still open (FIXME). '
    'The kernel of {layer} is in the structure list of docs/lab/05-layers.md.',
    'kernel_size.wrong': 'kernel_size gave weights of {found.weights}; '
    '{layer} has another kernel in the structure list of docs/lab/05-layers.md.',
    'pool_size.open': 'pool_size is still open (FIXME). '
    'The window of {layer} is in the structure list of docs/lab/05-layers.md.',
    'pool_size.wrong': 'pool_size gave a window of {found.window}; '
    '{layer} has another window in the structure list of docs/lab/05-layers.md.',
    'strides.open': 'strides is still open (FIXME); an output of {wanted.output} is wanted. '
    'Each stride divides height and width.',
    'strides.wrong': 'strides gave an output of {found.output}; {wanted.output} is wanted. '
    'Each stride divides height and width.',
    'height_and_width': ' The height is {height}, the width is {width}.',
    'state.right': 'right',
    'state.wrong': 'wrong',
    'state.open': 'still open',
    # Their hints.
    'kernel_size.hint': 'The shape of the weights is (height, width, channels in, filters): '
    'kernel_size is the first half of it.',
    'kernel_size.stronger_hint': 'With the kernel that is wanted, {layer} has {wanted.weight_count:,} weights: '
    'height x width x {wanted.weights[2]} x {wanted.weights[3]}. It is as high as it is wide.',
    'pool_size.hint': 'A window is what each maximum is taken of. '
    'Here the windows lie side by side, with no overlap and no gap.',
    'pool_size.stronger_hint': 'With the window that is wanted, each maximum is taken of {wanted.window_area} values. '
    'It is as high as it is wide.',
    'strides.hint': "With padding='same', the height of the output is that of the input divided by the stride, "
    'rounded up; the width likewise.',
    'strides.stronger_hint': 'The input of {layer} is {wanted.input}: '
    '{wanted.input[1]} divided by which stride is {wanted.output[1]}?',
    # A statement whose blanks are filled in rightly, are open, or are not.
    'expression.right': '{name} is right.',
    'expression.open': '{name} is still open (FIXME). {wanted}',
    'expression.wrong': '{name} is not what is wanted. {said}{wanted}',
    'expression.wrong_together': '{name}, or another blank of this function, is not what is wanted. {wanted}',
    'expression.waiting': 'Whether {name} is right is not told while another blank of this function is open.',
    'expression.missing': '{name} is not there any more, and the function does another thing than in the lab. {wanted}',
    'expression.between': '{name} is not the trouble so far: with all blanks filled in rightly, the function would '
    'still do something else than in the lab. {said}Put back what stands around the blanks.',
    'expression.not_reached': 'The program cannot be run, and so {name} not be tried.',
    # What is wanted of each, and its hints.
    'inference.W_fc.wanted': 'This matrix turns the row of all pixels into one number for each hidden unit.',
    'inference.W_fc.hint': 'A row of n numbers times a matrix of n rows and m columns is a row of m numbers.',
    'inference.W_fc.stronger_hint': 'flatten1_op is the row; its length stands in its reshape, further down. '
    'How many numbers is h_fc1 to have?',
    'inference.W_fc2.wanted': 'This matrix turns the numbers of the hidden units into one score for each class of each '
    'pixel.',
    'inference.W_fc2.hint': 'Its rows fit the columns of what it is multiplied with: h_fc1.',
    'inference.W_fc2.stronger_hint': 'h_fc2 is reshaped to height x width x classes further down: so many numbers are '
    'to come out, all in one row.',
    'evaluation.divs.wanted': 'Integers (int32) in the shape of indices: 1 where both masks are 1, and 0 elsewhere.',
    'evaluation.divs.hint': 'sum_tensor is 0, 1 or 2. Which whole number is half of each, rounded down?',
    'evaluation.divs.stronger_hint': 'The line above has a tensor full of twos, and tf.floordiv divides and rounds '
    'down. There is another way, by the two masks themselves.',
    'dice.metric.wanted': 'It is 1 where both areas are the same pixels, and 0 where they have no pixel in common.',
    'dice.metric.hint': 'The formula stands at the beginning of the chapter on the Dice metric. Which of the three '
    'arguments are I, L and P?',
    'dice.metric.stronger_hint': 'Try it by hand: an area of 40 and one of 60 pixels that share 30 have a Dice of 0.6.',
    'no_network.return.wanted': 'Two scores for each pixel, [batch, 256, 256, 2]; the background has the higher one.',
    'no_network.return.hint': 'tf.ones_like(images) has one number for each pixel. Two are wanted.',
    'no_network.return.stronger_hint': 'tf.stack puts tensors of one shape beside one another along a new axis: the '
    'last. Class 0, the background, comes first.',
    'per_image.mean, variance.wanted': 'Each image has a mean and a variance of its own, over height and width.',
    'per_image.mean, variance.hint': 'images is [batch, height, width]. The axes that are named vanish into the mean.',
    'per_image.mean, variance.stronger_hint': 'Axes are counted from 0, and 0 is the batch: it is to stay.',
    'per_image.return.wanted': 'Each image is to come out with mean 0 and standard deviation 1.',
    'per_image.return.hint': 'First bring the mean to 0, then the spread to 1.',
    'per_image.return.stronger_hint': 'The standard deviation is the square root (tf.sqrt) of the variance.',
    'soft_dice.dice.wanted': 'The Dice of each slice, [batch], with probabilities in place of a mask of 0 and 1, and 1 '
    '(pixel) added above and below the line.',
    'soft_dice.dice.hint': 'area() sums up a mask, of probabilities too. What is the mask of the intersection?',
    'soft_dice.dice.stronger_hint': 'Of two masks, the product is 1 where both are 1. The formula is that of the Dice '
    'metric, and the 1 pixel is added once above the line and once below.',
    'soft_dice.return.wanted': 'One number for all slices, smaller the better they agree, and 0 at best.',
    'soft_dice.return.hint': 'dice has one number for each slice: 1 at best, 0 at worst.',
    'soft_dice.return.stronger_hint': 'tf.reduce_mean makes one number of them; how far is it from the best?',
    'warmup.rise.wanted': 'It is to reach 1 after a twentieth of the run, by equal steps, of which the first is not 0.',
    'warmup.rise.hint': 'done is the share of the run that is over: 0 in the first step. Add the share of one step.',
    'warmup.rise.stronger_hint': 'That sum is a twentieth at the end of the rise. What must it be divided by to be 1 '
    'there? What it is afterwards makes no difference.',
    'warmup.fall.wanted': 'Half a cosine, by np.pi: 1 at the beginning of the run, 1/2 in the middle, 0 at the end.',
    'warmup.fall.hint': 'tf.cos goes from 1 to -1 while its angle goes from 0 to pi. Which angle belongs to done?',
    'warmup.fall.stronger_hint': 'From 1 to -1 becomes from 1 to 0 if 1 is added, and the sum halved.',
    'augment.labels.wanted': 'The label goes where its image goes, and stays uint8, 0 or 1.',
    'augment.labels.hint': 'In a label there is nothing between 0 and 1. Which of the two functions further down keeps '
    'to what is there?',
    'augment.labels.stronger_hint': 'The places are the same ones that the image is taken from.',
    'turned.return.wanted': 'Two things, rows and columns: each place as far from the centre as before, in another '
    'direction by the angle, and none mirrored.',
    'turned.return.hint': 'A rotation by an angle a, in x and y: x cos a - y sin a, and x sin a + y cos a.',
    'turned.return.stronger_hint': 'Both results are made of both, rows and columns. Without an angle (cosine 1, '
    'sine 0) rows stay rows and columns stay columns; one of the two sines has a minus.',
    'up.enlarged.wanted': 'The output is to be twice as high and twice as wide as the input.',
    'up.enlarged.hint': 'A transposed convolution paints a patch for each number, and patches lie a stride apart.',
    'up.enlarged.stronger_hint': "In the lab's network upscore makes 16 places into 256 pixels, by strides of 16.",
    'up.return.wanted': 'All channels that were enlarged, and all that the way down has seen at this size, beside one '
    'another.',
    'up.return.hint': 'The two are equally high and wide; tf.concat puts tensors one after the other along an axis.',
    'up.return.stronger_hint': 'The shape is [batch, height, width, channels]: which axis grows?',
    # What is no height and width at all.
    'value.text': '{name} is the text {value!r}; numbers are wanted, without quotes.',
    'value.count': '{name} wants a height and a width, as in [height, width]; values given: {count}.',
    'value.text_within': '{name} has the text {value!r} in it; numbers are wanted, without quotes.',
    'value.not_whole': '{name} has {value!r} in it; whole numbers are wanted.',
    'value.not_positive': '{name} has {value} in it; numbers above 0 are wanted.',
    'value.refused': '{name} is refused by TensorFlow: {error}',
    # What was not come to.
    'layer.missing': '{layer}: there is no layer of this name with a {name} any more; there are {found}. '
    "Put it back: name='{layer}'.",
    'layer.not_reached': 'The network cannot be built as far as {name} of {layer}.',
    # The network as a whole.
    'solution.used': 'Part of this network is taken from {folder}: the blanks that are right there are none of yours.',
    'output.other': '{file}: {function} gives {found}; {wanted} is wanted.',
    'weights.new': 'New: {weights}, weights of {found}.',
    'weights.gone': 'Gone: {weights}, weights of {wanted}.',
    'weights.changed': 'Changed: {weights} has weights of {found}; of {wanted} in the lab.',
    # A submission to the grader.
    'grade.missing': '{file} is not in the submission.',
    'grade.archive': 'The submission cannot be unpacked: {error}',
    'grade.endless': '{file}: still here after {seconds} seconds. Is this a loop that never ends?',
    'grade.not_read': '{file} wrote to the file of the grader; nothing of that counts.',
    'grade.crash': 'The graph that {file} makes cannot be read by TensorFlow.',
    'grade.lab_changed': 'Other than in the lab: {files}. It was graded with those of the lab.',
    # Around it, on the screen.
    'place': '{layer}, line {line}: {text}',
    'place.without_line': '{layer}: {text}',
    'solved': '{file}: solved so far, {solved} of {blanks}.',
    'solved.all': '{file}: solved so far, {solved} of {blanks}, and the network fits the lab.',
    'fits': '{file}: the network fits the lab.',
    'next': 'Next: python exercises/{exercise}/runTraining.py, then python exercises/{exercise}/runEval.py',
    'next.cnnDice': 'Next: python exercises/cnnDice/runNoNetwork.py, '
    'then python exercises/cnnDice/runEval.py --checkpoint_dir logs/cnn/train',
    'hint.offered': 'A hint: python scripts/check.py {exercise} --hint',
    'stronger_hint.offered': 'A stronger hint: python scripts/check.py {exercise} --hint --hint',
    'watching': '(Checked again whenever {file} is saved; Ctrl-C ends it.)',
}
