"""Checkpoints: saving one, finding the newest, and restoring it into the network that it was made by."""

import glob
import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

from lvseg import files, runs, versions
from lvseg.errors import LabError

import numpy as np
import tensorflow.compat.v1 as tf

_NAME = 'model.ckpt'
_UNFINISHED = '.tempstate'  # What TensorFlow adds to the names of files that it is still writing.
_NAMES_SHOWN = 8
_FILE_OF_CHECKPOINT = re.compile(r'\.(index|data-\d+-of-\d+)$')
_STATE_FILE = 'checkpoint'  # TensorFlow's note of which checkpoint is the newest; replaced only when that is complete.


def newest(directory: str) -> Optional[str]:
    """The path of the newest complete checkpoint; None where there is none.

    Raises:
        LabError: the note of which it is cannot be read, or names a checkpoint that is not there, or elsewhere.
    """
    path = os.path.join(directory, _STATE_FILE)
    while True:
        noted = _content(path)
        # Not tf.train.latest_checkpoint, which takes [, * and ? in the directory's name for a pattern.
        try:
            state = tf.train.get_checkpoint_state(directory)
        except (ValueError, tf.errors.OpError):  # The note names none, or has just been removed.
            state = None
        if state is not None and os.path.isfile(f'{state.model_checkpoint_path}.index'):
            _check_inside(directory, state.all_model_checkpoint_paths)
            return state.model_checkpoint_path
        if noted is None:
            return None
        if _content(path) == noted:  # Otherwise a training has just replaced the checkpoint by a newer one.
            raise LabError(f'{path} is damaged, or names a checkpoint that is no longer there. Train again.')


def _check_inside(directory: str, noted: Iterable[str]) -> None:
    """What is noted is removed when it is outdated, so it must be the run's own."""
    for path in noted:
        if os.path.realpath(os.path.dirname(path)) != os.path.realpath(directory):
            raise LabError(
                f'{os.path.join(directory, _STATE_FILE)} names {path}, which is not in this directory. Train again.'
            )


def step(checkpoint: str) -> int:
    """The global step at which a checkpoint was made.

    Raises:
        LabError: the checkpoint is damaged, or has no such step.
    """
    number = saved_number(checkpoint, tf.GraphKeys.GLOBAL_STEP)
    if not isinstance(number, int) or number < 0:
        raise LabError(f'{checkpoint} has a step of {number}; a whole number from 0 is wanted. Train again.')
    return number


def saved_number(checkpoint: str, name: str) -> float:
    """The value that a variable has in a checkpoint.

    Raises:
        LabError: the checkpoint is damaged, or the variable is no finite number.
    """
    with _reader(checkpoint) as reader:
        value = np.asarray(reader.get_tensor(name))
    if value.shape or value.dtype.kind not in 'iuf' or not np.isfinite(value):
        raise LabError(
            f'{checkpoint} has a {name} of {value.dtype} {list(value.shape)}; one finite number is wanted. Train again.'
        )
    return value.item()


def save(session: tf.Session, saver: tf.train.Saver, directory: str, global_step: int) -> None:
    """Saves all variables; until that is done, the newest checkpoint is the one before.

    Raises:
        LabError: it cannot be written, for want of space mostly; says how much is needed.
    """
    path = os.path.join(directory, _NAME)
    try:
        # TensorFlow would note it as the newest, and remove an older one, before it is on disk.
        checkpoint = saver.save(session, path, global_step, write_meta_graph=False, write_state=False)
        files.sync(*_files_of(checkpoint), directory)
        _note(saver, checkpoint)
    except ValueError:  # So the saver says that the directory is not there.
        raise LabError(f'{directory} was removed during the training; nothing can be saved there.') from None
    except (tf.errors.OpError, OSError) as error:
        raise LabError(
            f'the checkpoint of step {global_step} cannot be saved in {directory}: {versions.disk_reason(error)}. '
            f'It needs {_megabytes(_size())}, {_megabytes(shutil.disk_usage(directory).free)} are free. What was saved '
            'before is intact: make room and go on with --resume.'
        ) from None


