import csv
import os

from lvseg import manifest
from lvseg.errors import LabError
from lvseg.manifest import Row, Spacing

import pytest


@pytest.mark.parametrize(
    ('spacing', 'text'),
    [(Spacing(1.25, 1.25), '1.25'), (Spacing(1.5, 1.25), '1.5\\1.25'), (Spacing(1.367, 1.367), '1.367'), (None, '')],
)
def test_a_spacing_is_read_as_it_was_written(spacing, text):
    assert manifest.spacing_text(spacing) == text
    assert manifest.spacing({'pixel_spacing': text}) == spacing


@pytest.mark.parametrize('text', [None, 'x', '0', '-1', 'nan', 'inf', '1\\', '1\\0', '1\\1\\1', '1,25'])
def test_what_is_no_spacing_is_unknown(text):
    assert manifest.spacing({'pixel_spacing': text}) is None


def test_a_manifest_of_before_there_was_the_column_tells_no_spacing():
    assert manifest.spacing({'split': 'val', 'name': 'a'}) is None


def test_the_lines_of_a_split_are_those_of_its_records_in_their_order(tmp_path):
    (tmp_path / 'manifest.csv').write_text('split,name,lv_pixels\ntrain,a,1\nval,b,2\ntrain,c,3\nskipped,d,\n')
    lines = manifest.lines(str(tmp_path), 'train')
    assert [line['name'] for line in lines] == ['a', 'c']
    assert [line['name'] for line in manifest.lines(str(tmp_path), 'eval')] == ['b']
    assert manifest.fits(lines, [1, 3])
    assert not manifest.fits(lines, [3, 1]) and not manifest.fits(lines, [1])


def test_what_is_written_is_read_again(tmp_path):
    rows = [
        Row('train', 'a, b', 'p', 'a.png', 'm/a.png', 4, '1.5\\1.25'),
        Row('val', os.fsdecode(b'\xff'), 'p', 'b.png', 'm/b.png', 0),
        Row('skipped', 'c', 'q', 'c.png', '', bad_file='c.png', reason='is "damaged"'),
    ]
    manifest.write(str(tmp_path / 'manifest.csv'), [row._asdict() for row in rows])
    ((train,), (val,)) = (manifest.lines(str(tmp_path), split) for split in ('train', 'eval'))
    assert dict(train) == {**rows[0]._asdict(), 'lv_pixels': '4'}
    assert dict(val) == {**rows[1]._asdict(), 'lv_pixels': '0'}
    # Of a slice that is not in the records, nothing was counted.
    assert (tmp_path / 'manifest.csv').read_bytes().splitlines()[3] == b'skipped,c,q,c.png,,,,c.png,"is ""damaged"""'


@pytest.mark.parametrize('name', ['=cmd()', '+1', '-1', '@sum', '\t=1', "'=1", "''-1"])
def test_no_spreadsheet_takes_a_name_for_a_formula_and_it_is_read_as_it_was(name, tmp_path):
    row = Row('val', name, name, name, 'm.png', 1)
    manifest.write(str(tmp_path / 'manifest.csv'), [row._asdict()])
    with open(str(tmp_path / 'manifest.csv'), newline='') as file:
        assert next(csv.DictReader(file))['name'] == f"'{name}"
    (line,) = manifest.lines(str(tmp_path), 'eval')
    assert (line['name'], line['patient'], line['image']) == (name, name, name)


@pytest.mark.parametrize('name', ['=cmd()', '-IM-1', "'quoted'", "O'Brien", '1-2'])
def test_a_manifest_of_before_formulas_were_marked_is_read_as_it_stands(name, tmp_path):
    (tmp_path / 'manifest.csv').write_text(f'split,name,lv_pixels\nval,{name},2\n')
    assert [line['name'] for line in manifest.lines(str(tmp_path), 'eval')] == [name]


def test_a_line_that_ends_early_is_empty_in_the_columns_left(tmp_path):
    (tmp_path / 'manifest.csv').write_text('split,name,patient\nval,a\n')
    assert manifest.lines(str(tmp_path), 'eval') == [{'split': 'val', 'name': 'a', 'patient': ''}]


def test_the_first_line_tells_which_columns_are_written(tmp_path):
    lines = [{'split': 'val', 'name': 'a'}, {'split': 'val', 'patient': 'p'}]
    manifest.write(str(tmp_path / 'manifest.csv'), lines)
    assert (tmp_path / 'manifest.csv').read_bytes() == b'split,name\nval,a\nval,\n'


def test_without_a_manifest_there_are_no_lines(tmp_path):
    assert manifest.lines(str(tmp_path), 'train') == []


def test_a_damaged_manifest_is_refused_in_one_line(tmp_path):
    (tmp_path / 'manifest.csv').write_bytes(b'split,name\ntrain,\0\n')
    with pytest.raises(LabError, match='cannot read .*manifest.csv: line contains NUL'):
        manifest.lines(str(tmp_path), 'train')
