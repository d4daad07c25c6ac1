"""report.json and areas.csv: what a segmented study comes to, for programs to read. Nothing about the patient."""

import contextlib
import csv
import json
import math
import os
import statistics
from typing import Any, Callable, Dict, List, Optional

from lvseg import layout, reports, runs
from lvseg.errors import LabError
from lvseg.prediction import Trained

from study.segmenting import Segmented

REPORT_FILE = 'report.json'
AREAS_FILE = 'areas.csv'

# Of run.json: where files lay on the machine of the training is nobody's business.
_PATHS = ('checkpoint_dir', 'data_dir', 'init_from', 'program', 'exercise', 'seed', 'added_flags', 'started')


def report(
    found: Segmented,
    trained: Trained,
    series: str,
    warnings: List[str],
    left_out: List[str],
    hide: Callable[[str], str],
) -> Dict[str, Any]:
    """What report.json says.

    Args:
        series: which one was chosen and why, a sentence.
        warnings: sentences beside those of the stack and of the ventricle.
        left_out: paths of files that are not looked at, beside those of the stack.
        hide: takes out of a path what it tells of the patient.
    """
    stack, volumes = found.stack, found.volumes
    fraction = volumes.ejection_fraction
    rates = [image.heart_rate for images in stack.images for image in images if image.heart_rate]
    spacing = stack.images[0][0].spacing
    return {
        'edv_ml': _rounded(volumes.edv),
        'esv_ml': _rounded(volumes.esv) if stack.phases > 1 else None,
        'stroke_volume_ml': _rounded(volumes.edv - volumes.esv) if stack.phases > 1 else None,
        'ejection_fraction_percent': None if fraction is None else _rounded(fraction),
        'ed_phase': volumes.ed_phase,
        'es_phase': volumes.es_phase if stack.phases > 1 else None,
        'heart_rate_bpm': statistics.median(rates) if rates else None,
        'slices': len(stack.images),
        'phases': stack.phases,
        'slice_spacing_mm': _rounded(stack.spacing, 3),
        'pixel_spacing_mm': [spacing.rows, spacing.columns],
        'series': series,
        'checkpoint': _training(trained),
        'warnings': [*warnings, *stack.warnings, *_about_the_ventricle(found)],
        'left_out': sorted(map(hide, [*left_out, *stack.left_out])),
    }


def write(folder: str, found: Segmented, values: Dict[str, Any], hide: Callable[[str], str]) -> None:
    """Writes both files, paths without what `hide` takes out of them; raises OSError if that cannot be done."""
    with open(os.path.join(folder, REPORT_FILE), 'w', encoding='utf-8') as file:
        json.dump(values, file, indent=2, sort_keys=True)
        file.write('\n')
    with open(os.path.join(folder, AREAS_FILE), 'w', encoding='utf-8', errors='surrogateescape', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(['slice', 'position_mm', 'phase', 'trigger_time_ms', 'area_mm2', 'file'])
        for number, images in enumerate(found.stack.images):
            for phase, image in enumerate(images):
                time = '' if image.trigger_time is None else f'{image.trigger_time:.1f}'
                area = f'{found.areas[number, phase]:.1f}'
                writer.writerow([number, f'{found.stack.positions[number]:.1f}', phase, time, area, hide(image.path)])


def _rounded(value: float, digits: int = 1) -> Optional[float]:
    return None if math.isnan(value) else round(value, digits)


def _training(trained: Trained) -> Dict[str, Any]:
    """The checkpoint's own record of its training."""
    return {
        'exercise': trained.exercise,
        'step': trained.step,
        'seed': trained.run.get('seed'),
        'flags': {name: value for name, value in sorted(trained.run.items()) if name not in _PATHS},
        'validation_dice': _validation_dice(trained),
    }


def _validation_dice(trained: Trained) -> Optional[float]:
    """Of this very checkpoint, as --eval_every has kept it or runEval.py has found it; None where neither has.

    runEval.py writes beside the run's folder by default, and within it after `make challenge`.
    """
    directory = os.path.dirname(trained.checkpoint)
    for folder in (directory, os.path.join(directory, 'eval'), os.path.join(os.path.dirname(directory), 'eval')):
        with contextlib.suppress(LabError, OSError, ValueError, TypeError, KeyError, AttributeError):
            with open(os.path.join(folder, reports.METRICS_FILE)) as file:
                measured = json.load(file)
            is_of_run = (runs.load(folder) or {}).get('started') == trained.run.get('started')
            is_validation = layout.RECORD_FILES['eval'] in measured.get('file', layout.RECORD_FILES['eval'])
            if is_of_run and is_validation and measured['step'] == trained.step:
                return float(measured['dice'])
    return None


def _about_the_ventricle(found: Segmented) -> List[str]:
    said = []
    if found.volumes.edv == 0:
        return ['The network finds no left ventricle in any image, so there is no ejection fraction.']
    if found.stack.phases == 1:
        said.append('There is one phase only: its volume is given, and no ejection fraction.')
    if len(found.stack.images) == 1:
        said.append('There is one slice only: its volume and what it pumps are not those of the ventricle.')
    if found.ventricle.islands:
        said.append(f'{found.ventricle.islands} pixels away from the ventricle are dropped.')
    for number in found.ventricle.atrium:
        said.append(
            f'The slice at {found.stack.positions[number]:.0f} mm, above the base, is larger at end-systole: '
            'the atrium, so it is dropped.'
        )
    return said
