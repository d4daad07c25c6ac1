"""What the three commands have in common."""

import csv
import fcntl
import os
import pty
import resource
import shutil
import struct
import subprocess
import sys
import termios

from lvseg import manifest, records
from lvseg.layout import RECORD_FILES

import numpy as np
import pytest

from data_prep import staging
from data_prep.phantom import studies

FILES = {'train_images.tfrecords', 'val_images.tfrecords', 'manifest.csv'}
COMMANDS = ['sunnybrook', 'images', 'phantom']


@pytest.fixture
def raw(tmp_path, atlas, write_tree):
    """Two patients of five slices each."""
    return write_tree(tmp_path / 'raw', atlas({'SC-HF-I-1': [1, 2, 3, 4, 5], 'SC-N-2': [11, 12, 13, 14, 15]}))


@pytest.fixture
def out(tmp_path):
    return tmp_path / 'out'


def rows_of(out):
    with open(str(out / 'manifest.csv'), newline='') as file:
        return list(csv.DictReader(file))


def image_number(image):
    return image[0, 0]


def break_slice(raw, number, patient='SCD0000101'):
    path = raw / f'SCD_IMAGES_01/{patient}/CINESAX_300/IM-0003-{number:04d}.dcm'
    path.write_bytes(path.read_bytes()[:-2])


# --- Flags ---


@pytest.mark.parametrize('command', ['', 'sunnybrook', 'images', 'phantom'])
def test_help_prints_every_flag_with_its_default(data_prep, command):
    done = data_prep(*command.split(), '-h')
    assert (done.status, done.stderr) == (0, '')
    defaults = {
        '--out DIR': 'no default: give one',
        '--val_fraction X': 'default: 0.1',
        '--split {slice,patient}': 'default: slice',
        '--seed N': 'default: 1234',
        '--workers N': f'default: {os.cpu_count()}, one a core',
        '--skip_bad': 'default: one such slice stops all',
    }
    if command in ('', 'images'):
        defaults.update({'--fit {centre,resize}': 'default: centre', '--val_names FILE': 'default: drawn by lot'})
    if command in ('', 'phantom'):
        defaults['--patients N'] = 'default: 15'
    text = ' '.join(done.stdout.split())
    for flag, default in defaults.items():
        # A flag's own lines end where those of the next begin.
        assert any(f'({default})' in part.split(' --')[0] for part in text.split(f' {flag} ')[1:]), flag


@pytest.mark.parametrize(
    ('args', 'reason'),
    [
        ([], 'required: COMMAND'),
        (['sunybrook', 'raw'], "invalid choice: 'sunybrook'"),
        (['sunnybrook', '--out', 'out'], 'required: RAW_DIR'),
        (['sunnybrook', 'raw'], 'required: --out'),
        (['sunnybrook', 'raw', '--out', 'out', '--val_fraction', '2'], "from 0 to 1 is wanted, not '2'"),
        (['sunnybrook', 'raw', '--out', 'out', '--val_fraction', '-0.1'], "from 0 to 1 is wanted, not '-0.1'"),
        (['sunnybrook', 'raw', '--out', 'out', '--val_fraction', 'nan'], "from 0 to 1 is wanted, not 'nan'"),
        (['sunnybrook', 'raw', '--out', 'out', '--val_fraction', 'ten'], "from 0 to 1 is wanted, not 'ten'"),
        (['sunnybrook', 'raw', '--out', 'out', '--workers', '0'], "from 1 is wanted, not '0'"),
        (['sunnybrook', 'raw', '--out', 'out', '--workers', '1.5'], "from 1 is wanted, not '1.5'"),
        (['sunnybrook', 'raw', '--out', 'out', '--seed', '-1'], "4294967295 is wanted, not '-1'"),
        (['sunnybrook', 'raw', '--out', 'out', '--split', 'case'], "invalid choice: 'case'"),
        (['sunnybrook', 'raw', '--out', 'out', '--val_frac', '0.5'], 'unrecognized arguments: --val_frac 0.5'),
        (['sunnybrook', 'raw', '--out', 'out', '--val_names', 'x'], 'unrecognized arguments: --val_names x'),
        (['images', 'a', 'b', '--out', 'out', '--fit', 'stretch'], "invalid choice: 'stretch'"),
        (['images', 'a', 'b', '--out', 'out', '--val_names', 'x', '--val_fraction', '0.5'], 'not allowed with'),
        (['phantom', '--out', 'out', '--shift', 'winter'], "argument --shift: invalid choice: 'winter'"),
        (['phantom', '--out', 'out', '--patients', '0'], "from 1 is wanted, not '0'"),
        (['phantom', '--out', 'out', '--patients', f'{10**30}'], f"10000 at most is wanted, not '{10**30}'"),
    ],
)
def test_bad_flags_are_refused_in_one_line(data_prep, args, reason):
    done = data_prep(*args)
    assert done.status == 2
    assert done.stderr.startswith('ERROR: ')
    assert done.stderr.count('\n') == 1
    assert reason in done.stderr


