"""What TensorFlow must not meet, or would train on as if it were well, is found when records are counted."""

import io
import tracemalloc

from lvseg import records
from lvseg.errors import LabError

import pytest
import tensorflow.compat.v1 as tf

from tests.lvseg.record_files import IMAGE, LABEL, example, refusal, write


def test_records_are_counted_without_reading_their_pixels(tmp_path, monkeypatch):
    """Of three records of 590 kB each, some hundred bytes stand before, between and after pixels and labels."""
    path, read = write(tmp_path / 'three', *[records.encode(IMAGE, LABEL)] * 3), []

    class Noted(io.FileIO):
        def readinto(self, buffer):
            read.append(super().readinto(buffer))
            return read[-1]

    monkeypatch.setattr(
        records, 'open', lambda path, mode, buffering: io.BufferedReader(Noted(path, 'r'), buffering), raising=False
    )
    assert records.count(str(path)) == 3
    assert 0 < sum(read) < 3 * 4096


def test_every_byte_around_pixels_and_labels_is_looked_at_in_every_record(tmp_path):
    """The second record is as long as the first, and like it but for one bit."""
    serialized = records.encode(IMAGE, LABEL)
    path, frame = tmp_path / 'two', 8 + 4 + len(serialized) + 4
    write(path, serialized, serialized)
    image, label = serialized.index(IMAGE.tobytes()), serialized.index(LABEL.tobytes())
    around = {*range(image), *range(image + IMAGE.nbytes, label), *range(label + LABEL.nbytes, len(serialized))}
    assert len(serialized) - len(around) == 256 * 256 * 9
    for place in around:
        with open(str(path), 'r+b') as file:
            file.seek(frame + 12 + place)
            file.write(bytes([serialized[place] ^ 1]))
            file.flush()
            with pytest.raises(LabError, match='record 2'):
                records.count(str(path))
            file.seek(frame + 12 + place)
            file.write(serialized[place : place + 1])
    assert records.count(str(path)) == 2


def field(number, value):
    """A protobuf field that has a length."""
    length, size = b'', len(value)
    while size > 0x7F:
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + value


def entry(name, value):
    return field(1, field(1, name) + field(2, value))


PIXEL_VALUES = field(1, field(1, IMAGE.tobytes()))
IMAGE_ENTRY = entry(b'img_raw', PIXEL_VALUES)
LABEL_ENTRY = entry(b'label_raw', field(1, field(1, LABEL.tobytes())))


def test_an_example_put_together_by_hand_is_read(tmp_path):
    ((image, label),) = records.read(write(tmp_path / 'hand', field(1, LABEL_ENTRY + IMAGE_ENTRY)))
    assert (image == IMAGE).all() and (label == LABEL).all()


@pytest.mark.parametrize(
    'record',
    [
        field(1, field(1, b'') * 3),
        field(1, field(1, b'') * 100),
        field(1, field(1, b'') * 20000),
        field(1, IMAGE_ENTRY + LABEL_ENTRY + field(1, b'')),
        field(1, IMAGE_ENTRY + IMAGE_ENTRY + LABEL_ENTRY),
        field(1, IMAGE_ENTRY) + field(1, LABEL_ENTRY),
        field(1, IMAGE_ENTRY + LABEL_ENTRY) + field(2, b''),
        field(1, IMAGE_ENTRY + field(1, field(1, b'label_raw'))),
        field(1, entry(b'img_raw', PIXEL_VALUES)[:-1]),
        field(1, IMAGE_ENTRY + LABEL_ENTRY + entry(b'\xff', b'')),
        b'\x0a' + b'\x80' * 10 + field(1, IMAGE_ENTRY + LABEL_ENTRY),
    ],
    ids=['3', '100', '20000', 'empty entry', 'twice', 'halves', 'more', 'no value', 'cut', 'no text', 'endless length'],
)
def test_what_is_repeated_or_missing_in_a_record_is_found_when_records_are_counted(record, tmp_path):
    path = write(tmp_path / 'other', records.encode(IMAGE, LABEL), record)
    with pytest.raises(LabError, match=f'record 2 of {path} is damaged, or no tf.train.Example'):
        records.count(path)


