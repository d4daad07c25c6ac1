import glob
import json
import re
import resource
import shutil

from lvseg import checkpoints, evaluation

import numpy as np
import psutil
import pytest
import tensorflow.compat.v1 as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from experiments import benchmark

# A network that finds the same 10 x 30 pixels in every slice. Those of the expert are 10 + n rows of 20 pixels in
# slice n, from the same corner on. So of the validation slices, n = 0 to 3:
LABELLED = 200 + 220 + 240 + 260
PREDICTED = 4 * 300
INTERSECTION = 4 * 200
PIXELS = 4 * 65536
PRECISION = 1 - (PREDICTED + LABELLED - 2 * INTERSECTION) / PIXELS  # 1 - 520 / 262144 = 0.998
DICE = 2 * INTERSECTION / (PREDICTED + LABELLED)  # 1600 / 2120 = 0.755


def save_network(run_dir, step, exercise='simple', **variables):
    """A checkpoint of these variables, as a run of the exercise would leave it."""
    run_dir.mkdir(exist_ok=True)
    (run_dir / 'run.json').write_text(json.dumps({'exercise': exercise, 'started': 'once'}))
    with tf.Graph().as_default(), tf.Session() as session:
        for name, value in variables.items():
            tf.get_variable(name, initializer=value)
        tf.get_variable(tf.GraphKeys.GLOBAL_STEP, initializer=np.int64(step))
        session.run(tf.global_variables_initializer())
        saver = tf.train.Saver()
        saver.recover_last_checkpoints([checkpoints.newest(str(run_dir))] if step > 7 else [])
        checkpoints.save(session, saver, str(run_dir), step)


def weights_that_find(mask):
    """The one hidden unit is the mean of the image, above 0: it speaks for class 1 in the mask, for 0 elsewhere."""
    scores = np.stack([1 - mask, mask], axis=-1).astype(np.float32)
    mean = np.full((65536, 1), 1 / 65536, np.float32)
    return {'Hidden1/W_fc': mean, 'Final/W_fc2': scores.reshape(1, 131072)}


def save_known_network(run_dir, step=7):
    mask = np.zeros((256, 256))
    mask[100:110, 120:150] = 1
    save_network(run_dir, step, **weights_that_find(mask))


@pytest.fixture
def run_dir(tmp_path):
    save_known_network(tmp_path / 'train')
    return tmp_path / 'train'


def metrics_of(eval_dir):
    return json.loads((eval_dir / 'metrics.json').read_text())


def error_line(outcome):
    assert outcome.code == 1
    assert 'images evaluated' not in outcome.out
    lines = [line for line in outcome.err.splitlines() if not line.startswith('Running on')]
    assert len(lines) == 1 and lines[0].startswith('ERROR: '), outcome.err
    return lines[0]


def test_the_figures_are_those_worked_out_by_hand(simple, run_dir, data_dir, tmp_path):
    outcome = simple.evaluate(run_dir, tmp_path / 'eval')
    assert outcome.code == 0
    assert re.search(r'^OUTPUT: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}: precision = 0\.998$', outcome.out, re.MULTILINE)
    assert f'OUTPUT: 4 images evaluated from file {data_dir}/val_images.tfrecords\n' in outcome.out

    found = metrics_of(tmp_path / 'eval')
    assert (found['exercise'], found['step'], found['images']) == ('simple', 7, 4)
    assert found['file'] == f'{data_dir}/val_images.tfrecords'
    assert found['precision'] == pytest.approx(PRECISION)
    assert found['dice'] == pytest.approx(DICE)
    assert found['background_precision'] == pytest.approx(1 - LABELLED / PIXELS)


def test_counts_of_more_pixels_than_an_int32_counts_are_summed(copy_exercise, exercise_of, run_dir, tmp_path):
    """As of 40,000 slices; here each of the 4 says that 2 ** 30 pixels are right."""
    folder = copy_exercise('simple')
    with open(str(folder / 'neuralnetwork.py'), 'a') as file:
        file.write('\n\ndef evaluation(logits, labels):\n    return tf.constant(2**30)\n')
    outcome = exercise_of(folder).evaluate(run_dir, tmp_path / 'eval')
    assert f'precision = {4 * 2**30 / PIXELS:.3f}\n' in outcome.out  # 16384.000


@pytest.mark.parametrize('batch_size', [3, 4])
def test_the_figures_do_not_depend_on_the_batch_size(batch_size, simple, run_dir, tmp_path):
    """Batches of 3 leave a last one of 1."""
    simple.evaluate(run_dir, tmp_path / 'one by one')
    simple.evaluate(run_dir, tmp_path / 'in batches', '--batch_size', batch_size)
    assert metrics_of(tmp_path / 'in batches') == metrics_of(tmp_path / 'one by one')


