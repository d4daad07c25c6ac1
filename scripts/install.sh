#!/usr/bin/env bash
# Installs one lab for many users, who cannot change it, and lay desks of their own by it (setup/desk.py). Done again, it
# brings the lab up to date and keeps its Python and its data.
# Usage: [PREFIX=FOLDER] [TF=1|1.15|2|2.15] [EXTRA=search|nifti] [WHEELS=FOLDER] install.sh
set -eu
cd "$(dirname "$0")/.."
. setup/venv.sh
umask 022
prefix=${PREFIX:-/opt/lab}
case ${TF-} in
    '') editions='1.15 2' venv=.venv ;;
    1 | 1.15) editions=1.15 venv=.venv ;;
    *) editions=$TF venv=.venv-tf$TF ;;
esac

fail() {
    echo "ERROR: $1" >&2
    exit 1
}

# Whether others may enter a folder: each on the way lets them.
is_for_all() {
    folder=$1
    while [ "$folder" != / ]; do
        [ -n "$(find "$folder" -prune -perm -001)" ] || return 1
        folder=$(dirname "$folder")
    done
}

# Prints the Python that the set-up would take, if one is here.
python_here() {
    for edition in $editions; do
        for version in $(pythons_for "$edition"); do
            while IFS= read -r python; do
                ! requirements_for "$python" "$edition" "$version" >/dev/null || { echo "$python" && return; }
            done <<END
$(places_of "$version")
END
        done
    done
}

# Where others may not read the Python that is here, a copy of it comes first on the PATH.
bring_python() {
    python=$(python_here)
    [ -n "$python" ] || return 0  # The set-up gets one by uv, or says what to do.
    lies=$("$python" -c 'import os, sys; print(os.path.realpath(sys.base_prefix))')
    if ! is_for_all "$lies"; then
        echo "Others may not read $lies: copying the Python there to $prefix/python …"
        rm -rf "$prefix/python"
        "$python" setup/relocating.py "$prefix/python" ||
            fail "the Python in $lies cannot be copied. Install one that all may run (PYENV_ROOT=/opt/pyenv pyenv install 3.7), put it first on the PATH, and do make install again."
        lies=$prefix/python
    fi
    PATH=$lies/bin:$PATH
}

[ -d exercise_solutions ] || fail "exercise_solutions/ is not here, from which the exercises are made. Take the whole lab."
case $prefix in /*) ;; *) fail "PREFIX=$prefix: a folder from the root on is wanted, such as /opt/lab." ;; esac
[ "$(pwd -P)" != "$prefix" ] || fail "PREFIX=$prefix is the folder of this lab itself. Give another, such as /opt/lab."
[ -e "$prefix/one-for-many" ] || [ -z "$(ls -A "$prefix" 2>/dev/null)" ] ||
    fail "$prefix holds something else than an installed lab. Give a new folder: make install PREFIX=folder"
mkdir -p "$prefix" 2>/dev/null && [ -w "$prefix" ] ||
    fail "$prefix cannot be written. Do this as root, or give a folder of yours that all may read: make install PREFIX=folder"
is_for_all "$prefix" || fail "others may not enter $prefix. Give a folder that they may, or: chmod a+x $prefix and those above it."
echo 'This lab is installed for many by make install.' >"$prefix/one-for-many"

[ -e "$prefix/$venv/bin/python" ] || bring_python
python=$(command -v "$prefix/$venv/bin/python" python3.7 python3 python | head -n 1)
parts=$("$python" -c 'from classroom.packing import TAKE_HOME; print(*{*TAKE_HOME, "exercise_solutions"} - {"exercises"})')
for part in $parts; do
    rm -rf "${prefix:?}/$part"
    cp -R "$part" "$prefix/"
done
[ -e "$prefix/data" ] || [ ! -d data ] || cp -R data "$prefix/"
[ -z "${WHEELS-}" ] || WHEELS=$(cd "$WHEELS" && pwd)

cd "$prefix"
UV_PYTHON_INSTALL_DIR=$prefix/python scripts/setup.sh
python=$venv/bin/python
rm -rf exercises
"$python" scripts/make_exercises.py
[ -e data ] || "$python" -m data_prep phantom --out data
rm -rf logs
# What nobody can write later on is compiled now.
find $parts exercises -name __pycache__ -prune -exec rm -rf {} +
"$python" -m compileall -q $(for part in $parts; do [ ! -d "$part" ] || echo "$part"; done) >/dev/null
chmod -R a+rX,go-w .
echo "The lab is installed in $prefix, for all to use and none to change. Each user does: make -C $prefix desk"
