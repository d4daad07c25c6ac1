#!/usr/bin/env bash
# Makes .venv with Python 3.7: usage: setup.sh [REQUIREMENTS_FILE]
# Takes the first Python 3.7 that it finds; where there is none, gets one by uv.
set -eu
cd "$(dirname "$0")/.."
requirements=${1:-requirements.txt}

is_python_3_7() {
    "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 7))' 2>/dev/null
}

make_venv() {
    # Under pyenv, python3.7 answers only because .python-version selects it.
    for python in python3.7 python3 python; do
        if is_python_3_7 "$python"; then
            "$python" -m venv .venv
            return
        fi
    done

    echo 'No Python 3.7 found: getting one by uv …'
    if command -v uv >/dev/null; then
        uv venv --quiet --seed --python 3.7 .venv && return
    elif python3 -m venv .venv-uv && .venv-uv/bin/pip install --quiet uv; then
        .venv-uv/bin/uv venv --quiet --seed --python 3.7 .venv && return
    fi
    echo 'ERROR: TensorFlow 1.15 needs Python 3.7, there is none here, and uv could not get one.' >&2
    echo 'Install Python 3.7 (for example: pyenv install 3.7, or conda create -n lab python=3.7), then run make setup again.' >&2
    return 1
}

if ! is_python_3_7 .venv/bin/python; then
    rm -rf .venv
    make_venv
fi
quiet=--quiet
[ -t 1 ] && quiet=  # On a terminal, pip shows how far it has come.
size=
[ "$requirements" != requirements.txt ] || size=' (the first time some 450 MB, a few minutes)'
echo "Installing $requirements into .venv$size …"
.venv/bin/python -m pip install $quiet --disable-pip-version-check --requirement "$requirements"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
