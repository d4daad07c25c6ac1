import csv
import io
import json
from argparse import Namespace

from lvseg import metrics, pictures, reports
from lvseg.distances import Distances
from lvseg.metrics import Areas

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata as hparams_metadata

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


FOUND = reports.Evaluation(
    step=1,
    slices=SLICES,
    contours=[Distances(2, 3), Distances(np.nan, np.nan), Distances(4, 9)],
    manifest=[{}, {}, {}],
    probability_counts=np.zeros([2, metrics.THRESHOLDS], np.int64),
    examples={},
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
    assert reports.lines(FOUND) == [
        'OUTPUT: Dice per slice = 0.333 +- 0.236 (mean +- standard deviation; 1 of 3 slices with an empty prediction)',
        'OUTPUT: IoU per slice = 0.222 +- 0.157 (mean +- standard deviation; 1 of 3 slices with an empty prediction)',
        'OUTPUT: sensitivity per slice = 0.278 +- 0.208 '
        '(mean +- standard deviation; 1 of 3 slices with an empty prediction)',
        # Means of 2 and 4, of 3 and 9; the second slice has no prediction.
        'OUTPUT: contours: average perpendicular distance = 3.00 pixels, Hausdorff distance = 6.00 pixels '
        '(means over 2 of 3 slices, those with both contours)',
        'OUTPUT: calling every pixel background: precision = 0.800, Dice = 0.000',
    ]


def test_with_a_spacing_distances_are_in_mm_and_the_share_of_good_contours_is_told():
    # The third contour is 6 mm away on average: of 3 contours 1 is below 5 mm.
    contours = [Distances(2, 3), Distances(np.nan, np.nan), Distances(6, 9)]
    found = FOUND._replace(contours=contours, manifest=[{'pixel_spacing': '1.5'}] * 3)
    assert reports.lines(found)[3] == (
        'OUTPUT: contours: average perpendicular distance = 4.00 mm, Hausdorff distance = 6.00 mm '
        '(means over 2 of 3 slices, those with both contours); 33% good (below 5 mm)'
    )
    assert reports.contours(found) == {
        'mm': {
            'slices': 3,
            'both_contours': 2,
            'average_perpendicular_distance': {'mean': 4, 'standard_deviation': 2},
            'hausdorff_distance': {'mean': 6, 'standard_deviation': 3},
            'contours': 3,
            'good': 1 / 3,
        }
    }


def test_slices_of_known_and_of_unknown_spacing_are_never_averaged_together():
    found = FOUND._replace(manifest=[{'pixel_spacing': '1.5'}, {'pixel_spacing': '1.5\\1.25'}, {'pixel_spacing': ''}])
    in_mm, in_pixels = reports.lines(found)[3:5]
    # In mm the first and the second slice, of which the second has no prediction: 1 of 2 contours is good.
    assert '= 2.00 mm' in in_mm and '= 3.00 mm' in in_mm and '1 of 2 slices' in in_mm and '50% good' in in_mm
    assert '= 4.00 pixels' in in_pixels and '1 of 1 slices' in in_pixels and 'good' not in in_pixels


def test_a_contour_of_5_mm_is_not_good():
    contours = [Distances(5, 6), Distances(4.99, 6), Distances(0, 0)]
    found = FOUND._replace(contours=contours, manifest=[{'pixel_spacing': '1'}] * 3)
    assert reports.contours(found)['mm']['good'] == pytest.approx(2 / 3)


def test_where_nothing_is_drawn_and_nothing_predicted_there_is_no_contour_to_judge():
    # Labelled and predicted are both empty in the first slice; the second has a contour too many, the third is good.
    slices = SLICES._replace(labelled=np.array([0, 0, 30]), predicted=np.array([0, 20, 10]))
    missing = Distances(np.nan, np.nan)
    lines = [{'pixel_spacing': '1'}] * 3
    found = reports.contours(
        FOUND._replace(slices=slices, contours=[missing, missing, Distances(1, 2)], manifest=lines)
    )
    assert (found['mm']['slices'], found['mm']['both_contours'], found['mm']['contours']) == (3, 1, 2)
    assert found['mm']['good'] == 0.5


def test_without_any_pair_of_contours_there_is_no_mean():
    found = FOUND._replace(contours=[Distances(np.nan, np.nan)] * 3, manifest=[{'pixel_spacing': '1'}] * 3)
    assert reports.contours(found)['mm']['average_perpendicular_distance'] == {'mean': None, 'standard_deviation': None}
    assert reports.contours(found)['mm']['good'] == 0
    assert reports.lines(found)[3].startswith('OUTPUT: contours: no distances, since none of 3 slices has both')


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
    assert len(lines) == 7
    assert ': precision = ' in lines[0] and lines[1].startswith('OUTPUT: 4 images evaluated from file ')
    starts = ('Dice per slice', 'IoU per slice', 'sensitivity per slice', 'contours', 'calling every pixel background')
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
        'exercise', 'step', 'file', 'images', 'precision', 'dice', 'background_precision', 'per_slice', 'contours'
    }  # fmt: skip
    assert figures['images'] == 4 and figures['step'] == 10
    # 200 + 220 + 240 + 260 of 4 x 65536 pixels are labelled.
    assert figures['background_precision'] == pytest.approx(1 - 920 / 262144)
    assert set(figures['per_slice']) == {'dice', 'iou', 'sensitivity'}


