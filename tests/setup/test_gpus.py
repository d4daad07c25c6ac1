"""make doctor on GPUs: each finding from facts that are given to it; this machine's own are not asked."""

from lvseg import cuda, device

import pytest

from setup import gpus as doctor

V100 = doctor.Gpu('Tesla V100', (7, 0))
T4 = doctor.Gpu('Tesla T4', (7, 5))
A100 = doctor.Gpu('A100', (8, 0))
K1 = doctor.Gpu('GRID K1', (3, 0))


class Driver:
    """Stands for libcuda.so.1."""

    def __init__(self, *gpus, status=0, version=12020):
        self.gpus, self.status, self.version = gpus, status, version

    def cuInit(self, flags):  # noqa: N802 - the driver's names
        return self.status

    def cuGetErrorString(self, status, text):  # noqa: N802
        text._obj.value = b'no CUDA-capable device is detected'

    def cuDriverGetVersion(self, version):  # noqa: N802
        version._obj.value = self.version
        return 0

    def cuDeviceGetCount(self, count):  # noqa: N802
        count._obj.value = len(self.gpus)
        return 0

    def cuDeviceGet(self, device, index):  # noqa: N802
        device._obj.value = index
        return 0

    def cuDeviceGetName(self, name, length, device):  # noqa: N802
        name.value = self.gpus[device.value].name.encode()
        return 0

    def cuDeviceGetAttribute(self, value, attribute, device):  # noqa: N802
        value._obj.value = self.gpus[device.value].capability[{75: 0, 76: 1}[attribute]]
        return 0


class Cudnn:
    """Stands for libcudnn.so.7."""

    def __init__(self, version):
        self.version = version

    def cudnnGetVersion(self):  # noqa: N802
        return self.version


def gpus(driver, cuda='10', gpu_present=True, missing=(), cudnn=7605):
    return doctor.gpus(cuda, driver, gpu_present, list(missing), Cudnn(cudnn))


def test_a_machine_without_a_gpu_is_ok():
    (finding,) = gpus(None, gpu_present=False)
    assert finding.ok and 'CPU' in finding.text


def test_a_gpu_without_a_driver_is_told_and_does_not_stop_the_lab():
    (finding,) = gpus(None)
    assert not finding.ok and not finding.stops_lab
    assert 'libcuda.so.1 not found' in finding.text


def test_what_the_driver_says_is_told(monkeypatch):
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    (finding,) = gpus(Driver(status=100))
    assert not finding.ok and not finding.stops_lab
    assert 'no CUDA-capable device is detected (error 100)' in finding.text


def test_a_gpu_that_is_hidden_is_told(monkeypatch):
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '-1')
    (finding,) = gpus(Driver(status=100))
    assert "CUDA_VISIBLE_DEVICES being '-1'" in finding.text


def test_a_driver_older_than_cuda_10_is_told():
    (finding,) = gpus(Driver(V100, version=9010))
    assert not finding.ok and 'too old' in finding.text


def test_each_gpu_is_named_with_its_compute_capability():
    findings = gpus(Driver(V100, T4))
    assert [finding.text for finding in findings] == [
        'GPU Tesla V100, compute capability 7.0',
        'GPU Tesla T4, compute capability 7.5',
        'CUDA 10.0 and cuDNN 7',
    ]
    assert all(finding.ok for finding in findings)


def test_missing_libraries_are_named_and_do_not_stop_the_lab():
    gpu, libraries = gpus(Driver(V100), missing=['libcudart.so.10.0', 'libcudnn.so.7'])
    assert gpu.ok
    assert not libraries.ok and not libraries.stops_lab
    assert libraries.text.startswith('libcudart.so.10.0, libcudnn.so.7 not found.')


def test_a_cudnn_that_the_wheel_refuses_stops_the_lab():
    _, libraries = gpus(Driver(V100), cudnn=7401)
    assert not libraries.ok and libraries.stops_lab
    assert libraries.text.startswith('cuDNN 7.4; 7.6 is wanted.')


def test_a_gpu_newer_than_cuda_10_knows_stops_the_lab():
    gpu, _ = gpus(Driver(A100))
    assert not gpu.ok and gpu.stops_lab
    assert 'compute capability 8.0: newer than CUDA 10.0 knows' in gpu.text
    assert 'docs/gpu.md' in gpu.text


def test_a_gpu_too_new_does_not_stop_the_lab_where_tensorflow_cannot_reach_it():
    gpu, _ = gpus(Driver(A100), missing=device.CUDA_LIBRARIES)
    assert not gpu.ok and not gpu.stops_lab


def test_a_gpu_too_old_does_not_stop_the_lab():
    gpu, _ = gpus(Driver(K1))
    assert not gpu.ok and not gpu.stops_lab
    assert 'too old' in gpu.text


def test_a_gpu_too_new_is_told_that_tensorflow_2_can_use_it():
    gpu, _ = gpus(Driver(A100))
    assert 'make setup TF=2 GPU=1' in gpu.text


def test_cuda_that_is_not_there_can_be_had_with_tensorflow_2():
    _, libraries = gpus(Driver(V100), missing=['libcudart.so.10.0'])
    assert 'make setup TF=2 GPU=1' in libraries.text


# What TensorFlow 2.21 says of itself.
CAPABILITIES = ['sm_60', 'sm_70', 'sm_80', 'sm_89', 'compute_90']


@pytest.mark.parametrize(
    ('capability', 'ok'),
    [((5, 2), False), ((6, 0), True), ((7, 5), True), ((8, 6), True), ((9, 0), True), ((12, 0), True)],
)
def test_tensorflow_2_wants_the_capability_that_it_has_code_for_or_a_newer_one(capability, ok):
    (gpu,) = doctor.gpus('12.5.1', Driver(doctor.Gpu('GPU', capability)), True, [], None, CAPABILITIES)
    assert gpu.ok == ok
    assert ('too old for this TensorFlow, which wants 6.0' in gpu.text) == (not ok)


@pytest.mark.parametrize(('version', 'ok'), [(11080, False), (12000, True), (13000, True)])
def test_tensorflow_2_wants_a_driver_of_its_own_cuda(version, ok):
    (finding,) = doctor.gpus('12.5.1', Driver(V100, version=version), True, [], None, CAPABILITIES)
    assert finding.ok == ok
    assert ('too old for CUDA 12' in finding.text) == (not ok)


def test_a_gpu_that_tensorflow_does_not_use_though_nothing_is_wrong_is_told_what_to_do():
    finding = doctor.in_use('Running on the CPU (2 cores): there is a GPU, but TensorFlow 2.21.0 cannot use it.')
    assert not finding.ok and not finding.stops_lab
    assert finding.text.endswith('make setup TF=2 GPU=1')


def test_a_build_for_another_cuda_is_not_judged_by_the_limits_of_the_wheels():
    (gpu,) = gpus(Driver(A100), cuda='12', missing=device.CUDA_LIBRARIES)
    assert gpu.ok
    assert gpu.text == 'GPU A100, compute capability 8.0; TensorFlow is built for CUDA 12'


def test_a_tensorflow_without_cuda_is_told():
    (gpu,) = gpus(Driver(V100), cuda=None)
    assert not gpu.ok and not gpu.stops_lab
    assert 'built without CUDA' in gpu.text


def test_a_library_is_found_or_not():
    assert cuda.library('libc.so.6') is not None
    assert cuda.library('libnosuch.so.1') is None


def test_a_gpu_that_tensorflow_itself_cannot_use_is_not_ok():
    assert doctor.in_use('Running on the GPU: Tesla V100').ok
    assert not doctor.in_use('Running on the CPU (2 cores): …').ok
