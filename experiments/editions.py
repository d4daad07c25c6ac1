"""Times whole commands of the lab on each edition of TensorFlow that is set up here, beside a bare loop on 1.15.

Whole processes, from typing the command to its end, in turn: a drift of the machine's speed meets all of them.
"""

import os
import tempfile
from statistics import median
from typing import Dict, List, NamedTuple

from lvseg.project import PROJECT

from tqdm import tqdm

from experiments import commands
from experiments.commands import Spent
from setup.editions import EDITIONS, Edition

ROUNDS = 5

_REFERENCE = '1.15'


class Command(NamedTuple):
    """A command, and what it took, each time."""

    name: str
    venv: str
    arguments: List[str]
    spent: List[Spent]


def report(data_dir: str, rounds: int = ROUNDS) -> None:
    """Prints medians, and the median of the ratios to the first command of each kind, round by round."""
    there = [edition for edition in reversed(EDITIONS) if _is_set_up(edition.venv)]
    if _REFERENCE not in [edition.name for edition in there]:
        print(f'\neditions of TensorFlow: not compared, for {_REFERENCE} is not set up in .venv (make setup TF=1)')
        return

    with tempfile.TemporaryDirectory() as folder:
        kinds = _commands(there, data_dir, folder)
        turns = [command for compared in kinds.values() for command in compared]
        bar = tqdm(total=rounds * len(turns), desc='Comparing editions', unit=' commands', leave=False, disable=None)
        with bar:
            for _ in range(rounds):
                for command in turns:
                    command.spent.append(commands.spent(command.arguments, _python(command.venv)))
                    bar.update()
    print(
        f'\nwhole commands, medians of {rounds} rounds    seconds       MB   of the first: seconds (min to max)     MB'
    )
    for kind, compared in kinds.items():
        for command in compared:
            print(_line(kind, command, compared[0]), flush=True)


def _commands(editions: List[Edition], data_dir: str, folder: str) -> Dict[str, List[Command]]:
    """Those to be compared, by what they do; the first of each is the reference, on the first of the editions."""

    def on_each(*arguments: str) -> List[Command]:
        """`{}` stands for the edition."""
        return [
            Command(edition.name, edition.venv, [argument.replace('{}', edition.name) for argument in arguments], [])
            for edition in editions
        ]

    def training(exercise: str, epochs: int) -> List[Command]:
        given = ['--data_dir', data_dir, '--num_epochs', str(epochs), '--seed', '1']
        run = f'{folder}/{exercise}-{{}}'
        return on_each(f'exercise_solutions/{exercise}/runTraining.py', *given, '--checkpoint_dir', run)

    run = f'{folder}/cnnDice-{{}}'
    given = ['--data_dir', data_dir, '--eval_data', 'train', '--checkpoint_dir', run, '--eval_dir', f'{run}-eval']
    bare = ['-m', 'experiments.bare_loop', 'cnnDice', data_dir, '3', f'{folder}/bare']
    return {
        'cnnDice, 3 epochs': [Command('1.15, bare loop', editions[0].venv, bare, []), *training('cnnDice', 3)],
        'simple, 1 epoch': training('simple', 1),
        'cnnDice, evaluation': on_each('exercise_solutions/cnnDice/runEval.py', *given),
    }


def _line(kind: str, command: Command, first: Command) -> str:
    ratios = [here.seconds / there.seconds for here, there in zip(command.spent, first.spent)]
    of_memory = _megabytes(command) / _megabytes(first)
    return (
        f'{kind:<20} {command.name:<16} {median(spent.seconds for spent in command.spent):9.1f}'
        f' {_megabytes(command):8.0f} {median(ratios):15.2f} ({min(ratios):.2f} to {max(ratios):.2f}) {of_memory:13.2f}'
    )


def _megabytes(command: Command) -> float:
    return median(spent.megabytes for spent in command.spent)


def _is_set_up(venv: str) -> bool:
    return os.path.exists(_python(venv)) and not (PROJECT / venv).is_symlink()


def _python(venv: str) -> str:
    return str(PROJECT / venv / 'bin' / 'python')
