import base64
import io
import json
import re
from html.parser import HTMLParser

from lvseg.manifest import Spacing

import numpy as np
import pytest
from PIL import Image

from docs.figures import browser
from study import pages
from tests.study import discs

TILE = 128  # pixels
# Around discs of up to 20 mm, the square is 1.7 times as wide, 34 mm: a radius of 10 mm is 10 x 128 / 34 = 37.6 pixels.
IN_TILE = TILE / 34


@pytest.fixture
def written(tmp_path):
    """Writes the page of a made-up heart, and returns it."""

    def write(made_up, **report):
        path = tmp_path / 'report.html'
        pages.write(str(path), made_up, discs.report(made_up, **report))
        return path.read_text(encoding='utf-8')

    return write


class _Text(HTMLParser):
    def __init__(self):
        super().__init__()
        self.words, self._unseen = [], False

    def handle_starttag(self, tag, attrs):
        self._unseen = tag in ('style', 'script', 'title')

    def handle_endtag(self, tag):
        self._unseen = False

    def handle_data(self, data):
        if not self._unseen:
            self.words += data.split()


def text_of(page):
    """What one reads on the page, without JavaScript."""
    parser = _Text()
    parser.feed(page.replace('<wbr>', ''))
    return ' '.join(parser.words)


def sprite_of(page):
    (encoded,) = re.findall(r'href="data:image/jpeg;base64,([^"]+)"', page)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))))


def outlines_of(page):
    """By slice and phase: [points, 2], from the corner of their tiles."""
    found = re.findall(r'<path id="outline-(\d+)-(\d+)" transform="[^"]*" d="M([^"]+)Z"', page)
    return {
        (int(number), int(phase)): np.array([point.split(',') for point in points.split()], float)
        for number, phase, points in found
    }


def test_it_begins_with_what_it_is_not(written):
    assert text_of(written(discs.segmented())).startswith('A teaching tool and no medical device.')


def test_the_numbers_stand_in_the_page(written):
    text = text_of(written(discs.segmented()))
    # Three slices 10 mm apart, so 30 mm in all. pi x 10 mm x 10 mm x 30 mm = 9425 mm3, pi x 6 x 6 x 30 = 3393 mm3;
    # the difference is 6032, and that is 1 - 36 / 100 of the first.
    for words in (
        'Ejection fraction 64.0 % ',
        'End-diastolic volume 9.4 ml the largest, at phase 0',
        'End-systolic volume 3.4 ml the smallest, at phase 2',
        'Stroke volume 6.0 ml',
        'Heart rate 60 beats/min',
        '3 slices, 10.0 mm apart · 4 phases · pixels of 1.00 × 1.00 mm',
        # Areas of pi x 10 x 10 and pi x 6 x 6 mm2.
        '1 10.0 314 113 −64 %',
    ):
        assert words in text


def test_nothing_is_fetched_from_elsewhere(written):
    page = written(discs.segmented())
    assert '://' not in page and 'url(' not in page and '@import' not in page
    assert all(reference.startswith('data:') for reference in re.findall(r'(?:src|href)="([^"]*)', page))
    assert "default-src 'none'" in page  # and the browser would not let it


def test_what_comes_from_outside_is_escaped(written):
    nasty = '<script>alert("x")</script>&lt;'
    page = written(
        discs.segmented(), warnings=[nasty], left_out=[nasty], checkpoint={nasty: nasty, 'flags': {'network': nasty}}
    )
    assert '<script>alert' not in page
    # The warning at the top, and in the table it, what is left out, the key and the two values.
    assert text_of(page).count(nasty) == 6


def test_a_file_name_that_is_no_utf_8_is_shown_as_far_as_it_can_be(written):
    assert 'left_out a?.dcm' in text_of(
        written(discs.segmented(), left_out=[b'a\xff.dcm'.decode(errors='surrogateescape')])
    )


def test_warnings_stand_before_the_images(written):
    page = written(discs.segmented(), warnings=['The slices are unequal.'])
    assert page.index('<li>The slices are unequal.</li>') < page.index('id="grid"')


def test_all_of_the_report_is_there(written):
    text = text_of(written(discs.segmented(), left_out=['a.dcm', 'b.dcm']))
    for words in ('checkpoint.seed 7', 'checkpoint.flags.network unet', 'left_out a.dcm b.dcm', 'warnings none'):
        assert words in text


