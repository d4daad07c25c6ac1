"""scripts/setup.sh: which Python it takes, what it installs, what it leaves behind. Only stand-ins lie on the PATH."""

import shutil

import pytest

from setup import editions

NO_1_15 = 'TensorFlow 1.15 needs Python 3.7, there is none here, and uv could not get one'


def error_of(done):
    """The one line that a set-up which fails ends with."""
    assert done.returncode != 0, done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith('ERROR: ')
    return line


def test_takes_python3_7_first(project):
    project.python('3.7')
    project.python('3.7', project.bin / 'python3')

    done = project.set_up()

    assert done.returncode == 0, done.stderr
    assert project.read('made_by') == ['python3.7']
    assert project.read('installed')[0].endswith('--requirement requirements.txt')


@pytest.mark.parametrize(
    ('requirements', 'size'),
    [('requirements.txt', ' (the first time some 450 MB, a few minutes)'), ('requirements-dev.txt', '')],
)
def test_the_size_told_is_that_of_what_is_installed(requirements, size, project):
    project.python('3.7')
    assert project.set_up(requirements).stdout == f'Installing {requirements} into .venv{size} …\n'


def test_passes_over_a_python3_7_that_does_not_answer_as_under_pyenv(project):
    project.put(project.bin / 'python3.7', '#!/bin/sh\necho "pyenv: python3.7: command not found" >&2\nexit 127\n')
    project.python('3.7', project.bin / 'python3')

    assert project.set_up().returncode == 0
    assert project.read('made_by') == ['python3']


@pytest.mark.parametrize(
    'place',
    ['.pyenv/versions/3.7.16/bin/python', '.local/share/uv/python/cpython-3.7.9-linux-x86_64-gnu/bin/python'],
)
def test_takes_python3_7_from_where_pyenv_and_uv_keep_it(place, project):
    project.python('3.12', project.bin / 'python3')
    project.python('3.7', project.home / place)

    assert project.set_up().returncode == 0
    assert project.read('installed')[0].endswith('--requirement requirements.txt')


def test_takes_python3_7_from_an_environment_of_conda(project):
    project.python('3.7', project.home / 'conda' / 'envs' / 'old' / 'bin' / 'python')
    listed = project.home / '.conda' / 'environments.txt'
    listed.parent.mkdir()
    listed.write_text(f'{project.home}/conda\n{project.home}/conda/envs/old\n')

    assert project.set_up().returncode == 0
    assert project.read('made_by') == ['python']


def test_gets_python_by_uv_where_there_is_none(project):
    project.python('3.12', project.bin / 'python3')
    project.uv('3.7')

    assert project.set_up().returncode == 0
    assert '--python 3.7' in project.read('uv_called')[0]
    assert project.read('installed')[0].endswith('--requirement requirements.txt')


def test_a_uv_too_new_to_have_python3_7_is_passed_over_for_one_that_has(project):
    project.uv('3.13')
    own = project.uv('3.7', project.folder.parent / 'own_uv')
    project.pip_brings(f'cp {own} "${{0%/pip}}/uv"')
    project.python('3.12', project.bin / 'python3')

    done = project.set_up()

    assert done.returncode == 0, done.stderr
    assert project.read('uv_installed') == ['install --quiet uv==0.6.17']
    assert project.read('installed')[0].endswith('--requirement requirements.txt')
    assert project.venvs() == ['.venv']  # The folder of its own uv is gone.


# Machine, the Pythons on the PATH, TF -> what is installed into which venv. uv has nothing to offer.
CHOSEN = [
    ('Linux x86_64', ['3.7', '3.12'], '', '.venv', 'requirements.txt'),
    ('Linux x86_64', ['3.7', '3.12'], '1', '.venv', 'requirements.txt'),
    ('Linux x86_64', ['3.7', '3.12'], '1.15', '.venv', 'requirements.txt'),
    ('Linux x86_64', ['3.7', '3.12'], '2', '.venv-tf2', 'requirements-tf2.txt'),
    ('Linux x86_64', ['3.7', '3.11', '3.13'], '2.15', '.venv-tf2.15', 'requirements-tf2.15.txt'),
    ('Linux x86_64', ['3.9', '3.10'], '2', '.venv-tf2', 'requirements-tf2.txt'),
    ('Linux x86_64', ['3.9', '3.14'], '2', '.venv-tf2', 'requirements-tf2.15.txt'),
    ('Linux aarch64', ['3.11'], '2', '.venv-tf2', 'requirements-tf2.txt'),
    ('Darwin arm64', ['3.9'], '2', '.venv-tf2', 'requirements-tf2.15.txt'),
    ('Darwin arm64', ['3.9', '3.13'], '2', '.venv-tf2', 'requirements-tf2.txt'),
    ('Darwin x86_64', ['3.11', '3.13'], '2', '.venv-tf2', 'requirements-tf2.15.txt'),
]


