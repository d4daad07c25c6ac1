"""Which process of how many this is: TF_CONFIG, as TensorFlow, Kubeflow and most recipes for Slurm have it."""

import json
import os
from typing import Any, Dict, List, NamedTuple, Optional

from lvseg.errors import LabError

CHIEF, WORKER, PS = 'chief', 'worker', 'ps'

FIRST_PS = f'/job:{PS}/task:0'

_WANTED = (
    '{"cluster": {"chief": ["host:port"], "worker": ["host:port"], "ps": ["host:port"]}, '
    '"task": {"type": "chief", "index": 0}}'
)


class Task(NamedTuple):
    """One process of a cluster."""

    cluster: Dict[str, List[str]]  # The addresses, host:port, of each type of task.
    type: str
    index: int

    @property
    def workers(self) -> int:
        """How many processes compute gradients: the chief is one of them."""
        return 1 + len(self.cluster.get(WORKER, []))

    @property
    def worker(self) -> int:
        """Which of these it is, from 0: the chief."""
        return 0 if self.type == CHIEF else 1 + self.index

    @property
    def address(self) -> str:
        """Where the others find it."""
        return self.cluster[self.type][self.index]

    @property
    def device(self) -> str:
        """Its name in a graph."""
        return f'/job:{self.type}/task:{self.index}'

    @property
    def everyone(self) -> List['Task']:
        """All tasks of the cluster: the chief, the workers, and those that hold the weights."""
        types = [name for name in (CHIEF, WORKER, PS) if name in self.cluster]
        return [Task(self.cluster, name, index) for name in types for index in range(len(self.cluster[name]))]

    @property
    def name(self) -> str:
        """As a user is told of it."""
        return self.type if self.type == CHIEF else f'{self.type} {self.index}'

    def __str__(self) -> str:
        return f'{self.name} ({self.address})'


def mine() -> Optional[Task]:
    """The task of this process; None where TF_CONFIG is not set, and so one process trains by itself.

    Raises:
        LabError: TF_CONFIG is no such description, or its task is not in its cluster.
    """
    text = os.environ.get('TF_CONFIG', '')
    if not text.strip():
        return None
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        raise LabError(f'TF_CONFIG is no JSON. It is wanted as {_WANTED}, or not set at all.') from None
    return _checked(config)


def _checked(config: Any) -> Task:  # noqa: ANN401 - whatever JSON can hold
    cluster = config.get('cluster') if isinstance(config, dict) else None
    task = config.get('task') if isinstance(config, dict) else None
    if not isinstance(cluster, dict) or not isinstance(task, dict):
        raise LabError(f'TF_CONFIG does not tell cluster and task. It is wanted as {_WANTED}.')
    unknown = sorted(set(map(str, cluster)) - {CHIEF, WORKER, PS})
    if unknown:
        raise LabError(f'TF_CONFIG has tasks of the type {unknown[0]!r}; there are only chief, worker and ps here.')
    for name, addresses in cluster.items():
        if not isinstance(addresses, list) or not all(map(_is_address, addresses)):
            raise LabError(f'TF_CONFIG has no list of addresses, "host:port", for {name}. It is wanted as {_WANTED}.')
    if len(cluster.get(CHIEF, [])) != 1:
        raise LabError(f'TF_CONFIG has {len(cluster.get(CHIEF, []))} chiefs; exactly one is wanted, which saves.')
    if not cluster.get(PS):
        raise LabError('TF_CONFIG has no ps; one at least is wanted, which holds the weights.')
    addresses = [address for name in cluster for address in cluster[name]]
    twice = sorted(address for address in set(addresses) if addresses.count(address) > 1)
    if twice:
        raise LabError(f'TF_CONFIG gives the address {twice[0]} to two tasks; each needs one of its own.')
    found = Task(cluster, task.get('type'), task.get('index'))
    there = len(cluster[found.type]) if isinstance(found.type, str) and found.type in cluster else 0
    if type(found.index) is not int or not 0 <= found.index < there:
        counted = ', '.join(f'{len(cluster[name])} {name}' for name in sorted(cluster))
        raise LabError(f'TF_CONFIG: the task {found.type} {found.index} is not in its cluster, which has {counted}.')
    return found


def _is_address(address: Any) -> bool:  # noqa: ANN401 - whatever JSON can hold
    if not isinstance(address, str) or not address.isprintable():
        return False
    host, colon, port = address.rpartition(':')
    return bool(host and colon and port.isdecimal() and 0 < int(port) < 65536)
