"""How far volumes and ejection fractions of a trained network are off: against truth, experts, and over folds.

Phantom patients are invented for it, by a seed of their own, so that no network was trained on them; their true
volumes are known from their anatomy. With --studies, real studies that an expert outlined are measured too; with
--folds, what a cross-validation left behind. Ends with tables in Markdown; writes these, a table of the patients and
plots after Bland and Altman into --out.
"""

import csv
import tempfile
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from lvseg import by_patient, files, flags, prediction, runs
from lvseg.errors import LabError
from lvseg.prediction import Trained
from lvseg.project import LOGS, shown

from data_prep.phantom.studies import write_studies
from experiments import bland_altman, fold_areas, outlined, pumping
from experiments.pumping import Comparison, Pumped

TABLES_FILE = 'volumes.md'
FIGURES_FILE = 'volumes.json'
PATIENTS_FILE = 'patients.csv'

_COLUMNS = ['measured_on', 'case', 'by', 'edv', 'esv', 'ejection_fraction_percent']


class Part(NamedTuple):
    """What one kind of patients comes to."""

    name: str  # of its plot
    text: str  # Markdown
    comparisons: List[Comparison]  # the first is plotted
    patients: List[List[str]]  # lines of the table of patients


def on_phantoms(trained: Trained, patients: int, seed: int) -> Part:
    """Invents patients, segments them, and compares with the truth."""
    with tempfile.TemporaryDirectory() as folder:
        write_studies(folder, patients, seed)
        measured = outlined.measure(folder, trained)
    found = measured.patients
    comparisons = [
        Comparison('network', [(one.network, one.truth) for one in found]),
        Comparison("network, on the expert's slices", [(one.network_on_outlined, one.truth) for one in found]),
        Comparison("expert's contours", [(one.expert, one.truth) for one in found]),
    ]
    text = '\n\n'.join(
        [
            f'Phantom patients, {len(found)} of seed {seed}; bias ± 1.96 standard deviations:',
            pumping.table('the truth', comparisons),
            *measured.left_out,
        ]
    )
    return Part('phantoms', text, comparisons, _study_lines('phantoms', found))


def on_studies(trained: Trained, raw_dir: str) -> Part:
    """Segments real studies, and compares with the experts' contours."""
    measured = outlined.measure(raw_dir, trained)
    found = measured.patients
    if not found:
        raise LabError(f'--studies: {raw_dir} has no study to measure. {" ".join(measured.left_out)}')
    comparisons = [
        Comparison('network', [(one.network, one.expert) for one in found]),
        Comparison("network, on the expert's slices", [(one.network_on_outlined, one.expert) for one in found]),
    ]
    lines = [
        "| study | on the expert's slices: area at end-diastole, end-systole; EF (expert's) "
        '| on all slices: EDV, ESV; EF |',
        '|---|---|---|',
        *(
            f'| {one.case} | {_against(one.network_on_outlined, one.expert)} ({_percent(one.expert)}) | '
            f'{_against(one.network, one.expert)} |'
            for one in found
        ),
    ]
    several = [pumping.table('the expert', comparisons)] if len(found) > 1 else []
    text = '\n\n'.join(
        [f'Studies that an expert outlined, {len(found)}:', '\n'.join(lines), *several, *measured.left_out]
    )
    return Part('studies', text, comparisons, _study_lines('studies', found))


def on_folds(folder: Path) -> Part:
    """Compares areas over the folds of a cross-validation with the experts'."""
    found = fold_areas.measure(folder)
    if len(found) < 2:
        raise LabError(f'--folds: {folder} has {len(found)} patients outlined in two phases; two or more are wanted.')
    pairs = [tuple(map(Pumped, beat.diastole, beat.systole)) for beat in found]
    comparisons = [Comparison('network', pairs, ['ejection_fraction'])]
    diastole, systole = by_patient.area_ratios(found)
    slices = sum(beat.slices for beat in found)
    off = [measured - wanted for measured, wanted in comparisons[0].values('ejection_fraction')]
    text = '\n\n'.join(
        [
            f'Patients held out, {len(found)}, on {slices} slices outlined in both phases:',
            pumping.table('the expert', comparisons),
            f'Areas x {diastole:.3f} at end-diastole, x {systole:.3f} at end-systole; '
            f'the worst EF is off by {pumping.signed(max(off, key=abs, default=0))} points.',
        ]
    )
    lines = [
        _line('folds', beat.patient, by, pumped)
        for beat, pair in zip(found, pairs)
        for by, pumped in zip(('network', 'expert'), pair)
    ]
    return Part('folds', text, comparisons, lines)


