"""Writes report.html: one file that opens offline, with the numbers, the volume over the heartbeat and every image.

The page is study/page/page.html, of which this module fills the blanks; how it looks stands in page.css, and what
moves in page.js. All images are one picture, slices by phases, which is the page's grid as it stands; its outlines are
paths over it. The loop takes both from there.
"""

import base64
import io
import json
import math
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy as np
from PIL import Image

from study import pictures, tiles
from study.segmenting import Segmented
from study.tiles import Window

_FILES = Path(__file__).resolve().parent / 'page'

_TILE = 128  # pixels
_JPEG_QUALITY = 85  # 260 images take 1.3 MB.

Report = Dict[str, Any]


def write(path: str, segmented: Segmented, report: Report) -> None:
    """Writes the page of a segmented study.

    Args:
        report: what report.json says, with `edv_ml` and the other keys of it; those that nothing is known of are None.
    """
    seen = tiles.window(segmented)
    page = Template(_file('page.html')).substitute(
        style=_file('page.css'),
        script=_file('page.js'),
        data=_json(_data(segmented)),
        title=f'Left ventricle: ejection fraction {_number(report["ejection_fraction_percent"], 1)} %',
        stack=_stack(segmented),
        numbers=''.join(_numbers(segmented, report)),
        warnings=_warnings(report['warnings']),
        grid=_grid(segmented, seen),
        slice_names=''.join(_slice_names(segmented)),
        number_of_slices=len(segmented.areas),
        phases=segmented.stack.phases,
        last_phase=segmented.stack.phases - 1,
        shape=' '.join(_shape(segmented)),
        table=''.join(_table(segmented)),
        report=''.join(_everything(report)),
    )
    # A file's name may have bytes that are no UTF-8; they become question marks.
    Path(path).write_text(page, encoding='utf-8', errors='replace')


def _file(name: str) -> str:
    return (_FILES / name).read_text(encoding='utf-8')


def _json(data: Any) -> str:  # noqa: ANN401 - JSON
    """JSON that can stand in a script element: nothing in it ends that."""
    return json.dumps(data, allow_nan=False).replace('<', '\\u003c')


def _data(segmented: Segmented) -> Dict[str, Any]:
    """What page.js needs to know."""
    return {
        'tile': _TILE,
        'phases': segmented.stack.phases,
        'ed': segmented.volumes.ed_phase,
        'es': segmented.volumes.es_phase,
        'ml': [_rounded(value, 1) for value in segmented.volumes.by_phase],
        'mm2': [[_rounded(value, 0) for value in areas] for areas in segmented.areas],
        'ms': _times(segmented),
        'secondsOfABeat': pictures.seconds_of_a_beat(segmented),
    }


def _is_known(value: Optional[float]) -> bool:
    return value is not None and math.isfinite(value)


def _rounded(value: float, digits: int) -> Optional[float]:
    return round(float(value), digits) if _is_known(value) else None


def _times(segmented: Segmented) -> List[Optional[float]]:
    """Of each phase the median of the slices, ms: each slice is a breath-hold with a heart rate of its own."""
    times = [[image.trigger_time for image in phase] for phase in zip(*segmented.stack.images)]
    known = [[time for time in phase if time is not None] for phase in times]
    return [round(float(np.median(phase))) if phase else None for phase in known]


def _number(value: Optional[float], digits: int) -> str:
    return f'{value:.{digits}f}' if _is_known(value) else '–'


def _stack(segmented: Segmented) -> str:
    stack, spacing = segmented.stack, segmented.stack.images[0][0].spacing
    slices = '1 slice' if len(stack.positions) == 1 else f'{len(stack.positions)} slices'
    phases = '1 phase' if stack.phases == 1 else f'{stack.phases} phases'
    apart = f'{_number(stack.spacing, 1)} mm {"thick" if len(stack.positions) == 1 else "apart"}'
    return f'{slices}, {apart} · {phases} · pixels of {spacing.rows:.2f} × {spacing.columns:.2f} mm'


def _shape(segmented: Segmented) -> Iterator[str]:
    """Classes for page.css."""
    slices, phases = segmented.areas.shape
    if slices == 1:
        yield 'one-slice'
    if phases == 1:
        yield 'one-phase'


def _is_a_beat(segmented: Segmented) -> bool:
    """Not so of a single phase, and where no volume is larger than another."""
    return segmented.volumes.ed_phase != segmented.volumes.es_phase


def _numbers(segmented: Segmented, report: Report) -> Iterator[str]:
    """The figures at the page's top: the ejection fraction, or why there is none, then volumes and heart rate."""
    fraction = report['ejection_fraction_percent']
    why = 'of the blood leaves in a beat' if _is_known(fraction) else _why_no_fraction(segmented)
    yield _figure('Ejection fraction', _number(fraction, 1), '%', why, 'first')
    if not _is_a_beat(segmented):
        when = 'at the only phase' if segmented.stack.phases == 1 else 'at every phase'
        yield _figure('Volume', _number(report['edv_ml'], 1), 'ml', when)
    else:
        largest, smallest = (
            f'the largest, at phase {report["ed_phase"]}',
            f'the smallest, at phase {report["es_phase"]}',
        )
        yield _figure('End-diastolic volume', _number(report['edv_ml'], 1), 'ml', largest, 'ed')
        yield _figure('End-systolic volume', _number(report['esv_ml'], 1), 'ml', smallest, 'es')
        yield _figure('Stroke volume', _number(report['stroke_volume_ml'], 1), 'ml', 'the difference')
    rate = report['heart_rate_bpm']
    note = 'the files do not tell it' if rate is None else 'as the files tell it'
    yield _figure('Heart rate', _number(rate, 0), 'beats/min', note)


