"""The device that the lab runs on: how a session uses it, and the one line that says which it is."""

import ctypes
import glob
import os
import re
import sys
from typing import List

from lvseg import cuda, versions
from lvseg.errors import LabError

import tensorflow.compat.v1 as tf

# What tensorflow-gpu 1.15 loads at run time; its wheels are built against CUDA 10.0 and cuDNN 7.
CUDA_LIBRARIES = (
    'libcuda.so.1',
    'libcudart.so.10.0',
    'libcublas.so.10.0',
    'libcufft.so.10.0',
    'libcurand.so.10.0',
    'libcusolver.so.10.0',
    'libcusparse.so.10.0',
    'libcudnn.so.7',
)


# The CUDA that the wheels of 1.15 are built for; NVIDIA's builds of it have a newer one, as has TensorFlow 2.
_WHEELS_CUDA = '10'

_TOO_NEW = (
    '; compute capability 8.0 and above is newer than CUDA 10.0 knows, results are wrong or never come. '
    'See docs/gpu.md, or hide it: export CUDA_VISIBLE_DEVICES=-1'
)


def session_config() -> tf.ConfigProto:
    """GPU memory grows as needed: a lab's GPU is shared, and TensorFlow would take all of it. So are its cores.

    Raises:
        LabError: LAB_THREADS is no number of threads.
    """
    return tf.ConfigProto(
        gpu_options=tf.GPUOptions(allow_growth=True),
        intra_op_parallelism_threads=_threads(),
        inter_op_parallelism_threads=_threads(),
    )


def _threads() -> int:
    """What LAB_THREADS says, for machines that many share; 0, which is TensorFlow's own choice, where it is not set."""
    wanted = os.environ.get('LAB_THREADS', '')
    if not wanted:
        return 0
    if not re.fullmatch('[1-9][0-9]{0,3}', wanted):
        raise LabError(f'LAB_THREADS={wanted}: a number of threads from 1 to 9999 is wanted, or none for all cores.')
    return int(wanted)


def announce() -> None:
    """Prints the line on the device to stderr, where it does not mix with the lab's OUTPUT lines."""
    print(describe(), file=sys.stderr, flush=True)


def describe() -> str:
    """One line: the GPUs in use; or that there is none; or why TensorFlow cannot use the one that is there."""
    usable = _gpus_in_use()
    if usable:
        described = '; '.join(usable)
        return f'Running on the GPU: {described}' + (_TOO_NEW if _is_too_new(described) else '')

    shared = f'{_threads()} of ' if _threads() else ''
    cpu = f'Running on the CPU ({shared}{os.cpu_count()} cores)'
    if not nvidia_gpu_present():
        return f'{cpu}: this machine has no NVIDIA GPU.'
    missing = missing_cuda_libraries() if versions.cuda_version() == _WHEELS_CUDA else []
    if missing:
        return f'{cpu}: there is a GPU, but TensorFlow does not find {", ".join(missing)}.'
    return f'{cpu}: there is a GPU, but TensorFlow {tf.__version__} cannot use it (see make doctor).'


def _gpus_in_use() -> List[str]:
    """Each GPU that TensorFlow computes on, with its name and compute capability as the driver tells them."""
    with tf.Graph().as_default(), tf.Session(config=session_config()) as session:
        number = sum(device.device_type == 'GPU' for device in session.list_devices())
    if not number:
        return []
    try:
        known = cuda.gpus_of(cuda.library(cuda.CUDA_DRIVER), versions.cuda_version().partition('.')[0])
    except cuda.DriverError:  # TensorFlow has just used it: what it is called matters less than that.
        known = []
    names = [', name: {}, compute capability: {}.{}'.format(gpu.name, *gpu.capability) for gpu in known]
    return [f'device: {index}' + (names[index] if index < len(names) else '') for index in range(number)]


def _is_too_new(described: str) -> bool:
    """Whether TensorFlow, if built for CUDA 10.0, has no code for one of these GPUs, which it takes all the same."""
    capabilities = re.findall(r'compute capability: (\d+)', described)
    return versions.cuda_version() == _WHEELS_CUDA and any(int(major) >= 8 for major in capabilities)


def nvidia_gpu_present() -> bool:
    """Whether the machine has an NVIDIA GPU, with or without a driver that works."""
    if glob.glob('/dev/nvidia[0-9]*') or glob.glob('/proc/driver/nvidia/gpus/*'):
        return True
    return any(_is_nvidia_display(device) for device in glob.glob('/sys/bus/pci/devices/*'))


def missing_cuda_libraries() -> List[str]:
    """Those of CUDA_LIBRARIES that the dynamic linker does not find."""
    return [name for name in CUDA_LIBRARIES if not _loads(name)]


def _is_nvidia_display(pci_device: str) -> bool:
    nvidia_vendor, display_controller = '0x10de', '0x03'
    return _read(pci_device + '/vendor') == nvidia_vendor and _read(pci_device + '/class').startswith(
        display_controller
    )


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:  # Containers hide some of these files.
        return ''


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
