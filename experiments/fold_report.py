"""The report of runEval.py over all folds of a cross-validation together: every patient by a network new to him."""

from pathlib import Path
from typing import Dict, List, NamedTuple

from lvseg import distances, field_report, manifest, metrics, mistakes, pictures, prediction, records, runs
from lvseg.layout import record_file

from tqdm import tqdm


class _Predicted(NamedTuple):
    """A slice that was held out."""

    line: Dict[str, str]  # of the manifest
    piece: pictures.Slice


def report(folders: List[Path], out: Path) -> str:
    """Predicts the slices held out by each fold, writes what `runEval.py --report` leaves, and returns its tables.

    Args:
        folders: of the folds, each with `data` and `train`.
        out: directory of the results.

    Raises:
        LabError: a fold's run is not there or cannot be read, or the results cannot be written.
    """
    found = [one for folder in tqdm(folders, desc='reporting', unit='fold', disable=None) for one in _predicted(folder)]
    judged = _judged(found)
    with runs.writing(str(out)):
        out.mkdir(parents=True, exist_ok=True)
    told = field_report.text(judged)
    field_report.keep(judged, told, {number: found[number].piece for number in field_report.worst(judged)}, str(out))
    return told


def _predicted(folder: Path) -> List[_Predicted]:
    data_dir, trained = str(folder / 'data'), prediction.load(str(folder / 'train'))
    found = []
    for line, (image, label) in zip(manifest.lines(data_dir, 'eval'), records.read(record_file(data_dir, 'eval'))):
        found.append(_Predicted(line, pictures.Slice(image, label, trained.mask(image))))
    return found


def _judged(found: List[_Predicted]) -> field_report.Judged:
    masks = [(one.piece.label, one.piece.prediction) for one in found]
    contours = [
        distances.between(predicted, label, manifest.spacing(one.line) or distances.PIXELS)
        for one, (label, predicted) in zip(found, masks)
    ]
    return field_report.Judged(
        metrics.each_mask_areas(masks),
        contours,
        [one.line for one in found],
        [mistakes.kind(*pair) for pair in masks],
    )