def test_the_training_slices_are_evaluated_on_demand(simple, run_dir, tmp_path):
    """Ten slices of 200, 220, … 380 labelled pixels, 2900 in all; of each, 200 are found, with 100 others."""
    simple.evaluate(run_dir, tmp_path / 'eval', '--eval_data', 'train')
    found = metrics_of(tmp_path / 'eval')
    assert found['images'] == 10
    assert found['dice'] == pytest.approx(2 * 2000 / (2900 + 3000))


def test_tensorboard_shows_the_figures_at_the_checkpoints_step_and_the_graph(simple, run_dir, tmp_path):
    simple.evaluate(run_dir, tmp_path / 'eval')
    events = EventAccumulator(str(tmp_path / 'eval')).Reload()
    for tag, value in (('precision', PRECISION), ('dice', DICE)):
        assert [(scalar.step, scalar.value) for scalar in events.Scalars(tag)] == [(7, pytest.approx(value))]
    assert 'Hidden1/W_fc' in {node.name for node in events.Graph().node}


def test_curves_of_the_training_slices_stand_apart(simple, run_dir, tmp_path):
    simple.evaluate(run_dir, tmp_path / 'eval', '--eval_data', 'train')
    assert glob.glob(f'{tmp_path}/eval/train_slices/events.*')
    assert not glob.glob(f'{tmp_path}/eval/events.*')


def test_the_newest_checkpoint_is_evaluated(simple, run_dir, tmp_path):
    save_known_network(run_dir, step=8)
    simple.evaluate(run_dir, tmp_path / 'eval')
    assert metrics_of(tmp_path / 'eval')['step'] == 8


def test_without_a_checkpoint_the_command_that_makes_one_is_told(simple, data_dir, tmp_path, monkeypatch):
    monkeypatch.setattr('sys.argv', ['exercises/simple/runEval.py'])
    line = error_line(simple.evaluate(tmp_path / 'my run', tmp_path / 'eval'))
    assert line == (
        f'ERROR: no checkpoint in {tmp_path}/my run. Make one with: '
        f"python exercises/simple/runTraining.py --data_dir {data_dir} --checkpoint_dir '{tmp_path}/my run'"
    )


class Clock:
    """In the place of `time`: does the next of some things while the evaluation sleeps, and then presses Ctrl-C."""

    def __init__(self, *events):
        self._events = list(events)
        self.slept = []

    def sleep(self, seconds):
        self.slept.append(seconds)
        if not self._events:
            raise KeyboardInterrupt
        self._events.pop(0)()


def test_every_newer_checkpoint_is_evaluated_once_until_interrupted(simple, tmp_path, monkeypatch):
    run_dir = tmp_path / 'train'
    clock = Clock(
        lambda: None,  # Nothing yet.
        lambda: save_known_network(run_dir, step=7),
        lambda: None,  # Nothing new.
        lambda: save_known_network(run_dir, step=8),
    )
    monkeypatch.setattr(evaluation, 'time', clock)
    outcome = simple.evaluate(run_dir, tmp_path / 'eval', '--run_once', 'false', '--eval_interval_secs', 2.5)

    assert outcome.code == 130
    assert outcome.err.splitlines()[1:] == [f'Waiting for a checkpoint in {run_dir} …']
    assert outcome.out.count('4 images evaluated') == 2
    assert clock.slept == [2.5] * 5
    events = EventAccumulator(str(tmp_path / 'eval')).Reload()
    assert [scalar.step for scalar in events.Scalars('dice')] == [7, 8]


def test_a_checkpoint_of_another_exercise_is_refused(simple, tmp_path):
    save_network(tmp_path / 'train', 7, exercise='cnn', **{'conv1/kernel': np.zeros((5, 5, 1, 100), np.float32)})
    line = error_line(simple.evaluate(tmp_path / 'train', tmp_path / 'eval'))
    assert 'checkpoint of cnn, this is simple' in line
    assert 'has no variable Hidden1/W_fc' in line


def test_a_checkpoint_of_unknown_origin_is_refused(simple, tmp_path):
    save_network(tmp_path / 'train', 7, weights=np.float32(1))
    (tmp_path / 'train' / 'run.json').unlink()
    assert 'checkpoint of another network, this is simple' in error_line(
        simple.evaluate(tmp_path / 'train', tmp_path / 'eval')
    )


def test_a_checkpoint_of_another_hidden_size_is_refused_with_both_shapes(exercise_of, copy_exercise, run_dir, tmp_path):
    exercise = exercise_of(copy_exercise('simple', hidden_units=3))
    line = error_line(exercise.evaluate(run_dir, tmp_path / 'eval'))
    assert 'the variable Hidden1/W_fc has the shape [65536, 1] in' in line
    assert '[65536, 3] in this network' in line


