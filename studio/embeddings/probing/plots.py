"""Plots of a probing as SVG: the heat map of cells, ROC curves, calibration, and risk over coverage.

Colours of text, lines and panel are those of the page around (``--quiet``, ``--line``, ``--panel``), so that a plot
stands in a dark and in a light page; alone it is light. A cell that does not beat the best baseline is hatched.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from studio import charts
from studio.charts import COLOURS, LINE, QUIET, TEXT, WIDTH, Curve
from studio.embeddings.probing import metrics
from studio.embeddings.probing.cells import KINDS, Place, Scored, title
from studio.embeddings.probing.probes import Kind

BASELINE = "var(--quiet, #5c5c5c)"
ACCENT = "74, 155, 224"
HATCH = '<pattern id="{id}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
CELL, ROW, NAMES = 66, 42, 108
"""Width and height of a cell of the heat map, and room for the names of the rows."""

Cells = Mapping[tuple[Place, Kind], Scored]
Labels = NDArray[np.int64]


def draw(labels: Labels, cells: Cells, bar: Scored) -> dict[str, str]:
    """Return the plots by name.

    Args:
        labels: ``[n]`` of the test.
        cells: What was probed.
        bar: The best baseline.
    """
    best = best_of_each(cells)
    first = max(best, key=lambda cell: cells[cell].result["validation_auroc"])
    shown = {f"{first[0].title} ({_kind(first[1])})": cells[first].scores, bar.result["title"]: bar.scores}
    return {
        "heatmap": heat_map(cells, bar),
        "roc": roc(labels, {cell: cells[cell] for cell in best}, bar),
        "calibration": calibration(labels, shown),
        "coverage": coverage(labels, shown),
    }


def best_of_each(cells: Cells) -> list[tuple[Place, Kind]]:
    """Return the cell of each representation with the highest AUROC on the validation side."""
    names = dict.fromkeys(place.representation for place, _ in cells)
    return [
        max(
            (cell for cell in cells if cell[0].representation == name),
            key=lambda c: cells[c].result["validation_auroc"],
        )
        for name in names
    ]


def heat_map(cells: Cells, bar: Scored) -> str:
    """Draw AUROC by representation and layer, a map for each kind of probe."""
    kinds = [kind for kind in KINDS if any(each == kind for _, each in cells)]
    rows = list(dict.fromkeys(place.representation for place, _ in cells))
    layers = sorted({place.layer for place, _ in cells}, key=lambda layer: -1 if layer is None else layer)
    height = 40 + len(rows) * ROW + 30
    width = max(NAMES + len(layers) * CELL + 16, WIDTH)
    body = ""
    for index, kind in enumerate(kinds):
        top = 44 + index * height
        head = f"AUROC of {'linear probes' if kind == 'linear' else 'MLP probes'}"
        body += charts.text(16, top - 20, head, weight=600)
        for column, layer in enumerate(layers):
            words = "no layer" if layer is None else f"layer {layer}"
            body += charts.text(NAMES + (column + 0.5) * CELL, top + 12, words, "middle")
        for row, name in enumerate(rows):
            body += charts.text(NAMES - 12, top + 26 + (row + 0.5) * ROW + 4, title(name), "end")
            for column, layer in enumerate(layers):
                one = cells.get((Place(name, layer), kind))
                if one is not None:
                    body += _cell(NAMES + column * CELL, top + 22 + row * ROW, one.result)
    foot = len(kinds) * height + 26
    key = "Hatched: does not beat the best baseline, "
    key += f"{bar.result['title']} {bar.result['metrics']['auroc']['value']:.2f}"
    body += f'<rect x="16" y="{foot - 10}" width="14" height="14" rx="3" fill="url(#hatch)" stroke="{LINE}"/>'
    body += charts.text(38, foot + 1, key)
    lines = f'<path d="M0 0V6" stroke="{QUIET}" stroke-opacity=".35" stroke-width="2"/></pattern>'
    return charts.svg(
        width, foot + 18, f"<defs>{HATCH.format(id='hatch')}{lines}</defs>{body}", "AUROC by representation and layer"
    )


def _cell(x: float, y: float, result: Mapping[str, Any]) -> str:
    measure = result["metrics"]["auroc"]
    value, beats = measure["value"], result["beats"]
    strength = min(max((value - 0.5) / 0.5, 0), 1)
    fill = f"rgba({ACCENT}, {0.08 + 0.75 * strength:.2f})" if beats else "url(#hatch)"
    low, high = ("–" if one is None else f"{one:.2f}" for one in (measure["low"], measure["high"]))
    box = f'<rect x="{x + 2:.1f}" y="{y + 2:.1f}" width="{CELL - 4}" height="{ROW - 4}" rx="5"'
    place = f'x="{x + CELL / 2:.1f}" text-anchor="middle" fill="{TEXT if beats else QUIET}"'
    number = (
        f'<text {place} y="{y + ROW / 2:.1f}" font-size="13" font-weight="{600 if beats else 400}">{value:.2f}</text>'
    )
    spread = f'<text {place} y="{y + ROW / 2 + 13:.1f}" font-size="9">{low}–{high}</text>'
    title = f"<title>{escape(result['title'])}: {value:.3f}</title>"
    return f'<g>{title}{box} fill="{fill}" stroke="{LINE}"/>{number}{spread}</g>'


def roc(labels: Labels, best: Cells, bar: Scored) -> str:
    """Draw the ROC curve of the best cell of each representation, and of the best baseline."""
    lines: dict[str, tuple[Curve, str]] = {}
    for colour, ((place, kind), one) in zip(COLOURS, best.items(), strict=False):
        words = f"{place.title} ({_kind(kind)}) {one.result['metrics']['auroc']['value']:.2f}"
        lines[words] = (_roc(labels, one.scores), colour)
    lines[f"{bar.result['title']} {bar.result['metrics']['auroc']['value']:.2f}"] = (_roc(labels, bar.scores), BASELINE)
    chance = charts.path(charts.DIAGONAL, 1, LINE, dash=True)
    return charts.chart(
        "ROC", "right answers called hallucinations", "hallucinations found", lines, under=chance, keys_below=True
    )


def _roc(labels: Labels, scores: metrics.Floats) -> Curve:
    false, true, _ = roc_curve(labels, scores)
    return false.tolist(), true.tolist()


def calibration(labels: Labels, shown: Mapping[str, metrics.Floats]) -> str:
    """Draw the share of hallucinations over the score, in bins; the larger a dot, the more questions in it."""
    colours = (COLOURS[0], BASELINE)
    lines = {
        words: (charts.calibration_bins(labels, scores), colour)
        for colour, (words, scores) in zip(colours, shown.items(), strict=True)
    }
    return charts.calibration("score", "share of hallucinations", lines)


def coverage(labels: Labels, shown: Mapping[str, metrics.Floats]) -> str:
    """Draw what share of the answers is hallucinated among those kept, when the lowest scores are kept."""
    lines: dict[str, tuple[Curve, str]] = {}
    for colour, (words, scores) in zip((COLOURS[0], BASELINE), shown.items(), strict=True):
        curve = metrics.risk_coverage(labels, scores)
        lines[words] = ((curve["coverage"], curve["risk"]), colour)
    base = float(labels.mean())
    high = min(1.0, np.ceil(10 * max(base, *(max(y) for (_, y), _ in lines.values()))) / 10)
    level = charts.path(((0, 1), (base, base)), high, LINE, dash=True)
    up = "hallucinations among them"
    return charts.chart("Risk over coverage", "share of answers kept", up, lines, high=high, under=level)


def _kind(kind: Kind) -> str:
    return {"linear": "linear", "mlp": "MLP"}[kind]
