"""experiments/fold_report.py: one report over all folds, each patient by the network that has not seen him."""

import csv

from lvseg import prediction

import numpy as np
import pytest

from experiments import fold_report


@pytest.fixture
def folds(tmp_path, write_data, monkeypatch):
    """Two folds, whose networks find the left half of the label, and nothing, of a slice or two each."""
    folders = [tmp_path / 'fold-1', tmp_path / 'fold-2']
    write_data(folders[0] / 'data', {'train': ['SC-N-02'], 'val': ['SC-HYP-01', 'SC-HYP-01']})
    write_data(folders[1] / 'data', {'train': ['SC-HYP-01'], 'val': ['SC-N-02']})

    def load(directory):
        def probabilities(images):
            found = np.zeros(images.shape, np.float32)
            found[:, 100:120, 100:101] = 0.9 if 'fold-1' in directory else 0.1
            return found

        return prediction.Trained('', 7, 'cnn', {}, probabilities)

    monkeypatch.setattr(prediction, 'load', load)
    return folders


def test_patients_of_all_folds_stand_in_one_table(folds, tmp_path):
    text = fold_report.report(folds, tmp_path / 'report')
    lines = text.splitlines()
    rows = {cells[0]: cells[1:4] for cells in (line.replace('all slices', 'all').split() for line in lines) if cells}
    # The labels of the slices of fold 1 are 2 and 3 columns wide, of which 1 is found: Dice 2/3 and 2/4, pooled
    # 2 * 2 / (5 + 2) = 0.571. In fold 2, of 2 columns none: together 2 * 2 / (7 + 2) = 0.444, and per slice 7/18.
    assert rows['SC-HYP-01'] == ['2', '0.571', '0.583']
    assert rows['SC-N-02'] == ['1', '0.000', '0.000']
    assert rows['all'] == ['3', '0.444', '0.389']
    assert 'Dice 0.000 to 0.571' in text  # Of two patients: one of them twice, the other, or both.


def test_table_mistakes_and_pictures_are_kept(folds, tmp_path):
    text = fold_report.report(folds, tmp_path / 'report')
    assert (tmp_path / 'report' / 'report.txt').read_text() == text + '\n'
    with (tmp_path / 'report' / 'mistakes.csv').open(newline='') as file:
        mistakes = [(row['patient'], row['dice'], row['mistake']) for row in csv.DictReader(file)]
    # A column of the label is 20 pixels: what is left out is 1 or 2 pixels deep, so the prediction is narrow.
    assert mistakes == [
        ('SC-N-02', '0.0000', 'missed'),
        ('SC-HYP-01', '0.5000', 'narrow'),
        ('SC-HYP-01', '0.6667', 'narrow'),
    ]
    assert (tmp_path / 'report' / 'worst.png').read_bytes().startswith(b'\x89PNG')
