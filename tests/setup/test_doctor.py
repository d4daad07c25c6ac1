"""scripts/doctor.py: each finding from facts that are given to it; this machine's own are not asked."""

import signal
import stat
import subprocess
import sys

from lvseg import device, records
from lvseg.layout import RECORD_FILES, SIZE

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from setup import doctor

PINS = {'tensorflow-gpu': '1.15.0', 'numpy': '1.16.6', 'protobuf': '3.20.3', 'psutil': '7.2.2', 'h5py': '3.8.0'}
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


@pytest.fixture
def data_dir(tmp_path):
    """Two files of one black slice each."""
    black = np.zeros([SIZE, SIZE], np.uint8)
    for name in RECORD_FILES.values():
        with tf.python_io.TFRecordWriter(str(tmp_path / name)) as writer:
            writer.write(records.encode(black.astype(np.int64), black))
    return tmp_path


@pytest.mark.parametrize('version', [(3, 7, 17), (3, 8, 0)])
def test_python_3_7_and_3_8_are_ok(version):
    assert doctor.python(version).ok


@pytest.mark.parametrize('version', [(3, 6, 15), (3, 9, 1), (3, 11, 2)])
def test_another_python_stops_the_lab_and_the_line_says_what_to_do(version):
    finding = doctor.python(version)
    assert not finding.ok and finding.stops_lab
    assert finding.text.startswith(f'Python {".".join(map(str, version))}; 3.7 is wanted')
    assert 'make setup' in finding.text


def test_wanted_versions_are_those_of_the_requirements(root):
    pins = doctor.wanted_versions((root / 'requirements.txt').read_text(encoding='utf-8'))
    assert {name: pins[name] for name in ('tensorflow-gpu', 'numpy', 'protobuf')} == {
        'tensorflow-gpu': '1.15.0',
        'numpy': '1.16.6',
        'protobuf': '3.20.3',
    }


def test_comments_in_the_requirements_are_no_versions():
    assert doctor.wanted_versions('# a==1\nb==2.0  # c==3\n') == {'b': '2.0'}


def test_tensorflow_is_asked_for_its_version_and_its_cuda():
    found = doctor.probe()
    assert found['version'] == tf.__version__
    assert (found['cuda'] is not None) == tf.test.is_built_with_cuda()


