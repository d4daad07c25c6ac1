"""make archive: what a student takes home is a lab that works, and never half of one."""

import subprocess
import tarfile

from lvseg.errors import LabError

import pytest

from classroom import packing


@pytest.fixture
def project(tmp_path):
    """A project of which every part is one file, with what is left behind beside it."""
    for name in (*packing.TAKE_HOME, 'exercise_solutions', 'data', 'logs', '.venv', '.git'):
        path = tmp_path / name
        if '.' in name[1:] or name in ('LICENSE', 'Makefile', 'Dockerfile'):
            path.write_text(name)
        else:
            (path / '__pycache__').mkdir(parents=True)
            (path / 'file.py').write_text(name)
            (path / '__pycache__' / 'file.pyc').write_text('')
    return tmp_path


def names_in(archive):
    with tarfile.open(str(archive)) as tar:
        return {member.name for member in tar if member.isfile()}


def test_everything_that_the_repository_holds_is_packed(root):
    listed = subprocess.run(['git', 'ls-files'], cwd=root, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip('needs a clone by git, to know what the repository holds')
    held = {name.split('/')[0] for name in listed.stdout.splitlines()}
    assert held - {'.ci'} <= {*packing.TAKE_HOME, *packing.WHERE_THERE}


def test_the_archive_unpacks_into_one_folder_without_caches_data_runs_and_venv(project):
    names = names_in(packing.pack(project))
    assert {name.split('/')[0] for name in names} == {'ImageSegmentation'}
    inside = {name.split('/')[1] for name in names}
    assert inside == {*packing.TAKE_HOME, 'exercise_solutions'}
    assert not [name for name in names if '__pycache__' in name]


def test_pictures_are_packed_where_some_have_been_drawn(project):
    (project / 'pictures').mkdir()
    (project / 'pictures' / 'cnn.png').write_text('')
    assert 'ImageSegmentation/pictures/cnn.png' in names_in(packing.pack(project))


def test_a_class_that_was_not_given_the_solutions_packs_without_them(project):
    (project / 'exercise_solutions').rename(project / 'elsewhere')
    assert 'ImageSegmentation/exercises/file.py' in names_in(packing.pack(project))


def test_of_a_desk_away_from_the_lab_the_students_own_exercises_are_packed_there(project, tmp_path_factory):
    desk = tmp_path_factory.mktemp('desk')
    (desk / 'exercises').mkdir()
    (desk / 'exercises' / 'mine.py').write_text('')
    archive = packing.pack(project, desk)
    assert archive.parent == desk
    packed = names_in(archive)
    assert {name.split('/')[2] for name in packed if '/exercises/' in name} == {'mine.py'}
    assert 'ImageSegmentation/lvseg/file.py' in packed


def test_where_a_part_is_missing_nothing_is_packed_and_an_earlier_archive_stays(project):
    earlier = packing.pack(project).read_bytes()
    (project / 'lvseg').rename(project / 'elsewhere')
    with pytest.raises(LabError, match='lvseg not found in '):
        packing.pack(project)
    assert (project / packing.ARCHIVE).read_bytes() == earlier


def test_an_archive_that_cannot_be_completed_leaves_the_earlier_one(project, monkeypatch):
    earlier = packing.pack(project).read_bytes()

    def full(*_args, **_kwargs):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(packing.tarfile.TarFile, 'add', full)
    with pytest.raises(LabError, match='cannot be written: No space left on device'):
        packing.pack(project)
    assert (project / packing.ARCHIVE).read_bytes() == earlier
    assert not list(project.glob('.Image*'))


def test_its_command_says_where_the_archive_is(run, root):
    before = (root / packing.ARCHIVE).read_bytes() if (root / packing.ARCHIVE).exists() else None
    done = run('scripts/archive.py')
    try:
        assert (done.returncode, done.stderr) == (0, '')
        assert done.stdout == 'Everything to take home is in ImageSegmentation.tar.gz\n'
        assert 'ImageSegmentation/scripts/archive.py' in names_in(root / packing.ARCHIVE)
    finally:
        (root / packing.ARCHIVE).unlink() if before is None else (root / packing.ARCHIVE).write_bytes(before)
