import os

from lvseg.errors import LabError

import pytest

from data_prep import slices


def test_a_file_far_too_large_for_a_slice_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / 'large.dcm'
    path.touch()
    os.truncate(str(path), 64 * 2**20 + 1)  # of zeros that take no room on disk
    with pytest.raises(LabError, match='has 67108865 bytes, far more than one slice needs'):
        slices.read_bytes(str(tmp_path), 'large.dcm')


def put(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_links_that_lead_nowhere_or_to_themselves_are_passed_over(tmp_path):
    put(tmp_path, 'a.png', 'b/c.png')
    (tmp_path / 'itself').symlink_to('itself')
    (tmp_path / 'one').symlink_to('other')
    (tmp_path / 'other').symlink_to('one')
    (tmp_path / 'nowhere').symlink_to('gone')
    assert slices.files_under(str(tmp_path)) == ['a.png', 'b/c.png']
    assert slices.folders_in(str(tmp_path)) == ['b']
    assert slices.files_in(str(tmp_path)) == ['a.png']


def test_links_to_folders_above_do_not_lead_round_and_round(tmp_path):
    put(tmp_path, 'a/b/c.png')
    (tmp_path / 'a' / 'b' / 'up').symlink_to(tmp_path, target_is_directory=True)
    assert slices.files_under(str(tmp_path)) == ['a/b/c.png']


def test_a_folder_to_which_many_ways_lead_is_visited_once(tmp_path):
    """Two links in each of 40 folders lead to the next: 2^40 ways to the last."""
    for number in range(40):
        put(tmp_path, f'{number}/slice.png')
        for name in ('left', 'right'):
            (tmp_path / str(number) / name).symlink_to(tmp_path / str(number + 1), target_is_directory=True)
    put(tmp_path, '40/slice.png')
    assert slices.files_under(str(tmp_path / '0')) == ['left/' * number + 'slice.png' for number in range(40, -1, -1)]


def test_a_folder_goes_by_its_own_path_and_not_by_that_of_a_link(tmp_path):
    put(tmp_path, 'in/patient/slice.png', 'elsewhere/of_a_link.png')
    (tmp_path / 'in' / 'alias').symlink_to(tmp_path / 'in' / 'patient', target_is_directory=True)
    (tmp_path / 'in' / 'link').symlink_to(tmp_path / 'elsewhere', target_is_directory=True)
    assert slices.files_under(str(tmp_path / 'in')) == ['link/of_a_link.png', 'patient/slice.png']
