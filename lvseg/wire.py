"""Takes a tf.train.Example apart as it lies in a file, by protobuf's wire format, and reads little of it.

TensorFlow's parser must not meet an Example that it cannot parse: it puts the whole of it into its error message, and
dies of a segmentation fault where that is no UTF-8 (TensorFlow 1.15). So what is taken here is a narrow part of what
protobuf allows: fields that have a length, of numbers below 16, each where it belongs and not too many of them.
"""

from typing import IO, Dict, List, NamedTuple, Optional, Tuple

_WITH_LENGTH = 2  # The last three bits of a tag; the others are the field's number.
_LONGEST_LENGTH = 5  # bytes: it has 31 bits at most.
_MOST_FIELDS = 100  # Of one message.
_LONGEST_NAME = 100
_LONGEST_INT = 10  # bytes, as a varint of 64 bits.

_BYTES_LIST, _INT64_LIST = 1, 3  # The kinds of a Feature's list are told apart by the number of their field.


class WireError(Exception):
    """These bytes are not, or not wholly, a tf.train.Example as it is wanted here."""


class Field(NamedTuple):
    """A field of a message: its number, and where in the file that stands which it holds."""

    number: int
    start: int
    end: int


def features(file: IO, start: int, end: int) -> Dict[str, Field]:
    """The features of the Example between two positions of a file, by their names.

    Raises:
        WireError: they cannot be told, or a name comes twice.
    """
    found = {}
    for entry in _fields(file, _only(file, Field(0, start, end), 1)):
        parts = _fields(file, entry)
        if entry.number != 1 or sorted(part.number for part in parts) != [1, 2]:
            raise WireError
        name, value = sorted(parts)
        text = _text(file, name)
        if text in found:
            raise WireError
        found[text] = value
    return found


def bytes_held(file: IO, feature: Field) -> Optional[Field]:
    """Where the bytes stand that a feature of exactly one value of bytes holds; None for any other.

    Raises:
        WireError: it is damaged.
    """
    return _only_value(file, feature, _BYTES_LIST)


def int_held(file: IO, feature: Field) -> Optional[int]:
    """The number that a feature of exactly one int64 holds; None for any other.

    Raises:
        WireError: it is damaged.
    """
    value = _only_value(file, feature, _INT64_LIST)
    if value is None or not 1 <= value.end - value.start <= _LONGEST_INT:
        return None
    file.seek(value.start)
    number, size = _varint(file.read(value.end - value.start))
    if size != value.end - value.start:
        return None
    return number - 2**64 if number >= 2**63 else number


def _only_value(file: IO, feature: Field, kind: int) -> Optional[Field]:
    lists = _fields(file, feature)
    if [field.number for field in lists] != [kind]:
        return None
    values = _fields(file, lists[0])
    return values[0] if [field.number for field in values] == [1] else None


def _only(file: IO, message: Field, number: int) -> Field:
    fields = _fields(file, message)
    if [field.number for field in fields] != [number]:
        raise WireError
    return fields[0]


def _fields(file: IO, message: Field) -> List[Field]:
    fields, position = [], message.start
    while position < message.end:
        file.seek(position)
        head = file.read(1 + _LONGEST_LENGTH)
        length, size = _varint(head[1:])
        tag, start = head[0], position + 1 + size
        position = start + length
        if tag & 7 != _WITH_LENGTH or position > message.end or len(fields) == _MOST_FIELDS:
            raise WireError
        fields.append(Field(tag >> 3, start, position))
    return fields


def _varint(data: bytes) -> Tuple[int, int]:
    """The number that a varint at the beginning of these bytes is, and how many of them it takes."""
    number = 0
    for place, byte in enumerate(data):
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return number, place + 1
    raise WireError


def _text(file: IO, field: Field) -> str:
    if field.end - field.start > _LONGEST_NAME:
        raise WireError
    file.seek(field.start)
    try:
        return file.read(field.end - field.start).decode()
    except UnicodeDecodeError:
        raise WireError from None