def _against(measured: Pumped, wanted: Pumped) -> str:
    ratios = [f'x {one / other:.3f}' if other else '–' for one, other in zip(measured, wanted)]
    return f'{", ".join(ratios)}; {_percent(measured)}'


def _percent(pumped: Pumped) -> str:
    fraction = pumped.ejection_fraction
    return 'no EF, as it is empty' if fraction is None else f'{fraction:.1f}'


def _study_lines(name: str, found: Sequence[outlined.Patient]) -> List[List[str]]:
    return [
        _line(name, one.case, by, pumped)
        for one in found
        for by, pumped in one._asdict().items()
        if isinstance(pumped, Pumped)
    ]


def _line(name: str, case: str, by: str, pumped: Pumped) -> List[str]:
    fraction = pumped.ejection_fraction
    return [name, case, by, *(f'{value:.2f}' for value in pumped), '' if fraction is None else f'{fraction:.2f}']


def keep(parts: List[Part], run: Optional[Dict[str, Any]], out: Path) -> None:
    """Writes tables, plots and figures, with the training that they were measured of.

    Raises:
        LabError: the folder cannot be written.
    """
    with runs.writing(str(out)):
        for part in parts:
            (out / f'{part.name}.png').write_bytes(bland_altman.picture(part.comparisons[0]))
        with files.replacing(str(out / PATIENTS_FILE), encoding='utf-8', newline='') as file:
            writer = csv.writer(file, lineterminator='\n')
            writer.writerows([_COLUMNS, *(line for part in parts for line in part.patients)])
        with files.replacing(str(out / TABLES_FILE), encoding='utf-8') as file:
            file.write('\n\n'.join(part.text for part in parts) + '\n')
        figures = {part.name: {one.name: pumping.as_json(one) for one in part.comparisons} for part in parts}
        runs.save_json(str(out / FIGURES_FILE), {'trained': run, **figures})


def main() -> None:
    """Measures what the flags say, and prints the tables."""
    parser = flags.Parser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add('--checkpoint_dir', type=flags.directory, help='directory of a training run (default: only --folds are told)')
    add('--patients', type=_patients, default=20, help='how many phantom patients are invented')
    add('--seed', type=flags.seed, default=15, help='of these; another than that of the patients trained on')
    add(
        '--studies',
        type=flags.directory,
        help='directory of whole studies with contours, in a layout of the Sunnybrook data (default: none)',
    )
    add(
        '--folds',
        type=flags.directory,
        help='directory that a cross-validation left, such as …/5-folds-seed-1 (default: none)',
    )
    add('--out', type=flags.directory, default=str(LOGS / 'volumes'), help='directory of tables and plots')
    args = parser.parse_args()
    if not args.checkpoint_dir and (args.studies or not args.folds):
        parser.error('--checkpoint_dir is wanted, that of the run whose volumes are to be measured')

    out = Path(args.out)
    with runs.writing(args.out):
        out.mkdir(parents=True, exist_ok=True)
    # What can be wrong comes first, and what takes its time last.
    parts = [on_folds(Path(args.folds))] if args.folds else []
    trained = prediction.load(args.checkpoint_dir) if args.checkpoint_dir else None
    if args.studies:
        parts.append(on_studies(trained, args.studies))
    if trained:
        parts.append(on_phantoms(trained, args.patients, args.seed))
    keep(parts, trained.run if trained else None, out)
    print('\n\n'.join(part.text for part in parts))
    print(f'\nThe same, each patient, and a plot of each table are in {shown(out)}.')


def _patients(text: str) -> int:
    return flags.number(text, int, lambda value: 2 <= value <= 999, 'a whole number from 2 to 999')
