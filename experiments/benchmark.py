"""Measures how fast the lab is and how much memory it takes, on slices of the phantom in a temporary folder.

Figures are medians of several blocks; compare them on one machine only. Nothing here passes or fails.
"""

import contextlib
import io
import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Callable, List, Tuple

from lvseg import chief, device, flags, inputs, metrics, networks, progress, records, summaries, training
from lvseg.layout import RECORD_FILES, SIZE, record_file
from lvseg.runs import Run

import numpy as np
import tensorflow.compat.v1 as tf

from experiments import commands, editions

EXERCISES = ('simple', 'cnn', 'cnnDice')
BATCH_SIZES = (1, 8)

# Two ways are timed in turn, block by block, so that a drift of the machine's speed meets both.
_BLOCKS = 7
_BLOCK_SECONDS = 3.0

_SUMMARY_PAIRS = 25
_EVALUATIONS = 3
_PREPARATIONS = 3

# As many slices as the lab has, and so many that they take 6.6 GB when decoded: those are not cached but streamed.
_FEW_AND_MANY = (260, 20000)
_EVALUATED_AT_A_TIME = 20
_PIECE = 4096  # bytes, the unit in which file systems give out room.

Batches = Callable[[], Tuple[tf.Tensor, tf.Tensor]]


def network(exercise: str) -> Any:  # noqa: ANN401 - a module
    """The neuralnetwork module of a solution."""
    path = networks.solution(exercise)
    return networks.load(path, networks.source(path))


def training_step(exercise: str, batches: Batches) -> Callable[[], None]:
    """A function that makes one training step, in a session of its own."""
    nn = network(exercise)
    with tf.Graph().as_default() as graph, contextlib.redirect_stdout(io.StringIO()):
        images, labels = batches()
        train_op = nn.training(nn.loss(nn.inference(images, training=True), labels), 0.01, 1000, 1.0)
        session = tf.Session(graph=graph, config=device.session_config())
        session.run(tf.global_variables_initializer())
    return lambda: session.run(train_op)


def one_batch_in_memory(batches: Batches) -> Batches:
    """The same shapes without the pipeline: its first batch, held in variables."""
    with tf.Graph().as_default(), tf.Session() as session:
        arrays = session.run(batches())
    return lambda: tuple(tf.Variable(array, trainable=False).read_value() for array in arrays)


def rates_in_turn(steps: List[Callable[[], None]]) -> List[List[float]]:
    """Steps per second of each function, block by block."""
    rates = [[] for _ in steps]
    for step in steps:  # Allocates memory and fills the cache of slices.
        for _ in range(5):
            step()
    for _ in range(_BLOCKS):
        for step, found in zip(steps, rates):
            started, count = time.time(), 0
            while time.time() - started < _BLOCK_SECONDS:
                step()
                count += 1
            found.append(count / (time.time() - started))
    return rates


def _endless_run(data_dir: str, batch_size: int) -> Run:
    given = ['--data_dir', data_dir, '--batch_size', str(batch_size), '--num_epochs', str(10**6)]
    return training.describe(flags.training('benchmark').parse_args(given))


def report_training(data_dir: str) -> None:
    """Steps per second, and what the input pipeline costs."""
    print('\ntraining   batch   steps/s   from memory   pipeline costs (min to max)')
    for exercise in EXERCISES:
        for batch_size in BATCH_SIZES:
            run = _endless_run(data_dir, batch_size)

            def pipeline(run: Run = run) -> Tuple[tf.Tensor, tf.Tensor]:
                return inputs.training_batches(run)

            memory = one_batch_in_memory(pipeline)
            rates = rates_in_turn([training_step(exercise, pipeline), training_step(exercise, memory)])
            costs = [100 * (in_memory / piped - 1) for piped, in_memory in zip(*rates)]
            print(
                f'{exercise:<10} {batch_size:5d} {median(rates[0]):9.2f} {median(rates[1]):13.2f}'
                f' {median(costs):10.1f} %  ({min(costs):.1f} to {max(costs):.1f})',
                flush=True,
            )


def report_summaries(data_dir: str) -> None:
    """How much longer an epoch takes with all summaries at their pace than with none."""
    steps = records.count(record_file(data_dir, 'train'))
    print(f'\nsummaries     step   and summaries   the first time   epoch of {steps} steps longer by')
    for exercise in EXERCISES:
        plain, first, later = _summary_seconds(exercise, _endless_run(data_dir, 1))
        longer = first - plain + (len(range(0, steps, chief.REPORT_STEPS)) - 1) * (later - plain)
        print(
            f'{exercise:<10} {plain:5.3f} s {later:13.3f} s {first:14.3f} s {100 * longer / (steps * plain):13.1f} %',
            flush=True,
        )


def _summary_seconds(exercise: str, run: Run) -> Tuple[float, float, float]:
    """Seconds of a training step; of one with summaries for the first time, which is slower; of one later."""
    nn = network(exercise)
    with tf.Graph().as_default(), tempfile.TemporaryDirectory() as logs, contextlib.redirect_stdout(io.StringIO()):
        images, labels = inputs.training_batches(run)
        logits = nn.inference(images, training=True)
        loss = nn.loss(logits, labels)
        train_op = nn.training(loss, 0.01, 1000, 1.0)
        summaries.training(images, labels, logits, loss)
        merged = tf.summary.merge_all()
        with tf.Session(config=device.session_config()) as session, tf.summary.FileWriter(logs) as writer:
            session.run(tf.global_variables_initializer())

            def with_summaries() -> None:
                _, summary = session.run([train_op, merged])
                writer.add_summary(summary)

            seconds = [[], []]
            for _ in range(_SUMMARY_PAIRS):
                for step, found in zip((lambda: session.run(train_op), with_summaries), seconds):
                    started = time.time()
                    step()
                    found.append(time.time() - started)
    return median(seconds[0]), seconds[1][0], median(seconds[1])