@pytest.mark.parametrize(
    ('body', 'error'),
    [
        ('kill -ILL $$', 'AVX'),
        ('kill -SEGV $$', f'exit status {-signal.SIGSEGV}'),
        ("""echo '{"error": "Descriptors cannot be created directly"}' """, 'Descriptors'),
    ],
)
def test_an_import_that_fails_or_kills_python_is_told(body, error, tmp_path):
    python = tmp_path / 'python'
    python.write_text(f'#!/bin/sh\n{body}\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    assert error in doctor.probe(str(python))['error']


def test_tensorflow_that_cannot_be_imported_stops_the_lab():
    finding = doctor.tensorflow({'error': 'Descriptors cannot not be created directly.'}, PINS)
    assert not finding.ok and finding.stops_lab
    assert 'cannot be imported: Descriptors cannot not be created directly. ' in finding.text


@pytest.mark.parametrize(('version', 'ok'), [('1.15.0', True), ('1.15.5', True), ('1.14.0', False), ('2.4.1', False)])
def test_any_1_15_will_do(version, ok):
    finding = doctor.tensorflow({'version': version, 'cuda': '10'}, PINS)
    assert (finding.ok, finding.stops_lab) == (ok, not ok)


def test_packages_as_wanted_take_three_lines():
    findings = doctor.packages(PINS, PINS.get)
    assert [finding.text for finding in findings] == [
        'numpy 1.16.6',
        'protobuf 3.20.3',
        'the other 2 packages of requirements.txt',  # psutil and h5py
    ]
    assert all(finding.ok for finding in findings)


def test_another_version_is_not_ok_and_does_not_stop_the_lab():
    numpy, _, others = doctor.packages(PINS, {**PINS, 'numpy': '1.21.6', 'h5py': '2.10.0'}.get)
    assert not numpy.ok and not numpy.stops_lab
    assert numpy.text.startswith('numpy 1.21.6; 1.16.6 is wanted.')
    assert not others.ok and not others.stops_lab
    assert others.text.startswith('h5py 2.10.0 (3.8.0 is wanted).')


def test_a_package_that_the_lab_imports_and_does_not_find_stops_it():
    *_, others = doctor.packages(PINS, {**PINS, 'psutil': None}.get)
    assert not others.ok and others.stops_lab
    assert others.text.startswith('not installed: psutil.')


def test_a_package_that_the_lab_can_do_without_does_not_stop_it():
    *_, others = doctor.packages(PINS, {**PINS, 'h5py': None}.get)
    assert not others.ok and not others.stops_lab


def test_an_installed_version_is_found_whatever_the_case_of_the_name():
    assert doctor.installed_version('NumPy') == np.__version__
    assert doctor.installed_version('no-such-package') is None


@pytest.mark.parametrize('judge', [doctor.memory, doctor.disk])
def test_too_little_space_stops_the_lab(judge):
    assert judge(1_500_000_000).ok
    finding = judge(1_400_000_000)
    assert not finding.ok and finding.stops_lab
    assert '1.4 GB' in finding.text and '1.5 GB' in finding.text


def test_memory_that_nobody_can_tell_does_not_stop_the_lab():
    finding = doctor.memory(None)
    assert not finding.ok and not finding.stops_lab


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


def test_a_build_for_another_cuda_is_not_judged_by_the_limits_of_the_wheels():
    (gpu,) = gpus(Driver(A100), cuda='12', missing=device.CUDA_LIBRARIES)
    assert gpu.ok
    assert gpu.text == 'GPU A100, compute capability 8.0; TensorFlow is built for CUDA 12'


def test_a_tensorflow_without_cuda_is_told():
    (gpu,) = gpus(Driver(V100), cuda=None)
    assert not gpu.ok and not gpu.stops_lab
    assert 'built without CUDA' in gpu.text


def test_a_library_is_found_or_not():
    assert doctor.library('libc.so.6') is not None
    assert doctor.library('libnosuch.so.1') is None


def test_a_gpu_that_tensorflow_itself_cannot_use_is_not_ok():
    assert doctor.in_use('Running on the GPU: Tesla V100').ok
    assert not doctor.in_use('Running on the CPU (2 cores): …').ok


def test_records_are_counted_and_read(data_dir):
    findings = doctor.data(str(data_dir))
    assert [finding.ok for finding in findings] == [True, True]
    assert findings[0].text == f'{data_dir}/train_images.tfrecords: 1 records, all readable'


def test_missing_data_stops_the_lab_and_the_line_says_which_command_makes_it(tmp_path):
    for finding in doctor.data(str(tmp_path)):
        assert not finding.ok and finding.stops_lab
        assert 'python -m data_prep' in finding.text


def test_a_damaged_record_stops_the_lab(data_dir):
    path = data_dir / RECORD_FILES['eval']
    content = bytearray(path.read_bytes())
    content[-1] ^= 0xFF  # The last byte of the checksum.
    path.write_bytes(content)

    train, evaluation = doctor.data(str(data_dir))

    assert train.ok
    assert not evaluation.ok and evaluation.stops_lab
    assert 'damaged' in evaluation.text


def test_one_screen_and_exit_status_0_where_the_lab_runs(run, data_dir, monkeypatch):
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '-1')  # Whatever GPU this machine has.
    done = run('scripts/doctor.py', '--data_dir', data_dir)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout
    assert lines[-1] == 'The lab runs here.'
    assert len(lines) <= 24
    assert all(line.startswith(('ok ', 'NOT OK ')) for line in lines[:-1])
    assert done.stderr == ''


def test_exit_status_1_where_it_does_not(run, tmp_path):
    done = run('scripts/doctor.py', '--data_dir', tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == 'The lab would not run here.'


def test_it_works_where_no_package_is_installed(root, tmp_path):
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', str(tmp_path)], check=True)
    command = [str(tmp_path / 'bin' / 'python'), 'scripts/doctor.py', '--data_dir', str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == ''
    assert "cannot be imported: No module named 'tensorflow'" in done.stdout
    assert 'NOT OK  numpy is not installed; 1.16.6 is wanted.' in done.stdout