def restore(session: tf.Session, saver: tf.train.Saver, checkpoint: str, exercise: str) -> None:
    """Restores the weights.

    Raises:
        LabError: the checkpoint is damaged, or of another network, or not all of its weights are finite; says which.
    """
    check_network(checkpoint, exercise)
    with explaining_damage(checkpoint), _without_pattern(checkpoint) as path:
        saver.restore(session, path)
    weights = {variable.op.name: variable for variable in tf.trainable_variables()}
    _check_finite(checkpoint, session.run(weights))


def resume(session: tf.Session, saver: tf.train.Saver, checkpoint: str, exercise: str) -> None:
    """Restores the weights, and goes on in the checkpoint's directory as if there had been no break.

    The checkpoints there are removed in their turn; what a killed save has left is removed now.

    Raises:
        LabError: as `restore`; nothing is removed then.
    """
    restore(session, saver, checkpoint, exercise)
    directory = os.path.dirname(checkpoint)
    remove_unfinished(directory)
    remember(saver, tf.train.get_checkpoint_state(directory).all_model_checkpoint_paths)


def check_network(checkpoint: str, exercise: str) -> None:
    """Compares the variables of a checkpoint, by name, shape and type, with those of the graph.

    Raises:
        LabError: the checkpoint is damaged, or of another network; says which.
    """
    with _reader(checkpoint) as reader:
        found, types = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    for variable in tf.global_variables():
        name, wanted = variable.op.name, variable.shape.as_list()
        if name not in found:
            trained = (runs.load(os.path.dirname(checkpoint)) or {}).get('exercise', 'another network')
            if trained == exercise:
                raise LabError(
                    f'{checkpoint} has no variable {name}: the network of {exercise} was another one when it was '
                    'trained. Train again with this network, or change it back.'
                )
            raise LabError(
                f'checkpoint of {trained}, this is {exercise}: {checkpoint} has no variable {name}. '
                f'Give the --checkpoint_dir of a run of {exercise}.'
            )
        if found[name] != wanted:
            raise LabError(
                f'the variable {name} has the shape {found[name]} in {checkpoint}, {wanted} in this network. '
                'Train again with this network, or change it back.'
            )
        if types[name] != variable.dtype.base_dtype:
            raise LabError(
                f'the variable {name} is of {types[name].name} in {checkpoint}, of {variable.dtype.base_dtype.name} in '
                'this network. Train again with this network, or change it back.'
            )


def fitting_weights(path: str) -> Tuple[Dict[str, np.ndarray], List[str]]:
    """What another run's checkpoint has for this graph's network: the values that fit, and the names of the others.

    The step and what the optimizer keeps are not taken: the training is a new one.

    Args:
        path: a checkpoint, or one of its files, or the directory of a run, whose newest it then is.

    Returns:
        The values by the variables' names; the sorted names of variables that have another shape there, or are not
        there.

    Raises:
        LabError: there is no checkpoint, it is damaged, nothing in it fits, or what fits is not finite.
    """
    checkpoint = newest(path) if os.path.isdir(path) else _FILE_OF_CHECKPOINT.sub('', path)
    if checkpoint is None or not os.path.isfile(f'{checkpoint}.index'):
        raise LabError(f'--init_from {path}: no checkpoint there. Give one, or the --checkpoint_dir of another run.')
    with _reader(checkpoint) as reader:
        shapes, types = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
        wanted = {var.op.name: (var.shape.as_list(), var.dtype.base_dtype) for var in _network_variables()}
        fitting = {
            name: reader.get_tensor(name)
            for name, kind in wanted.items()
            if (shapes.get(name), types.get(name)) == kind
        }
    if not fitting:
        raise LabError(f'--init_from {path}: none of its variables fits this network; it has {_listed(shapes)}.')
    _check_finite(checkpoint, fitting)
    return fitting, sorted(set(wanted) - set(fitting))


def assign(session: tf.Session, values: Dict[str, np.ndarray]) -> None:
    """Gives variables their values, by name; in one run, since a U-Net takes a second with one for each."""
    with session.graph.as_default():
        variables = [variable for variable in tf.global_variables() if variable.op.name in values]
    initial = {variable.initializer.inputs[1]: values[variable.op.name] for variable in variables}
    session.run([variable.initializer for variable in variables], initial)


