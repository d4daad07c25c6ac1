"""Looks at all that the lab needs on this machine: each line is ok or not, with what to do.

Runs under any Python 3 and with whatever is installed, or not: TensorFlow is tried in a process of its own.
"""

import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import warnings
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

from lvseg import flags
from lvseg.errors import LabError
from lvseg.layout import RECORD_FILES
from lvseg.project import DATA, PROJECT

PYTHONS = ((3, 7), (3, 8))
IMPORTED_BY_THE_LAB = {
    'pydicom',
    'Pillow',
    'scipy',
    'tqdm',
    'psutil',
}  # The others TensorFlow imports, or does without.

# What training the fully connected network takes, with some to spare: 1.1 GB of memory; of its checkpoints of 403 MB,
# two are kept and one is being written.
MEMORY_WANTED = 1.5e9
DISK_WANTED = 1.5e9

# The CUDA that TensorFlow's own wheels of 1.15 are built for, and the compute capabilities that they have code for.
WHEELS_CUDA = '10'
OLDEST_CAPABILITY = (3, 5)
NEWEST_CAPABILITY = (7, 5)
CUDA_DRIVER = 'libcuda.so.1'
CUDNN = 'libcudnn.so.7'
OLDEST_DRIVER = 10000  # For CUDA 10.0, as the driver puts it.
OLDEST_CUDNN = 7600  # 7.6.0, as cuDNN puts it.

_NEW_ENVIRONMENT = 'Do: make setup, then: source .venv/bin/activate'
_INSTALL = {
    (3, 7): 'Do: python -m pip install -r requirements.txt',
    (3, 8): 'See docs/gpu.md on Python 3.8.',
}.get(sys.version_info[:2], _NEW_ENVIRONMENT)
_ON_CPU = 'Until then the lab runs on the CPU.'

# Prints what TensorFlow says of itself, as JSON.
_PROBE = """
import json
try:
    import tensorflow.compat.v1 as tf
    from tensorflow.python.platform import build_info
    found = {'version': tf.__version__, 'cuda': getattr(build_info, 'cuda_version_number', '')}
    if not tf.test.is_built_with_cuda():
        found['cuda'] = None
except Exception as error:
    found = {'error': (str(error).splitlines() or [type(error).__name__])[0]}
print(json.dumps(found))
"""


class Finding(NamedTuple):
    """One line of the screen."""

    ok: bool
    text: str
    stops_lab: bool = False


class Gpu(NamedTuple):
    """A GPU as the driver describes it."""

    name: str
    capability: Tuple[int, int]


class DriverError(Exception):
    """What the CUDA driver says is wrong."""


def diagnose(data_dir: str) -> Iterator[Finding]:
    """All findings, one after the other as they come: the slow ones are last."""
    yield python(tuple(sys.version_info[:3]))
    pins = wanted_versions((PROJECT / 'requirements.txt').read_text(encoding='utf-8'))
    build = probe()
    yield tensorflow(build, pins)
    yield from packages(pins, installed_version)
    yield memory(free_memory())
    yield disk(shutil.disk_usage(str(PROJECT)).free)
    if 'error' in build:
        yield Finding(False, 'GPU and data: not looked at, for that takes TensorFlow.')
        return

    os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
    warnings.simplefilter('ignore')  # A NumPy that makes TensorFlow warn has its own line above.
    from lvseg import device

    gpu_present = device.nvidia_gpu_present()
    found = gpus(build['cuda'], library(CUDA_DRIVER), gpu_present, device.missing_cuda_libraries(), library(CUDNN))
    yield from found
    if gpu_present and all(finding.ok for finding in found):
        yield in_use(device.describe())
    yield from data(data_dir)


def python(version: Tuple[int, ...]) -> Finding:
    """Whether the lab runs under this Python."""
    text = f'Python {".".join(map(str, version))}'
    if version[:2] in PYTHONS:
        return Finding(True, text)
    return Finding(False, f'{text}; 3.7 is wanted (or 3.8, see docs/gpu.md). {_NEW_ENVIRONMENT}', stops_lab=True)


def wanted_versions(requirements: str) -> Dict[str, str]:
    """The versions that requirements.txt asks for, by package."""
    return dict(re.findall(r'^([\w.-]+)==([\w.]+)', requirements, re.MULTILINE))


