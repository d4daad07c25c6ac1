#!/usr/bin/env bash
# Makes the lab's Python: a venv with TensorFlow and what belongs to it. Does nothing where that is there already.
# Usage: [TF=1|1.15|2|2.15] [GPU=1] [EXTRA=search|nifti|notebook] [WHEELS=FOLDER] setup.sh [REQUIREMENTS_FILE | wheels]
# TF=1 lies in .venv, TF=2 in .venv-tf2. Without TF, where 1.15 cannot be had, .venv becomes a link to .venv-tf2.
# Removes nothing but what it has made itself. Keeps to what macOS has: bash 3.2, POSIX's tools.
set -eu
cd "$(dirname "$0")/.."
[ ! -L .lab ] || cd -P .lab  # On a desk away from the lab (setup/desk.py).
. setup/venv.sh

made=              # What goes again if this run fails: the venv that it has made,
uv_home=           # a folder for uv (which goes in any case);
link_taken=        # and what comes back: the link .venv, taken away to make place.

fail() {
    echo "ERROR: $1" >&2
    exit 1
}

clean_up() {
    [ -z "$made" ] || rm -rf "$made"
    [ -z "$uv_home" ] || rm -rf "$uv_home"
    [ -z "$link_taken" ] || ln -s "$link_taken" .venv
}
trap clean_up EXIT

# --- A venv that is there already

# Ends with the reason if $venv cannot serve an edition here.
check_venv() {
    if ! "$venv/bin/python" -c '' 2>/dev/null; then
        home=$(sed -n 's/^home = //p' "$venv/pyvenv.cfg" 2>/dev/null || true)
        fail "$venv cannot be used: its Python${home:+ from $home} is gone, another machine's, or not yours to run. $(remedy)"
    fi
    if ! requirements_for "$venv/bin/python" "$1" >/dev/null; then
        fail "$venv has $("$venv/bin/python" --version 2>&1), and TensorFlow $1 does not run on that. $(remedy)"
    fi
    folder=
    [ ! -s "$venv/lab-installed" ] || IFS= read -r folder <"$venv/lab-installed"
    if [ -n "$folder" ] && [ "$folder" != "$(pwd -P)" ]; then
        desk="For a desk of your own that uses that lab: make -C $folder desk. Else: "
        [ -e "$folder/scripts/desk.py" ] || desk=
        fail "$venv belongs to the lab in $folder, and a venv cannot be moved. $desk$(remedy)"
    fi
}

remedy() {
    if [ -w . ]; then
        echo "Remove it (rm -r $venv) or move it away, then run make setup again."
    else
        echo "Ask who set up $(pwd) to do: make install PREFIX=folder (see docs/instructor.md). Or copy the lab without $venv to a folder of your own, and run make setup there."
    fi
}

# --- Filling it

# Installs a requirements file, and the lab itself beside it, unless just that was done before.
install() {
    stamp=$venv/$2
    [ "$(cat "$stamp" 2>/dev/null)" != "$(pwd -P && cat "$1" pyproject.toml)" ] || return 0
    [ -w "$venv" ] || fail "$1 is not installed in $(pwd -P)/$venv, or not as it stands now, and that is not yours to change. Ask who installed it to do: make install PREFIX=$(pwd -P)"
    quiet=--quiet
    [ ! -t 1 ] || quiet=  # On a terminal, pip shows how far it has come.
    echo "Installing $1 into $venv$(size_of "$1") …"
    pip_install $quiet --requirement "$1"
    [ "$2" != lab-installed ] || pip_install --quiet --no-deps --no-build-isolation --editable .
    { pwd -P && cat "$1" pyproject.toml; } >"$stamp"
}

pip_install() {
    "$venv/bin/python" -m pip install --disable-pip-version-check ${WHEELS:+--no-index "--find-links=$WHEELS"} "$@" ||
        fail "pip could not install all of it, for the reason above. When that is mended, run make setup again."
}

