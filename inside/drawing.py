"""Draws what a trained network makes of slices: a PNG of all of them, the worst first.

The expert's contour is drawn in orange, the network's in blue; where they coincide, in dashes of both. The network is
built from the neuralnetwork.py beside the runTraining.py that made the run: the student's or the solution's.
"""

import glob
import heapq
import os
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

from lvseg import checkpoints, device, flags, metrics, networks, pictures, progress, records, runs
from lvseg.errors import LabError
from lvseg.layout import record_file
from lvseg.project import DATA, LOGS

import numpy as np
import tensorflow.compat.v1 as tf

from data_prep.sources import images

_SLICES_AT_MOST = 30
_COLUMNS = 6
_TILE_SIZE = 224  # pixels
_LETTERS_IN_TILE = 36

Predict = Callable[[np.ndarray], np.ndarray]


class Source(NamedTuple):
    """Slices to be shown: how many, and for each its name, its image, and its label if it has one."""

    number: int
    slices: Iterator[Tuple[str, np.ndarray, Optional[np.ndarray]]]


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


def source(path: str) -> Source:
    """The slices of a record file, of the validation records of a directory, or of a folder of DICOM or PNG files.

    Raises:
        LabError: there are none, or they cannot be read.
    """
    validation = record_file(path, 'eval')
    file = validation if os.path.exists(validation) else path
    if os.path.isdir(file):
        names = images.find_images(path)
        return Source(len(names), ((name, images.read_image(path, name), None) for name in names[:_SLICES_AT_MOST]))
    numbered = enumerate(records.read(file), start=1)
    return Source(records.count(file), ((f'record {number}', image, label) for number, (image, label) in numbered))


def worst(slices: Source, predict: Predict) -> List[Shown]:
    """Those with the lowest Dice, from the lowest up; of slices without labels the first."""
    return heapq.nsmallest(_SLICES_AT_MOST, _predicted(slices, predict), key=lambda piece: piece.dice or 0)


def _predicted(slices: Source, predict: Predict) -> Iterator[Shown]:
    with progress.bar(slices.number, description='Drawing') as bar:
        for name, image, label in slices.slices:
            prediction = predict(image)
            dice = None if label is None else float(metrics.dice(metrics.mask_areas(label, prediction)))
            bar.update()
            yield Shown(name, pictures.Slice(image, label, prediction), dice)


def predictor(checkpoint: str, exercise: str, network: Path, run: Dict[str, Any]) -> Predict:
    """A function from raw pixels, integer [256, 256], to the network's classes, int32 [256, 256].

    Args:
        network: path of the neuralnetwork.py that the checkpoint was made with.
        run: what the run's run.json says (lvseg.runs.load).

    Raises:
        LabError: the network cannot be built, or is not the checkpoint's.
    """
    with tf.Graph().as_default() as graph:
        with networks.mistakes_explained(network):
            module = networks.load(network, networks.source(network))
            batch = networks.images()
            choices = networks.choices(module, run)
            prediction = metrics.predictions(networks.call(module, 'inference', batch, training=False, **choices))
        session = tf.Session(graph=graph, config=device.session_config())
        checkpoints.restore(session, tf.train.Saver(), checkpoint, exercise)
    return lambda image: session.run(prediction, {batch: image[np.newaxis] / records.PIXEL_SCALE})[0]


def draw(slices: List[Shown], title: str) -> bytes:
    """The slices side by side, as PNG."""
    tiles = [pictures.tile(piece.piece, [(_caption(piece), pictures.TEXT)], _TILE_SIZE) for piece in slices]
    order = '; the worst first' if slices[0].dice is not None else ''
    return pictures.png(pictures.grid(tiles, [*pictures.LEGEND, (title + order, pictures.TEXT)], _COLUMNS))


def _caption(piece: Shown) -> str:
    dice = '' if piece.dice is None else f'Dice {piece.dice:.3f}, '
    return dice + piece.name[-(_LETTERS_IN_TILE - len(dice)) :]


def main() -> None:
    """Writes the picture and names it."""
    parser = flags.Parser(description='Draws slices with the contours of the expert and of a trained network as PNG.')
    add = parser.add_argument
    add('exercise', nargs='?', help='whose newest run is shown (default: the newest of all)')
    add('--checkpoint_dir', type=flags.directory, help='directory of the training run (default: the newest in logs/)')
    add(
        '--data',
        default=str(DATA),
        help='record file, directory of record files (then the validation slices), or folder of DICOM or PNG files',
    )
    add('--out', help='the PNG to be written (default: show.png in the directory of the run)')
    args = parser.parse_args()

    run = args.checkpoint_dir or newest_run(args.exercise)
    checkpoint = checkpoints.newest(run)
    made_by = runs.load(run) or {}
    exercise = args.exercise or made_by.get('exercise')
    if checkpoint is None or exercise is None:
        raise LabError(f'{run} is no directory of a training run. Give the --checkpoint_dir of one.')
    slices = source(args.data)
    network = networks.of_run(exercise, made_by)
    drawn = worst(slices, predictor(checkpoint, exercise, network, made_by))

    title = f'{exercise}, step {checkpoints.step(checkpoint)}: {len(drawn)} of {slices.number} slices'
    out = args.out or os.path.join(run, 'show.png')
    with runs.writing(os.path.dirname(os.path.abspath(out))), open(out, 'wb') as file:
        file.write(draw(drawn, title))
    print(f'{len(drawn)} of {slices.number} slices are shown in {out}')
