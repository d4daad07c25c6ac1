import ctypes
from types import SimpleNamespace

from lvseg import device
from lvseg.errors import LabError

import pytest

NO_LIBRARY_OF_THIS_NAME = 'libno-such-thing.so.7'
A_LIBRARY_THAT_IS_HERE = 'libc.so.6'


@pytest.fixture
def no_usable_gpu(monkeypatch):
    monkeypatch.setattr(device, '_gpus_in_use', list)
    monkeypatch.setattr(device.versions, 'cuda_version', lambda: '10')
    monkeypatch.setattr(device.os, 'cpu_count', lambda: 2)
    monkeypatch.delenv('LAB_THREADS', raising=False)


def test_without_a_gpu_it_says_so(no_usable_gpu, monkeypatch):
    monkeypatch.setattr(device, 'nvidia_gpu_present', lambda: False)
    assert device.describe() == 'Running on the CPU (2 cores): this machine has no NVIDIA GPU.'


def test_a_gpu_whose_library_is_missing_is_told_with_the_librarys_name(no_usable_gpu, monkeypatch):
    monkeypatch.setattr(device, 'nvidia_gpu_present', lambda: True)
    monkeypatch.setattr(device, 'CUDA_LIBRARIES', (A_LIBRARY_THAT_IS_HERE, NO_LIBRARY_OF_THIS_NAME))
    assert device.describe() == (
        f'Running on the CPU (2 cores): there is a GPU, but TensorFlow does not find {NO_LIBRARY_OF_THIS_NAME}.'
    )


def test_a_gpu_that_tensorflow_cannot_use_all_the_same_is_told(no_usable_gpu, monkeypatch):
    monkeypatch.setattr(device, 'nvidia_gpu_present', lambda: True)
    monkeypatch.setattr(device, 'CUDA_LIBRARIES', (A_LIBRARY_THAT_IS_HERE,))
    monkeypatch.setattr(device.tf, '__version__', '1.15.0')
    assert 'there is a GPU, but TensorFlow 1.15' in device.describe()


def test_the_gpus_in_use_are_named(monkeypatch):
    monkeypatch.setattr(device, '_gpus_in_use', lambda: [f'device: {n}, name: Tesla T4' for n in range(2)])
    assert device.describe() == 'Running on the GPU: device: 0, name: Tesla T4; device: 1, name: Tesla T4'


class Session:
    """A session of a TensorFlow that has found a GPU."""

    def __init__(self, config):
        assert config.gpu_options.allow_growth

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def list_devices(self):
        return [SimpleNamespace(device_type=kind) for kind in ('CPU', 'GPU')]


def test_a_gpu_in_use_has_the_name_that_the_driver_knows_and_its_capability(monkeypatch):
    monkeypatch.setattr(device.tf, 'Session', Session)
    monkeypatch.setattr(device.cuda, 'gpus_of', lambda driver, cuda: [device.cuda.Gpu('Tesla T4', (7, 5))])
    assert device._gpus_in_use() == ['device: 0, name: Tesla T4, compute capability: 7.5']


def test_a_gpu_in_use_is_told_although_the_driver_does_not_answer(monkeypatch):
    def refuse(driver, cuda):
        raise device.cuda.DriverError('unknown error (error 999)')

    monkeypatch.setattr(device.tf, 'Session', Session)
    monkeypatch.setattr(device.cuda, 'gpus_of', refuse)
    assert device._gpus_in_use() == ['device: 0']


@pytest.mark.parametrize(
    ('capability', 'cuda', 'warned'),
    [('7.5', '10', False), ('8.0', '10', True), ('12.0', '10', True), ('8.0', '11', False)],
)
def test_a_gpu_newer_than_the_wheels_know_is_warned_of(capability, cuda, warned, monkeypatch):
    described = f'device: 0, name: A, pci bus id: 0000:00:04.0, compute capability: {capability}'
    monkeypatch.setattr(device, '_gpus_in_use', lambda: [described])
    monkeypatch.setattr(device.versions, 'cuda_version', lambda: cuda)
    line = device.describe()
    assert line.startswith(f'Running on the GPU: {described}')
    assert ('newer than CUDA 10.0 knows' in line) == warned


@pytest.mark.parametrize(
    ('vendor', 'kind', 'present'),
    [
        ('0x10de', '0x030000', True),  # NVIDIA, display controller
        ('0x10de', '0x040300', False),  # NVIDIA, the sound on its HDMI
        ('0x8086', '0x030000', False),  # Intel, display controller
    ],
)
def test_a_gpu_without_a_driver_is_found_on_the_pci_bus(vendor, kind, present, tmp_path, monkeypatch):
    (tmp_path / 'vendor').write_text(vendor + '\n')
    (tmp_path / 'class').write_text(kind + '\n')
    found = {'/sys/bus/pci/devices/*': [str(tmp_path)]}
    monkeypatch.setattr(device.glob, 'glob', lambda pattern: found.get(pattern, []))
    assert device.nvidia_gpu_present() == present


def test_a_container_that_hides_the_pci_bus_has_no_gpu(tmp_path, monkeypatch):
    found = {'/sys/bus/pci/devices/*': [str(tmp_path)]}
    monkeypatch.setattr(device.glob, 'glob', lambda pattern: found.get(pattern, []))
    assert not device.nvidia_gpu_present()


def test_the_driver_makes_the_gpu_present(monkeypatch):
    monkeypatch.setattr(device.glob, 'glob', lambda pattern: ['/dev/nvidia0'] if 'dev/nvidia' in pattern else [])
    assert device.nvidia_gpu_present()


def test_all_libraries_that_the_linker_does_not_load_are_missing(monkeypatch):
    def refuse(name):
        raise OSError(f'{name}: cannot open shared object file')

    monkeypatch.setattr(ctypes, 'CDLL', refuse)
    assert device.missing_cuda_libraries() == list(device.CUDA_LIBRARIES)


def test_gpu_memory_is_taken_as_needed():
    assert device.session_config().gpu_options.allow_growth


def test_the_line_is_printed_to_stderr(no_usable_gpu, monkeypatch, capsys):
    monkeypatch.setattr(device, 'nvidia_gpu_present', lambda: False)
    device.announce()
    out, err = capsys.readouterr()
    assert out == ''
    assert err == 'Running on the CPU (2 cores): this machine has no NVIDIA GPU.\n'


def test_lab_threads_bounds_the_threads_and_is_told(no_usable_gpu, monkeypatch):
    monkeypatch.setattr(device, 'nvidia_gpu_present', lambda: False)
    monkeypatch.setenv('LAB_THREADS', '1')
    config = device.session_config()
    assert (config.intra_op_parallelism_threads, config.inter_op_parallelism_threads) == (1, 1)
    assert device.describe() == 'Running on the CPU (1 of 2 cores): this machine has no NVIDIA GPU.'


def test_without_lab_threads_tensorflow_chooses(monkeypatch):
    monkeypatch.delenv('LAB_THREADS', raising=False)
    config = device.session_config()
    assert (config.intra_op_parallelism_threads, config.inter_op_parallelism_threads) == (0, 0)


@pytest.mark.parametrize('value', ['0', '-1', 'two', '1.5', '1e3', '10000'])
def test_lab_threads_that_are_none_are_refused(value, monkeypatch):
    monkeypatch.setenv('LAB_THREADS', value)
    with pytest.raises(LabError, match=f'LAB_THREADS={value}: a number of threads'):
        device.session_config()