@pytest.mark.parametrize(('machine', 'pythons', 'tf', 'venv', 'requirements'), CHOSEN)
def test_the_edition_is_the_one_asked_for_with_the_newest_python_that_it_has_wheels_for(
    machine, pythons, tf, venv, requirements, project
):
    project.machine(machine)
    for version in pythons:
        project.python(version)

    done = project.set_up(TF=tf)

    assert done.returncode == 0, done.stderr
    assert project.venvs() == [venv]
    assert project.read('installed')[0].endswith(f'--requirement {requirements}')
    assert done.stdout.startswith(f'Installing {requirements} into {venv} (')


# Machine, the Pythons there -> why 1.15 cannot be had.
FALLEN_BACK = [
    ('Linux x86_64', ['3.12'], NO_1_15),
    (
        'Linux aarch64',
        ['3.7', '3.11'],
        'TensorFlow 1.15 has wheels for Linux on x86-64 only, and this is Linux aarch64',
    ),
    ('Darwin arm64', ['3.7', '3.13'], 'TensorFlow 1.15 has wheels for Linux on x86-64 only, and this is Darwin arm64'),
]


@pytest.mark.parametrize(('machine', 'pythons', 'why'), FALLEN_BACK)
def test_without_tf_a_machine_that_cannot_have_1_15_gets_2_and_one_line_that_says_why(machine, pythons, why, project):
    project.machine(machine)
    for version in pythons:
        project.python(version)

    done = project.set_up()

    assert done.returncode == 0, done.stderr
    told = f'{why}: taking TensorFlow 2, in .venv-tf2, to which .venv leads.'
    assert [line for line in done.stdout.splitlines() if '1.15' in line] == [told]
    assert project.read('installed')[0].endswith('--requirement requirements-tf2.txt')
    assert (project.folder / '.venv').resolve() == project.folder / '.venv-tf2'
    assert project.read('.venv-tf2/instead-of-1.15') == [why]


def test_what_fell_back_to_2_is_set_up_once(project):
    project.python('3.12')
    project.set_up()
    before = project.read('installed')

    again = project.set_up()

    assert (again.returncode, again.stdout, again.stderr) == (0, '', '')
    assert project.read('installed') == before
    assert project.set_up(TF='2').stdout == ''


def test_tf_1_asked_for_by_name_does_not_fall_back(project):
    project.machine('Darwin arm64')
    project.python('3.12')
    error = error_of(project.set_up(TF='1'))
    assert 'wheels for Linux on x86-64 only, and this is Darwin arm64' in error and 'make setup TF=2' in error
    assert project.venvs() == []


def test_tf_1_without_python3_7_says_what_to_install(project):
    project.python('3.12', project.bin / 'python3')
    error = error_of(project.set_up(TF='1'))
    assert error.startswith(f'ERROR: {NO_1_15}. Install Python 3.7')
    assert project.read('installed') == [] and project.venvs() == []


def test_the_link_to_2_stays_where_1_still_cannot_be_had_and_makes_place_where_it_can(project):
    project.python('3.12')
    project.set_up()

    error_of(project.set_up(TF='1'))
    assert (project.folder / '.venv').resolve() == project.folder / '.venv-tf2'

    project.python('3.7')
    assert project.set_up(TF='1').returncode == 0
    assert not (project.folder / '.venv').is_symlink()
    assert project.venvs() == ['.venv', '.venv-tf2']


@pytest.mark.parametrize(('tf', 'install'), [('2', '3.13'), ('2.15', '3.11')])
def test_an_edition_for_which_there_is_no_python_says_which_to_install(tf, install, project):
    project.python('3.7')
    error = error_of(project.set_up(TF=tf))
    assert f'TensorFlow {tf} needs Python {install}, 3.1' in error and f'Install Python {install}' in error
    assert project.venvs() == []


def test_neither_edition_to_be_had_is_one_line(project):
    error = error_of(project.set_up())
    assert NO_1_15 in error and 'TensorFlow 2 needs Python 3.13' in error
    assert project.venvs() == []


@pytest.mark.parametrize('tf', ['', '1', '2'])
def test_alpine_is_told_that_tensorflow_has_no_wheels_for_it(tf, project):
    project.machine('Linux x86_64', c_library='musl libc (x86_64)')
    assert 'musl' in error_of(project.set_up(TF=tf))


@pytest.mark.parametrize('tf', ['3', '1.14', '2.16', '-h', '2 3', '"; touch x; "'])
def test_another_tensorflow_is_refused_in_a_line_that_lists_what_there_is(tf, project):
    project.python('3.7')
    error = error_of(project.set_up(TF=tf))
    assert error.startswith(f'ERROR: TF={tf}: ') and 'TF=1 (or 1.15), TF=2 (the newest) and TF=2.15' in error
    assert project.venvs() == []


def test_both_editions_lie_side_by_side(project):
    project.python('3.7')
    project.python('3.12')
    assert project.set_up().returncode == 0
    assert project.set_up(TF='2').returncode == 0
    assert project.venvs() == ['.venv', '.venv-tf2']
    assert not (project.folder / '.venv').is_symlink()


