"""The roll of a cluster: no two processes are on it as the same task."""

from lvseg import roll, tasks
from lvseg.errors import LabError

import pytest
import tensorflow.compat.v1 as tf

from cluster import local


@pytest.fixture(scope='module')
def cluster():
    """One whose ps is this process."""
    found = local.addresses(workers=2)
    task = tasks.Task(found, tasks.PS, 0)
    roll.Roll(task).open(tf.train.Server(found, task.type, task.index))
    return found


@pytest.fixture
def come(cluster):
    """Lets a process come as some task; it leaves after the test."""
    came = []

    def enter(kind):
        came.append(roll.Roll(tasks.Task(cluster, kind, 0)))
        came[-1].enter({'flags': []})
        return came[-1]

    yield enter
    for each in came:
        each._over.set()  # Or else it would wonder where the others are, and end this process.


@pytest.mark.parametrize('kind', [tasks.CHIEF, tasks.WORKER])
def test_a_second_process_as_the_same_task_is_refused_in_one_line_and_disturbs_nobody(kind, come, cluster):
    first = come(kind)
    with pytest.raises(LabError, match=rf'^{kind}.* \({cluster[kind][0]}\) is there already: two processes were'):
        come(kind)
    second = roll.Roll(tasks.Task(cluster, kind, 0))
    with pytest.raises(LabError):
        second.enter({})
    second.fail()
    second.end(1, 'this is not to be heard')
    state, place = first._read(), first._place
    assert (state.end, state.notes[place]['id'], state.pulses[place][1]) == ({}, first._id, 0)


def test_of_two_that_come_at_once_the_one_whose_note_is_not_on_the_roll_is_refused(cluster):
    first, second = (roll.Roll(tasks.Task(cluster, tasks.WORKER, 0)) for _ in range(2))
    notes = {'worker 0': {'id': second._id}}
    second.check(notes)
    with pytest.raises(LabError, match='is there already'):
        first.check(notes)
