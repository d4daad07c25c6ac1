from argparse import Namespace
from types import SimpleNamespace

from lvseg import inputs, records, training
from lvseg.errors import LabError

import numpy as np
import psutil
import pytest
import tensorflow.compat.v1 as tf

SLICE_BYTES = 256 * 256 * (4 + 1)  # A float32 and a uint8 for each pixel.


def described(data_dir, **others):
    """A training run on these slices."""
    defaults = {'exercise': 'cnn', 'batch_size': 1, 'num_epochs': 1, 'seed': 1, 'checkpoint_dir': '', 'resume': False}
    never = {'eval_every': None, 'init_from': None}
    return training.describe(Namespace(data_dir=str(data_dir), **{**defaults, **never, **others}))


def slice_numbers(batches):
    """The slices of each batch until the input ends: a slice's first pixel is its number (see tests/conftest.py)."""
    images, _ = batches
    found = []
    with tf.Session() as session:
        while True:
            try:
                found.append(session.run(images)[:, 0, 0].astype(int).tolist())
            except tf.errors.OutOfRangeError:
                return found


def training_order(run, seed=1):
    with tf.Graph().as_default():
        tf.set_random_seed(seed)
        return slice_numbers(inputs.training_batches(run._replace(seed=seed)))


@pytest.fixture(params=['cached', 'streamed'])
def any_size(request, monkeypatch):
    """The test runs with slices that fit into memory, and with slices that do not, shuffled four at a time."""
    if request.param == 'streamed':
        monkeypatch.setattr(inputs, '_CACHE_BYTES', 10 * SLICE_BYTES - 1)
        monkeypatch.setattr(inputs, '_STREAMING_SHUFFLE', 4)
    return request.param


def test_the_last_smaller_batch_counts(data_dir):
    batches = training_order(described(data_dir, batch_size=4, num_epochs=2))
    assert [len(batch) for batch in batches] == [4, 4, 2, 4, 4, 2]


def test_every_epoch_has_every_slice_once_in_a_new_order(data_dir, any_size):
    order = sum(training_order(described(data_dir, num_epochs=3)), [])
    epochs = [order[:10], order[10:20], order[20:]]
    assert [sorted(epoch) for epoch in epochs] == [list(range(10))] * 3
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_every_slice_that_is_shuffled_can_come_first(data_dir, any_size):
    order = sum(training_order(described(data_dir, num_epochs=100)), [])
    # That a slice comes first in none of 100 epochs has a chance of 0.9 ** 100 = 0.00003.
    assert set(order[::10]) == set(range(10 if any_size == 'cached' else 4))


def test_the_seed_makes_the_order(data_dir, any_size):
    run = described(data_dir, num_epochs=2)
    assert training_order(run, seed=1) == training_order(run, seed=1) != training_order(run, seed=2)


def test_a_resumed_run_goes_on_in_the_order_of_the_run_that_was_not_stopped(data_dir, any_size):
    run = described(data_dir, batch_size=3, num_epochs=3)  # 4 steps an epoch
    whole = training_order(run)
    assert training_order(run._replace(steps_done=7)) == whole[7:]


@pytest.mark.parametrize(('any_size', 'decodings'), [('cached', 10), ('streamed', 30)], indirect=['any_size'])
def test_a_slice_is_decoded_once_if_all_fit_into_memory(any_size, decodings, data_dir, monkeypatch):
    decoded, decode = [], records.decode

    def counting_decode(serialized):
        image, label = decode(serialized)
        counted = tf.py_func(lambda: decoded.append(1) or np.float32(0), [], tf.float32)
        counted.set_shape([])
        return image + counted, label

    monkeypatch.setattr(records, 'decode', counting_decode)
    training_order(described(data_dir, num_epochs=3))
    assert len(decoded) == decodings


@pytest.mark.parametrize(('free', 'share'), [(4 * 10**9, 10**9), (16 * 2**30, 2 * 2**30)])
def test_the_cache_takes_a_quarter_of_the_free_memory_and_2_gb_at_most(free, share, monkeypatch):
    monkeypatch.setattr(inputs.psutil, 'virtual_memory', lambda: SimpleNamespace(available=free))
    assert inputs._cache_bytes() == share


def test_slices_that_just_fit_are_cached(data_dir, monkeypatch):
    """Cached slices are shuffled over all of the file: the last one can then come first; streamed it cannot."""
    monkeypatch.setattr(inputs, '_STREAMING_SHUFFLE', 1)
    monkeypatch.setattr(inputs, '_CACHE_BYTES', 10 * SLICE_BYTES)
    assert sum(training_order(described(data_dir)), []) != list(range(10))
    monkeypatch.setattr(inputs, '_CACHE_BYTES', 10 * SLICE_BYTES - 1)
    assert sum(training_order(described(data_dir)), []) == list(range(10))


@pytest.mark.parametrize(('batch_size', 'first'), [(1, 1), (4, None)])
def test_the_static_shape_is_as_known_as_it_can_be(batch_size, first, data_dir, graph):
    images, labels = inputs.training_batches(described(data_dir, batch_size=batch_size))
    assert images.shape.as_list() == labels.shape.as_list() == [first, 256, 256]
    assert (images.dtype, labels.dtype) == (tf.float32, tf.uint8)


