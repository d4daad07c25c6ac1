"""What a heart pumps, told by one who measures: the figures that are compared, and how their comparison reads."""

import math
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from study import volumes
from study.agreement import Agreement, agreement

# Quantity -> heading and unit.
QUANTITIES = {'edv': ('EDV', 'ml'), 'esv': ('ESV', 'ml'), 'ejection_fraction': ('EF', 'points')}


class Pumped(NamedTuple):
    """Of one heart: volumes in ml; or, where the distance of the slices is not known, areas summed over them."""

    edv: float  # at end-diastole
    esv: float  # at end-systole

    @property
    def ejection_fraction(self) -> Optional[float]:
        """Percent; None of an empty ventricle."""
        return volumes.ejection_fraction(self.edv, self.esv)


class Comparison(NamedTuple):
    """One way to measure held against another, over several patients."""

    name: str
    pairs: Sequence[Tuple[Pumped, Pumped]]  # measured, and what it ought to be
    quantities: Sequence[str] = tuple(QUANTITIES)  # Of areas it is only the ejection fraction that means something.

    def values(self, quantity: str) -> List[Tuple[float, float]]:
        """Of the patients of whom both have one: there is no ejection fraction of an empty ventricle."""
        found = [(getattr(measured, quantity), getattr(wanted, quantity)) for measured, wanted in self.pairs]
        return [(measured, wanted) for measured, wanted in found if measured is not None and wanted is not None]

    def agreement(self, quantity: str) -> Optional[Agreement]:
        """None of fewer than two patients."""
        values = self.values(quantity)
        return agreement(*zip(*values)) if len(values) > 1 else None


def table(against: str, comparisons: Sequence[Comparison]) -> str:
    """Markdown: bias ± 1.96 standard deviations, and Pearson's r, of each comparison; of the first's quantities.

    A quantity that some patients do not have tells of how many it is.
    """
    quantities = comparisons[0].quantities
    heads = ['{} ({})'.format(*QUANTITIES[quantity]) for quantity in quantities]
    lines = [f'| against {against} | patients | {" | ".join(heads)} |', '|---' * (len(heads) + 2) + '|']
    for comparison in comparisons:
        cells = [_cell(comparison.agreement(quantity), len(comparison.pairs)) for quantity in quantities]
        lines.append(f'| {comparison.name} | {len(comparison.pairs)} | {" | ".join(cells)} |')
    return '\n'.join(lines)


def _cell(found: Optional[Agreement], patients: int) -> str:
    if found is None:
        return '–'
    r = '' if math.isnan(found.correlation) else f', r {found.correlation:.3f}'
    of = f', of {found.n}' if found.n < patients else ''
    return f'{signed(found.bias)} ± {found.margin:.1f}{r}{of}'


def signed(value: float) -> str:
    """With the sign that print has."""
    return f'{value:+.1f}'.replace('-', '−')


def as_json(comparison: Comparison) -> Dict[str, Dict[str, Optional[float]]]:
    """The agreement of each quantity that there is."""
    found = {quantity: comparison.agreement(quantity) for quantity in comparison.quantities}
    return {
        quantity: {
            'n': one.n,
            'bias': one.bias,
            'lower': one.limits.lower,
            'upper': one.limits.upper,
            'correlation': None if math.isnan(one.correlation) else one.correlation,
        }
        for quantity, one in found.items()
        if one
    }
