"""A training run is a directory: its flags (run.json), checkpoints and TensorBoard events together."""

import fcntl
import json
import os
import random
import sys
from argparse import Namespace
from datetime import datetime
from typing import IO, Any, Dict, Optional

from lvseg import checkpoints
from lvseg.errors import LabError

_FLAGS_FILE = 'run.json'
_LOCK_FILE = 'lock'


def load(directory: str) -> Optional[Dict[str, Any]]:
    """What run.json says: the flags, when the run was started, and the process that did; None where there is no run."""
    path = os.path.join(directory, _FLAGS_FILE)
    if not os.path.isfile(path):
        return None
    with open(path) as file:
        return json.load(file)


def steps_to_skip(args: Namespace) -> int:
    """How many steps of the epochs asked for are already done: none, unless --resume finds a checkpoint."""
    checkpoint = checkpoints.newest(args.checkpoint_dir)
    if not args.resume or checkpoint is None:
        return 0
    return checkpoints.step(checkpoint)


def seed(args: Namespace) -> int:
    """The run's seed: --seed, or else that of the run to be resumed, or else a new one; noted in args."""
    if args.seed is None and args.resume:
        args.seed = (load(args.checkpoint_dir) or {}).get('seed')
    if args.seed is None:
        args.seed = random.SystemRandom().randrange(2**31)
    return args.seed


def claim(args: Namespace) -> IO:
    """Makes --checkpoint_dir ready for a training and holds it, until the file returned is closed.

    A fresh start moves an earlier run's directory aside as a whole; --resume goes on in it.

    Raises:
        LabError: another training holds the directory; it holds files but no run; it cannot be written.
    """
    directory = args.checkpoint_dir
    earlier = load(directory) if args.resume else None
    try:
        if earlier is None:
            _keep_earlier_run(directory)
        else:
            _check_resumable(earlier, args)
        os.makedirs(directory, exist_ok=True)
        lock = _lock(directory)
        started = earlier['started'] if earlier else datetime.now().isoformat()
        _save(directory, {**vars(args), 'started': started, 'process': os.getpid()})
    except OSError as error:
        raise _unwritable(directory, error) from None
    return lock


def follow(eval_dir: str, checkpoint_dir: str) -> None:
    """Makes `eval_dir` ready for results of the run in `checkpoint_dir`; those of an earlier run are moved aside."""
    run = load(checkpoint_dir) or {}
    earlier = load(eval_dir)
    if earlier is not None and earlier.get('started') == run.get('started'):
        return
    try:
        _keep_earlier_run(eval_dir)
        os.makedirs(eval_dir, exist_ok=True)
        _save(eval_dir, run)
    except OSError as error:
        raise _unwritable(eval_dir, error) from None


def _keep_earlier_run(directory: str) -> None:
    """Moves a run's directory aside as a whole, `train` to `train-1`, `train-2`, …, and says so."""
    if not os.path.isdir(directory) or not set(os.listdir(directory)) - {_LOCK_FILE}:
        return
    if load(directory) is None:
        raise LabError(f'{directory} holds files, but no run of this lab. Give an empty or a new directory.')

    directory = os.path.abspath(directory)
    number = 1
    while os.path.exists(f'{directory}-{number}'):
        number += 1
    with _lock(directory):
        os.rename(directory, f'{directory}-{number}')
    print(f'The earlier run in {directory} is kept in {directory}-{number}.', file=sys.stderr, flush=True)


def _check_resumable(earlier: Dict[str, Any], args: Namespace) -> None:
    for flag in ('exercise', 'batch_size'):
        if earlier.get(flag) != getattr(args, flag):
            raise LabError(
                f'the run in {args.checkpoint_dir} has {flag} {earlier.get(flag)}, this one {getattr(args, flag)}. '
                'Resume it with the same, or leave out --resume to start afresh.'
            )


def _lock(directory: str) -> IO:
    """Locks a directory for this process; the system lets the lock go when the process ends, however it ends."""
    file = open(os.path.join(directory, _LOCK_FILE), 'a')  # noqa: SIM115 - held open as long as the lock
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        holder = (load(directory) or {}).get('process', 'unknown')
        raise LabError(
            f'{directory} is in use by another training (process {holder}). '
            'Wait for it, stop it, or give another --checkpoint_dir.'
        ) from None
    return file


def _save(directory: str, values: Dict[str, Any]) -> None:
    """Writes run.json, whole or not at all."""
    path = os.path.join(directory, _FLAGS_FILE)
    with open(path + '.tmp', 'w') as file:
        json.dump(values, file, indent=2, sort_keys=True)
        file.write('\n')
    os.replace(path + '.tmp', path)


def _unwritable(directory: str, error: OSError) -> LabError:
    return LabError(f'cannot write to {directory}: {error.strerror}. Choose another directory.')
