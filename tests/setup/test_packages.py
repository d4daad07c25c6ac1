"""make doctor on Python, TensorFlow and the other packages: each finding from facts that are given to it."""

import signal
import stat

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from setup import editions, packages

PINS = {'tensorflow-gpu': '1.15.0', 'numpy': '1.16.6', 'protobuf': '3.20.3', 'psutil': '7.2.2', 'h5py': '3.8.0'}
NEWEST, TF_2_15, TF_1_15 = editions.EDITIONS
WANTED = packages.Wanted(TF_1_15, PINS, 'Do: something.')


@pytest.mark.parametrize('version', [(3, 7, 17), (3, 8, 0)])
def test_python_3_7_and_3_8_are_ok(version):
    assert packages.python(version, WANTED).ok


@pytest.mark.parametrize(
    ('edition', 'version', 'ok'),
    [
        (NEWEST, (3, 13, 0), True),
        (NEWEST, (3, 10, 2), True),
        (NEWEST, (3, 9, 6), False),
        (NEWEST, (3, 14, 0), False),
        (TF_2_15, (3, 11, 7), True),
        (TF_2_15, (3, 12, 1), False),
        (TF_2_15, (3, 8, 0), False),
    ],
)
def test_tensorflow_2_has_pythons_of_its_own(edition, version, ok):
    finding = packages.python(version, WANTED._replace(edition=edition))
    assert (finding.ok, finding.stops_lab) == (ok, not ok)


@pytest.mark.parametrize('version', [(3, 6, 15), (3, 9, 1), (3, 11, 2)])
def test_another_python_stops_the_lab_and_the_line_says_what_to_do(version):
    do = packages.what_to_do(TF_1_15, version[:2], None)
    finding = packages.python(version, WANTED._replace(do=do))
    assert not finding.ok and finding.stops_lab
    assert finding.text.startswith(f'Python {".".join(map(str, version))}; 3.7 is wanted')
    assert 'source .venv/bin/activate' in finding.text


@pytest.mark.parametrize(
    ('edition', 'python', 'tf', 'do'),
    [
        (TF_1_15, (3, 7), None, 'python -m pip install -r requirements.txt'),
        (NEWEST, (3, 12), '2', 'python -m pip install -r requirements-tf2.txt'),
        (TF_2_15, (3, 9), '2', 'python -m pip install -r requirements-tf2.15.txt'),
        (TF_1_15, (3, 8), None, 'docs/gpu.md'),
        (TF_1_15, (3, 12), None, 'make setup, then: source .venv/bin/activate'),
        (NEWEST, (3, 7), '2', 'make setup TF=2, then: source .venv-tf2/bin/activate'),
        (TF_2_15, (3, 13), '2.15', 'make setup TF=2.15, then: source .venv-tf2.15/bin/activate'),
    ],
)
def test_what_to_do_is_of_this_python_and_this_edition(edition, python, tf, do, monkeypatch, tmp_path):
    monkeypatch.setattr(packages, 'PROJECT', tmp_path)
    assert do in packages.what_to_do(edition, python, tf)


def test_a_venv_that_is_there_is_to_be_activated(monkeypatch, tmp_path):
    monkeypatch.setattr(packages, 'PROJECT', tmp_path)
    put_python(tmp_path / '.venv-tf2', 'exit 0')
    assert packages.what_to_do(NEWEST, (3, 7), '2') == 'Do: source .venv-tf2/bin/activate'


@pytest.mark.parametrize('body', ['exit 1', None])
def test_a_venv_that_cannot_be_used_is_told_with_where_its_python_was(body, tmp_path):
    venv = tmp_path / '.venv'
    put_python(venv, body or '')
    if body is None:
        (venv / 'bin' / 'python').chmod(0o600)
    (venv / 'pyvenv.cfg').write_text('home = /root/python3.7/bin\n')
    finding = packages.environment(venv)
    assert not finding.ok and finding.stops_lab
    assert finding.text.startswith('.venv: its Python from /root/python3.7/bin is gone,')
    assert 'not yours to run' in finding.text and 'Remove .venv or move it away' in finding.text


def test_no_venv_and_one_that_runs_need_no_line(tmp_path):
    put_python(tmp_path / '.venv', 'exit 0')
    assert packages.environment(tmp_path / '.venv') is None
    assert packages.environment(tmp_path / '.venv-tf2') is None


def put_python(venv, body):
    (venv / 'bin').mkdir(parents=True)
    return program(venv / 'bin' / 'python', body)


