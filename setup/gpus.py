"""For make doctor: each NVIDIA GPU with what it would need, or why none can be used, by what the driver says."""

import os
from typing import Any, List, Optional, Sequence

from lvseg.cuda import CUDA_DRIVER, DriverError, Gpu, gpus_of

from setup.findings import Finding

# The CUDA that TensorFlow's own wheels of 1.15 are built for, and the compute capabilities that they have code for.
WHEELS_CUDA = '10'
OLDEST_CAPABILITY = (3, 5)
NEWEST_CAPABILITY = (7, 5)
CUDNN = 'libcudnn.so.7'
OLDEST_CUDNN = 7600  # 7.6.0, as cuDNN puts it.

WITH_TENSORFLOW_2 = 'make setup TF=2 GPU=1'
_ON_CPU = 'Until then the lab runs on the CPU.'


def gpus(
    cuda: Optional[str],
    driver: Any,  # noqa: ANN401 - ctypes.CDLL, whose attributes are the library's functions
    gpu_present: bool,
    missing: List[str],
    cudnn: Any,  # noqa: ANN401 - likewise
    capabilities: Sequence[str] = (),
) -> List[Finding]:
    """Each GPU with its compute capability, or why none can be used.

    Args:
        cuda: the CUDA that TensorFlow is built for, as '10' or '12.5.1'; None if for none.
        driver: the CUDA driver's library; None if it is not installed.
        gpu_present: whether the machine has an NVIDIA GPU.
        missing: for TensorFlow 1.15, the libraries of CUDA 10.0 and cuDNN 7 that are not found.
        cudnn: for TensorFlow 1.15, cuDNN's library; None if it is not found.
        capabilities: what TensorFlow 2 has code for, as 'sm_60'.
    """
    if not gpu_present and driver is None:
        return [Finding(True, 'no NVIDIA GPU: the lab runs on the CPU')]
    if driver is None:
        text = f"an NVIDIA GPU, but no driver ({CUDA_DRIVER} not found). Install NVIDIA's driver. {_ON_CPU}"
        return [Finding(False, text)]
    try:
        found = gpus_of(driver, (cuda or WHEELS_CUDA).partition('.')[0])
    except DriverError as error:
        hidden = os.environ.get('CUDA_VISIBLE_DEVICES')
        why = f'{error}' if hidden is None else f'{error}, CUDA_VISIBLE_DEVICES being {hidden!r}'
        return [Finding(not gpu_present, f'no GPU can be used, says the driver: {why}. The lab runs on the CPU.')]
    if cuda is None:
        text = f'this TensorFlow is built without CUDA. On Linux on x86-64, do: {WITH_TENSORFLOW_2}'
        return [Finding(False, f'{shown(gpu)}; {text}') for gpu in found]
    if cuda != WHEELS_CUDA:
        return [_for_another_cuda(gpu, cuda, capabilities) for gpu in found]
    return [_for_wheels(gpu, missing) for gpu in found] + [_libraries(missing, cudnn)]


def _for_another_cuda(gpu: Gpu, cuda: str, capabilities: Sequence[str]) -> Finding:
    """Whether a TensorFlow that has code for these capabilities can use a GPU; it can use newer ones by its PTX."""
    numbers = [int(name.partition('_')[2]) for name in capabilities]
    oldest = divmod(min(numbers), 10) if numbers else (0, 0)
    if gpu.capability < oldest:
        text = f'{shown(gpu)}: too old for this TensorFlow, which wants {oldest[0]}.{oldest[1]}. See docs/gpu.md'
        return Finding(False, f'{text}; the lab runs on the CPU.')
    return Finding(True, f'{shown(gpu)}; TensorFlow is built for CUDA {cuda}')


def _for_wheels(gpu: Gpu, missing: List[str]) -> Finding:
    """Whether TensorFlow 1.15's own wheels can use a GPU."""
    if gpu.capability > NEWEST_CAPABILITY:
        text = (
            f'{shown(gpu)}: newer than CUDA 10.0 knows, results are wrong or never come. TensorFlow 2 can use it: '
            f'{WITH_TENSORFLOW_2} (see docs/gpu.md); or hide it: export CUDA_VISIBLE_DEVICES=-1'
        )
        return Finding(False, text, stops_lab=not missing)  # Without the libraries TensorFlow leaves it alone.
    if gpu.capability < OLDEST_CAPABILITY:
        return Finding(False, f'{shown(gpu)}: too old for TensorFlow 1.15, which wants 3.5. The lab runs on the CPU.')
    return Finding(True, shown(gpu))


def _libraries(missing: List[str], cudnn: Any) -> Finding:  # noqa: ANN401 - as above
    if missing:
        text = (
            f'{", ".join(missing)} not found. Install CUDA 10.0 and cuDNN 7.6, see docs/gpu.md; '
            f'or take TensorFlow 2, which brings its CUDA: {WITH_TENSORFLOW_2}. {_ON_CPU}'
        )
        return Finding(False, text)
    version = cudnn.cudnnGetVersion()
    if version < OLDEST_CUDNN:
        text = f'cuDNN {version // 1000}.{version // 100 % 10}; 7.6 is wanted. Install it, see docs/gpu.md'
        return Finding(False, text, stops_lab=True)
    return Finding(True, 'CUDA 10.0 and cuDNN 7')


def in_use(description: str) -> Finding:
    """What TensorFlow itself says of a GPU with which nothing is wrong."""
    if description.startswith('Running on the GPU'):
        return Finding(True, description)
    return Finding(False, f'{description} TensorFlow 2 brings the CUDA that it wants: {WITH_TENSORFLOW_2}')


def shown(gpu: Gpu) -> str:
    """A GPU in a few words."""
    return f'GPU {gpu.name}, compute capability {gpu.capability[0]}.{gpu.capability[1]}'
