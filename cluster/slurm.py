"""Prints TF_CONFIG for a task of Slurm, of its variables: the chief is task 0, the last one holds the weights.

export TF_CONFIG="$(python -m cluster.slurm)"
"""

import json
import os
import re
import sys
from typing import Dict, List, Mapping

from lvseg import errors
from lvseg.errors import LabError
from lvseg.tasks import CHIEF, PS, WORKER

_FIRST_PORT = 20000
_PORTS = 20000
_IN_BRACKETS = re.compile(r'^(?P<head>[^\[\]]*)\[(?P<inner>[^\[\]]+)\](?P<tail>.*)$')


def tf_config(environment: Mapping[str, str]) -> Dict:
    """What TF_CONFIG is to be for this task.

    The tasks lie on the nodes in blocks, as Slurm deals them by default. Ports follow from the job's number, so that
    two jobs on one node do not meet.

    Args:
        environment: SLURM_STEP_NODELIST (or SLURM_JOB_NODELIST), SLURM_STEP_TASKS_PER_NODE (or SLURM_TASKS_PER_NODE),
            SLURM_PROCID and SLURM_JOB_ID.

    Raises:
        LabError: one is not there, or is not as Slurm writes it; or there are fewer than two tasks.
    """
    hosts = expanded(_wanted(environment, 'SLURM_STEP_NODELIST', 'SLURM_JOB_NODELIST'))
    each = counts(_wanted(environment, 'SLURM_STEP_TASKS_PER_NODE', 'SLURM_TASKS_PER_NODE'))
    if len(hosts) != len(each):
        raise LabError(f'Slurm names {len(hosts)} nodes, and how many tasks {len(each)} of them have.')
    rank = _number(_wanted(environment, 'SLURM_PROCID'))
    first = _FIRST_PORT + 100 * _number(_wanted(environment, 'SLURM_JOB_ID')) % _PORTS
    places = [f'{host}:{first + place}' for host, tasks in zip(hosts, each) for place in range(tasks)]
    if len(places) < 2:
        raise LabError('one task is no cluster: ask Slurm for one more than are to train, such as srun --ntasks=3.')
    if rank >= len(places):
        raise LabError(f'Slurm has {len(places)} tasks, and this is said to be number {rank}, from 0.')
    chief, *workers, ps = places
    cluster: Dict[str, List[str]] = {CHIEF: [chief], PS: [ps], **({WORKER: workers} if workers else {})}
    if rank == 0:
        task = {'type': CHIEF, 'index': 0}
    elif rank == len(places) - 1:
        task = {'type': PS, 'index': 0}
    else:
        task = {'type': WORKER, 'index': rank - 1}
    return {'cluster': cluster, 'task': task}


def expanded(nodes: str) -> List[str]:
    """The nodes of a list as Slurm writes it: `a[1-2,05],b` is a1, a2, a05 and b."""
    found = []
    for part in re.findall(r'(?:[^,\[\]]|\[[^\[\]]*\])+', nodes):
        found += _of_part(part)
    return found


def counts(text: str) -> List[int]:
    """Tasks of each node: `2(x3),1` is 2, 2, 2 and 1."""
    found = []
    for part in text.split(','):
        match = re.fullmatch(r'(\d+)(?:\(x(\d+)\))?', part)
        if not match:
            raise LabError(f'{part!r} is no number of tasks as Slurm writes it, such as 2(x3).')
        found += [int(match[1])] * int(match[2] or 1)
    return found


def _of_part(part: str) -> List[str]:
    match = _IN_BRACKETS.match(part)
    if not match:
        return [part]
    numbers = []
    for stretch in match['inner'].split(','):
        low, _, high = stretch.partition('-')
        last = _number(high or low)
        numbers += [f'{number:0{len(low)}d}' for number in range(_number(low), last + 1)]
    return [f'{match["head"]}{number}{tail}' for number in numbers for tail in _of_part(match['tail'])]


def _wanted(environment: Mapping[str, str], *names: str) -> str:
    for name in names:
        if environment.get(name):
            return environment[name]
    raise LabError(f'{names[0]} is not set: this is to be run by srun, within a job of Slurm.')


def _number(text: str) -> int:
    if not re.fullmatch(r'\d{1,9}', text):
        raise LabError(f'{text!r} is no number as Slurm writes it.')
    return int(text)


def main() -> None:
    """Prints it."""
    if len(sys.argv) > 1:
        print(__doc__)
        return
    print(json.dumps(tf_config(os.environ)))


if __name__ == '__main__':
    errors.exit_with_message(main)
