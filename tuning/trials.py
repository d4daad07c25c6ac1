"""A trial: a plain runTraining.py in a folder of its own, looked at from outside while it runs."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple

from lvseg import processes, runs, summaries, validation
from lvseg.errors import LabError
from lvseg.project import DESK, PROJECT, shown

import tensorflow.compat.v1 as tf
from optuna.trial import Trial

_OUTPUT_FILE = 'output.txt'
_SECONDS_TO_SAVE = 120  # A training that is to end finishes its step and saves; a full or slow disk may keep it.


class Setting(NamedTuple):
    """What all trials of a search have in common."""

    program: Path  # runTraining.py
    data_dir: Path  # The inner split.
    num_epochs: int
    eval_every: int
    seed: int

    def command(self, flags: List[str], folder: Path) -> List[str]:
        """The words behind `python` that run a trial."""
        directories = ['--data_dir', shown(self.data_dir), '--checkpoint_dir', shown(folder / 'train')]
        measured = ['--eval_every', str(self.eval_every), '--seed', str(self.seed)]
        return [shown(self.program), *directories, *flags, *measured]


def as_typed(command: List[str]) -> str:
    """A command of Python's as one types it."""
    return ' '.join(map(shlex.quote, ['python', *command]))


class Attempt:
    """A trial that is run.

    Its process is told to end, as by SIGTERM, when this one is killed; where the system cannot do that (macOS), it ends
    by itself after its last epoch.
    """

    def __init__(self, trial: Trial, flags: List[str], setting: Setting, folder: Path) -> None:
        """Raises:
        LabError: the folder cannot be written.
        """
        self.trial = trial
        self.flags = flags
        self.folder = folder
        self.dice: Dict[int, float] = {}  # By epoch, as far as the study knows it.
        self._began = time.time_ns()
        with runs.writing(str(folder)):
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / _OUTPUT_FILE).open('w') as output:
                self._process = subprocess.Popen(
                    [sys.executable, *setting.command(flags, folder)],
                    cwd=DESK,
                    env={**os.environ, 'PYTHONPATH': str(PROJECT)},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    preexec_fn=processes.end_with_parent,
                )

    def news(self) -> List[Tuple[int, float]]:
        """Epochs and their Dice that are not in `dice` yet."""
        return sorted((epoch, dice) for epoch, dice in self._evaluations().items() if epoch not in self.dice)

    def status(self) -> Optional[int]:
        """The exit status; None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """Ends it if it still runs, with a checkpoint."""
        if self.status() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(_SECONDS_TO_SAVE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def last_line(self) -> str:
        """The last that the training has said: of one that failed, the reason."""
        lines = (self.folder / _OUTPUT_FILE).read_text(errors='replace').split('\n')
        said = [line.strip() for line in lines if line.strip()]
        ended = self.status()
        if ended is not None and ended < 0:
            return f'its process was ended by signal {signal.Signals(-ended).name}'
        return said[-1].replace('ERROR: ', '') if said else 'it has said nothing'

    def _evaluations(self) -> Dict[int, float]:
        folder = self.folder / 'train' / validation.EVENTS_DIR
        # Files of an earlier run may lie there until the training has moved them aside.
        files = [path for path in folder.glob('events.out.tfevents.*') if int(path.suffix[1:]) >= self._began]
        if not files:
            return {}
        run = runs.load(str(self.folder / 'train'))
        steps_per_epoch = -(-run['slices'] // run['batch_size'])
        return {step // steps_per_epoch: dice for path in sorted(files) for step, dice in read_dice(str(path)).items()}


def read_dice(path: str) -> Dict[int, float]:
    """Dice by step, of an event file that is perhaps still being written."""
    found = {}
    try:
        for record in tf.python_io.tf_record_iterator(path):
            event = tf.Event.FromString(record)
            found.update(
                (event.step, value.simple_value) for value in event.summary.value if value.tag == summaries.DICE
            )
    except (tf.errors.OpError, IndexError):  # The last record is not there as a whole yet.
        pass
    return found


def has_room(folder: Path) -> None:
    """Raises LabError if nothing can be written into a folder: a full disk is no fault of a trial's settings."""
    probe = folder / 'probe'
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with probe.open('wb') as file:
            file.write(b'\0' * 2**20)
        probe.unlink()
    except OSError as error:
        raise LabError(
            f'cannot write to {folder}: {error.strerror}. Finished trials are kept in the study; when there is room, '
            'the same command goes on.'
        ) from None
