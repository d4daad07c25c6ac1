"""Puts finished files into the folder of the results, all or none: they are written beside, and renamed at the end."""

import contextlib
import os
import shutil
import tempfile
from typing import Iterator

from lvseg import files, locks
from lvseg.errors import LabError
from lvseg.layout import MANIFEST_FILE as MANIFEST
from lvseg.layout import RECORD_FILES

TRAIN, VAL = RECORD_FILES['train'], RECORD_FILES['eval']
STUDIES = 'phantom_studies'

_PREFIX = '.data_prep-'
_LOCK_FILE = '.data_prep.lock'


@contextlib.contextmanager
def staged(out: str) -> Iterator[str]:
    """Yields a temporary folder in `out`; at the end without an error, its files take the place of earlier ones.

    A killed run leaves that folder behind, which the next one removes.

    Raises:
        LabError: `out` is no folder and cannot become one, cannot be written, or another run is writing there.
    """
    is_new = not os.path.exists(out)
    try:
        os.makedirs(out, exist_ok=True)
        _check_targets(out)
        lock = locks.take(os.path.join(out, _LOCK_FILE))
    except OSError as error:
        raise _cannot_write(out, error) from None
    except locks.HeldError as holder:
        raise LabError(
            f'another data_prep (process {holder}) is writing in {out}. Wait for it, stop it, or give another --out.'
        ) from None
    done = False
    try:
        _remove_leftovers(out)
        with _stage(out) as stage:
            yield stage
            _publish(stage, out)
        done = True
    finally:
        with contextlib.suppress(OSError):
            os.remove(os.path.join(out, _LOCK_FILE))
        lock.close()
        if is_new and not done:
            with contextlib.suppress(OSError):
                os.rmdir(out)


@contextlib.contextmanager
def _stage(out: str) -> Iterator[str]:
    try:
        stage = tempfile.mkdtemp(prefix=_PREFIX, dir=out)
    except OSError as error:
        raise _cannot_write(out, error) from None
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _cannot_write(out: str, error: OSError) -> LabError:
    return LabError(f'cannot write in {out}: {error.strerror}. Give --out another folder.')


def _check_targets(out: str) -> None:
    for name in (TRAIN, VAL, MANIFEST):
        if os.path.isdir(os.path.join(out, name)):
            raise LabError(f'{os.path.join(out, name)} is a folder; a file is to be written there. Move it away.')


def _remove_leftovers(out: str) -> None:
    for name in os.listdir(out):
        if name.startswith(_PREFIX):
            shutil.rmtree(os.path.join(out, name), ignore_errors=True)


def _publish(stage: str, out: str) -> None:
    """Takes earlier files away, then brings the new ones; the manifest goes first and comes last.

    If this is cut short by a kill or a power cut, what lies in `out` is of one run, old or new: no slice is in both
    files. And where there is a manifest, nothing is missing. After an error everything is as before.
    """
    if not os.path.exists(os.path.join(stage, MANIFEST)):
        raise LabError(f'the unfinished files in {out} have gone. Is another data_prep writing there? Try again.')
    new = [name for name in (STUDIES, TRAIN, VAL, MANIFEST) if os.path.exists(os.path.join(stage, name))]
    old = [name for name in (MANIFEST, VAL, TRAIN) if os.path.lexists(os.path.join(out, name))]
    if STUDIES in new and os.path.lexists(os.path.join(out, STUDIES)):
        old.append(STUDIES)
    attic = tempfile.mkdtemp(dir=stage)
    moves = [(os.path.join(out, name), os.path.join(attic, name)) for name in old]
    moves += [(os.path.join(stage, name), os.path.join(out, name)) for name in new]

    done = []
    try:
        files.sync_tree(stage)
        for source, target in moves:
            os.rename(source, target)
            done.append((source, target))
            files.sync(os.path.dirname(source), os.path.dirname(target))  # Else a power cut may undo some of the moves.
    except BaseException as error:
        for source, target in reversed(done):
            os.rename(target, source)
        if not isinstance(error, OSError):
            raise
        raise LabError(f'cannot replace the files in {out}: {error.strerror}. They are as they were.') from None
