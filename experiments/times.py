"""How many minutes the trainings that the guide tells of take on this machine, reckoned from short ones.

Every training is run for 1 epoch and for 3, whole commands: half of the difference is an epoch, the rest is the
start. In turn and several times, as a machine has faster and slower minutes; of a busy one, times are of no use.
"""

import tempfile
from statistics import median
from typing import List, NamedTuple, Tuple

from lvseg import flags, records
from lvseg.errors import LabError
from lvseg.layout import record_file

from tqdm import tqdm

from experiments import commands
from experiments.recipe import BATCH_SIZE, BEST, RECIPE
from experiments.results import CHALLENGE, ROWS, machine

ROUNDS = 3
SHORT, LONG = 1, 3  # epochs


class Training(NamedTuple):
    """One that the guide tells of."""

    name: str
    exercise: str
    flags: List[str]
    epochs: int


def _training(name: str, exercise: str, given: List[str]) -> Training:
    """By flags that have --num_epochs among them."""
    at = given.index('--num_epochs')
    return Training(name, exercise, given[:at] + given[at + 2 :], int(given[at + 1]))


TRAININGS = (
    _training('`cnn`: 30 epochs', 'cnn', ROWS[1].flags.split()),
    _training("`cnnDice`: the lab's best recipe", 'cnnDice', ROWS[3].flags.split()),
    _training('`challenge`: a better start', 'challenge', CHALLENGE[0].split()),
    _training('`challenge`: the recipe', 'challenge', RECIPE),
    _training('`challenge`: the best recipe, after the phantoms', 'challenge', BEST),
)


def minutes(short: float, long: float, epochs: int) -> float:
    """Minutes of so many epochs, if SHORT and LONG epochs take so many seconds."""
    epoch = (long - short) / (LONG - SHORT)
    return (short + epoch * (epochs - SHORT)) / 60


def measure(training: Training, data_dir: str) -> float:
    """Trains twice, briefly, and tells the minutes of all of its epochs."""

    def seconds(epochs: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            program = f'exercise_solutions/{training.exercise}/runTraining.py'
            given = ['--data_dir', data_dir, '--checkpoint_dir', f'{folder}/train', '--num_epochs', str(epochs)]
            return commands.spent([program, *training.flags, *given]).seconds

    return minutes(seconds(SHORT), seconds(LONG), training.epochs)


def table(measured: List[Tuple[Training, List[float]]]) -> str:
    """As Markdown; each training with the minutes of its rounds, the middle one and the range."""
    lines = ['| training | epochs | minutes | least to most |', '|---|---|---|---|']
    for training, rounds in measured:
        lines.append(
            f'| {training.name} | {training.epochs} | {median(rounds):.1f} | {min(rounds):.1f} to {max(rounds):.1f} |'
        )
    return '\n'.join(lines)


def main() -> None:
    """Measures, and prints the table.

    Raises:
        LabError: there are no records, or not enough for a batch.
    """
    parser = flags.Parser(description=__doc__.splitlines()[0])
    parser.add_argument('data_dir', type=flags.directory, help='directory of the records to train on')
    data_dir = parser.parse_args().data_dir
    slices = records.count(record_file(data_dir, 'train'))
    if slices < BATCH_SIZE:  # A training would take its time to find that.
        raise LabError(f'{data_dir} has {slices} slices to train on; {BATCH_SIZE} are wanted at least, a batch.')

    measured: List[Tuple[Training, List[float]]] = [(training, []) for training in TRAININGS]
    bar = tqdm(total=ROUNDS * len(measured), desc='Timing', unit=' trainings', leave=False, disable=None)
    with bar:
        for _ in range(ROUNDS):
            for training, rounds in measured:
                rounds.append(measure(training, data_dir))
                bar.update()
    print(f'{slices} slices, on {machine()}; reckoned from {SHORT} and {LONG} epochs, {ROUNDS} times.\n')
    print(table(measured))
