"""TensorBoard as people see it: in a browser, on the logs of two short runs."""

import json

import pytest
from PIL import Image

from docs.figures import browser, screenshots

pytestmark = pytest.mark.slow

RATES = {'slow': 0.001, 'fast': 0.002}


@pytest.fixture(scope='module')
def logs(simple, tmp_path_factory):
    """Two runs that differ in the learning rate, of 2 epochs of 10 steps, validated and evaluated."""
    missing = browser.missing_programs()
    if missing:
        pytest.skip(f'needs {" and ".join(missing)}: apt-get install chromium chromium-driver')
    logs = tmp_path_factory.mktemp('logs')
    for name, rate in RATES.items():
        flags = ['--num_epochs', 2, '--eval_every', 1, '--seed', 1, '--learning_rate', rate]
        assert simple.train(logs / name / 'train', *flags).code == 0
        assert simple.evaluate(logs / name / 'train', logs / name / 'eval').code == 0
    return logs


@pytest.fixture(scope='module')
def tab(logs):
    """Opens a tab of TensorBoard on these logs."""
    with browser.tensorboard(logs) as address, browser.chromium(1600, 1200) as page:

        def opened(name):
            page.open_tab(address, name)
            return page

        yield opened


def runs_of(*parts):
    return {f'{name}/{part}' for name in RATES for part in parts}


def test_the_scalars_of_training_validation_and_evaluation_stand_in_one_chart(tab):
    page = tab('scalars')
    colours = page.wait("""
        const chart = found('tf-scalar-card').filter(card => card.tag === 'dice')[0];
        const colours = new Set(found('path.line', chart).map(line => line.getAttribute('stroke')));
        return colours.size >= 6 && [...colours];
    """)
    assert len(colours) == 6  # a line for each of the six
    headings = page.run("return found('.category-name').map(text)")
    assert {'loss', 'dice', 'precision', 'learning_rate'} <= set(headings)
    chart = "found('tf-scalar-card').filter(card => card.tag === 'dice')[0]"
    drawn = page.run(f'return {chart}.dataToLoad.map(line => line.run)')
    assert set(drawn) == runs_of('train', 'train/validation', 'eval')


def test_the_images_are_slices_of_training_and_evaluation(tab):
    page = tab('images')
    # Two runs of three examples and a training slice each, which come one by one.
    images = page.wait("""
        const images = found('tf-image-loader').map(loader => [loader, found('img', loader)[0]]);
        return images.length >= 8 && images.every(([_, image]) => image && image.naturalWidth) &&
            images.map(([loader, image]) => [loader.run, loader.tag, image.naturalWidth, image.naturalHeight]);
    """)
    examples = {(run, f'segmentation/{which}') for run in runs_of('eval') for which in ('worst', 'median', 'best')}
    assert {(run, tag) for run, tag, *_ in images} == examples | {
        (run, 'segmentation/training_slice') for run in runs_of('train')
    }
    assert all(size == [256, 270] for _, _, *size in images)  # a slice, and a line of words below


def test_the_graph_is_that_of_the_network(tab):
    nodes = tab('graphs').run("return found('g.node').map(node => node.getAttribute('data-name'))")
    assert {'Hidden1', 'Final'} <= set(nodes)


def test_the_histograms_are_of_weights_gradients_and_dice(tab):
    headings = tab('histograms').wait("""
        const headings = found('.category-name').map(text);
        return headings.length >= 3 && headings;
    """)
    assert {'weights', 'gradients', 'dice_per_slice'} <= set(headings)


def test_the_precision_recall_curve_of_each_run_is_drawn(tab):
    page = tab('pr_curves')
    lines = page.wait("""
        const card = found('tf-pr-curve-card').filter(card => card.tag === 'left_ventricle/pr_curves')[0];
        const lines = found('path.line', card).filter(line => line.getAttribute('d').split('L').length > 2);
        return lines.length >= 2 && lines.map(line => line.getAttribute('stroke'));
    """)
    assert len(set(lines)) == 2
    assert set(page.run("return found('tf-pr-curve-card')[0].runs")) == runs_of('eval')


def test_the_table_compares_the_runs_by_flags_and_figures(tab, logs):
    # 9 columns: name, box, five flags, precision, Dice; a header and two rows.
    cells = tab('hparams').wait("""
        const cells = found('vaadin-grid-cell-content').map(text).filter(Boolean);
        return cells.filter(cell => cell === 'simple').length === 2 && cells;
    """)
    columns = [cells.index(name) for name in ('exercise', 'num_epochs', 'learning_rate', 'precision', 'dice')]
    assert columns == sorted(columns)
    numbers = {float(cell) for cell in cells if cell.replace('.', '').isdigit()}
    for name, rate in RATES.items():
        figures = json.loads((logs / name / 'eval' / 'metrics.json').read_text())
        for expected in (rate, figures['precision'], figures['dice']):
            assert any(number == pytest.approx(expected, rel=1e-4) for number in numbers), (expected, cells)


def test_the_guides_screenshots_are_small_pictures_of_every_tab(logs, run, tmp_path):
    run('scripts/screenshots.py', logs, '--out', tmp_path, check=True)
    for shot in screenshots.SHOTS:
        file = tmp_path / shot.name
        assert file.stat().st_size < 80000
        assert Image.open(str(file)).width == shot.width
