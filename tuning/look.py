"""The one look at the held-out slices: the best settings and the exercise's own, with three seeds each."""

from pathlib import Path
from typing import Dict, List

from lvseg import locks, runs, summaries
from lvseg.errors import LabError
from lvseg.project import shown

from optuna.trial import FrozenTrial

from experiments import measuring
from experiments.measuring import Training
from tuning.space import Exercise, Space

SEEDS = (1, 2, 3)


class Look:
    """What was measured stays in `final`, so that a look that was broken off goes on, and is not taken twice."""

    def __init__(self, of: Exercise, space: Space, data_dir: Path, out: Path) -> None:
        self._of, self._space, self._data_dir, self._folder = of, space, data_dir, out / 'final'

    def take(self, best: FrozenTrial, inner_dir: Path, inner_seed: int) -> Dict[str, Dict[str, List[float]]]:
        """Trains and evaluates; gives the rows of `reports.looked`.

        Raises:
            LabError: another worker takes it.
        """
        with runs.writing(str(self._folder)):
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                lock = locks.take(str(self._folder / 'lock'))
            except locks.HeldError as holder:
                raise LabError(f'process {holder} looks at the held-out slices already; wait for its table.') from None
        with lock:
            self._say_if_not_the_first(best)
            chosen, default = self._space.flags(best.params), self._space.flags({})
            winner = f'trial-{best.number:04d}'
            inner = self._dice(default, inner_seed, inner_dir, 'default/inner')
            return {
                f'trial {best.number}': {'inner': [best.value], 'held out': self._held_out(chosen, winner)},
                'the default': {'inner': [inner], 'held out': self._held_out(default, 'default')},
            }

    def _held_out(self, flags: List[str], name: str) -> List[float]:
        return [self._dice(flags, seed, self._data_dir, f'{name}/seed-{seed}') for seed in SEEDS]

    def _dice(self, flags: List[str], seed: int, data_dir: Path, name: str) -> float:
        training = Training(self._of.name, flags, seed, measuring.fingerprint(data_dir), held_out=[])
        folder = self._folder / name
        return measuring.once(training, data_dir, folder, self._of.folder.parent).metrics[summaries.DICE]

    def _say_if_not_the_first(self, best: FrozenTrial) -> None:
        others = [folder for folder in self._folder.glob('trial-*') if folder.name != f'trial-{best.number:04d}']
        if others:
            names = ', '.join(sorted(shown(folder) for folder in others))
            print(
                f'The held-out slices were looked at before ({names}): each look makes the figures below more hopeful.',
                flush=True,
            )
