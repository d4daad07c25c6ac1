"""The whole lab in one go: prepares data, trains and evaluates the three solutions, ends with a table.

Runs the commands that a student types, and shows each of them.
"""

from pathlib import Path
from typing import List, Optional

from lvseg import flags
from lvseg.errors import LabError
from lvseg.layout import RECORD_FILES
from lvseg.project import DATA, LOGS, shown

from experiments import commands, tables

# So many that the whole takes about five minutes on two cores: Dice needs tens of epochs to rise.
EPOCHS = {'simple': 1, 'cnn': 6, 'cnnDice': 15}


def prepare(source: Optional[str]) -> None:
    """Makes the records in data/: of the folder given, or of the phantom, or leaves those that are there already."""
    if source is None and (DATA / RECORD_FILES['train']).exists():
        print('data/ holds records already: they are used. (python -m data_prep -h tells how to make others.)')
        return
    commands.run(['-m', 'data_prep', *_preparation(source), '--out', shown(DATA)])


def _preparation(source: Optional[str]) -> List[str]:
    if source is None:
        return ['phantom']
    folder = Path(source)
    if not folder.is_dir():
        raise LabError(f'{source} is no folder; SOURCE wants one with Sunnybrook studies, or with images and masks.')
    images, masks = _subfolder(folder, 'images'), _subfolder(folder, 'labels', 'masks')
    if images is None or masks is None:
        return ['sunnybrook', source]
    names = folder / 'val_names.txt'
    return ['images', str(images), str(masks), *(['--val_names', str(names)] if names.exists() else [])]


def _subfolder(folder: Path, *names: str) -> Optional[Path]:
    return next((path for path in sorted(folder.iterdir()) if path.is_dir() and path.name.lower() in names), None)


def train_and_evaluate(exercise: str, epochs: int) -> commands.Run:
    """Runs runTraining.py and runEval.py of a solution, apart from the student's own runs."""
    flags_of_run = ['--num_epochs', str(epochs), '--seed', '1']
    return commands.train_and_evaluate(exercise, DATA, LOGS / 'lab' / exercise, flags_of_run)


def main() -> None:
    """Runs the lab."""
    parser = flags.Parser(description='Runs the whole lab: data, training and evaluation of the three solutions.')
    parser.add_argument('source', nargs='?', help='folder of real data (default: data/ if prepared, or the phantom)')
    prepare(parser.parse_args().source)
    runs = {exercise: train_and_evaluate(exercise, epochs) for exercise, epochs in EPOCHS.items()}
    print(f'\n{tables.lab(EPOCHS, runs)}')
    print(
        '\nThe lesson about precision: a network that calls every pixel background, and so has found nothing,\n'
        f'has a precision of {runs["simple"].metrics["background_precision"]:.3f}. Dice tells them apart.\n'
        '\nSee the curves and graphs:  make tensorboard\n'
        'Do it yourself:             docs/lab/README.md; the blanks are in exercises/cnn/neuralnetwork.py\n'
        'From slices to a patient:   docs/lab/13-patient.md; make segment gives volumes and ejection fraction'
    )
