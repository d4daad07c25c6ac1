"""A worker: takes trials from the study, runs some at a time, prunes the poor ones, until there are enough."""

import signal
import sys
import time
from pathlib import Path
from typing import List, NamedTuple, Optional

from lvseg import chief, processes, progress
from lvseg.errors import LabError

from optuna.storages import fail_stale_trials
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from tuning import reports, studies
from tuning.space import Range, Space
from tuning.trials import Attempt, Setting, as_typed, has_room

SECONDS_BETWEEN_LOOKS = 0.5
_FAILURES_AT_MOST = 3  # One after the other; then it is not the settings.

COUNTED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)


class Limits(NamedTuple):
    """How much is done."""

    trials: int  # Of the whole study, whoever makes them.
    seconds: Optional[float]  # Of this worker.
    jobs: int  # Trials at a time.


class Worker:
    """Runs trials of one study; several workers do so at once, here and elsewhere."""

    def __init__(self, study: Study, space: Space, setting: Setting, limits: Limits, out: Path) -> None:
        self._study, self._space, self._setting, self._limits, self._out = study, space, setting, limits, out
        self._running: List[Attempt] = []
        self._began = time.monotonic()
        self._beaten = -studies.HEARTBEAT  # Long ago.
        self._ended = 0  # Trials, by this worker.
        self._failures = 0  # The last ones, without another between.
        self._asked = 0  # By which signal, to end.

    def run(self) -> None:
        """Runs trials until the study has enough of them, or the time is up.

        Raises:
            LabError: one trial after the other fails, or nothing can be written.
            KeyboardInterrupt, SystemExit: interrupted; trials under way are given back to the study.
        """
        minded = [  # But for those that a shell or nohup has this process ignore.
            number
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler)
        ]
        bar = progress.bar(self._limits.trials, form=progress.COUNTED)
        with processes.on_signals(minded, self._on_signal), bar as self._bar:
            try:
                self._loop()
            except (KeyboardInterrupt, SystemExit):
                self._give_back()
                raise
            finally:
                for attempt in self._running:
                    attempt.stop()

    def _on_signal(self, number: int, frame: object) -> None:
        """Is obeyed between two looks: in the midst of a change of the study, it would leave a database locked."""
        self._asked = number

    def _end_if_asked(self) -> None:
        if self._asked == signal.SIGINT:
            raise KeyboardInterrupt
        if self._asked:
            sys.exit(128 + self._asked)

    def _loop(self) -> None:
        while True:
            self._end_if_asked()
            self._beat()
            while len(self._running) < self._limits.jobs and self._wants_more():
                self._start()
            if not self._running:
                return
            for attempt in list(self._running):
                self._look_at(attempt)
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def _beat(self) -> None:
        """Now and then: tells the others that trials here are alive, and takes up those whose worker is not."""
        if time.monotonic() - self._beaten < studies.HEARTBEAT:
            return
        self._beaten = time.monotonic()
        for attempt in list(self._running):
            self._keep_alive(attempt)
        fail_stale_trials(self._study)
        self._show()

    def _keep_alive(self, attempt: Attempt) -> None:
        if self._is_taken_for_dead(attempt):
            self._leave(attempt)
        else:
            self._study._storage.record_heartbeat(attempt.trial._trial_id)

    def _is_taken_for_dead(self, attempt: Attempt) -> bool:
        """By another worker, as this machine slept, or was cut off from the study."""
        return self._study._storage.get_trial(attempt.trial._trial_id).state != TrialState.RUNNING

    def _leave(self, attempt: Attempt) -> None:
        attempt.stop()
        self._running.remove(attempt)
        progress.say(f'OUTPUT: trial {attempt.trial.number} was taken for dead by another worker, and is left to it.')

    def _wants_more(self) -> bool:
        there = len(self._study.get_trials(deepcopy=False, states=COUNTED))
        return there < self._limits.trials and not self._time_is_up()

    def _time_is_up(self) -> bool:
        return self._limits.seconds is not None and time.monotonic() - self._began > self._limits.seconds

    def _start(self) -> None:
        has_room(self._out)
        trial = self._study.ask()
        self._study._storage.record_heartbeat(trial._trial_id)
        flags = self._space.flags({name: _draw(trial, name, drawn) for name, drawn in self._space.searched.items()})
        folder = self._out / f'trial-{trial.number:04d}'
        trial.set_user_attr(reports.COMMAND, as_typed(self._setting.command(flags, folder)))
        self._running.append(Attempt(trial, flags, self._setting, folder))

    def _look_at(self, attempt: Attempt) -> None:
        status = attempt.status()  # Before its figures are read: those of its end are then among them.
        news = attempt.news()
        if (news or status is not None) and self._is_taken_for_dead(attempt):
            self._leave(attempt)
            return
        for epoch, dice in news:
            attempt.trial.report(dice, epoch)
            attempt.dice[epoch] = dice
            # Asked of a trial that has ended, too: others are compared with it.
            poor = epoch < self._setting.num_epochs and attempt.trial.should_prune()
            if poor and status is None:
                attempt.stop()
                self._end(attempt, TrialState.PRUNED, f'pruned after epoch {epoch}')
                return
        if status is None and self._time_is_up():
            attempt.stop()
            self._end(attempt, TrialState.PRUNED, 'ended, as the time was up')
        elif status == 0 and attempt.dice:
            self._failures = 0
            self._end(attempt, TrialState.COMPLETE, 'done')
        elif status is not None and chief.DIVERGED in attempt.last_line():
            self._end(attempt, TrialState.PRUNED, reports.DIVERGED)
        elif status is not None:
            self._failures += 1
            self._end(attempt, TrialState.FAIL, f'failed: {attempt.last_line()}')
            if self._failures == _FAILURES_AT_MOST:
                raise LabError(
                    f'{self._failures} trials in a row have failed, the last with: {attempt.last_line().rstrip(".")}. '
                    f'Its output is in {attempt.folder}.'
                )

    def _end(self, attempt: Attempt, state: TrialState, how: str) -> None:
        self._running.remove(attempt)
        self._ended += 1
        attempt.trial.set_user_attr(reports.ENDED, how)
        last = attempt.dice[max(attempt.dice)] if attempt.dice else None
        self._study.tell(attempt.trial, last if state == TrialState.COMPLETE else None, state)
        reports.to_tensorboard(attempt)
        dice = '' if last is None else f', Dice {last:.3f}'
        progress.say(f'OUTPUT: trial {attempt.trial.number} {how}{dice}: {" ".join(attempt.flags)}')
        progress.say(f'OUTPUT: {self._standing()}')
        self._show()

    def _give_back(self) -> None:
        for attempt in self._running:
            attempt.stop()
            attempt.trial.set_user_attr(reports.ENDED, 'interrupted')
            studies.retry(self._study, self._study.tell(attempt.trial, state=TrialState.FAIL))
        progress.say(f'OUTPUT: Interrupted. {self._standing()}. The same command goes on.')

    def _show(self) -> None:
        self._bar.set_description_str(self._standing(), refresh=False)
        finished = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
        self._bar.update(len(finished) - self._bar.n)
        self._bar.refresh()

    def _standing(self) -> str:
        trials = self._study.get_trials(deepcopy=False)
        found = {state: sum(trial.state == state for trial in trials) for state in TrialState}
        over = found[TrialState.COMPLETE] + found[TrialState.PRUNED]
        failed = f', {found[TrialState.FAIL]} failed' if found[TrialState.FAIL] else ''
        top = best(self._study)
        so_far = f'; best Dice {top.value:.3f} (trial {top.number})' if top else ''
        return (
            f'{over} of {self._limits.trials} trials: {found[TrialState.COMPLETE]} done, {found[TrialState.PRUNED]} '
            f'pruned{failed}; {found[TrialState.RUNNING]} running{so_far}{self._left(over, found[TrialState.RUNNING])}'
        )

    def _left(self, over: int, running: int) -> str:
        """The time left, by the pace of this worker's trials and by how many there are at a time in all."""
        spent = time.monotonic() - self._began
        if not self._ended or over >= self._limits.trials:
            return ''
        at_a_time = max(1, running / self._limits.jobs)
        left = max(0, self._limits.trials - over) * spent / self._ended / at_a_time
        if self._limits.seconds is not None:
            left = min(left, max(0, self._limits.seconds - spent))
        return f'; about {left / 60:.0f} min left'


def best(study: Study) -> Optional[FrozenTrial]:
    """The trial with the highest Dice of those that were trained to the end; None without any."""
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return max(done, key=lambda trial: trial.value) if done else None


def _draw(trial: Trial, name: str, drawn: object) -> object:
    if not isinstance(drawn, Range):
        return trial.suggest_categorical(name, drawn.values)
    if drawn.whole:
        return trial.suggest_int(name, drawn.low, drawn.high, log=drawn.logarithmic)
    return trial.suggest_float(name, drawn.low, drawn.high, log=drawn.logarithmic)
