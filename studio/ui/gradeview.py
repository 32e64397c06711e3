"""What the Grade tab shows of a job, computed from the job alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from typing import TYPE_CHECKING

from studio.events import Event
from studio.ui import markup

if TYPE_CHECKING:
    import pandas as pd

SCORES = {
    "held_out": "held-out photographs",
    "score": "training photographs",
    "second_opinion": "second judge",
    "analytic": "measured colour",
    "reference_match": "colours of the picture",
    "palette_match": "colours of the palette",
}
LOSSES = {
    "loss": "total",
    "image_text": "image-text",
    "reference": "reference",
    "palette": "palette",
    "image_smoothness": "image smoothness",
    "image_regularization": "regularization",
    "black_preservation": "black preservation",
    "lut_smoothness": "LUT smoothness",
}
COLOURS = {
    "held-out photographs": "#4a9be0",
    "training photographs": "#8c8c8c",
    "second judge": "#c9a23f",
    "measured colour": "#5fae7b",
    "colours of the picture": "#b5739d",
    "total": "#4a9be0",
    "image-text": "#8c8c8c",
    "image smoothness": "#c9a23f",
    "regularization": "#5fae7b",
    "black preservation": "#b5739d",
    "LUT smoothness": "#7d83c9",
    "reference": "#cf7f4a",
    "colours of the palette": "#4fa3a5",
    "palette": "#4fa3a5",
}
TARGETS = {"reference": "Colours of the picture", "palette": "Colours of the palette"}
"""Targets that are colours, and what their scores are called."""
DOUBT = 0.35  # a judge this much surer than another measure is doubted
POINTS = 240  # as many as a plot can show; a long run is thinned evenly


def curves(events: Sequence[Event], names: Mapping[str, str]) -> pd.DataFrame:
    """Tabulate metrics for a line plot.

    Args:
        events: A job's events, oldest first.
        names: Metric -> the name of its curve.

    Returns:
        Columns ``step``, ``value`` and ``curve``; a metric that was not measured at a step has no row there. Of two
        values for one step the first counts: a resumed job may tell a step again, and its end repeats its best.
        A row without a value stands first for each curve: a plot never takes in a curve that it did not begin with.
    """
    import pandas as pd

    told = [event for event in events if event.metrics]
    stride = max(1, -(-len(told) // POINTS))
    rare = {name for name in names if sum(name in event.metrics for event in told) <= POINTS}
    rows = [
        (event.metrics.get("step", event.done), event.metrics[name], names[name])
        for index, event in enumerate(told)
        for name in names
        if name in event.metrics and (name in rare or index % stride == 0)
    ]
    unused = [target for target in TARGETS if not any(target in event.metrics for event in told)]
    begun = [(0, nan, curve) for name, curve in names.items() if told and not name.startswith(tuple(unused))]
    table = pd.DataFrame([*begun, *rows], columns=["step", "value", "curve"])
    return table[~table.duplicated(["step", "curve"]) | (table["step"] == 0)]


def legend(title: str, table: pd.DataFrame) -> str:
    """Draw a plot's title and the names of the curves that have values, in their colours."""
    present = set(table.dropna()["curve"])
    shown = {name: colour for name, colour in COLOURS.items() if name in present}
    spans = "".join(f'<span><i style="background:{colour}"></i>{name}</span>' for name, colour in shown.items())
    return f'<h2>{title}</h2><div class="legend">{spans}</div>' if spans else ""


def newest(events: Sequence[Event]) -> dict[str, float]:
    """Return the newest value of every metric."""
    values: dict[str, float] = {}
    for event in events:
        values.update(event.metrics)
    return values


def gauges(metrics: Mapping[str, float], judge: str, quality: str) -> str:
    """Draw how far the judges believe the grade.

    Args:
        metrics: Newest metrics; scores are 0 to 1.
        judge: Name of the checkpoint that answered.
        quality: One sentence on how well that checkpoint measured; may be empty.
    """
    if not metrics:
        return ""
    first = "held_out" if "held_out" in metrics else "score"
    where = "on photographs held out from training" if first == "held_out" else "on the training photographs"
    followed = {title: metrics[f"{name}_match"] for name, title in TARGETS.items() if f"{name}_match" in metrics}
    only_colours = bool(followed) and first not in metrics
    dials = [] if only_colours else [_gauge("The judge believes it", metrics.get(first), where)]
    dials += [_gauge(title, value, "how much of the way they went") for title, value in followed.items()]
    if "second_opinion" in metrics:
        dials.append(_gauge("A second judge", metrics["second_opinion"], "trained apart, never optimised against"))
    if "analytic" in metrics:
        dials.append(_gauge("Measured colour", metrics["analytic"], "how far colours moved the way the words say"))
    answered = bool(judge) and not only_colours
    note = f'<p class="quiet">Answered by {markup.escape(judge)}. {markup.escape(quality)}</p>' if answered else ""
    note += _doubt(metrics, first)
    return f'<div class="gauges">{"".join(dials)}</div>{note}'


def _doubt(metrics: Mapping[str, float], first: str) -> str:
    """Say so when the judge is convinced and another measure is not: then it may have been fooled."""
    believed = metrics.get(first, 0.0)
    others = [metrics[name] for name in ("second_opinion", "analytic") if name in metrics]
    if believed - min(others, default=1.0) < DOUBT:
        return ""
    return '<p class="doubt">The measures disagree, so the judge may have been fooled. Trust the picture.</p>'


def _gauge(title: str, value: float | None, words: str) -> str:
    shown = "–" if value is None else f"{100 * value:.0f} %"
    return (
        f'<div class="gauge"><div class="line"><span>{title}</span><b>{shown}</b></div>'
        f"{markup.bar(value or 0.0, 'score')}<small>{words}</small></div>"
    )
