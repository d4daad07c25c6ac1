"""Finds the left ventricle in the studies of a folder, and writes its volumes and what shows them."""

import argparse
import contextlib
import os
import re
import shutil
import tempfile
from collections import defaultdict
from typing import Any, Callable, DefaultDict, Dict, Iterator, List, NamedTuple

from lvseg import files, flags, locks, prediction
from lvseg.errors import LabError, one_line
from lvseg.prediction import Trained

from data_prep.slices import counted
from study import contours, headers, pages, paths, pictures, report, segmentation, segmenting, stack
from study.headers import Found, Image

PAGE_FILE = 'report.html'
_WRITTEN = {report.REPORT_FILE, report.AREAS_FILE, PAGE_FILE, 'beat.gif', 'slices.png', 'segmentation.dcm', 'contours'}
_LOCK, _NEW, _EARLIER = 'lock', 'new', 'earlier'  # in the folder beside --out, as long as a run lasts

Hider = Callable[[str], str]  # as study.paths.hider gives it


class _Study(NamedTuple):
    """One study of those in the folder."""

    number: int  # from 1
    images: List[Image]
    stage: str  # folder to be written to
    out: str  # what that will be called


def main() -> None:
    """Segments what the flags say; raises LabError."""
    args = _parser().parse_args()
    # What is wrong with the files is told before the network is loaded, which takes seconds.
    found = headers.find(args.study)
    studies = _by_study(found.images)
    if not studies:
        raise LabError(_nothing(args.study, found))
    if len(studies) == 1:
        stack.choose(studies[0], args.series)
    hide = paths.hider(args.study, (images[0].path for images in studies))
    with _placed(args.out) as stage:
        trained = prediction.load(args.checkpoint_dir)
        if len(studies) == 1:
            _segment(args, _Study(1, studies[0], stage, args.out), found, trained, hide)
            return
        refused = _segment_each(args, studies, found, trained, hide, stage)
    if refused:
        raise LabError(f'{refused} of {len(studies)} studies are not in {args.out}, for the reasons told above.')


def _parser() -> flags.Parser:
    parser = flags.Parser(description='Finds the left ventricle in DICOM studies, with volumes and ejection fraction.')
    add = parser.add_argument
    add('study', metavar='STUDY', help='folder of the DICOM files, sub-folders included')
    add('--checkpoint_dir', type=flags.directory, required=True, help='directory of the training run, of any exercise')
    add('--out', required=True, metavar='OUT', help='folder for the results')
    add('--series', type=int, metavar='N', help='number of the series (default: the short-axis cine, by its slices)')
    add('--anonymous', action='store_true', help='leave the patient out of segmentation.dcm, too')
    return parser


def _segment_each(
    args: argparse.Namespace,
    studies: List[List[Image]],
    found: Found,
    trained: Trained,
    hide: Hider,
    stage: str,
) -> int:
    """Segments one after the other, each into a folder of its own; what is wrong with one is told, and the next done.

    Returns:
        How many could not be segmented.

    Raises:
        LabError: none could.
    """
    refused = 0
    for number, images in enumerate(studies, start=1):
        folder = f'study-{number}'
        study = _Study(number, images, os.path.join(stage, folder), os.path.join(args.out, folder))
        os.mkdir(study.stage)
        # On the terminal only: a folder may be called by the patient.
        where = os.path.commonpath([os.path.dirname(image.path) for image in images])
        print(one_line(f'Study {number} of {len(studies)}, in {os.path.join(args.study, where)}:'))
        try:
            _segment(args, study, found, trained, hide)
        except LabError as error:
            shutil.rmtree(study.stage)
            refused += 1
            print(one_line(f'Not segmented: {error}'))
    if refused == len(studies):
        raise LabError(f'none of the {refused} studies could be segmented, for the reasons told above.')
    return refused


def _segment(args: argparse.Namespace, study: _Study, found: Found, trained: Trained, hide: Hider) -> None:
    choice = stack.choose(study.images, args.series)
    print(one_line(choice.why))
    segmented = segmenting.segment(args.study, choice.stack, trained)
    contours.write(os.path.join(study.stage, 'contours'), segmented, study.number)
    said = segmentation.write(os.path.join(study.stage, 'segmentation.dcm'), segmented, args.study, args.anonymous)
    chosen = choice.stack.images[0][0].series
    others = [*found.elsewhere, *(image.path for image in study.images if image.series != chosen)]
    warnings = [*_about_files(found, hide), *said]
    values = report.report(segmented, trained, choice.why, warnings, [*found.damaged, *others], hide)
    report.write(study.stage, segmented, values, hide)
    pages.write(os.path.join(study.stage, PAGE_FILE), segmented, values)
    pictures.write_beat(os.path.join(study.stage, 'beat.gif'), segmented)
    pictures.write_slices(os.path.join(study.stage, 'slices.png'), segmented)
    _print(values, study.out)


