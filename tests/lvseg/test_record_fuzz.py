import datetime
import os
from types import SimpleNamespace

from lvseg import records
from lvseg.errors import LabError

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lvseg.record_files import IMAGE, LABEL, write

# Fuzzing. Most bytes of a record are pixels: the places where something else stands are tried as often as those.

VALID = records.encode(IMAGE, LABEL)
LABEL_NAME = VALID.index(b'label_raw')
PLACES = st.one_of(
    st.integers(0, 100), st.integers(LABEL_NAME - 30, LABEL_NAME + 40), st.integers(len(VALID) - 40, len(VALID))
)
ANYWHERE = st.integers(0, 2 * len(VALID) + 40)
EDITS = st.lists(
    st.tuples(
        st.sampled_from(['flip', 'cut out', 'put in', 'cut off', 'double']),
        st.one_of(PLACES, ANYWHERE),
        st.integers(0, 255),
        st.binary(min_size=1, max_size=20),
    ),
    min_size=1,
    max_size=4,
)


def mutated(data, edits):
    data = bytearray(data)
    for kind, place, number, text in edits:
        place %= len(data) + 1
        if kind == 'flip':
            data[place : place + 1] = bytes(byte ^ (number or 1) for byte in data[place : place + 1])
        elif kind == 'cut out':
            del data[place : place + number + 1]
        elif kind == 'put in':
            data[place:place] = text
        elif kind == 'cut off':
            del data[place:]
        else:
            data[place:place] = data[place : place + 1000 * number]
    return bytes(data)


def read_or_refused(read, argument):
    """How many records were read; None if that was refused in one line. Any other exception is the test's failure."""
    try:
        return read(argument)
    except LabError as error:
        assert '\n' not in str(error)
        return None


SLOW_FUZZING = settings(
    max_examples=2000,  # Of which some come twice.
    deadline=datetime.timedelta(seconds=60),  # None hangs.
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


@pytest.mark.slow
@pytest.mark.parametrize('intact_framing', [True, False])
def test_a_thousand_mutated_files_are_read_or_refused_in_one_line(intact_framing, tmp_path, graph_reader):
    """With intact framing the checksums are right, so that the mutation reaches what takes the record apart."""
    path = tmp_path / 'train_images.tfrecords'
    outcomes = SimpleNamespace(inputs=set(), read=0, refused=0)
    write(path, VALID, VALID)
    whole_file = path.read_bytes()

    @SLOW_FUZZING
    @given(EDITS)
    def check(edits):
        if intact_framing:
            write(path, VALID, mutated(VALID, edits))
        else:
            path.write_bytes(mutated(whole_file, edits))
        outcomes.inputs.add(hash(path.read_bytes()))
        by_python = read_or_refused(lambda folder: len(list(records.read(str(path)))), tmp_path)
        by_graph = read_or_refused(graph_reader, tmp_path)
        # What Python reads, the graph reads. (What the graph reads, Python may still refuse: it looks more closely.)
        assert by_python is None or by_python == by_graph
        outcomes.read += by_graph is not None
        outcomes.refused += by_graph is None

    check()
    assert len(outcomes.inputs - {hash(whole_file)}) >= 1000
    assert outcomes.read > 0 and outcomes.refused > 100
    assert os.listdir(str(tmp_path)) == [path.name]
