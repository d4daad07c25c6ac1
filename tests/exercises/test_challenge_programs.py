"""The challenge's programs, as a user runs them."""

import json
import re
import shutil
import subprocess
import sys

from lvseg import files, prediction
from lvseg.errors import LabError

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

QUICK = ['--num_epochs', 2, '--batch_size', 2, '--seed', 1, '--network', 'fcn']  # 2 steps an epoch, of few_slices.

UNET = ['--network', 'unet', '--normalisation', 'per_image', '--augment', '--loss', 'both', '--optimizer', 'adam']
UNET += ['--schedule', 'warmup']


class Program:
    """The challenge's programs, run in a process of their own or in the test's."""

    def __init__(self, run, root, data, package='exercise_solutions'):
        self._run, self._folder, self._data = run, root / package / 'challenge', ['--data_dir', data]

    def train(self, run_dir, *more):
        return self._run(self._folder / 'runTraining.py', *self._data, '--checkpoint_dir', run_dir, *more)

    def evaluate(self, run_dir, *more):
        results = ['--checkpoint_dir', run_dir, '--eval_dir', f'{run_dir}-eval', *more]
        return self._run(self._folder / 'runEval.py', *self._data, *results)


@pytest.fixture(scope='module')
def few_slices(tmp_path_factory, write_slices):
    """4 slices to train, 2 to validate."""
    folder = tmp_path_factory.mktemp('few')
    write_slices(folder / 'train_images.tfrecords', range(4))
    write_slices(folder / 'val_images.tfrecords', range(2))
    return folder


@pytest.fixture(scope='module')
def program(run_here, root, few_slices):
    return Program(run_here, root, few_slices)


@pytest.fixture(scope='module')
def as_a_user_runs_it(run, root, few_slices):
    return Program(run, root, few_slices)


@pytest.fixture(scope='module')
def unet_run(as_a_user_runs_it, tmp_path_factory):
    """Trained with what the evaluation has to find out by itself, and with augmentation; 2 epochs of 2 steps."""
    run_dir = tmp_path_factory.mktemp('unet') / 'train'
    done = as_a_user_runs_it.train(run_dir, *QUICK, *UNET)
    assert done.returncode == 0, done.stderr
    return run_dir


@pytest.fixture(scope='module')
def started_run(unet_run, program, tmp_path_factory):
    """A run that started from the weights of unet_run and left them nearly as they were, and what it printed."""
    run_dir = tmp_path_factory.mktemp('started') / 'train'
    done = program.train(run_dir, *STARTED, '--init_from', unet_run)
    assert done.returncode == 0, done.stderr
    return run_dir, done


STARTED = [*QUICK, '--network', 'unet', '--num_epochs', 1, '--learning_rate', 1e-12]


def weights_of(run_dir):
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(run_dir)))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def assert_equal_weights(one, other):
    assert set(one) == set(other)
    assert [name for name in one if not np.array_equal(one[name], other[name])] == []


def test_the_evaluation_finds_out_which_network_was_trained(unet_run, as_a_user_runs_it):
    done = as_a_user_runs_it.evaluate(unet_run)
    assert done.returncode == 0, done.stderr
    assert re.search(r'^OUTPUT: .*: Dice metric = \d\.\d{3}$', done.stdout, re.MULTILINE)
    assert 'DEBUG down0 shape' in done.stdout
    assert json.loads((unet_run / 'run.json').read_text())['network'] == 'unet'


def test_alexnet_is_trained_and_evaluated(program, tmp_path):
    done = program.train(tmp_path / 'train', *QUICK, '--network', 'alexnet', '--num_epochs', 1, '--augment')
    assert done.returncode == 0, done.stderr
    done = program.evaluate(tmp_path / 'train')
    assert done.returncode == 0, done.stderr
    assert 'Dice metric = ' in done.stdout