def test_help_and_worker_processes_do_without_tensorflow(run):
    code = 'import data_prep.__main__, sys; print("tensorflow" in sys.modules)'
    assert run('-c', code, check=True).stdout == 'False\n'


# --- Folders ---


@pytest.mark.parametrize(
    'args',
    [['sunnybrook', 'nowhere'], ['images', 'nowhere', 'nowhere']],
)
def test_a_missing_input_folder_is_refused(data_prep, out, args):
    assert 'nowhere not found' in data_prep(*args, '--out', out).error
    assert not out.exists()


def test_a_pipe_for_a_list_of_names_is_refused_and_not_waited_for(data_prep, tmp_path, out, write_tree, make_picture):
    write_tree(tmp_path / 'a', {'1.png': make_picture(np.zeros((256, 256), np.uint8))})
    os.mkfifo(str(tmp_path / 'pipe'))
    done = data_prep('images', tmp_path / 'a', tmp_path / 'a', '--out', out, '--val_names', tmp_path / 'pipe')
    assert f'{tmp_path}/pipe is no file: a text file is wanted' in done.error


def test_what_comes_next_can_be_typed_where_the_folder_begins_with_a_dash(
    succeed, tmp_path, monkeypatch, write_tree, make_picture
):
    write_tree(tmp_path / 'a', {f'{number}.png': make_picture(np.zeros((256, 256), np.uint8)) for number in (1, 2)})
    monkeypatch.chdir(tmp_path)
    assert succeed('images', 'a', 'a', '--out=-d').splitlines()[-1].endswith(' --data_dir ./-d')


def test_a_name_of_a_file_cannot_forge_a_line(data_prep, tmp_path, out, write_tree, make_picture):
    forged = 'a\nERROR: forged\x1b[31m'
    write_tree(tmp_path / forged, {f'{number}.png': make_picture(np.zeros((256, 256), np.uint8)) for number in (1, 2)})
    write_tree(tmp_path / forged, {f'{forged}.png': b'no picture'})
    for flags in ([], ['--skip_bad']):
        done = data_prep('images', tmp_path / forged, tmp_path / forged, '--out', tmp_path / forged / 'out', *flags)
        printed = done.stdout + done.stderr
        assert 'ERROR: forged\\x1b[31m.png' in printed
        assert '\x1b' not in printed and '\nERROR: forged' not in printed
    assert done.status == 0


def test_a_file_for_an_input_folder_is_refused(data_prep, out, tmp_path):
    (tmp_path / 'file').write_text('')
    assert 'file is a file: a folder is wanted' in data_prep('sunnybrook', tmp_path / 'file', '--out', out).error


@pytest.mark.parametrize('below', ['', 'deeper', 'deeper/still'])
def test_a_file_for_the_output_folder_is_refused_and_kept(data_prep, raw, tmp_path, below):
    (tmp_path / 'file').write_text('mine')
    done = data_prep('sunnybrook', raw, '--out', tmp_path / 'file' / below)
    assert 'cannot write in' in done.error
    assert (tmp_path / 'file').read_text() == 'mine'


