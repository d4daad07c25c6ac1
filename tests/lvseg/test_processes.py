"""The cores that processes get, and what signals call."""

import os
import signal

from lvseg import processes


def test_the_cores_are_those_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, 'sched_getaffinity', lambda process: {5, 2}, raising=False)
    assert processes.cores() == [2, 5]


def test_where_the_system_does_not_deal_cores_all_of_them_are_there_and_nothing_is_kept_to(monkeypatch):
    for name in ('sched_getaffinity', 'sched_setaffinity'):
        monkeypatch.delattr(os, name, raising=False)
    monkeypatch.setattr(os, 'cpu_count', lambda: 3)
    assert processes.cores() == [0, 1, 2]
    processes.keep_to([0])


def test_signals_call_a_handler_within_the_block_and_what_they_called_before_after_it():
    called = []
    before = signal.getsignal(signal.SIGUSR1)
    with processes.on_signals([signal.SIGUSR1], lambda number, frame: called.append(number)):
        os.kill(os.getpid(), signal.SIGUSR1)
    assert called == [signal.SIGUSR1]
    assert signal.getsignal(signal.SIGUSR1) is before