def test_the_images_are_one_picture_slices_by_phases(written):
    sprite = sprite_of(written(discs.segmented()))
    assert sprite.shape == (3 * TILE, 4 * TILE)
    for number in range(3):
        for phase, radius in enumerate(discs.RADII):
            tile = sprite[number * TILE : (number + 1) * TILE, phase * TILE : (phase + 1) * TILE]
            # As many bright pixels as the disc has, but for the steps of its edge.
            assert (tile > 128).sum() == pytest.approx(np.pi * (radius * IN_TILE) ** 2, rel=0.1)


@pytest.mark.parametrize('spacing', [(1.0, 1.0), (1.0, 2.0), (1.5, 1.0)])
def test_outlines_lie_where_the_discs_do_whatever_the_shape_of_a_pixel(written, spacing):
    page = written(discs.segmented(spacing=Spacing(*spacing)))
    outlines = outlines_of(page)
    assert len(outlines) == 3 * 4
    for (_, phase), points in outlines.items():
        distances = np.linalg.norm(points - TILE / 2, axis=1)
        assert distances == pytest.approx(np.full(60, discs.RADII[phase] * IN_TILE), abs=0.1)


@pytest.mark.parametrize('before, after', [((0, 0), (0, 60)), ((0, 60), (0, 0)), ((60, 0), (0, 0))])
def test_the_heart_is_in_the_middle_of_what_is_shown_of_an_image_that_is_no_square(written, before, after):
    made_up = discs.segmented(radii=(10,))
    pixels = np.pad(made_up.pixels, [(0, 0), (0, 0), *zip(before, after)], 'constant', constant_values=100)
    outlines = [[points + before[::-1] for points in of_slice] for of_slice in made_up.outlines]
    page = written(made_up._replace(pixels=pixels, outlines=outlines))
    assert outlines_of(page)[0, 0].mean(axis=0) == pytest.approx([TILE / 2, TILE / 2], abs=0.1)
    rows, columns = np.nonzero(sprite_of(page)[:TILE] > 128)
    assert [rows.mean() + 0.5, columns.mean() + 0.5] == pytest.approx([TILE / 2, TILE / 2], abs=0.5)


def test_the_curve_is_of_volumes_and_times(written):
    page = written(discs.segmented())
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page).group(1))
    # pi x radius x radius x 30 mm3, of radii of 10, 8, 6 and 9 mm.
    assert data['ml'] == [9.4, 6.0, 3.4, 7.6]
    assert (data['ed'], data['es'], data['phases']) == (0, 2, 4)
    # Slices 0, 1 and 2 are 0, 1 and 2 ms later than 100 ms a phase: the median is 1 ms.
    assert data['ms'] == [1, 101, 201, 301]
    assert data['secondsOfABeat'] == 1  # 60 beats a minute


def test_a_single_phase_has_a_volume_and_says_why_no_fraction(written):
    text = text_of(written(discs.segmented(radii=(10,))))
    assert 'Ejection fraction – % there is only one phase' in text
    assert 'Volume 9.4 ml at the only phase' in text
    assert 'End-systolic' not in text


def test_an_empty_ventricle_says_why_no_fraction(written):
    page = written(discs.segmented(radii=(0, 0, 0)))
    assert 'Ejection fraction – % no left ventricle was found in any image' in text_of(page)
    assert 'Volume 0.0 ml at every phase' in text_of(page)
    assert not outlines_of(page)


def test_a_single_slice_is_as_thick_as_its_file_says(written):
    text = text_of(written(discs.segmented(slices=1, thickness=8.0, heart_rate=None)))
    assert '1 slice, 8.0 mm thick' in text
    assert 'End-diastolic volume 2.5 ml' in text  # pi x 10 x 10 x 8 = 2513 mm3
    assert 'Heart rate – beats/min the files do not tell it' in text


def test_a_single_slice_of_unknown_thickness_has_no_volume(written):
    text = text_of(written(discs.segmented(slices=1, thickness=None)))
    assert 'Ejection fraction – % the volumes are not known' in text
    assert 'Volume – ml' in text


def test_a_slice_left_out_says_so(written):
    made_up = discs.segmented()
    text = text_of(written(made_up._replace(ventricle=made_up.ventricle._replace(atrium=[0]))))
    assert '0 0.0 314 113 left out 1 10.0 314 113 −64 %' in text


def test_260_images_of_noise_which_no_jpeg_makes_small_are_under_6_mb(written):
    made_up = discs.segmented(slices=13, radii=(10,) * 20)
    noise = np.random.RandomState(1).randint(0, 1000, made_up.pixels.shape)
    assert len(written(made_up._replace(pixels=noise))) < 6e6


# ---- In a browser. ----


