"""TensorBoard's event files, as tf.summary.FileWriter makes them, but for what they would tell of the machine."""

import contextlib
import os
import time
from types import TracebackType
from typing import Any, Iterator, Optional, Type, Union

from lvseg import versions
from lvseg.errors import LabError
from lvseg.project import told

import tensorflow.compat.v1 as tf

# What TensorFlow begins its event files with.
_VERSION = 'brain.Event:2'


class EventFile:
    """A new event file in a directory, which is made if need be; what is added is written at once.

    FileWriter has the host's name in that of the file, and names it by the second alone, so that two of one second are
    one. Here the nanoseconds stand there: TensorBoard, which sorts by name, reads files in their order.

    Raises in all that it does:
        LabError: it cannot be written.
    """

    def __init__(self, directory: str) -> None:
        now = time.time_ns()
        self._directory = directory
        with self._explaining():
            os.makedirs(directory, exist_ok=True)
            name = f'events.out.tfevents.{now // 10**9:010d}.{now}'
            self.path = os.path.join(directory, name)
            self._writer = tf.python_io.TFRecordWriter(self.path)
        self._write(file_version=_VERSION)

    def add_summary(self, summary: Union[bytes, tf.Summary], step: Optional[int] = None) -> None:
        """Adds a summary, serialised or not."""
        parsed = tf.Summary.FromString(summary) if isinstance(summary, bytes) else summary
        self._write(step, summary=parsed)

    def add_session_log(self, log: tf.SessionLog, step: Optional[int] = None) -> None:
        """Adds a mark: with START, TensorBoard forgets what was there of this step and later ones."""
        self._write(step, session_log=log)

    def add_graph(self, graph: tf.Graph) -> None:
        """Adds a graph; the paths in it are told as `told` has them."""
        drawn = graph.as_graph_def(add_shapes=True)
        inner = [node for function in drawn.library.function for node in function.node_def]
        for node in [*drawn.node, *inner]:
            texts = node.attr['value'].tensor.string_val if 'value' in node.attr else []
            for place, text in enumerate(texts):
                if os.path.isabs(text):
                    texts[place] = told(text.decode()).encode()
        self._write(graph_def=drawn.SerializeToString())

    def flush(self) -> None:
        """As FileWriter has it; here all is written already."""

    def close(self) -> None:
        """Ends the file."""
        with self._explaining():
            self._writer.close()

    def __enter__(self) -> 'EventFile':
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        with contextlib.suppress(*([LabError] if error else [])):  # Of two, the first is what is told.
            self.close()

    def _write(self, step: Optional[int] = None, **what: Any) -> None:  # noqa: ANN401 - one field of tf.Event
        event = tf.Event(wall_time=time.time(), step=int(step or 0), **what)
        with self._explaining():
            self._writer.write(event.SerializeToString())
            self._writer.flush()

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except (tf.errors.OpError, OSError) as error:
            raise LabError(
                f'the curves cannot be written in {self._directory}: {versions.disk_reason(error)}. '
                'Checkpoints saved before are intact: make room there, or give another directory.'
            ) from None


@contextlib.contextmanager
def whole(directory: str) -> Iterator[EventFile]:
    """An event file that is there whole or, after an error, not at all."""
    file = EventFile(directory)
    try:
        with file:
            yield file
    except BaseException:
        os.remove(file.path)
        raise
