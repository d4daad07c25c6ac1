"""Finds the left ventricle in the studies of a folder, and writes its volumes and what shows them."""

import argparse
import contextlib
import os
import shutil
import tempfile
from collections import defaultdict
from typing import Any, DefaultDict, Dict, Iterator, List

from lvseg import files, flags, prediction
from lvseg.errors import LabError, one_line
from lvseg.prediction import Trained

from data_prep.slices import counted
from study import contours, headers, pages, pictures, report, segmentation, segmenting, stack
from study.headers import Found, Image

PAGE_FILE = 'report.html'


def main() -> None:
    """Segments what the flags say; raises LabError."""
    args = _parser().parse_args()
    found = headers.find(args.study)
    studies = _by_study(found.images)
    if not studies:
        raise LabError(_nothing(args.study, found))
    trained = prediction.load(args.checkpoint_dir)
    with _placed(args.out) as stage:
        for number, images in enumerate(studies, start=1):
            folder = f'study-{number}' if len(studies) > 1 else ''
            os.makedirs(os.path.join(stage, folder), exist_ok=True)
            _segment(args, number, images, found, trained, os.path.join(stage, folder), os.path.join(args.out, folder))


def _parser() -> flags.Parser:
    parser = flags.Parser(description='Finds the left ventricle in DICOM studies, with volumes and ejection fraction.')
    add = parser.add_argument
    add('study', metavar='STUDY', help='folder of the DICOM files, sub-folders included')
    add('--checkpoint_dir', type=flags.directory, required=True, help='directory of the training run, of any exercise')
    add('--out', required=True, metavar='OUT', help='folder for the results')
    add('--series', type=int, metavar='N', help='number of the series (default: the short-axis cine, by its slices)')
    add('--anonymous', action='store_true', help='leave the patient out of segmentation.dcm, too')
    return parser


def _segment(
    args: argparse.Namespace,
    number: int,
    images: List[Image],
    found: Found,
    trained: Trained,
    stage: str,
    out: str,
) -> None:
    """Segments one of the studies; writes to `stage`, which will be `out`."""
    choice = stack.choose(images, args.series)
    print(one_line(choice.why))
    segmented = segmenting.segment(args.study, choice.stack, trained)
    contours.write(os.path.join(stage, 'contours'), segmented, number)
    said = segmentation.write(os.path.join(stage, 'segmentation.dcm'), segmented, args.study, args.anonymous)
    chosen = choice.stack.images[0][0].series
    others = [*found.elsewhere, *(image.path for image in images if image.series != chosen)]
    values = report.report(segmented, trained, choice.why, [*_about_files(found), *said], [*found.damaged, *others])
    report.write(stage, segmented, values)
    pages.write(os.path.join(stage, PAGE_FILE), segmented, values)
    pictures.write_beat(os.path.join(stage, 'beat.gif'), segmented)
    pictures.write_slices(os.path.join(stage, 'slices.png'), segmented)
    _print(values, out)


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


def _about_files(found: Found) -> List[str]:
    """A file that is cut off in its header reads as one that does not tell where its image lies."""
    return [
        f'{counted(len(paths), "DICOM file")} {what}, and left out: {paths[0]} is the first.'
        for paths, what in ((found.damaged, 'cannot be read'), (found.elsewhere, 'without a place in the patient'))
        if paths
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
    if os.path.lexists(out) and not _is_ours(out):
        raise LabError(f'{out} holds something else than results of segment. Give --out another folder.')
    beside = ''
    try:
        os.makedirs(os.path.dirname(out), exist_ok=True)
        beside = tempfile.mkdtemp(prefix=f'.{os.path.basename(out)}-', dir=os.path.dirname(out))
        new, earlier = os.path.join(beside, 'new'), os.path.join(beside, 'earlier')
        os.mkdir(new)
        yield new
        files.sync_tree(new)
        if os.path.lexists(out):
            os.rename(out, earlier)
        try:
            os.rename(new, out)
        except OSError:
            os.rename(earlier, out)
            raise
        files.sync(os.path.dirname(out))
    except OSError as error:
        raise LabError(f'cannot write {out}: {error.strerror}. What was there is as it was.') from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _is_ours(out: str) -> bool:
    """Whether it is a folder of results, of one study or of several; or empty."""
    if not os.path.isdir(out):
        return False
    names = os.listdir(out)
    reports = (os.path.join(out, name, report.REPORT_FILE) for name in ['', *names])
    return not names or any(map(os.path.isfile, reports))
