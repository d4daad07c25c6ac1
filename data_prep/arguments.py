"""The flags of `python -m data_prep` and of its four commands."""

import argparse
import os

from lvseg import flags

from data_prep import labels
from data_prep.fitting import FITS
from data_prep.phantom.shifts import PLAIN, SHIFTS
from data_prep.staging import STUDIES


class Parser(flags.Parser):
    """The lab's parser; descriptions keep their line breaks, and every help names its default itself."""

    help_formatter = argparse.RawDescriptionHelpFormatter


def parser() -> Parser:
    """Its `args.command` is 'sunnybrook', 'images', 'nifti' or 'phantom'."""
    top = Parser(
        prog='python -m data_prep',
        description='Makes train_images.tfrecords, val_images.tfrecords and manifest.csv out of raw studies.',
    )
    commands = top.add_subparsers(dest='command', metavar='COMMAND', required=True)
    add = commands.add_parser

    sunnybrook = add(
        'sunnybrook',
        help='the Sunnybrook Cardiac Data, as the Cardiac Atlas Project or the 2009 challenge gave them out',
        description='Takes every DICOM slice of the Sunnybrook Cardiac Data that has an endocardial contour.',
    )
    sunnybrook.add_argument(
        'raw_dir', metavar='RAW_DIR', help='folder with SCD_IMAGES_01 ... or challenge_training ...'
    )
    _add_with_empty(sunnybrook)
    _add_common(sunnybrook)

    images = add(
        'images',
        help='a folder of images and a folder of masks, for pictures of your own',
        description=(
            'Takes PNG, JPEG, TIFF and single-frame DICOM images with masks of the same sub-folder and name; the\n'
            'extension may differ. In a mask 0 is background, and the one other value left ventricle; in a JPEG mask,\n'
            'where compression leaves noise, all from 128 on. If masks have several values, or colours, --label says\n'
            'which one it is. Image pixels of 8 bits are multiplied by 4. The patient is what stands before\n'
            '-IM-0001-0001 in the name, else the first sub-folder, else the name without its last number.'
        ),
    )
    images.add_argument('image_dir', metavar='IMAGE_DIR', help='folder of images, sub-folders included')
    images.add_argument('mask_dir', metavar='MASK_DIR', help='folder of masks')
    images.add_argument(
        '--label',
        type=labels.parse,
        metavar='VALUE',
        help='what in the masks is left ventricle: a value, such as 3, or a colour, such as ff0000 (default: the one '
        'value that is not 0)',
    )
    _add_fitting(images)
    images.add_argument(
        '--pixel_size',
        type=_millimetres,
        metavar='MM',
        help="of pictures whose files do not tell it, as DICOM, PNG's pHYs and TIFF's resolution do (default: unknown)",
    )
    _add_common(images).add_argument(
        '--val_names',
        metavar='FILE',
        help='the images that it names, one a line, are for validation, all others to train (default: drawn by lot)',
    )

    nifti = add(
        'nifti',
        help='NIfTI images with masks beside them, such as ACDC and M&Ms',
        description=(
            'Takes the short-axis slices of NIfTI images whose mask lies beside: of X.nii.gz it is X_gt.nii.gz, or\n'
            'X_mask, X_seg, X_label. The layouts of ACDC and M&Ms are known: there the patient is the subject, and\n'
            'names tell ED and ES. Elsewhere the patient is the folder, or the file where it lies in no sub-folder.\n'
            "Slices lie across the largest spacing, turned by the affine as DICOM's are; those without the label are\n"
            'left out. Pixels are scaled so that the brightest hundredth of a frame begins at 600, as of a scanner.'
        ),
    )
    nifti.add_argument('raw_dir', metavar='FOLDER', help='folder of images and masks, sub-folders included')
    nifti.add_argument(
        '--label',
        type=_label,
        metavar='N',
        help="the left ventricle's value in the masks: 3 in ACDC, 1 in M&Ms (default: the one there is besides 0)",
    )
    _add_fitting(nifti)
    _add_common(nifti)

    phantom = add(
        'phantom',
        help='studies of invented patients: the lab without any download',
        description=f'Writes studies of invented patients to DIR/{STUDIES}, and takes them as sunnybrook does.',
    )
    phantom.add_argument(
        '--patients', type=_patients, default=15, metavar='N', help='how many patients (default: %(default)s)'
    )
    phantom.add_argument(
        '--shift',
        choices=list(SHIFTS),
        help=f'patients of another kind: {"; ".join(f"{name}, {shift.told}" for name, shift in SHIFTS.items())} '
        f'(default: {PLAIN.told})',
    )
    _add_with_empty(phantom)
    _add_common(phantom)

    top.epilog = '\n'.join(f'{part.prog}\n{part.format_help()}' for part in (sunnybrook, images, nifti, phantom))
    return top


