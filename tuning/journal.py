"""A study in one file of a shared folder, where a database of SQLite breaks: Optuna's journal, and what it lacks.

Optuna 4.0.0 has no heartbeat for a journal, waits for ever for the lock of a writer that was killed, and no longer
reads a journal whose last line a full disk has cut off. All three are mended here.
"""

import contextlib
import os
import time
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from optuna.exceptions import StorageInternalError
from optuna.storages import JournalStorage
from optuna.storages._heartbeat import BaseHeartbeat
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.trial import TrialState

_LOCK_SECONDS = 30  # Writing a line takes milliseconds; a lock that stays this long is that of a killed writer.
_ALIVE = 'alive'


class Watch:
    """Tells what stays the same for long, by this machine's own clock: those of others may be set otherwise."""

    def __init__(self) -> None:
        self._seen: Dict[object, Tuple[object, float]] = {}

    def seconds_unchanged(self, name: object, value: object) -> float:
        """For how long this has been seen with this value."""
        known, since = self._seen.get(name, (None, 0.0))
        if known != value or name not in self._seen:
            since = time.monotonic()
            self._seen[name] = (value, since)
        return time.monotonic() - since


class Lock(JournalFileSymlinkLock):
    """Optuna's lock, which works on NFS too; that of a killed process is removed."""

    def acquire(self) -> bool:
        """Waits for it."""
        watch = Watch()
        while True:
            try:
                os.symlink(self._lock_target_file, self._lock_file)
                return True
            except FileExistsError:
                self._remove_if_left(watch)
                time.sleep(0.01)

    def _remove_if_left(self, watch: Watch) -> None:
        with contextlib.suppress(FileNotFoundError, RuntimeError):  # It is free, or another has removed it.
            if watch.seconds_unchanged('lock', os.lstat(self._lock_file).st_ctime_ns) > _LOCK_SECONDS:
                self.release()


class File(JournalFileBackend):
    """The lines of the journal, whole or not at all."""

    def __init__(self, path: str) -> None:
        with _explaining():
            super().__init__(path, Lock(path))
            self._cut_half_line()

    def append_logs(self, logs: List[Dict[str, Any]]) -> None:
        """Adds lines; where the disk is full, what was written of them is taken away again."""
        with _explaining():
            try:
                super().append_logs(logs)
            except OSError:
                self._cut_half_line()
                raise

    def read_logs(self, log_number_from: int) -> List[Dict[str, Any]]:
        """Reads lines."""
        with _explaining():
            return super().read_logs(log_number_from)

    def _cut_half_line(self) -> None:
        self._lock.acquire()
        try:
            with open(self._file_path, 'rb+') as file:
                text = file.read()
                if not text.endswith(b'\n'):
                    file.truncate(text.rfind(b'\n') + 1)
        finally:
            self._lock.release()


@contextlib.contextmanager
def _explaining() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a line that is no JSON.
        raise StorageInternalError(getattr(error, 'strerror', None) or 'it is no journal, or a damaged one') from error


class Journal(JournalStorage, BaseHeartbeat):
    """A journal with a heartbeat: a worker marks its trials as alive now and then.

    What is not marked for as long as this process looks on is stale; nobody's clock is compared with another's.
    """

    def __init__(self, path: str, interval: int, grace: int, callback: Callable) -> None:
        super().__init__(File(path))
        self._interval, self._grace, self._callback = interval, grace, callback
        self._watch = Watch()
        self._beats = 0

    def record_heartbeat(self, trial_id: int) -> None:
        """Marks a trial as alive."""
        self._beats += 1
        self.set_trial_system_attr(trial_id, _ALIVE, self._beats)

    def _get_stale_trial_ids(self, study_id: int) -> List[int]:
        running = self.get_all_trials(study_id, deepcopy=False, states=(TrialState.RUNNING,))
        return [
            trial._trial_id
            for trial in running
            if self._watch.seconds_unchanged(trial._trial_id, trial.system_attrs.get(_ALIVE)) > self._grace
        ]

    def get_heartbeat_interval(self) -> Optional[int]:
        """Seconds between two marks."""
        return self._interval

    def get_failed_trial_callback(self) -> Callable:
        """What is done with a trial that is stale."""
        return self._callback
