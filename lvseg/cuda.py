"""The NVIDIA GPUs of this machine, as the CUDA driver describes them. Imports nothing that is slow."""

import ctypes
from typing import Any, List, NamedTuple, Optional, Tuple

CUDA_DRIVER = 'libcuda.so.1'


class Gpu(NamedTuple):
    """A GPU as the driver describes it."""

    name: str
    capability: Tuple[int, int]


class DriverError(Exception):
    """What the CUDA driver says is wrong."""


def library(name: str) -> Optional[ctypes.CDLL]:
    """A shared library; None if the linker does not find it."""
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None


def gpus_of(driver: Any, cuda: str) -> List[Gpu]:  # noqa: ANN401 - as above
    """The GPUs that the CUDA driver shows to a TensorFlow built for CUDA `cuda`, as '10'.

    Raises:
        DriverError: in the driver's own words.
    """
    version, count = ctypes.c_int(), ctypes.c_int()
    _succeed(driver, driver.cuInit(0))
    _succeed(driver, driver.cuDriverGetVersion(ctypes.byref(version)))
    if version.value < int(cuda) * 1000:  # As the driver puts it: 12020 knows CUDA 12.2, and runs all of 12.
        raise DriverError(f'it is too old for CUDA {cuda}; install a newer one')
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