@pytest.mark.parametrize(('eval_data', 'slices'), [('eval', 4), ('train', 10)])
def test_evaluation_sees_every_slice_once_in_the_files_order(eval_data, slices, data_dir, graph):
    batches = inputs.evaluation_batches(str(data_dir), eval_data, batch_size=3)
    assert sum(slice_numbers(batches), []) == list(range(slices))


def test_labels_stay_with_their_images(data_dir, graph):
    """The ventricle of slice n has (10 + n) * 20 pixels."""
    images, labels = inputs.training_batches(described(data_dir, batch_size=10))
    with tf.Session() as session:
        images, labels = session.run([images, labels])
    for image, label in zip(images, labels):
        number = image[0, 0]
        assert label.sum() == (10 + number) * 20
        assert (image[label == 1] == number + 0.5).all()


def test_a_batch_larger_than_the_file_is_refused(data_dir, graph):
    with pytest.raises(LabError, match='--batch_size 11 is more than the 10 slices of .*; give 10 or less'):
        inputs.training_batches(described(data_dir, batch_size=11))


def test_a_missing_file_is_refused_when_the_graph_is_built(tmp_path, graph):
    with pytest.raises(LabError, match='train_images.tfrecords not found. Make it with: python -m data_prep'):
        inputs.training_batches(described(tmp_path))


def damaged_copy(data_dir, folder, damage):
    data = bytearray((data_dir / 'train_images.tfrecords').read_bytes())
    record = len(data) // 10
    damage(data, start=7 * record)  # That of the eighth record.
    (folder / 'train_images.tfrecords').write_bytes(bytes(data))


def test_the_session_tells_which_record_is_damaged(data_dir, tmp_path, graph):
    def damage(data, start):
        data[start + 1000] ^= 1

    damaged_copy(data_dir, tmp_path, damage)
    batches = inputs.training_batches(described(tmp_path))
    wrong = 'record 8 of .* is damaged: its checksum is wrong'
    with pytest.raises(LabError, match=wrong), inputs.explaining_bad_records(str(tmp_path), 'train'):
        slice_numbers(batches)


def test_the_session_tells_which_label_is_wrong(tmp_path, graph):
    good = records.encode(np.zeros((256, 256), int), np.ones((256, 256), np.uint8))
    ones = b'\x01' * 65536
    with tf.python_io.TFRecordWriter(str(tmp_path / 'train_images.tfrecords')) as writer:
        writer.write(good)
        writer.write(good.replace(ones, b'\x02' + ones[1:]))
    batches = inputs.training_batches(described(tmp_path))
    wrong = 'label_raw in record 2 of .* has the values 1, 2; only 0 and 1 are labels'
    with pytest.raises(LabError, match=wrong), inputs.explaining_bad_records(str(tmp_path), 'train'):
        slice_numbers(batches)


def test_an_error_of_the_network_keeps_its_traceback(data_dir, graph):
    images, labels = inputs.training_batches(described(data_dir))
    wrong = tf.reshape(images, tf.placeholder_with_default([1, 255, 256], [3]))
    with pytest.raises(tf.errors.InvalidArgumentError), inputs.explaining_bad_records(str(data_dir), 'train'):
        slice_numbers((wrong, labels))


@pytest.fixture(scope='module')
def dir_of_600_slices(data_dir, tmp_path_factory):
    """Decoded, they take 197 MB."""
    folder = tmp_path_factory.mktemp('large')
    ten = (data_dir / 'train_images.tfrecords').read_bytes()
    for split in ('train', 'val'):
        with open(str(folder / f'{split}_images.tfrecords'), 'wb') as file:
            file.writelines([ten] * 60)
    return folder


def growth_from_slice_100_on(batches):
    """How many more bytes of memory the process holds after the last slice than after the hundredth."""
    process, sizes = psutil.Process(), []
    with tf.Session() as session:
        while True:
            try:
                session.run(batches)
            except tf.errors.OutOfRangeError:
                break
            sizes.append(process.memory_info().rss)
    assert len(sizes) == 600
    return sizes[-1] - sizes[99]


LESS_THAN_HALF_OF_500_SLICES = 250 * SLICE_BYTES


def test_streaming_holds_memory_flat(dir_of_600_slices, monkeypatch, graph):
    monkeypatch.setattr(inputs, '_CACHE_BYTES', 0)
    monkeypatch.setattr(inputs, '_STREAMING_SHUFFLE', 50)
    batches = inputs.training_batches(described(dir_of_600_slices))
    assert growth_from_slice_100_on(batches) < LESS_THAN_HALF_OF_500_SLICES


def test_evaluation_holds_memory_flat(dir_of_600_slices, graph):
    batches = inputs.evaluation_batches(str(dir_of_600_slices), 'eval', batch_size=1)
    assert growth_from_slice_100_on(batches) < LESS_THAN_HALF_OF_500_SLICES
