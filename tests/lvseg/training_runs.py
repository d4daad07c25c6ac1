"""What tests of trainings have in common: how they are started and broken off, and what they leave."""

import os
import subprocess
import sys

from lvseg import training

import numpy as np
import tensorflow.compat.v1 as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

# Runs an exercise's program with other constants: `python -c DRIVER CHECKPOINT_STEPS runTraining.py FLAGS`.
DRIVER = """
import os, runpy, sys
from lvseg import chief
chief._CHECKPOINT_STEPS = int(sys.argv[1])
sys.argv = sys.argv[2:]
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name='__main__')
"""


def weights(run_dir):
    """All variables of the newest checkpoint."""
    checkpoint = tf.train.load_checkpoint(str(run_dir))
    return {name: checkpoint.get_tensor(name) for name in checkpoint.get_variable_to_shape_map()}


def assert_same_weights(run_dir, other_dir):
    ours, theirs = weights(run_dir), weights(other_dir)
    assert set(ours) == set(theirs) == {'Hidden1/W_fc', 'Final/W_fc2', 'global_step'}
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], name)


def steps_saved(run_dir):
    state = tf.train.get_checkpoint_state(str(run_dir))
    return [int(path.rsplit('-')[-1]) for path in state.all_model_checkpoint_paths]


def curve(run_dir, tag):
    """{step: value} as TensorBoard shows it."""
    events = EventAccumulator(str(run_dir)).Reload()
    scalars = events.Scalars(tag)
    assert len({scalar.step for scalar in scalars}) == len(scalars), 'a stretch is there twice'
    return {scalar.step: scalar.value for scalar in scalars}


def assert_refused(outcome, *parts):
    """One line says it, after the one on the device; nothing is claimed to be done."""
    assert outcome.code == 1
    assert 'Done training' not in outcome.out
    lines = [line for line in outcome.err.splitlines() if not line.startswith('Running on')]
    assert len(lines) == 1 and lines[0].startswith('ERROR: '), outcome.err
    for part in parts:
        assert part in lines[0]


def start(folder, data_dir, run_dir, *flags, program='runTraining.py', checkpoint_steps=1000, **kwargs):
    arguments = ['--data_dir', data_dir, '--checkpoint_dir', run_dir, *flags]
    command = [sys.executable, '-c', DRIVER, checkpoint_steps, folder / program, *arguments]
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(p for p in sys.path if p)}
    given = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, 'text': True, **kwargs}
    return subprocess.Popen(list(map(str, command)), env=environment, **given)


def wait_for(process, text):
    """Reads what a process prints until a line begins with the text."""
    lines = iter(process.stdout.readline, '')
    found = next((line for line in lines if line.startswith(text)), None)
    assert found, process.stderr.read()
    return found


class Killed(BaseException):
    """Passes through everything, so that nothing is saved or tidied up."""


def kill_after(patch, steps):
    after_run = training._Interruption.after_run

    def kill(self, run_context, run_values):
        self.made = getattr(self, 'made', 0) + 1
        if self.made == steps:
            raise Killed
        after_run(self, run_context, run_values)

    patch.setattr(training._Interruption, 'after_run', kill)