fetch_wheels() {
    echo "Fetching all that $1 lists into wheels/ …"
    "$venv/bin/python" -m pip wheel --quiet --disable-pip-version-check --wheel-dir wheels --requirement "$1" \
        ${EXTRA:+--requirement "requirements-$EXTRA.txt"} ||
        fail "pip could not fetch all of it, for the reason above. When that is mended, run make wheels again."
    echo "For machines with this system and Python that have no network: copy wheels/ there, then: make setup WHEELS=wheels"
}

size_of() {
    case $1 in
        requirements.txt) echo ' (the first time some 450 MB, a few minutes)' ;;
        requirements-search.txt) echo ' (the first time some 50 MB, half a minute)' ;;
        requirements-notebook.txt) echo ' (the first time some 50 MB, a minute)' ;;
        requirements-tf2*) echo ' (the first time up to 700 MB, a few minutes)' ;;
    esac
}

install_cuda() {
    tensorflow=$(sed -n 's/^tensorflow==\([0-9.]*\).*/\1/p' "$1")
    [ "$(cat "$venv/cuda-installed" 2>/dev/null)" != "$tensorflow" ] || return 0
    echo "Installing NVIDIA's CUDA for TensorFlow $tensorflow into $venv (some 2.5 GB) …"
    pip_install --quiet "tensorflow[and-cuda]==$tensorflow"
    echo "$tensorflow" >"$venv/cuda-installed"
}

# --- What is asked for

case ${TF-} in
    '' | 1 | 1.15) edition=1.15 venv=.venv ;;
    2 | 2.15) edition=$TF venv=.venv-tf$TF ;;
    *) fail "TF=$TF: there is TF=1 (or 1.15), TF=2 (the newest) and TF=2.15; without TF, 1.15 where it can be had, else 2." ;;
esac
case ${GPU-} in
    '') ;;
    1)
        [ $venv != .venv ] || fail 'GPU=1 goes with TF=2: make setup TF=2 GPU=1. What 1.15 needs is told in docs/gpu.md.'
        [ "$(machine)" = 'Linux x86_64' ] || fail "GPU=1 is for Linux on x86-64, where TensorFlow knows CUDA, and this is $(machine)."
        ;;
    *) fail "GPU=$GPU: there is only GPU=1, which installs NVIDIA's CUDA." ;;
esac
case ${EXTRA-} in
    '' | search | nifti | notebook) ;;
    *) fail "EXTRA=$EXTRA: there is EXTRA=search (make search), EXTRA=nifti (data_prep nifti) and EXTRA=notebook (make notebook)." ;;
esac
[ -z "${WHEELS-}" ] || [ -d "$WHEELS" ] || fail "WHEELS=$WHEELS: no such folder. Make one where there is a network, with make wheels."

# .venv is a link where an earlier run has found that 1.15 cannot be had.
linked=$(readlink .venv || true)
case $linked in .venv-tf*) ;; *) linked= ;; esac
if [ $venv = .venv ] && [ -n "$linked" ]; then
    if [ -z "${TF-}" ]; then
        edition=${linked#.venv-tf} venv=$linked
    else
        rm .venv
        link_taken=$linked
    fi
fi

# --- Doing it

get_venv() {
    if [ -e "$venv" ] || [ -L "$venv" ]; then
        check_venv "$1"
    else
        make_venv "$1"
    fi
}

no_1_15=
if ! get_venv $edition; then
    [ -z "${TF-}" ] || fail "$why. $(advice $edition)"
    no_1_15=$why
    edition=2 venv=.venv-tf2
    get_venv 2 || fail "$no_1_15; $why. $(advice 2)"
    echo "$no_1_15: taking TensorFlow 2, in $venv, to which .venv leads."
fi

requirements=$(requirements_for "$venv/bin/python" $edition)
if [ "${1-}" = wheels ]; then
    fetch_wheels "$requirements"
elif [ $# -gt 0 ]; then
    install "$1" dev-installed
else
    install "$requirements" lab-installed
    [ -z "${GPU-}" ] || install_cuda "$requirements"
    [ -z "${EXTRA-}" ] || install "requirements-$EXTRA.txt" "$EXTRA-installed"
fi

if [ -n "$no_1_15" ]; then
    echo "$no_1_15" >$venv/instead-of-1.15  # For make doctor.
    ln -s $venv .venv
fi
made= link_taken=  # All went well.
