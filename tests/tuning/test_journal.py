"""tuning/journal.py: what Optuna's journal lacks."""

import os
import resource

import optuna
import pytest
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState

from tuning import journal


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'study.journal'


def study_in(path, grace=60):
    storage = journal.Journal(str(path), 1, grace, lambda study, trial: None)
    return optuna.create_study(storage=storage, study_name='search', load_if_exists=True, direction='maximize')


def test_what_a_full_disk_has_cut_off_is_taken_away_and_finished_trials_stay(path):
    study = study_in(path)
    study.tell(study.ask(), 0.5)
    whole = path.read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 10, before[1]))
    try:
        with pytest.raises(StorageInternalError, match='File too large'):
            study.ask()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == whole
    assert study_in(path).best_value == 0.5


def test_half_a_line_that_a_kill_has_left_is_taken_away_at_the_start(path):
    study = study_in(path)
    study.tell(study.ask(), 0.5)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"op_code": 4, "wor')
    assert study_in(path).best_value == 0.5
    assert path.read_bytes().startswith(whole + b'{"op_code":')


def test_the_lock_of_a_killed_writer_is_removed(path, monkeypatch):
    """Optuna's own waits for ever."""
    study = study_in(path)
    os.symlink(str(path), f'{path}.lock')
    monkeypatch.setattr(journal, '_LOCK_SECONDS', 0.2)
    study.tell(study.ask(), 0.5)
    assert not os.path.lexists(f'{path}.lock')


def test_a_trial_is_stale_when_its_mark_stays_the_same_by_this_processs_clock(path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(journal.time, 'monotonic', lambda: now[0])
    theirs, mine = study_in(path), study_in(path, grace=60)
    trial = theirs.ask()
    stale = lambda: mine._storage._get_stale_trial_ids(mine._study_id)  # noqa: E731
    assert stale() == []
    now[0] = 59
    theirs._storage.record_heartbeat(trial._trial_id)
    assert stale() == []
    now[0] = 118  # 59 seconds after the mark.
    assert stale() == []
    now[0] = 120
    assert stale() == [trial._trial_id]
    theirs.tell(trial, 0.5)
    assert stale() == []
    assert mine.trials[0].state == TrialState.COMPLETE


def test_a_file_that_is_no_journal_is_told(path):
    path.write_text('hello\nworld\n')
    with pytest.raises(StorageInternalError, match='it is no journal, or a damaged one'):
        study_in(path)
