"""Which value of the masks is the left ventricle: noticed over a whole folder, before any slice is written.

A label is a grey value, or, where the channels differ, a colour, both as one integer.
"""

import argparse
import re
from collections import Counter
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional

from lvseg.errors import LabError

import numpy as np
from tqdm import tqdm

from data_prep.slices import counted

BACKGROUND = 0

_COLOUR = 2**40  # Added to red, green and blue of 8 bits each; no grey value comes near.
_COLOUR_TEXT = re.compile('#?([0-9a-fA-F]{6})')
_MOST_IN_A_MASK, _MOST_IN_ALL = 256, 1000  # Values, so that counting them is bounded; smoothed grey edges are 8 bits.
_SHOWN = 8


class Look(NamedTuple):
    """What is in one mask."""

    file: str
    pixels: Dict[int, int]  # Label -> how many, the background too.
    touches_all_edges: bool  # By pixels that are not background.

    @property
    def share(self) -> float:
        """Of pixels that are not background."""
        return 1 - self.pixels.get(BACKGROUND, 0) / sum(self.pixels.values())


def of_channels(channels: np.ndarray) -> np.ndarray:
    """Integer [height, width, 1 or 3] -> labels, int64 [height, width]."""
    first = channels[..., 0].astype(np.int64)
    is_grey = (channels == channels[..., :1]).all(axis=-1)
    if is_grey.all():
        return first
    green, blue = (channels[..., channel].astype(np.int64) for channel in (1, 2))
    return np.where(is_grey, first, _COLOUR + (first << 16) + (green << 8) + blue)


def mask_of(labels: np.ndarray, label: Optional[int]) -> np.ndarray:
    """uint8 [height, width], 1 where the label is, or, with None, where the background is not.

    Raises:
        LabError: there are too many labels for a mask.
    """
    _counted(labels)
    return (labels != BACKGROUND if label is None else labels == label).astype(np.uint8)


def parse(text: str) -> int:
    """The value of --label: a whole number, or a colour of six hexadecimal digits; those of equal channels are grey."""
    colour = _COLOUR_TEXT.fullmatch(text)
    if colour:
        return of_channels(np.array([[list(bytes.fromhex(colour.group(1)))]])).item()
    if not re.fullmatch('-?[0-9]{1,10}', text):
        raise argparse.ArgumentTypeError(f'a whole number or a colour, such as 3 or ff0000, is wanted, not {text!r}')
    return int(text)


def look(file: str, labels: np.ndarray) -> Look:
    """Counts the labels of one mask.

    Raises:
        LabError: there are too many for a mask.
    """
    edges = (labels[0], labels[-1], labels[:, 0], labels[:, -1])
    return Look(file, _counted(labels), all((edge != BACKGROUND).any() for edge in edges))


def check(looks: Iterable[Optional[Look]], number: int, label: Optional[int]) -> List[str]:
    """Makes sure that there is no doubt which pixels of all masks are left ventricle.

    Args:
        looks: of the masks, one after another; None of those that cannot be read.
        number: how many.
        label: the one that the user has said it is; None where nothing was said.

    Returns:
        What to tell the user of labels that are left out.

    Raises:
        LabError: there is more than one label besides the background, or it looks like the background, and nothing was
            said; or no mask has what was said.
    """
    pixels, masks = Counter(), Counter()
    inverted = []
    for found in _seen(looks, number):
        pixels.update(found.pixels)
        masks.update(found.pixels.keys())
        if found.share > 0.5 or found.touches_all_edges:
            inverted.append(found)
        if len(pixels) > _MOST_IN_ALL:
            raise LabError(f'masks have over {_MOST_IN_ALL} values, too many for masks: {_list(pixels, masks)}.')

    if not pixels:  # No mask can be read, of which the reading of slices tells more.
        return []
    others = [value for value in pixels if value not in (BACKGROUND, label)]
    if label is not None:
        if label not in pixels:
            raise LabError(f'--label {_text(label)}: no mask has this value. They have {_list(pixels, masks)}.')
        left_out = _list({value: pixels[value] for value in others}, masks)
        return [f'Left ventricle is {_text(label)} in the masks; left out are {left_out}.'] if others else []
    if len(others) > 1:
        raise LabError(
            f'masks have {len(others)} values besides the background, 0: '
            f'{_list({value: pixels[value] for value in others}, masks)}. Say which one is the left ventricle, such as '
            f'--label {_flag(others[0])}; if several are, save masks with one value first. Nothing was written.'
        )
    if inverted:
        raise LabError(_question(others[0], inverted, number))
    return []


def _counted(labels: np.ndarray) -> Dict[int, int]:
    values, counts = np.unique(labels, return_counts=True)
    if len(values) > _MOST_IN_A_MASK:
        raise LabError(f'has {len(values)} different values, too many for a mask; is it a picture, or smoothed?')
    return dict(zip(values.tolist(), counts.tolist()))


def _seen(looks: Iterable[Optional[Look]], number: int) -> Iterator[Look]:
    for found in tqdm(looks, total=number, unit='mask', leave=False, disable=None):  # None: on a terminal only
        if found is not None:
            yield found


def _question(label: int, inverted: List[Look], number: int) -> str:
    worst = max(inverted, key=lambda found: found.share)
    text = _text(label)
    return (
        f'in {len(inverted)} of {number} masks the value {text} covers over half of the picture or touches all four '
        f'edges, as in {worst.file}, of which it covers {worst.share:.1%}: is it the background? Then invert these '
        f'masks, or give --label 0 if the ventricle is 0 in all. If {text} is the ventricle after all, give '
        f'--label {_flag(label)}. Nothing was written.'
    )


def _list(pixels: Dict[int, int], masks: Dict[int, int]) -> str:
    """Labels with how many pixels of how many masks they have, those of the most pixels first."""
    largest = sorted(pixels, key=lambda value: -pixels[value])
    texts = [
        f'{_text(value)} ({pixels[value]:,} pixels in {counted(masks[value], "mask")})' for value in largest[:_SHOWN]
    ]
    more = len(largest) - _SHOWN
    return ', '.join(texts) + (f' and {more} more' if more > 0 else '')


def _text(label: int) -> str:
    return f'#{label - _COLOUR:06x}' if label >= _COLOUR else str(label)


def _flag(label: int) -> str:
    """Without #, after which a shell takes the rest for a comment."""
    return _text(label).lstrip('#')
