"""How hopeful a Dice becomes by looking at the same slices again and again, and keeping the best settings.

Each trial of a search is evaluated on slices that it has not seen. Their patients are dealt into two halves at random;
of some trials, that with the highest Dice on one half is kept, and its Dice on the other half says what it is worth.
Of a single trial, both are the same on average; what is gained by choosing shows on the first half alone.
"""

from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence

from lvseg import flags, metrics, reports
from lvseg.errors import LabError
from lvseg.project import LOGS, shown

import numpy as np

from data_prep import names
from experiments import commands

LOOKS = (1, 5, 10, 20, 40)

_DEALS = 2000  # Of patients into halves: the standard error of a mean is then below 0.001.
_SEED = 1


class Hope(NamedTuple):
    """The best of so many trials by the Dice on one half of the patients: means over the deals."""

    looks: int
    by_which_chosen: float
    on_the_others: float


def hopes(areas: Sequence[np.ndarray], patients: Sequence[str]) -> List[Hope]:
    """What the best of 1, 5, 10, … trials seems and is.

    Args:
        areas: of each trial, [slices, 3]: pixels of intersection, labelled and predicted.
        patients: of each slice.
    """
    rng = np.random.RandomState(_SEED)
    cases, case = np.unique(patients, return_inverse=True)
    looks = [number for number in LOOKS if number <= len(areas)]
    found: Dict[int, List[List[float]]] = {number: [] for number in looks}
    for _ in range(_DEALS):
        first = rng.permutation(len(cases))[: len(cases) // 2]
        here = np.isin(case, first)
        sums = np.stack([here, ~here]).astype(int) @ np.array(areas)  # [trials, halves, 3]
        dice = metrics.dice(metrics.Areas(*np.moveaxis(sums, -1, 0), total=None))
        order = rng.permutation(len(areas))
        for number in looks:
            some = dice[order[:number]]
            found[number].append(some[some[:, 0].argmax()])
    return [Hope(number, *np.mean(values, axis=0)) for number, values in found.items()]


def table(found: Sequence[Hope]) -> str:
    """In Markdown."""
    lines = [
        '| looks | Dice of the best, on the slices looked at | on other patients | too hopeful by |',
        '|---|---|---|---|',
    ]
    for hope in found:
        gap = hope.by_which_chosen - hope.on_the_others
        lines.append(f'| {hope.looks} | {hope.by_which_chosen:.3f} | {hope.on_the_others:.3f} | {gap:.3f} |')
    return '\n'.join(lines)


def _evaluate(trial: Path, data_dir: str, exercise: str) -> List[Dict[str, str]]:
    """The slices of a trial's evaluation, which is made if it was not."""
    evaluated = trial / 'looked'
    if not (evaluated / reports.PER_SLICE_FILE).exists():
        directories = [
            '--data_dir',
            data_dir,
            '--checkpoint_dir',
            shown(trial / 'train'),
            '--eval_dir',
            shown(evaluated),
        ]
        commands.run([f'exercise_solutions/{exercise}/runEval.py', *directories])
    return reports.read_per_slice(evaluated / reports.PER_SLICE_FILE)


def main() -> None:
    """Evaluates the trials of searches, and prints the table.

    Raises:
        LabError: there are none.
    """
    parser = flags.Parser(description=__doc__.splitlines()[0])
    parser.add_argument('exercise', help='of the searches, such as cnnDice')
    parser.add_argument('data_dir', type=flags.directory, help='directory of the records that were searched with')
    parser.add_argument('searches', type=Path, nargs='*', help='folders of searches (default: logs/search/EXERCISE)')
    args = parser.parse_args()
    folders = args.searches or [LOGS / 'search' / args.exercise]
    trials = [path.parent.parent for folder in folders for path in sorted(folder.glob('trial-*/train/checkpoint'))]
    if len(trials) < 2:
        raise LabError(f'{", ".join(map(str, folders))}: no trials to compare. Run make search first.')
    slices = [_evaluate(trial, args.data_dir, args.exercise) for trial in trials]
    areas = [
        np.array([[int(row[name]) for name in ('intersection', 'labelled', 'predicted')] for row in rows])
        for rows in slices
    ]
    print(f'\n{len(trials)} trials; means over {_DEALS} deals of the patients.\n')
    print(table(hopes(areas, [names.patient(row['name']) for row in slices[0]])))
