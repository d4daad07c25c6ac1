"""What `runEval.py --report` tells beside the lab's lines: by patient, by level of the heart, what went wrong where.

Published tables of the 2009 challenge give the share of good contours, and Dice and distance over these alone, as means
of patients; here these stand beside the figures of all slices, so that one can be held against the other.
"""

import csv
import os
from collections import Counter
from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence, Tuple

from lvseg import by_patient, distances, files, manifest, metrics, mistakes, pictures, places, runs
from lvseg.errors import one_line

import numpy as np

TEXT_FILE = 'report.txt'
MISTAKES_FILE = 'mistakes.csv'
PICTURE_FILE = 'worst.png'

WORST_SHOWN = 10
_TILE = 256  # pixels
_COLUMNS = 5

# How each figure of a group of slices is written, by its title.
_FIGURES = {
    'Dice': '.3f',  # of all of them together
    'per slice': '.3f',  # mean Dice, as all that follow are means
    'IoU': '.3f',
    'APD {}': '.2f',
    'Hausdorff {}': '.2f',
    'good': '.1%',
    'Dice of good': '.3f',
    'APD of good': '.2f',
}
_WIDTH = 14


class Judged(NamedTuple):
    """The slices of an evaluation, and what the manifest tells of each; all of one length."""

    areas: metrics.Areas  # [slices]
    contours: Sequence[distances.Distances]  # in mm where the spacing is known
    manifest: Sequence[Dict[str, str]]  # the line of each; {} where there is none
    kinds: Sequence[str]  # of mistakes.KINDS
    beside: Sequence[Dict[str, str]] = ()  # The manifest's lines of the other split, for which third a slice lies in.

    @property
    def dice(self) -> np.ndarray:
        """float64 [slices]."""
        return metrics.dice(self.areas)

    @property
    def patients(self) -> List[str]:
        """Whose each slice is; '' where no manifest tells."""
        return [line.get('patient', '') for line in self.manifest]

    @property
    def slices(self) -> List[by_patient.Slice]:
        """As lvseg.by_patient takes them."""
        areas = zip(self.areas.labelled.tolist(), self.areas.predicted.tolist())
        return [
            by_patient.Slice(line.get('name', ''), patient, *pair)
            for line, patient, pair in zip(self.manifest, self.patients, areas)
        ]

    @property
    def levels(self) -> List[str]:
        """Of each slice one of by_patient.LEVELS, or ''."""
        others = [
            by_patient.Slice(line.get('name', ''), line['patient'], int(line['lv_pixels']), 0)
            for line in self.beside
            if line.get('patient') and line.get('lv_pixels', '').isdigit()
        ]
        return by_patient.levels([*self.slices, *others])[: len(self.kinds)]


class _Measured(NamedTuple):
    """What was measured of each slice, [slices]."""

    areas: metrics.Areas
    distances: np.ndarray  # float64 [slices, 2], APD and Hausdorff distance in the report's unit; NaN where unknown
    drawn: np.ndarray  # bool, whether there is a contour that can be good: the expert's or a predicted one, in mm
    good: np.ndarray  # bool

    def figures(self, numbers: Sequence[int]) -> List[float]:
        """Those of _FIGURES of some slices; NaN where there is nothing to take the mean of."""
        areas = metrics.Areas(*(area[numbers] for area in self.areas))
        dice, distances_, good = metrics.dice(areas), self.distances[numbers], self.good[numbers]
        known = ~np.isnan(distances_[:, 0])
        return [
            float(metrics.dice(metrics.pooled(areas))),
            _mean(dice),
            _mean(metrics.iou(areas)),
            _mean(distances_[known, 0]),
            _mean(distances_[known, 1]),
            _mean(good[self.drawn[numbers]]),
            _mean(dice[good]),
            _mean(distances_[good, 0]),
        ]


def text(judged: Judged) -> str:
    """The tables, as they are printed and kept."""
    unit = 'mm' if any(map(manifest.spacing, judged.manifest)) else 'px'
    measured = _measured(judged, unit)
    lines = [
        *_table(judged, measured, unit),
        '',
        *_left_out(judged, measured, unit),
        *_intervals(judged, measured, unit),
        f'Worst 5 % of the slices: mean Dice {by_patient.worst(judged.dice):.3f}.',
        *_pumped(judged),
        f'What went wrong: {_counted(judged.kinds)}. Which slice is which: {MISTAKES_FILE}; the worst: {PICTURE_FILE}.',
    ]
    return '\n'.join(lines)


def worst(judged: Judged) -> List[int]:
    """The numbers of the slices with the lowest Dice, the worst first."""
    return np.argsort(judged.dice, kind='mergesort')[:WORST_SHOWN].tolist()


def keep(judged: Judged, told: str, shown: Dict[int, pictures.Slice], directory: str) -> None:
    """Writes text, table and picture into a directory.

    Args:
        told: the `text`, which takes long enough to make it once.
        shown: the slices that `worst` names, by their numbers.

    Raises:
        LabError: it cannot be written.
    """
    levels = judged.levels
    with runs.writing(directory):
        with files.replacing(os.path.join(directory, TEXT_FILE), encoding='utf-8') as file:
            file.write(told + '\n')
        with files.replacing(
            os.path.join(directory, MISTAKES_FILE), encoding='utf-8', errors='surrogateescape', newline=''
        ) as file:
            writer = csv.writer(file, lineterminator='\n')
            writer.writerow(['record', 'name', 'patient', 'level', 'dice', 'mistake'])
            for number in np.argsort(judged.dice, kind='mergesort'):
                line = judged.manifest[number]
                known = [manifest.cell(line.get(column, '')) for column in ('name', 'patient')]
                writer.writerow(
                    [number + 1, *known, levels[number], f'{judged.dice[number]:.4f}', judged.kinds[number]]
                )
        tiles = [pictures.tile(shown[number], [_caption(judged, number)], _TILE) for number in worst(judged)]
        picture = pictures.png(pictures.grid(tiles, list(pictures.LEGEND), _COLUMNS))
        Path(directory, PICTURE_FILE).write_bytes(picture)


