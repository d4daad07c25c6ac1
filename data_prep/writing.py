"""Slices -> the two record files and the manifest. Imports TensorFlow."""

import itertools
import os
import shutil
from typing import Iterator, List

from lvseg import manifest, records
from lvseg.errors import LabError
from lvseg.layout import MANIFEST_FILE, SIZE, record_file
from lvseg.manifest import Row, spacing_text

import numpy as np
import tensorflow.compat.v1 as tf
from tqdm import tqdm

from data_prep.reading import Outcome, ReadAll
from data_prep.skipped import reasons
from data_prep.split import Split

_FRAME_BYTES = 16  # of a record in a TFRecord file: its length and two checksums


def write(folder: str, split: Split, read_all: ReadAll, skip_bad: bool) -> List[Row]:
    """Writes train_images.tfrecords, val_images.tfrecords and manifest.csv; a side without slices gets no file.

    Returns:
        The manifest: train, then val, then what was skipped.

    Raises:
        LabError: a slice cannot be read, and `skip_bad` is false; no slice can be read; or the files cannot be written.
    """
    total = len(split.train) + len(split.val)
    try:
        with tqdm(total=total, unit='slice', disable=None) as bar:  # None: on a terminal only
            outcomes = _counted(read_all(split.train + split.val), bar)
            rows = _write_side(record_file(folder, 'train'), 'train', itertools.islice(outcomes, len(split.train)))
            rows += _write_side(record_file(folder, 'eval'), 'val', itertools.islice(outcomes, len(split.val)))
        rows.sort(key=lambda row: row.split == 'skipped')
        skipped = [row for row in rows if row.split == 'skipped']
        if skipped and (not skip_bad or len(skipped) == total):
            raise LabError(_complaint(skipped, total))
        manifest.write(os.path.join(folder, MANIFEST_FILE), [row._asdict() for row in rows])
    except (tf.errors.OpError, OSError) as error:
        raise LabError(_no_room(folder, total, error)) from None
    return rows


def _counted(outcomes: Iterator[Outcome], bar: tqdm) -> Iterator[Outcome]:
    for outcome in outcomes:
        bar.update()
        yield outcome


def _write_side(path: str, side: str, outcomes: Iterator[Outcome]) -> List[Row]:
    rows = []
    with tf.python_io.TFRecordWriter(os.fsencode(path)) as writer:
        for piece, pair, bad_file, reason in outcomes:
            row = Row('skipped', piece.name, piece.patient, piece.image, piece.mask, bad_file=bad_file, reason=reason)
            if not reason:
                writer.write(records.encode(pair.image, pair.mask))
                row = row._replace(split=side, lv_pixels=int(pair.mask.sum()), pixel_spacing=spacing_text(pair.spacing))
            rows.append(row)
    if all(row.split == 'skipped' for row in rows):
        os.remove(path)
    return rows


def _complaint(skipped: List[Row], total: int) -> str:
    what = '; '.join(reasons(skipped))
    advice = ' Mend or remove them, or leave these slices out with --skip_bad.' if len(skipped) < total else ''
    return f'{len(skipped)} of {total} slices cannot be read: {what}. Nothing was written.{advice}'


def _no_room(folder: str, total: int, error: Exception) -> str:
    out = os.path.dirname(folder)
    what = error.strerror if isinstance(error, OSError) else error.message.split('; ')[-1]
    blank = np.zeros((SIZE, SIZE), np.uint8)
    needed = total * (len(records.encode(blank, blank)) + _FRAME_BYTES)
    free = shutil.disk_usage(out).free
    return (
        f'cannot write in {out}: {what}. {total} slices need {needed / 1e6:.1f} MB, and {free / 1e6:.1f} MB are free '
        'there. Earlier files are as they were.'
    )
