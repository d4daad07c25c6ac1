"""What is taken of a submission, and what is not."""

import gzip
import io
import tarfile
import zipfile

from lvseg import networks
from lvseg.errors import LabError
from lvseg.project import PROJECT

import pytest

from classroom.grading import collecting

NETWORK = 'exercises/cnn/neuralnetwork.py'


def tar_of(path, files, mode='w:gz'):
    with tarfile.open(str(path), mode) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def folder_of(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def zip_of(path, files):
    with zipfile.ZipFile(str(path), 'w') as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


@pytest.mark.parametrize('top', ['', 'ImageSegmentation/', 'home/alice/lab/'])
@pytest.mark.parametrize('make', [folder_of, tar_of, zip_of])
def test_an_exercise_is_found_wherever_it_lies(make, top, tmp_path):
    files = {f'{top}{NETWORK}': b'mine', f'{top}exercises/cnn/more.py': b'more', f'{top}exercises/simple/x.py': b'no'}
    name = {folder_of: 'alice', tar_of: 'alice.tar.gz', zip_of: 'alice.zip'}[make]
    found = collecting.submission(make(tmp_path / name, files), 'cnn')
    assert found.files == {'neuralnetwork.py': b'mine', 'more.py': b'more'}
    assert found.changed == []


def test_an_archive_within_a_students_folder_is_unpacked(tmp_path):
    (tmp_path / 'alice').mkdir()
    tar_of(tmp_path / 'alice' / 'ImageSegmentation.tar.gz', {f'ImageSegmentation/{NETWORK}': b'mine'})
    assert collecting.submission(tmp_path / 'alice', 'cnn').files == {'neuralnetwork.py': b'mine'}


def test_a_solution_that_is_handed_in_with_it_is_not_the_exercise(tmp_path):
    files = {'exercise_solutions/cnn/neuralnetwork.py': b'solution'}
    assert collecting.submission(folder_of(tmp_path / 'alice', files), 'cnn').files == {}


def test_no_link_is_followed(tmp_path):
    secret = folder_of(tmp_path / 'secret', {NETWORK: b'secret'})
    student = folder_of(tmp_path / 'alice', {'exercises/simple/neuralnetwork.py': b'mine'})
    (student / 'exercises' / 'cnn').symlink_to(secret / 'exercises' / 'cnn')
    (student / 'exercises' / 'simple' / 'more.py').symlink_to(secret / NETWORK)
    assert collecting.submission(student, 'cnn').files == {}
    assert collecting.submission(student, 'simple').files == {'neuralnetwork.py': b'mine'}


def test_a_link_in_an_archive_is_none_of_its_files(tmp_path):
    with tarfile.open(str(tmp_path / 'alice.tar'), 'w') as tar:
        member = tarfile.TarInfo(NETWORK)
        member.type, member.linkname = tarfile.SYMTYPE, '/etc/passwd'
        tar.addfile(member)
    assert collecting.submission(tmp_path / 'alice.tar', 'cnn').files == {}


def test_a_path_out_of_an_archive_is_written_nowhere(tmp_path):
    path = tar_of(tmp_path / 'alice.tar.gz', {f'../../{NETWORK}': b'mine'})
    assert collecting.submission(path, 'cnn').files == {'neuralnetwork.py': b'mine'}
    assert sorted(tmp_path.iterdir()) == [path]


def test_what_is_larger_than_a_network_is_left_out(tmp_path):
    large = b' ' * (collecting.LARGEST_FILE + 1)
    for make, name in ((tar_of, 'a.tar.gz'), (zip_of, 'b.zip'), (folder_of, 'c')):
        assert collecting.submission(make(tmp_path / name, {NETWORK: large}), 'cnn').files == {}


def test_an_archive_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(collecting, 'LARGEST_ARCHIVE', 1 << 20)
    path = tar_of(tmp_path / 'alice.tar.gz', {'zeros.bin': bytes(2 << 20), NETWORK: b'mine'})
    with pytest.raises(LabError, match='alice.tar.gz cannot be unpacked: it holds more than'):
        collecting.submission(path, 'cnn')


@pytest.mark.parametrize('content', [b'no archive', gzip.compress(b'no tar'), b''], ids=['text', 'gzip', 'empty'])
@pytest.mark.parametrize('name', ['a.tar.gz', 'a.zip', 'a.tar'])
def test_a_damaged_archive_is_told_in_one_line(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LabError, match=f'{name} cannot be unpacked.*make archive'):
        collecting.submission(tmp_path / name, 'cnn')


def test_a_changed_file_of_the_lab_is_noted_and_one_as_here_is_not(tmp_path):
    ours = (PROJECT / 'lvseg' / 'networks.py').read_bytes()
    files = {
        'lab/lvseg/networks.py': ours,
        'lab/lvseg/errors.py': b'mine',
        'lab/classroom/new.py': b'mine',
        NETWORK: b'',
    }
    found = collecting.submission(folder_of(tmp_path / 'alice', files), 'cnn')
    assert found.changed == ['classroom/new.py', 'lvseg/errors.py']


def test_a_class_is_the_folders_and_archives_of_its_students(tmp_path):
    for name in ('bob.tar.gz', 'eve.zip', 'fay.tgz', 'notes.txt', 'students.csv'):
        (tmp_path / name).write_bytes(b'')
    for name in ('alice', '.git'):
        (tmp_path / name).mkdir()
    (tmp_path / 'link').symlink_to(tmp_path / 'alice')
    assert list(collecting.students(tmp_path)) == ['alice', 'bob', 'eve', 'fay']


def test_two_of_one_name_are_refused(tmp_path):
    (tmp_path / 'bob').mkdir()
    (tmp_path / 'bob.zip').write_bytes(b'')
    with pytest.raises(LabError, match='are both of bob'):
        collecting.students(tmp_path)


def test_no_folder_and_an_empty_one_are_told_apart(tmp_path):
    with pytest.raises(LabError, match='is no folder'):
        collecting.students(tmp_path / 'none')
    with pytest.raises(LabError, match='no folder and no archive'):
        collecting.students(tmp_path)


def test_languages_come_from_the_list_of_the_class(tmp_path):
    assert collecting.languages(tmp_path) == {}
    (tmp_path / 'students.csv').write_text('\ufeffstudent,language\nalice,ko\nbob,en\n', encoding='utf-8')
    assert collecting.languages(tmp_path) == {'alice': 'ko', 'bob': 'en'}


@pytest.mark.parametrize(('table', 'said'), [('alice,ko\n', 'student,language'), ('student,language\nbob,fr\n', 'fr')])
def test_a_list_that_cannot_be_used_is_told(table, said, tmp_path):
    (tmp_path / 'students.csv').write_text(table, encoding='utf-8')
    with pytest.raises(LabError, match=said):
        collecting.languages(tmp_path)


def test_networks_are_where_the_collector_looks():
    assert str(networks.of_student('cnn')).endswith(NETWORK)