def test_an_output_folder_that_cannot_be_made_is_refused(data_prep, raw):
    assert 'cannot write in /proc/out: ' in data_prep('sunnybrook', raw, '--out', '/proc/out').error


@pytest.mark.parametrize('name', sorted(FILES))
def test_a_folder_in_the_place_of_a_result_is_refused_and_kept(data_prep, raw, out, name):
    (out / name).mkdir(parents=True)
    assert f'{name} is a folder' in data_prep('sunnybrook', raw, '--out', out).error
    assert [path.name for path in out.iterdir()] == [name]


def test_the_output_folder_and_those_above_it_are_made(succeed, raw, tmp_path):
    succeed('sunnybrook', raw, '--out', tmp_path / 'a/b/c')
    assert {path.name for path in (tmp_path / 'a/b/c').iterdir()} == FILES


def test_names_in_no_encoding_are_no_obstacle(run, tmp_path, write_tree, make_picture):
    odd = os.fsdecode(b'\xff')
    picture = make_picture(np.zeros((256, 256), np.uint8))
    write_tree(tmp_path / odd, {f'{odd}1.png': picture, f'{odd}2.png': picture})
    done = run('-m', 'data_prep', 'images', tmp_path / odd, tmp_path / odd, '--out', tmp_path / odd)
    assert (done.returncode, done.stderr) == (0, '')
    assert b'\xff1.png' in (tmp_path / odd / 'manifest.csv').read_bytes()


# --- Results ---


def test_the_manifest_lists_every_slice_in_the_order_of_the_records(succeed, raw, out, read_records):
    succeed('sunnybrook', raw, '--out', out, '--val_fraction', 0.3)
    rows = rows_of(out)
    assert [row['split'] for row in rows] == ['train'] * 7 + ['val'] * 3
    for side in ('train', 'val'):
        expected = [(int(row['name'][-4:]), int(row['lv_pixels'])) for row in rows if row['split'] == side]
        assert [(image_number(image), label.sum()) for image, label in read_records(out, side)] == expected
    # The contour of image n fills (n + 1) ** 2 pixels.
    assert {int(row['name'][-4:]): int(row['lv_pixels']) for row in rows} == {
        number: (number + 1) ** 2 for number in (1, 2, 3, 4, 5, 11, 12, 13, 14, 15)
    }


def test_the_closing_lines_say_what_went_where_and_what_comes_next(succeed, raw, out):
    lines = succeed('sunnybrook', raw, '--out', out, '--val_fraction', 0.3).splitlines()
    patients = {
        side: len({row['patient'] for row in rows_of(out) if row['split'] == side}) for side in ('train', 'val')
    }
    assert lines[0] == 'Found 10 endocardial contours, in the layout of the Cardiac Atlas Project.'
    assert lines[1] == 'Passed over: nothing.'
    assert lines[2] == f'train: 7 slices of {patients["train"]} patients in {out}/train_images.tfrecords'
    assert lines[3] == f'val: 3 slices of {patients["val"]} patients in {out}/val_images.tfrecords'
    # 4 + 9 + 16 + 25 + 36 = 90, 144 + 169 + 196 + 225 + 256 = 990: 1080 pixels of 10 * 65536, 0.1648 %.
    assert lines[4] == 'On average 0.16% of the pixels are left ventricle.'
    assert lines[5] == f'Which slice went where: {out}/manifest.csv'
    assert lines[6] == f'Next: python exercises/simple/runTraining.py --data_dir {out}'
    assert len(lines) == 7


def test_records_are_those_of_the_lab(succeed, raw, out):
    succeed('sunnybrook', raw, '--out', out)
    assert set(RECORD_FILES.values()) == FILES - {'manifest.csv'}
    assert (RECORD_FILES['train'], RECORD_FILES['eval']) == (staging.TRAIN, staging.VAL)
    assert records.count(str(out / 'train_images.tfrecords')) == 9
    assert records.count(str(out / 'val_images.tfrecords')) == 1


