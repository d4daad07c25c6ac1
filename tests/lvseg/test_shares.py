"""What each of several workers gets of a batch, and of its gradients."""

from lvseg import inputs, records, runs, tasks, together
from lvseg.errors import LabError

import pytest
import tensorflow.compat.v1 as tf

CLUSTER = {'chief': ['a:1'], 'worker': ['b:1', 'c:1'], 'ps': ['d:1']}
THREE = [tasks.Task(CLUSTER, 'chief', 0), tasks.Task(CLUSTER, 'worker', 0), tasks.Task(CLUSTER, 'worker', 1)]


def described(data_dir, task, **others):
    run = runs.Run('cnn', str(data_dir), 10, 4, 2, None, 1, 'logs', None, False, 0, [], {}, {})
    team = None if task is None else together.Team(task, None, None)
    return run._replace(team=team, **others)


def batches(data_dir, task, augment=None, **others):
    """[(numbers of its slices, how much it counts)] of each batch: a slice's first pixel is its number."""
    found = []
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.set_random_seed(1)
        images, labels = inputs.training_batches(described(data_dir, task, **others), augment)
        operations = len(graph.get_operations())
        counts = tf.get_collection(together.SHARE) or [tf.constant(1.0)]
        while True:
            try:
                pixels, _, count = session.run([images[:, 0, 0], labels, counts[0]])
            except tf.errors.OutOfRangeError:
                return found, operations
            found.append((pixels.astype(int).tolist(), count))


def test_the_shares_of_a_batch_are_that_of_one_process_each_slice_once(data_dir):
    alone, _ = batches(data_dir, None)
    shares = [batches(data_dir, task)[0] for task in THREE]
    assert len(alone) == 6 and all(len(share) == 6 for share in shares)
    for step, (whole, _) in enumerate(alone):
        counting = [share[step] for share in shares if share[step][1] > 0]
        assert sorted(sum((slices for slices, _ in counting), [])) == sorted(whole)
        # Of 4 slices, one worker has 2 and counts 3 * 2 / 4; of the last 2, each of two counts 3 * 1 / 2.
        for slices, counts in counting:
            assert counts == 3 * len(slices) / len(whole)


def test_a_worker_without_a_slice_takes_one_that_counts_nothing(data_dir):
    (*_, last), _ = batches(data_dir, THREE[2], num_epochs=1)
    assert len(last[0]) == 1 and last[1] == 0


def test_a_resumed_run_goes_on_with_the_batch_after_the_last(data_dir):
    assert batches(data_dir, THREE[1], steps_done=2)[0] == batches(data_dir, THREE[1])[0][2:]


@pytest.mark.parametrize('augment', [None, lambda images, labels, seed: (images, labels)])
def test_the_graph_has_as_many_operations_as_that_of_one_process_for_these_decide_on_the_first_weights(
    augment, data_dir
):
    _, alone = batches(data_dir, None, augment, num_epochs=1)
    _, share = batches(data_dir, THREE[1], augment, num_epochs=1)
    assert share == alone


def test_each_share_is_augmented_by_a_seed_of_its_own(data_dir):
    def first_pixel_tells_the_seed(images, labels, seed):
        return images * 0 + tf.cast(seed[0], tf.float32), labels

    seeds = [batches(data_dir, task, first_pixel_tells_the_seed, num_epochs=1)[0][0][0][0] for task in THREE]
    assert seeds == [1, 2, 3]


def test_a_damaged_record_is_told(data_dir, tmp_path):
    content = bytearray((data_dir / 'train_images.tfrecords').read_bytes())
    content[records.offsets(str(data_dir / 'train_images.tfrecords'))[7] + 5000] ^= 1
    (tmp_path / 'train_images.tfrecords').write_bytes(content)
    wrong = 'record 8 of .* is damaged: its checksum is wrong'
    with pytest.raises(LabError, match=wrong), inputs.explaining_bad_records(str(tmp_path), 'train'):
        for task in THREE:
            batches(tmp_path, task)


def test_files_of_other_records_have_another_digest(data_dir, tmp_path, write_slices):
    same, other = (write_slices(tmp_path / str(count) / 'train_images.tfrecords', range(count)) for count in (10, 9))
    original = records.digest(str(data_dir / 'train_images.tfrecords'))
    assert records.digest(str(same)) == original != records.digest(str(other))
