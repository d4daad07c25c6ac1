"""experiments/pretraining.py: who trains, who is held out, from which weights, with how many steps, and the table."""

import io
import json
import sys

from lvseg import pictures
from lvseg.errors import LabError

import numpy as np
import pytest
from PIL import Image

from experiments import panels, pretraining
from experiments.measuring import Measured
from experiments.pretraining import Point
from experiments.recipe import RECIPE

# Two of each pathology: 8 patients, of whom a fourth is held out.
PATIENTS = [f'{group}-0{number}' for group in ('SC-HF-I', 'SC-HF-NI', 'SC-HYP', 'SC-N') for number in (1, 2)]


def pixels(picture):
    with Image.open(io.BytesIO(picture)) as drawn:
        return np.asarray(drawn.convert('RGB')).astype(int)


def alike(plot, colour):
    """Where it is this colour, or nearly: a palette of 256 colours may move it a little."""
    return np.abs(plot - colour).sum(axis=2) < 30


def measured(dice):
    return Measured({}, 1.0, {'dice': dice, 'per_slice': {'dice': {'mean': dice}}}, {})


@pytest.fixture
def phantoms(run_on):
    return run_on('phantoms', ['SC-N-901'])


@pytest.fixture
def curve(write_data, phantoms, tmp_path, monkeypatch, capsys):
    """Runs the experiment on two slices of each patient, three of the first; returns what it printed."""
    data = write_data(tmp_path / 'data', {'train': [*PATIENTS, *PATIENTS], 'val': PATIENTS[:1]})

    def run(*arguments):
        always = [str(data), '--out', str(tmp_path / 'out'), '--pretrained', str(phantoms)]
        monkeypatch.setattr(sys, 'argv', ['pretraining.py', *always, *arguments])
        pretraining.main()
        return capsys.readouterr().out

    return run


def test_those_held_out_are_the_same_for_all_numbers_and_never_train(curve, trainings, manifest_of, tmp_path):
    curve('--patients', '1', '3')
    sides = {}
    for name in ('1-patients-alone', '3-patients-alone', '1-patients-after-phantoms', '3-patients-after-phantoms'):
        lines = manifest_of(tmp_path / 'out' / 'seed-1' / name / 'data')
        sides[name] = [{line['patient'] for line in lines if line['split'] == side} for side in ('train', 'val')]
    one, three = sides['1-patients-alone'], sides['3-patients-alone']
    assert one == sides['1-patients-after-phantoms'] and three == sides['3-patients-after-phantoms']
    assert one[1] == three[1] and len(one[1]) == 2
    assert len(one[0]) == 1 and len(three[0]) == 3 and one[0] < three[0]
    assert not three[0] & three[1]


def test_all_have_the_same_recipe_and_equally_many_steps_from_other_weights(curve, phantoms, trainings):
    curve('--patients', '1', '6', '--steps', '10')
    # The first has 3 slices, which are all of a batch, and 6 have 13: 1 and 2 batches an epoch, 10 steps are 10 and 5.
    by_name = {name: flags for name, _, flags in trainings}
    for number, batch_size, epochs in ((1, '3', '10'), (6, '8', '5')):
        alone = [*RECIPE, '--batch_size', batch_size, '--num_epochs', epochs]
        assert by_name[f'{number}-patients-alone'] == [*alone, '--seed', '1']
        start = ['--init_from', str(phantoms)]
        assert by_name[f'{number}-patients-after-phantoms'] == [*alone, *start, '--seed', '1']


def test_the_table_has_a_line_for_each_number_and_start_and_each_seed_in_it(curve, trainings, tmp_path):
    lines = curve('--patients', '1', '--seeds', '1', '2').splitlines()
    rows = [[cell.strip() for cell in line.strip('|').split('|')] for line in lines if line.startswith('| 1 |')]
    figures = ['0.667', '0.667, 0.667', '0.667', '0.667, 0.667']
    assert [row[3:] for row in rows] == [['random weights', *figures], ['phantoms', *figures]]
    kept = json.loads((tmp_path / 'out' / 'pretraining.json').read_text())
    assert [(point['patients'], point['pretrained'], len(point['seeds'])) for point in kept] == [
        (1, False, 2),
        (1, True, 2),
    ]


def test_the_curve_is_drawn_with_a_disc_for_each_seed_and_start(curve, trainings, tmp_path):
    curve('--patients', '3', '1', '--seeds', '1', '2')
    drawn = pixels((tmp_path / 'out' / 'pretraining.png').read_bytes())
    assert drawn.shape == (panels.HEIGHT, 2 * panels.WIDTH, 3)
    for panel in np.split(drawn, 2, axis=1):
        for colour in (pictures.ORANGE, panels.BLUE):
            assert alike(panel, colour).any()


def test_points_of_the_plot_lie_where_their_values_are():
    points = [
        Point(1, [18], False, [measured(0.6)]),
        Point(11, [195], False, [measured(0.9)]),
        Point(1, [18], True, [measured(0.8)]),
        Point(11, [195], True, [measured(0.95)]),
    ]
    left = pixels(pretraining.picture(points))[:, : panels.WIDTH]
    middles = {}
    for colour in (pictures.ORANGE, panels.BLUE):
        rows, columns = np.nonzero(alike(left, colour))
        middles[colour] = [rows[columns < 120].mean(), rows[(columns > 250) & (columns < 330)].mean()]
    # More is higher up, that is in a smaller row; the best of random weights is above the worst after phantoms.
    (random_1, random_11), (phantoms_1, phantoms_11) = middles[pictures.ORANGE], middles[panels.BLUE]
    assert phantoms_11 < random_11 < phantoms_1 < random_1


def test_what_was_measured_before_is_not_measured_again(curve, trainings):
    curve('--patients', '1')
    assert 'was measured before' in curve('--patients', '1', '2')
    assert [name for name, *_ in trainings] == [
        '1-patients-alone',
        '1-patients-after-phantoms',
        '2-patients-alone',
        '2-patients-after-phantoms',
    ]


def test_too_few_patients_to_hold_a_fourth_out_end_in_one_line():
    with pytest.raises(LabError, match='so 4 are wanted at least, and here are 3'):
        pretraining.sides(['a', 'b', 'c'], seed=1)


def test_more_patients_than_there_are_end_in_one_line(curve, trainings):
    with pytest.raises(LabError, match='--patients 7: .* has 6 beside the 2 held out'):
        curve('--patients', '7')