def test_an_evaluation_that_goes_on_refuses_a_run_of_another_normalisation_in_the_same_place(
    unet_run, root, data_dir, tmp_path
):
    run_dir = tmp_path / 'train'
    shutil.copytree(str(unet_run), str(run_dir))
    flags = ['--data_dir', data_dir, '--checkpoint_dir', run_dir, '--eval_dir', tmp_path / 'eval']
    script = root / 'exercise_solutions' / 'challenge' / 'runEval.py'
    command = [sys.executable, script, *flags, '--run_once', 'false', '--eval_interval_secs', 0.1]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert any('Dice metric' in line for line in iter(process.stdout.readline, ''))

    told = json.loads((run_dir / 'run.json').read_text())
    replace(run_dir / 'run.json', json.dumps({**told, 'normalisation': 'lab', 'started': 'later'}))
    for path in list(run_dir.glob('model.ckpt-4*')):
        shutil.copy(str(path), str(path).replace('ckpt-4', 'ckpt-5'))
    state = run_dir / 'checkpoint'
    replace(state, state.read_text().replace('ckpt-4', 'ckpt-5'))
    try:
        _, err = process.communicate(timeout=300)
    finally:
        process.kill()  # Without the refusal it would go on for ever.
    assert process.returncode == 1
    assert f'another run stands in {run_dir} now, with --normalisation lab in place of per_image.' in err


def replace(path, text):
    """Another process, which looks at the file again and again, never sees half of it."""
    with files.replacing(str(path)) as file:
        file.write(text)


@pytest.fixture
def noted(unet_run, tmp_path):
    """A copy of the run with other entries in its run.json; None leaves one out."""

    def copy(**entries):
        run_dir = tmp_path / 'noted'
        shutil.copytree(str(unet_run), str(run_dir))
        told = {**json.loads((run_dir / 'run.json').read_text()), **entries}
        told = {name: value for name, value in told.items() if value is not None}
        (run_dir / 'run.json').write_text(json.dumps(told))
        return run_dir

    return copy


def test_an_older_run_goes_on_with_the_default_of_a_flag_that_there_was_not_yet_and_with_no_other(noted, program):
    run_dir = noted(strength=None)
    refused = program.train(run_dir, *QUICK, *UNET, '--resume', '--strength', 'strong')
    assert refused.returncode == 1
    assert f'the run in {run_dir} has --strength mild, not strong.' in refused.stderr
    gone_on = program.train(run_dir, *QUICK, *UNET, '--resume')
    assert gone_on.returncode == 0, gone_on.stderr


@pytest.mark.parametrize('flag', ['augment', 'normalisation'])
def test_a_run_that_does_not_tell_how_it_was_trained_is_refused(flag, noted, program):
    done = program.evaluate(noted(**{flag: None}))
    assert done.returncode == 1
    assert f'does not tell --{flag}; here there is only ' in done.stderr


def test_a_network_is_asked_with_the_normalisation_that_it_was_trained_with(unet_run, noted):
    image = np.random.RandomState(0).randint(0, 500, (1, 256, 256))

    def scores_of(run_dir):
        """Logarithms: a network that has hardly been trained is sure of the background, to many decimals."""
        probabilities = prediction.load(str(run_dir)).probabilities
        return lambda pixels: np.log(probabilities(pixels) + 1e-30)

    per_image, by_1024 = scores_of(unet_run), scores_of(noted(normalisation='lab'))
    # A scanner's gain and offset make no difference to mean 0 and standard deviation 1, but to a division by 1024.
    np.testing.assert_allclose(per_image(2 * image + 100), per_image(image), atol=0.05)
    assert np.abs(by_1024(image) - per_image(image)).max() > 0.5
    assert np.abs(by_1024(2 * image + 100) - by_1024(image)).max() > 0.5


@pytest.mark.parametrize(
    'told, said',
    [
        (None, 'does not tell --normalisation; here there is only lab, per_image.'),
        ('z-score', 'was trained with --normalisation z-score; here there is only lab, per_image.'),
    ],
)
def test_a_network_whose_normalisation_is_not_known_is_asked_nothing(told, said, noted):
    with pytest.raises(LabError, match=re.escape(said)):
        prediction.load(str(noted(normalisation=told)))


def test_its_slices_are_drawn_with_the_network_that_was_trained(unet_run, run_here, data_dir, tmp_path):
    done = run_here('scripts/show.py', '--checkpoint_dir', unet_run, '--data', data_dir, '--out', tmp_path / 'show.png')
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'show.png').read_bytes().startswith(b'\x89PNG')


def test_a_network_changed_since_its_training_is_named(unet_run, run_here, data_dir, copy_exercise, tmp_path):
    folder = copy_exercise('challenge')
    unet = folder / 'unet.py'
    unet.write_text(unet.read_text().replace("'down0'", "'first'"))
    done = run_here(folder / 'runEval.py', '--data_dir', data_dir, '--checkpoint_dir', unet_run, '--eval_dir', tmp_path)
    assert done.returncode == 1
    assert 'has no variable first/kernel: the network of challenge was another one when it was trained.' in done.stderr


