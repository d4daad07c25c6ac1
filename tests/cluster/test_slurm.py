"""TF_CONFIG from Slurm's variables. These are invented, after the manual of sbatch and srun; no Slurm was asked."""

from lvseg import errors

import pytest

from cluster import slurm


def variables(nodes, each, rank, job='1234'):
    return {
        'SLURM_STEP_NODELIST': nodes,
        'SLURM_STEP_TASKS_PER_NODE': each,
        'SLURM_PROCID': str(rank),
        'SLURM_JOB_ID': job,
    }


@pytest.mark.parametrize(
    ('nodes', 'expanded'),
    [
        ('alone', ['alone']),
        ('n[1-3]', ['n1', 'n2', 'n3']),
        ('n[08-10],login', ['n08', 'n09', 'n10', 'login']),
        ('a[1,3-4]b,c-2', ['a1b', 'a3b', 'a4b', 'c-2']),
        ('r[1-2]n[1-2]', ['r1n1', 'r1n2', 'r2n1', 'r2n2']),
    ],
)
def test_a_list_of_nodes_is_taken_apart(nodes, expanded):
    assert slurm.expanded(nodes) == expanded


def test_tasks_of_each_node_are_counted():
    assert slurm.counts('2(x3),1') == [2, 2, 2, 1]


def test_the_first_task_is_the_chief_and_the_last_one_holds_the_weights():
    tasks = [slurm.tf_config(variables('n[1-2]', '2(x2)', rank)) for rank in range(4)]
    # Ports: 20000 + 100 * 1234 modulo 20000 = 20000 + 3400, and one more for each task of a node.
    cluster = {'chief': ['n1:23400'], 'worker': ['n1:23401', 'n2:23400'], 'ps': ['n2:23401']}
    assert all(task['cluster'] == cluster for task in tasks)
    assert [(task['task']['type'], task['task']['index']) for task in tasks] == [
        ('chief', 0),
        ('worker', 0),
        ('worker', 1),
        ('ps', 0),
    ]


@pytest.mark.parametrize(
    ('environment', 'said'),
    [
        ({}, 'SLURM_STEP_NODELIST is not set'),
        (variables('n1', '1', 0), 'one task is no cluster'),
        (variables('n[1-2]', '3', 0), 'names 2 nodes, and how many tasks 1 of them have'),
        (variables('n1', '3', 3), 'has 3 tasks, and this is said to be number 3'),
        (variables('n1', 'many', 0), "'many' is no number of tasks"),
        (variables('n[x-y]', '2', 0), "'y' is no number"),
    ],
)
def test_what_slurm_would_not_say_is_refused_in_one_line(environment, said):
    with pytest.raises(errors.LabError, match=said):
        slurm.tf_config(environment)
