"""How files are damaged for the tests that throw thousands of them at a reader."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# derandomize: the same inputs in every run. deadline, in milliseconds: a read takes a few.
THOROUGH = settings(
    max_examples=2000,
    derandomize=True,
    deadline=60_000,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

# What happens, where (as a share of the length), and with which bytes.
MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(['cut', 'overwrite', 'insert', 'flip', 'repeat']),
        st.floats(0, 1, exclude_max=True),
        st.one_of(st.binary(min_size=1, max_size=8), st.just(b'\xff\xff\xff\xff'), st.just(bytes(4))),
    ),
    min_size=1,
    max_size=6,
)


def mutated(data, mutations):
    for kind, share, content in mutations:
        at = int(share * len(data))
        if kind == 'cut':
            data = data[:at]
        elif kind == 'overwrite':
            data = data[:at] + content + data[at + len(content) :]
        elif kind == 'insert':
            data = data[:at] + content + data[at:]
        elif kind == 'flip' and data:
            data = data[:at] + bytes([data[at] ^ (1 << content[0] % 8)]) + data[at + 1 :]
        elif kind == 'repeat':
            data = data[:at] + data[at : at + 16] + data[at:]
    return data