@pytest.mark.parametrize(
    ('entries', 'found'),
    [
        (entry(b'img_raw', b'') + LABEL_ENTRY, 'img_raw in record 1 of {path} has no bytes; 524288 bytes'),
        (entry(b'img_raw', PIXEL_VALUES * 2) + LABEL_ENTRY, 'img_raw in record 1 of {path} has no bytes; 524288 bytes'),
        (
            IMAGE_ENTRY + entry(b'label_raw', field(3, field(1, b'\1'))),
            'label_raw in record 1 of {path} has no bytes; 65536 bytes',
        ),
        (IMAGE_ENTRY + LABEL_ENTRY + entry(b'name', field(3, b'')), 'name in record 1 of {path} is not one text'),
        (
            IMAGE_ENTRY + LABEL_ENTRY + entry(b'name', field(1, field(1, bytes(1001)))),
            'name in record 1 of {path} is not one text of up to 1000 bytes',
        ),
        (
            IMAGE_ENTRY + LABEL_ENTRY + entry(b'patient', b'') + entry(b'age', b''),
            'record 1 of {path} has the features age, patient besides img_raw and label_raw; '
            'depth, height, name, width are the only others',
        ),
        (
            b''.join(entry(b'%02d' % number, b'') for number in range(12)),
            'has the features 00, 01, 02, 03, 04, 05, 06, 07 and 4 more;',
        ),
    ],
)
def test_values_of_another_kind_are_found_when_records_are_counted(entries, found, tmp_path):
    path = write(tmp_path / 'other', field(1, entries))
    with pytest.raises(LabError) as error:
        records.count(path)
    assert found.format(path=path) in str(error.value)


def sized(**sizes):
    """A slice with these features of one int64."""
    features = {key: tf.train.Feature(int64_list=tf.train.Int64List(value=value)) for key, value in sizes.items()}
    more = tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
    return example(img_raw=IMAGE.tobytes(), label_raw=LABEL.tobytes()) + more


@pytest.mark.parametrize(
    ('sizes', 'found'),
    [
        ({'height': [128], 'width': [512]}, 'height in record 1 of {path} is 128; 256 is wanted.'),
        ({'height': [256], 'width': [512]}, 'width in record 1 of {path} is 512; 256 is wanted.'),
        ({'height': [-256], 'width': [-256]}, 'height in record 1 of {path} is -256; 256 is wanted.'),
        ({'depth': [3]}, 'depth in record 1 of {path} is 3; 1 is wanted.'),
        ({'height': []}, 'height in record 1 of {path} is no number; 256 is wanted.'),
        ({'height': [256, 256]}, 'height in record 1 of {path} is no number; 256 is wanted.'),
        ({'height': [256] * 1000}, 'height in record 1 of {path} is no number; 256 is wanted.'),
    ],
)
def test_another_height_width_or_depth_is_refused_when_records_are_counted(sizes, found, tmp_path):
    path = write(tmp_path / 'sized', joined(sized(**sizes)))
    with pytest.raises(LabError) as error:
        records.count(path)
    assert str(error.value) == found.format(path=path)


def joined(halves):
    """Protobuf reads two Examples one after the other as one; this writes them as one."""
    return tf.train.Example.FromString(halves).SerializeToString()


FLOAT_PIXELS = (IMAGE / 3).astype('<f8')


@pytest.mark.parametrize(
    ('pixels', 'found'),
    [
        (FLOAT_PIXELS, 'has float64 pixels'),
        (IMAGE.astype('>i8'), 'has pixels from -9'),
        (IMAGE + 2**32, 'has pixels from 4294966296 to 4294969295'),  # -1000 and 1999 more than 2^32 = 4294967296
        (IMAGE - 2**33, 'has pixels from -8589935592 to -8589932593'),
    ],
    ids=['float64', 'big-endian', 'too large', 'too small'],
)
def test_pixels_that_are_none_are_told_for_what_they_are(pixels, found, tmp_path, graph_reader):
    """Not by a loss that is no longer finite, nor the advice to lower the learning rate."""
    path = write(tmp_path / 'train_images.tfrecords', example(img_raw=pixels.tobytes(), label_raw=LABEL.tobytes()))
    with pytest.raises(LabError) as error:
        graph_reader(tmp_path)
    assert str(error.value) == refusal(path)
    assert str(error.value).startswith(f'img_raw in record 1 of {path} {found}')
    assert str(error.value).endswith('int64 from -2^32 to 2^32, little-endian, are wanted.')


def test_counting_many_records_holds_memory_flat(tmp_path):
    """Python's own memory, as its allocator counts it: 200 records take no more than 10 do."""

    def peak(number):
        write(tmp_path / 'many', *[records.encode(IMAGE, LABEL)] * number)
        tracemalloc.start()
        assert records.count(str(tmp_path / 'many')) == number
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    few = peak(10)
    assert peak(200) < few + 10000
