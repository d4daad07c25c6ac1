"""Looks at all that the lab needs on this machine: each line is ok or not, with what to do.

Runs under any Python 3 and with whatever is installed, or not: TensorFlow is tried in a process of its own.
"""

import itertools
import os
import shutil
import sys
import warnings
from typing import Iterator, List, Optional

from lvseg import cuda, flags, processes
from lvseg.errors import LabError
from lvseg.layout import RECORD_FILES
from lvseg.project import DATA, DESK, PROJECT

from setup import class_size, editions, gpus, packages
from setup.findings import Finding

# What training the fully connected network takes, with some to spare: 1.1 GB of memory; of its checkpoints of 403 MB,
# two are kept and one is being written.
MEMORY_WANTED = 1.5e9
DISK_WANTED = 1.5e9


def diagnose(data_dir: str, tf: Optional[str] = None) -> Iterator[Finding]:
    """All findings, one after the other as they come: the slow ones are last."""
    venv = PROJECT / ('.venv' if tf in (None, '1', '1.15') else f'.venv-tf{tf}')
    broken = packages.environment(venv)
    build = packages.probe()
    if broken and 'error' in build:
        yield broken
        yield Finding(False, f'packages, GPU and data: not looked at, for that takes the Python of {venv.name}.')
        return
    wanted = packages.wanted_here(tf, build)
    yield packages.python(tuple(sys.version_info[:3]), wanted)
    yield packages.tensorflow(build, wanted, packages.why_this_one(wanted.edition, tf))
    yield from packages.packages(wanted, packages.installed_version)
    yield memory(free_memory(), wanted.do)
    yield disk(shutil.disk_usage(str(DESK)).free)
    if 'error' in build:
        yield Finding(False, 'GPU and data: not looked at, for that takes TensorFlow.')
        return

    os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
    warnings.simplefilter('ignore')  # A NumPy that makes TensorFlow warn has its own line above.
    from lvseg import device

    found = gpus.gpus(
        build['cuda'],
        cuda.library(cuda.CUDA_DRIVER),
        device.nvidia_gpu_present(),
        device.missing_cuda_libraries(),
        cuda.library(gpus.CUDNN),
        build['capabilities'],
    )
    yield from found
    if found[0].text.startswith('GPU ') and all(finding.ok for finding in found):
        yield gpus.in_use(device.describe())
    yield from data(data_dir)


def of_class(students: Optional[int]) -> List[Finding]:
    """Whether this machine is enough for so many students; nothing where no number is given."""
    if students is None:
        return []
    return class_size.findings(students, free_memory(), shutil.disk_usage(str(DESK)).free, len(processes.cores()))


def free_memory() -> Optional[int]:
    """Bytes of memory that are free, or can be had at once; None if there is no telling."""
    try:
        import psutil
    except ImportError:
        return None
    return psutil.virtual_memory().available


def memory(free: Optional[int], do: str = '') -> Finding:
    """Whether the largest network can be trained."""
    if free is None:
        return Finding(False, f'free memory: no telling without psutil. {do}')
    return _space('memory', free, MEMORY_WANTED, 'Close other programs.')


def disk(free: int) -> Finding:
    """Whether the largest network's checkpoints can be written."""
    return _space(
        'disk', free, DISK_WANTED, 'Make room, for example with: make clean (removes all runs and their logs)'
    )


def _space(what: str, free: float, wanted: float, do: str) -> Finding:
    text = f'{free / 1e9:.1f} GB of {what} free'
    if free >= wanted:
        return Finding(True, text)
    return Finding(False, f'{text}; exercise simple wants {wanted / 1e9:.1f} GB. {do}', stops_lab=True)


def data(data_dir: str) -> List[Finding]:
    """Whether the records are there, and how many; each is read."""
    return [_record_file(os.path.join(data_dir, name)) for name in RECORD_FILES.values()]


def _record_file(path: str) -> Finding:
    from lvseg import records

    try:
        count = records.count(path)
        for _ in records.read(path):
            pass
    except LabError as error:
        return Finding(False, f'{error}', stops_lab=True)
    return Finding(True, f'{path}: {count} records, all readable')


def main() -> None:
    """Prints the findings; exits with status 1 if the lab would not run."""
    parser = flags.Parser(description='Looks at all that the lab needs on this machine.')
    parser.add_argument('--data_dir', type=flags.directory, default=str(DATA), help='directory of the record files')
    parser.add_argument('--tf', choices=editions.TF, help='the TensorFlow meant (default: the one found here)')
    parser.add_argument(
        '--students',
        type=flags.positive_int,
        help='tell also whether the machine is enough for so many at once (default: one)',
    )
    args = parser.parse_args()

    stopped = False
    for finding in itertools.chain(diagnose(args.data_dir, args.tf), of_class(args.students)):
        print('ok     ' if finding.ok else 'NOT OK ', finding.text, flush=True)
        stopped = stopped or finding.stops_lab
    print('The lab would not run here.' if stopped else 'The lab runs here.')
    sys.exit(1 if stopped else 0)
