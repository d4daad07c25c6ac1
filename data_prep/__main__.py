"""`python -m data_prep COMMAND`: raw studies -> train_images.tfrecords, val_images.tfrecords and manifest.csv."""

import argparse
import functools
import os
import shlex
from collections import Counter
from typing import Iterator, List

from lvseg.errors import LabError, exit_with_message, one_line
from lvseg.layout import MANIFEST_FILE, SIZE, record_file
from lvseg.manifest import SPLITS, Row

from data_prep import arguments, doubts, fitting, labels, split
from data_prep.phantom import studies
from data_prep.phantom.shifts import PLAIN, SHIFTS
from data_prep.reading import Outcome, ReadSlice, reader
from data_prep.skipped import reasons
from data_prep.slices import Found, counted
from data_prep.sources import images, sunnybrook
from data_prep.staging import STUDIES, staged


def main() -> None:
    """Runs the command that the flags say; raises LabError."""
    args = arguments.parser().parse_args()
    try:
        {'sunnybrook': _sunnybrook, 'images': _images, 'nifti': _nifti, 'phantom': _phantom}[args.command](args)
    except KeyboardInterrupt:
        raise LabError('stopped by Ctrl-C; nothing was written.') from None


def _sunnybrook(args: argparse.Namespace) -> None:
    found = sunnybrook.find(args.raw_dir, args.with_empty)
    with staged(args.out) as stage:
        rows = _write(args, stage, found, functools.partial(sunnybrook.read, args.raw_dir))
    _print_summary(args, found, rows)


def _images(args: argparse.Namespace) -> None:
    _check_size_flags(args)
    found = images.find(args.image_dir, args.mask_dir)
    read = functools.partial(
        images.read,
        args.image_dir,
        args.mask_dir,
        label=args.label,
        pixel_size=args.pixel_size,
        fit=args.fit,
        wanted_spacing=args.spacing,
        allow_cropped=args.allow_cropped,
    )
    with staged(args.out) as stage:
        _check_masks(args, found)
        rows = _write(args, stage, found, read)
    _print_summary(args, found, rows)
    for line in doubts.warning(rows):
        _say(line)


def _check_masks(args: argparse.Namespace, found: Found) -> None:
    with reader(functools.partial(images.look, args.mask_dir), min(args.workers, len(found.slices))) as look_at_all:
        looks = (outcome.pair for outcome in look_at_all(found.slices))
        found.notes.extend(labels.check(looks, len(found.slices), args.label))


def _nifti(args: argparse.Namespace) -> None:
    # Not at the top: it is refused where nibabel, which no other command needs, is not installed.
    from data_prep.sources import nifti

    fit = functools.partial(fitting.fitted, fit=args.fit, wanted_spacing=args.spacing, allow_cropped=args.allow_cropped)
    _check_size_flags(args)
    with staged(args.out) as stage:
        found = nifti.find(args.raw_dir, args.label, args.workers)
        rows = _write(args, stage, found, functools.partial(nifti.read, args.raw_dir, args.label, fit))
    _print_summary(args, found, rows)
    for line in doubts.warning(rows):
        _say(line)


def _check_size_flags(args: argparse.Namespace) -> None:
    if args.spacing is not None and args.fit == 'resize':
        raise LabError('--spacing gives all slices one pixel size, and --fit resize many: give one of the two.')


def _phantom(args: argparse.Namespace) -> None:
    with staged(args.out) as stage:
        raw_dir = os.path.join(stage, STUDIES)
        try:
            studies.write_studies(raw_dir, args.patients, args.seed, SHIFTS.get(args.shift, PLAIN))
        except OSError as error:
            raise LabError(f'cannot write studies in {args.out}: {error.strerror}.') from None
        found = sunnybrook.find(raw_dir, args.with_empty)
        rows = _write(args, stage, found, functools.partial(sunnybrook.read, raw_dir))
    _say(f'Invented {counted(args.patients, "patient")}, whose studies are in {os.path.join(args.out, STUDIES)}.')
    _print_summary(args, found, rows)


def _write(args: argparse.Namespace, stage: str, found: Found, read: ReadSlice) -> List[Row]:
    if not found.slices:
        raise LabError(f'there is nothing to write. {" ".join(found.notes)}')
    sides = _split(args, found)
    with reader(read, min(args.workers, len(found.slices))) as read_all:
        # Not at the top: -h, bad flags and the processes of `reader` need no TensorFlow, which is slow to import.
        from data_prep import writing

        changes = Counter()
        rows = writing.write(stage, sides, lambda slices: _noting(changes, read_all(slices)), args.skip_bad)
    found.notes.extend(fitting.told(changes))
    return rows


def _noting(changes: Counter, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    for outcome in outcomes:
        if outcome.pair:
            changes.update(outcome.pair.changes)
        yield outcome


def _split(args: argparse.Namespace, found: Found) -> split.Split:
    if args.val_names is None:
        by = {'slice': split.by_slice, 'patient': split.by_patient}[args.split]
        return by(found.slices, args.val_fraction, args.seed)
    sides = split.by_names(found.slices, args.val_names, args.seed)
    both = split.patients_on_both_sides(sides)
    if args.split == 'patient' and both:
        raise LabError(
            f'{args.val_names} puts {len(both)} patients on both sides, such as {both[0]}: no --split patient.'
        )
    return sides


def _print_summary(args: argparse.Namespace, found: Found, rows: List[Row]) -> None:
    for note in found.notes:
        _say(note)
    skipped = [row for row in rows if row.split == 'skipped']
    kept = [row for row in rows if row.split != 'skipped']
    if skipped:
        _say(f'Left out {counted(len(skipped), "slice")} that cannot be read:')
        for line in reasons(skipped):
            _say(f'  {line}')
    for name, side in SPLITS.items():
        _print_side(side, record_file(args.out, name), [row for row in rows if row.split == side])
    share = sum(row.lv_pixels for row in kept) / (len(kept) * SIZE * SIZE)
    _say(f'On average {share:.2%} of the pixels are left ventricle.')
    _say(f'Which slice went where: {os.path.join(args.out, MANIFEST_FILE)}')
    if any(row.split == 'train' for row in rows):
        _say(f'Next: python exercises/simple/runTraining.py --data_dir {shlex.quote(_typed(args.out))}')


def _print_side(side: str, path: str, rows: List[Row]) -> None:
    if not rows:
        _say(f'{side}: no slices, so there is no {path}')
        return
    patients = counted(len({row.patient for row in rows}), 'patient')
    _say(f'{side}: {counted(len(rows), "slice")} of {patients} in {path}')


def _typed(folder: str) -> str:
    """As it can be given to a flag, which it must not look like."""
    return os.path.join(os.curdir, folder) if folder.startswith('-') else folder


def _say(line: str) -> None:
    """Prints a line; the names of files and folders in it cannot pass for another."""
    print(one_line(line))


if __name__ == '__main__':
    exit_with_message(main)
