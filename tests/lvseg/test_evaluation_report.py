import csv
import io
import json
from argparse import Namespace

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata as hparams_metadata

from lvseg import metrics, reports
from lvseg.metrics import Areas

# Three slices of 100 pixels:      1      2     3
#   labelled                      20     10    30
#   predicted                     20      0    10
#   intersection                  10      0    10
# Dice 2 i / (p + l)             0.5     0    0.5       20/40, 0/10, 20/40
# IoU i / (p + l - i)            1/3     0    1/3       10/30, 0/10, 10/30
# sensitivity i / l              0.5     0    1/3       10/20, 0/10, 10/30
SLICES = Areas(
    intersection=np.array([10, 0, 10]),
    labelled=np.array([20, 10, 30]),
    predicted=np.array([20, 0, 10]),
    total=np.array([100, 100, 100]),
)


def test_mean_and_standard_deviation_are_over_all_slices_with_the_empty_predictions():
    # Dice: mean 1/3; deviations 1/6, -1/3, 1/6, their squares' mean (1/36 + 4/36 + 1/36) / 3 = 1/18.
    # IoU: 2/3 of Dice in every slice. Sensitivity: mean 5/18; deviations 4/18, -5/18, 1/18: (16 + 25 + 1) / 324 / 3.
    expected = {
        'dice': (1 / 3, (1 / 18) ** 0.5),
        'iou': (2 / 9, 2 / 3 * (1 / 18) ** 0.5),
        'sensitivity': (5 / 18, (42 / 972) ** 0.5),
    }
    found = reports.per_slice(SLICES)
    assert set(found) == set(expected)
    for name, (mean, deviation) in expected.items():
        assert found[name] == {
            'mean': pytest.approx(mean),
            'standard_deviation': pytest.approx(deviation),
            'empty_predictions': 1,
        }


def test_an_empty_prediction_of_an_empty_slice_is_right():
    nothing = Areas(*(np.array([value]) for value in (0, 0, 0, 100)))
    for found in reports.per_slice(nothing).values():
        assert found == {'mean': 1, 'standard_deviation': 0, 'empty_predictions': 1}


def test_the_lines_below_the_labs_say_it_in_words():
    # 60 of 300 pixels are labelled, so calling all of them background is right in 240.
    assert reports.lines(SLICES) == [
        'OUTPUT: Dice per slice = 0.333 +- 0.236 (mean +- standard deviation; 1 of 3 slices with an empty prediction)',
        'OUTPUT: IoU per slice = 0.222 +- 0.157 (mean +- standard deviation; 1 of 3 slices with an empty prediction)',
        'OUTPUT: sensitivity per slice = 0.278 +- 0.208 '
        '(mean +- standard deviation; 1 of 3 slices with an empty prediction)',
        'OUTPUT: calling every pixel background: precision = 0.800, Dice = 0.000',
    ]


@pytest.fixture(scope='module')
def evaluated(simple, tmp_path_factory):
    """A short run, evaluated on the 4 validation slices: what was printed, and the two directories."""
    folder = tmp_path_factory.mktemp('evaluated')
    simple.train(folder / 'train', '--seed', 1, '--learning_rate', 0.02)
    return simple.evaluate(folder / 'train', folder / 'eval'), folder / 'train', folder / 'eval'


def rows_of(eval_dir):
    with open(str(eval_dir / 'per_slice.csv'), newline='') as file:
        return list(csv.DictReader(file))


def test_the_labs_lines_come_first(evaluated):
    lines = [line for line in evaluated[0].out.splitlines() if line.startswith('OUTPUT')]
    assert len(lines) == 6
    assert ': precision = ' in lines[0] and lines[1].startswith('OUTPUT: 4 images evaluated from file ')
    starts = ('Dice per slice', 'IoU per slice', 'sensitivity per slice', 'calling every pixel background')
    for line, start in zip(lines[2:], starts):
        assert line.startswith(f'OUTPUT: {start}')


def test_per_slice_csv_has_a_line_for_every_record_and_adds_up(evaluated):
    _, _, eval_dir = evaluated
    rows = rows_of(eval_dir)
    assert [row['record'] for row in rows] == ['1', '2', '3', '4']
    # The ventricle of slice n has (10 + n) x 20 pixels.
    assert [row['labelled'] for row in rows] == ['200', '220', '240', '260']
    for row in rows:
        labelled, predicted, both = (int(row[key]) for key in ('labelled', 'predicted', 'intersection'))
        assert float(row['dice']) == pytest.approx(2 * both / (labelled + predicted), abs=1e-4)
        assert float(row['iou']) == pytest.approx(both / (labelled + predicted - both), abs=1e-4)
        assert float(row['sensitivity']) == pytest.approx(both / labelled, abs=1e-4)
    figures = json.loads((eval_dir / 'metrics.json').read_text())
    both, areas = (
        sum(int(row[key]) for row in rows for key in keys) for keys in (['intersection'], ['labelled', 'predicted'])
    )
    assert figures['dice'] == pytest.approx(2 * both / areas)
    assert figures['per_slice']['dice']['mean'] == pytest.approx(
        np.mean([float(row['dice']) for row in rows]), abs=1e-4
    )


def test_metrics_json_has_the_labs_figures_and_those_per_slice(evaluated):
    figures = json.loads((evaluated[2] / 'metrics.json').read_text())
    assert set(figures) == {
        'exercise', 'step', 'file', 'images', 'precision', 'dice', 'background_precision', 'per_slice'
    }  # fmt: skip
    assert figures['images'] == 4 and figures['step'] == 10
    # 200 + 220 + 240 + 260 of 4 x 65536 pixels are labelled.
    assert figures['background_precision'] == pytest.approx(1 - 920 / 262144)
    assert set(figures['per_slice']) == {'dice', 'iou', 'sensitivity'}