@pytest.fixture
def opened(tmp_path):
    """Opens the page of a made-up heart, with what the system asks of pages, and gives the browser."""
    missing = browser.missing_programs()
    if missing:
        pytest.skip(f'needs {" and ".join(missing)}: apt-get install chromium chromium-driver')
    context = []

    def open_page(made_up, width=1200, *arguments):
        path = tmp_path / 'report.html'
        pages.write(str(path), made_up, discs.report(made_up))
        context.append(browser.chromium(width, 900, *arguments))
        page = context[0].__enter__()
        page.open(path.as_uri())
        page.wait("return document.getElementById('readout').textContent")
        return page

    yield open_page
    for browsers in context:
        browsers.__exit__(None, None, None)


STILL = '--force-prefers-reduced-motion'
READOUT = "return document.getElementById('readout').textContent"
POINT = """
const plot = document.getElementById('volume'), box = plot.getBoundingClientRect();
const line = plot.querySelector('.curve').getBoundingClientRect();
plot.dispatchEvent(new PointerEvent('%s', {clientX: line.left + line.width * %f, clientY: box.top + 100}));
"""

SLIDE_TO = """
const slider = document.getElementById('phase');
slider.value = %d;
slider.dispatchEvent(new Event('input'));
"""


@pytest.mark.slow
def test_the_page_draws_and_the_plot_answers(opened):
    page = opened(discs.segmented(), 1200, STILL)
    assert page.run(READOUT) == 'phase 0 (ED) · 1 ms · 9.4 ml'
    assert page.run("return found('#volume text.name').map(text)") == ['ED 9 ml', 'ES 3 ml']
    # Hovering tells of the phase pointed at, two thirds of the way along four; tapping goes there.
    page.run(POINT % ('pointermove', 0.65))
    assert page.run("return text(found('#volume .tip')[0])") == '3 mlphase 2 (ES) · 201 ms'
    assert page.run(READOUT).startswith('phase 0')
    page.run(POINT % ('pointerdown', 0.65))
    assert page.run(READOUT) == 'phase 2 (ES) · 201 ms · 3.4 ml'
    assert page.complaints() == []


@pytest.mark.slow
def test_an_error_of_the_page_would_be_heard(opened):
    page = opened(discs.segmented(), 1200, STILL)
    page.run("console.error('heard')")
    assert 'heard' in page.complaints()[0]


@pytest.mark.slow
def test_the_loop_shows_each_phase_with_its_outline(opened):
    page = opened(discs.segmented(), 1200, STILL)
    # To the right of the large slice's middle, in mm: how far away the outline's blue is, and how far the bright blood
    # reaches.
    radii = """
        const canvas = document.getElementById('slice'), size = canvas.width;
        const row = canvas.getContext('2d').getImageData(size / 2, size / 2, size / 2, 1).data;
        const blue = [...Array(size / 2).keys()].filter(x => row[4 * x + 2] - row[4 * x] > 60);
        const bright = [...Array(size / 2).keys()].filter(x => row[4 * x] > 128);
        return [blue.reduce((sum, x) => sum + x + 0.5, 0) / blue.length, bright.length].map(one => one * 34 / size);
    """
    for phase, expected in enumerate(discs.RADII):
        page.run(SLIDE_TO % phase)
        outline, blood = page.run(radii)
        assert outline == pytest.approx(expected, abs=0.2)
        assert blood == pytest.approx(expected, abs=0.8)


@pytest.mark.slow
def test_it_plays_by_itself_and_stops_when_asked(opened):
    page = opened(discs.segmented())
    page.wait("return document.getElementById('readout').textContent.startsWith('phase 2')")
    page.run("document.getElementById('play').click()")
    assert page.run("return document.getElementById('play').textContent") == 'Play'


@pytest.mark.slow
def test_nothing_moves_where_the_system_asks_for_less_motion(opened):
    page = opened(discs.segmented(), 1200, STILL)
    assert page.run("return document.getElementById('play').textContent") == 'Play'
    page.run("document.getElementById('play').click()")
    page.wait("return document.getElementById('readout').textContent.startsWith('phase 2')")


@pytest.mark.slow
@pytest.mark.parametrize(
    'made_up',
    [
        discs.segmented(slices=13, radii=tuple(range(20, 0, -1))),
        discs.segmented(radii=(9,)),
        discs.segmented(slices=1, thickness=None),
        discs.segmented(radii=(0, 0)),
    ],
    ids=['whole', 'one phase', 'one slice', 'empty'],
)
def test_on_a_narrow_screen_nothing_sticks_out_and_nothing_complains(opened, made_up):
    page = opened(made_up, 500, STILL)
    wide, window = page.run('return [document.documentElement.scrollWidth, innerWidth]')
    assert wide <= window <= 500
    assert page.complaints() == []
