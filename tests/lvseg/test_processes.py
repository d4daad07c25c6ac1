"""The cores that processes get."""

import os

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