def report_evaluation(data_dir: str) -> None:
    """Images per second through a network that is already restored, one at a time and all at once."""
    slices = records.count(record_file(data_dir, 'eval'))
    print(f'\nevaluation of {slices} images   one at a time   in one batch   times faster')
    for exercise in EXERCISES:
        rates = [_evaluation_rate(exercise, data_dir, batch_size, slices) for batch_size in (1, slices)]
        print(f'{exercise:<25} {rates[0]:10.1f}/s {rates[1]:13.1f}/s {rates[1] / rates[0]:12.1f}', flush=True)


def _evaluation_rate(exercise: str, data_dir: str, batch_size: int, slices: int) -> float:
    rates = []
    for _ in range(_EVALUATIONS):
        with tf.Graph().as_default(), tf.Session(config=device.session_config()) as session:
            with contextlib.redirect_stdout(io.StringIO()):
                images, labels = inputs.evaluation_batches(data_dir, 'eval', batch_size)
                areas = metrics.areas(network(exercise).inference(images, training=False), labels)
            session.run(tf.global_variables_initializer())
            shape = [batch_size, SIZE, SIZE]
            session.run(areas, {images: np.zeros(shape), labels: np.zeros(shape)})  # Allocates memory.
            started = time.time()
            with contextlib.suppress(tf.errors.OutOfRangeError):
                while True:
                    session.run(areas)
            rates.append(slices / (time.time() - started))
    return median(rates)


def report_preparation(folder: str) -> None:
    """Slices per second from DICOM and contour files to records."""
    commands.spent(['-m', 'data_prep', 'phantom', '--out', folder])
    studies = os.path.join(folder, 'phantom_studies')
    slices = sum(records.count(record_file(folder, split)) for split in RECORD_FILES)
    seconds = []
    for _ in range(_PREPARATIONS):
        with tempfile.TemporaryDirectory() as out:
            seconds.append(commands.spent(['-m', 'data_prep', 'sunnybrook', studies, '--out', out]).seconds)
    print(f'\ndata_prep sunnybrook: {slices} slices in {median(seconds):.1f} s, {slices / median(seconds):.0f}/s')


def report_memory(data_dir: str) -> None:
    """Peak memory of whole commands, and how it depends on the number of slices."""
    print('\npeak memory of an epoch (MB)')
    with tempfile.TemporaryDirectory() as logs:
        for exercise in EXERCISES:
            script = f'exercise_solutions/{exercise}/runTraining.py'
            spent = commands.spent([script, '--data_dir', data_dir, '--checkpoint_dir', f'{logs}/{exercise}'])
            print(f'{exercise:<10} {spent.megabytes:8.0f}', flush=True)
        _report_memory_of_few_and_many(f'{logs}/simple')


def _report_memory_of_few_and_many(run: str) -> None:
    """Peak memory of the input pipeline of training, without a network, and of runEval.py of `simple`."""
    print(f'\nslices     input pipeline of an epoch (MB)   evaluation, {_EVALUATED_AT_A_TIME} at a time (MB)')
    for slices in _FEW_AND_MANY:
        with tempfile.TemporaryDirectory() as folder:
            write_black_slices(record_file(folder, 'train'), slices)
            os.link(record_file(folder, 'train'), record_file(folder, 'eval'))
            reading = 'import sys; from experiments import benchmark; benchmark.read_epoch(sys.argv[1])'
            read = commands.spent(['-c', reading, folder])
            flags_of_run = ['--data_dir', folder, '--checkpoint_dir', run, '--eval_dir', f'{folder}/eval']
            script = 'exercise_solutions/simple/runEval.py'
            evaluated = commands.spent([script, *flags_of_run, '--batch_size', str(_EVALUATED_AT_A_TIME)])
        print(f'{slices:<10} {read.megabytes:31.0f} {evaluated.megabytes:34.0f}', flush=True)


def write_black_slices(path: str, slices: int) -> None:
    """Writes a record file of slices of zeros, which take 590 kB each to read, and as good as no room on the disk.

    Where a file is not written, it reads as zeros; file systems of Linux keep nothing for such stretches.
    """
    zeros = np.zeros([SIZE, SIZE], np.uint8)
    with tf.python_io.TFRecordWriter(path) as writer:
        writer.write(records.encode(zeros, zeros))
    record = Path(path).read_bytes()
    starts = [start for start in range(0, len(record), _PIECE) if any(record[start : start + _PIECE])]
    with open(path, 'wb') as file:
        for number in range(slices):
            for start in starts:
                file.seek(number * len(record) + start)
                file.write(record[start : start + _PIECE])


def read_epoch(data_dir: str) -> None:
    """Runs the input pipeline of training over every slice once."""
    run = _endless_run(data_dir, batch_size=1)
    batches = inputs.training_batches(run)
    bar = progress.bar(run.slices, description='Reading')
    with tf.Session(config=device.session_config()) as session, bar:
        for _ in range(run.slices):
            session.run(batches)
            bar.update()


def main() -> None:
    """Prints all figures."""
    flags.Parser(description=__doc__.splitlines()[0]).parse_args()
    print(device.describe())
    with tempfile.TemporaryDirectory() as folder:
        report_preparation(folder)
        report_memory(folder)  # Before this process itself takes much, as the next.
        editions.report(folder)
        report_training(folder)
        report_summaries(folder)
        report_evaluation(folder)
