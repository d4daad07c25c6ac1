"""The roll of a cluster: who is there, what it was started with, and whether it still lives.

The first ps keeps it, in a few variables of its own beside the weights; it is read and written by TensorFlow's own
runtime, so that no other port is opened. Every process has its pulse counted there once a second.
"""

import contextlib
import json
import os
import sys
import threading
import time
import uuid
from typing import Any, Callable, Dict, List, NamedTuple, NoReturn, Optional

from lvseg import tasks
from lvseg.errors import LabError, one_line
from lvseg.tasks import Task

import numpy as np
import tensorflow.compat.v1 as tf

_SECONDS_BETWEEN = 1.0
_SECONDS_OF_SILENCE = 15.0  # Whoever says nothing for longer is gone; on a busy machine, one may be silent for a while.
_SECONDS_UNTIL_TOLD = 2.0  # Who waits longer says for whom.
_SECONDS_TO_LEAVE = 5.0
_CALL_MS = 4000  # What is not answered by then is asked again.

# The exit status of one, other than the chief, that had to end by no fault of its own.
FOLLOWED = 3

# What a process tells with its pulse; the last one plus the number of the signal that it got.
_WELL, _FAILED, _LEFT, _ASKED_TO_STOP = 0, 1, 2, 100

_WHAT_TO_DO = 'Start all of them again with --resume: nothing is lost but the steps since the last checkpoint.'


class _State(NamedTuple):
    pulses: np.ndarray  # int64 [tasks, 2]: how often each was here, and what it tells.
    notes: List[Dict[str, Any]]  # What each was started with; {} if it has not come yet.
    go: Dict[str, Any]  # What the chief lets the workers know when they may begin; {} before.
    end: Dict[str, Any]  # The chief's last word: an exit status, and why; {} before.


