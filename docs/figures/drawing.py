"""Draws the figures of the lab guide into docs/images/; shapes, numbers and areas in them are computed.

network.svg        the shapes in the convolutional network, read from its graph
layers.svg         what the three kinds of layers do to a small grid, computed by TensorFlow
metrics.svg        precision, Dice and IoU of four predictions
learning_rate.svg  the learning rate under three settings of the flags, read from the network's training graph
label.png          a slice, the expert's contour, and the label: with --data_dir
slices.png         slices with the contours of the expert and of a trained network: with --data_dir and --checkpoint_dir
"""

import types
from typing import Callable, Dict, List, NamedTuple, Tuple

from lvseg import flags, metrics, networks, pictures, prediction, records, summaries
from lvseg.layout import SIZE, record_file
from lvseg.project import PROJECT

import numpy as np
import tensorflow.compat.v1 as tf

from docs.figures.svg import FAINT, INK, Point, Svg
from inside import drawing

IMAGES = PROJECT / 'docs' / 'images'

_GREY, _BLUE, _ORANGE, _GREEN = '#c9ced6', '#7fb0e6', '#f2b36b', '#86c98f'
_SLICE = '#44474d'  # darker than what is drawn on it
_EXPERT, _NETWORK = ('#{:02x}{:02x}{:02x}'.format(*colour) for colour in (pictures.EXPERT, pictures.NETWORK))


class Layer(NamedTuple):
    """What comes out of a layer."""

    name: str
    kind: str
    shape: List[int]  # height, width, channels


def network() -> types.ModuleType:
    """The solution of exercise 2."""
    path = networks.solution('cnn')
    return networks.load(path, networks.source(path))


KINDS = {
    'Placeholder': ('image', _GREY),
    'Conv2D': ('convolution', _BLUE),
    'MaxPool': ('max pooling', _ORANGE),
    'Conv2DBackpropInput': ('transposed convolution', _GREEN),
}


def layers() -> List[Layer]:
    """The layers of the convolutional network that change the shape of the data, as they stand in its graph."""
    with tf.Graph().as_default() as graph, networks.quiet():
        image = tf.placeholder(tf.float32, [1, SIZE, SIZE, 1], name='image')
        network().inference(image, training=False)
    return [
        Layer(operation.name.split('/')[0], operation.type, operation.outputs[0].shape.as_list()[1:])
        for operation in graph.get_operations()
        if operation.type in KINDS
    ]


def draw_network() -> Svg:
    """Every layer's output as a box drawn to scale: as high and as deep as the image, as wide as it has channels."""
    pitch, middle, scale, channel_scale, slant = 106, 118, 0.5, 0.2, 0.32
    found = layers()
    svg = Svg(pitch * len(found) + 12, 296)
    for column, layer in enumerate(found):
        height, depth, channels = layer.shape
        high, wide, back = height * scale, max(channels * channel_scale, 2), depth * scale * slant
        centre = 6 + pitch * (column + 0.5)
        left, top = centre - (wide + back) / 2, middle - high / 2 + back / 2
        colour = KINDS[layer.kind][1]
        svg.polygon(
            [(left, top), (left + back, top - back), (left + wide + back, top - back), (left + wide, top)], colour
        )
        right = left + wide
        svg.polygon(
            [(right, top), (right + back, top - back), (right + back, top + high - back), (right, top + high)], colour
        )
        svg.rect(left, top, wide, high, colour)
        if column:
            svg.arrow(centre - pitch / 2 - 9, middle, 18)
        svg.text(centre, 228, layer.name, 14, font_weight='bold')
        svg.text(centre, 247, f'{height} × {depth} × {channels}', 14)
    for column, (label, colour) in enumerate(KINDS.values()):
        svg.rect(180 + 170 * column, 270, 13, 13, colour)
        svg.text(200 + 170 * column, 281, label, 13, 'start')
    return svg


_CELL = 30


def _grid(
    svg: Svg, x: float, y: float, values: np.ndarray, fill: Callable[[int, int], str], dashed_from: int = 99
) -> None:
    """A table of numbers; rows and columns from `dashed_from` on lie outside the image: padding, or cut off."""
    for (row, column), value in np.ndenumerate(values):
        outside = max(row, column) >= dashed_from
        style = {'stroke_dasharray': '3 3'} if outside else {}
        left, top = x + column * _CELL, y + row * _CELL
        svg.rect(left, top, _CELL, _CELL, fill(row, column), edge=FAINT, **style)
        colour = FAINT if outside else INK
        svg.text(left + _CELL / 2, top + _CELL / 2 + 5, f'{value:g}'.replace('-', '−'), 14, fill=colour)


