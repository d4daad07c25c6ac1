"""Is a network that has seen phantoms a better start than none? Dice against the number of labelled real patients.

Some patients are held out, the same for all trainings; of the others one trains, then three, … each time once from
random weights and once from those of a network trained on phantoms, with equally many steps. What was measured before
is not measured again, so an interrupted measurement goes on; other data or other flags want another --out.
"""

from pathlib import Path
from statistics import mean
from typing import Dict, List, NamedTuple, Optional, Tuple

from lvseg import flags, pictures, runs
from lvseg.errors import LabError
from lvseg.project import LOGS, shown

from experiments import measuring, panels, recipe
from experiments.folds import deal
from experiments.measuring import Measured, Training
from experiments.pool import Pool, check_apart, only, read_pool, write_part

FIGURES_FILE = 'pretraining.json'
PICTURE_FILE = 'pretraining.png'

_SHARE = 4  # A fourth of the patients is held out: of the 15 of the published slices one of each pathology.


_FIGURES = {
    'Dice': lambda measured: measured.metrics['dice'],
    'Dice per slice': lambda measured: measured.metrics['per_slice']['dice']['mean'],
}


class Point(NamedTuple):
    """So many patients, from one start."""

    patients: int
    slices: List[int]  # Of each seed: other patients.
    pretrained: bool
    seeds: List[Measured]


def sides(patients: List[str], seed: int) -> Tuple[List[str], List[str]]:
    """Who is held out, from each pathology, and all others in the order in which they join; the seed deals both.

    Raises:
        LabError: there are too few of them.
    """
    if len(patients) < _SHARE:
        raise LabError(
            f'a fourth of the patients is held out, so {_SHARE} are wanted at least, and here are {len(patients)}.'
        )
    folds = deal(patients, _SHARE, seed)
    others = sorted(patient for fold in folds[1:] for patient in fold)
    rounds = deal(others, max(1, len(others) // _SHARE), seed)
    return folds[0], [patient for together in rounds for patient in together]


def dealt(pool: Pool, number: int, seed: int) -> Tuple[List[str], List[str]]:
    """Who is held out, and the first so many of the others.

    Raises:
        LabError: there are not so many, or too few to hold a fourth of them out.
    """
    held_out, others = sides(pool.patients, seed)
    if number > len(others):
        raise LabError(f'--patients {number}: {pool.data_dir} has {len(others)} beside the {len(held_out)} held out.')
    return held_out, others[:number]


def measure(pool: Pool, number: int, steps: int, seed: int, start: Optional[Path], out: Path) -> Measured:
    """Trains on the first so many patients and evaluates on those held out, or tells what was measured before."""
    held_out, chosen = dealt(pool, number, seed)
    training_flags = [*recipe.RECIPE, *recipe.lasting(steps, len(_of(pool, chosen)))]
    if start:
        training_flags += ['--init_from', shown(start)]
    training = Training('challenge', training_flags, seed, measuring.fingerprint(pool.data_dir), held_out)
    folder = out / f'seed-{seed}' / f'{number}-patients-{"after-phantoms" if start else "alone"}'
    known = measuring.earlier(training, folder)
    if known:
        print(f'{shown(folder)} was measured before.', flush=True)
        return known
    write_part(only(pool, [*chosen, *held_out]), held_out, folder / 'data')
    return measuring.measure(training, folder / 'data', folder)


def _of(pool: Pool, patients: List[str]) -> List[Dict[str, str]]:
    return [line for line in pool.lines if line['patient'] in patients]


def table(points: List[Point]) -> str:
    """Markdown; the mean over the seeds, and each."""
    heads = ['patients', 'slices', 'steps', 'start', *(cell for name in _FIGURES for cell in (name, 'each seed'))]
    lines = [f'| {" | ".join(heads)} |', '|---' * len(heads) + '|']
    for point in points:
        found = [[figure(one) for one in point.seeds] for figure in _FIGURES.values()]
        cells = [f'{mean(values):.3f} | {", ".join(f"{value:.3f}" for value in values)}' for values in found]
        lines.append(
            f'| {point.patients} | {_each(point.slices)} | {_each([one.metrics["step"] for one in point.seeds])} '
            f'| {"phantoms" if point.pretrained else "random weights"} | {" | ".join(cells)} |'
        )
    return '\n'.join(lines)


def picture(points: List[Point]) -> bytes:
    """A PNG file: Dice over the number of patients, a line through the means of each start, a disc for each seed."""
    paper = panels.canvas(2)
    for number, (name, figure) in enumerate(_FIGURES.items()):
        panel = panels.Panel(
            paper,
            number,
            [point.patients for point in points],
            [figure(one) for point in points for one in point.seeds],
        )
        for pretrained, start, colour in ((False, 'random', pictures.ORANGE), (True, 'phantoms', panels.BLUE)):
            chosen = [point for point in points if point.pretrained == pretrained]
            chosen.sort(key=lambda point: point.patients)
            means = [mean(figure(one) for one in point.seeds) for point in chosen]
            panel.curve([point.patients for point in chosen], means, start, colour)
            for point in chosen:
                for one in point.seeds:
                    panel.point(point.patients, figure(one), colour)
        panel.title(name, 'patients who train')
    return pictures.png(paper)


def _each(numbers: List[int]) -> str:
    """All of them, or one where they are alike."""
    return ', '.join(map(str, numbers if len(set(numbers)) > 1 else numbers[:1]))


def main() -> None:
    """Measures what the flags say, and prints the table."""
    parser = flags.Parser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add('data_dir', metavar='DATA_DIR', type=flags.directory, help='directory of record files and manifest.csv')
    add('--patients', type=flags.positive_int, nargs='+', default=[1, 3, 5, 11], help='how many train')
    add('--steps', type=flags.positive_int, default=300, help='of each training, or up to the end of the epoch')
    add('--seeds', type=flags.seed, nargs='+', default=[1], help='of the dealing and of the trainings')
    add(
        '--pretrained',
        type=flags.directory,
        help='directory of a run on phantoms by the recipe (default: phantoms are invented and trained on first)',
    )
    add('--out', type=flags.directory, default=str(LOGS / 'pretraining'), help='directory of the results')
    args = parser.parse_args()

    pool, out = read_pool(Path(args.data_dir)), Path(args.out)
    slices = {number: [len(_of(pool, dealt(pool, number, seed)[1])) for seed in args.seeds] for number in args.patients}
    if args.pretrained:
        start = Path(args.pretrained)
    else:
        start = recipe.trained_on_phantoms(out / 'phantoms', [], recipe.RECIPE)
    check_apart(pool, start)
    points = []
    for number in args.patients:
        for begin in (None, start):
            seeds = [measure(pool, number, args.steps, seed, begin, out) for seed in args.seeds]
            points.append(Point(number, slices[number], begin is not None, seeds))
    runs.save_json(str(out / FIGURES_FILE), [point._asdict() for point in points])
    with runs.writing(str(out)):
        (out / PICTURE_FILE).write_bytes(picture(points))
    print(f'\n{table(points)}\n\nAll figures: {shown(out / FIGURES_FILE)}, and drawn: {shown(out / PICTURE_FILE)}')
