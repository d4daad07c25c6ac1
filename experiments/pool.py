"""The slices of a folder, whatever their split: whose each one is, and writing them with patients held out."""

from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Set, Tuple

from lvseg import manifest, records, runs
from lvseg.errors import LabError
from lvseg.layout import record_file

import tensorflow.compat.v1 as tf

from data_prep.names import case_name

_SPLITS = ('train', 'eval')


class Pool(NamedTuple):
    """All records of a folder, training and validation slices together, or those of one split alone.

    A slice whose line tells no patient is as if it were not there.
    """

    data_dir: Path
    splits: Sequence[str]
    lines: List[Dict[str, str]]  # of the manifest, in the order of the records: training file, then validation file

    @property
    def patients(self) -> List[str]:
        """Each once, sorted."""
        return sorted({line['patient'] for line in self.lines} - {''})


def read_pool(data_dir: Path, splits: Sequence[str] = _SPLITS) -> Pool:
    """Reads which record is whose, of these splits; checks all of them.

    Raises:
        LabError: no record file, a damaged one, or no manifest that fits.
    """
    lines = []
    for split, path in _files(data_dir, splits):
        of_split = manifest.lines(str(data_dir), split)
        labelled = [int(label.sum()) for _, label in records.read(path)]
        if not manifest.fits(of_split, labelled) or not all(line.get('patient') for line in of_split):
            raise LabError(
                f'{data_dir / manifest.FILE_NAME} does not tell whose slices are in {path}: a line for each of its '
                f'{len(labelled)} records is wanted, with patient and lv_pixels. Make both with: python -m data_prep.'
            )
        lines += [{**line, 'patient': case_name(line['patient'])} for line in of_split]
    return Pool(data_dir, splits, lines)


def only(pool: Pool, patients: Sequence[str]) -> Pool:
    """The pool as if the slices of all others were not there."""
    lines = [line if line['patient'] in patients else {**line, 'patient': ''} for line in pool.lines]
    return pool._replace(lines=lines)


def check_apart(pool: Pool, run: Path) -> None:
    """Makes sure that a run, and those whose weights it began with, were trained on none of the pool's patients.

    Raises:
        LabError: they were, or nobody can tell.
    """
    trained = runs.load(str(run))
    if trained is None:
        raise LabError(f'{run}: no run there. Give the --checkpoint_dir of one.')
    common = sorted(_who_trained(run, trained) & set(pool.patients))
    if common:
        raise LabError(f'{run} was trained on {", ".join(common)}, by whom it would be judged here.')
    if trained.get('init_from'):  # A run, or a checkpoint in it.
        earlier = Path(trained['init_from'])
        earlier = earlier if earlier.is_dir() else earlier.parent
        began = (runs.load(str(earlier)) or {}).get('started')
        if not began or began >= (trained.get('started') or ''):
            raise LabError(
                f'{run} began with weights of {earlier}, where they are no more: nobody can tell whose they were.'
            )
        check_apart(pool, earlier)


def _who_trained(run: Path, trained: Dict[str, Any]) -> Set[str]:
    """The patients of a run, by the manifest of its data."""
    data_dir = trained.get('data_dir')
    lines = manifest.lines(data_dir, 'train') if data_dir else []
    if not lines or not all(line.get('patient') for line in lines) or trained.get('slices') != len(lines):
        raise LabError(f'{run}: {data_dir}/{manifest.FILE_NAME} does not tell whose slices trained it.')
    return {case_name(line['patient']) for line in lines}


def write_part(pool: Pool, held_out: List[str], folder: Path) -> None:
    """Writes two record files and a manifest: validation slices are those of `held_out`, all others train.

    Raises:
        LabError: the folder cannot be written.
    """
    of_patient = {**dict.fromkeys(pool.patients, 'train'), **dict.fromkeys(held_out, 'eval')}
    write_sides(pool, [of_patient.get(line['patient'], '') for line in pool.lines], folder)


def write_sides(pool: Pool, sides: Sequence[str], folder: Path) -> None:
    """The same, with a split for each slice: 'train', 'eval', or '' for one that is left out.

    Raises:
        LabError: the folder cannot be written.
    """
    with runs.writing(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        lines = [
            {**line, 'split': manifest.SPLITS[split]}
            for split in manifest.SPLITS
            for line, side in zip(pool.lines, sides)
            if side == split
        ]
        manifest.write(str(folder / manifest.FILE_NAME), lines)
        try:
            _write_records(pool, sides, folder)
        except tf.errors.OpError as error:
            raise OSError(error.error_code, error.message) from None


def _write_records(pool: Pool, sides: Sequence[str], folder: Path) -> None:
    writers = {split: tf.python_io.TFRecordWriter(record_file(str(folder), split)) for split in manifest.SPLITS}
    for record, side in zip(_records(pool), sides):
        if side:
            writers[side].write(record)
    for writer in writers.values():
        writer.close()


def _records(pool: Pool) -> Iterator[bytes]:
    for _, path in _files(pool.data_dir, pool.splits):
        yield from tf.python_io.tf_record_iterator(path)


def _files(data_dir: Path, splits: Sequence[str]) -> List[Tuple[str, str]]:
    """The record files that are there, one at least, by their splits."""
    paths = [(split, record_file(str(data_dir), split)) for split in splits]
    found = [(split, path) for split, path in paths if Path(path).is_file()]
    if not found:
        raise LabError(f'{data_dir} holds no record file. Make some with: python -m data_prep (see -h).')
    return found
