"""Searches for better settings of an exercise: Optuna proposes, a plain runTraining.py tries.

Trials are compared on patients taken out of the training slices. At the end, the best settings and the exercise's own
are trained with three seeds each on all training slices, and looked at once on the held-out ones.
"""

import argparse
import importlib.util
import math
import os
import shutil
import sys
import uuid
from pathlib import Path
from typing import List, Tuple

from lvseg import flags, records
from lvseg.errors import LabError
from lvseg.layout import RECORD_FILES, record_file
from lvseg.project import DATA, LOGS, exercise_names, shown

from experiments import measuring
from experiments.folds import deal
from experiments.pool import read_pool, write_part
from tuning import space as spaces

_PACKAGES = ('optuna', 'plotly', 'sklearn', 'psycopg2')
_INNER_FOLDS = 5  # A fifth of the training patients tells trials apart.
_PRUNING_FACTOR = 3  # Of the trials that came so far, a third goes on, each time for three times as long.


def _parser() -> flags.Parser:
    parser = flags.Parser(
        description=__doc__.splitlines()[0],
        usage='%(prog)s EXERCISE [flags] [--FLAG VALUE | --FLAG LOW..HIGH | --FLAG A,B,C ...]',
        epilog=f'Any flag of runTraining.py can be fixed, or given a range or a choice; else {shown(spaces.SPACES)} '
        'says what is tried.',
    )
    add = parser.add_argument
    add('exercise', metavar='EXERCISE', choices=exercise_names(), help=f'one of {", ".join(exercise_names())}')
    add('--mine', action='store_true', help='your own network (default: that of the solution)')
    add('--trials', type=flags.positive_int, default=20, help='how many the study is to have, by all workers together')
    add(
        '--minutes',
        type=_minutes,
        help='after which this worker starts no more trials and ends its own (default: none)',
    )
    add('--jobs', type=flags.positive_int, default=1, help='trials at a time, of this worker')
    add(
        '--study',
        help='sqlite:///FILE, journal:///FILE or postgresql://USER@HOST/DATABASE (default: a SQLite in --out)',
    )
    add('--data_dir', type=flags.directory, default=str(DATA), help='directory of the record files and manifest.csv')
    add('--out', type=flags.directory, help='directory of the trials and results (default: logs/search/EXERCISE)')
    add('--space', type=flags.path, default=str(spaces.SPACES), help='the file that says what is tried')
    add('--eval_every', type=flags.positive_int, help='epochs between two looks at a trial (default: a tenth of them)')
    add('--seed', type=flags.seed, default=1, help='of every trial, and of the choice of the inner patients')
    add('--sampler', choices=['tpe', 'random'], default='tpe', help='random: no learning and no pruning, to compare')
    return parser


def _minutes(text: str) -> float:
    return flags.number(text, float, lambda value: 0 < value < math.inf, 'a finite number above 0')


def _parse(arguments: List[str]) -> Tuple[argparse.Namespace, List[str]]:
    return _parser().parse_known_args(arguments)


def inner_split(data_dir: Path, out: Path, seed: int) -> Path:
    """Records of the training slices alone, a fifth of their patients for validation; made once.

    Raises:
        LabError: no manifest, or all slices are of one patient; the folder cannot be written.
    """
    folder = out / f'inner-{measuring.fingerprint(data_dir)[:8]}-seed-{seed}'
    if folder.is_dir():
        return folder
    pool = read_pool(data_dir, splits=['train'])
    if len(pool.patients) < 2:
        raise LabError(
            f'the training slices of {data_dir} are all of one patient; a search wants two patients or more.'
        )
    held_out = deal(pool.patients, min(_INNER_FOLDS, len(pool.patients)), seed)[0]
    made = out / f'.{folder.name}-{uuid.uuid4().hex}'  # Other workers may be about to do the same.
    try:
        write_part(pool, held_out, made)
        os.replace(str(made), str(folder))
    except OSError as error:
        if not folder.is_dir():
            raise LabError(f'cannot write to {out}: {error.strerror}. Choose another --out.') from None
    finally:
        shutil.rmtree(str(made), ignore_errors=True)
    return folder


