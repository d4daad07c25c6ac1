"""scripts/doctor.py: space, data, and the whole screen."""

import subprocess
import sys

from lvseg import records
from lvseg.layout import RECORD_FILES, SIZE

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from setup import doctor, editions, packages

# As scripts/doctor.py, on a machine with room enough, whatever else it does.
WITH_ROOM = 'from setup import doctor\ndoctor.MEMORY_WANTED = doctor.DISK_WANTED = 0\ndoctor.main()'


@pytest.fixture
def data_dir(tmp_path):
    """Two files of one black slice each."""
    black = np.zeros([SIZE, SIZE], np.uint8)
    for name in RECORD_FILES.values():
        with tf.python_io.TFRecordWriter(str(tmp_path / name)) as writer:
            writer.write(records.encode(black.astype(np.int64), black))
    return tmp_path


@pytest.mark.parametrize('judge', [doctor.memory, doctor.disk])
def test_too_little_space_stops_the_lab(judge):
    assert judge(1_500_000_000).ok
    finding = judge(1_400_000_000)
    assert not finding.ok and finding.stops_lab
    assert '1.4 GB' in finding.text and '1.5 GB' in finding.text


def test_memory_that_nobody_can_tell_does_not_stop_the_lab():
    finding = doctor.memory(None)
    assert not finding.ok and not finding.stops_lab


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
    done = run('-c', WITH_ROOM, '--data_dir', data_dir)
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


def test_where_the_venv_cannot_be_used_that_is_all_it_says(monkeypatch, tmp_path):
    (tmp_path / '.venv-tf2').mkdir()
    monkeypatch.setattr(doctor, 'PROJECT', tmp_path)
    monkeypatch.setattr(doctor.packages, 'probe', lambda: {'error': "No module named 'tensorflow'"})
    venv, rest = doctor.diagnose(str(tmp_path), '2')
    assert venv.stops_lab and venv.text.startswith('.venv-tf2: its Python is gone,')
    assert rest.text == 'packages, GPU and data: not looked at, for that takes the Python of .venv-tf2.'


def test_the_reason_for_tensorflow_2_in_place_of_1_15_is_told(monkeypatch, tmp_path):
    (tmp_path / '.venv-tf2').mkdir()
    (tmp_path / '.venv-tf2' / 'instead-of-1.15').write_text('TensorFlow 1.15 needs Python 3.7\n')
    (tmp_path / '.venv').symlink_to('.venv-tf2')
    monkeypatch.setattr(packages, 'PROJECT', tmp_path)
    monkeypatch.setattr(sys, 'prefix', str(tmp_path / '.venv'))
    newest, _, tf_1_15 = editions.EDITIONS
    assert packages.why_this_one(newest, None) == ', since TensorFlow 1.15 needs Python 3.7'
    assert packages.why_this_one(newest, '2') == ', as asked for by TF=2'
    assert packages.why_this_one(tf_1_15, None) == ': what the lab teaches'
