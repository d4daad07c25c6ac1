"""What is searched: which flags of runTraining.py are fixed, and what the others are drawn from."""

import configparser
from pathlib import Path
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from lvseg import flags, networks
from lvseg.errors import LabError
from lvseg.flags import Flag
from lvseg.project import shown

SPACES = Path(__file__).resolve().parent / 'spaces.ini'

# Flags that the search sets by itself, or that would make trials unlike each other.
_SET_HERE = ('data_dir', 'checkpoint_dir', 'seed', 'eval_every', 'resume', 'init_from', 'exercise')

_SWITCH = {'off': False, 'on': True}
_LOGARITHMIC_FROM = 10  # times the lower end


class Range(NamedTuple):
    """Any number from `low` to `high`."""

    low: float
    high: float
    whole: bool

    @property
    def logarithmic(self) -> bool:
        """Whether it is the order of magnitude that is drawn."""
        return self.low > 0 and self.high >= _LOGARITHMIC_FROM * self.low

    def __str__(self) -> str:
        return f'{self.low}..{self.high}'


class Choice(NamedTuple):
    """One of several values, as they stand behind the flag."""

    values: Tuple[str, ...]

    def __str__(self) -> str:
        return ','.join(self.values)


class Space(NamedTuple):
    """Flags by their names, without the dashes."""

    fixed: Dict[str, str]
    searched: Dict[str, Union[Range, Choice]]

    def told(self) -> Dict[str, str]:
        """All of it as text, as it would be given."""
        return {**self.fixed, **{name: str(drawn) for name, drawn in self.searched.items()}}

    def flags(self, settings: Mapping[str, object]) -> List[str]:
        """The flags of a training with these values of those that are searched; others keep their defaults."""
        return _as_flags({**self.fixed, **{name: _text(value) for name, value in settings.items()}})


class Exercise(NamedTuple):
    """Which flags there are: those of an exercise's runTraining.py."""

    name: str
    folder: Path  # of runTraining.py
    parser: flags.Parser
    added: Sequence[Flag]

    def defaults(self) -> Dict[str, object]:
        """The values that flags have which are not given."""
        return vars(self.parser.parse_args([]))


def exercise(name: str, mine: bool) -> Exercise:
    """An exercise's flags, its own among them.

    Raises:
        LabError: its neuralnetwork.py cannot be read.
    """
    path = networks.of_student(name) if mine else networks.solution(name)
    with networks.mistakes_explained(path):
        added = getattr(networks.load(path, networks.source(path)), 'FLAGS', ())
    return Exercise(name, path.parent, flags.training(name, added), added)


def read(path: Path, name: str) -> Dict[str, str]:
    """The lines of a file of spaces for an exercise.

    Raises:
        LabError: it cannot be read.
    """
    parser = configparser.ConfigParser(interpolation=None)
    try:
        with path.open(encoding='utf-8') as file:
            parser.read_file(file)
    except OSError as error:
        raise LabError(f'cannot read {path}: {error.strerror}. --space wants a file such as {shown(SPACES)}.') from None
    except (configparser.Error, UnicodeDecodeError) as error:
        raise LabError(f'{path} is no file of spaces: {error}. See {shown(SPACES)}.') from None
    return dict(parser[name]) if name in parser else dict(parser.defaults())


def given(arguments: Sequence[str]) -> Dict[str, str]:
    """What stands on the command line: --flag value, --flag=value, or a switch alone.

    Raises:
        LabError: a word that belongs to no flag.
    """
    found, left = {}, list(arguments)
    while left:
        word = left.pop(0)
        name, equals, value = word.partition('=')
        if not name.startswith('--'):
            raise LabError(f'{word!r} belongs to no flag. A range or a choice is one word: 1e-4..1e-1 or 1,2,4.')
        if not equals:
            value = left.pop(0) if left and not left[0].startswith('--') else 'on'
        found[name[2:]] = value
    return found