def test_by_patient_no_patient_is_on_both_sides(succeed, raw, out):
    succeed('sunnybrook', raw, '--out', out, '--split', 'patient', '--val_fraction', 0.5)
    sides = {side: {row['patient'] for row in rows_of(out) if row['split'] == side} for side in ('train', 'val')}
    assert sorted(len(patients) for patients in sides.values()) == [1, 1]
    assert sides['train'] != sides['val']


def test_the_same_command_writes_the_same_bytes_with_one_process_and_with_two(run, raw, tmp_path, content):
    for name, workers in (('one', 1), ('two', 2), ('again', 2)):
        run('-m', 'data_prep', 'sunnybrook', raw, '--out', tmp_path / name, '--workers', workers, check=True)
    assert set(content(tmp_path / 'one')) == FILES
    assert content(tmp_path / 'one') == content(tmp_path / 'two') == content(tmp_path / 'again')


def test_another_seed_draws_another_split(succeed, raw, tmp_path):
    for seed in (1, 2):
        succeed('sunnybrook', raw, '--out', tmp_path / str(seed), '--val_fraction', 0.5, '--seed', seed)
    assert rows_of(tmp_path / '1') != rows_of(tmp_path / '2')


@pytest.mark.parametrize(
    ('fraction', 'empty', 'full'), [(0, 'val', 'train'), (1, 'train', 'val'), (0.04, 'val', 'train')]
)
def test_an_empty_side_gets_no_file_and_an_earlier_one_goes(succeed, raw, out, fraction, empty, full, read_records):
    succeed('sunnybrook', raw, '--out', out, '--val_fraction', 0.5)
    stdout = succeed('sunnybrook', raw, '--out', out, '--val_fraction', fraction)
    assert f'{empty}: no slices, so there is no {out}/{empty}_images.tfrecords' in stdout
    assert {path.name for path in out.iterdir()} == {f'{full}_images.tfrecords', 'manifest.csv'}
    assert len(read_records(out, full)) == 10
    assert ('Next:' in stdout) == (full == 'train')


def test_a_dangling_link_in_the_place_of_a_result_goes_too(succeed, raw, out, tmp_path):
    out.mkdir()
    for name in FILES:
        (out / name).symlink_to(tmp_path / 'nowhere')
    succeed('sunnybrook', raw, '--out', out, '--val_fraction', 0)
    assert {path.name for path in out.iterdir()} == {'train_images.tfrecords', 'manifest.csv'}
    assert not (tmp_path / 'nowhere').exists()


# --- Bad slices ---


def test_one_bad_slice_stops_the_run_and_nothing_is_written(data_prep, raw, out):
    break_slice(raw, 3)
    error = data_prep('sunnybrook', raw, '--out', out).error
    assert '1 of 10 slices cannot be read: ' in error
    assert 'SCD_IMAGES_01/SCD0000101/CINESAX_300/IM-0003-0003.dcm: is cut off: 131070 of 131072 bytes' in error
    assert '--skip_bad' in error
    assert not out.exists()


def test_one_bad_slice_leaves_earlier_files_as_they_were(succeed, data_prep, raw, out, content):
    succeed('sunnybrook', raw, '--out', out)
    before = content(out)
    break_slice(raw, 3)
    assert 'cannot be read' in data_prep('sunnybrook', raw, '--out', out).error
    assert content(out) == before


@pytest.mark.parametrize('workers', [1, 2])
def test_all_bad_slices_are_counted_by_reason(data_prep, raw, out, workers):
    for number in (1, 3, 4):
        break_slice(raw, number)
    (raw / 'SCD_IMAGES_01/SCD0000201/CINESAX_300/IM-0003-0011.dcm').write_text('not DICOM')
    error = data_prep('sunnybrook', raw, '--out', out, '--workers', workers).error
    assert '4 of 10 slices cannot be read' in error
    assert 'IM-0003-0001.dcm: is cut off: 131070 of 131072 bytes' in error
    assert 'are there (and 2 more such files)' in error
    assert 'IM-0003-0011.dcm: is not a DICOM file' in error


