"""The tables at the end: of the whole lab, of a cross-validation, and those of docs/results.md. Nothing is measured."""

from statistics import mean, stdev
from typing import Any, Dict, List, NamedTuple, Tuple

from experiments.commands import Run
from experiments.figures import Figures
from experiments.measuring import Measured

# Heading, how many characters, how many decimals; {} is the unit of the distances.
_CROSS_VALIDATION_COLUMNS = {
    'patients': ('patients', 8, 0),
    'slices': ('slices', 6, 0),
    'steps': ('steps', 6, 0),
    'seconds': ('seconds', 7, 0),
    'dice': ('Dice', 6, 3),
    'dice_per_slice': ('per slice', 9, 3),
    'iou_per_slice': ('IoU', 6, 3),
    'average_perpendicular_distance': ('APD {}', 10, 2),
    'hausdorff_distance': ('Hausdorff {}', 16, 2),
    'good': ('good', 6, 3),
}


class Row(NamedTuple):
    """A figure of one solution, and what others measured for it."""

    solution: str
    trained: str  # cnn and cnnDice train the same network alike: with one seed, one training serves both.
    flags: str
    figure: str
    handout: float
    original: float


def lab(epochs: Dict[str, int], runs: Dict[str, Run]) -> str:
    """The table of `make lab`, by exercises."""
    lines = ['exercise  epochs   steps  seconds  precision   Dice', '-' * 52]
    for exercise, run in runs.items():
        lines.append(
            f'{exercise:<9} {epochs[exercise]:6d} {run.metrics["step"]:7d} {run.seconds:8.0f} '
            f'{run.metrics["precision"]:10.3f} {run.metrics["dice"]:6.3f}'
        )
    background = next(iter(runs.values())).metrics['background_precision']
    lines.append(f'{"every pixel background":<33} {background:10.3f} {0:6.3f}')
    return '\n'.join(lines)


def cross_validation(names: List[str], result: Dict[str, Any]) -> str:
    """The table of `make cross-validate`, of a summary; a name without figures is not yet measured."""
    columns = _CROSS_VALIDATION_COLUMNS.values()
    head = ' '.join(f'{title.format(result["unit"]):>{width}}' for title, width, _ in columns)
    rule = '-' * (19 + len(head))
    lines = [f'{"held out":<18} {head}', rule]
    for name in names:
        known = result['parts'].get(name)
        lines.append(_cross_validation_line(name, known) if known else f'{name:<18} not yet measured')
    if 'mean' in result:
        lines.append(rule)
        for name in ('mean', 'standard_deviation', 'all_slices'):
            lines.append(_cross_validation_line(name.replace('_', ' '), result[name]))
    total = sum(line['slices'] for line in result['parts'].values())
    if result['slices_with_that_unit'] < total:
        lines.append(
            f'\nDistances are of the {result["slices_with_that_unit"]} of {total} slices whose pixel spacing is known.'
        )
    return '\n'.join(lines)


def _cross_validation_line(name: str, known: Figures) -> str:
    cells = [
        f'{"-" if known[key] is None else format(known[key], f".{decimals}f"):>{width}}'
        for key, (_, width, decimals) in _CROSS_VALIDATION_COLUMNS.items()
    ]
    return f'{name:<18} {" ".join(cells)}'


def results(rows: List[Tuple[Row, List[Measured]]]) -> str:
    """The first table of docs/results.md, as Markdown; each row with its trainings, one a seed."""
    return '\n'.join(
        [
            '| solution | flags | figure | here | each seed | handout | original code | steps | minutes |',
            '|---|---|---|---|---|---|---|---|---|',
            *(results_line(row, seeds) for row, seeds in rows),
        ]
    )


def results_line(row: Row, seeds: List[Measured]) -> str:
    """A row of the table."""
    figures = [measured.metrics[row.figure] for measured in seeds]
    return (
        f'| {row.solution} | `{row.flags}` | {row.figure} | {_spread(figures)} | {_each(figures)} '
        f'| {row.handout:.3f} | {row.original:.3f} | {_steps_and_minutes(seeds)} |'
    )


def challenge(rows: List[Tuple[str, List[Measured]]]) -> str:
    """The challenge's table of docs/results.md; flags with their trainings, one a seed."""
    return '\n'.join(
        [
            '| challenge, flags | Dice | each seed | Dice per slice | steps | minutes |',
            '|---|---|---|---|---|---|',
            *(challenge_line(flags, seeds) for flags, seeds in rows),
        ]
    )


def challenge_line(flags: str, seeds: List[Measured]) -> str:
    """A row of the challenge's table."""
    pooled = [measured.metrics['dice'] for measured in seeds]
    per_slice = [measured.metrics['per_slice']['dice']['mean'] for measured in seeds]
    return f'| `{flags}` | {_spread(pooled)} | {_each(pooled)} | {_spread(per_slice)} | {_steps_and_minutes(seeds)} |'


def _spread(values: List[float]) -> str:
    return f'{mean(values):.3f} ± {stdev(values):.3f}'


def _each(values: List[float]) -> str:
    return ', '.join(f'{value:.3f}' for value in values)


def _steps_and_minutes(seeds: List[Measured]) -> str:
    minutes = mean(measured.seconds for measured in seeds) / 60
    return f'{seeds[0].metrics["step"]} | {minutes:.1f}'
