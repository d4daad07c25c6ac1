"""The Makefile: what it hands on to the commands, and what it says where nothing can be run."""

import subprocess

import pytest


def test_make_help_lists_every_target_with_a_line_of_explanation(root):
    makefile = (root / 'Makefile').read_text().replace('\\\n', ' ').splitlines()
    phony = next(line for line in makefile if line.startswith('.PHONY:')).split()[1:]

    printed = subprocess.run(
        ['make', '--no-print-directory', 'help'], cwd=root, capture_output=True, text=True, check=True
    ).stdout

    explained = {line.split()[0]: line.split(None, 1)[1] for line in printed.replace('make ', '').splitlines()}
    assert sorted(explained) == sorted(phony)
    assert all(len(text) > 10 for text in explained.values())


@pytest.mark.parametrize(('tf', 'venv'), [('', '.venv'), ('1', '.venv'), ('2', '.venv-tf2'), ('2.15', '.venv-tf2.15')])
def test_every_target_takes_the_tensorflow_that_is_asked_for(tf, venv, project):
    for version in ('3.7', '3.11'):
        project.python(version)
    done = project.make('lab', f'TF={tf}')
    assert done.returncode == 0, done.stderr
    assert project.venvs() == [venv]
    assert done.stdout.splitlines()[-1] == '<scripts/lab.py>'


def test_another_tensorflow_stops_every_target(project):
    project.python('3.7')
    done = project.make('lab', 'TF=3')
    assert done.returncode != 0
    assert done.stderr.startswith('ERROR: TF=3: ')
    assert '<' not in done.stdout


@pytest.mark.parametrize(
    'typed',
    [
        'plain',
        'my data',
        "O'Brien's",
        'a "b" c',
        '$(touch made) `touch made`',
        '$(shell touch made)',
        ';touch made',
        '*',
    ],
)
def test_what_is_typed_reaches_the_command_as_one_argument_as_it_stands(typed, project):
    project.python('3.7')
    for target in ('lab', 'show'):
        done = project.make(target, f'{"SOURCE" if target == "lab" else "EXERCISE"}={typed}')
        assert done.stdout.splitlines()[-2:] == [f'<scripts/{target}.py>', f'<{typed}>']
    assert not (project.folder / 'made').exists()


def test_both_folders_of_the_challenge_reach_it(project):
    project.python('3.7')
    done = project.make('challenge', 'DATA_DIR=my data', 'CHECKPOINT_DIR=my run')
    assert done.stdout.splitlines()[-4:] == ['<--data_dir>', '<my data>', '<--checkpoint_dir>', '<my run>']


@pytest.mark.parametrize(
    ('typed', 'argument'),
    [
        ('DATA=my data', '--data'),
        ('SLICES=31:60', '--slices'),
        ('CHECKPOINT_DIR=$(x);', '--checkpoint_dir'),
        ('OUT=-o', '--out'),
    ],
)
def test_show_takes_what_its_script_takes(typed, argument, project):
    project.python('3.7')
    done = project.make('show', 'EXERCISE=cnn', typed)
    assert done.stdout.splitlines()[-3:] == ['<scripts/show.py>', '<cnn>', f'<{argument}={typed.partition("=")[2]}>']


def test_the_search_installs_what_it_wants_and_takes_what_its_script_takes(project):
    project.python('3.7')
    done = project.make('search', 'EXERCISE=cnnDice', 'TRIALS=20', 'DATA_DIR=my data', TRIALS='7', EXTRA='nifti')
    said = done.stdout.splitlines()
    assert said[-4:] == ['<scripts/search.py>', '<cnnDice>', '<--trials=20>', '<--data_dir=my data>']
    assert [line.split()[-1] for line in project.read('installed') if 'requirements-' in line] == [
        'requirements-search.txt'
    ]


def test_show_takes_nothing_from_a_shell_that_has_the_names_for_something_else(project):
    project.python('3.7')
    done = project.make('show', 'DATA=mine', OUT='/etc/passwd', SLICES='1:2', DATA='other')
    assert done.stdout.splitlines()[-2:] == ['<scripts/show.py>', '<--data=mine>']


def test_volumes_takes_the_folders_that_its_script_takes(project):
    project.python('3.7')
    done = project.make('volumes', 'CHECKPOINT_DIR=my run', 'STUDIES=$(x)', 'FOLDS=-f', 'OUT=o', FOLDS='/etc')
    assert done.stdout.splitlines()[-5:] == [
        '<scripts/measure_volumes.py>',
        '<--checkpoint_dir=my run>',
        '<--studies=$(x)>',
        '<--folds=-f>',
        '<--out=o>',
    ]


def test_volumes_takes_nothing_from_a_shell_that_has_the_names_for_something_else(project):
    project.python('3.7')
    done = project.make('volumes', 'CHECKPOINT_DIR=run', STUDIES='/etc', FOLDS='/etc', OUT='/etc')
    assert done.stdout.splitlines()[-2:] == ['<scripts/measure_volumes.py>', '<--checkpoint_dir=run>']


