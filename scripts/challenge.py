"""Trains the challenge's network by the recommended recipe, and evaluates it.

Runs the commands that a student types, and shows each of them.
"""

import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.append(str(PROJECT))

RECIPE = [
    *('--network', 'unet', '--normalisation', 'per_image', '--augment', '--loss', 'both'),
    *('--optimizer', 'adam', '--schedule', 'warmup', '--learning_rate', '0.002'),
    *('--batch_size', '8', '--num_epochs', '40'),
]
