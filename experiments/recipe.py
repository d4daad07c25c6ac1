"""Trains the challenge's network by the recommended recipe, and evaluates it.

Runs the commands that a student types, and shows each of them.
"""

import os

from lvseg import flags

from experiments import commands

RECIPE = [
    *('--network', 'unet', '--normalisation', 'per_image', '--augment', '--loss', 'both'),
    *('--optimizer', 'adam', '--schedule', 'warmup', '--learning_rate', '0.002'),
    *('--batch_size', '8', '--num_epochs', '50'),
]


BATCH_SIZE = int(RECIPE[RECIPE.index('--batch_size') + 1])


def epochs(steps: int, slices: int, batch_size: int = BATCH_SIZE) -> int:
    """How many epochs of so many slices have at least so many steps."""
    return -(-steps // -(-slices // batch_size))


def main() -> None:
    """Trains and evaluates."""
    parser = flags.Parser(description='Trains the network of the challenge by the recommended recipe.')
    parser.add_argument('--data_dir', type=flags.directory, help='directory of the record files (default: data)')
    parser.add_argument(
        '--checkpoint_dir', type=flags.directory, help='directory of the run (default: logs/challenge/train)'
    )
    args = parser.parse_args()

    directories = [f'--{name}={value}' for name, value in vars(args).items() if value is not None]
    commands.run(['exercise_solutions/challenge/runTraining.py', *directories, *RECIPE])
    results = [f'--eval_dir={os.path.join(args.checkpoint_dir, "eval")}'] if args.checkpoint_dir else []
    commands.run(['exercise_solutions/challenge/runEval.py', *directories, *results])