def make(of: Exercise, lines: Mapping[str, str]) -> Space:
    """Reads the notation of spaces.ini.

    Raises:
        LabError: a name that is no flag, an empty range, nothing that is searched.
        SystemExit: the exercise's own parser refuses a value, and has said why.
    """
    space = Space({}, {})
    for name, text in lines.items():
        drawn = _drawn(of, name, text.strip())
        if isinstance(drawn, Choice) and len(drawn.values) == 1:
            space.fixed[name] = drawn.values[0]
        else:
            space.searched[name] = drawn
    if not space.searched:
        raise LabError('nothing is searched: every flag has one value. Give one a range: --learning_rate 1e-3..1e-1')
    if 'num_epochs' in space.searched:
        raise LabError('--num_epochs wants one number: trials of different lengths cannot be compared.')
    return space


def _drawn(of: Exercise, name: str, text: str) -> Union[Range, Choice]:
    known = of.defaults()
    if name in _SET_HERE:
        raise LabError(f'--{name} cannot be searched: every trial starts afresh, on data and in a folder set here.')
    if name not in known:
        offered = ', '.join(f'--{flag}' for flag in known if flag not in _SET_HERE)
        raise LabError(f'--{name} is no flag of {of.name}; there are {offered}.')
    if '..' in text:
        return _range(of, name, text)
    values = _offered(of, name) if text == '*' else [value.strip() for value in text.split(',')]
    if not all(values):
        raise LabError(f'--{name} {text}: values with commas between them are wanted, or a range such as 1..8.')
    for value in values:
        _value(of, name, value)
    return Choice(tuple(dict.fromkeys(values)))


def _range(of: Exercise, name: str, text: str) -> Range:
    low, high = (_value(of, name, end.strip()) for end in text.split('..', 1))
    if not all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in (low, high)):
        raise LabError(f'--{name} {text}: --{name} takes no numbers. Give its values with commas between them, or *.')
    if low >= high:
        raise LabError(f'--{name} {text} is an empty range: the lower end comes first, the higher one behind the dots.')
    return Range(low, high, whole=isinstance(low, int))


def _offered(of: Exercise, name: str) -> List[str]:
    choices = next((flag.offered for flag in of.added if flag.name == name), None)
    if choices is None:
        raise LabError(f'--{name} *: there are too many values to try all. Give a range or a choice.')
    return list(_SWITCH) if False in choices else list(choices)


def _value(of: Exercise, name: str, text: str) -> object:
    """What the exercise's parser makes of a value."""
    if isinstance(of.defaults()[name], bool) and text not in _SWITCH:
        raise LabError(f'--{name} {text}: it is a switch, on or off.')
    return getattr(of.parser.parse_args(_as_flags({name: text})), name)


def _as_flags(values: Mapping[str, str]) -> List[str]:
    words: List[str] = []
    for name, value in values.items():
        if value not in _SWITCH:
            words += [f'--{name}', value]
        elif _SWITCH[value]:
            words.append(f'--{name}')
    return words


def _text(value: object) -> str:
    """Three digits are more than any setting needs, and a command can be read."""
    return f'{value:.3g}' if isinstance(value, float) else str(value)


def epochs_between_evaluations(space: Space, of: Exercise, wanted: Optional[int]) -> int:
    """Epochs between two evaluations: those wanted, or a tenth of the training; the last epoch is always evaluated.

    Raises:
        LabError: those wanted do not divide the training.
    """
    epochs = num_epochs(space, of)
    if wanted is None:
        return next(step for step in range(max(1, epochs // 10), 0, -1) if epochs % step == 0)
    if epochs % wanted:
        raise LabError(
            f'--eval_every {wanted} does not divide --num_epochs {epochs}: the last epoch would not be measured.'
        )
    return wanted


def num_epochs(space: Space, of: Exercise) -> int:
    """How long every trial is that is not pruned."""
    return int(space.fixed.get('num_epochs', of.defaults()['num_epochs']))
