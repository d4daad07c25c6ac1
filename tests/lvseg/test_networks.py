"""Loading a neuralnetwork.py: its imports find the files beside it, and nothing of it stays behind."""

import json
import sys

from lvseg import networks

import pytest


@pytest.fixture
def load(tmp_path):
    """Loads a network from a folder's files, given by name and text, as if they had just been saved."""

    def saved_and_loaded(folder='exercise', **files):
        desk = tmp_path / folder
        desk.mkdir(exist_ok=True)
        for name, text in files.items():
            (desk / f'{name}.py').write_text(text, encoding='utf-8')
        return networks.load(desk / 'neuralnetwork.py', files['neuralnetwork'])

    return saved_and_loaded


def test_a_network_imports_the_files_beside_it(load):
    assert load(neuralnetwork='import layers\nSIZE = layers.SIZE\n', layers='SIZE = 3\n').SIZE == 3


def test_a_file_beside_it_is_read_again_when_it_has_been_saved_again(load):
    load(neuralnetwork='import layers\n', layers='SIZE = 3\n')
    # Of another length, for Python takes a file of the same second and length for the same.
    assert load(neuralnetwork='from layers import SIZE\n', layers='SIZE = 3 + 2\n').SIZE == 5


def test_each_of_two_exercises_imports_its_own_file_of_a_name(load):
    importing = 'from layers import SIZE\n'
    assert load('simple', neuralnetwork=importing, layers='SIZE = 3\n').SIZE == 3
    assert load('cnn', neuralnetwork=importing, layers='SIZE = 5\n').SIZE == 5


def test_a_file_that_only_the_other_exercise_has_is_not_found(load):
    load('solution', neuralnetwork='import unet\n', unet='')
    with pytest.raises(ModuleNotFoundError, match='unet'):
        load('mine', neuralnetwork='import unet\n')


@pytest.mark.parametrize('text', ['', 'import json\n', 'import layers\n'])
def test_a_file_that_is_called_as_a_module_of_python_does_not_remove_that(text, load):
    load(neuralnetwork=text, json='', layers='import json\n')
    assert sys.modules['json'] is json


def test_a_file_may_be_imported_only_when_a_function_is_called(load):
    network = load(neuralnetwork='def inference():\n    import layers\n    return layers.SIZE\n', layers='SIZE = 3\n')
    assert networks.call(network, 'inference') == 3


def test_the_search_path_is_left_as_it_was(load):
    before = list(sys.path)
    networks.call(load(neuralnetwork='def inference():\n    pass\n'), 'inference')
    assert sys.path == before
