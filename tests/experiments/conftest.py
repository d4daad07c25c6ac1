"""What the tests of experiments share: data whose patients are known, and a stand-in for the trainings."""

import csv
import datetime

from lvseg import records, runs

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from experiments import commands

SIDES = {'train': 'train_images.tfrecords', 'val': 'val_images.tfrecords'}


@pytest.fixture(scope='session')
def write_data():
    """Makes records and manifest; `sides`: 'train' or 'val' -> whose its slices are. Pixels are the slice's number."""

    def write(folder, sides, spacing='1.25'):
        folder.mkdir(parents=True)
        number = 0
        with open(str(folder / 'manifest.csv'), 'w') as file:
            file.write('split,name,patient,lv_pixels,pixel_spacing\n')
            for side, patients in sides.items():
                with tf.python_io.TFRecordWriter(str(folder / SIDES[side])) as writer:
                    for patient in patients:
                        label = np.zeros((256, 256), np.uint8)
                        label[100:120, 100 : 101 + number] = 1
                        writer.write(records.encode(np.full((256, 256), number, np.int64), label))
                        file.write(f'{side},{patient}-IM-{number},{patient},{20 * (number + 1)},{spacing}\n')
                        number += 1
        return folder

    return write


@pytest.fixture
def data(tmp_path, write_data):
    """Seven slices of four patients, three of whom are on both sides, one under two names."""
    four = {'train': ['SC-N-2', 'SC-HYP-1', 'SC-N-2', 'SC-HF-I-1'], 'val': ['SC-HYP-1', 'SC-HF-NI-3', 'SC-HF-I-01']}
    return write_data(tmp_path / 'data', four)


@pytest.fixture
def run_on(write_data, tmp_path):
    """Makes the folder of a run that was trained on these patients, from the weights of another if one is given."""

    def make(name, patients, init_from=None):
        data = write_data(tmp_path / f'data-of-{name}', {'train': patients})
        folder = tmp_path / 'runs' / name
        folder.mkdir(parents=True)
        started = datetime.datetime.now().isoformat()
        tells = {'data_dir': str(data), 'slices': len(patients), 'init_from': init_from and str(init_from)}
        runs.save_json(str(folder / 'run.json'), {**tells, 'started': started})
        return folder

    return make


@pytest.fixture(scope='session')
def manifest_of():
    """Reads the manifest's lines."""

    def read(folder):
        with open(str(folder / 'manifest.csv'), newline='') as file:
            return list(csv.DictReader(file))

    return read


@pytest.fixture
def trainings(monkeypatch):
    """Stands in for training and evaluation; keeps which folder was trained with which flags.

    The prediction is half of the label, so pooled Dice is 2 * 1 / (2 + 1) = 2/3.
    """
    made = []

    def train_and_evaluate(exercise, data_dir, folder, flags, exercises):
        made.append((folder.name, exercise, flags))
        labelled = [int(label.sum()) for _, label in records.read(str(data_dir / SIDES['val']))]
        (folder / 'eval').mkdir(parents=True, exist_ok=True)
        rows = ''.join(f'{area},{area // 2},{area // 2}\n' for area in labelled)
        (folder / 'eval' / 'per_slice.csv').write_text('labelled,predicted,intersection\n' + rows)
        slices = len(labelled)
        contours = {'slices': slices, 'both_contours': slices, 'contours': slices, 'good': 1.0}
        contours.update(average_perpendicular_distance={'mean': 2.0}, hausdorff_distance={'mean': 6.5})
        metrics = {'images': slices, 'step': 7, 'dice': 2 / 3, 'contours': {'mm': contours}}
        metrics['per_slice'] = {'dice': {'mean': 2 / 3}, 'iou': {'mean': 0.5}}
        return commands.Run(3.0, metrics)

    monkeypatch.setattr(commands, 'train_and_evaluate', train_and_evaluate)
    return made
