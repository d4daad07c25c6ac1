import contextlib
import fcntl
import io
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios

from lvseg import flags, progress, training

import pytest

# A training of 3 epochs of 10 slices, 4 at a time: 3 x (4 + 4 + 2).
FLAGS = ['--num_epochs', '3', '--batch_size', '4', '--seed', '1']
OUTPUT = re.compile(
    r'OUTPUT: Step 0: loss = \d\.\d{3} \(\d+\.\d{3} sec\)\nOUTPUT: Done training for 3 epochs, 9 steps\.\n'
)
BAR = re.compile(r'Epoch (\d)/3 +(\d+)%, step (\d), loss \d\.\d{3} \|.*?\| +[\d.]+ images/s, [\d:]+ left')


@pytest.fixture(scope='module')
def command(copy_exercise, data_dir):
    """The command of a short training, without --checkpoint_dir."""
    return [sys.executable, str(copy_exercise('simple') / 'runTraining.py'), '--data_dir', str(data_dir), *FLAGS]


class Terminal:
    """A terminal, and a program that has it for its stderr, or for its stdout too."""

    def __init__(self, command, root, stdout=None, columns=100):
        self._ours, theirs = pty.openpty()
        attributes = termios.tcgetattr(theirs)
        attributes[1] &= ~termios.ONLCR  # Newlines as they are written.
        termios.tcsetattr(theirs, termios.TCSANOW, attributes)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 25 if columns else 0, columns, 0, 0))
        environment = {**os.environ, 'PYTHONPATH': str(root)}
        self.process = subprocess.Popen(command, stdout=stdout or theirs, stderr=theirs, env=environment)
        os.close(theirs)

    def read(self, until=None):
        """What has been written from now on, to the end or until a pattern is there."""
        text = ''
        while until is None or not re.search(until, text):
            ready, _, _ = select.select([self._ours], [], [], 300)
            assert ready, f'nothing for five minutes after {text!r}'
            try:
                text += os.read(self._ours, 65536).decode()
            except OSError:  # Linux's way to say that the other end is closed.
                break
        return text


def shown(text):
    """The lines as they stand in the end, where each `\\r` goes back to the beginning of its line."""
    lines = []
    for line in text.split('\n'):
        cells = ''
        for part in line.split('\r'):
            cells = part + cells[len(part) :]
        lines.append(cells.rstrip())
    return lines


@pytest.fixture(scope='module')
def on_terminal(command, root, tmp_path_factory):
    """What the training writes to a terminal."""
    return Terminal([*command, '--checkpoint_dir', str(tmp_path_factory.mktemp('run') / 'train')], root).read()


def test_a_terminal_shows_epoch_step_loss_speed_and_time_left(on_terminal):
    bars = BAR.findall(on_terminal)
    assert bars, on_terminal
    assert bars == sorted(bars, key=lambda bar: int(bar[2])), 'it goes backwards'
    assert all(epoch == str((int(step)) // 3 + 1) or step == '9' for epoch, _, step in bars)


def test_output_lines_stay_whole_above_the_bar(on_terminal):
    output = ''.join(line + '\n' for line in shown(on_terminal) if 'OUTPUT' in line)
    assert OUTPUT.fullmatch(output), on_terminal


def test_nothing_of_the_bar_is_left_when_training_is_done(on_terminal):
    assert 'images/s' in on_terminal
    assert not [line for line in shown(on_terminal) if 'images/s' in line]
    assert shown(on_terminal)[-1] == ''


def test_a_terminal_that_does_not_know_its_size_has_a_bar_too(command, root, tmp_path):
    terminal = Terminal([*command, '--checkpoint_dir', str(tmp_path / 'train')], root, columns=0)
    assert BAR.search(terminal.read())


def test_output_goes_to_the_pipe_and_the_bar_to_the_terminal(command, root, tmp_path):
    terminal = Terminal([*command, '--checkpoint_dir', str(tmp_path / 'train')], root, stdout=subprocess.PIPE)
    text = terminal.read()
    piped = terminal.process.communicate()[0].decode()
    assert 'images/s' in text and 'OUTPUT' not in text
    assert OUTPUT.fullmatch(''.join(line + '\n' for line in piped.splitlines() if not line.startswith('DEBUG'))), piped
    assert '\r' not in piped and 'images/s' not in piped


def test_without_a_terminal_there_is_no_bar(simple, tmp_path):
    outcome = simple.train(tmp_path / 'train', *FLAGS)
    assert OUTPUT.fullmatch(''.join(line + '\n' for line in outcome.out.splitlines() if not line.startswith('DEBUG')))
    assert 'images/s' not in outcome.out + outcome.err and '\r' not in outcome.out + outcome.err


def test_an_interrupted_training_ends_its_bar(command, root, tmp_path):
    # So many epochs that it cannot end before.
    flags = ['--checkpoint_dir', str(tmp_path / 'train'), '--num_epochs', '100000']
    terminal = Terminal([*command, *flags], root)
    text = terminal.read(until='images/s')
    terminal.process.send_signal(signal.SIGINT)
    text += terminal.read()
    assert terminal.process.wait() == 128 + signal.SIGINT
    *_, last, end = shown(text)
    assert re.fullmatch(r'OUTPUT: Interrupted at step \d+, checkpoint saved\.', last) and end == ''


def test_an_evaluation_has_a_bar_that_counts_images(command, root, tmp_path, simple):
    simple.train(tmp_path / 'train')
    script = command[1].replace('runTraining.py', 'runEval.py')
    flags = [*command[2:4], '--checkpoint_dir', str(tmp_path / 'train'), '--eval_dir', str(tmp_path / 'eval')]
    text = Terminal([command[0], script, *flags], root).read()
    assert re.search(r'Evaluating +\d+% \|.*?\| +(\?|[\d.]+) images/s', text), text
    lines = [line for line in shown(text) if 'OUTPUT' in line]
    assert all(line.startswith('OUTPUT: ') for line in lines) and len(lines) == 7


def test_the_epoch_shown_is_the_one_that_is_made_and_at_the_end_the_last(simple, tmp_path, monkeypatch):
    shown_epochs = []
    monkeypatch.setattr(progress.tqdm, 'set_description_str', lambda bar, text, **how: shown_epochs.append(text))
    simple.train(tmp_path / 'train', '--num_epochs', 2, '--batch_size', 4)
    # After each of the 3 steps of the first epoch, of which the third leads into the second; and so on.
    assert shown_epochs == ['Epoch 1/2', 'Epoch 1/2', *['Epoch 2/2'] * 4]


def test_a_resumed_training_goes_on_where_the_bar_was(tmp_path, simple, data_dir):
    simple.train(tmp_path / 'train', '--num_epochs', 2, '--batch_size', 4)
    given = ['--data_dir', str(data_dir), '--checkpoint_dir', str(tmp_path / 'train'), '--num_epochs', '5']
    run = training.describe(flags.training('simple').parse_args([*given, '--batch_size', '4', '--resume']))
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    with contextlib.redirect_stderr(terminal), progress.TrainingBar(None, None, run):
        pass
    # 20 of 50 images.
    assert ' 40%' in terminal.getvalue()