def evaluate_with_manifest(simple, run_dir, data_dir, folder, lines, *columns):
    data = folder / 'data'
    data.mkdir()
    for name in ('train_images.tfrecords', 'val_images.tfrecords'):
        (data / name).symlink_to(data_dir / name)
    header = ','.join(['split', 'name', 'lv_pixels', *columns])
    (data / 'manifest.csv').write_text(''.join(f'{line}\n' for line in [header, *lines]))
    simple.evaluate(run_dir, folder / 'eval', '--data_dir', data)
    return [row['name'] for row in rows_of(folder / 'eval')]


MANIFEST = ['train,t,200', 'val,a,200', 'val,"b, with a comma",220', 'val,c,240', 'val,d,260', 'skipped,x,']


def test_slices_are_named_by_the_manifest_beside_the_records(evaluated, simple, data_dir, tmp_path):
    names = evaluate_with_manifest(simple, evaluated[1], data_dir, tmp_path, MANIFEST)
    assert names == ['a', 'b, with a comma', 'c', 'd']


def test_no_spreadsheet_takes_the_name_of_a_slice_for_a_formula(evaluated, simple, data_dir, tmp_path):
    lines = [line.replace('val,a', 'val,=cmd()').replace('val,c', "val,'-c") for line in MANIFEST]
    names = evaluate_with_manifest(simple, evaluated[1], data_dir, tmp_path, lines)
    assert names == ["'=cmd()", 'b, with a comma', "'-c", 'd']


def test_a_manifest_of_other_records_names_nothing(evaluated, simple, data_dir, tmp_path):
    others = [line.replace('240', '241') for line in MANIFEST]
    assert evaluate_with_manifest(simple, evaluated[1], data_dir, tmp_path, others) == ['', '', '', '']


def test_the_spacing_of_the_manifest_makes_pixels_millimetres(evaluated, simple, data_dir, tmp_path):
    pixels = rows_of(evaluated[2])
    assert {(row['pixel_spacing'], row['distance_unit']) for row in pixels} == {('', 'pixels')}
    with_spacing = [f'{line},{2 if line.startswith("val") else ""}' for line in MANIFEST]
    evaluate_with_manifest(simple, evaluated[1], data_dir, tmp_path, with_spacing, 'pixel_spacing')
    mm = rows_of(tmp_path / 'eval')
    assert {(row['pixel_spacing'], row['distance_unit']) for row in mm} == {('2', 'mm')}
    for name in ('average_perpendicular_distance', 'hausdorff_distance'):
        assert [float(row[name]) for row in mm] == pytest.approx([2 * float(row[name]) for row in pixels], abs=2e-4)


