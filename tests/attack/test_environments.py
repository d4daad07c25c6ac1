"""Odd environments and odd flags, through the programs as a shell starts them: they work, or end in one line."""

import os
import random
import resource
import subprocess
import sys

import numpy as np
import pytest

from tests.attack.mutations import ODD_TEXTS
from tests.data_prep import studies

pytestmark = pytest.mark.slow


SQUARE = np.zeros((256, 256), np.uint8)
SQUARE[100:150, 100:150] = 255
ODD_VALUES = {
    'LC_ALL': ['C', 'POSIX', 'xx_YY', ''],
    'LANG': ['C', 'tr_TR.UTF-8', ''],
    'PYTHONIOENCODING': ['ascii', 'latin-1'],
    'HOME': ['', '/nowhere', '/dev/null'],
    'TERM': ['', 'dumb', 'nonsense'],
    'COLUMNS': ['', '0', '1', '-5', 'abc', '9' * 30],
    'TMPDIR': ['/nowhere', ''],
    'TZ': ['nonsense', ':/dev/null'],
    'OMP_NUM_THREADS': ['0', 'abc', '-1'],
    'CUDA_VISIBLE_DEVICES': ['', '-1', 'abc'],
    'PYTHONUTF8': ['0', '1'],
    'PYTHONUNBUFFERED': ['1'],
    'PYTHONHASHSEED': ['0', '7'],
}
LIMITS = {'open files': (resource.RLIMIT_NOFILE, [8, 16, 32]), 'bytes a file': (resource.RLIMIT_FSIZE, [100, 10**5])}
FLAGS = [
    '--val_fraction',
    '--split',
    '--seed',
    '--workers',
    '--val_names',
    '--out',
    '--fit',
    '--skip_bad',
    '--nonsense',
]


def odd_flags(draw):
    chosen = []
    for flag in draw.sample(FLAGS, draw.choice([0, 1, 2])):
        chosen += [flag, *([draw.choice([text for text in ODD_TEXTS if '\0' not in text])] * draw.randint(0, 1))]
    return chosen


def closing(draw):
    """Standard streams that are closed, or that are something else than one would think."""
    choices = [subprocess.PIPE, subprocess.PIPE, subprocess.DEVNULL]
    return {'stdin': draw.choice([None, subprocess.DEVNULL]), 'stdout': draw.choice(choices), 'stderr': subprocess.PIPE}


def limited(draw):
    number, values = draw.choice([*LIMITS.values(), (None, [0])])
    value = draw.choice(values)

    def limit():
        if number is not None:
            resource.setrlimit(number, (value, resource.getrlimit(number)[1]))

    return limit


def test_odd_environments_and_flags_are_met_in_one_line(root, tenth, tmp_path):
    number, well = 50, 0
    tree = {f'{kind}/ä {name}.png': studies.picture(SQUARE) for kind in ('images', 'masks') for name in 'ab'}
    studies.write_tree(tmp_path / 'raw', tree)
    for case in range(tenth * number, (tenth + 1) * number):
        draw = random.Random(case)
        environment = {**os.environ, 'PYTHONPATH': str(root)}
        for name in draw.sample(sorted(ODD_VALUES), draw.choice([1, 2, 4])):
            environment[name] = draw.choice(ODD_VALUES[name])
        out = tmp_path / f'out {case}'
        command = [sys.executable, '-m', 'data_prep', 'images', 'raw/images', 'raw/masks', '--out', str(out)]
        command += odd_flags(draw)
        process = subprocess.Popen(
            command, cwd=str(tmp_path), env=environment, preexec_fn=limited(draw), **closing(draw)
        )
        _, err = process.communicate(timeout=300)
        assert process.returncode in (0, 1, 2), (case, command, environment, err)
        assert b'Traceback' not in err, (case, command, err)
        if process.returncode:
            assert err.count(b'\n') == 1 and err.startswith(b'ERROR: '), (case, command, err)
        else:
            assert err == b'', (case, command, err)
            well += 1
    assert 0 < well < number
