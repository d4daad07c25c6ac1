"""experiments/domain_shift.py: what is trained on what, what is tested on what, and the two tables."""

import json
import sys
from pathlib import Path

from lvseg import prediction
from lvseg.errors import LabError
from lvseg.project import PROJECT

import numpy as np
import pytest

from experiments import commands, domain_shift
from experiments.recipe import RECIPE

SHIFTS = ['noise', 'contrast']


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

    monkeypatch.setattr(domain_shift, 'SHIFTS', SHIFTS)
    monkeypatch.setattr(commands, 'run', run_command)
    monkeypatch.setattr(prediction, 'load', load)

    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', ['domain_shift.py', '--out', str(tmp_path / 'out'), *arguments])
        domain_shift.main()
        return capsys.readouterr().out

    run.finds, run.prepared = finds, prepared
    return run


def test_each_kind_is_invented_once_with_the_same_patients(shifted):
    shifted('--seed', '4')
    shifted('--seed', '4')
    assert [arguments[arguments.index('--seed') + 1] for arguments in shifted.prepared] == ['4', '4', '4']
    kinds = [
        arguments[arguments.index('--shift') + 1] if '--shift' in arguments else '' for arguments in shifted.prepared
    ]
    assert kinds == ['', 'noise', 'contrast']


def test_the_matrix_has_what_was_trained_on_in_rows(shifted, tmp_path):
    # The one validation slice's label has 25 columns. Of 15 found, 2 * 15 / (15 + 25) = 0.75. Where a network was
    # trained, it counts what its evaluation found: half of the label, so 2 * 1 / (2 + 1) = 0.667.
    shifted.finds['noise'] = 15
    lines = shifted('--further', 'noise').splitlines()
    assert '| plain | 0.667 (0.667) | 1.000 (1.000) | 1.000 (1.000) |' in lines
    assert '| noise | 0.750 (0.750) | 0.667 (0.667) | 0.750 (0.750) |' in lines
    kept = json.loads((tmp_path / 'out' / 'trained-1' / 'noise.json').read_text())
    assert kept['matrix']['noise']['plain'] == [0.75, 0.75]


def test_it_is_trained_further_on_1_5_and_20_slices_from_the_plain_run_of_the_same_augmentation(
    shifted, trainings, manifest_of, tmp_path
):
    shifted('--further', 'noise')
    folder = tmp_path / 'out' / 'trained-1'
    without = [flag for flag in RECIPE if flag != '--augment']
    for recipe, start, words in (
        (without, 'plain-without-augmentation', 'without-augmentation'),
        (list(RECIPE), 'plain', 'with-augmentation'),
        ([*RECIPE, '--strength', 'strong'], 'plain-with-strong-augmentation', 'with-strong-augmentation'),
    ):
        # 40 steps: of 1 and of 5 slices a batch is all, and 20 are 3 batches of 8: 40 / 3 = 13.3 epochs.
        for slices, batch, epochs in ((1, '1', '40'), (5, '5', '40'), (20, '8', '14')):
            name = f'noise-{slices}-slices-{words}'
            (flags,) = [made[2] for made in trainings if made[0] == name]
            own = ['--batch_size', batch, '--num_epochs', epochs]  # No batch can have more slices than there are.
            assert flags == [*recipe, *own, '--init_from', str(folder / start / 'train'), '--seed', '1']
            sides = [line['split'] for line in manifest_of(folder / name / 'data')]
            assert sides == ['train'] * slices + ['val']


def test_the_second_table_begins_with_no_slice(shifted):
    shifted.finds['plain-without-augmentation'] = 15
    lines = shifted('--further', 'noise').splitlines()
    assert '| slices of noise | 0 | 1 | 5 | 20 |' in lines
    after = ' | '.join(['0.667 (0.667)'] * 3)  # By their own evaluations, as above.
    assert f'| without augmentation | 0.750 (0.750) | {after} |' in lines
    assert f'| with augmentation | 1.000 (1.000) | {after} |' in lines


def test_all_kinds_have_the_same_number_of_steps(shifted, trainings):
    shifted()
    # 24 slices are 3 batches of 8: 300 / 3 = 100 epochs.
    for kind in ('plain', 'noise', 'contrast'):
        (flags,) = [made[2] for made in trainings if made[0] == kind]
        assert flags == [*RECIPE, '--batch_size', '8', '--num_epochs', '100', '--seed', '1']


REAL = [f'{group}-0{number}' for group in ('SC-HF-I', 'SC-HF-NI', 'SC-HYP', 'SC-N') for number in (1, 2, 3)]


def test_of_real_slices_the_pathologies_are_the_kinds_and_who_tests_does_not_train(
    shifted, write_data, manifest_of, tmp_path
):
    data = write_data(tmp_path / 'real', {'train': REAL * 9, 'val': REAL})
    lines = shifted(str(data)).splitlines()
    assert '| trained on, tested on → | SC-HF-I | SC-HF-NI | SC-HYP | SC-N |' in lines
    assert not shifted.prepared
    for kind in ('SC-HF-I', 'SC-HF-NI', 'SC-HYP', 'SC-N'):
        found = manifest_of(tmp_path / 'out' / 'data-1' / kind)
        trains, tests = ({line['patient'] for line in found if line['split'] == side} for side in ('train', 'val'))
        assert len(trains) == 2 and len(tests) == 1 and not trains & tests
        assert trains | tests == {f'{kind}-0{number}' for number in (1, 2, 3)}


def test_a_pathology_of_one_patient_and_a_kind_that_there_is_not_end_in_one_line(shifted, write_data, tmp_path, capsys):
    data = write_data(tmp_path / 'real', {'train': REAL[:4]})
    with pytest.raises(LabError, match='has 1 patients whose names tell SC-HF-NI, as SC-HF-NI-01 does; two are wanted'):
        shifted(str(data))
    with pytest.raises(SystemExit):
        shifted('--further', 'SC-HYP')
    assert 'argument --further: SC-HYP is none of plain, noise, contrast' in capsys.readouterr().err


def test_fewer_slices_than_are_to_train_further_end_in_one_line(shifted, write_data, tmp_path):
    data = write_data(tmp_path / 'real', {'train': REAL})  # SC-HYP has three patients of one slice; one of them tests.
    with pytest.raises(LabError, match='SC-HYP has 2 slices that train; 20 are wanted to train further on'):
        shifted(str(data))


def test_a_run_of_ones_own_is_tested_on_each_kind_and_trained_further(shifted, trainings, tmp_path):
    shifted.finds['mine'] = 15
    lines = shifted('--start', '/runs/mine/train').splitlines()
    assert '| /runs/mine/train | 0.750 (0.750) | 0.750 (0.750) | 0.750 (0.750) |' in lines
    assert [name for name, *_ in trainings] == [
        f'noise-{slices}-slices-{words}'
        for words in ('without-augmentation', 'with-augmentation', 'with-strong-augmentation')
        for slices in (1, 5, 20)
    ]
    assert {flags[flags.index('--init_from') + 1] for _, _, flags in trainings} == {'/runs/mine/train'}


def test_a_run_that_knows_who_tests_is_refused(shifted, write_data, run_on, trainings, tmp_path):
    data = write_data(tmp_path / 'real', {'train': REAL * 10})
    with pytest.raises(LabError, match='everybody was trained on SC-HF-I-0[123], by whom it would be judged here'):
        shifted(str(data), '--start', str(run_on('everybody', REAL)))
    shifted(str(data), '--start', str(run_on('others', ['SC-N-901'])))
    assert len(trainings) == 9  # Three ways of 1, 5 and 20 slices.
