"""Grades a submission for Classroom 50, which runs this in the student's checkout and reads result.json and a text.

Its contract: foundation50/classroom50, wiki, Advanced Autograding. What grades is the lab in the folder beside this
file; nothing of the student's checkout but exercises/ is looked at.
"""

import datetime
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict

BUNDLE = Path(os.environ.get('CLASSROOM50_BUNDLE_DIR') or Path(__file__).resolve().parent)
STUDENT = 'student'


def main() -> None:
    """Leaves result.json and release-body.md in the student's checkout."""
    lab = BUNDLE / 'lab'
    if importlib.util.find_spec('tensorflow') is None:
        requirements = lab / 'requirements-tf2.txt'
        subprocess.run([sys.executable, '-m', 'pip', 'install', '--quiet', '-r', str(requirements)], check=True)
    with tempfile.TemporaryDirectory() as folder:
        submission = Path(folder, 'submissions', STUDENT)
        submission.mkdir(parents=True)
        for path in Path('exercises').glob('*/*.py'):
            if path.is_file() and not path.is_symlink():
                place = submission / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(path.read_bytes())
        out = Path(folder, 'out')
        command = [sys.executable, 'scripts/grade.py', '--submissions', str(submission.parent), '--out', str(out)]
        seed = lab / 'seed'
        command += ['--seed', seed.read_text().strip()] if seed.exists() else []
        subprocess.run(command, cwd=str(lab), env={**os.environ, 'PYTHONPATH': str(lab)}, check=True)
        graded = json.loads((out / 'results' / STUDENT / 'results.json').read_text(encoding='utf-8'))
        told = (out / 'feedback' / f'{STUDENT}.md').read_text(encoding='utf-8')
    Path('result.json').write_text(json.dumps(result(graded), indent=2), encoding='utf-8')
    Path('release-body.md').write_text(told, encoding='utf-8')


def result(graded: Dict[str, Any]) -> Dict[str, Any]:
    """Gradescope's results in the form classroom50/result/v1."""
    tests = [
        {
            'test-name': test['name'],
            'passed': test['status'] == 'passed',
            'score': test['score'],
            'max-score': test['max_score'],
        }
        for test in graded['tests']
    ]
    names = {'submission': 'SUBMISSION_TAG', 'commit': 'COMMIT_URL', 'release': 'RELEASE_URL'}
    return {
        'schema': 'classroom50/result/v1',
        'classroom': os.environ['CLASSROOM'],
        'assignment': os.environ['ASSIGNMENT'],
        **{field: os.environ[name] for field, name in names.items()},
        'review': os.environ.get('REVIEW_URL') or os.environ['COMMIT_URL'],
        'datetime': datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ'),
        'score': sum(test['score'] for test in tests),
        'max-score': sum(test['max-score'] for test in tests),
        'tests': tests,
    }


if __name__ == '__main__':
    main()
