#!/usr/bin/env bash
# Gradescope runs this once, when it builds the machine that grades: Python with TensorFlow, where all may read it.
set -eu
cd "${AUTOGRADER:-/autograder}/source"
apt-get update -qq
apt-get install -y -qq python3 python3-venv
python3 -m venv /opt/lab-python
/opt/lab-python/bin/pip install --quiet -r lab/requirements-tf2.txt
chmod -R go-rwx lab/exercise_solutions  # A submission runs as nobody.
