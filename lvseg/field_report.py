"""What `runEval.py --report` tells beside the lab's lines: by patient, by level of the heart, what went wrong where.

Published tables of the 2009 challenge give the share of good contours and the Dice over these alone; here both stand
beside the Dice over all slices, so that one can be held against the other.
"""

import csv
import os
from collections import Counter
from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence

from lvseg import by_patient, distances, files, manifest, metrics, mistakes, pictures, runs
from lvseg.errors import one_line

import numpy as np

TEXT_FILE = 'report.txt'
MISTAKES_FILE = 'mistakes.csv'
PICTURE_FILE = 'worst.png'

WORST_SHOWN = 10
_TILE = 256  # pixels
_COLUMNS = 5

_HEAD = ('slices', 'Dice', 'per slice', 'IoU', 'APD {}', 'Hausdorff {}', 'good', 'Dice of good')
_WIDTH = 13


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
            by_patient.Slice(line['name'], line['patient'], int(line['lv_pixels']), 0)
            for line in self.beside
            if line.get('patient') and line.get('lv_pixels', '').isdigit()
        ]
        return by_patient.levels([*self.slices, *others])[: len(self.kinds)]


def text(judged: Judged) -> str:
    """The tables, as they are printed and kept."""
    unit = 'mm' if any(map(manifest.spacing, judged.manifest)) else 'px'
    levels = judged.levels
    groups = {'all slices': list(range(len(levels)))}
    for names, of_slice in ((by_patient.LEVELS, levels), (sorted(set(judged.patients) - {''}), judged.patients)):
        groups.update({name: [n for n, own in enumerate(of_slice) if own == name] for name in names})
    wide = max(map(len, groups))
    head = ''.join(f'{title.format(unit):>{_WIDTH}}' for title in _HEAD)
    lines = [
        f'{"":<{wide}}{head}',
        *(one_line(f'{name:<{wide}}') + _row(judged, numbers, unit) for name, numbers in groups.items() if numbers),
        '',
        *_intervals(judged),
        f'Worst 5 % of the slices: mean Dice {by_patient.worst(judged.dice):.3f}.',
        *_pumped(judged),
        f'What went wrong: {_counted(judged.kinds)}. Which slice is which: {MISTAKES_FILE}; the worst: {PICTURE_FILE}.',
    ]
    return '\n'.join(lines)


def worst(judged: Judged) -> List[int]:
    """The numbers of the slices with the lowest Dice, the worst first."""
    return np.argsort(judged.dice, kind='mergesort')[:WORST_SHOWN].tolist()


def keep(judged: Judged, shown: Dict[int, pictures.Slice], directory: str) -> None:
    """Writes text, table and picture into a directory.

    Args:
        shown: the slices that `worst` names, by their numbers.

    Raises:
        LabError: it cannot be written.
    """
    levels = judged.levels
    with runs.writing(directory):
        with files.replacing(os.path.join(directory, TEXT_FILE), encoding='utf-8') as file:
            file.write(text(judged) + '\n')
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


def _row(judged: Judged, numbers: List[int], unit: str) -> str:
    areas = metrics.Areas(*(np.asarray(area)[numbers] for area in judged.areas))
    dice = metrics.dice(areas)
    contours = np.array([judged.contours[number] for number in numbers])  # average and Hausdorff distance
    measured = np.array([(manifest.spacing(judged.manifest[n]) is not None) == (unit == 'mm') for n in numbers])
    both = measured & ~np.isnan(contours[:, 0])
    drawn = measured & ((areas.labelled > 0) | (areas.predicted > 0))
    good = both & (unit == 'mm') & (np.nan_to_num(contours[:, 0]) < distances.GOOD)
    cells = [
        str(len(numbers)),
        f'{float(metrics.dice(metrics.pooled(areas))):.3f}',
        f'{dice.mean():.3f}',
        f'{metrics.iou(areas).mean():.3f}',
        *(_mean(distance, '.2f') for distance in contours[both].T),
        _mean(good[drawn], '.1%') if unit == 'mm' else '-',
        _mean(dice[good], '.3f'),
    ]
    return ''.join(f'{cell:>{_WIDTH}}' for cell in cells)


def _mean(values: np.ndarray, written: str) -> str:
    return format(np.mean(values), written) if len(values) else '-'


def _intervals(judged: Judged) -> List[str]:
    figures = {
        'Dice': lambda areas: float(metrics.dice(metrics.pooled(areas))),
        'Dice per slice': lambda areas: float(metrics.dice(areas).mean()),
    }
    known = '' not in judged.patients
    found = {name: known and by_patient.interval(one, judged.areas, judged.patients) for name, one in figures.items()}
    if not all(found.values()):
        return []
    told = ', '.join('{} {:.3f} to {:.3f}'.format(name, *bounds) for name, bounds in found.items())
    return [f'95 % intervals, {len(set(judged.patients))} patients drawn anew (bootstrap): {told}.']


def _pumped(judged: Judged) -> List[str]:
    beats = by_patient.beats(judged.slices)
    if not beats:
        return []
    diastole, systole = (
        sum(network for network, _ in areas) / sum(expert for _, expert in areas)
        for areas in ([beat.diastole for beat in beats], [beat.systole for beat in beats])
    )
    off = [_fraction(beat, 0) - _fraction(beat, 1) for beat in beats if beat.diastole[0]]
    lines = [
        f"Area, predicted / expert's, of {len(beats)} patients on {sum(beat.slices for beat in beats)} slices outlined "
        f'in both phases: end-diastole x {diastole:.3f}, end-systole x {systole:.3f}.'
    ]
    if len(off) > 1:
        lines.append(
            f'Ejection fraction by these areas: {np.mean(off):+.1f} points on average, 95 % limits of agreement '
            f'± {1.96 * np.std(off, ddof=1):.1f}, the worst {max(off, key=abs):+.1f}.'
        )
    return lines


def _fraction(beat: by_patient.Beat, whose: int) -> float:
    """The ejection fraction, percent, by areas; the network's (0) or the expert's (1)."""
    return 100 * (1 - beat.systole[whose] / beat.diastole[whose])


def _counted(kinds: Sequence[str]) -> str:
    counts = Counter(kinds)
    return ', '.join(f'{counts[kind]} {kind}' for kind in mistakes.KINDS if counts[kind])
