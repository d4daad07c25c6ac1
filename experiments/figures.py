"""The figures of several trainings: of each, their mean and standard deviation, and of all their slices together."""

from statistics import mean, stdev
from typing import Any, Dict, List, Optional

from experiments.measuring import Measured

Figures = Dict[str, Optional[float]]


def figures(measured: Measured, unit: str) -> Figures:
    """A line of the table: pooled Dice, means over the slices, distances in this unit or None; `good` is a share."""
    metrics = measured.metrics
    contours = metrics['contours'].get(unit, {})
    return {
        'patients': len(measured.made_with['held_out']),
        'slices': metrics['images'],
        'steps': metrics['step'],
        'seconds': measured.seconds,
        'dice': metrics['dice'],
        'dice_per_slice': metrics['per_slice']['dice']['mean'],
        'iou_per_slice': metrics['per_slice']['iou']['mean'],
        'average_perpendicular_distance': contours.get('average_perpendicular_distance', {}).get('mean'),
        'hausdorff_distance': contours.get('hausdorff_distance', {}).get('mean'),
        'good': contours.get('good'),
    }


def all_slices(parts: List[Measured], unit: str) -> Figures:
    """The same of the held-out slices of all parts together, each by the training that had not seen its patient."""
    areas = {name: sum(part.areas[name] for part in parts) for name in parts[0].areas}
    whole = areas['labelled'] + areas['predicted']
    lines = [figures(part, unit) for part in parts]
    contours = [part.metrics['contours'].get(unit, {}) for part in parts]

    def over(weights: List[int], name: str) -> Optional[float]:
        known = [(line[name], weight) for line, weight in zip(lines, weights) if line[name] is not None]
        total = sum(weight for _, weight in known)
        return sum(value * weight for value, weight in known) / total if total else None

    slices = [line['slices'] for line in lines]
    pairs = [known.get('both_contours', 0) for known in contours]
    return {
        **{name: sum(line[name] for line in lines) for name in ('patients', 'slices', 'steps', 'seconds')},
        'dice': 2 * areas['intersection'] / whole if whole else 1.0,
        'dice_per_slice': over(slices, 'dice_per_slice'),
        'iou_per_slice': over(slices, 'iou_per_slice'),
        'average_perpendicular_distance': over(pairs, 'average_perpendicular_distance'),
        'hausdorff_distance': over(pairs, 'hausdorff_distance'),
        'good': over([known.get('contours', 0) for known in contours], 'good'),
    }


def summary(measured: Dict[str, Measured]) -> Dict[str, Any]:
    """The table's figures; with more than one part also their mean and standard deviation (n - 1), and all slices."""
    contours = [part.metrics['contours'] for part in measured.values()]
    unit = 'mm' if any('mm' in known for known in contours) else 'pixels'
    parts = {name: figures(part, unit) for name, part in measured.items()}
    result = {
        'unit': unit,
        'slices_with_that_unit': sum(known.get(unit, {}).get('slices', 0) for known in contours),
        'parts': parts,
    }
    if len(parts) > 1:
        lines = list(parts.values())
        result['mean'] = {name: _over(mean, lines, name) for name in lines[0]}
        result['standard_deviation'] = {name: _over(stdev, lines, name) for name in lines[0]}
        result['all_slices'] = all_slices(list(measured.values()), unit)
    return result


def _over(function: Any, lines: List[Figures], name: str) -> Optional[float]:  # noqa: ANN401 - mean or stdev
    values = [line[name] for line in lines if line[name] is not None]
    return function(values) if len(values) >= (2 if function is stdev else 1) else None
