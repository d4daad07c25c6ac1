"""The flags of `python -m data_prep` and of its three commands."""

import argparse
import os

from lvseg import flags

from data_prep.sources.images import FITS
from data_prep.staging import STUDIES


class Parser(flags.Parser):
    """The lab's parser; descriptions keep their line breaks, and every help names its default itself."""

    help_formatter = argparse.RawDescriptionHelpFormatter


def parser() -> Parser:
    """Its `args.command` is 'sunnybrook', 'images' or 'phantom'."""
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
    _add_common(sunnybrook)

    images = add(
        'images',
        help='a folder of images and a folder of masks, for pictures of your own',
        description=(
            'Takes PNG, JPEG, TIFF and single-frame DICOM images with masks of the same sub-folder and name; the\n'
            'extension may differ. In a mask 0 is background, and all else left ventricle; in a JPEG mask, where\n'
            'compression leaves noise, all from 128 on. Image pixels of 8 bits are multiplied by 4. The patient is\n'
            'what stands before -IM-0001-0001 in the name, else the first sub-folder, else the name without its\n'
            'last number.'
        ),
    )
    images.add_argument('image_dir', metavar='IMAGE_DIR', help='folder of images, sub-folders included')
    images.add_argument('mask_dir', metavar='MASK_DIR', help='folder of masks')
    images.add_argument(
        '--fit',
        choices=FITS,
        default='centre',
        help='how pictures get to 256 x 256 pixels: padded with 0 or cropped around the centre, or resized '
        '(default: %(default)s)',
    )
    _add_common(images).add_argument(
        '--val_names',
        metavar='FILE',
        help='the images that it names, one a line, are for validation, all others to train (default: drawn by lot)',
    )

    phantom = add(
        'phantom',
        help='studies of invented patients: the lab without any download',
        description=f'Writes studies of invented patients to DIR/{STUDIES}, and takes them as sunnybrook does.',
    )
    phantom.add_argument(
        '--patients', type=_patients, default=15, metavar='N', help='how many patients (default: %(default)s)'
    )
    _add_common(phantom)

    top.epilog = '\n'.join(f'{part.prog}\n{part.format_help()}' for part in (sunnybrook, images, phantom))
    return top


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


def _fraction(text: str) -> float:
    return flags.number(text, float, lambda value: 0 <= value <= 1, 'a number from 0 to 1')