@pytest.mark.parametrize('version', ['3.7', '3.9', '3.10', '3.11', '3.12', '3.13'])
def test_every_python_of_the_table_of_editions_is_looked_for(version, project):
    project.python(version)
    for edition in editions.EDITIONS:
        runs_it = tuple(map(int, version.split('.'))) in edition.pythons
        if edition.name != '2':  # Which may be served by 2.15.
            assert (project.set_up(TF=edition.name).returncode == 0) == runs_it


def test_a_python_whose_venv_module_is_missing_is_passed_over(project):
    project.python('3.13', has_venv=False)
    project.python('3.12')
    assert project.set_up(TF='2').returncode == 0
    assert project.read('made_by') == ['python3.12']


def test_where_only_the_venv_module_is_missing_the_line_says_so(project):
    project.python('3.12', has_venv=False)
    error = error_of(project.set_up(TF='2'))
    assert 'apt install python3.12-venv' in error
    assert project.venvs() == []


def test_the_second_time_nothing_is_done_however_the_files_are_dated(project):
    project.python('3.7')
    project.set_up()
    before = project.read('installed')
    for name in ('requirements.txt', 'pyproject.toml', 'scripts/setup.sh'):
        (project.folder / name).touch()

    again = project.set_up()

    assert (again.returncode, again.stdout, again.stderr) == (0, '', '')
    assert project.read('installed') == before


@pytest.mark.parametrize('name', ['requirements.txt', 'pyproject.toml'])
def test_what_says_what_to_install_is_installed_anew_when_it_has_changed(name, project):
    project.python('3.7')
    project.set_up()
    with (project.folder / name).open('a') as file:
        file.write('# changed\n')
    assert project.set_up().stdout.startswith('Installing requirements.txt into .venv')


@pytest.mark.parametrize('extra', ['search', 'nifti'])
def test_an_extra_is_installed_beside_the_lab_once(extra, project):
    project.python('3.7')
    assert project.make('setup', f'EXTRA={extra}').returncode == 0
    assert project.read('installed')[-1].endswith(f'--requirement requirements-{extra}.txt')
    before = project.read('installed')
    assert project.make('setup', f'EXTRA={extra}').stdout == ''
    assert project.make('setup').stdout == ''
    assert project.read('installed') == before


def test_another_extra_is_refused_in_a_line_that_lists_what_there_is(project):
    project.python('3.7')
    done = project.make('setup', 'EXTRA=$(touch made)')
    assert done.returncode != 0 and project.venvs() == []
    assert done.stderr.splitlines()[0] == (
        'ERROR: EXTRA=$(touch made): there is EXTRA=search (make search), EXTRA=nifti (data_prep nifti) and '
        'EXTRA=notebook (make notebook).'
    )
    assert not (project.folder / 'made').exists()


def test_the_lab_itself_is_installed_so_that_its_rooms_are_found_from_anywhere(project):
    project.python('3.7')
    project.set_up()
    assert project.read('installed')[1].endswith('--editable .')


def test_a_pip_that_fails_leaves_no_half_venv(project):
    project.python('3.7', pip_works='echo "ERROR: no network" >&2; false')

    done = project.set_up()

    assert done.returncode != 0
    assert done.stderr.splitlines()[-1].startswith('ERROR: pip could not install')
    assert project.venvs() == []


def test_a_pip_that_fails_leaves_an_earlier_venv_alone(project):
    python = project.python('3.7')
    project.set_up()
    project.python('3.7', pip_works='false')
    shutil.copy(str(python), str(project.folder / '.venv' / 'bin' / 'python'))
    (project.folder / 'requirements.txt').write_text('newer\n')

    assert project.set_up().returncode != 0
    assert project.venvs() == ['.venv']


def test_ctrl_c_while_it_installs_leaves_no_half_venv(project):
    project.python('3.7', pip_works='echo > begun; kill -INT $PPID; exit 1')
    assert project.set_up().returncode != 0
    assert project.read('begun') == ['']
    assert project.venvs() == []


def test_nothing_is_removed_that_others_made(project):
    (project.folder / '.venv-uv').mkdir()
    (project.folder / '.venv-mine').mkdir()
    project.python('3.12')
    error_of(project.set_up(TF='1'))
    assert project.set_up().returncode == 0
    assert project.venvs() == ['.venv', '.venv-mine', '.venv-tf2', '.venv-uv']


def test_wheels_are_fetched_for_what_the_edition_lists(project):
    project.python('3.7')
    done = project.make('wheels')
    assert done.returncode == 0, done.stderr
    assert project.read('installed')[-1].endswith('--wheel-dir wheels --requirement requirements.txt')
    assert done.stdout.splitlines()[-1].endswith('make setup WHEELS=wheels')


def test_with_wheels_nothing_is_looked_for_elsewhere(project):
    project.python('3.7')
    (project.folder / 'my wheels').mkdir()
    assert project.make('setup', 'WHEELS=my wheels').returncode == 0
    assert project.read('installed')
    assert all('--no-index --find-links=my wheels ' in line for line in project.read('installed'))


def test_a_folder_of_wheels_that_is_not_there_is_refused_before_a_venv_is_made(project):
    project.python('3.7')
    assert 'WHEELS=nowhere: no such folder' in error_of(project.set_up(WHEELS='nowhere'))
    assert project.venvs() == []