def _why_no_fraction(segmented: Segmented) -> str:
    if segmented.stack.phases == 1:
        return 'there is only one phase: nothing to compare its volume with'
    if not segmented.areas.any():
        return 'no left ventricle was found in any image'
    return 'the volumes are not known: no file tells how thick a slice is'


def _figure(name: str, value: str, unit: str, note: str, kind: str = '') -> str:
    return (
        f'<div class="figure {kind}"><dt>{name}</dt><dd><b>{value}</b> {unit}<small>{escape(note)}</small></dd></div>\n'
    )


def _warnings(sentences: List[str]) -> str:
    if not sentences:
        return ''
    return f'<ul class="warnings">{"".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)}</ul>'


def _grid(segmented: Segmented, seen: Window) -> str:
    """What stands within the grid's svg element: the picture of all images, and a path for each outline."""
    slices, phases = segmented.areas.shape
    width, height = phases * _TILE, slices * _TILE
    outlines = ''.join(
        f'<path id="outline-{number}-{phase}" transform="translate({phase * _TILE} {number * _TILE})" d="{drawn}"/>\n'
        for number, phase, drawn in _paths(segmented, seen)
    )
    return (
        f'<svg id="grid" viewBox="0 0 {width} {height}" role="img" aria-label="every image, slice by phase">'
        f'<image id="sprite" width="{width}" height="{height}" href="{_sprite(segmented, seen)}"/>'
        f'<g class="outlines">{outlines}</g>'
        f'<rect id="here" width="{_TILE}" height="{_TILE}"/></svg>'
    )


def _sprite(segmented: Segmented, seen: Window) -> str:
    """All images as one JPEG, a row for each slice, as a data URI."""
    rows = [np.hstack(tiles.greys(segmented, seen, number, _TILE)) for number in range(len(segmented.areas))]
    file = io.BytesIO()
    Image.fromarray(np.vstack(rows)).save(file, 'JPEG', quality=_JPEG_QUALITY, optimize=True)
    return 'data:image/jpeg;base64,' + base64.b64encode(file.getvalue()).decode()


def _paths(segmented: Segmented, seen: Window) -> Iterator[Tuple[int, int, str]]:
    """Slice, phase and outline of each image that has one; the outline as SVG has it, from the tile's corner."""
    for number, phase in np.argwhere(segmented.areas > 0):
        points = tiles.outline(segmented, seen, number, phase, _TILE)
        yield number, phase, 'M' + ' '.join(f'{x:.1f},{y:.1f}' for x, y in points) + 'Z'


def _slice_names(segmented: Segmented) -> Iterator[str]:
    for number, position in enumerate(segmented.stack.positions):
        note = 'left out' if number in segmented.ventricle.atrium else f'{position:.0f} mm'
        yield f'<li><b>{number}</b> <small>{note}</small></li>'


def _table(segmented: Segmented) -> Iterator[str]:
    """Of each slice the areas at end-diastole and end-systole, and by how much they differ."""
    found = segmented.volumes
    names, phases = ['end-diastole<br>mm²', 'end-systole<br>mm²', 'change'], [found.ed_phase, found.es_phase]
    if not _is_a_beat(segmented):
        names, phases = ['area<br>mm²', ''], [found.ed_phase]
    heading = ''.join(f'<th>{name}</th>' for name in ['slice', 'position<br>mm', *names])
    yield f'<thead><tr>{heading}</tr></thead>\n<tbody>\n'
    for number, position in enumerate(segmented.stack.positions):
        areas = segmented.areas[number, phases]
        left_out = 'left out' if number in segmented.ventricle.atrium else ''
        values = [str(number), f'{position:.1f}', *(f'{area:.0f}' for area in areas), left_out or _change(*areas)]
        yield f'<tr>{"".join(f"<td>{value}</td>" for value in values)}</tr>\n'
    yield '</tbody>\n'


def _change(ed: float, es: Optional[float] = None) -> str:
    return f'{100 * (es - ed) / ed:+.0f} %'.replace('-', '−') if ed and es is not None else ''


def _everything(report: Report, before: str = '') -> Iterator[str]:
    """The lines of report.json; a value within another is named by both."""
    for key, value in report.items():
        if isinstance(value, dict):
            yield from _everything(value, f'{before}{key}.')
            continue
        values = value if isinstance(value, (list, tuple)) else [value]
        shown = '<br>'.join(escape('unknown' if one is None else str(one)) for one in values) or 'none'
        name = escape(before + str(key)).replace('_', '_<wbr>').replace('.', '.<wbr>')
        yield f'<tr><th>{name}</th><td>{shown}</td></tr>\n'
