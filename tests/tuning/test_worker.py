"""tuning/worker.py: trials run, pruned, given back, taken up again, on every kind of storage."""

import os
import signal
import subprocess
import sys
import time

from lvseg.errors import LabError

import pytest
from optuna.study import Study
from optuna.trial import TrialState

from tuning import command, reports, worker


def until(condition, seconds=60):
    """Waits for a condition."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'it did not come'
        time.sleep(0.02)


def states(study):
    return [trial.state for trial in study.trials]


def running(study):
    return [trial for trial in study.trials if trial.state == TrialState.RUNNING]


def test_each_trial_is_run_in_a_folder_of_its_own_and_judged_by_its_last_dice(search):
    study = search.work(trials=3)
    assert [trial.value for trial in study.trials] == pytest.approx([0.1, 0.2, 0.3])
    # Two thirds of 0.2 after two of three epochs.
    assert study.trials[1].intermediate_values == pytest.approx({1: 0.2 / 3, 2: 0.4 / 3, 3: 0.2})
    assert sorted(path.name for path in search.out.iterdir()) == ['trial-0000', 'trial-0001', 'trial-0002']
    assert worker.best(study).number == 2


def test_the_command_that_is_noted_makes_the_trial_again(search, tmp_path):
    study = search.work(trials=2, batches=(4, 5))
    noted = study.trials[1].user_attrs[reports.COMMAND]
    assert noted.startswith('python ') and noted.endswith('--num_epochs 3 --batch_size 5 --eval_every 1 --seed 1')
    (search.out / 'trial-0001').rename(tmp_path / 'earlier')
    subprocess.run([sys.executable, *noted.split()[1:]], check=True, stdout=subprocess.DEVNULL)
    assert (search.out / 'trial-0001' / 'train' / 'run.json').exists()


def test_two_jobs_are_two_trials_at_a_time_and_no_more_than_wanted(search):
    with search.elsewhere(trials=3, batches=(9,), jobs=2) as process:
        until(lambda: len(list(search.out.glob('*/train/run.json'))) == 2)
        assert len(running(search.open())) == 2
        os.kill(process, signal.SIGTERM)
        os.waitpid(process, 0)


def test_poor_trials_are_pruned_and_say_so(search, capsys):
    """A third goes on: the first of all, for it has none to be compared with; of the others only a better one."""
    search.work(trials=1, batches=(5, 1, 2), prune=True)
    search.program.with_name('wait').touch()  # Or else they would be done before they are looked at.
    study = search.work(trials=3, batches=(5, 1, 2), prune=True)
    assert states(study) == [TrialState.COMPLETE, TrialState.PRUNED, TrialState.PRUNED]
    assert study.trials[1].intermediate_values == pytest.approx({1: 0.1 / 3})
    said = capsys.readouterr().out
    assert 'OUTPUT: trial 1 pruned after epoch 1, Dice 0.033: --num_epochs 3 --batch_size 1' in said.splitlines()
    assert 'OUTPUT: 3 of 3 trials: 1 done, 2 pruned; 0 running; best Dice 0.500 (trial 0)' in said.splitlines()


def test_a_trial_that_diverges_is_a_poor_one_and_no_failure(search, capsys):
    study = search.work(trials=4, batches=(7, 7, 7, 3))
    assert states(study) == [TrialState.PRUNED] * 3 + [TrialState.COMPLETE]
    assert 'OUTPUT: trial 0 diverged: --num_epochs 3 --batch_size 7' in capsys.readouterr().out
    # Compared at the same age, it has a Dice of 0, and the other 0.3 / 3.
    assert [trial.value for trial in reports.alike(study).trials] == pytest.approx([0, 0, 0, 0.1])


def test_where_all_diverge_the_line_says_what_to_do(search):
    study = search.work(trials=2, batches=(7,))
    assert command._none_done(study.trials) == (
        'no trial came to its end, 2 of 2 have diverged. Search lower rates, such as --learning_rate 1e-5..1e-3, with '
        'another --study.'
    )


def test_trials_that_fail_one_after_the_other_end_the_search_with_the_reason(search):
    with pytest.raises(LabError) as error:
        search.work(trials=9, batches=(3, 8, 8, 8))
    assert str(error.value) == (
        f"3 trials in a row have failed, the last with: NameError: name 'FIXME' is not defined. Its output is in "
        f'{search.out / "trial-0003"}.'
    )
    assert states(search.open()) == [TrialState.COMPLETE] + [TrialState.FAIL] * 3


def test_a_trial_that_fails_now_and_then_is_left_out(search):
    study = search.work(trials=4, batches=(8, 8, 3))
    assert [trial.number for trial in study.trials if trial.state == TrialState.COMPLETE] == [2, 5, 8, 11]


def test_when_the_time_is_up_trials_under_way_are_ended(search, capsys):
    study = search.work(trials=9, batches=(9,), seconds=5)
    assert states(study) == [TrialState.PRUNED]
    assert 'ended, as the time was up' in capsys.readouterr().out


def test_the_same_command_goes_on_where_a_study_was(search):
    search.work(trials=2)
    study = search.work(trials=3)
    assert [trial.value for trial in study.trials] == pytest.approx([0.1, 0.2, 0.3])


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_worker_that_is_interrupted_ends_its_trials_and_gives_them_back(number, search):
    search.work(trials=1, batches=(3, 4))
    search.program.with_name('wait').touch()
    with search.elsewhere(trials=2, batches=(3, 4)) as process:
        until((search.out / 'trial-0001' / 'train' / 'run.json').exists)
        os.kill(process, number)
        _, status = os.waitpid(process, 0)
    assert os.WEXITSTATUS(status) == 128 + number
    assert 'OUTPUT: Interrupted. 1 of 2 trials: 1 done, 0 pruned, 1 failed; 0 running;' in search.said()

    search.program.with_name('wait').unlink()
    study = search.work(trials=2, batches=(3, 3))
    assert states(study) == [TrialState.COMPLETE, TrialState.FAIL, TrialState.COMPLETE]
    assert search.settings(study) == [3, 4, 4]  # The same again, and not the 3 that would be next.


def test_ctrl_c_waits_for_the_end_of_a_change_of_the_study(search, monkeypatch):
    """In its midst it would leave the database locked, and the trials could not be given back."""
    ask, changed = Study.ask, []

    def asked(study):
        os.kill(os.getpid(), signal.SIGINT)
        changed.append(ask(study))
        return changed[-1]

    monkeypatch.setattr(Study, 'ask', asked)
    with pytest.raises(KeyboardInterrupt):
        search.work(trials=1)
    assert len(changed) == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.slow
@pytest.mark.parametrize('storage', ['sqlite', 'journal', 'postgresql'])
def test_a_worker_that_is_killed_loses_its_trial_and_nothing_else(storage, search, quick_beat, request):
    if storage == 'postgresql':
        request.getfixturevalue('in_postgresql')
    elif storage == 'journal':
        search.address = f'journal:///{search.out.parent / "study.journal"}'
    search.work(trials=1, batches=(3, 4))
    search.program.with_name('wait').touch()
    with search.elsewhere(trials=2, batches=(3, 4)) as process:
        until((search.out / 'trial-0001' / 'train' / 'run.json').exists)
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    # Its training ends with it.
    until(lambda: not processes_in(search.out / 'trial-0001'))
    assert states(search.open()) == [TrialState.COMPLETE, TrialState.RUNNING]

    with search.elsewhere(trials=3, batches=(3, 4, 5)) as process:  # Runs a third one, and sees that.
        # Its state is told first, and only then is it given out again.
        until(lambda: any(is_retry_of(1, trial) for trial in search.open().trials))
        assert states(search.open())[1] == TrialState.FAIL
        os.kill(process, signal.SIGTERM)
        os.waitpid(process, 0)

    search.program.with_name('wait').unlink()
    study = search.work(trials=3)
    assert study.trials[0].value == pytest.approx(0.3)
    # PostgreSQL gives waiting trials out in any order.
    (again,) = [trial for trial in study.trials if is_retry_of(1, trial) and trial.state == TrialState.COMPLETE]
    assert (again.params, again.value) == ({'batch_size': '4'}, pytest.approx(0.4))


def is_retry_of(number, trial):
    return trial.system_attrs.get('failed_trial') == number


@pytest.mark.slow
def test_two_workers_share_a_study_in_postgresql(in_postgresql):
    search = in_postgresql
    search.program.with_name('slow').touch()  # Or else one may have done them all before the other begins.
    with search.elsewhere(trials=8, batches=(1, 2, 3, 4)) as process:
        until(lambda: len(search.open().trials) > 0)
        search.work(trials=8, batches=(1, 2, 3, 4))
        _, status = os.waitpid(process, 0)
    assert status == 0, search.said()
    done = [trial.number for trial in search.open().trials if trial.state == TrialState.COMPLETE]
    # Two may have asked at the same time for the last one.
    assert done in (list(range(8)), list(range(9)))
    here = search.said().count(' done, Dice')
    assert 0 < here < len(done)


def test_a_trial_that_was_taken_for_dead_is_left_to_the_other(search, quick_beat):
    """As when a notebook was asleep."""
    search.program.with_name('wait').touch()
    with search.elsewhere(trials=1) as process:
        until((search.out / 'trial-0000' / 'train' / 'run.json').exists)
        search.open().tell(0, state=TrialState.FAIL)
        until(lambda: 'trial 0 was taken for dead by another worker, and is left to it.' in search.said())
        os.kill(process, signal.SIGTERM)
        os.waitpid(process, 0)


def test_a_trial_that_was_taken_for_dead_has_nothing_more_to_tell(search, monkeypatch, capsys):
    """By another worker, just as it was to report."""
    news = worker.Attempt.news

    def after_it_was_taken(attempt):
        found = news(attempt)
        if found and attempt.trial.number == 0:
            search.open().tell(0, state=TrialState.FAIL, skip_if_finished=True)
        return found

    monkeypatch.setattr(worker.Attempt, 'news', after_it_was_taken)
    study = search.work(trials=1)
    assert states(study) == [TrialState.FAIL, TrialState.COMPLETE]
    assert 'trial 0 was taken for dead by another worker, and is left to it.' in capsys.readouterr().out


@pytest.mark.slow
def test_a_database_that_is_lost_is_one_line_and_loses_no_finished_trial(in_postgresql, postgresql, quick_beat):
    search = in_postgresql
    search.work(trials=1)
    search.program.with_name('wait').touch()
    with search.elsewhere(trials=2) as process:
        until((search.out / 'trial-0001' / 'train' / 'run.json').exists)
        postgresql.stop()
        _, status = os.waitpid(process, 0)
    postgresql.start()
    assert os.WEXITSTATUS(status) == 1
    (line,) = [line for line in search.said().splitlines() if not line.startswith('OUTPUT')]
    assert line.startswith(f'ERROR: the study {search.address} cannot be used: ')
    assert line.endswith('Trials that are finished stay in it; when this is mended, the same command goes on.')
    assert not processes_in(search.out / 'trial-0001')
    assert search.open().trials[0].value == pytest.approx(0.1)


def test_a_full_disk_is_one_line_and_loses_no_finished_trial(search):
    import resource

    search.work(trials=1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**19, before[1]))
    try:
        with pytest.raises(LabError) as error:
            search.work(trials=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(error.value).startswith(f'cannot write to {search.out}: File too large. Finished trials are kept')
    assert states(search.open()) == [TrialState.COMPLETE]


def processes_in(folder):
    """Trainings into a folder."""
    listed = subprocess.run(['ps', '-eo', 'args'], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(folder) in line]