def _add_with_empty(command: Parser) -> None:
    command.add_argument(
        '--with_empty',
        action='store_true',
        help='take the slices above the base and below the apex, too, at the phases that were outlined: there is no '
        'ventricle in them (default: only slices with a contour)',
    )


def _add_fitting(command: Parser) -> None:
    command.add_argument(
        '--fit',
        choices=FITS,
        default='centre',
        help='how pictures get to 256 x 256 pixels: padded with 0 or cropped around the centre, or resized '
        '(default: %(default)s)',
    )
    command.add_argument(
        '--spacing',
        type=_millimetres,
        metavar='MM',
        help='resample all slices to pixels of this size, then pad or crop them (default: pixels stay as they are)',
    )
    command.add_argument(
        '--allow_cropped',
        action='store_true',
        help='crop a picture even where that cuts off part of its ventricle (default: such a slice is a bad one)',
    )


def _add_common(command: Parser) -> argparse._MutuallyExclusiveGroup:
    """Returns the group of flags of which only one can say what is for validation."""
    add = command.add_argument
    add('--out', required=True, metavar='DIR', help='folder for the results, made if need be (no default: give one)')
    choice = command.add_mutually_exclusive_group()
    choice.add_argument(
        '--val_fraction',
        type=_fraction,
        default=0.1,
        metavar='X',
        help='share of slices or patients for validation, from 0 to 1 (default: %(default)s)',
    )
    add(
        '--split',
        choices=('slice', 'patient'),
        default='slice',
        help='what is drawn for validation: slices, or patients, none of whom is then on both sides '
        '(default: %(default)s)',
    )
    add(
        '--seed',
        type=_seed,
        default=1234,
        metavar='N',
        help='of the draw; another one draws others (default: %(default)s)',
    )
    add(
        '--workers',
        type=_positive,
        default=os.cpu_count() or 1,
        metavar='N',
        help='processes that read slices (default: %(default)s, one a core)',
    )
    add(
        '--skip_bad',
        action='store_true',
        help='leave out slices that cannot be read, and list them (default: one such slice stops all)',
    )
    command.set_defaults(val_names=None)
    return choice


def _positive(text: str) -> int:
    return flags.number(text, int, lambda value: value >= 1, 'a whole number from 1')


def _patients(text: str) -> int:
    """So many take 70 GB of disk."""
    return flags.number(str(_positive(text)), int, lambda value: value <= 10000, 'a number of 10000 at most')


def _seed(text: str) -> int:
    return flags.number(text, int, lambda value: 0 <= value < 2**32, 'a whole number from 0 to 4294967295')


def _label(text: str) -> int:
    return flags.number(text, int, lambda value: abs(value) < 2**31, 'a whole number')


def _fraction(text: str) -> float:
    return flags.number(text, float, lambda value: 0 <= value <= 1, 'a number from 0 to 1')


def _millimetres(text: str) -> float:
    return flags.number(text, float, lambda value: 0.01 <= value <= 10, 'a number of mm from 0.01 to 10')
