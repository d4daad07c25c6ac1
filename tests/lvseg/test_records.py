import struct

from lvseg import records
from lvseg.errors import LabError

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.lvseg.record_files import IMAGE, LABEL, example, refusal, write

# A reader of our files that shares nothing with them: framing by hand, protobuf's wire format by hand.


def frames(data):
    """The records of a TFRecord file, checksums compared."""
    while data:
        length, length_check = struct.unpack_from('<QI', data)
        record = data[12 : 12 + length]
        (record_check,) = struct.unpack_from('<I', data, 12 + length)
        assert (masked_crc32c(data[:8]), masked_crc32c(record)) == (length_check, record_check)
        yield record
        data = data[16 + length :]


def masked_crc32c(data):
    """Castagnoli's CRC, rotated right by 15 bits and shifted by a constant, as the TFRecord format has it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def crc_of_byte(crc):
    for _ in range(8):
        crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc


CRC_TABLE = [crc_of_byte(byte) for byte in range(256)]


def fields(message):
    """(number, value) of a protobuf message: an int for a varint, bytes for what has a length."""
    while message:
        tag, message = varint(message)
        if tag & 7 == 0:
            value, message = varint(message)
        else:
            assert tag & 7 == 2, 'only varints and what has a length are used in this schema'
            length, message = varint(message)
            value, message = message[:length], message[length:]
        yield tag >> 3, value


def varint(message):
    value = shift = 0
    for position, byte in enumerate(message):
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, message[position + 1 :]
    raise AssertionError('a varint has no end')


def features_of(example):
    """{name: (kind, values)} of a tf.train.Example; kind 1 is a list of bytes, 3 a list of int64."""
    (features,) = (value for number, value in fields(example) if number == 1)
    found = {}
    for _, entry in fields(features):
        entry = dict(fields(entry))
        ((kind, values),) = fields(entry[2])
        values = [value for _, value in fields(values)]
        if kind == 3:  # int64 are packed: one field that holds them all.
            values = list(varint(values[0])[:1])
        found[entry[1].decode()] = (kind, values)
    return found


def test_a_record_has_the_labs_schema(tmp_path):
    path = tmp_path / 'slice.tfrecords'
    write(path, records.encode(IMAGE.astype(np.int16), LABEL))
    (record,) = frames(path.read_bytes())
    assert features_of(record) == {
        'height': (3, [256]),
        'width': (3, [256]),
        'depth': (3, [1]),
        'img_raw': (1, [IMAGE.astype('<i8').tobytes()]),
        'label_raw': (1, [LABEL.tobytes()]),
    }


def test_a_slice_is_always_the_same_bytes():
    assert records.encode(IMAGE, LABEL) == records.encode(IMAGE.astype(np.int32), LABEL)


@pytest.mark.parametrize('edition', ['lab_tf1_edition', 'lab_tf2_edition'])
def test_both_editions_of_the_lab_are_read(edition, shared):
    path = shared / 'golden' / f'{edition}.tfrecords'
    read = list(records.read(str(path)))
    assert len(read) == records.count(str(path)) == 2

    for (image, label), record in zip(read, frames(path.read_bytes())):
        features = features_of(record)
        pixels = features['img_raw' if edition == 'lab_tf1_edition' else 'image_raw']
        assert (image.dtype, label.dtype) == (np.int64, np.uint8)
        assert pixels == (1, [image.tobytes()])
        assert features['label_raw'] == (1, [label.tobytes()])


def test_both_editions_hold_the_same_slices(shared):
    first, second = (records.read(str(shared / 'golden' / f'lab_tf{n}_edition.tfrecords')) for n in (1, 2))
    for (image, label), (other_image, other_label) in zip(first, second):
        assert (image == other_image).all() and (label == other_label).all()


@pytest.mark.parametrize('key', ['img_raw', 'image_raw'])
def test_the_graph_reads_pixels_of_either_name_divided_by_1024(key, graph):
    serialized = tf.placeholder(tf.string, [])
    decoded = records.decode(serialized)
    assert [tensor.dtype for tensor in decoded] == [tf.float32, tf.uint8]
    assert [tensor.shape.as_list() for tensor in decoded] == [[256, 256]] * 2
    with tf.Session() as session:
        record = example(**{key: IMAGE.tobytes(), 'label_raw': LABEL.tobytes()})
        image, label = session.run(decoded, {serialized: record})
    assert image.tolist() == (IMAGE / 1024).tolist()
    assert label.tolist() == LABEL.tolist()


@pytest.mark.parametrize(
    ('image', 'label'),
    [
        (IMAGE[:255], LABEL),
        (IMAGE / 2, LABEL),
        (IMAGE, LABEL[:, :255]),
        (IMAGE, LABEL.astype(np.int64)),
        (IMAGE, LABEL * 2),
    ],
)
def test_a_slice_of_another_shape_or_type_is_not_encoded(image, label):
    with pytest.raises(ValueError, match='must be'):
        records.encode(image, label)


def test_a_missing_file_is_answered_with_the_command_that_makes_it(tmp_path):
    path = tmp_path / 'my data' / 'train_images.tfrecords'
    assert refusal(path) == (
        f"{path} not found. Make it with: python -m data_prep phantom --out '{tmp_path}/my data' (or see -h)."
    )


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / 'empty').write_bytes(b'')
    assert f'{tmp_path}/empty is empty. Make it again with: python -m data_prep' in refusal(tmp_path / 'empty')


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    def refuse(path, *mode, **buffering):
        raise PermissionError(13, 'Permission denied')

    (tmp_path / 'secret').write_bytes(b'1')
    monkeypatch.setattr(records, 'open', refuse, raising=False)
    assert refusal(tmp_path / 'secret') == f'cannot read {tmp_path}/secret: Permission denied.'


@pytest.mark.parametrize(
    'content',
    [b'%PDF-1.4 of some length', bytes(10**6), b'\x01\x02\x03', b'\xff' * 100],
    ids=['pdf', 'zeros', '3', 'ff'],
)
def test_a_file_of_another_kind_is_refused(content, tmp_path):
    (tmp_path / 'other').write_bytes(content)
    assert f'{tmp_path}/other is cut off in record 1, or no TFRecord file' in refusal(tmp_path / 'other')


@pytest.mark.parametrize('left', [1, 7, 8, 12, 300000, -1])
def test_a_file_cut_off_in_its_second_record_is_refused(left, tmp_path):
    serialized = records.encode(IMAGE, LABEL)
    path, size = tmp_path / 'cut', 8 + 4 + len(serialized) + 4
    write(path, serialized, serialized)
    path.write_bytes(path.read_bytes()[: size + left] if left > 0 else path.read_bytes()[:left])
    assert f'{path} is cut off in record 2' in refusal(path)


@pytest.mark.parametrize('offset', [8, 300000, -1])
def test_a_flipped_bit_is_found_in_the_record_that_has_it(offset, tmp_path):
    """In the length's checksum, in the middle of the data, and in the data's checksum."""
    serialized = records.encode(IMAGE, LABEL)
    path, size = tmp_path / 'flipped', 8 + 4 + len(serialized) + 4
    write(path, serialized, serialized)
    data = bytearray(path.read_bytes())
    data[size + offset if offset > 0 else offset] ^= 4
    path.write_bytes(data)
    assert f'record 2 of {path} is damaged: its checksum is wrong' in refusal(path)


@pytest.mark.parametrize(
    'record',
    [b'no protobuf', b'{"slice": 1}', b'\x89PNG\r\n\x1a\n', b'\x0b\xff', b'\x0a', b'\xff' * 99],
    ids=['text', 'json', 'png', 'group', 'tag', 'ff'],
)
def test_a_record_of_something_else_is_refused_before_tensorflow_meets_it(record, tmp_path):
    """Its error message holds the record; where that is no UTF-8, making the message crashes the process."""
    path = write(tmp_path / 'other', records.encode(IMAGE, LABEL), record)
    with pytest.raises(LabError, match=f'record 2 of {path} is damaged, or no tf.train.Example'):
        records.count(path)


@pytest.mark.parametrize('place', [0, 1, 5, 39, 43, 51, 52])
def test_damage_to_what_holds_a_record_together_is_found_when_records_are_counted(place, tmp_path):
    """Tag and length of all features, the lengths of two of them, that of a name, tag and length of a value:

    0a e7 80 24 | 0a 0e (depth: 14 bytes) | 0a 10 (height: 16 bytes) | 0a 95 80 20 0a 07 img_raw 12 88 80 20 …
    0  1          4  5                      20 21                      38 39       42 43         51 52
    """
    serialized = bytearray(records.encode(IMAGE, LABEL))
    serialized[place] ^= 1
    path = write(tmp_path / 'damaged', bytes(serialized))
    with pytest.raises(LabError, match=f'record 1 of {path} is damaged, or no tf.train.Example'):
        records.count(path)


@pytest.mark.parametrize(
    ('features', 'found'),
    [
        ({'image': b'1', 'mask': b'2'}, 'image, mask'),
        ({'img_raw': b'1'}, 'img_raw'),
        ({'img_raw': b'1', 'image_raw': b'1', 'label_raw': b'1'}, 'image_raw, img_raw, label_raw'),
        ({'two\nlines': b''}, r"'two\nlines'"),
        ({}, 'none'),
    ],
)
def test_another_schema_is_refused_with_the_features_found(features, found, tmp_path):
    path = write(tmp_path / 'other', records.encode(IMAGE, LABEL), example(**features))
    wanted = 'img_raw (or image_raw) and label_raw are wanted'
    assert refusal(path) == f'record 2 of {path} has the features {found}; {wanted}.'


def test_a_wrong_number_of_pixels_is_refused(tmp_path):
    small = np.zeros((128, 128), np.int64)  # 128 * 128 * 8 = 131072 bytes
    path = write(tmp_path / 'small', example(img_raw=small.tobytes(), label_raw=LABEL.tobytes()))
    assert refusal(path) == (
        f'img_raw in record 1 of {path} has 131072 bytes; 524288 bytes (256 x 256 pixels of 8) are wanted.'
    )


def test_a_wrong_number_of_labels_is_refused(tmp_path):
    wide = LABEL.astype(np.int64)
    path = write(tmp_path / 'wide', example(img_raw=IMAGE.tobytes(), label_raw=wide.tobytes()))
    assert 'label_raw in record 1' in refusal(path)
    assert '65536 bytes (256 x 256 pixels of 1) are wanted' in refusal(path)


def test_labels_other_than_0_and_1_are_refused(tmp_path):
    labels = LABEL * 255
    labels[0, 1] = 7
    path = write(tmp_path / 'grey', example(img_raw=IMAGE.tobytes(), label_raw=labels.tobytes()))
    assert refusal(path) == f'label_raw in record 1 of {path} has the values 0, 7, 255; only 0 and 1 are labels.'