def test_many_reasons_stay_readable(data_prep, raw, out, icontour):
    for number in (1, 2, 3, 4, 5, 11, 12):
        case = 'SC-HF-I-01' if number < 10 else 'SC-N-02'
        (raw / icontour(case, number)).write_text('1 1\n' * number + 'x\n')
    error = data_prep('sunnybrook', raw, '--out', out).error
    assert 'line 2 is not a point' in error
    assert 'line 6 is not a point' in error
    assert 'line 12 is not a point' not in error
    assert 'and 2 more reasons' in error


def test_bad_slices_can_be_left_out_and_are_listed(succeed, raw, out, read_records):
    break_slice(raw, 3)
    stdout = succeed('sunnybrook', raw, '--out', out, '--skip_bad', '--val_fraction', 0.3)
    reason = 'is cut off: 131070 of 131072 bytes of pixel data are there'
    assert 'Left out 1 slice that cannot be read:' in stdout
    assert f'  SCD_IMAGES_01/SCD0000101/CINESAX_300/IM-0003-0003.dcm: {reason}\n' in stdout
    kept = [image_number(image) for side in ('train', 'val') for image, _ in read_records(out, side)]
    assert sorted(kept) == [1, 2, 4, 5, 11, 12, 13, 14, 15]
    assert [row for row in rows_of(out) if row['split'] not in ('train', 'val')] == [
        {
            'split': 'skipped',
            'name': 'SC-HF-I-01-IM-0001-0003',
            'patient': 'SC-HF-I-01',
            'image': 'SCD_IMAGES_01/SCD0000101/CINESAX_300/IM-0003-0003.dcm',
            'mask': 'SCD_ManualContours/SC-HF-I-01/contours-manual/IRCCI-expert/IM-0001-0003-icontour-manual.txt',
            'lv_pixels': '',
            'pixel_spacing': '',
            'bad_file': 'SCD_IMAGES_01/SCD0000101/CINESAX_300/IM-0003-0003.dcm',
            'reason': reason,
        }
    ]


def test_contours_without_dicom_can_be_left_out(succeed, raw, out):
    (raw / 'SCD_IMAGES_01/SCD0000101/CINESAX_300/IM-0003-0003.dcm').unlink()
    assert 'Left out 1 slice' in succeed('sunnybrook', raw, '--out', out, '--skip_bad')
    assert [row['image'] for row in rows_of(out) if row['split'] == 'skipped'] == ['']


def test_a_side_whose_slices_are_all_left_out_gets_no_file(succeed, raw, out):
    succeed('sunnybrook', raw, '--out', out, '--val_fraction', 0.1)
    (val,) = [row for row in rows_of(out) if row['split'] == 'val']
    (raw / val['image']).write_text('not DICOM')
    stdout = succeed('sunnybrook', raw, '--out', out, '--val_fraction', 0.1, '--skip_bad')
    assert 'val: no slices' in stdout
    assert not (out / 'val_images.tfrecords').exists()


def test_when_all_are_bad_there_is_nothing_to_skip_to(data_prep, raw, out):
    for path in (raw / 'SCD_IMAGES_01').rglob('*.dcm'):
        path.write_text('not DICOM')
    assert '10 of 10 slices cannot be read' in data_prep('sunnybrook', raw, '--out', out, '--skip_bad').error
    assert not out.exists()


# --- All files or none ---


def test_leftovers_of_a_killed_run_are_removed(succeed, raw, out, write_tree):
    write_tree(out, {'.data_prep-abc/train_images.tfrecords': b'half', 'mine.txt': 'kept'})
    succeed('sunnybrook', raw, '--out', out)
    assert {path.name for path in out.iterdir()} == FILES | {'mine.txt'}