@pytest.mark.parametrize('more', [[], ['--strength', 'strong'], ['--network', 'anywhere']], ids=' '.join)
def test_with_a_seed_augmented_runs_are_alike_resumed_or_not(more, program, tmp_path):
    """4 steps in one go; and 2 steps, then 2 more. The rate does not fall here, since it falls over the whole run."""
    flags = [*QUICK, '--augment', '--optimizer', 'momentum', *more]
    assert program.train(tmp_path / 'whole', *flags).returncode == 0
    assert program.train(tmp_path / 'halves', *flags, '--num_epochs', 1).returncode == 0
    assert program.train(tmp_path / 'halves', *flags, '--resume').returncode == 0
    whole, halves = weights_of(tmp_path / 'whole'), weights_of(tmp_path / 'halves')
    assert whole['global_step'] == 4
    assert_equal_weights(whole, halves)


def test_a_strength_without_augmentation_is_refused(program, tmp_path):
    done = program.train(tmp_path / 'train', *QUICK, '--strength', 'strong')
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith('ERROR: --strength strong changes nothing without --augment.')


def test_a_run_starts_from_another_ones_weights_at_step_zero(unet_run, started_run):
    run_dir, done = started_run
    assert 'OUTPUT: Step 0: ' in done.stdout and 'OUTPUT: Done training for 1 epochs, 2 steps.' in done.stdout
    earlier, found = weights_of(unet_run), weights_of(run_dir)
    for name in ('down0/kernel', 'scores/bias', 'up1/conv2/norm/gamma'):
        assert np.allclose(found[name], earlier[name], atol=1e-6), name


def test_variables_that_fit_are_taken_and_the_others_are_listed(program, exercise_of, root, tmp_path):
    """The lab's network has the same kernels, but no normalisation."""
    assert exercise_of(root / 'exercise_solutions' / 'cnn').train(tmp_path / 'cnn').code == 0
    flags = [*QUICK, '--num_epochs', 1, '--learning_rate', 1e-12, '--init_from', tmp_path / 'cnn']
    done = program.train(tmp_path / 'train', *flags)
    assert done.returncode == 0, done.stderr
    assert f'Starting from {tmp_path}/cnn: 6 variables are taken.' in done.stderr
    # Of each of the four convolutions gamma, beta, mean and variance; and the scores' bias.
    (listed,) = re.findall(r'^Not there, or of another shape, so started at random: (.*)\.$', done.stderr, re.MULTILINE)
    assert len(listed.split(', ')) == 4 * 4 + 1
    earlier, found = weights_of(tmp_path / 'cnn'), weights_of(tmp_path / 'train')
    assert np.allclose(found['conv3/kernel'], earlier['conv3/kernel'], atol=1e-6)


@pytest.fixture(scope='module')
def simple_run(simple, tmp_path_factory):
    run_dir = tmp_path_factory.mktemp('simple') / 'train'
    assert simple.train(run_dir).code == 0
    return run_dir


@pytest.mark.parametrize('file', ['.index', '.data-00000-of-00001'])
def test_a_checkpoint_is_known_by_its_files_too_as_a_shell_completes_their_names(file, simple, simple_run, tmp_path):
    done = simple.train(tmp_path / 'train', '--init_from', f'{simple_run}/model.ckpt-10{file}')
    assert done.code == 0, done.err
    assert 'variables are taken' in done.err and 'started at random' not in done.err


def test_a_run_killed_before_its_first_checkpoint_still_starts_from_the_weights_when_resumed(
    unet_run, started_run, program, tmp_path
):
    run_dir = tmp_path / 'train'
    shutil.copytree(str(started_run[0]), str(run_dir))
    for path in [run_dir / 'checkpoint', *run_dir.glob('model.ckpt*')]:
        path.unlink()
    done = program.train(run_dir, *STARTED, '--resume')
    assert done.returncode == 0, done.stderr
    assert f'Starting from {unet_run}' in done.stderr
    assert np.allclose(weights_of(run_dir)['up1/conv2/kernel'], weights_of(unet_run)['up1/conv2/kernel'], atol=1e-6)
    # From its checkpoint on, those weights are not wanted any more, but where they came from is still told.
    assert program.train(run_dir, *STARTED, '--num_epochs', 2, '--resume').stderr.count('Starting from') == 0
    assert json.loads((run_dir / 'run.json').read_text())['init_from'] == str(unet_run)


