# Finds a Python for an edition of TensorFlow and makes a venv of it; for scripts/setup.sh, which has said in $venv where, and
# removes what is in $made and $uv_home when it ends.

uv_version=0.6.17  # From 0.7 on, uv has no Python 3.7 to offer.

machine() {
    case $(uname -s)$(ldd --version 2>&1) in
        Linux*musl*) echo "Linux $(uname -m) with musl" ;;
        *) echo "$(uname -s) $(uname -m)" ;;
    esac
}

# The versions of Python that an edition runs on, the best first.
pythons_for() {
    case $1 in
        1.15) echo 3.7 ;;
        2.15) echo 3.11 3.10 3.9 ;;
        2) echo 3.13 3.12 3.11 3.10 3.9 ;;
    esac
}

# The one to get where none is found; on a Mac with Intel's processor, 2 is 2.15.
python_to_get_for() {
    case "$1 $(machine)" in
        '2 Darwin x86_64') echo 3.11 ;;
        *) pythons_for "$1" | sed 's/ .*//' ;;
    esac
}

# Where a Python of this version may lie, one place a line: on the PATH, and where pyenv, uv and conda keep theirs. (Under
# pyenv, a python3.7 on the PATH answers only if .python-version selects it.)
places_of() {
    printf '%s\n' "python$1" python3 python
    printf '%s\n' "${PYENV_ROOT:-${HOME-}/.pyenv}/versions/$1".*/bin/python
    printf '%s\n' "${UV_PYTHON_INSTALL_DIR:-${XDG_DATA_HOME:-${HOME-}/.local/share}/uv/python}/cpython-$1".*/bin/python
    sed 's,$,/bin/python,' "${HOME-}/.conda/environments.txt" 2>/dev/null || true
}

# Prints an edition's requirements file, if this Python can have it: requirements_for PYTHON EDITION [VERSION]
requirements_for() {
    "$1" setup/editions.py "$2" ${3-} 2>/dev/null
}

# What to do where an edition cannot be had.
advice() {
    case "$1 $(machine)" in
        *musl) echo 'Use a Linux with glibc, such as Debian.' ;;
        '1.15 Linux x86_64') echo 'Install Python 3.7 (for example: pyenv install 3.7), or take TensorFlow 2: make setup TF=2' ;;
        1.15*) echo 'Take TensorFlow 2: make setup TF=2' ;;
        *) echo "Install Python $(python_to_get_for "$1") (for example: pyenv install $(python_to_get_for "$1")), then make setup again." ;;
    esac
}

# Makes $venv for an edition; if it cannot, says why in $why.
make_venv() {
    case "$1 $(machine)" in
        *musl) why="TensorFlow has no wheels for musl, with which this Linux is built" && return 1 ;;
        '1.15 Linux x86_64') ;;
        1.15*) why="TensorFlow 1.15 has wheels for Linux on x86-64 only, and this is $(machine)" && return 1 ;;
    esac
    why=
    made=$venv
    make_venv_of_what_is_here "$1" && return
    pythons=$(pythons_for "$1" | sed 's/ /, /g')
    echo "No Python $pythons found: getting one by uv …"
    make_venv_by_uv "$(python_to_get_for "$1")" && requirements_for "$venv/bin/python" "$1" >/dev/null && return
    rm -rf "$venv"
    made=
    why="TensorFlow $1 needs Python $pythons, there is none here, and uv could not get one$why"
    return 1
}

make_venv_of_what_is_here() {
    for version in $(pythons_for "$1"); do
        while IFS= read -r python; do
            requirements_for "$python" "$1" "$version" >/dev/null || continue
            "$python" -m venv "$venv" >/dev/null 2>&1 && return
            rm -rf "$venv"
            why=" ($python is here, but \"$python -m venv\" fails: on Debian and Ubuntu, apt install python$version-venv)"
        done <<EOF
$(places_of "$version")
EOF
    done
    return 1
}

# By the uv that is here, else by one that has every Python.
make_venv_by_uv() {
    if command -v uv >/dev/null && uv venv --quiet --seed --python "$1" "$venv" 2>/dev/null; then
        return
    fi
    [ -n "$uv_home" ] || install_uv
    "$uv_home/bin/uv" venv --quiet --seed --python "$1" "$venv" 2>/dev/null
}

install_uv() {
    uv_home=$(mktemp -d .venv-uv.XXXXXX)
    python3 -m venv "$uv_home" >/dev/null 2>&1 &&
        "$uv_home/bin/pip" install --quiet "uv==$uv_version" >/dev/null 2>&1
}