def evaluate_with_manifest(simple, run_dir, data_dir, folder, lines):
    data = folder / 'data'
    data.mkdir()
    for name in ('train_images.tfrecords', 'val_images.tfrecords'):
        (data / name).symlink_to(data_dir / name)
    (data / 'manifest.csv').write_text('split,name,lv_pixels\n' + ''.join(line + '\n' for line in lines))
    simple.evaluate(run_dir, folder / 'eval', '--data_dir', data)
    return [row['name'] for row in rows_of(folder / 'eval')]


MANIFEST = ['train,t,200', 'val,a,200', 'val,"b, with a comma",220', 'val,c,240', 'val,d,260', 'skipped,x,']


def test_slices_are_named_by_the_manifest_beside_the_records(evaluated, simple, data_dir, tmp_path):
    names = evaluate_with_manifest(simple, evaluated[1], data_dir, tmp_path, MANIFEST)
    assert names == ['a', 'b, with a comma', 'c', 'd']


def test_a_manifest_of_other_records_names_nothing(evaluated, simple, data_dir, tmp_path):
    others = [line.replace('240', '241') for line in MANIFEST]
    assert evaluate_with_manifest(simple, evaluated[1], data_dir, tmp_path, others) == ['', '', '', '']


# TensorBoard.


def events_of(directory):
    return EventAccumulator(str(directory), size_guidance={'tensors': 0, 'images': 0}).Reload()


def test_the_worst_median_and_best_slices_are_shown_as_pictures(evaluated):
    _, _, eval_dir = evaluated
    events = events_of(eval_dir)
    assert set(events.Tags()['images']) == {'segmentation/worst', 'segmentation/median', 'segmentation/best'}
    for tag in events.Tags()['images']:
        image = events.Images(tag)[0]
        assert image.step == 10
        assert Image.open(io.BytesIO(image.encoded_image_string)).size == (image.width, image.height)


def test_the_pictures_are_of_the_slices_that_they_are_called(evaluated, simple, tmp_path, monkeypatch):
    _, run_dir, _ = evaluated
    kept = []
    monkeypatch.setattr(reports, 'keep', lambda found, args: kept.append(found))
    simple.evaluate(run_dir, tmp_path / 'eval')
    found = kept[0]
    dice = 2 * found.slices.intersection / (found.slices.labelled + found.slices.predicted)
    order = np.argsort(dice)
    # Slice n's image is 1024 n outside of the ventricle.
    shown = {tag.split('/')[1]: piece.image[0, 0] // 1024 for tag, piece in found.examples.items()}
    assert shown == {'worst': order[0], 'median': order[1], 'best': order[3]}  # the lower one of the two in the middle
    for piece in found.examples.values():
        number = piece.image[0, 0] // 1024
        assert piece.prediction.sum() == found.slices.predicted[number]
        assert (piece.prediction * piece.label).sum() == found.slices.intersection[number]


def test_the_precision_recall_curve_counts_every_pixel(evaluated):
    tensor = events_of(evaluated[2]).Tensors('left_ventricle/pr_curves')[0].tensor_proto
    true_positives, false_positives = tf.make_ndarray(tensor)[:2]
    # At threshold 0 all 4 x 65536 pixels are called left ventricle, of which 920 are.
    assert (true_positives[0], false_positives[0]) == (920, 262144 - 920)


def test_dice_per_slice_is_a_histogram(evaluated):
    assert 'dice_per_slice/histogram_summary' in events_of(evaluated[2]).Tags()['tensors']


def test_the_flags_of_the_run_are_there_for_the_table(evaluated):
    contents = events_of(evaluated[2]).PluginTagToContent('hparams')
    start = hparams_metadata.parse_session_start_info_plugin_data(contents[hparams_metadata.SESSION_START_INFO_TAG])
    assert start.hparams['exercise'].string_value == 'simple'
    assert start.hparams['learning_rate'].number_value == 0.02
    assert start.hparams['seed'].number_value == 1
    assert start.hparams['eval_data'].string_value == 'eval'


def test_a_second_evaluation_of_a_checkpoint_takes_the_place_of_the_first(evaluated, simple, tmp_path):
    _, run_dir, _ = evaluated
    for _ in range(2):
        simple.evaluate(run_dir, tmp_path / 'eval')
    events = events_of(tmp_path / 'eval')
    assert len(events.Scalars('dice')) == 1 and len(events.Images('segmentation/worst')) == 1


def test_the_training_slices_figures_stand_apart(evaluated, simple, tmp_path):
    _, run_dir, _ = evaluated
    simple.evaluate(run_dir, tmp_path / 'eval', '--eval_data', 'train')
    assert events_of(tmp_path / 'eval' / 'train_slices').Tags()['scalars'] == ['precision', 'dice']
    assert not list((tmp_path / 'eval').glob('events*'))


def test_evaluations_of_two_steps_within_a_second_are_both_kept(graph, data_dir, tmp_path):
    args = Namespace(
        exercise='simple',
        data_dir=str(data_dir),
        eval_data='eval',
        eval_dir=str(tmp_path),
        checkpoint_dir=str(tmp_path),
    )
    for step in (8, 16):
        found = reports.Evaluation(step, SLICES, np.zeros([2, metrics.THRESHOLDS], np.int64), {})
        reports.keep(found, args)
    assert [scalar.step for scalar in events_of(tmp_path).Scalars('dice')] == [8, 16]
