"""A training run: one value that describes it, and one directory that keeps it.

The directory holds the description (run.json), checkpoints and TensorBoard events together.
"""

import json
import os
import pathlib
import sys
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any, Callable, Dict, Iterator, NamedTuple, Optional, Sequence

from lvseg import files, locks, project
from lvseg.errors import LabError, one_line
from lvseg.flags import Flag

_FLAGS_FILE = 'run.json'
_LOCK_FILE = 'lock'

# What run.json has as project.told writes it: runs are handed in.
_PATHS = ('data_dir', 'checkpoint_dir', 'init_from', 'program')

# What is made use of is of these kinds, or not there.
_KINDS = {'exercise': str, 'started': str, 'data_dir': str, 'checkpoint_dir': str, 'init_from': str, 'seed': int}


class Run(NamedTuple):
    """All that makes a training what it is; complete before the graph is built, and not changed after."""

    exercise: str
    data_dir: str
    slices: int  # In the training file.
    batch_size: int
    num_epochs: int
    eval_every: Optional[int]  # Epochs; None for never.
    seed: int
    checkpoint_dir: str
    init_from: Optional[str]  # The checkpoint, or run, whose weights a fresh start takes; None for random ones.
    resume: bool
    steps_done: int  # In the checkpoint from which it goes on; 0 for a fresh start.
    # Flags without which a run would not go on as it began, and what a run has that does not tell them; None for those
    # that all runs tell.
    kept_on_resume: Dict[str, Any]
    for_inference: Dict[str, Any]  # What the exercise's own flags have the network be built with.
    settings: Dict[str, Any]  # All flags, the exercise's own among them, as run.json tells them.
    team: Any = None  # By which it is trained together with other processes (lvseg.together.Team); None alone.

    @property
    def steps_per_epoch(self) -> int:
        """How many batches an epoch has; the last one may be smaller."""
        return -(-self.slices // self.batch_size)

    @property
    def steps(self) -> int:
        """How many steps the whole training has."""
        return self.num_epochs * self.steps_per_epoch


def load(directory: str) -> Optional[Dict[str, Any]]:
    """What run.json says: the flags, when the run was started, and the program; None where there is no run.

    Raises:
        LabError: run.json cannot be read, or holds what no run has.
    """
    path = os.path.join(directory, _FLAGS_FILE)
    if not os.path.lexists(path):
        return None
    try:
        with open(path) as file:
            values = json.load(file)
        problem = _problem(values)
    except OSError as error:
        raise LabError(f'cannot read {path}: {error.strerror}. Train afresh, without --resume.') from None
    except (ValueError, RecursionError):  # Brackets in brackets without end.
        problem = 'the flags of a run are wanted'
    if problem:
        raise LabError(f'{path} is damaged: {problem}. Train afresh, without --resume.')
    return _with_paths(values, project.found)


def for_inference(directory: str, run: Dict[str, Any], added: Sequence[Flag]) -> Dict[str, Any]:
    """What the inference of a run's network was called with, by the flags that its exercise adds to the lab's.

    Args:
        directory: that of the run, which an error names.
        run: what its run.json says.
        added: the exercise's own flags; those for inference are looked up.

    Raises:
        LabError: run.json does not tell one of them, or a value that is not offered here.
    """
    wanted = [flag for flag in added if flag.for_inference]
    for flag in wanted:
        if flag.offered is None or run.get(flag.name) in list(flag.offered):  # Anything may stand in run.json.
            continue
        was = f'was trained with --{flag.name} {run[flag.name]}' if flag.name in run else f'does not tell --{flag.name}'
        raise LabError(
            f'{directory} {was}; here there is only {", ".join(map(str, flag.offered))}. Use it with the '
            'neuralnetwork.py that it was trained by.'
        )
    return {flag.name: run.get(flag.name) for flag in wanted}


def _with_paths(values: Dict[str, Any], change: Callable[[str], str]) -> Dict[str, Any]:
    return {**values, **{name: change(values[name]) for name in _PATHS if isinstance(values.get(name), str)}}


def _save(directory: str, values: Dict[str, Any]) -> None:
    save_json(os.path.join(directory, _FLAGS_FILE), _with_paths(values, project.told))


def _problem(values: Any) -> str:  # noqa: ANN401 - whatever JSON can hold
    """What makes these no flags of a run; '' if nothing does."""
    if not isinstance(values, dict):
        return 'the flags of a run are wanted'
    added = values.get('added_flags', [])
    if not isinstance(added, list) or not all(isinstance(flag, str) for flag in added):
        return 'added_flags must be a list of flags'
    for flag, value in values.items():
        if flag != 'added_flags' and not _is_plain(value):
            return f'{flag!a} must be a text, a number, true, false or null'
        kind = _KINDS.get(flag)
        if kind is not None and value is not None and type(value) is not kind:
            return f'{flag} must be {"a text" if kind is str else "a whole number"}'
    if not 0 <= (values.get('seed') or 0) < 2**31:
        return 'seed must be from 0 to 2147483647'
    return ''


def _is_plain(value: Any) -> bool:  # noqa: ANN401 - whatever JSON can hold
    if isinstance(value, int):
        return abs(value) < 2**63
    return value is None or isinstance(value, (str, float))


def check_exercise(run: Dict[str, Any], exercise: str, or_else: str = '') -> None:
    """Raises LabError if what run.json says is of another exercise; `or_else` tells what else there is to do."""
    if run.get('exercise') != exercise:
        raise LabError(
            f'checkpoint of {run.get("exercise", "another network")}, this is {exercise}. '
            f'Give the --checkpoint_dir of a run of {exercise}{or_else}.'
        )


def claim(run: Run) -> IO:
    """Makes --checkpoint_dir ready for a training and holds it, until the file returned is closed.

    A fresh start moves an earlier run's directory aside as a whole; --resume goes on in it.

    Raises:
        LabError: another training holds the directory; it holds files but no run, or a run and the data to be read;
            it cannot be written.
    """
    directory = run.checkpoint_dir
    earlier = load(directory) if run.resume else None
    with writing(directory):
        if earlier is None:
            _keep_earlier_run(directory, run.data_dir)
        else:
            _check_resumable(earlier, run)
        os.makedirs(directory, exist_ok=True)
        lock = _lock(directory)
        started = earlier.get('started') if earlier else datetime.now().isoformat()
        program = os.path.abspath(sys.argv[0])
        _save(directory, {**run.settings, 'started': started, 'program': program})
    return lock


def follow(eval_dir: str, checkpoint_dir: str, *read: str) -> None:
    """Makes `eval_dir` ready for results of the run in `checkpoint_dir`; those of an earlier run are moved aside.

    Args:
        read: other folders that are still to be read.

    Raises:
        LabError: it holds files but no results, or what is to be read; it cannot be written.
    """
    run = load(checkpoint_dir) or {}
    earlier = load(eval_dir)
    if earlier is not None and earlier.get('started') == run.get('started'):
        return
    with writing(eval_dir):
        _keep_earlier_run(eval_dir, checkpoint_dir, *read)
        os.makedirs(eval_dir, exist_ok=True)
        _save(eval_dir, run)


@contextmanager
def writing(directory: str) -> Iterator[None]:
    """What the system has against writing there becomes a LabError."""
    try:
        yield
    except OSError as error:
        raise LabError(f'cannot write to {directory}: {error.strerror}. Choose another directory.') from None


def save_json(path: str, values: Dict[str, Any]) -> None:
    """Writes a JSON file, whole or not at all."""
    with files.replacing(path) as file:
        json.dump(values, file, indent=2, sort_keys=True)
        file.write('\n')


def _keep_earlier_run(directory: str, *read: str) -> None:
    """Moves a run's directory aside as a whole, `train` to `train-1`, `train-2`, …, and says so.

    Not if it holds one of the folders that are still to be read.
    """
    if not os.path.isdir(directory):
        return
    # A run that was killed before it had written its flags is none.
    found = set(os.listdir(directory)) - {_LOCK_FILE, _FLAGS_FILE + files.PART}
    if not found:
        return
    if _FLAGS_FILE not in found:
        raise LabError(f'{directory} holds files, but no run of this lab. Give an empty or a new directory.')
    for folder in read:
        inner = pathlib.Path(folder).resolve()
        if pathlib.Path(directory).resolve() in (inner, *inner.parents):
            raise LabError(
                f'{folder} lies in {directory}, and would be moved aside with the earlier run there. Give another '
                'directory, or move one of the two.'
            )

    number = 1
    while os.path.lexists(f'{directory}-{number}'):
        number += 1
    with _lock(directory):
        os.rename(directory, f'{directory}-{number}')
    kept = one_line(f'The earlier run in {directory} is kept in {directory}-{number}.')
    print(kept, file=sys.stderr, flush=True)


def _check_resumable(earlier: Dict[str, Any], run: Run) -> None:
    check_exercise(earlier, run.exercise, or_else=', or leave out --resume to start afresh')
    for flag, default in run.kept_on_resume.items():
        was = earlier.get(flag, default)  # An older run does not tell a flag that there was not yet.
        if was != run.settings[flag]:
            raise LabError(
                f'the run in {run.checkpoint_dir} has --{flag} {was}, not {run.settings[flag]}. '
                'Resume it with the same, or leave out --resume to start afresh.'
            )
    # With another number, an epoch would have other steps, and what was seen could not be told from what was not.
    if earlier.get('slices', run.slices) != run.slices:
        raise LabError(
            f'the run in {run.checkpoint_dir} has seen {earlier["slices"]} training slices, {run.data_dir} has '
            f'{run.slices}. Resume it with the --data_dir of the same, or leave out --resume to start afresh.'
        )


def _lock(directory: str) -> IO:
    try:
        return locks.take(os.path.join(directory, _LOCK_FILE))
    except locks.HeldError as holder:
        raise LabError(
            f'{directory} is in use by another training (process {holder}). '
            'Wait for it, stop it, or give another --checkpoint_dir.'
        ) from None
