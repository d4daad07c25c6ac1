"""The flags of runTraining.py and runEval.py: the same in every exercise.

argparse, because TensorFlow 1.15's own flags ignore -h and swallow a misspelt flag without a word.
"""

import argparse
import math
import os
from typing import Any, Callable, Collection, Dict, NamedTuple, NoReturn, Optional, Sequence

from lvseg.errors import one_line
from lvseg.project import DATA, LOGS


class Flag(NamedTuple):
    """A flag of runTraining.py that an exercise adds to the lab's; its evaluation finds the value in the run.

    Without choices it is a switch, off unless it is given, or, with a type, any value of it.
    """

    name: str
    help: str
    default: Any = False
    choices: Optional[Collection[str]] = None
    type: Optional[Callable[[str], Any]] = None  # Of a flag without choices: flags.positive_float, say.
    kept_on_resume: bool = True  # Whether a run can only go on with the value that it began with.
    for_inference: bool = False  # Whether the evaluation must build its network with the same value.

    @property
    def offered(self) -> Optional[Collection[Any]]:
        """All values that there can be; None where they are too many to list."""
        return [False, True] if self.choices is None and self.type is None else self.choices


class _HelpWithDefaults(argparse.ArgumentDefaultsHelpFormatter):
    """Adds the default to every flag's help, but for those whose help has it in words."""

    def _get_help_string(self, action: argparse.Action) -> str:
        return action.help if '(default: ' in action.help else super()._get_help_string(action)


class Parser(argparse.ArgumentParser):
    """A parser that shows defaults, takes no abbreviated flags, and ends on a bad one with a single line."""

    help_formatter = _HelpWithDefaults

    def __init__(self, **kwargs) -> None:  # noqa: ANN003 - argparse's own
        super().__init__(formatter_class=self.help_formatter, allow_abbrev=False, **kwargs)

    def error(self, message: str) -> NoReturn:
        """Exits with status 2, as argparse does, without its page of usage."""
        self.exit(2, one_line(f'ERROR: {message}. See {self.prog} -h.') + '\n')


def training(exercise: str, added: Sequence[Flag] = ()) -> Parser:
    """The flags of runTraining.py of an exercise ('simple', 'cnn', …), and those that it adds."""
    parser = Parser(description=f'Trains the network of the exercise {exercise}.')
    parser.set_defaults(exercise=exercise)
    add = parser.add_argument
    add('--learning_rate', type=positive_float, default=0.01, help='initial learning rate of gradient descent')
    add('--decay_rate', type=positive_float, default=1.0, help='factor on the learning rate every decay_steps steps')
    add('--decay_steps', type=positive_int, default=1000, help='steps between two decays of the learning rate')
    add('--num_epochs', type=positive_int, default=1, help='how many times every training slice is seen')
    add('--batch_size', type=positive_int, default=1, help='slices in one training step')
    _add_directories(parser, exercise)
    add(
        '--eval_every',
        type=positive_int,
        metavar='EPOCHS',
        help='epochs between two evaluations of the validation slices; keeps the best checkpoint (default: never)',
    )
    fresh_or_not = parser.add_mutually_exclusive_group()
    fresh_or_not.add_argument(
        '--init_from',
        type=path,
        metavar='CHECKPOINT',
        help="start from another run's weights: a checkpoint, or the directory of a run (default: random weights)",
    )
    add('--seed', type=seed, help='makes two runs alike on the CPU (default: a new one each run)')
    fresh_or_not.add_argument(
        '--resume',
        action='store_true',
        help='go on from the newest checkpoint; --num_epochs counts from the beginning (default: start afresh)',
    )
    for flag in added:
        add(f'--{flag.name}', default=flag.default, help=flag.help, **_kind(flag))
    return parser


def evaluation(exercise: str) -> Parser:
    """The flags of runEval.py of an exercise."""
    parser = Parser(description=f'Evaluates the newest checkpoint of the exercise {exercise}.')
    parser.set_defaults(exercise=exercise)
    add = parser.add_argument
    add(
        '--batch_size',
        type=positive_int,
        default=1,
        help='slices evaluated at a time; the result does not depend on it',
    )
    _add_directories(parser, exercise)
    add('--eval_dir', type=directory, default=_log_dir(exercise, 'eval'), help='directory of the results')
    add('--eval_data', choices=['eval', 'train'], default='eval', help='evaluate the validation or the training slices')
    add(
        '--run_once',
        type=true_or_false,
        default=True,
        help='false: evaluate again whenever there is a newer checkpoint',
    )
    add(
        '--eval_interval_secs',
        type=seconds,
        default=5.0,
        help='with --run_once false: seconds between two looks',
    )
    add(
        '--report',
        action='store_true',
        help='tell also what it comes to by patient and by level of the heart, and what went wrong where (default: '
        "the lab's lines only)",
    )
    return parser


def positive_int(text: str) -> int:
    """A whole number from 1 to 2**31 - 1: beyond, TensorFlow fails in ways that no one understands."""
    return number(text, int, lambda value: 1 <= value < 2**31, 'a whole number from 1 to 2147483647')


def seed(text: str) -> int:
    """A whole number from 0 to 2**31 - 1: what TensorFlow takes."""
    return number(text, int, lambda value: 0 <= value < 2**31, 'a whole number from 0 to 2147483647')


def positive_float(text: str) -> float:
    """A finite number above 0."""
    return number(text, float, lambda value: 0 < value < math.inf, 'a finite number above 0')


def seconds(text: str) -> float:
    """A time to wait, up to a day; the system refuses to wait for ever."""
    return number(text, float, lambda value: 0 < value <= 86400, 'a finite number above 0, 86400 at most,')


def true_or_false(text: str) -> bool:
    """`true` or `false`, in any case."""
    if text.lower() not in ('true', 'false'):
        raise argparse.ArgumentTypeError(f'true or false is wanted, not {text!r}')
    return text.lower() == 'true'


def directory(text: str) -> str:
    """A path at which a directory is or could be made; absolute, so that it stays the same when `.` is moved aside."""
    if os.path.exists(text) and not os.path.isdir(text):
        raise argparse.ArgumentTypeError(f'a directory is wanted, {text} is a file')
    return path(text)


def path(text: str) -> str:
    """A path, absolute, that TensorFlow can open."""
    found = os.path.abspath(text)
    try:
        found.encode()
    except UnicodeEncodeError:  # Python has bytes in it that it could not read.
        raise argparse.ArgumentTypeError(
            f'TensorFlow opens only names in UTF-8, and {found} is none, or not read as such here. Rename it, or set '
            'LC_ALL=C.UTF-8'
        ) from None
    return found


def number(text: str, kind: Callable, is_right: Callable, wanted: str) -> float:
    """The text as a number of that kind, if it is right; `wanted` says in words which ones are."""
    try:
        value = kind(text)
    except ValueError:
        value = math.nan
    if not is_right(value):  # Not so for NaN, whatever the comparison.
        raise argparse.ArgumentTypeError(f'{wanted} is wanted, not {text!r}')
    return value


def _kind(flag: Flag) -> Dict[str, Any]:
    if flag.choices is not None:
        return {'choices': list(flag.choices)}
    return {'action': 'store_true'} if flag.type is None else {'type': flag.type}


def _add_directories(parser: Parser, exercise: str) -> None:
    parser.add_argument('--data_dir', type=directory, default=str(DATA), help='directory of the record files')
    parser.add_argument(
        '--checkpoint_dir', type=directory, default=_log_dir(exercise, 'train'), help='directory of the training run'
    )


def _log_dir(exercise: str, what: str) -> str:
    return str(LOGS / exercise / what)