def _check_optuna() -> None:
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise LabError(
            f'the search wants an extra ({", ".join(missing)} not found). Install it: make setup EXTRA=search'
        )


def main() -> None:
    """Searches."""
    args, words = _parse(sys.argv[1:])
    data_dir = Path(args.data_dir)
    of = spaces.exercise(args.exercise, args.mine)
    space = spaces.make(of, {**spaces.read(Path(args.space), args.exercise), **spaces.given(words)})
    eval_every = spaces.epochs_between_evaluations(space, of, args.eval_every)
    _check_optuna()
    for split in RECORD_FILES:
        records.count(record_file(str(data_dir), split))  # The last of the search would find that one is missing.
    out = Path(args.out) if args.out else LOGS / 'search' / (args.exercise + '-mine' * args.mine)
    inner_dir = inner_split(data_dir, out, args.seed)
    _search(args, of, space, eval_every, inner_dir, out)


def _search(
    args: argparse.Namespace, of: spaces.Exercise, space: spaces.Space, eval_every: int, inner_dir: Path, out: Path
) -> None:
    # Not at the top: an extra.
    import optuna

    from tuning import reports, studies
    from tuning.look import Look
    from tuning.trials import Setting, as_typed
    from tuning.worker import Limits, Worker, best

    address = studies.url(args.study or f'sqlite:///{out / "study.db"}')
    if args.sampler == 'random':
        sampler, pruner = optuna.samplers.RandomSampler(), optuna.pruners.NopPruner()
    else:
        # What other workers are trying is taken to be poor, so that not all try the same.
        sampler = optuna.samplers.TPESampler(constant_liar=True)
        pruner = optuna.pruners.SuccessiveHalvingPruner(eval_every, _PRUNING_FACTOR)
    epochs = spaces.num_epochs(space, of)
    setting = Setting(of.folder / 'runTraining.py', inner_dir, epochs, eval_every, args.seed)
    limits = Limits(args.trials, args.minutes and args.minutes * 60, args.jobs)
    made_with = {
        'exercise': ('your ' if args.mine else '') + of.name,
        'data': inner_dir.name,
        'eval_every': eval_every,
        'space': space.told(),
    }

    study = studies.open_study(address, sampler, pruner)
    with studies.explaining(address):
        studies.agree(study, made_with, address)
        Worker(study, space, setting, limits, out).run()
        reports.write(study, out)
        trials = study.get_trials(deepcopy=False)
        chosen = best(study)
        at_work = sum(trial.state == optuna.trial.TrialState.RUNNING for trial in trials)
    if chosen is None and not at_work:
        raise LabError(_none_done(trials))
    print(
        f'\n{reports.top(trials)}\n\nAll trials are in {shown(out / reports.CSV_FILE)}, plots in '
        f'{shown(out / reports.HTML_FILE)}; make tensorboard shows each.'
    )
    if at_work:
        print(
            f'{at_work} trials still run elsewhere. After the last one, the same command looks at the held-out slices.'
        )
        return
    rows = Look(of, space, Path(args.data_dir), out).take(chosen, inner_dir, args.seed)
    print(
        f'\nDice on the inner validation slices and, looked at once, on the held-out ones:\n\n{reports.looked(rows)}\n'
        'The first column chose the settings, and so is hopeful; the mean is what to believe.\n'
    )
    data = [] if Path(args.data_dir) == DATA else ['--data_dir', shown(Path(args.data_dir))]
    print(as_typed([shown(setting.program), *data, *space.flags(chosen.params)]))


def _none_done(trials: List) -> str:
    """What to do where no trial came to its end."""
    from tuning import reports

    diverged = sum(trial.user_attrs.get(reports.ENDED) == reports.DIVERGED for trial in trials)
    if diverged:
        return (
            f'no trial came to its end, {diverged} of {len(trials)} have diverged. Search lower rates, such as '
            '--learning_rate 1e-5..1e-3, with another --study.'
        )
    return f'none of {len(trials)} trials came to its end in this time. Give more --minutes, or fewer --num_epochs.'