def run_with_small_files(run, limit, *args):
    return run('-m', 'data_prep', *args, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))


def test_without_room_the_message_says_how_much_is_needed_and_earlier_files_stay(succeed, run, raw, out, content):
    succeed('sunnybrook', raw, '--out', out, '--seed', 1)
    before = content(out)
    done = run_with_small_files(run, 2_000_000, 'sunnybrook', raw, '--out', out)
    assert done.returncode == 1
    assert done.stderr.startswith(f'ERROR: cannot write in {out}: File too large.')
    # 10 slices of 65536 pixels, 8 bytes for the image and 1 for the label: 5898240 bytes, and a little around.
    assert '10 slices need 5.9 MB' in done.stderr
    assert done.stderr.count('\n') == 1
    assert content(out) == before


def test_without_room_for_a_new_folder_nothing_is_left(run, raw, out):
    done = run_with_small_files(run, 1000, 'sunnybrook', raw, '--out', out)
    assert 'ERROR: cannot write in' in done.stderr
    assert not out.exists()


class Cut(BaseException):
    """As a kill, it is no Exception."""


@pytest.mark.parametrize('renames', range(6))
@pytest.mark.parametrize('error', [Cut, OSError(13, 'Permission denied')])
def test_an_error_while_files_are_replaced_brings_the_old_ones_back(
    succeed, data_prep, raw, out, content, monkeypatch, renames, error
):
    succeed('sunnybrook', raw, '--out', out, '--seed', 1)
    before = content(out)
    real_rename, calls = os.rename, []

    def rename(source, target):
        calls.append(target)
        if len(calls) == renames + 1:
            raise error
        real_rename(source, target)

    monkeypatch.setattr(os, 'rename', rename)
    if error is Cut:
        with pytest.raises(Cut):
            data_prep('sunnybrook', raw, '--out', out, '--seed', 2)
    else:
        assert 'cannot replace the files' in data_prep('sunnybrook', raw, '--out', out, '--seed', 2).error
    assert len(calls) == renames + 1 + renames  # three old files away, three new ones in: six; and all of them back
    assert content(out) == before


@pytest.mark.parametrize('renames', range(7))
def test_a_kill_while_files_are_replaced_never_mixes_two_splits(
    succeed, data_prep, raw, out, tmp_path, content, monkeypatch, renames
):
    for seed in (1, 2):
        succeed('sunnybrook', raw, '--out', tmp_path / str(seed), '--seed', seed)
    old, new = content(tmp_path / '1'), content(tmp_path / '2')
    assert all(old[name] != new[name] for name in FILES)
    succeed('sunnybrook', raw, '--out', out, '--seed', 1)

    real_rename, calls = os.rename, []

    def rename_until_killed(source, target):
        calls.append(target)
        if len(calls) > renames:
            os._exit(9)
        real_rename(source, target)

    pid = os.fork()
    if pid == 0:
        monkeypatch.setattr(os, 'rename', rename_until_killed)
        data_prep('sunnybrook', raw, '--out', out, '--seed', 2)
        os._exit(0)
    assert os.WEXITSTATUS(os.waitpid(pid, 0)[1]) == (9 if renames < 6 else 0)

    left = {name: data for name, data in content(out).items() if name in FILES}
    assert left.items() <= old.items() or left.items() <= new.items()
    if 'manifest.csv' in left:
        assert left in (old, new)

    succeed('sunnybrook', raw, '--out', out, '--seed', 2)
    assert content(out) == new


def test_files_that_vanish_while_written_are_an_error(succeed, data_prep, raw, out, content, monkeypatch):
    succeed('sunnybrook', raw, '--out', out)
    before = content(out)

    def vanish(path, rows):
        shutil.rmtree(os.path.dirname(path))

    monkeypatch.setattr(manifest, 'write', vanish)
    assert 'Is another data_prep writing there?' in data_prep('sunnybrook', raw, '--out', out).error
    assert content(out) == before