@pytest.mark.parametrize(
    'command',
    [
        ['lab', 'DATA=x'],
        ['check', 'EXERCISE=cnn', 'DATA=x'],
        ['show', 'SOURCE=$(shell touch made)'],
        ['help', 'source=x'],
    ],
)
def test_a_variable_that_a_target_does_not_take_is_refused_and_nothing_is_run(command, project):
    project.python('3.7')
    done = project.make(*command)
    assert done.returncode != 0
    name = command[-1].partition('=')[0]
    assert f'ERROR: make {command[0]} does not take {name}; it takes TF GPU' in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == '' and project.venvs() == [] and not (project.folder / 'made').exists()


def test_every_variable_that_a_target_takes_reaches_the_shell_through_the_environment(root):
    """Written into a recipe by make, quotes and $(…) in it would be run."""
    lines = (root / 'Makefile').read_text().splitlines()
    taken = {name for line in lines if line.startswith('TAKEN_') for name in line.split(':=')[1].split()}
    typed = next(line for line in lines if line.startswith('TYPED')).split(':=')[1].split()
    assert {'TF', 'GPU', 'WHEELS', *taken} == set(typed)
    recipes = '\n'.join(line for line in lines if line.startswith('\t'))
    assert not [name for name in typed if f'$({name})' in recipes]


def test_doctor_answers_where_there_is_no_python(project):
    done = project.make('doctor')
    assert done.returncode != 0
    assert done.stdout.splitlines()[-1].startswith(
        'NOT OK  no Python 3 that runs, neither .venv/bin/python nor python3.'
    )
    assert done.stderr.startswith('ERROR: TensorFlow 1.15 needs Python 3.7, there is none here')


def test_doctor_runs_under_python3_where_the_venv_cannot_be_used(project):
    project.python('3.12', project.bin / 'python3')
    (project.folder / '.venv').mkdir()
    done = project.make('doctor', 'TF=1')
    assert done.stderr.startswith('ERROR: .venv cannot be used')
    assert done.stdout.splitlines() == ['<scripts/doctor.py>', '<--tf>', '<1>']


def test_cuda_is_installed_where_it_is_asked_for_once(project, root):
    project.python('3.12')
    pinned = next(
        line for line in (root / 'requirements-tf2.txt').read_text().splitlines() if line.startswith('tensorflow==')
    )
    version = pinned.split()[0].partition('==')[2]

    assert project.make('setup', 'TF=2').returncode == 0
    assert not [line for line in project.read('installed') if 'and-cuda' in line]
    assert project.make('setup', 'TF=2', 'GPU=1').returncode == 0
    assert project.read('installed')[-1].endswith(f'tensorflow[and-cuda]=={version}')
    before = project.read('installed')
    assert project.make('setup', 'TF=2', 'GPU=1').stdout == ''
    assert project.read('installed') == before


@pytest.mark.parametrize(
    ('machine', 'typed', 'why'),
    [
        ('Linux x86_64', ['GPU=1'], 'GPU=1 goes with TF=2: make setup TF=2 GPU=1.'),
        ('Linux aarch64', ['TF=2', 'GPU=1'], 'GPU=1 is for Linux on x86-64'),
        ('Darwin arm64', ['TF=2', 'GPU=1'], 'GPU=1 is for Linux on x86-64'),
        ('Linux x86_64', ['TF=2', 'GPU=yes'], 'GPU=yes: there is only GPU=1'),
    ],
)
def test_cuda_that_cannot_be_had_is_refused_in_one_line(machine, typed, why, project):
    project.machine(machine)
    project.python('3.12')
    done = project.make('setup', *typed)
    assert done.returncode != 0
    assert done.stderr.startswith(f'ERROR: {why}')
    assert project.venvs() == []


def test_clean_removes_all_runs_or_by_old_1_those_moved_aside_and_by_anything_else_none(project):
    project.python('3.7')
    (project.folder / 'logs').mkdir()
    assert '<scripts/clean.py>' in project.make('clean', 'OLD=1').stdout
    refused = project.make('clean', 'OLD=yes')
    assert refused.returncode != 0 and 'ERROR: OLD=yes: there is only OLD=1' in refused.stderr
    assert (project.folder / 'logs').is_dir()
    assert project.make('clean', OLD='1').returncode == 0  # Of the shell's, which means something else.
    assert not (project.folder / 'logs').exists()


def test_doctor_and_desk_take_what_their_scripts_take(project):
    project.python('3.7')
    assert project.make('desk', 'DESK=my desk').stdout.splitlines()[-2:] == ['<scripts/desk.py>', '<my desk>']
    assert project.make('desk', DESK='other').stdout.splitlines()[-1] == '<scripts/desk.py>'


def test_tensorboard_goes_on_by_itself_or_by_hold_1_holds_the_shell_and_by_anything_else_does_neither(project):
    project.python('3.7')
    assert project.make('tensorboard').stdout.endswith('<scripts/board.py>\n')
    assert project.make('tensorboard', 'HOLD=1').stdout.endswith('<scripts/board.py>\n<--hold>\n')
    refused = project.make('tensorboard', 'HOLD=0')
    assert refused.returncode != 0 and 'ERROR: HOLD=0: there is only HOLD=1' in refused.stderr