def test_a_checkpoint_of_which_nothing_fits_is_refused(unet_run, program, tmp_path):
    done = program.train(tmp_path / 'train', *QUICK, '--init_from', unet_run)
    assert done.returncode == 1
    assert re.fullmatch(
        r'Running on .*\nERROR: --init_from .*: none of its variables fits this network; it has .* and \d+ more\.\n',
        done.stderr,
    )


@pytest.mark.parametrize('file', ['', 'checkpoint', 'model.ckpt-7', 'run.json'])
def test_there_is_one_answer_to_a_checkpoint_that_is_not_there(file, program, tmp_path):
    (tmp_path / 'run.json').write_text('{}')
    done = program.train(tmp_path / 'train', *QUICK, '--init_from', tmp_path / file)
    assert done.returncode == 1 and 'no checkpoint there' in done.stderr
    assert not (tmp_path / 'train').exists()


def test_to_start_afresh_from_weights_and_to_resume_exclude_each_other(program, tmp_path):
    done = program.train(tmp_path / 'train', '--init_from', tmp_path, '--resume')
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1


def test_a_choice_that_there_is_not_is_refused_with_those_that_there_are(program, tmp_path):
    done = program.train(tmp_path / 'train', '--network', 'resnet')
    assert done.returncode == 2
    assert "invalid choice: 'resnet' (choose from 'fcn', 'alexnet', 'unet', 'anywhere')" in done.stderr


def test_the_exercise_starts_with_the_labs_network_and_runs_as_it_is(run_here, root, few_slices, tmp_path):
    exercise = Program(run_here, root, few_slices, 'exercises')
    trained = exercise.train(tmp_path / 'train', *QUICK)
    assert trained.returncode == 0, trained.stderr
    assert exercise.evaluate(tmp_path / 'train').returncode == 0


def test_a_network_that_the_exercise_does_not_have_is_named(noted, run_here, root, few_slices):
    unknown = Program(run_here, root, few_slices, 'exercises').evaluate(noted(network='alexnet'))
    assert unknown.returncode == 1
    assert 'was trained with --network alexnet; here there is only fcn, unet.' in unknown.stderr


def test_a_checkpoint_of_another_exercise_is_refused(simple_run, program):
    done = program.evaluate(simple_run)
    assert done.returncode == 1
    assert 'checkpoint of simple, this is challenge' in done.stderr


# A flag of the student's own.

GAMMA = "FLAGS = [\n    Flag('gamma', 'exponent of the pixels', 1.0, type=float, for_inference=True),"


@pytest.fixture(scope='module')
def with_gamma(copy_exercise, run_here, few_slices):
    """The challenge's programs with one flag more, which stands where the others do and is taken by inference."""
    folder = copy_exercise('challenge')
    network = folder / 'neuralnetwork.py'
    text = network.read_text().replace('FLAGS = [', GAMMA, 1)
    text = text.replace('augment=False):', 'augment=False, gamma=1.0):', 1)
    first_line = "    print_tensor_shape(images, '"
    network.write_text(text.replace(first_line, f"    print('GAMMA', gamma)\n{first_line}", 1))
    return Program(run_here, folder.parent.parent, few_slices)


def test_a_flag_of_the_students_own_is_added_in_one_place(with_gamma, tmp_path):
    """It is kept in run.json, found again by the evaluation, and a run goes on with nothing else."""
    trained = with_gamma.train(tmp_path / 'train', *QUICK, '--gamma', 2)
    assert 'GAMMA 2.0' in trained.stdout, trained.stderr
    run = json.loads((tmp_path / 'train' / 'run.json').read_text())
    assert run['gamma'] == 2 and 'gamma' in run['added_flags']
    assert 'GAMMA 2.0' in with_gamma.evaluate(tmp_path / 'train').stdout
    refused = with_gamma.train(tmp_path / 'train', *QUICK, '--resume', '--gamma', 3)
    assert refused.returncode == 1
    assert 'has --gamma 2.0, not 3.0' in refused.stderr
