"""What differs between the versions of TensorFlow that the lab runs on, from 1.15 to today's: all of it stands here.

The lab is written for graphs and sessions, which TensorFlow 2 still has as `tensorflow.compat.v1`. What has to be told
to it before it is imported is told by `prepare`, which lvseg calls when it is imported itself.
"""

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import logging
import os
import sys
import tempfile
import types
import warnings
from typing import Iterator, Optional, Sequence


def prepare() -> None:
    """Makes TensorFlow quiet, and gives `tf.layers` to those versions that have it no longer by themselves."""
    # TensorFlow logs pages about devices and deprecations; the lab prints one line on the device (lvseg.device).
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
    # A filter, for in Jupyter it chooses a level by itself when it logs first.
    logging.getLogger('tensorflow').addFilter(lambda record: record.levelno >= logging.ERROR)
    # TensorFlow 2 says of every layer that Keras has the like; the lab teaches tf.layers.
    warnings.filterwarnings('ignore', message=r'`tf\.layers\.')
    # From 2.16 on, tf.layers comes from tf_keras, which must not be asked for where it is not installed.
    if importlib.util.find_spec('tf_keras'):
        os.environ['TF_USE_LEGACY_KERAS'] = '1'
    sys.meta_path.insert(0, _QuietImport())


def cuda_version() -> str:
    """The CUDA that TensorFlow is built for, '10' or '12.5.1'; '' if for none.

    1.15 does not say: its own wheels, for Python 3.7, are built for 10.0; NVIDIA's, for Python 3.8, for 11 or 12.
    """
    import tensorflow.compat.v1 as tf  # Not at the top: `prepare` comes before it.

    if not tf.test.is_built_with_cuda():
        return ''
    if not hasattr(tf.sysconfig, 'get_build_info'):
        return '10' if sys.version_info < (3, 8) else '11'
    return tf.sysconfig.get_build_info().get('cuda_version', '')


def reason(error: Exception) -> str:
    """Why an operation of a session failed, in a line: TensorFlow 2 puts stack traces before and after it."""
    lines = error.message.splitlines()
    places = [number for number, line in enumerate(lines) if '[[' in line]  # In brackets stands the operation.
    return lines[places[0] - 1].strip() if places and places[0] > 0 else lines[0]


def disk_reason(error: Exception) -> str:
    """Why a file could not be written, in a few words: of an OSError, or of one that TensorFlow raised."""
    return error.strerror if isinstance(error, OSError) else reason(error).split('; ')[-1]


def record_at(path: str, offset: int) -> bytes:
    """The record of a TFRecord file that begins there, its checksum checked.

    Raises:
        tf.errors.DataLossError: it is damaged.
    """
    import tensorflow.compat.v1 as tf  # Not at the top: `prepare` comes before it.
    from tensorflow.python.lib.io import tf_record

    if hasattr(tf_record, 'tf_record_random_reader'):
        reader = tf_record.tf_record_random_reader(path)
        record, _ = reader.read(offset)
        reader.close()
        return record
    # 1.15 has no such reader; but the one behind tf_record_iterator can begin anywhere.
    from tensorflow.python import pywrap_tensorflow

    with tf.errors.raise_exception_on_not_ok_status() as status:
        reader = pywrap_tensorflow.PyRecordReader_New(path.encode(), offset, b'', status)
    reader.GetNext()
    record = reader.record()
    reader.Close()
    return record


@contextlib.contextmanager
def damage_as(explained: Exception) -> Iterator[None]:
    """A failure to read a checkpoint raises this error in its place."""
    import tensorflow.compat.v1 as tf  # Not at the top: `prepare` comes before it.

    try:
        yield
    except (
        tf.errors.DataLossError,
        tf.errors.OutOfRangeError,
        tf.errors.NotFoundError,
        tf.errors.PermissionDeniedError,
        tf.errors.FailedPreconditionError,  # A folder in the place of a file.
    ):
        raise explained from None
    except (tf.errors.OpError, IndexError) as error:
        # Of a file that is cut off, TensorFlow 2 says so by an IndexError or by an OpError of no kind.
        if type(error) not in (tf.errors.OpError, IndexError):
            raise
        raise explained from None


class _QuietImport(importlib.abc.MetaPathFinder):
    """Finds TensorFlow as it would be found anyway, but holds back what its libraries say while they are loaded.

    That is before any log level counts (2.21: "All log messages before absl::InitializeLog()", cudart_stub, oneDNN).
    """

    def find_spec(
        self, name: str, path: Optional[Sequence[str]], target: Optional[types.ModuleType] = None
    ) -> Optional[importlib.machinery.ModuleSpec]:
        if name != 'tensorflow':
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None:
            load = spec.loader.exec_module

            def load_quietly(module: types.ModuleType) -> None:
                with _stderr_held_back():
                    load(module)

            spec.loader.exec_module = load_quietly
        return spec


@contextlib.contextmanager
def _stderr_held_back() -> Iterator[None]:
    """Drops what C++ and Python write to the file descriptor of stderr; if there is an error, it comes after all."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(terminal, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
