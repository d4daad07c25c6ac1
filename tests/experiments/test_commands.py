"""experiments/commands.py: what Ctrl-C does to a command that is run."""

import os
import signal
import subprocess
import sys

# Told to stop, it needs a second, as a training does that finishes its step and saves a checkpoint.
SLOW_TO_STOP = """
import signal, time
def save(number, frame):
    time.sleep(1)
    print('checkpoint saved', flush=True)
    raise SystemExit(130)
signal.signal(signal.SIGINT, save)
print('running', flush=True)
while True:
    signal.pause()
"""

# A shell's job in the background ignores Ctrl-C, and so do its children; here it is to be heard.
RUNS_IT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from experiments import commands
from lvseg import errors
errors.exit_with_message(lambda: commands.run(['-c', sys.argv[1]]))
"""


def test_ctrl_c_lets_a_training_save_its_checkpoint_first(root):
    command = [sys.executable, '-c', RUNS_IT, SLOW_TO_STOP]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert any(line == 'running\n' for line in iter(process.stdout.readline, ''))
    os.killpg(process.pid, signal.SIGINT)  # As the terminal does, to all that run in it.
    out, _ = process.communicate()
    assert out == 'checkpoint saved\n'
    assert process.returncode == 130