# --- Progress ---


def test_no_progress_bar_goes_into_a_log(run, raw, out):
    assert run('-m', 'data_prep', 'sunnybrook', raw, '--out', out, check=True).stderr == ''


def test_a_terminal_sees_a_progress_bar(raw, out, root):
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))  # rows and columns
    command = [sys.executable, '-m', 'data_prep', 'sunnybrook', str(raw), '--out', str(out)]
    done = subprocess.run(command, cwd=str(root), stdout=subprocess.PIPE, stderr=child, timeout=300)
    os.close(child)
    printed = os.read(parent, 100_000).decode()
    os.close(parent)
    assert done.returncode == 0
    assert '10/10' in printed
    assert 'slice/s' in printed


# --- The phantom ---


@pytest.fixture
def fake_phantom(monkeypatch, write_tree, atlas):
    def write_studies(directory, patients, seed, shift):
        case = f'SC-N-9{len(shift.name)}'
        write_tree(directory, atlas({f'{case}{number}': [1 + seed % 7, 20] for number in range(patients)}))

    monkeypatch.setattr(studies, 'write_studies', write_studies)


def test_the_phantom_goes_the_way_of_real_studies_and_stays_to_be_looked_at(fake_phantom, succeed, out, read_records):
    stdout = succeed('phantom', '--out', out, '--patients', 3, '--seed', 4)
    assert f'Invented 3 patients, whose studies are in {out}/phantom_studies.' in stdout
    assert 'Found 6 endocardial contours' in stdout
    assert {path.name for path in out.iterdir()} == FILES | {'phantom_studies'}
    kept = [image_number(image) for side in ('train', 'val') for image, _ in read_records(out, side)]
    assert sorted(kept) == [5, 5, 5, 20, 20, 20]
    for row in rows_of(out):
        assert (out / 'phantom_studies' / row['image']).is_file()
        assert (out / 'phantom_studies' / row['mask']).is_file()


def test_the_phantom_has_15_patients_if_not_told_otherwise(fake_phantom, succeed, out):
    succeed('phantom', '--out', out)
    assert len({row['patient'] for row in rows_of(out)}) == 15


def test_phantoms_of_another_kind_are_written_where_a_shift_is_named(fake_phantom, succeed, out):
    succeed('phantom', '--out', out, '--patients', 1, '--shift', 'noise')
    assert {row['patient'] for row in rows_of(out)} == {'SC-N-950'}  # noise has 5 letters.


def test_the_same_phantom_is_written_again_with_the_same_bytes(fake_phantom, succeed, out, tmp_path, content):
    succeed('phantom', '--out', out, '--patients', 2)
    first = content(out)
    succeed('phantom', '--out', tmp_path / 'elsewhere', '--patients', 2)
    assert content(tmp_path / 'elsewhere') == first


def test_studies_of_an_earlier_phantom_do_not_stay_among_the_new(fake_phantom, succeed, out):
    for patients in (3, 2):
        succeed('phantom', '--out', out, '--patients', patients)
    assert len(list((out / 'phantom_studies/SCD_ManualContours').iterdir())) == 2


def test_studies_of_a_phantom_stay_when_other_data_take_the_place_of_its_records(
    fake_phantom, succeed, raw, out, content
):
    succeed('phantom', '--out', out, '--patients', 2)
    before = content(out / 'phantom_studies')
    succeed('sunnybrook', raw, '--out', out)
    assert content(out / 'phantom_studies') == before


def test_a_phantom_that_fails_leaves_the_earlier_one(fake_phantom, succeed, data_prep, out, content, monkeypatch):
    succeed('phantom', '--out', out, '--patients', 2)
    before = content(out)

    def full_disk(directory, patients, seed, shift):
        os.makedirs(directory)
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(studies, 'write_studies', full_disk)
    assert 'No space left on device' in data_prep('phantom', '--out', out, '--patients', 2).error
    assert content(out) == before
