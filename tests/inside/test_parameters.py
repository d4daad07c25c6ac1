"""scripts/parameters.py: what it counts, by hand arithmetic."""

from lvseg import networks

import pytest

from classroom import making as make_exercises
from inside import counting as parameters


@pytest.fixture(scope='module')
def simple():
    return parameters.rows(networks.solution('simple'))


@pytest.fixture(scope='module')
def cnn():
    return parameters.rows(networks.solution('cnn'))


def column(rows, name):
    return {row.layer: getattr(row, name) for row in rows}


def test_weights_of_the_fully_connected_network(simple):
    # 256 * 256 = 65,536 pixels to 512 units; those to 2 scores for each pixel. In all 100.7 million.
    assert column(simple, 'weights') == {'Hidden1': 65_536 * 512, 'Final': 512 * 131_072}
    assert sum(column(simple, 'weights').values()) == 100_663_296


def test_a_fully_connected_layer_multiplies_once_with_each_weight(simple):
    assert column(simple, 'multiplications') == column(simple, 'weights')


def test_weights_of_the_convolutional_network(cnn):
    # Height x width x channels in x filters. In all 1.86 million.
    assert column(cnn, 'weights') == {
        'conv1': 5 * 5 * 1 * 100,
        'pool1': 0,
        'conv2': 5 * 5 * 100 * 200,
        'pool2': 0,
        'conv3': 3 * 3 * 200 * 300,
        'conv4': 3 * 3 * 300 * 300,
        'score_classes': 1 * 1 * 300 * 2,
        'upscore': 31 * 31 * 2 * 2,
    }
    assert sum(column(cnn, 'weights').values()) == 1_856_944


def test_output_shapes_of_the_convolutional_network(cnn):
    # Strides and windows of 2 halve 256 four times; the way back multiplies by 16.
    assert column(cnn, 'output') == {
        'conv1': (1, 128, 128, 100),
        'pool1': (1, 64, 64, 100),
        'conv2': (1, 32, 32, 200),
        'pool2': (1, 16, 16, 200),
        'conv3': (1, 16, 16, 300),
        'conv4': (1, 16, 16, 300),
        'score_classes': (1, 16, 16, 2),
        'upscore': (1, 256, 256, 2),
    }


def test_multiplications_of_the_convolutional_network(cnn):
    # Places of the output x weights; on the way back places of the input x weights.
    assert column(cnn, 'multiplications') == {
        'conv1': 128 * 128 * (5 * 5 * 1 * 100),
        'pool1': 0,
        'conv2': 32 * 32 * (5 * 5 * 100 * 200),
        'pool2': 0,
        'conv3': 16 * 16 * (3 * 3 * 200 * 300),
        'conv4': 16 * 16 * (3 * 3 * 300 * 300),
        'score_classes': 16 * 16 * (1 * 1 * 300 * 2),
        'upscore': 16 * 16 * (31 * 31 * 2 * 2),
    }


def test_biases_are_weights_of_their_layer(tmp_path):
    path = tmp_path / 'neuralnetwork.py'
    text = networks.source(networks.solution('cnn')).replace('use_bias=False', 'use_bias=True', 1)
    path.write_text(text, encoding='utf-8')
    assert column(parameters.rows(path), 'weights')['conv1'] == 5 * 5 * 1 * 100 + 100  # One bias for each filter.


def test_the_table_ends_with_the_totals(cnn):
    lines = parameters.table(cnn).splitlines()
    assert lines[0].split() == ['layer', 'output', 'shape', 'weights', 'multiplications']
    assert lines[1].split() == ['conv1', '(1,', '128,', '128,', '100)', '2,500', '40,960,000']
    assert lines[-1].split()[:2] == ['total', '1,856,944']
    assert len({len(line) for line in lines}) == 1  # The columns are aligned.


def test_every_exercise_has_a_table(run):
    for name in make_exercises.exercise_names():
        assert parameters.rows(networks.solution(name))


def test_the_command_prints_the_solutions_table(run):
    done = run('scripts/parameters.py', 'simple', check=True)
    assert done.stdout.splitlines()[-1].split() == ['total', '100,663,296', '100,663,296']
    assert done.stderr == ''


def test_a_network_with_open_blanks_is_refused_in_one_line(tmp_path):
    path = tmp_path / 'neuralnetwork.py'
    path.write_text(make_exercises.blanked(networks.source(networks.solution('cnn'))), encoding='utf-8')
    with pytest.raises(networks.LabError, match=r"line 47: name 'FIXME' is not defined\. Fill in this blank\."):
        parameters.rows(path)