@pytest.mark.parametrize('part', ['index', 'data-00000-of-00001'])
@pytest.mark.parametrize('kept', [0, 100, -1])
def test_a_truncated_checkpoint_is_refused(part, kept, simple, run_dir, tmp_path):
    file = run_dir / f'model.ckpt-7.{part}'
    file.write_bytes(file.read_bytes()[:kept])
    line = error_line(simple.evaluate(run_dir, tmp_path / 'eval'))
    assert f'the checkpoint {run_dir}/model.ckpt-7 is damaged' in line


@pytest.mark.parametrize('part', ['index', 'data-00000-of-00001'])
def test_a_checkpoint_with_a_flipped_bit_is_refused(part, simple, run_dir, tmp_path):
    file = run_dir / f'model.ckpt-7.{part}'
    data = bytearray(file.read_bytes())
    data[100] ^= 1
    file.write_bytes(bytes(data))
    line = error_line(simple.evaluate(run_dir, tmp_path / 'eval'))
    assert f'the checkpoint {run_dir}/model.ckpt-7 is damaged' in line


def test_a_directory_for_results_that_cannot_be_written_is_refused_before_the_evaluation(simple, run_dir, tmp_path):
    (tmp_path / 'file').write_text('')
    line = error_line(simple.evaluate(run_dir, tmp_path / 'file' / 'eval'))
    assert f'cannot write to {tmp_path}/file/eval: Not a directory' in line


@pytest.mark.parametrize('share', [0.05, 0.5, 0.999])
def test_a_disk_that_is_full_before_the_curves_are_written_whole_is_an_error(share, simple, run_dir, tmp_path):
    """Files may have a share of the size that the event file needs; metrics.json and per_slice.csv need less."""
    assert simple.evaluate(run_dir, tmp_path / 'eval').code == 0
    (events,) = (tmp_path / 'eval').glob('*.tfevents.*')
    limit, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(share * events.stat().st_size), most))
    try:
        outcome = simple.evaluate(run_dir, tmp_path / 'again')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
    assert outcome.code == 1
    line = outcome.err.splitlines()[-1]
    assert line.startswith(f'ERROR: the curves cannot be written in {tmp_path}/again: File too large.')
    assert 'Traceback' not in outcome.err
    left = {path.name for path in (tmp_path / 'again').iterdir()}
    assert left == {'run.json', 'metrics.json', 'per_slice.csv'}  # No event file that is cut off.
    assert simple.evaluate(run_dir, tmp_path / 'again').code == 0


def test_files_of_somebody_else_in_the_directory_for_results_are_left_alone(simple, run_dir, tmp_path):
    (tmp_path / 'eval').mkdir()
    (tmp_path / 'eval' / 'metrics.json').write_text('mine')
    assert 'holds files, but no run' in error_line(simple.evaluate(run_dir, tmp_path / 'eval'))
    assert (tmp_path / 'eval' / 'metrics.json').read_text() == 'mine'


def test_a_damaged_record_is_named(exercise_of, simple, run_dir, data_dir, tmp_path):
    shutil.copytree(str(data_dir), str(tmp_path / 'data'))
    file = tmp_path / 'data' / 'val_images.tfrecords'
    data = bytearray(file.read_bytes())
    data[len(data) // 4 + 1000] ^= 1  # In the second of four.
    file.write_bytes(bytes(data))
    line = error_line(simple.evaluate(run_dir, tmp_path / 'eval', '--data_dir', tmp_path / 'data'))
    assert f'record 2 of {file} is damaged: its checksum is wrong' in line


def test_a_missing_file_of_slices_is_answered_with_the_command_that_makes_it(simple, run_dir, tmp_path):
    line = error_line(simple.evaluate(run_dir, tmp_path / 'eval', '--data_dir', tmp_path / 'none'))
    assert f'val_images.tfrecords not found. Make it with: python -m data_prep phantom --out {tmp_path}/none' in line


@pytest.mark.slow
def test_an_evaluation_of_many_slices_holds_memory_flat(simple, run_dir, tmp_path, monkeypatch):
    """Areas left in TensorFlow's memory made it grow by 50 kB a slice: 175 MB here."""
    benchmark.write_black_slices(str(tmp_path / 'val_images.tfrecords'), 4000)
    results, sizes = evaluation.results, []

    def measured(*args):
        for batch in results(*args):
            sizes.append(psutil.Process().memory_info().rss)
            yield batch

    monkeypatch.setattr(evaluation, 'results', measured)
    outcome = simple.evaluate(run_dir, tmp_path / 'eval', '--data_dir', tmp_path, '--batch_size', 20)
    assert '4000 images evaluated' in outcome.out
    assert len(sizes) == 200
    assert sizes[-1] - sizes[24] < 80e6
