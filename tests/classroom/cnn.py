"""The texts of the exercise cnn: solved, blank, and with other values filled in."""

import re

from lvseg import networks

from classroom import blanks, making

SOLUTION = networks.source(networks.solution('cnn'))
SOLVED = SOLUTION.replace('  # blank', '')
BLANK = making.blanked(SOLUTION)
LINES = making.marked_lines(SOLUTION)
PARAMETERS = blanks.parameters(SOLUTION)
KERNEL, STRIDES, WINDOW = 'kernel_size=[5, 5]', 'strides=[2, 2]', 'pool_size=[2, 2]'  # As the first of each is solved.


def answers(line):
    """The two values that the solution has on a line."""
    return re.search(r'\[(.*)\]', SOLUTION.split('\n')[line - 1]).group(1).split(', ')


def with_values(text, line, values):
    """The text with other values between the brackets of a line."""
    lines = text.split('\n')
    lines[line - 1] = re.sub(r'\[.*\]', f'[{", ".join(values)}]', lines[line - 1])
    return '\n'.join(lines)


def is_solved(found):
    return not found.problem and found.solved == 24
