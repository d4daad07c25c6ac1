"""TF_CONFIG: which process of how many this is, and what is no description of one."""

import argparse
import json
import socket

from lvseg import errors, runs, tasks, together

import pytest

CLUSTER = {'chief': ['a:1'], 'worker': ['b:1', 'c:1'], 'ps': ['d:1']}


def config(cluster, kind='chief', index=0):
    return json.dumps({'cluster': cluster, 'task': {'type': kind, 'index': index}})


def test_without_tf_config_a_process_trains_alone(monkeypatch):
    monkeypatch.delenv('TF_CONFIG', raising=False)
    assert tasks.mine() is None
    assert together.join() is None


def test_the_chief_is_the_first_of_those_that_train(monkeypatch):
    numbers = {}
    for kind, index in (('chief', 0), ('worker', 0), ('worker', 1)):
        monkeypatch.setenv('TF_CONFIG', config(CLUSTER, kind, index))
        task = tasks.mine()
        numbers[str(task)] = (task.worker, task.workers, task.device)
    assert numbers == {
        'chief (a:1)': (0, 3, '/job:chief/task:0'),
        'worker 0 (b:1)': (1, 3, '/job:worker/task:0'),
        'worker 1 (c:1)': (2, 3, '/job:worker/task:1'),
    }


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('{', 'is no JSON'),
        pytest.param('[' * 100000, 'is no JSON', id='nested without end'),
        ('7', 'does not tell cluster and task'),
        ('{"cluster": 1, "task": {}}', 'does not tell cluster and task'),
        (config({'worker': ['b:1'], 'ps': ['d:1']}), 'has 0 chiefs'),
        (config({**CLUSTER, 'chief': ['a:1', 'e:1']}), 'has 2 chiefs'),
        (config({'chief': ['a:1'], 'worker': ['b:1']}), 'has no ps'),
        (config({**CLUSTER, 'evaluator': ['e:1']}), "of the type 'evaluator'"),
        (config({**CLUSTER, 'worker': ['b']}), 'no list of addresses, "host:port", for worker'),
        (config({**CLUSTER, 'worker': 'b:1'}), 'no list of addresses, "host:port", for worker'),
        (config({**CLUSTER, 'worker': ['b:65536']}), 'no list of addresses, "host:port", for worker'),
        (config({**CLUSTER, 'worker': ['a:1']}), 'gives the address a:1 to two tasks'),
        (config(CLUSTER, 'worker', 2), 'the task worker 2 is not in its cluster, which has 1 chief, 1 ps, 2 worker'),
        (config(CLUSTER, 'worker', -1), 'the task worker -1 is not in its cluster'),
        (config(CLUSTER, 'worker', '0'), 'is not in its cluster'),
        (config(CLUSTER, ['chief'], 0), 'is not in its cluster'),
    ],
)
def test_what_describes_no_task_is_refused_in_one_line(text, said, monkeypatch):
    monkeypatch.setenv('TF_CONFIG', text)
    with pytest.raises(errors.LabError, match='TF_CONFIG') as refused:
        tasks.mine()
    assert said in str(refused.value)
    assert '\n' not in str(refused.value)


def test_a_port_in_use_is_one_line(monkeypatch):
    with socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen(1)
        address = f'127.0.0.1:{other.getsockname()[1]}'
        monkeypatch.setenv('TF_CONFIG', config({**CLUSTER, 'chief': [address]}))
        monkeypatch.setenv('no_grpc_proxy', '')  # To be as before.
        with pytest.raises(errors.LabError, match=rf'of chief \({address}\) is in use'):
            together.join()


def test_a_batch_smaller_than_the_number_of_workers_is_one_line():
    run = runs.Run('cnn', 'data', 22, 2, 1, None, 3, 'logs', None, False, 0, [], {}, {})
    team = together.Team(tasks.Task(CLUSTER, 'chief', 0), None, None)
    with pytest.raises(errors.LabError, match='--batch_size 2 is less than the 3 workers'):
        together.agree(run, argparse.Namespace(), team)


@pytest.mark.parametrize(
    ('other', 'said'),
    [
        ({'flags': ['--seed 4']}, 'has --seed 4, the chief --seed 3'),
        ({'TensorFlow': '2.15.1'}, 'has TensorFlow 2.15.1, the chief 1.15.0'),
        ({'training slices': 'b'}, 'differs from the chief in: training slices'),
        ({'program of the exercise': 'b', 'lvseg': 'b'}, 'differs from the chief in: program of the exercise, lvseg'),
    ],
)
def test_what_differs_from_the_chief_is_told(other, said):
    note = {'flags': ['--seed 3'], 'TensorFlow': '1.15.0'}
    note.update({'training slices': 'a', 'program of the exercise': 'a', 'lvseg': 'a'})
    assert together._difference(note, note) == ''
    assert together._difference(note, {**note, **other}).startswith(said)