def test_a_manifest_of_other_records_makes_no_millimetres(evaluated, simple, data_dir, tmp_path):
    others = [f'{line.replace("240", "241")},2' for line in MANIFEST]
    evaluate_with_manifest(simple, evaluated[1], data_dir, tmp_path, others, 'pixel_spacing')
    assert rows_of(tmp_path / 'eval') == rows_of(evaluated[2])


# A network that takes for the ventricle what is 0.5 brighter than the first pixel, as in the slices of conftest.py, and
# sees it 3 rows and 4 columns too far.
SHIFTING = """

def inference(images, training):
    bias = tf.Variable(0.25, name='bias')
    score = bias - tf.abs(images - images[:, :1, :1] - 0.5)
    score = tf.roll(score, [3, 4], [1, 2])
    return tf.stack([tf.zeros_like(score), score], axis=-1)
"""


@pytest.fixture(scope='module')
def shifting(copy_exercise, exercise_of, tmp_path_factory):
    """The exercise `simple` with that network, and a run of it."""
    folder, run_dir = copy_exercise('simple'), tmp_path_factory.mktemp('shifting') / 'train'
    with open(str(folder / 'neuralnetwork.py'), 'a') as file:
        file.write(SHIFTING)
    exercise = exercise_of(folder)
    exercise.train(run_dir, '--learning_rate', 1e-9)
    return exercise, run_dir


def test_rows_and_columns_of_unequal_spacing_are_each_taken_for_what_they_are(shifting, data_dir, tmp_path):
    exercise, run_dir = shifting
    with_spacing = [f'{line},2\\1' for line in MANIFEST]  # 2 mm from row to row, 1 mm from column to column
    evaluate_with_manifest(exercise, run_dir, data_dir, tmp_path, with_spacing, 'pixel_spacing')
    rows = rows_of(tmp_path / 'eval')
    assert {(row['pixel_spacing'], row['distance_unit']) for row in rows} == {('2\\1', 'mm')}
    # The furthest point is a corner: 3 rows of 2 mm and 4 columns of 1 mm away.
    assert {row['hausdorff_distance'] for row in rows} == {f'{(6**2 + 4**2) ** 0.5:.4f}'}
    # The ventricle of slice 0 has 10 x 20 pixels. Of its 56 contour points, moved by 6 and 4 mm:
    assert float(rows[0]['average_perpendicular_distance']) == pytest.approx(distance_of_moved_rectangle(), abs=1e-4)


def distance_of_moved_rectangle():
    """Mean distance of the rim of 10 x 20 pixels, moved by 3 rows and 4 columns, from where it was; 2 mm x 1 mm."""
    rim = {(row, column) for row in range(10) for column in range(20) if row in (0, 9) or column in (0, 19)}
    nearest = [
        min(((row + 3 - other) ** 2 * 4 + (column + 4 - another) ** 2) ** 0.5 for other, another in rim)
        for row, column in rim
    ]
    assert len(rim) == 56
    return sum(nearest) / len(nearest)


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


def test_the_pictures_show_what_the_network_finds_in_training(shifting, tmp_path):
    """Its bias tells pixels divided by 1024 from others: it would find nothing in them."""
    exercise, run_dir = shifting
    exercise.evaluate(run_dir, tmp_path / 'eval')
    assert {row['intersection'] for row in rows_of(tmp_path / 'eval')} == {
        str((7 + number) * 16)
        for number in range(4)  # (10 + n) x 20 pixels, moved by 3 rows and 4 columns
    }
    events = events_of(tmp_path / 'eval')
    for tag in events.Tags()['images']:
        drawn = np.asarray(Image.open(io.BytesIO(events.Images(tag)[0].encoded_image_string)).convert('RGB'))
        of_network = np.abs(drawn[:256].astype(int) - pictures.NETWORK).max(axis=-1) < 8  # Below are words.
        assert of_network.sum() > 20


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
        reports.keep(FOUND._replace(step=step), args)
    assert [scalar.step for scalar in events_of(tmp_path).Scalars('dice')] == [8, 16]
