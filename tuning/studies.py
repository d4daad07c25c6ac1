"""Where a study lies that any number of workers share: SQLite, Optuna's journal, PostgreSQL."""

import contextlib
import os
import time
import warnings
from pathlib import Path
from typing import Any, Dict, Iterator

from lvseg.errors import LabError

import optuna
import sqlalchemy
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import RDBStorage, RetryFailedTrialCallback
from optuna.study import Study
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from tuning.journal import Journal

# The heartbeat of trials, how they are retried and constant_liar are experimental in 4.0.0, which the lab is pinned to.
warnings.filterwarnings('ignore', category=ExperimentalWarning)
# Worker sends the signs of life itself, since a trial is another process.
warnings.filterwarnings('ignore', message='Heartbeat of storage is supposed')
optuna.logging.set_verbosity(optuna.logging.ERROR)

HEARTBEAT = 15  # Seconds between two signs of life of a running trial.
GRACE = 60  # Seconds without one, after which a trial is another worker's to try again.

_ENGINES = {
    # Several workers write in turn.
    'sqlite': {'connect_args': {'timeout': 60}},
    'postgresql': {'connect_args': {'connect_timeout': 20}, 'pool_pre_ping': True},
}
_ATTEMPTS = 4
_SECONDS_BETWEEN_ATTEMPTS = 0.5
_NAME = 'search'
_MADE_WITH = 'made_with'

retry = RetryFailedTrialCallback(max_retry=3)


def url(text: str) -> str:
    """What --study takes.

    Raises:
        LabError: it is none of the three kinds.
    """
    kind, _, rest = text.partition('://')
    if kind not in (*_ENGINES, 'journal') or not rest:
        raise LabError(
            f'--study {without_password(text)}: sqlite:///FILE, journal:///FILE or postgresql://USER@HOST/DATABASE is '
            'wanted.'
        )
    return text


def without_password(text: str) -> str:
    """The address of a study as it can be shown."""
    try:
        return sqlalchemy.engine.make_url(text).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return text.rpartition('@')[2]


@contextlib.contextmanager
def explaining(address: str) -> Iterator[None]:
    """What goes wrong with a study's database becomes one line."""
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        raise LabError(
            f'the study {without_password(address)} cannot be used: {_reason(error)}. Trials that are finished stay '
            'in it; when this is mended, the same command goes on.'
        ) from None


def open_study(address: str, sampler: optuna.samplers.BaseSampler, pruner: optuna.pruners.BasePruner) -> Study:
    """Opens a study, or makes it.

    Raises:
        LabError: it cannot be reached, read or written.
    """
    with explaining(address):
        for _ in range(_ATTEMPTS - 1):
            # Of several workers that begin at once, one makes the tables, and the others fail to.
            with contextlib.suppress(SQLAlchemyError):
                return _created(address, sampler, pruner)
            time.sleep(_SECONDS_BETWEEN_ATTEMPTS)
        return _created(address, sampler, pruner)


def _created(address: str, sampler: optuna.samplers.BaseSampler, pruner: optuna.pruners.BasePruner) -> Study:
    try:
        return optuna.create_study(
            storage=_storage(address),
            sampler=sampler,
            pruner=pruner,
            study_name=_NAME,
            direction='maximize',
            load_if_exists=True,
        )
    except (RuntimeError, OSError, AssertionError) as error:  # Another Optuna's tables, or another program's.
        raise StorageInternalError(str(error)) from error


def _storage(address: str) -> optuna.storages.BaseStorage:
    kind, _, rest = address.partition('://')
    if kind != 'postgresql':
        # Three slashes before a path from here, four before one from the top: as SQLAlchemy has it.
        file = Path(rest[1:])
        file.parent.mkdir(parents=True, exist_ok=True)
        if kind == 'journal':
            return Journal(str(file), HEARTBEAT, GRACE, retry)
    return RDBStorage(
        address,
        engine_kwargs=_ENGINES[kind],
        heartbeat_interval=HEARTBEAT,
        grace_period=GRACE,
        failed_trial_callback=retry,
    )


def agree(study: Study, made_with: Dict[str, Any], address: str) -> None:
    """Notes what a new study's trials depend on; a worker that joins must have the same.

    Raises:
        LabError: it has other.
    """
    known = study.user_attrs.get(_MADE_WITH)
    if known is None:
        study.set_user_attr(_MADE_WITH, made_with)
        return
    for name, value in made_with.items():
        if known.get(name) != value:
            raise LabError(
                f'the study {without_password(address)} {_difference(name, known.get(name), value)}. '
                'Give the same, or another --study.'
            )


def _difference(name: str, known: Any, wanted: Any) -> str:  # noqa: ANN401 - whatever a search is made with
    if name == 'exercise':
        return f'is of {known}, not of {wanted}'
    if name == 'data':
        return 'was made with other records, or dealt otherwise by --seed'
    if name == 'space':
        flags = [flag for flag in {**known, **wanted} if known.get(flag) != wanted.get(flag)]
        both = (f'--{flags[0]} {space[flags[0]]}' if flags[0] in space else 'none' for space in (known, wanted))
        return 'searches another space: {}, not {}'.format(*both)
    return f'has --{name} {known}, not {wanted}'


def _reason(error: Exception) -> str:
    """Of several errors that led to one another, what the database itself said, in a line."""
    while error.__cause__ is not None and not isinstance(error, SQLAlchemyError):
        error = error.__cause__
    said = getattr(error, 'orig', None) or error
    if isinstance(said, OSError):
        said = os.strerror(said.errno) if said.errno else said
    lines = str(said).strip().splitlines() or [type(said).__name__]
    return lines[-1].strip().rstrip('.')
