"""Variants of the convolutional network: other kernels, filters and names, so that a neighbour's numbers do not fit.

A variant follows from its seed. The strides stay, and with them all shapes but for the channels; so do the kernels of
the last layers, about which the guide has a paragraph. Numbers of filters and names keep their length, and tables stay
aligned.
"""

import contextlib
import random
import re
from pathlib import Path
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional

from lvseg import networks, project
from lvseg.layout import SIZE

EXERCISES = ('cnn', 'cnnDice')  # Those that have this network.
CHAPTERS = ('05-layers.md', '06-convolutional.md')

# None of them the lab's own.
_NAMES = ('look', 'scan', 'find', 'edge')
_KERNELS = (3, 7, 9)
_FILTERS = ((110, 120, 130, 140, 150), (160, 180, 220, 240), (250, 260, 280, 320))
_FULLY_CONNECTED = 65536 * 512 + 512 * 131072  # The weights, and the multiplications, of the exercise simple.


class Variant(NamedTuple):
    """The numbers and the name of the convolutions."""

    name: str  # conv1, conv2, … begin with it.
    kernels: List[int]  # Of conv1 and conv2; the other two have 3.
    filters: List[int]  # Of conv1, of conv2, and of conv3 and conv4.

    @property
    def weights(self) -> List[int]:
        """How many weights each of the convolutions has."""
        first, second, third = self.filters
        one, two = self.kernels
        return [one**2 * first, two**2 * first * second, 9 * second * third, 9 * third**2, 2 * third]

    @property
    def multiplications(self) -> List[int]:
        """How many multiplications each of them makes for an image: at each place of its output."""
        return [weights * (SIZE // by) ** 2 for weights, by in zip(self.weights, (2, 8, 16, 16, 16))]


LAB = Variant('conv', [5, 5], [100, 200, 300])  # The lab's own.


def variant(seed: Optional[int]) -> Variant:
    """The variant of a seed; the lab's own of none."""
    if seed is None:
        return LAB
    chance = random.Random(seed)
    kernels = [chance.choice(_KERNELS) for _ in LAB.kernels]
    return Variant(chance.choice(_NAMES), kernels, [chance.choice(numbers) for numbers in _FILTERS])


@contextlib.contextmanager
def solutions(seed: Optional[int], folder: Path) -> Iterator[Callable[[str], Path]]:
    """Writes the solutions of a variant into a folder; gives where the network of each exercise lies.

    Without a seed they are the lab's own, where they are.
    """
    if seed is None:
        yield networks.solution
        return
    for path in sorted(project.SOLUTIONS.glob('*/*.py')):
        place = folder / path.parent.name / path.name
        place.parent.mkdir(exist_ok=True)
        text = path.read_text(encoding='utf-8')
        place.write_text(solution(text, variant(seed)) if path.parent.name in EXERCISES else text, encoding='utf-8')
    yield lambda exercise: folder / exercise / 'neuralnetwork.py'


def solution(text: str, wanted: Variant) -> str:
    """The text of a solution with a variant's numbers and names."""
    filters = [*wanted.filters, wanted.filters[-1]]
    for number, (old, new) in enumerate(zip([*LAB.filters, LAB.filters[-1]], filters), start=1):
        of_layer = rf'(conv{number} = tf\.layers\.conv2d\(.*?filters=){old}\b'
        text = re.sub(of_layer, rf'\g<1>{new}', text, flags=re.DOTALL)
        text = re.sub(rf'^((?:conv|pool){number} .*?)\b{old}\b', rf'\g<1>{new}', text, flags=re.MULTILINE)
        text = re.sub(rf'^((?:conv|pool){number} .*?x ){old}\b', rf'\g<1>{new}', text, flags=re.MULTILINE)
        text = re.sub(rf'^(drop .*?x ){old}\b', rf'\g<1>{new}', text, flags=re.MULTILINE) if number == 4 else text
    for number, (old, new) in enumerate(zip(LAB.kernels, wanted.kernels), start=1):
        of_layer = rf'(conv{number} = tf\.layers\.conv2d\(.*?kernel_size=)\[{old}, {old}\]'
        text = re.sub(of_layer, rf'\g<1>[{new}, {new}]', text, flags=re.DOTALL)
    return _renamed(text, wanted)


def _renamed(text: str, wanted: Variant) -> str:
    return re.sub(rf'\b{LAB.name}([1-4])\b', rf'{wanted.name}\1', text)


def guide(text: str, wanted: Variant) -> str:
    """A chapter of the guide with a variant's numbers and names."""
    for number in (1, 2):
        old, new = LAB.kernels[number - 1], wanted.kernels[number - 1]
        text = re.sub(rf'(\| `conv{number}` \|[^|]*\|) {old} × {old} \|', rf'\g<1> {new} × {new} |', text)
    for number, old, new in zip((1, 2, 3, 4), [*LAB.filters, 300], [*wanted.filters, wanted.filters[-1]]):
        text = re.sub(rf'(\| `conv{number}` \|.*\|) {old} \|', rf'\g<1> {new} |', text)
    told = _told(wanted)
    old_first = sorted(told, key=len, reverse=True)  # The longest first: 2,500 is the end of another number.
    pattern = re.compile('( *)(?<![\\d,])(' + '|'.join(map(re.escape, old_first)) + ')(?![\\d,]*\\d)')
    return _renamed(pattern.sub(lambda found: _aligned(found[1], found[2], told[found[2]]), text), wanted)


def _aligned(spaces: str, old: str, new: str) -> str:
    """A number in the place of another: in a column with its end there, in a sentence as it is."""
    return new.rjust(len(spaces) + len(old)) if len(spaces) > 1 else f'{spaces}{new}'


def _told(wanted: Variant) -> Dict[str, str]:
    """What the guide tells of the lab's network, and what it has to tell of this one."""
    return dict(zip(_numbers(LAB), _numbers(wanted)))


def _numbers(of: Variant) -> Iterator[str]:
    """What the guide tells of a network, in an order that is the same for all."""
    first, second, third = of.filters
    for size, channels in ((128, first), (64, first), (32, second), (16, second), (16, third)):
        yield f'(1, {size}, {size}, {channels})'
        yield f'{size} × {size} × {channels}'
    for number in (*of.weights, *of.multiplications):
        yield f'{number:,}'
    upscore = 31**2 * 2 * 2
    weights, multiplications = sum(of.weights) + upscore, sum(of.multiplications) + upscore * 16**2
    yield f'{weights:,}'
    yield f'{multiplications:,}'
    yield f'{of.weights[2] + of.weights[3]:,}'
    yield f'{25 * second * third:,}'
    yield f'{of.kernels[1]} × {of.kernels[1]} × {first} × {second}'
    yield f'from {second} channels to {third}'
    yield f'채널 {second}개를 {third}개로'
    yield f'{weights / 1e6:.2f} million'
    yield f'{weights / 1e4:.0f}만'
    yield f'{_FULLY_CONNECTED / weights:.0f} times fewer'
    yield f'{_FULLY_CONNECTED / weights:.0f}분의 1'
    times = round(multiplications / _FULLY_CONNECTED)
    yield f'{_ENGLISH.get(times, times)} times those'
    yield f'{_KOREAN.get(times, times)} 배'


_ENGLISH = dict(enumerate(['two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'], start=2))
_KOREAN = dict(enumerate(['두', '세', '네', '다섯', '여섯', '일곱', '여덟', '아홉', '열'], start=2))
