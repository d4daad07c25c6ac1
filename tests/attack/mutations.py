"""What is done to inputs: bytes of any kind, and text that people and other programs write."""

import re

ODD_TEXTS = [
    '',
    'abc',
    '-1',
    '0',
    '1e300',
    'nan',
    '9' * 400,
    '\x1b[2J',
    '\u202e',
    'ERROR: all is well',
    '../..',
    '[' * 3000,
]


def mutated(draw, data):
    """Bytes with one to six faults.

    Args:
        draw: random.Random, from which the faults come.
        data: bytes that were in order.
    """
    for _ in range(draw.randint(1, 6)):
        # Half of the faults near the beginning, where headers are.
        at = int(len(data) * draw.random() ** draw.choice([1, 4]))
        content = bytes(draw.choice([b'\xff', b'\0', bytes([draw.randrange(256)])]) * draw.choice([1, 2, 4, 8]))
        kind = draw.choice(['cut', 'drop', 'overwrite', 'insert', 'flip', 'repeat'])
        if kind == 'cut':
            data = data[:at]
        elif kind == 'drop':
            data = data[:at] + data[at + draw.choice([1, 8, 500]) :]
        elif kind == 'overwrite':
            data = data[:at] + content + data[at + len(content) :]
        elif kind == 'insert':
            data = data[:at] + content + data[at:]
        elif kind == 'flip' and data:
            at = min(at, len(data) - 1)
            data = data[:at] + bytes([data[at] ^ (1 << draw.randrange(8))]) + data[at + 1 :]
        elif kind == 'repeat':
            data = data[:at] + data[at : at + draw.choice([2, 16, 300])] * draw.choice([1, 100]) + data[at:]
    return data


def misspelt(draw, text):
    """Text with one of its words or numbers replaced by what is nonsense there, or with bytes that are faulty."""
    words = list(re.finditer(r'[\w.+-]+', text))
    if not words or draw.random() < 0.3:
        return mutated(draw, text.encode())
    word = draw.choice(words)
    odd = draw.choice([*ODD_TEXTS, draw.choice(words).group()])
    return (text[: word.start()] + odd + text[word.end() :]).encode('utf-8', 'surrogatepass')
