"""Plots of a probing as SVG: the heat map of cells, ROC curves, calibration, and risk over coverage.

Colours of text, lines and panel are those of the page around (``--quiet``, ``--line``, ``--panel``), so that a plot
stands in a dark and in a light page; alone it is light. A cell that does not beat the best baseline is hatched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from studio.embeddings.probing import metrics
from studio.embeddings.probing.cells import KINDS, Place, Scored, title
from studio.embeddings.probing.probes import Kind

WIDTH, HEIGHT = 420, 340
LEFT, TOP, RIGHT, BOTTOM = 52, 44, 16, 42
QUIET, LINE, PANEL, TEXT = (
    "var(--quiet, #5c5c5c)", "var(--line, #d6d6d6)", "var(--panel, #f8f8f8)", "var(--text, #1c1c1c)",
)  # fmt: skip
COLOURS = ("#4a9be0", "#4fa870", "#e0625a", "#b5739d", "#c9a23f")
BASELINE = "var(--quiet, #5c5c5c)"
ACCENT = "74, 155, 224"
HATCH = '<pattern id="{id}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
CELL, ROW, NAMES = 66, 42, 108
"""Width and height of a cell of the heat map, and room for the names of the rows."""

Cells = Mapping[tuple[Place, Kind], Scored]
Labels = NDArray[np.int64]
Curve = tuple[Sequence[float], Sequence[float]]


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
        body += _text(16, top - 20, head, weight=600)
        for column, layer in enumerate(layers):
            words = "no layer" if layer is None else f"layer {layer}"
            body += _text(NAMES + (column + 0.5) * CELL, top + 12, words, "middle")
        for row, name in enumerate(rows):
            body += _text(NAMES - 12, top + 26 + (row + 0.5) * ROW + 4, title(name), "end")
            for column, layer in enumerate(layers):
                one = cells.get((Place(name, layer), kind))
                if one is not None:
                    body += _cell(NAMES + column * CELL, top + 22 + row * ROW, one.result)
    foot = len(kinds) * height + 26
    key = "Hatched: does not beat the best baseline, "
    key += f"{bar.result['title']} {bar.result['metrics']['auroc']['value']:.2f}"
    body += f'<rect x="16" y="{foot - 10}" width="14" height="14" rx="3" fill="url(#hatch)" stroke="{LINE}"/>'
    body += _text(38, foot + 1, key)
    lines = f'<path d="M0 0V6" stroke="{QUIET}" stroke-opacity=".35" stroke-width="2"/></pattern>'
    return _svg(
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
    chance = _path(((0, 1), (0, 1)), 1, LINE, dash=True)
    return _chart("ROC", "right answers called hallucinations", "hallucinations found", lines, 1, chance)


def _roc(labels: Labels, scores: metrics.Floats) -> Curve:
    false, true, _ = roc_curve(labels, scores)
    return false.tolist(), true.tolist()


def calibration(labels: Labels, shown: Mapping[str, metrics.Floats]) -> str:
    """Draw the share of hallucinations over the score, in bins; the larger a dot, the more questions in it."""
    lines: dict[str, tuple[Curve, str]] = {}
    dots = _path(((0, 1), (0, 1)), 1, LINE, dash=True)
    for colour, (words, scores) in zip((COLOURS[0], BASELINE), shown.items(), strict=True):
        bins = metrics.calibration(labels, scores)
        lines[words] = (([each["score"] for each in bins], [each["share"] for each in bins]), colour)
        for each in bins:
            radius = 2 + 6 * (each["count"] / len(labels)) ** 0.5
            dots += f'<circle cx="{_right(each["score"]):.1f}" cy="{_down(each["share"], 1):.1f}" r="{radius:.1f}" '
            dots += f'fill="{colour}"><title>{each["count"]:.0f} questions</title></circle>'
    return _chart("Calibration", "score", "share of hallucinations", lines, 1, dots)


def coverage(labels: Labels, shown: Mapping[str, metrics.Floats]) -> str:
    """Draw what share of the answers is hallucinated among those kept, when the lowest scores are kept."""
    lines: dict[str, tuple[Curve, str]] = {}
    for colour, (words, scores) in zip((COLOURS[0], BASELINE), shown.items(), strict=True):
        curve = metrics.risk_coverage(labels, scores)
        lines[words] = ((curve["coverage"], curve["risk"]), colour)
    base = float(labels.mean())
    high = min(1.0, np.ceil(10 * max(base, *(max(y) for (_, y), _ in lines.values()))) / 10)
    level = _path(((0, 1), (base, base)), high, LINE, dash=True)
    return _chart("Risk over coverage", "share of answers kept", "hallucinations among them", lines, high, level)


def _chart(name: str, across: str, up: str, lines: Mapping[str, tuple[Curve, str]], high: float, under: str) -> str:
    grid = ""
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = _down(share * high, high)
        grid += f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{LINE}" stroke-opacity=".6"/>'
        grid += _text(LEFT - 8, y + 4, f"{share * high:.2g}", "end")
        grid += _text(_right(share), HEIGHT - BOTTOM + 16, f"{share:g}", "middle")
    body = grid + under
    keys = ""
    upper = name != "ROC"  # where curves leave room
    for index, (words, (curve, colour)) in enumerate(lines.items()):
        body += _path(curve, high, colour)
        y = TOP + 10 + 15 * index if upper else HEIGHT - BOTTOM - 12 - 15 * (len(lines) - 1 - index)
        x = LEFT + 10 if upper else WIDTH - RIGHT - 222
        keys += f'<path d="M{x} {y - 4:.1f}h12" stroke="{colour}" stroke-width="3" stroke-linecap="round"/>'
        keys += _text(x + 18, y, words)
    titles = _text(16, 24, name, weight=600) + _text(WIDTH - RIGHT, HEIGHT - 8, across, "end")
    titles += _text(WIDTH - RIGHT, 24, f"↑ {up}", "end")
    return _svg(WIDTH, HEIGHT, body + keys + titles, name)


def _path(curve: Curve, high: float, colour: str, dash: bool = False) -> str:
    dots = "L".join(f"{_right(x):.1f} {_down(y, high):.1f}" for x, y in zip(*curve, strict=True))
    dashed = ' stroke-dasharray="3 4"' if dash else ""
    return f'<path d="M{dots}" fill="none" stroke="{colour}" stroke-width="1.8" stroke-linejoin="round"{dashed}/>'


def _right(value: float) -> float:
    return LEFT + value * (WIDTH - LEFT - RIGHT)


def _down(value: float, high: float) -> float:
    return HEIGHT - BOTTOM - value / high * (HEIGHT - TOP - BOTTOM)


def _kind(kind: Kind) -> str:
    return {"linear": "linear", "mlp": "MLP"}[kind]


def _text(x: float, y: float, words: str, anchor: str = "start", weight: int = 400) -> str:
    strong = f' font-weight="{weight}" font-size="13"' if weight != 400 else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{QUIET}"{strong}>{escape(words)}</text>'


def _svg(width: float, height: float, body: str, words: str) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{words}"'
    look = 'style="font: 11px var(--font, system-ui, sans-serif); width: 100%; height: auto; display: block"'
    panel = f'<rect width="{width:g}" height="{height:g}" rx="10" fill="{PANEL}"/>'
    return f"{head} {look}>{panel}{body}</svg>\n"
