"""Trains the challenge's network by the recommended recipe, and evaluates it.

Runs the commands that a student types, and shows each of them.
"""

import os
from pathlib import Path
from typing import List, Sequence

from lvseg import flags
from lvseg.layout import MANIFEST_FILE
from lvseg.project import LOGS, shown

from experiments import commands, measuring
from experiments.measuring import Training

_ALWAYS = [
    *('--network', 'unet', '--normalisation', 'per_image', '--augment', '--loss', 'both'),
    *('--optimizer', 'adam', '--schedule', 'warmup', '--learning_rate', '0.002', '--batch_size', '8'),
]
RECIPE = [*_ALWAYS, '--num_epochs', '50']

# The best there is: weights that phantoms taught, and a training that is longer, on slices that are changed more.
BEST = [*_ALWAYS, '--strength', 'strong', '--num_epochs', '125']
# Of a seed of their own: those that `data_prep phantom` invents unless told otherwise may be who it is judged by.
_START_PHANTOMS = ['--patients', '60', '--with_empty', '--seed', '60']
_START_FLAGS = [*_ALWAYS, '--num_epochs', '15']

BATCH_SIZE = int(RECIPE[RECIPE.index('--batch_size') + 1])


def lasting(steps: int, slices: int) -> List[str]:
    """The flags of a training on so many slices, of so many steps or up to the end of the epoch.

    They stand behind the recipe's: of two of the same flag, the last counts.
    """
    batch_size = min(BATCH_SIZE, slices)
    epochs = -(-steps // -(-slices // batch_size))
    return ['--batch_size', str(batch_size), '--num_epochs', str(epochs)]


def trained_on_phantoms(folder: Path, invented: Sequence[str], training_flags: List[str]) -> Path:
    """Where a run of seed 1 on phantoms lies, of which data_prep is told `invented`; made unless it was before.

    Raises:
        LabError: what lies there was trained with other flags.
    """
    data_dir = folder / 'data'
    if not (data_dir / MANIFEST_FILE).exists():
        commands.run(['-m', 'data_prep', 'phantom', *invented, '--out', shown(data_dir)])
    training = Training('challenge', training_flags, 1, measuring.fingerprint(data_dir), [])
    measuring.once(training, data_dir, folder)
    return folder / 'train'


def _parser() -> flags.Parser:
    parser = flags.Parser(description='Trains the network of the challenge by the recommended recipe.')
    add = parser.add_argument
    add('--data_dir', type=flags.directory, help='directory of the record files (default: data)')
    add('--checkpoint_dir', type=flags.directory, help='directory of the run (default: logs/challenge/train)')
    add(
        '--best',
        action='store_true',
        help='longer, and from the weights of a training on phantoms, which is made first, once (default: off)',
    )
    return parser


def main() -> None:
    """Trains and evaluates."""
    args = _parser().parse_args()
    given = {'data_dir': args.data_dir, 'checkpoint_dir': args.checkpoint_dir}
    directories = [f'--{name}={value}' for name, value in given.items() if value is not None]
    training_flags = RECIPE
    if args.best:
        start = trained_on_phantoms(LOGS / 'challenge' / 'best-start', _START_PHANTOMS, _START_FLAGS)
        training_flags = [*BEST, f'--init_from={shown(start)}']
    commands.run(['exercise_solutions/challenge/runTraining.py', *directories, *training_flags])
    results = [f'--eval_dir={os.path.join(args.checkpoint_dir, "eval")}'] if args.checkpoint_dir else []
    commands.run(['exercise_solutions/challenge/runEval.py', *directories, *results])