def program(path, body):
    path.write_text(f'#!/bin/sh\n{body}\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_wanted_versions_are_those_of_the_requirements(root):
    pins = packages.wanted_versions((root / 'requirements.txt').read_text(encoding='utf-8'))
    assert {name: pins[name] for name in ('tensorflow-gpu', 'numpy', 'protobuf')} == {
        'tensorflow-gpu': '1.15.0',
        'numpy': '1.16.6',
        'protobuf': '3.20.3',
    }


def test_comments_in_the_requirements_are_no_versions():
    assert packages.wanted_versions('# a==1\nb==2.0  # c==3\n') == {'b': '2.0'}


def test_tensorflow_is_asked_for_its_version_and_its_cuda():
    found = packages.probe()
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
    python = program(tmp_path / 'python', body)
    assert error in packages.probe(str(python))['error']


def test_tensorflow_that_cannot_be_imported_stops_the_lab():
    finding = packages.tensorflow({'error': 'Descriptors cannot not be created directly.'}, WANTED)
    assert not finding.ok and finding.stops_lab
    assert 'cannot be imported: Descriptors cannot not be created directly. ' in finding.text


@pytest.mark.parametrize(('version', 'ok'), [('1.15.0', True), ('1.15.5', True), ('1.14.0', False), ('2.4.1', False)])
def test_any_1_15_will_do(version, ok):
    finding = packages.tensorflow({'version': version, 'cuda': '10'}, WANTED)
    assert (finding.ok, finding.stops_lab) == (ok, not ok)


@pytest.mark.parametrize(('version', 'ok'), [('2.21.0', True), ('2.21.1', True), ('2.20.0', False), ('1.15.0', False)])
def test_tensorflow_2_is_wanted_where_it_was_asked_for(version, ok):
    wanted = packages.Wanted(NEWEST, {'tensorflow': '2.21.0'}, 'Do: something.')
    assert packages.tensorflow({'version': version, 'cuda': None}, wanted).ok == ok


def test_packages_of_tensorflow_2_are_told_likewise():
    pins = {'tensorflow': '2.21.0', 'tf_keras': '2.21.0', 'numpy': '2.2.6', 'psutil': '7.2.2'}
    wanted = packages.Wanted(NEWEST, pins, 'Do: something.')
    texts = [finding.text for finding in packages.packages(wanted, pins.get)]
    assert texts == ['numpy 2.2.6', 'the other 2 packages of requirements-tf2.txt']
    *_, others = packages.packages(wanted, {**pins, 'tf_keras': None}.get)
    assert others.stops_lab and others.text.startswith('not installed: tf_keras.')


@pytest.mark.parametrize(
    ('version', 'edition'),
    [
        ('1.15.5', TF_1_15),
        ('2.15.1', TF_2_15),
        ('2.21.0', NEWEST),
        ('2.16.2', NEWEST),
        ('1.14.0', None),
        ('2.4.1', None),
    ],
)
def test_a_tensorflow_that_is_found_says_which_edition_it_is(version, edition):
    assert editions.edition_of(version) == edition


def test_packages_as_wanted_take_three_lines():
    findings = packages.packages(WANTED, PINS.get)
    assert [finding.text for finding in findings] == [
        'numpy 1.16.6',
        'protobuf 3.20.3',
        'the other 2 packages of requirements.txt',  # psutil and h5py
    ]
    assert all(finding.ok for finding in findings)


def test_another_version_is_not_ok_and_does_not_stop_the_lab():
    numpy, _, others = packages.packages(WANTED, {**PINS, 'numpy': '1.21.6', 'h5py': '2.10.0'}.get)
    assert not numpy.ok and not numpy.stops_lab
    assert numpy.text.startswith('numpy 1.21.6; 1.16.6 is wanted.')
    assert not others.ok and not others.stops_lab
    assert others.text.startswith('h5py 2.10.0 (3.8.0 is wanted).')


def test_a_package_that_the_lab_imports_and_does_not_find_stops_it():
    *_, others = packages.packages(WANTED, {**PINS, 'psutil': None}.get)
    assert not others.ok and others.stops_lab
    assert others.text.startswith('not installed: psutil.')


def test_a_package_that_the_lab_can_do_without_does_not_stop_it():
    *_, others = packages.packages(WANTED, {**PINS, 'h5py': None}.get)
    assert not others.ok and not others.stops_lab


def test_an_installed_version_is_found_whatever_the_case_of_the_name():
    assert packages.installed_version('NumPy') == np.__version__
    assert packages.installed_version('no-such-package') is None
