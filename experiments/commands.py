"""Runs the lab's commands as a student types them, and shows each of them."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

from lvseg import processes, reports
from lvseg.project import DESK, PROJECT, SOLUTIONS, shown


class Run(NamedTuple):
    """A training that was evaluated."""

    seconds: float  # of the whole training command, its start included
    metrics: Dict[str, Any]  # as runEval.py keeps them


def run(arguments: List[str]) -> None:
    """Shows a command of Python's and runs it; ends the program as the command does, if it fails."""
    print(f'\n$ python {" ".join(map(shlex.quote, arguments))}', flush=True)
    with subprocess.Popen([sys.executable, *arguments], cwd=DESK, preexec_fn=processes.end_with_parent) as process:
        try:
            status = process.wait()
        except KeyboardInterrupt:  # The command got Ctrl-C as well; a training saves its checkpoint first.
            process.wait()
            raise
    if status != 0:  # It has said why.
        sys.exit(status)


class Spent(NamedTuple):
    """What a command took."""

    seconds: float
    megabytes: float  # The most memory it had.


def spent(arguments: List[str], python: str = sys.executable) -> Spent:
    """Runs a command of Python's in silence, but for errors; ends the program as the command does, if it fails.

    Its memory is never less than this process has at the moment, of which the command's is a copy to begin with.
    """
    environment = {**os.environ, 'PYTHONPATH': str(PROJECT)}
    started = time.time()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [python, *arguments], cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=said
        )
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            said.seek(0)
            sys.stderr.write(said.read().decode(errors='replace'))
            sys.exit(os.WEXITSTATUS(status) or 128 + os.WTERMSIG(status))
    return Spent(time.time() - started, usage.ru_maxrss / 1024)


def train_and_evaluate(
    exercise: str, data_dir: Path, folder: Path, flags: List[str], exercises: Path = SOLUTIONS
) -> Run:
    """Runs runTraining.py, with these flags, and runEval.py of an exercise, into `train` and `eval` of a folder."""
    train, evaluate = folder / 'train', folder / 'eval'
    programs = shown(exercises / exercise)
    directories = ['--data_dir', shown(data_dir), '--checkpoint_dir', shown(train)]
    started = time.time()
    run([f'{programs}/runTraining.py', *flags, *directories])
    seconds = time.time() - started
    run([f'{programs}/runEval.py', *directories, '--eval_dir', shown(evaluate)])
    return Run(seconds, json.loads((evaluate / reports.METRICS_FILE).read_text()))
