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
    'hint.offered': 'A hint: python scripts/check.py {exercise} --hint',
    'stronger_hint.offered': 'A stronger hint: python scripts/check.py {exercise} --hint --hint',
    'watching': '(Checked again whenever {file} is saved; Ctrl-C ends it.)',
}