def _caption(judged: Judged, number: int) -> pictures.Word:
    name = os.path.basename(judged.manifest[number].get('name', '')) or f'record {number + 1}'
    return f'{judged.dice[number]:.2f} {judged.kinds[number]}: {name}', pictures.TEXT


def _measured(judged: Judged, unit: str) -> _Measured:
    areas = metrics.Areas(*map(np.asarray, judged.areas))
    in_mm = np.array([manifest.spacing(line) is not None for line in judged.manifest])
    measured = np.array(judged.contours, np.float64)
    measured[in_mm != (unit == 'mm')] = np.nan
    return _Measured(
        areas,
        measured,
        in_mm & ((areas.labelled > 0) | (areas.predicted > 0)),
        in_mm & (np.where(np.isnan(measured[:, 0]), np.inf, measured[:, 0]) < distances.GOOD),
    )


def _table(judged: Judged, measured: _Measured, unit: str) -> List[str]:
    everything = range(len(judged.kinds))

    def rows_of(names: Sequence[str], of_slice: Sequence[str]) -> List[Tuple[str, int, List[float]]]:
        groups = {name: [number for number in everything if of_slice[number] == name] for name in names}
        return [(name, len(numbers), measured.figures(numbers)) for name, numbers in groups.items() if numbers]

    rows = [('all slices', len(everything), measured.figures(list(everything)))]
    rows += rows_of(by_patient.LEVELS, judged.levels)
    patients = rows_of(sorted(set(judged.patients) - {''}), judged.patients)
    if len(patients) > 1:
        columns = np.array([figures for *_, figures in patients]).T
        mean = [_mean(column[~np.isnan(column)]) for column in columns]
        rows.append(('mean of patients', len(everything), mean))
    rows += patients

    wide = max(len(name) for name, *_ in rows)
    head = ''.join(f'{title.format(unit):>{_WIDTH}}' for title in ('slices', *_FIGURES))
    return [f'{"":<{wide}}{head}', *(one_line(f'{name:<{wide}}') + _row(*row) for name, *row in rows)]


def _row(slices: int, figures: List[float]) -> str:
    return ''.join(f'{cell:>{_WIDTH}}' for cell in (slices, *map(_written, figures, _FIGURES.values())))


def _written(figure: float, how: str) -> str:
    return '-' if np.isnan(figure) else format(figure, how)


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else np.nan


def _left_out(judged: Judged, measured: _Measured, unit: str) -> List[str]:
    """Which slices are in no mean distance, and in no level and no phase."""
    slices, known = len(judged.kinds), int(np.sum(~np.isnan(measured.distances[:, 0])))
    nowhere = sum(places.place(piece.name) is None for piece in judged.slices)
    lines = []
    if known < slices:
        spacing = ' and a spacing' if unit == 'mm' else ''
        lines.append(f'Distances are of {known} of {slices} slices, those with both contours{spacing}.')
    if nowhere:
        lines.append(
            f'Of {nowhere} of {slices} slices no name tells level and moment of the beat, as SC-HF-I-01-IM-0001-0048 '
            'and patient001/ED-slice03 do in a manifest.csv of these records.'
        )
    return lines


def _intervals(judged: Judged, measured: _Measured, unit: str) -> List[str]:
    bounds = None if '' in judged.patients else by_patient.interval(measured.figures, judged.patients)
    if bounds is None:
        return []
    told = ', '.join(
        f'{title.format(unit)} {_written(low, how)} to {_written(high, how)}'
        for (title, how), low, high in zip(_FIGURES.items(), *bounds)
        if not np.isnan(low)
    )
    return [f'95 % intervals, {len(set(judged.patients))} patients drawn anew (bootstrap): {told}.']


def _pumped(judged: Judged) -> List[str]:
    beats = by_patient.beats(judged.slices)
    if not beats:
        return []
    diastole, systole = by_patient.area_ratios(beats)
    off = np.array([_fraction(beat, 0) - _fraction(beat, 1) for beat in beats if beat.diastole[0]])
    lines = [
        f"Area, predicted / expert's, of {len(beats)} patients on {sum(beat.slices for beat in beats)} slices outlined "
        f'in both phases: end-diastole x {diastole:.3f}, end-systole x {systole:.3f}.'
    ]
    if len(off) < len(beats):
        lines.append(
            f'No ejection fraction of {len(beats) - len(off)} of these patients, as nothing was found at end-diastole.'
        )
    if len(off) > 1:
        (low,), (high,) = by_patient.interval(lambda numbers: [off[numbers].mean()], list(map(str, range(len(off)))))
        lines.append(
            f'Ejection fraction by these areas: {off.mean():+.1f} points on average (95 % interval {low:+.1f} to '
            f'{high:+.1f}), 95 % limits of agreement ± {1.96 * np.std(off, ddof=1):.1f}, the worst '
            f'{max(off, key=abs):+.1f}.'
        )
    return lines


def _fraction(beat: by_patient.Beat, whose: int) -> float:
    """The ejection fraction, percent, by areas; the network's (0) or the expert's (1)."""
    return 100 * (1 - beat.systole[whose] / beat.diastole[whose])


def _counted(kinds: Sequence[str]) -> str:
    counts = Counter(kinds)
    return ', '.join(f'{counts[kind]} {kind}' for kind in mistakes.KINDS if counts[kind])
