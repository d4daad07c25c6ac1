"""tuning/studies.py: addresses, what workers must agree on, and databases that cannot be used."""

from lvseg.errors import LabError

import optuna
import pytest

from tuning import studies

MADE_WITH = {'exercise': 'cnn', 'data': 'a', 'eval_every': 3, 'space': {'learning_rate': '0.1..0.3', 'num_epochs': '3'}}


def open_study(address):
    return studies.open_study(address, optuna.samplers.RandomSampler(), optuna.pruners.NopPruner())


@pytest.mark.parametrize('text', ['search.db', 'mysql://a@b/c', 'sqlite://', 'postgresql:', '', 'http://u:secret@h/x'])
def test_an_address_of_another_kind_is_refused(text):
    with pytest.raises(LabError) as error:
        studies.url(text)
    assert 'sqlite:///FILE, journal:///FILE or postgresql://USER@HOST/DATABASE is wanted' in str(error.value)
    assert 'secret' not in str(error.value)


def test_a_password_is_not_shown():
    assert studies.without_password('postgresql://me:secret@host/db') == 'postgresql://me:***@host/db'


@pytest.mark.parametrize(
    ('other', 'said'),
    [
        ({'exercise': 'simple'}, 'is of cnn, not of simple'),
        ({'data': 'b'}, 'was made with other records, or dealt otherwise by --seed'),
        ({'eval_every': 1}, 'has --eval_every 3, not 1'),
        (
            {'space': {'learning_rate': '0.1..0.5', 'num_epochs': '3'}},
            'searches another space: --learning_rate 0.1..0.3, not --learning_rate 0.1..0.5',
        ),
        ({'space': {'learning_rate': '0.1..0.3'}}, 'searches another space: --num_epochs 3, not none'),
    ],
)
def test_a_worker_that_joins_must_search_the_same(other, said, tmp_path):
    address = f'sqlite:///{tmp_path / "study.db"}'
    studies.agree(open_study(address), MADE_WITH, address)
    studies.agree(open_study(address), MADE_WITH, address)
    with pytest.raises(LabError) as error:
        studies.agree(open_study(address), {**MADE_WITH, **other}, address)
    assert str(error.value) == f'the study {address} {said}. Give the same, or another --study.'


def test_a_file_that_is_no_database_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(studies, '_SECONDS_BETWEEN_ATTEMPTS', 0)
    (tmp_path / 'study.db').write_text('these are no tables' * 100)
    (tmp_path / 'folder').mkdir()
    for name, why in (('study.db', 'file is not a database'), ('folder', 'unable to open database file')):
        with pytest.raises(LabError) as error:
            open_study(f'sqlite:///{tmp_path / name}')
        assert f'{name} cannot be used: {why}. Trials that are finished' in str(error.value)
    with pytest.raises(LabError, match='Is a directory'):
        open_study(f'journal:///{tmp_path / "folder"}')
    with pytest.raises(LabError, match='cannot be used: (Not a directory|File exists)'):
        open_study(f'sqlite:///{tmp_path / "study.db" / "x" / "study.db"}')


def test_a_database_without_rights_is_one_line(postgresql, monkeypatch):
    monkeypatch.setattr(studies, '_SECONDS_BETWEEN_ATTEMPTS', 0)
    postgresql.execute('CREATE DATABASE without_rights')
    postgresql.execute('CREATE ROLE stranger LOGIN')
    address = postgresql.address('without_rights', user='stranger')
    with pytest.raises(LabError) as error:
        open_study(address)
    # Until PostgreSQL 14 all may make tables in `public`; from 15 on only the owner of the database.
    assert str(error.value).startswith(f'the study {address} cannot be used: permission denied for schema public')
    assert '\n' not in str(error.value)


def test_a_server_that_is_not_there_and_a_database_that_is_not_are_one_line(postgresql, monkeypatch):
    monkeypatch.setattr(studies, '_SECONDS_BETWEEN_ATTEMPTS', 0)
    with pytest.raises(LabError, match='database "none" does not exist'):
        open_study(postgresql.address('none'))
    with pytest.raises(LabError, match='cannot be used: .*') as error:
        open_study('postgresql://lab:secret@127.0.0.1:1/none')
    assert '\n' not in str(error.value) and 'secret' not in str(error.value)
