"""What there is to look at of a study: search.csv, search.html, TensorBoard's HParams, the tables at the end."""

import csv
import html
import io
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence

from lvseg import events, files, runs, summaries

import optuna
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from tuning.trials import Attempt

CSV_FILE = 'search.csv'
HTML_FILE = 'search.html'

# What is noted of a trial in the study.
COMMAND = 'command'
ENDED = 'ended'

DIVERGED = 'diverged'

_STYLE = 'body{font-family:sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;line-height:1.5}'


def to_tensorboard(attempt: Attempt) -> None:
    """A row of the HParams tab for a trial that was evaluated at least once, beside its run.

    Raises:
        LabError: it cannot be written.
    """
    run = runs.load(str(attempt.folder / 'train'))
    if run is None or not attempt.dice:
        return
    last = max(attempt.dice)
    with events.whole(str(attempt.folder)) as writer:
        writer.add_summary(summaries.scalars(**{summaries.DICE: attempt.dice[last]}), last)
        for summary in summaries.hparams({**run, 'eval_data': 'inner'}, f'trial {attempt.trial.number:04d}'):
            writer.add_summary(summary)


def write(study: Study, folder: Path) -> None:
    """Writes search.csv and search.html.

    Raises:
        LabError: they cannot be written.
    """
    with runs.writing(str(folder)):
        _write_csv(study.get_trials(deepcopy=False), str(folder / CSV_FILE))
        with files.replacing(str(folder / HTML_FILE), encoding='utf-8') as file:
            file.write(_page(study))


def last_dice(trial: FrozenTrial) -> Optional[float]:
    """Dice of the inner validation slices, as far as the trial was trained; None if it was never evaluated."""
    return trial.intermediate_values[trial.last_step] if trial.intermediate_values else None


def _write_csv(trials: Sequence[FrozenTrial], path: str) -> None:
    names = sorted({name for trial in trials for name in trial.params})
    with files.replacing(path, encoding='utf-8', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(['trial', 'state', 'ended', 'epochs', 'dice', 'seconds', *names, 'command'])
        for trial in trials:
            dice = last_dice(trial)
            writer.writerow(
                [
                    trial.number,
                    trial.state.name.lower(),
                    trial.user_attrs.get(ENDED, ''),
                    trial.last_step or 0,
                    '' if dice is None else f'{dice:.4f}',
                    f'{trial.duration.total_seconds():.0f}' if trial.duration else '',
                    *(_cell(trial.params.get(name, '')) for name in names),
                    trial.user_attrs.get(COMMAND, ''),
                ]
            )


def _cell(value: object) -> object:
    return f'{value:.3g}' if isinstance(value, float) else value


def alike(study: Study) -> Study:
    """The trials at the same age, pruned ones too: Dice at the first evaluation, 0 of one that had diverged by then.

    Else only trials that were never pruned could be compared, which are few, and all good.
    """
    copy = optuna.create_study(direction='maximize')
    for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)):
        if trial.intermediate_values:
            value = trial.intermediate_values[min(trial.intermediate_values)]
        elif trial.user_attrs.get(ENDED) == DIVERGED:
            value = 0.0
        else:
            continue
        copy.add_trial(
            optuna.create_trial(
                state=TrialState.COMPLETE, value=value, params=trial.params, distributions=trial.distributions
            )
        )
    return copy


def _page(study: Study) -> str:
    """One file with all that it needs; plotly.js stands in it once."""
    plots, same = optuna.visualization, alike(study)
    parts = [
        _plot(
            'The course of the search', 'Trials that were trained to the end.', study, plots.plot_optimization_history
        ),
        *(
            _plot(title, 'All trials at the same age: Dice at their first evaluation, 0 if they diverged.', same, plot)
            for title, plot in {
                'Which flag mattered': _importances,
                'Settings side by side': plots.plot_parallel_coordinate,
                'Flag by flag': plots.plot_slice,
            }.items()
        ),
    ]
    from plotly.offline import get_plotlyjs

    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>The search</title><style>{_STYLE}</style>'
        f'<script>{get_plotlyjs()}</script></head>\n<body><h1>The search</h1>\n<p>Dice is that of the inner '
        f'validation slices: patients taken out of the training slices.</p>\n{"".join(parts)}</body></html>\n'
    )


def _importances(study: Study, target_name: str) -> 'plotly.graph_objects.Figure':  # noqa: F821 - told by its name
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    return optuna.visualization.plot_param_importances(study, evaluator=evaluator, target_name=target_name)


def _plot(title: str, text: str, study: Study, plot: Callable) -> str:
    head = f'<h2>{html.escape(title)}</h2><p>{html.escape(text)}</p>\n'
    values = {trial.value for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))}
    if len(values) < 2:
        return f'{head}<p>Two trials with different figures are wanted for this.</p>\n'
    figure = plot(study, target_name='Dice').update_layout(title=None)
    return head + figure.to_html(full_html=False, include_plotlyjs=False) + '\n'


def top(trials: Sequence[FrozenTrial], number: int = 5) -> str:
    """The best trials, each with the command that makes it again."""
    done = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    lines = ['trial   Dice  (inner validation slices)']
    for trial in sorted(done, key=lambda trial: -trial.value)[:number]:
        lines += [f'{trial.number:5d}  {trial.value:.3f}  $ {trial.user_attrs[COMMAND]}']
    return '\n'.join(lines)


def looked(rows: Dict[str, Dict[str, List[float]]]) -> str:
    """The table of the look at the held-out slices.

    Args:
        rows: by name of the settings: 'inner', one Dice, and 'held out', one of each seed.
    """
    text = io.StringIO()
    text.write('settings        inner  held out, each seed         mean  inner - mean\n')
    for name, row in rows.items():
        inner, held_out = row['inner'][0], row['held out']
        mean = sum(held_out) / len(held_out)
        seeds = ', '.join(f'{dice:.3f}' for dice in held_out)
        text.write(f'{name:<14} {inner:6.3f}  {seeds:<25} {mean:6.3f} {inner - mean:+13.3f}\n')
    return text.getvalue()