def probe(interpreter: str = sys.executable) -> Dict[str, Optional[str]]:
    """TensorFlow's version and the CUDA that it is built for (None: for none); or the error on importing it."""
    environment = {**os.environ, 'TF_CPP_MIN_LOG_LEVEL': '3'}
    done = subprocess.run(
        [interpreter, '-c', _PROBE], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    if done.returncode == -signal.SIGILL:
        return {'error': 'this processor does not have the instructions (AVX) that it is built for'}
    if done.returncode != 0:
        return {'error': f'Python dies on it, with exit status {done.returncode}'}
    return json.loads(done.stdout.decode().splitlines()[-1])


def tensorflow(build: Dict[str, Optional[str]], pins: Dict[str, str]) -> Finding:
    """Whether TensorFlow can be imported, and is the one that the lab teaches."""
    wanted = pins['tensorflow-gpu']
    if 'error' in build:
        text = f'TensorFlow {wanted} is wanted, and cannot be imported: {build["error"].rstrip(".")}. {_INSTALL}'
        return Finding(False, text, stops_lab=True)
    major_and_minor = wanted.rpartition('.')[0]
    if not build['version'].startswith(f'{major_and_minor}.'):
        return Finding(False, f'TensorFlow {build["version"]}; {wanted} is wanted. {_INSTALL}', stops_lab=True)
    return Finding(True, f'TensorFlow {build["version"]}')


def packages(pins: Dict[str, str], installed: Callable[[str], Optional[str]]) -> List[Finding]:
    """NumPy and protobuf in a line each, all the others in one."""
    others = [name for name in pins if name not in ('tensorflow-gpu', 'numpy', 'protobuf')]
    found = {name: installed(name) for name in pins}
    missing = [name for name in others if found[name] is None]
    differing = [name for name in others if found[name] not in (None, pins[name])]
    wrong = [f'not installed: {", ".join(missing)}'] if missing else []
    wrong += [f'{name} {found[name]} ({pins[name]} is wanted)' for name in differing]
    text = f'{"; ".join(wrong)}. {_INSTALL}' if wrong else f'the other {len(others)} packages of requirements.txt'
    return [
        _package('numpy', pins['numpy'], found['numpy']),
        _package('protobuf', pins['protobuf'], found['protobuf']),
        Finding(not wrong, text, stops_lab=bool(IMPORTED_BY_THE_LAB.intersection(missing))),
    ]


def _package(name: str, wanted: str, found: Optional[str]) -> Finding:
    if found == wanted:
        return Finding(True, f'{name} {found}')
    text = f'{name} {found}' if found else f'{name} is not installed'
    return Finding(False, f'{text}; {wanted} is wanted. {_INSTALL}', stops_lab=found is None)


def installed_version(package: str) -> Optional[str]:
    """The version of an installed package; None if there is none, or no telling."""
    try:
        from importlib import metadata
    except ImportError:  # Python 3.7
        try:
            import importlib_metadata as metadata
        except ImportError:
            return None
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def free_memory() -> Optional[int]:
    """Bytes of memory that are free, or can be had at once; None if there is no telling."""
    try:
        import psutil
    except ImportError:
        return None
    return psutil.virtual_memory().available


def memory(free: Optional[int]) -> Finding:
    """Whether the largest network can be trained."""
    if free is None:
        return Finding(False, f'free memory: no telling without psutil. {_INSTALL}')
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


def library(name: str) -> Optional[ctypes.CDLL]:
    """A shared library; None if the linker does not find it."""
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None


def gpus(
    cuda: Optional[str],
    driver: Any,  # noqa: ANN401 - ctypes.CDLL, whose attributes are the library's functions
    gpu_present: bool,
    missing: List[str],
    cudnn: Any,  # noqa: ANN401 - likewise
) -> List[Finding]:
    """Each GPU with its compute capability, or why none can be used.

    Args:
        cuda: the CUDA that TensorFlow is built for; None if for none.
        driver: the CUDA driver's library; None if it is not installed.
        gpu_present: whether the machine has an NVIDIA GPU.
        missing: the libraries of CUDA 10.0 and cuDNN 7 that are not found.
        cudnn: cuDNN's library; None if it is not found.
    """
    if not gpu_present and driver is None:
        return [Finding(True, 'no NVIDIA GPU: the lab runs on the CPU')]
    if driver is None:
        text = f"an NVIDIA GPU, but no driver ({CUDA_DRIVER} not found). Install NVIDIA's driver. {_ON_CPU}"
        return [Finding(False, text)]
    try:
        found = gpus_of(driver)
    except DriverError as error:
        hidden = os.environ.get('CUDA_VISIBLE_DEVICES')
        why = f'{error}' if hidden is None else f'{error}, CUDA_VISIBLE_DEVICES being {hidden!r}'
        return [Finding(not gpu_present, f'no GPU can be used, says the driver: {why}. The lab runs on the CPU.')]
    if cuda is None:
        return [Finding(False, f'{_shown(gpu)}; this TensorFlow is built without CUDA. {_INSTALL}') for gpu in found]
    if cuda != WHEELS_CUDA:
        return [Finding(True, f'{_shown(gpu)}; TensorFlow is built for CUDA {cuda}') for gpu in found]
    return [_for_wheels(gpu, missing) for gpu in found] + [_libraries(missing, cudnn)]


def _for_wheels(gpu: Gpu, missing: List[str]) -> Finding:
    """Whether TensorFlow's own wheels can use a GPU."""
    if gpu.capability > NEWEST_CAPABILITY:
        text = (
            f'{_shown(gpu)}: newer than CUDA 10.0 knows, results are wrong or never come. See docs/gpu.md, or hide it: '
            'export CUDA_VISIBLE_DEVICES=-1'
        )
        return Finding(False, text, stops_lab=not missing)  # Without the libraries TensorFlow leaves it alone.
    if gpu.capability < OLDEST_CAPABILITY:
        return Finding(False, f'{_shown(gpu)}: too old for TensorFlow 1.15, which wants 3.5. The lab runs on the CPU.')
    return Finding(True, _shown(gpu))


def _libraries(missing: List[str], cudnn: Any) -> Finding:  # noqa: ANN401 - as above
    if missing:
        text = f'{", ".join(missing)} not found. Install CUDA 10.0 and cuDNN 7.6, see docs/gpu.md. {_ON_CPU}'
        return Finding(False, text)
    version = cudnn.cudnnGetVersion()
    if version < OLDEST_CUDNN:
        text = f'cuDNN {version // 1000}.{version // 100 % 10}; 7.6 is wanted. Install it, see docs/gpu.md'
        return Finding(False, text, stops_lab=True)
    return Finding(True, 'CUDA 10.0 and cuDNN 7')


def _shown(gpu: Gpu) -> str:
    return f'GPU {gpu.name}, compute capability {gpu.capability[0]}.{gpu.capability[1]}'


def gpus_of(driver: Any) -> List[Gpu]:  # noqa: ANN401 - as above
    """The GPUs that the CUDA driver shows to TensorFlow.

    Raises:
        DriverError: in the driver's own words.
    """
    version, count = ctypes.c_int(), ctypes.c_int()
    _succeed(driver, driver.cuInit(0))
    _succeed(driver, driver.cuDriverGetVersion(ctypes.byref(version)))
    if version.value < OLDEST_DRIVER:
        raise DriverError('it is too old for CUDA 10.0; install a newer one')
    _succeed(driver, driver.cuDeviceGetCount(ctypes.byref(count)))
    return [_gpu(driver, index) for index in range(count.value)]


def _gpu(driver: Any, index: int) -> Gpu:  # noqa: ANN401 - as above
    major_attribute, minor_attribute = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR
    device, major, minor = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    name = ctypes.create_string_buffer(100)
    _succeed(driver, driver.cuDeviceGet(ctypes.byref(device), index))
    _succeed(driver, driver.cuDeviceGetName(name, len(name), device))
    _succeed(driver, driver.cuDeviceGetAttribute(ctypes.byref(major), major_attribute, device))
    _succeed(driver, driver.cuDeviceGetAttribute(ctypes.byref(minor), minor_attribute, device))
    return Gpu(name.value.decode(), (major.value, minor.value))


def _succeed(driver: Any, status: int) -> None:  # noqa: ANN401 - as above
    if status == 0:
        return
    text = ctypes.c_char_p()
    driver.cuGetErrorString(status, ctypes.byref(text))
    raise DriverError((text.value or b'unknown error').decode() + f' (error {status})')


def in_use(description: str) -> Finding:
    """What TensorFlow itself says of a GPU with which nothing is wrong."""
    return Finding(description.startswith('Running on the GPU'), description)


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
    args = parser.parse_args()

    stopped = False
    for finding in diagnose(args.data_dir):
        print('ok     ' if finding.ok else 'NOT OK ', finding.text, flush=True)
        stopped = stopped or finding.stops_lab
    print('The lab would not run here.' if stopped else 'The lab runs here.')
    sys.exit(1 if stopped else 0)
