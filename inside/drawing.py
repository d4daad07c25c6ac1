"""Draws what a trained network makes of slices: a PNG of the worst of them, or of those asked for.

The expert's contour is drawn in orange, the network's in blue; where they coincide, in dashes of both. The network is
built from the neuralnetwork.py beside the runTraining.py that made the run: the student's or the solution's.
"""

import argparse
import glob
import heapq
import itertools
import os
import re
from typing import Iterator, List, NamedTuple, Optional, Tuple

from lvseg import flags, metrics, pictures, prediction, progress, records, runs
from lvseg.errors import LabError, one_line
from lvseg.layout import record_file
from lvseg.prediction import Trained
from lvseg.project import DATA, LOGS

import numpy as np

from data_prep.sources import images

_UNASKED_AT_MOST = 30
_ASKED_AT_MOST = 300  # Larger pictures no viewer shows.
_COLUMNS = 6
_TILE_SIZE = 224  # pixels
_LETTERS_IN_TILE = 36


class Chosen(NamedTuple):
    """Slices by their numbers, which begin at 1."""

    first: int
    last: int

    def __str__(self) -> str:
        return f'{self.first}:{self.last}'


class Source(NamedTuple):
    """Slices to be shown: their name, their image, and their label if they have one."""

    number: int  # There are in all.
    slices: Iterator[Tuple[str, np.ndarray, Optional[np.ndarray]]]
    chosen: Chosen  # Of all, those that are in `slices`.
    at_most: int  # To be drawn.


class Shown(NamedTuple):
    """A slice with its prediction; the Dice is None where there is no label."""

    name: str
    piece: pictures.Slice
    dice: Optional[float]


def newest_run(exercise: Optional[str]) -> str:
    """The directory in logs/ with the newest checkpoint, of the exercise if one is given.

    Raises:
        LabError: there is none.
    """
    notes = sorted(glob.glob(str(LOGS / '**' / 'checkpoint'), recursive=True), key=os.path.getmtime)
    directories = [os.path.dirname(note) for note in notes]
    found = [run for run in directories if exercise in (None, (runs.load(run) or {}).get('exercise'))]
    if not found:
        script = f'exercise_solutions/{exercise or "cnnDice"}/runTraining.py'
        raise LabError(f'no trained network {exercise or ""} in {LOGS}. Make one with: python {script}')
    return found[-1]


def source(path: str, asked: Optional[Chosen] = None) -> Source:
    """The slices of a record file, of the validation records of a directory, or of a folder of DICOM or PNG files.

    Args:
        asked: which slices; those of them that there are, are all drawn. None: of a file with labels, those with the
            lowest Dice; of images without, the first.

    Raises:
        LabError: there are none, or they cannot be read.
    """
    validation = record_file(path, 'eval')
    file = validation if os.path.exists(validation) else path
    if os.path.isdir(file):
        names = images.find_images(path)
        chosen = _of(len(names), asked or Chosen(1, _UNASKED_AT_MOST), path)
        slices = ((name, images.read_image(path, name), None) for name in names[chosen.first - 1 : chosen.last])
        return Source(len(names), slices, chosen, chosen.last)
    number = records.count(file)
    chosen = _of(number, asked or Chosen(1, number), file)
    numbered = itertools.islice(enumerate(records.read(file), start=1), chosen.first - 1, chosen.last)
    slices = ((f'record {number}', image, label) for number, (image, label) in numbered)
    return Source(number, slices, chosen, _ASKED_AT_MOST if asked else _UNASKED_AT_MOST)


def _of(number: int, wanted: Chosen, where: str) -> Chosen:
    if wanted.first > number:
        raise LabError(f'--slices {wanted}: there are only {number} slices in {where}.')
    return wanted._replace(last=min(wanted.last, number))


def worst(slices: Source, trained: Trained) -> List[Shown]:
    """Those with the lowest Dice, from the lowest up; slices without labels in their order."""
    return heapq.nsmallest(slices.at_most, _predicted(slices, trained), key=lambda piece: piece.dice or 0)