def _by_study(images: List[Image]) -> List[List[Image]]:
    studies: DefaultDict[str, List[Image]] = defaultdict(list)
    for image in images:
        studies[image.study].append(image)
    return sorted(studies.values(), key=lambda images: images[0].path)


def _nothing(folder: str, found: Found) -> str:
    if found.damaged or found.elsewhere:
        return (
            f'{folder} has no image that tells where it lies in the patient: '
            f'{counted(len(found.damaged), "damaged DICOM file")}, and {len(found.elsewhere)} others without position, '
            'orientation or pixel spacing.'
        )
    return f'{folder} has no DICOM files: the folder of a study is wanted.'


def _about_files(found: Found, hide: Hider) -> List[str]:
    """A file that is cut off in its header reads as one that does not tell where its image lies."""
    kinds = ((found.damaged, 'whose header cannot be read'), (found.elsewhere, 'without a place in the patient'))
    return [
        f'Left out: {counted(len(names), "DICOM file")} {what}, {hide(names[0])}{" and others" if names[1:] else ""}.'
        for names, what in kinds
        if names
    ]


def _print(values: Dict[str, Any], out: str) -> None:
    if values['phases'] > 1:
        print(
            f'End-diastole: {values["edv_ml"]:.1f} ml in phase {values["ed_phase"]}. '
            f'End-systole: {values["esv_ml"]:.1f} ml in phase {values["es_phase"]}.'
        )
    else:
        print(f'Volume: {values["edv_ml"]:.1f} ml.')
    fraction = values['ejection_fraction_percent']
    print(f'Ejection fraction: {"none" if fraction is None else f"{fraction:.1f} %"}')
    for warning in values['warnings']:
        print(one_line(f'Note: {warning}'))
    print(one_line(f'All of it: {os.path.join(out, PAGE_FILE)}'))


@contextlib.contextmanager
def _placed(out: str) -> Iterator[str]:
    """Yields a folder that takes the place of `out` at the end without an error; results of an earlier run go then.

    Raises:
        LabError: `out` is a file, or a folder of something else, or cannot be written.
    """
    out = os.path.abspath(out)
    prefix = f'.{os.path.basename(out)}.segment-'
    beside = ''
    try:
        os.makedirs(os.path.dirname(out), exist_ok=True)
        _remove_leftovers(out, prefix)
        _check_ours(out)
        beside = tempfile.mkdtemp(prefix=prefix, dir=os.path.dirname(out))
        new, earlier = os.path.join(beside, _NEW), os.path.join(beside, _EARLIER)
        os.mkdir(new)
        with locks.take(os.path.join(beside, _LOCK)):
            yield new
            files.sync_tree(new)
            if os.path.lexists(out):
                os.rename(out, earlier)
            try:
                os.rename(new, out)
            except BaseException:  # Ctrl-C, too.
                if os.path.lexists(earlier):
                    os.rename(earlier, out)
                raise
            files.sync(os.path.dirname(out))
    except OSError as error:
        raise LabError(f'cannot write {out}: {error.strerror}. What was there is as it was.') from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _remove_leftovers(out: str, prefix: str) -> None:
    """Tidies up after runs that were killed; one killed as it was changing the folders had earlier results in hand."""
    folder = os.path.dirname(out)
    for name in os.listdir(folder):
        left = os.path.join(folder, name)
        if not name.startswith(prefix) or not os.path.isfile(os.path.join(left, _LOCK)):
            continue
        with contextlib.suppress(locks.HeldError), locks.take(os.path.join(left, _LOCK)):
            if os.path.isdir(os.path.join(left, _EARLIER)) and not os.path.lexists(out):
                os.rename(os.path.join(left, _EARLIER), out)
            shutil.rmtree(left, ignore_errors=True)


def _check_ours(out: str) -> None:
    """Raises LabError where anything lies that segment has not written: it would be lost."""
    if not os.path.lexists(out):
        return
    if not os.path.isdir(out):
        raise LabError(f'{out} is a file. Give --out a folder.')
    for name in sorted(os.listdir(out)):
        inside = os.path.join(out, name)
        of_a_study = re.fullmatch(r'study-\d+', name) and os.path.isdir(inside)
        strange = sorted(set(os.listdir(inside) if of_a_study else [name]) - _WRITTEN)
        if strange:
            raise LabError(
                f'{inside if not of_a_study else os.path.join(inside, strange[0])} is not of segment, and what lies in '
                '--out gives way to the new results. Give --out another folder.'
            )