def _window(colour: str, top: int, left: int, size: int) -> Callable[[int, int], str]:
    """Fills a square of cells; the others stay white."""
    return lambda row, column: colour if 0 <= row - top < size and 0 <= column - left < size else 'white'


def _computed(operation: Callable[..., tf.Tensor], *arrays: np.ndarray) -> np.ndarray:
    """What a TensorFlow operation on [1, height, width, 1] makes of tables of numbers, as a table."""
    with tf.Graph().as_default(), tf.Session() as session:
        return session.run(operation(*(array.astype(np.float32) for array in arrays)))[0, :, :, 0]


def convolved(image: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """A convolution as the network has them, of one channel and without ReLU."""
    return _computed(
        lambda i, k: tf.nn.conv2d(i[None, :, :, None], k[:, :, None, None], strides=stride, padding='SAME'),
        image,
        kernel,
    )


def pooled(image: np.ndarray, size: int) -> np.ndarray:
    """Max pooling whose windows lie side by side."""
    return _computed(
        lambda i: tf.nn.max_pool2d(i[None, :, :, None], ksize=size, strides=size, padding='SAME'),
        image,
    )


def painted(scores: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """A transposed convolution, before what sticks out is cut off ('valid' in TensorFlow's terms)."""
    side = (len(scores) - 1) * stride + len(kernel)
    return _computed(
        lambda s, k: tf.nn.conv2d_transpose(
            s[None, :, :, None], k[:, :, None, None], [1, side, side, 1], strides=stride, padding='VALID'
        ),
        scores,
        kernel,
    )


def draw_layers() -> Svg:
    """Convolution, max pooling and transposed convolution, each on a grid small enough to work out by hand."""
    svg = Svg(700, 696)
    _draw_convolution(svg, 20)
    _draw_pooling(svg, 300)
    _draw_transposed_convolution(svg, 490)
    return svg


def _title(svg: Svg, y: float, name: str, what: str) -> None:
    svg.text(20, y + 8, name, 16, 'start', font_weight='bold')
    svg.text(20, y + 28, what, 13, 'start', fill=FAINT)


def _draw_convolution(svg: Svg, y: float) -> None:
    image = np.array(
        [[0, 0, 0, 3, 3, 3], [0, 0, 0, 3, 3, 3], [0, 0, 3, 3, 3, 3], [0, 0, 3, 3, 3, 0], [0, 0, 3, 3, 0, 0], [0] * 6]
    )
    kernel = np.array([[-1, 0, 1]] * 3)
    result = convolved(image, kernel, stride=2)
    row, column = 0, 1
    window = image[2 * row : 2 * row + 3, 2 * column : 2 * column + 3]

    _title(
        svg,
        y,
        'Convolution, 3 × 3, stride 2',
        'A window of the image, times the kernel, summed; the next window begins two cells on. Dashed: padding.',
    )
    _grid(svg, 20, y + 42, np.pad(image, [(0, 1), (0, 1)], 'constant'), _window(_BLUE, 2 * row, 2 * column, 3), 6)
    svg.text(258, y + 42 + 3.6 * _CELL, '×', 20)
    _grid(svg, 285, y + 42 + 2 * _CELL, kernel, lambda row, column: _GREY)
    svg.arrow(393, y + 42 + 3.5 * _CELL, 40)
    _grid(svg, 450, y + 42 + 2 * _CELL, result, _window(_BLUE, row, column, 1))
    svg.text(
        560,
        y + 42 + 2.65 * _CELL,
        f'{window[:, 2].sum()} − {window[:, 0].sum()} = {result[row, column]:g}',
        14,
        'start',
    )
    svg.text(285, y + 42 + 6 * _CELL, 'This kernel answers where dark turns bright from left to right.', 13, 'start')


def _draw_pooling(svg: Svg, y: float) -> None:
    image = np.array([[1, 0, 2, 3], [4, 6, 6, 8], [3, 1, 1, 0], [1, 2, 2, 4]])
    tints = ((_BLUE, _ORANGE), (_GREEN, _GREY))
    _title(svg, y, 'Max pooling, 2 × 2, stride 2', 'The largest number of each window.')
    _grid(svg, 20, y + 42, image, lambda row, column: tints[row // 2][column // 2])
    svg.arrow(160, y + 42 + 2 * _CELL, 40)
    _grid(svg, 220, y + 42 + _CELL, pooled(image, 2), lambda row, column: tints[row][column])


def _draw_transposed_convolution(svg: Svg, y: float) -> None:
    scores = np.array([[1, 0], [2, 3]])
    kernel = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]])
    _title(
        svg,
        y,
        'Transposed convolution, 3 × 3, stride 2',
        'Every number paints with the kernel, two cells apart; where strokes overlap, they add up. Dashed: cut off.',
    )
    _grid(svg, 20, y + 42 + 1.5 * _CELL, scores, _window(_GREEN, 1, 0, 1))
    svg.text(100, y + 42 + 2.6 * _CELL, '×', 20)
    _grid(svg, 120, y + 42 + _CELL, kernel, lambda row, column: _GREY)
    svg.arrow(225, y + 42 + 2.5 * _CELL, 40)
    _grid(svg, 285, y + 42, painted(scores, kernel, stride=2), _window(_GREEN, 2, 0, 3), 4)


def _disc(x: float, y: float, radius: float) -> np.ndarray:
    down, across = np.indices((SIZE, SIZE))
    return (across - x) ** 2 + (down - y) ** 2 <= radius**2


def measured(labelled: np.ndarray, predicted: np.ndarray) -> Dict[str, float]:
    """The figures of a prediction."""
    areas = metrics.Areas(np.sum(labelled & predicted), labelled.sum(), predicted.sum(), labelled.size)
    return {'precision': metrics.precision(areas), 'Dice': metrics.dice(areas), 'IoU': metrics.iou(areas)}


def draw_metrics() -> Svg:
    """A ventricle of ordinary size in a slice, four predictions of it, and what each measure says."""
    centre, radius, side, zoom = SIZE / 2, 20, 104, 1.7
    predictions = [  # x, y, radius
        ('nothing', centre, centre, 0),
        ('half beside it', centre + radius * 0.9, centre, radius),
        ('twice as wide', centre, centre, 2 * radius),
        ('nearly right', centre + 2, centre + 2, radius),
    ]
    labelled = _disc(centre, centre, radius)
    pitch = side * zoom + 24
    svg = Svg(pitch * len(predictions) + 24, 330)
    for column, (name, x, y, predicted_radius) in enumerate(predictions):
        left, middle = 24 + pitch * column, 24 + pitch * column + side * zoom / 2
        svg.rect(left, 40, side * zoom, side * zoom, _SLICE)
        svg.circle(middle, 40 + side * zoom / 2, radius * zoom, 'none', _EXPERT, stroke_width=2.5)
        if predicted_radius:
            place = (middle + (x - centre) * zoom, 40 + (side / 2 + y - centre) * zoom)
            svg.circle(*place, predicted_radius * zoom, _NETWORK, _NETWORK, fill_opacity=0.35, stroke_width=2.5)
        svg.text(middle, 28, name, 15, font_weight='bold')
        figures = measured(labelled, _disc(x, y, predicted_radius) if predicted_radius else np.zeros_like(labelled))
        for row, (measure, value) in enumerate(figures.items()):
            svg.text(middle - 4, 242 + 20 * row, measure, 14, 'end')
            svg.text(middle + 8, 242 + 20 * row, f'{value:.3f}', 14, 'start')
    for left, colour, who in ((290, _EXPERT, 'drawn by the expert'), (470, _NETWORK, 'predicted by the network')):
        svg.rect(left, 302, 18, 18, _SLICE, edge='none')
        svg.circle(left + 9, 311, 6, 'none', colour, stroke_width=2.5)
        svg.text(left + 26, 316, who, 13, 'start')
    return svg


def learning_rates(rate: float, decay_rate: float, decay_steps: int, steps: np.ndarray) -> List[float]:
    """The learning rate at each of the steps, as the network's training graph computes it."""
    with tf.Graph().as_default() as graph, networks.quiet():
        global_step = tf.train.get_or_create_global_step()
        network().training(tf.square(tf.Variable(1.0)), rate, decay_steps, decay_rate)
        tensor = graph.get_operation_by_name(summaries.LEARNING_RATE).inputs[1]
        with tf.Session() as session:
            return [_at_step(step, tensor, global_step, session) for step in steps]


def _at_step(step: int, tensor: tf.Tensor, global_step: tf.Variable, session: tf.Session) -> float:
    global_step.load(step, session)
    return session.run(tensor)


def draw_learning_rate() -> Svg:
    """Staircases of the learning rate over 8000 steps."""
    settings = [
        ((0.01, 1.0, 1000), '#4a7fc1', 'defaults'),
        ((0.03, 0.5, 2000), '#c9781f', '--learning_rate 0.03 --decay_rate 0.5 --decay_steps 2000'),
        ((0.02, 0.9, 1000), '#3f9350', '--learning_rate 0.02 --decay_rate 0.9 --decay_steps 1000'),
    ]
    last, steps = 8000, np.arange(0, 8000, 20)
    left, top, width, height, highest = 70, 30, 650, 280, 0.041
    svg = Svg(760, 370)

    def place(step: float, rate: float) -> Point:
        return left + width * step / last, top + height * (1 - rate / highest)

    for rate in (0, 0.01, 0.02, 0.03):
        svg.line([place(0, rate), place(last, rate)], '#dddddd')
        svg.text(left - 8, place(0, rate)[1] + 4, f'{rate:g}', 13, 'end')
    for step in range(0, last + 1, 1000):
        svg.text(place(step, 0)[0], top + height + 20, f'{step}', 13)
    svg.text(left, top - 10, 'learning rate', 13, 'start', font_weight='bold')
    svg.text(left + width, top + height + 42, 'training step', 13, 'end', font_weight='bold')
    for row, (setting, colour, label) in enumerate(settings):
        rates = learning_rates(*setting, steps)
        corners = [place(steps[0], rates[0])]
        for step, before, after in zip(steps[1:], rates, rates[1:]):
            if after != before:
                corners += [place(step, before), place(step, after)]
        svg.line([*corners, place(last, rates[-1])], colour, 2.5)
        svg.line([(300, 26 + 20 * row), (324, 26 + 20 * row)], colour, 2.5)
        svg.text(332, 30 + 20 * row, label, 13, 'start')
    return svg


DRAWINGS = {
    'network.svg': draw_network,
    'layers.svg': draw_layers,
    'metrics.svg': draw_metrics,
    'learning_rate.svg': draw_learning_rate,
}


def label_picture(data_dir: str) -> bytes:
    """The validation slice whose ventricle is the largest: as it is, with the contour, and the label."""
    image, label = _largest_ventricle(data_dir)
    nothing = np.zeros_like(label)
    parts = {
        'image': pictures.Slice(image, None, nothing),
        "expert's contour": pictures.Slice(image, label, nothing),
        'label': pictures.Slice(label, None, nothing),
    }
    tiles = [pictures.tile(piece, [(words, pictures.TEXT)], SIZE) for words, piece in parts.items()]
    return pictures.png(pictures.grid(tiles, [], len(tiles)))


def augmentation_picture(data_dir: str) -> bytes:
    """The same slice with its contour, and what the challenge's augmentation makes of it with five seeds."""
    image, label = _largest_ventricle(data_dir)
    path = networks.solution('challenge').with_name('augmentation.py')
    augmentation = networks.load(path, networks.source(path))
    with tf.Graph().as_default(), tf.Session() as session:
        slices = tf.constant(image[np.newaxis], tf.float32), tf.constant(label[np.newaxis])
        made = session.run([augmentation.augment(*slices, seed=[1, step]) for step in range(1, 6)])
    found = {'as it is': (image, label), **{f'seed {number}': pair for number, pair in enumerate(made, start=1)}}
    nothing = np.zeros_like(label)
    tiles = [
        pictures.tile(pictures.Slice(np.squeeze(pixels), np.squeeze(mask), nothing), [(words, pictures.TEXT)], 200)
        for words, (pixels, mask) in found.items()
    ]
    return pictures.png(pictures.grid(tiles, [], 3))


def slices_picture(data_dir: str, checkpoint_dir: str) -> bytes:
    """Six validation slices, from the one with the lowest Dice to the one with the highest."""
    ordered = drawing.worst(drawing.source(data_dir), prediction.load(checkpoint_dir))
    some = [ordered[number] for number in np.linspace(0, len(ordered) - 1, 6).astype(int)]
    tiles = [pictures.tile(found.piece, [(f'Dice {found.dice:.3f}', pictures.TEXT)], 200) for found in some]
    return pictures.png(pictures.grid(tiles, list(pictures.LEGEND), 3))


def _largest_ventricle(data_dir: str) -> Tuple[np.ndarray, np.ndarray]:
    """The validation slice whose ventricle is the largest, and its label."""
    return max(records.read(record_file(data_dir, 'eval')), key=lambda piece: piece[1].sum())


def main() -> None:
    """Draws all figures that can be drawn from what is given."""
    parser = flags.Parser(description=__doc__.splitlines()[0])
    parser.add_argument('--data_dir', type=flags.directory, help='directory of record files (default: no PNG is drawn)')
    parser.add_argument(
        '--checkpoint_dir', type=flags.directory, help='directory of a training run (default: no slices.png is drawn)'
    )
    args = parser.parse_args()

    IMAGES.mkdir(exist_ok=True)
    for name, draw in DRAWINGS.items():
        _write(name, draw().text_of_file().encode('utf-8'))
    if args.data_dir:
        _write('label.png', label_picture(args.data_dir))
        _write('augmentation.png', augmentation_picture(args.data_dir))
    if args.data_dir and args.checkpoint_dir:
        _write('slices.png', slices_picture(args.data_dir, args.checkpoint_dir))


def _write(name: str, content: bytes) -> None:
    (IMAGES / name).write_bytes(content)
    print(f'docs/images/{name}')