class Roll:
    """The roll as this process sees it.

    Attributes:
        on_request: called with the number of a signal that another process got; of use to the chief.
    """

    def __init__(self, task: Task) -> None:
        self.on_request: Callable[[int], None] = lambda number: None
        self._task = task
        self._everyone = task.everyone
        self._keeper = Task(task.cluster, tasks.PS, 0)
        self._keepers_place = self._everyone.index(self._keeper)
        self._place = self._everyone.index(task)
        self._id = uuid.uuid4().hex
        self._tells, self._count = _WELL, 0
        self._let_go: Dict[str, Any] = {}
        self._state: Optional[_State] = None
        self._heard: Dict[int, float] = {}
        self._over = threading.Event()
        self._session: Optional[tf.Session] = None
        self._build()

    def open(self, server: tf.train.Server) -> None:
        """Begins the roll, in the process that keeps it."""
        self._connect(server.target)
        self._session.run(self._initializer)

    def enter(self, note: Dict[str, Any]) -> None:
        """Puts this process on the roll; waits for the process that keeps it.

        Args:
            note: what this process was started with.

        Raises:
            LabError: another process has come as the same task. (Of two that come at once, `check` tells.)
        """
        known = self._first_look().notes[self._place]
        if known:
            raise self._twice()
        self._session.run(self._write_note, {self._text: json.dumps({**note, 'id': self._id}, sort_keys=True)})
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    def notes(self) -> Dict[str, Dict[str, Any]]:
        """What all that train were started with, by name; waits until they are there, and says for whom."""
        places = [place for place, task in enumerate(self._everyone) if task.type != tasks.PS]

        def found(state: _State) -> Optional[Dict[str, Dict[str, Any]]]:
            notes = {self._everyone[place].name: state.notes[place] for place in places}
            return notes if all('id' in note for note in notes.values()) else None

        return self._wait(found)

    def check(self, notes: Dict[str, Dict[str, Any]]) -> None:
        """Sees to it that the note on the roll is this process's own.

        Args:
            notes: what `notes` gave.

        Raises:
            LabError: another process has come as the same task.
        """
        if notes[self._task.name]['id'] != self._id:
            raise self._twice()

    def go(self, key: str) -> Any:  # noqa: ANN401 - whatever JSON can hold
        """What the chief lets the workers know under that key; waits for it."""
        return self._wait(lambda state: state.go.get(key))

    def let_go(self, **values: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        """The chief lets the workers know this."""
        self._let_go.update(values)
        self._session.run(self._write_go, {self._text: json.dumps(self._let_go)})

    def end(self, code: int, why: str = '') -> None:
        """The chief's last word: the others end with this exit status, too, and print why, if that is told."""
        if self._over.is_set():
            return
        self._over.set()
        with contextlib.suppress(tf.errors.OpError):  # A ps that is gone, or not there yet, need not be told.
            self._reach()
            self._session.run(self._write_end, {self._text: json.dumps({'code': code, 'why': why})})
            self._call(_LEFT)

    def ask_to_stop(self, number: int) -> None:
        """Tells the chief that a signal came here: it ends the training after the step, and saves."""
        self._tells = _ASKED_TO_STOP + number

    def fail(self) -> None:
        """Tells the others that this process ends by an error, which it prints itself."""
        if self._over.is_set():
            return
        self._over.set()
        with contextlib.suppress(tf.errors.OpError):
            self._reach()
            self._session.run(self._write_note, {self._text: json.dumps({'failed': True})})
            self._call(_FAILED)

    def follow(self) -> NoReturn:
        """Lives on until the chief's last word, on which this process ends."""
        while True:
            time.sleep(_SECONDS_BETWEEN)

    def _twice(self) -> LabError:
        self._over.set()  # The place on the roll is the other one's: nothing more is said there.
        return LabError(f'{self._task} is there already: two processes were started as the same task.')

    def _build(self) -> None:
        with tf.Graph().as_default() as self._graph, tf.device(self._keeper.device), tf.variable_scope('lvseg_roll'):

            def texts(name: str, number: int) -> List[tf.Variable]:
                return [
                    tf.get_variable(f'{name}{place}', initializer='{}', use_resource=True) for place in range(number)
                ]

            nothing = np.zeros(2, np.int64)
            pulses = [
                tf.get_variable(f'pulse{place}', initializer=nothing, use_resource=True)
                for place in range(len(self._everyone))
            ]
            notes, (go, end) = texts('note', len(self._everyone)), texts('word', 2)
            self._pulse, self._text = tf.placeholder(tf.int64, [2]), tf.placeholder(tf.string, [])
            self._write_pulse = pulses[self._place].assign(self._pulse).op
            self._write_note = notes[self._place].assign(self._text).op
            self._write_go, self._write_end = go.assign(self._text).op, end.assign(self._text).op
            self._everything = [
                tf.stack([pulse.read_value() for pulse in pulses]),
                tf.stack([text.read_value() for text in [*notes, go, end]]),
            ]
            self._initializer = tf.global_variables_initializer()

    def _reach(self) -> None:
        if self._session is None:
            self._connect(f'grpc://{self._keeper.address}')

    def _connect(self, target: str) -> None:
        config = tf.ConfigProto(operation_timeout_in_ms=_CALL_MS, device_filters=[self._keeper.device])
        self._session = tf.Session(target, graph=self._graph, config=config)

    def _read(self) -> _State:
        pulses, texts = self._session.run(self._everything)
        *notes, go, end = [json.loads(text.decode()) for text in texts]
        return _State(pulses, notes, go, end)

    def _first_look(self) -> _State:
        """The state, as soon as there is one: the ps may start last."""
        waiting = _Waiting()
        while True:
            try:
                self._reach()
                return self._read()
            except tf.errors.FailedPreconditionError:  # The roll has not begun.
                pass
            except tf.errors.OpError:
                self._session = None
            waiting.for_whom([self._keeper])

    def _wait(self, found: Callable[[_State], Any]) -> Any:  # noqa: ANN401 - what `found` returns
        waiting = _Waiting()
        while True:
            state = self._state
            result = None if state is None else found(state)
            if result is not None:
                return result
            waiting.for_whom([task for task, note in zip(self._everyone, state.notes) if not note] if state else [])

    def _call(self, tells: int) -> None:
        self._count += 1
        self._session.run(self._write_pulse, {self._pulse: [self._count, tells]})

    def _listen(self) -> None:
        """Has the pulse of this process counted, and takes note of those of the others."""
        self._heard[self._keepers_place] = time.monotonic()
        while not self._over.is_set():
            with contextlib.suppress(tf.errors.OpError):
                self._call(self._tells)
                state, before = self._read(), self._state
                now = time.monotonic()
                for place, (pulse, _) in enumerate(state.pulses):
                    # Of one that has not come yet, nothing is expected.
                    if before is None or not before.notes[place] or pulse != before.pulses[place][0]:
                        self._heard[place] = now
                self._heard[self._keepers_place] = now
                self._state = state
            self._over.wait(_SECONDS_BETWEEN)

    def _watch(self) -> None:
        """Ends this process when the chief has said its last word, or when one of the others is gone."""
        looked = time.monotonic()
        while not self._over.wait(_SECONDS_BETWEEN / 4):
            state, before, looked = self._state, looked, time.monotonic()
            if looked - before > _SECONDS_OF_SILENCE:
                self._end_here(1, f'{self._task} was stopped for {looked - before:.0f} seconds. {_WHAT_TO_DO}')
            unheard = looked - self._heard.get(self._keepers_place, looked)
            if unheard > _SECONDS_OF_SILENCE and self._task != self._keeper:
                self._end_here(1, _gone(self._keeper))
            if state is None:
                continue
            if state.end:
                self._leave(state.end)
            for place, task in enumerate(self._everyone):
                if state.notes[place] and task not in (self._task, self._keeper):
                    self._judge(place, task, state)

    def _judge(self, place: int, task: Task, state: _State) -> None:
        tells = int(state.pulses[place][1])
        if tells == _FAILED:
            self._end_all(f'{task} has ended by an error, which it has printed. {_WHAT_TO_DO}')
        if tells > _ASKED_TO_STOP:
            self.on_request(tells - _ASKED_TO_STOP)
        # While nothing is heard of the keeper, nothing can be heard of the others.
        silent = self._heard[self._keepers_place] - self._heard[place]
        if tells != _LEFT and silent > _SECONDS_OF_SILENCE:
            self._end_all(_gone(task))

    def _end_all(self, why: str) -> None:
        """Whoever is the first to see it tells the others, lest they wonder where this one has gone."""
        end = {'code': 1, 'why': why}
        with contextlib.suppress(tf.errors.OpError):
            self._session.run(self._write_end, {self._text: json.dumps(end)})
        self._leave(end)

    def _leave(self, end: Dict[str, Any]) -> None:
        with contextlib.suppress(tf.errors.OpError):
            self._call(_LEFT)
            if self._task == self._keeper:  # The others must hear the last word from it.
                until = time.monotonic() + _SECONDS_TO_LEAVE
                while time.monotonic() < until and not self._all_have_left(self._read()):
                    time.sleep(0.1)
        self._end_here(end['code'], end['why'])

    def _all_have_left(self, state: _State) -> bool:
        others = [place for place in range(len(self._everyone)) if place != self._place and state.notes[place]]
        return all(state.pulses[place][1] in (_LEFT, _FAILED) for place in others)

    def _end_here(self, code: int, why: str) -> None:
        """Ends the process from beside its main thread, which may wait within TensorFlow for what never comes."""
        if self._over.is_set():
            return
        if why:
            print(f'ERROR: {one_line(why)}', file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(FOLLOWED if code == 1 and self._task.type != tasks.CHIEF else code)


def _gone(task: Task) -> str:
    return (
        f'{task} has not been heard of for {_SECONDS_OF_SILENCE:.0f} seconds: it was killed or stopped, or the '
        f'connection is cut. {_WHAT_TO_DO}'
    )


class _Waiting:
    """Waits a little, and after a while says for whom, once."""

    def __init__(self) -> None:
        self._tell_at = time.monotonic() + _SECONDS_UNTIL_TOLD

    def for_whom(self, missing: List[Task]) -> None:
        time.sleep(0.05)
        if missing and time.monotonic() > self._tell_at:
            self._tell_at = float('inf')
            print(f'Waiting for {", ".join(map(str, missing))} …', file=sys.stderr, flush=True)
