import errno
import os
import signal
import subprocess
import sys

from lvseg.errors import LabError

import pytest

from data_prep import staging

NAMES = ('train_images.tfrecords', 'val_images.tfrecords', 'manifest.csv')


def prepare(out, content):
    with staging.staged(str(out)) as stage:
        for name in NAMES:
            with open(os.path.join(stage, name), 'w') as file:
                file.write(content)
        os.makedirs(os.path.join(stage, 'phantom_studies', 'patient'))
        with open(os.path.join(stage, 'phantom_studies', 'patient', 'slice.dcm'), 'w') as file:
            file.write(content)


def moves(disk):
    return [place for place, told in enumerate(disk.told) if told[0] == 'name']


def test_new_files_are_on_disk_before_the_first_of_the_old_is_taken_away(disk, tmp_path):
    prepare(tmp_path / 'out', 'old')
    disk.told.clear()
    prepare(tmp_path / 'out', 'newer')
    first_move = moves(disk)[0]
    for name in (*NAMES, 'phantom_studies/patient/slice.dcm'):
        assert disk.synced(tmp_path / 'out' / name, until=first_move) == [len('newer')]
    for name in ('phantom_studies', 'phantom_studies/patient'):
        assert disk.synced(tmp_path / 'out' / name, until=first_move)


def test_every_move_is_on_disk_before_the_next_one(disk, tmp_path):
    prepare(tmp_path / 'out', 'old')
    disk.told.clear()
    prepare(tmp_path / 'out', 'new')
    made = moves(disk)
    assert len(made) == 8  # Three files and the studies away, the same four in.
    for move, following in zip(made, [*made[1:], None]):
        assert disk.synced(tmp_path / 'out', since=move, until=following)


@pytest.mark.parametrize('moves_made', range(9))
def test_a_disk_that_fails_leaves_the_old_files(disk, tmp_path, monkeypatch, moves_made):
    prepare(tmp_path / 'out', 'old')
    disk.told.clear()
    sync = os.fsync

    def sync_for_a_while(descriptor):
        if len(moves(disk)) == moves_made:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync(descriptor)

    monkeypatch.setattr(os, 'fsync', sync_for_a_while)
    with pytest.raises(LabError, match='Input/output error. They are as they were.'):
        prepare(tmp_path / 'out', 'new')
    assert len(moves(disk)) == 2 * moves_made  # There and back.
    left = {path.name: path.read_text() for path in (tmp_path / 'out').rglob('*') if path.is_file()}
    assert left == dict.fromkeys((*NAMES, 'slice.dcm'), 'old')


def test_a_second_preparation_into_a_folder_is_refused_and_the_first_one_goes_on(tmp_path):
    out = tmp_path / 'out'
    with staging.staged(str(out)) as stage:
        with pytest.raises(LabError) as error, staging.staged(str(out)):
            pass
        assert str(error.value) == (
            f'another data_prep (process {os.getpid()}) is writing in {out}. '
            'Wait for it, stop it, or give another --out.'
        )
        for name in NAMES:
            with open(os.path.join(stage, name), 'w') as file:
                file.write('first')
    assert {path.name for path in out.iterdir()} == set(NAMES)
    prepare(out, 'later')
    assert {path.read_text() for path in out.iterdir() if path.is_file()} == {'later'}


def test_readers_do_not_hold_a_folder_when_their_parent_is_killed(root, tmp_path):
    """They end a while after it."""
    code = (
        'import os, signal, sys\n'
        'from data_prep.reading import reader\n'
        'from data_prep.staging import staged\n'
        'with staged(sys.argv[1]), reader(None, 2):\n'
        '    begun, begins = os.pipe()\n'
        '    pid = os.fork()\n'
        '    if pid == 0:\n'
        '        os.write(begins, b"x")\n'
        '        signal.pause()\n'
        '    os.read(begun, 1)\n'
        '    print(pid, flush=True)\n'
        '    os.kill(os.getpid(), signal.SIGKILL)\n'
    )
    with open(str(tmp_path / 'printed'), 'w+') as printed:
        done = subprocess.run(
            [sys.executable, '-c', code, str(tmp_path / 'out')],
            stdout=printed,
            env={**os.environ, 'PYTHONPATH': str(root)},
        )
        printed.seek(0)
        child = int(printed.read())
    try:
        assert done.returncode == -signal.SIGKILL
        prepare(tmp_path / 'out', 'new')
    finally:
        os.kill(child, signal.SIGKILL)
