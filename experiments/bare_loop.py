"""What the benchmark compares the lab with: a bare loop over the same network, as the original lab has it.

tf.data, session.run, a summary every 100 steps, a checkpoint at the end, and nothing else of lvseg than what prepares
TensorFlow: `python -m experiments.bare_loop EXERCISE DATA_DIR EPOCHS DIRECTORY`.
"""

import sys
import time

import lvseg  # noqa: F401 - TensorFlow 2 gives its layers only if it was told so before.

import tensorflow.compat.v1 as tf

SIZE, SHUFFLED, REPORT_STEPS = 256, 300, 100


def slices(path: str, epochs: int) -> tf.Tensor:
    """Images float32 [1, 256, 256] and labels uint8 [1, 256, 256] of a record file, in a random order."""

    def decode(serialized: tf.Tensor) -> tf.Tensor:
        text = tf.FixedLenFeature([], tf.string)
        features = tf.parse_single_example(serialized, {'img_raw': text, 'label_raw': text})
        image = tf.reshape(tf.decode_raw(features['img_raw'], tf.int64), [SIZE, SIZE])
        label = tf.reshape(tf.decode_raw(features['label_raw'], tf.uint8), [SIZE, SIZE])
        return tf.cast(image, tf.float32) / 1024, label

    dataset = tf.data.TFRecordDataset(path).map(decode).shuffle(SHUFFLED).repeat(epochs).batch(1, drop_remainder=True)
    return tf.data.make_one_shot_iterator(dataset).get_next()


def main(exercise: str, data_dir: str, epochs: int, directory: str) -> None:
    """Trains a solution's network."""
    sys.path.insert(0, f'exercise_solutions/{exercise}')
    import neuralnetwork as nn

    with tf.Graph().as_default():
        images, labels = slices(f'{data_dir}/train_images.tfrecords', epochs)
        loss = nn.loss(nn.inference(images, training=True), labels)
        train_op = nn.training(loss, 0.01, 1000, 1.0)
        tf.summary.scalar('loss', loss)
        summary, saver = tf.summary.merge_all(), tf.train.Saver()
        with tf.Session() as session:
            events = tf.summary.FileWriter(directory, session.graph)
            session.run(tf.global_variables_initializer())
            step = 0
            try:
                while True:
                    started = time.time()
                    _, value = session.run([train_op, loss])
                    if step % REPORT_STEPS == 0:
                        print(f'Step {step}: loss = {value:.3f} ({time.time() - started:.3f} sec)', flush=True)
                        events.add_summary(session.run(summary), step)
                    step += 1
            except tf.errors.OutOfRangeError:
                saver.save(session, f'{directory}/model.ckpt', step)
            events.close()


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
