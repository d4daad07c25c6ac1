"""Times whole commands of the lab on each edition of TensorFlow that is set up here, beside a bare loop on 1.15.

Whole processes, from typing the command to its end, in turn: a drift of the machine's speed meets all of them.
"""

import tempfile
from pathlib import Path
from statistics import median
from typing import Dict, List, NamedTuple

from lvseg.project import PROJECT

from tqdm import tqdm

from experiments import commands

ROUNDS = 5

_REFERENCE = '1.15'
_VENVS = {_REFERENCE: '.venv', '2.15': '.venv-tf2.15', '2': '.venv-tf2'}


class Command(NamedTuple):
    """A command, and how long it took and the most memory it had, each time."""

    edition: str
    arguments: List[str]
    seconds: List[float]
    megabytes: List[float]


def report(data_dir: str, rounds: int = ROUNDS) -> None:
    """Prints medians, and the median of the ratios to the first command of each kind, round by round."""
    there = [edition for edition, venv in _VENVS.items() if _python(venv).exists()]
    if _REFERENCE not in there:
        print(f'\neditions of TensorFlow: not compared, for {_REFERENCE} is not set up in .venv (make setup TF=1)')
        return

    with tempfile.TemporaryDirectory() as folder:
        kinds = _commands(there, data_dir, folder)
        turns = [command for compared in kinds.values() for command in compared]
        bar = tqdm(total=rounds * len(turns), desc='Comparing editions', unit=' commands', leave=False, disable=None)
        with bar:
            for _ in range(rounds):
                for command in turns:
                    _time(command)
                    bar.update()
    print(
        f'\nwhole commands, medians of {rounds} rounds    seconds       MB   of the first: seconds (min to max)     MB'
    )
    for kind, compared in kinds.items():
        for command in compared:
            print(_line(kind, command, compared[0]), flush=True)


def _commands(editions: List[str], data_dir: str, folder: str) -> Dict[str, List[Command]]:
    """Those to be compared, by what they do; the first of each is the reference."""

    def training(exercise: str, epochs: int) -> List[Command]:
        program = f'exercise_solutions/{exercise}/runTraining.py'
        given = [program, '--data_dir', data_dir, '--num_epochs', str(epochs), '--seed', '1', '--checkpoint_dir']
        return [Command(edition, [*given, f'{folder}/{exercise}-{edition}'], [], []) for edition in editions]

    def evaluation(exercise: str) -> List[Command]:
        given = [f'exercise_solutions/{exercise}/runEval.py', '--data_dir', data_dir, '--eval_data', 'train']
        runs = [f'{folder}/{exercise}-{edition}' for edition in editions]
        return [
            Command(edition, [*given, '--checkpoint_dir', run, '--eval_dir', f'{run}-eval'], [], [])
            for edition, run in zip(editions, runs)
        ]

    bare = ['-m', 'experiments.bare_loop', 'cnnDice', data_dir, '3', f'{folder}/bare']
    return {
        'cnnDice, 3 epochs': [Command('1.15, bare loop', bare, [], []), *training('cnnDice', 3)],
        'simple, 1 epoch': training('simple', 1),
        'cnnDice, evaluation': evaluation('cnnDice'),
    }


def _time(command: Command) -> None:
    """Runs it once more."""
    spent = commands.spent(command.arguments, str(_python(_VENVS[command.edition.partition(',')[0]])))
    command.seconds.append(spent.seconds)
    command.megabytes.append(spent.megabytes)


def _line(kind: str, command: Command, first: Command) -> str:
    ratios = [here / there for here, there in zip(command.seconds, first.seconds)]
    of_memory = median(command.megabytes) / median(first.megabytes)
    return (
        f'{kind:<20} {command.edition:<16} {median(command.seconds):9.1f} {median(command.megabytes):8.0f}'
        f' {median(ratios):15.2f} ({min(ratios):.2f} to {max(ratios):.2f}) {of_memory:13.2f}'
    )


def _python(venv: str) -> Path:
    return PROJECT / venv / 'bin' / 'python'
