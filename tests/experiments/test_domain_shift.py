"""experiments/domain_shift.py: what is trained on what, what is tested on what, and the two tables."""

import json
import sys
from pathlib import Path

from lvseg import prediction
from lvseg.project import PROJECT

import numpy as np
import pytest

from experiments import commands, domain_shift
from experiments.recipe import RECIPE


@pytest.fixture
def shifted(write_data, trainings, tmp_path, monkeypatch, capsys):
    """Runs the experiment with 25 slices of a kind; networks find as many columns of the label as are in `finds`."""
    prepared = []

    def run_command(arguments):
        out = PROJECT / arguments[-1]
        prepared.append(arguments)
        write_data(out, {'train': ['SC-N-01'] * 24, 'val': ['SC-N-02']})

    finds = {}

    def load(directory):
        def probabilities(images):
            found = np.zeros(images.shape, np.float32)
            found[:, 100:120, 100 : 100 + finds.get(Path(directory).parent.name, 25)] = 1
            return found

        return prediction.Trained('', 7, 'challenge', {}, probabilities)

    monkeypatch.setattr(commands, 'run', run_command)
    monkeypatch.setattr(prediction, 'load', load)

    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', ['domain_shift.py', '--out', str(tmp_path / 'out'), *arguments])
        domain_shift.main()
        return capsys.readouterr().out

    run.finds, run.prepared = finds, prepared
    return run


def test_each_kind_is_invented_once_with_the_same_patients(shifted):
    shifted('--kinds', 'noise', '--further', 'contrast', '--seed', '4')
    shifted('--kinds', 'noise', '--further', 'contrast', '--seed', '4')
    assert [arguments[arguments.index('--seed') + 1] for arguments in shifted.prepared] == ['4', '4', '4']
    kinds = [
        arguments[arguments.index('--shift') + 1] if '--shift' in arguments else '' for arguments in shifted.prepared
    ]
    assert kinds == ['', 'noise', 'contrast']


def test_the_matrix_has_what_was_trained_on_in_rows(shifted, tmp_path):
    # The one validation slice's label has 25 columns. Of 15 found, 2 * 15 / (15 + 25) = 0.75.
    shifted.finds['noise'] = 15
    lines = shifted('--kinds', 'noise', '--further', 'noise').splitlines()
    assert '| plain | 1.000 (1.000) | 1.000 (1.000) |' in lines
    assert '| noise | 0.750 (0.750) | 0.750 (0.750) |' in lines
    kept = json.loads((tmp_path / 'out' / 'domain_shift.json').read_text())
    assert kept['matrix']['noise']['plain'] == [0.75, 0.75]


def test_it_is_trained_further_on_1_5_and_20_slices_from_the_plain_run_with_augmentation_and_without(
    shifted, trainings, manifest_of, tmp_path
):
    shifted('--kinds', 'noise', '--further', 'noise')
    folder = tmp_path / 'out' / 'trained-1'
    without = [flag for flag in RECIPE if flag != '--augment']
    for recipe, start, words in (
        (without, 'plain-without-augmentation', 'without-augmentation'),
        (list(RECIPE), 'plain', 'with-augmentation'),
    ):
        # 40 steps: of 1 and of 5 slices a batch is all, and 20 are 3 batches of 8: 40 / 3 = 13.3 epochs.
        for slices, epochs in ((1, '40'), (5, '40'), (20, '14')):
            name = f'noise-{slices}-slices-{words}'
            (flags,) = [made[2] for made in trainings if made[0] == name]
            assert flags == [
                *recipe,
                '--num_epochs',
                epochs,
                '--init_from',
                str(folder / start / 'train'),
                '--seed',
                '1',
            ]
            sides = [line['split'] for line in manifest_of(folder / name / 'data')]
            assert sides == ['train'] * slices + ['val']


def test_the_second_table_begins_with_no_slice(shifted):
    shifted.finds['plain-without-augmentation'] = 15
    lines = shifted('--kinds', 'noise', '--further', 'noise').splitlines()
    assert '| slices of noise | 0 | 1 | 5 | 20 |' in lines
    whole = '1.000 (1.000)'
    assert f'| without augmentation | 0.750 (0.750) | {whole} | {whole} | {whole} |' in lines
    assert f'| with augmentation | {whole} | {whole} | {whole} | {whole} |' in lines
