"""For make doctor: whether Python, TensorFlow and the other packages are those that the lab wants."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

from lvseg.project import PROJECT

from setup.editions import EDITIONS, Edition, edition_for, edition_of, editions_meant, this_machine
from setup.findings import Finding

# The others TensorFlow imports, or does without.
IMPORTED_BY_THE_LAB = {'pydicom', 'Pillow', 'scipy', 'contourpy', 'tqdm', 'psutil', 'tf_keras'}

# Prints what TensorFlow says of itself, as JSON. 1.15 does not say for which CUDA it is built: its own wheels, for
# Python 3.7, for 10.0; NVIDIA's, for Python 3.8, for 11 or 12.
_PROBE = """
import json, sys
try:
    import tensorflow.compat.v1 as tf
    built = tf.sysconfig.get_build_info() if hasattr(tf.sysconfig, 'get_build_info') else {}
    cuda = built.get('cuda_version', '10' if sys.version_info < (3, 8) else '11')
    found = {
        'version': tf.__version__,
        'cuda': cuda if tf.test.is_built_with_cuda() else None,
        'capabilities': list(built.get('cuda_compute_capabilities', [])),
    }
except Exception as error:
    found = {'error': (str(error).splitlines() or [type(error).__name__])[0]}
print(json.dumps(found))
"""


class Wanted(NamedTuple):
    """What the lab wants here."""

    edition: Edition
    pins: Dict[str, str]  # The versions of the requirements file, by package.
    do: str  # What to do where something else is found.


def wanted_here(tf: Optional[str], build: Dict) -> Wanted:
    """What is wanted of the Python that runs this.

    Args:
        tf: '1', '1.15', '2' or '2.15', as asked for; None for the TensorFlow that is found, else the lab's own choice.
        build: what `probe` has found.
    """
    edition = _edition(tf, build.get('version', ''))
    pins = wanted_versions((PROJECT / edition.requirements).read_text(encoding='utf-8'))
    return Wanted(edition, pins, what_to_do(edition, sys.version_info[:2], tf))


def _edition(tf: Optional[str], found: str) -> Edition:
    python, machine = sys.version_info[:2], this_machine()
    if tf is not None:
        return edition_for(tf, python, machine) or editions_meant(tf)[0]
    if edition_of(found):
        return edition_of(found)
    has_1_15 = machine in EDITIONS[-1].machines
    return EDITIONS[-1] if has_1_15 else edition_for('2', python, machine) or EDITIONS[0]


def what_to_do(edition: Edition, python: Tuple[int, int], tf: Optional[str]) -> str:
    """What to do where a Python of this version has not what the edition wants; `tf` as for `wanted_here`."""
    if python in edition.pythons:
        return f'Do: python -m pip install -r {edition.requirements}'
    if edition.name == '1.15' and python == (3, 8):
        return "See docs/gpu.md on NVIDIA's builds."
    target, venv = ('setup', '.venv') if edition.name == '1.15' else (f'setup TF={tf or 2}', f'.venv-tf{tf or 2}')
    if runs(PROJECT / venv):
        return f'Do: source {venv}/bin/activate'
    return f'Do: make {target}, then: source {venv}/bin/activate'


def runs(venv: Path) -> bool:
    """Whether the Python of a venv can be started by this user on this machine."""
    try:
        return subprocess.run([str(venv / 'bin' / 'python'), '-c', ''], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def environment(venv: Path) -> Optional[Finding]:
    """The line on a venv that is there and cannot be used, which no Python would find out from within; else None."""
    try:
        there = venv.is_dir() or venv.is_symlink()
    except OSError:  # Python 3.7: a folder above may not be read.
        there = True
    if not there or runs(venv):
        return None
    text = (
        f"{venv.name}: its Python{_home(venv)} is gone, another machine's, or not yours to run. Remove {venv.name} or "
        'move it away, or copy the lab without it to a folder of your own; then: make setup. Of a lab for many, ask '
        'who set it up to do: make install PREFIX=folder (see docs/instructor.md)'
    )
    return Finding(False, text, stops_lab=True)


def _home(venv: Path) -> str:
    try:
        home = re.search(r'^home = (.*)$', (venv / 'pyvenv.cfg').read_text(), re.MULTILINE)
    except OSError:
        return ''
    return f' from {home.group(1)}' if home else ''


def python(version: Tuple[int, ...], wanted: Wanted) -> Finding:
    """Whether the edition runs under this Python."""
    text = f'Python {".".join(map(str, version))}'
    nvidia = ((3, 8),) if wanted.edition.name == '1.15' else ()  # NVIDIA's builds of 1.15.
    if version[:2] in wanted.edition.pythons + nvidia:
        return Finding(True, text)
    pythons = ', '.join(f'{major}.{minor}' for major, minor in wanted.edition.pythons)
    also = ' (or 3.8, see docs/gpu.md)' if nvidia else ''
    return Finding(False, f'{text}; {pythons} is wanted{also}. {wanted.do}', stops_lab=True)


def wanted_versions(requirements: str) -> Dict[str, str]:
    """The versions that a requirements file asks for, by package."""
    return dict(re.findall(r'^([\w.-]+)==([\w.]+)', requirements, re.MULTILINE))


def probe(interpreter: str = sys.executable) -> Dict:
    """What TensorFlow says of itself: its version, the CUDA that it is built for (None: for none) and the compute
    capabilities that it has code for, as 'sm_80'; or the error on importing it.
    """
    environment = {**os.environ, 'TF_CPP_MIN_LOG_LEVEL': '3'}
    done = subprocess.run(
        [interpreter, '-c', _PROBE], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    if done.returncode == -signal.SIGILL:
        return {'error': 'this processor does not have the instructions (AVX) that it is built for'}
    if done.returncode != 0:
        return {'error': f'Python dies on it, with exit status {done.returncode}'}
    return json.loads(done.stdout.decode().splitlines()[-1])


def tensorflow(build: Dict, wanted: Wanted, why: str = '') -> Finding:
    """Whether TensorFlow can be imported, and is the one that is wanted; with why it is that one."""
    version = wanted.pins['tensorflow-gpu' if wanted.edition.name == '1.15' else 'tensorflow']
    if 'error' in build:
        text = f'TensorFlow {version} is wanted, and cannot be imported: {build["error"].rstrip(".")}. {wanted.do}'
        return Finding(False, text, stops_lab=True)
    major_and_minor = version.rpartition('.')[0]
    if not build['version'].startswith(f'{major_and_minor}.'):
        return Finding(False, f'TensorFlow {build["version"]}; {version} is wanted. {wanted.do}', stops_lab=True)
    return Finding(True, f'TensorFlow {build["version"]}{why}')


def why_this_one(edition: Edition, tf: Optional[str]) -> str:
    """Why it is this edition and no other, to be put behind its version."""
    if edition.name == '1.15':
        return ': what the lab teaches'
    reason = Path(sys.prefix) / 'instead-of-1.15'
    if tf is None and (PROJECT / '.venv').is_symlink() and reason.exists():
        return f', since {reason.read_text().strip()}'
    if edition.name == '2.15' and tf == '2':
        return f': the newest for Python {sys.version_info[0]}.{sys.version_info[1]} on {this_machine()}'
    return f', as asked for by TF={tf}' if tf else ''


def packages(wanted: Wanted, installed: Callable[[str], Optional[str]]) -> List[Finding]:
    """NumPy and protobuf in a line each, all the others in one."""
    pins = wanted.pins
    alone = [name for name in ('numpy', 'protobuf') if name in pins]
    others = [name for name in pins if name not in ('tensorflow-gpu', 'tensorflow', *alone)]
    found = {name: installed(name) for name in pins}
    missing = [name for name in others if found[name] is None]
    differing = [name for name in others if found[name] not in (None, pins[name])]
    wrong = [f'not installed: {", ".join(missing)}'] if missing else []
    wrong += [f'{name} {found[name]} ({pins[name]} is wanted)' for name in differing]
    text = (
        f'{"; ".join(wrong)}. {wanted.do}'
        if wrong
        else f'the other {len(others)} packages of {wanted.edition.requirements}'
    )
    return [
        *(_package(name, found[name], wanted) for name in alone),
        Finding(not wrong, text, stops_lab=bool(IMPORTED_BY_THE_LAB.intersection(missing))),
    ]


def _package(name: str, found: Optional[str], wanted: Wanted) -> Finding:
    if found == wanted.pins[name]:
        return Finding(True, f'{name} {found}')
    text = f'{name} {found}' if found else f'{name} is not installed'
    return Finding(False, f'{text}; {wanted.pins[name]} is wanted. {wanted.do}', stops_lab=found is None)


def installed_version(package: str) -> Optional[str]:
    """The version of an installed package; None if there is none, or no telling."""
    try:
        from importlib import metadata
    except ImportError:  # Python 3.7
        try:
            import importlib_metadata as metadata
        except ImportError:
            return None
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