def _predicted(slices: Source, trained: Trained) -> Iterator[Shown]:
    with progress.bar(slices.chosen.last - slices.chosen.first + 1, description='Drawing') as bar:
        for name, image, label in slices.slices:
            predicted = trained.mask(image)
            dice = None if label is None else float(metrics.dice(metrics.mask_areas(label, predicted)))
            bar.update()
            yield Shown(name, pictures.Slice(image, label, predicted), dice)


def draw(slices: List[Shown], title: str) -> bytes:
    """The slices side by side, as PNG."""
    tiles = [pictures.tile(piece.piece, [(_caption(piece), pictures.TEXT)], _TILE_SIZE) for piece in slices]
    labelled = slices[0].dice is not None
    words = [*(pictures.LEGEND if labelled else [pictures.NETWORK_ALONE]), (title, pictures.TEXT)]
    words += [('the worst first', pictures.TEXT)] if labelled else []
    return pictures.png(pictures.grid(tiles, words, _COLUMNS))


def _caption(piece: Shown) -> str:
    dice = '' if piece.dice is None else f'Dice {piece.dice:.3f}, '
    return dice + piece.name[-(_LETTERS_IN_TILE - len(dice)) :]


def which(slices: Source, drawn: List[Shown]) -> str:
    """Which slices are drawn, where that is not all of them; and how to see others."""
    if len(drawn) == slices.number:
        return ''
    first, last = slices.chosen
    those = f'{first} to {last}' if len(drawn) == last - first + 1 else 'those with the lowest Dice'
    start = last + 1 if last < slices.number else 1
    others = Chosen(start, min(start + _UNASKED_AT_MOST - 1, slices.number))
    return f': {those}; choose others with --slices, as --slices {others}'


def _chosen(text: str) -> Chosen:
    match = re.fullmatch('([0-9]{1,9}):([0-9]{1,9})', text)
    chosen = Chosen(*map(int, match.groups())) if match else Chosen(0, 0)
    if not 1 <= chosen.first <= chosen.last < chosen.first + _ASKED_AT_MOST:
        raise argparse.ArgumentTypeError(
            f'first and last number are wanted, from 1 on and {_ASKED_AT_MOST} slices at most, as 31:60; not {text!r}'
        )
    return chosen


def _parser() -> flags.Parser:
    parser = flags.Parser(description='Draws slices with the contours of the expert and of a trained network as PNG.')
    add = parser.add_argument
    add('exercise', nargs='?', help='whose newest run is shown (default: the newest of all)')
    add('--checkpoint_dir', type=flags.directory, help='directory of the training run (default: the newest in logs/)')
    add(
        '--data',
        type=flags.path,
        default=str(DATA),
        help='record file, directory of record files (then the validation slices), or folder of DICOM or PNG files',
    )
    add(
        '--slices',
        type=_chosen,
        metavar='FIRST:LAST',
        help=f'by their numbers, as 31:60 (default: the {_UNASKED_AT_MOST} with the lowest Dice; without labels the '
        f'first {_UNASKED_AT_MOST})',
    )
    add('--out', help='the PNG to be written (default: show.png in the directory of the run)')
    return parser


def main() -> None:
    """Writes the picture and names it."""
    args = _parser().parse_args()

    run = args.checkpoint_dir or newest_run(args.exercise)
    trained = prediction.load(run, args.exercise)
    slices = source(args.data, args.slices)
    drawn = worst(slices, trained)

    title = f'{trained.exercise}, step {trained.step}: {len(drawn)} of {slices.number} slices'
    out = args.out or os.path.join(run, 'show.png')
    with runs.writing(os.path.dirname(os.path.abspath(out))), open(out, 'wb') as file:
        file.write(draw(drawn, title))
    print(one_line(f'{len(drawn)} of {slices.number} slices are shown in {out}{which(slices, drawn)}'))