@contextmanager
def explaining_damage(checkpoint: str) -> Iterator[None]:
    """A failure to read a checkpoint becomes a LabError."""
    with versions.damage_as(LabError(f'the checkpoint {checkpoint} is damaged. Train again.')):
        yield


def remember(saver: tf.train.Saver, kept: Iterable[str]) -> None:
    """Tells the saver which checkpoints there are, the oldest first."""
    # When each was made would matter if some were to be kept for ever.
    saver.set_last_checkpoints_with_time([(path, 0.0) for path in kept])


def _check_finite(checkpoint: str, values: Dict[str, np.ndarray]) -> None:
    """With others every prediction is void, and a training that goes on from them has diverged already."""
    for name, value in values.items():
        if not np.isfinite(value).all():
            raise LabError(
                f'{checkpoint} has values in {name} that are not finite. Take another checkpoint, or train again.'
            )


@contextmanager
def _reader(checkpoint: str) -> Iterator[Any]:
    """TensorFlow's reader of a checkpoint without a graph."""
    with explaining_damage(checkpoint), _without_pattern(checkpoint) as path:
        yield tf.train.load_checkpoint(path)


@contextmanager
def _without_pattern(checkpoint: str) -> Iterator[str]:
    """The path of a checkpoint by a link: TensorFlow reads [, * and ? in a path as a pattern, and finds nothing."""
    with tempfile.TemporaryDirectory() as folder:
        link = os.path.join(folder, 'run')
        os.symlink(os.path.abspath(os.path.dirname(checkpoint)), link)
        yield os.path.join(link, os.path.basename(checkpoint))


def remove_unfinished(directory: str) -> None:
    """Removes what a save that was killed has left behind: up to 403 MB each time."""
    for path in glob.glob(os.path.join(glob.escape(directory), f'{_NAME}*{_UNFINISHED}*')):
        os.remove(path)


def _note(saver: tf.train.Saver, checkpoint: str) -> None:
    """Notes a checkpoint as the newest; those that are now too many are removed."""
    directory, most = os.path.abspath(os.path.dirname(checkpoint)), saver.saver_def.max_to_keep
    saved = [*(earlier for earlier in saver.last_checkpoints if earlier != checkpoint), checkpoint]
    kept = [os.path.basename(path) for path in saved[-most:]]  # Relative: a run may be moved as a whole.
    with files.replacing(os.path.join(directory, _STATE_FILE)) as file:
        file.write(str(tf.train.generate_checkpoint_state_proto(directory, kept[-1], kept)))
    remember(saver, saved[-most:])
    for outdated in saved[:-most]:
        for path in _files_of(outdated):
            os.remove(path)


def _files_of(checkpoint: str) -> List[str]:
    return glob.glob(f'{glob.escape(checkpoint)}.*')


def _network_variables() -> List[tf.Variable]:
    """Weights, and the means and variances that batch normalisation has seen; not the optimizer's, nor the step."""
    seen = ('/moving_mean', '/moving_variance')
    return tf.trainable_variables() + [value for value in tf.global_variables() if value.op.name.endswith(seen)]


def _listed(names: Iterable[str]) -> str:
    """The first few names, in one line."""
    names = sorted(names)
    return ', '.join(names[:_NAMES_SHOWN]) + (f' and {len(names) - _NAMES_SHOWN} more' * (len(names) > _NAMES_SHOWN))


def _content(path: str) -> Optional[bytes]:
    if not os.path.lexists(path):
        return None
    try:
        with open(path, 'rb') as file:
            return file.read()
    except FileNotFoundError:  # Removed in between, or a link that leads nowhere.
        return None
    except OSError as error:
        raise LabError(f'cannot read {path}: {error.strerror}. Train again.') from None


def _size() -> int:
    return sum(variable.shape.num_elements() * variable.dtype.size for variable in tf.global_variables())


def _megabytes(size: int) -> str:
    return f'{size / 1e6:.1f} MB'
