"""Takes the guide's pictures of TensorBoard from the logs of a run: small PNG files in docs/images/.

Needs Debian's packages chromium and chromium-driver.
"""

import io
from pathlib import Path
from typing import NamedTuple

from lvseg import flags
from lvseg.errors import LabError
from lvseg.project import PROJECT

from PIL import Image

from docs.figures import browser

IMAGES = PROJECT / 'docs' / 'images'

_COLOURS = 256


class Shot(NamedTuple):
    """A tab, the size of the window in pixels, and the file's name."""

    tab: str
    width: int
    height: int
    name: str


SHOTS = (
    Shot('scalars', 1250, 760, 'tensorboard_scalars.png'),
    Shot('images', 1250, 760, 'tensorboard_images.png'),
    Shot('graphs', 1250, 800, 'tensorboard_graph.png'),
    Shot('histograms', 1250, 760, 'tensorboard_histograms.png'),
    Shot('pr_curves', 1250, 800, 'tensorboard_pr_curves.png'),
    Shot('hparams', 1680, 480, 'tensorboard_hparams.png'),
)


def small(screenshot: bytes) -> bytes:
    """The same picture with fewer colours, as PNG."""
    file = io.BytesIO()
    picture = Image.open(io.BytesIO(screenshot)).convert('RGB')
    picture.quantize(_COLOURS, Image.FASTOCTREE, dither=Image.NONE).save(file, 'PNG', optimize=True)
    return file.getvalue()


def main() -> None:
    """Takes all of them."""
    parser = flags.Parser(description=__doc__.splitlines()[0])
    parser.add_argument(
        'logs', type=flags.directory, help='logs to be shown: of trainings with --eval_every, evaluated'
    )
    parser.add_argument('--out', type=Path, default=IMAGES, help='folder of the pictures')
    args = parser.parse_args()
    missing = browser.missing_programs()
    if missing:
        raise LabError(f'{" and ".join(missing)} not found. Install: apt-get install chromium chromium-driver')

    args.out.mkdir(parents=True, exist_ok=True)
    with browser.tensorboard(Path(args.logs)) as address:
        for shot in SHOTS:
            with browser.chromium(shot.width, shot.height) as page:
                page.open_tab(address, shot.tab)
                file = args.out / shot.name
                file.write_bytes(small(page.screenshot()))
                print(f'{file}: {file.stat().st_size // 1000} KB')
