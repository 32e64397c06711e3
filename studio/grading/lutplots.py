"""Plots of a LUT as SVG: its curves on greys, the tint it gives them, and where it takes the points of the lattice.

Colours of text, lines and panel are those of the page around (``--quiet``, ``--line``, ``--panel``), so that a plot
stands in a dark and in a light page; alone it is light.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from studio.charts import LINE, QUIET, svg, text
from studio.grading.cielab import Colours, lab
from studio.grading.lut import identity
from studio.grading.parity import through

POINTS = 129
"""Greys along a curve."""
LATTICE = 7
"""Points along an edge of the lattice that is drawn."""
WIDTH, HEIGHT = 420, 300
LEFT, TOP, RIGHT, BOTTOM = 46, 44, 16, 38
SCALE = 120
"""Pixels that a fully saturated primary stands from the grey axis."""
CHANNELS = {"red": "#e0625a", "green": "#4fa870", "blue": "#4a9be0"}
TINTS = {"a*, red": "#b5739d", "b*, yellow": "#c9a23f"}
LEAST_TINT = 5.0
"""Chroma that the tint's axis shows at least, so that noise does not look like a tint."""
HUES = {"R": 103.0, "Y": 163.0, "G": 223.0, "C": 283.0, "B": 343.0, "M": 43.0}
"""Degrees at which the corners of the cube stand, seen along its grey axis; red as on a vectorscope."""

Curves = dict[str, list[float]]


def curves(table: Tensor, base: Tensor, points: int = POINTS) -> Curves:
    """Return what becomes of greys, as lists of equal length.

    Returns:
        ``input``; ``red``, ``green``, ``blue``, and ``ungraded``, the base's, all code values; ``lightness``, ``a`` and
        ``b``, the CIE L*, and a* and b* beside the base's.
    """
    ramp = np.repeat(np.linspace(0, 1, points)[:, None], 3, axis=1)
    before, after = through(base, ramp), through(table, ramp)
    tint = lab(after) - lab(before)
    columns = (ramp[:, 0], *after.T, before.mean(1), lab(after)[:, 0], tint[:, 1], tint[:, 2])
    names = ("input", "red", "green", "blue", "ungraded", "lightness", "a", "b")
    return {name: np.round(column, 5).tolist() for name, column in zip(names, columns, strict=True)}


def channels(found: Curves) -> str:
    """Draw red, green and blue out over grey in, with the ungraded line."""
    lines = {name: found[name] for name in CHANNELS}
    dashed = _path(found["input"], found["ungraded"], (0, 1), QUIET, 'stroke-dasharray="3 4" stroke-width="1.2"')
    body = dashed + "".join(_path(found["input"], lines[name], (0, 1), CHANNELS[name]) for name in lines)
    return _chart("Channels on greys", CHANNELS, (0, 1), [0, 0.25, 0.5, 0.75, 1], body)


def tint(found: Curves) -> str:
    """Draw the tint of grey, a* and b*, over grey in."""
    reach = max(LEAST_TINT, *(abs(value) for name in ("a", "b") for value in found[name]))
    step = next(each for each in (2.5, 5, 10, 20, 40, 80) if reach <= 2 * each)
    limits = (-2 * step, 2 * step)
    pairs = zip(("a", "b"), TINTS.values(), strict=True)
    body = "".join(_path(found["input"], found[name], limits, colour) for name, colour in pairs)
    return _chart("Tint of greys", TINTS, limits, [-2 * step, -step, 0, step, 2 * step], body)


def lattice(table: Tensor, base: Tensor) -> str:
    """Draw the cube twice, along its grey axis and from the side: points as they come out, with lines from where."""
    nodes = identity(LATTICE).double().reshape(3, -1).t().numpy()
    before, after = (np.clip(through(one, nodes), 0, 1) for one in (base, table))
    first, second = ((WIDTH * share, HEIGHT / 2 + 36) for share in (0.5, 1.5))
    body = _outline(first)
    for centre, see, depth in ((first, _seen_along, after.sum(1)), (second, _seen_from_side, -after[:, 1])):
        start, end = (np.array(centre) + SCALE * see(each) for each in (before, after))
        body += _points(start, end, after, np.argsort(depth))
    titles = text(16, 24, "Lattice, along the grey axis", weight=600)
    titles += text(WIDTH + 16, 24, "Lattice, from the side", weight=600)
    return svg(2 * WIDTH, HEIGHT + 50, titles + body + _labels(second), "Where the points of the LUT's lattice go")


def _seen_along(rgb: Colours) -> Colours:
    """Project colours along the grey axis, [n, 2], down being positive."""
    angles = np.radians([HUES["R"], HUES["G"], HUES["B"]])
    projected: Colours = rgb @ np.stack((np.cos(angles), -np.sin(angles)), axis=1)
    return projected


def _seen_from_side(rgb: Colours) -> Colours:
    """Project colours on warm - cool and lightness, [n, 2], down being positive."""
    return np.stack((rgb[:, 2] - rgb[:, 0], 2.2 * (0.5 - rgb.mean(1))), axis=1)


def _outline(centre: tuple[float, float]) -> str:
    corners = {name: (cos(radians(angle)), -sin(radians(angle))) for name, angle in HUES.items()}
    shape = " ".join(f"{centre[0] + SCALE * x:.1f},{centre[1] + SCALE * y:.1f}" for x, y in corners.values())
    text = "".join(_beside(centre, 1.13 * x, 1.13 * y, name) for name, (x, y) in corners.items())
    return f'<polygon points="{shape}" fill="none" stroke="{LINE}"/>{text}'


def _labels(centre: tuple[float, float]) -> str:
    spots = (("white", 0, -1.22), ("black", 0, 1.23), ("warm", -1.24, 0), ("cool", 1.24, 0))
    return "".join(_beside(centre, x, y, name) for name, x, y in spots)


def _beside(centre: tuple[float, float], x: float, y: float, words: str) -> str:
    return text(centre[0] + SCALE * x, centre[1] + SCALE * y + 4, words, "middle")


def _points(start: Colours, end: Colours, rgb: Colours, order: NDArray[np.intp]) -> str:
    moved = "".join(f"M{x:.1f} {y:.1f}L{u:.1f} {v:.1f}" for (x, y), (u, v) in zip(start, end, strict=True))
    trails = f'<path d="{moved}" stroke="{QUIET}" stroke-opacity=".3" stroke-width=".8" fill="none"/>'
    hexes = ["#" + "".join(f"{round(255 * value):02x}" for value in one) for one in rgb]
    spots = "".join(f'<circle cx="{end[i, 0]:.1f}" cy="{end[i, 1]:.1f}" r="3.4" fill="{hexes[i]}"/>' for i in order)
    return f'{trails}<g class="nodes" stroke="{QUIET}" stroke-opacity=".45" stroke-width=".5">{spots}</g>'


def _chart(
    title: str, legend: Mapping[str, str], limits: tuple[float, float], ticks: Sequence[float], body: str
) -> str:
    grid = "".join(
        f'<path d="M{LEFT} {_down(tick, limits):.1f}H{WIDTH - RIGHT}" stroke="{LINE}"/>'
        + text(LEFT - 8, _down(tick, limits) + 4, f"{tick:g}", "end")
        for tick in ticks
    )
    grid += "".join(
        f'<path d="M{_right(tick):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="{LINE}"/>'
        + text(_right(tick), HEIGHT - BOTTOM + 18, f"{tick:g}", "middle")
        for tick in (0, 0.25, 0.5, 0.75, 1)
    )
    keys, right = "", float(WIDTH - RIGHT)
    for name, colour in reversed(list(legend.items())):
        keys += text(right, 24, name, "end")
        right -= 6.2 * len(name) + 6
        keys += f'<path d="M{right - 10:.1f} 20h10" stroke="{colour}" stroke-width="3" stroke-linecap="round"/>'
        right -= 26
    name = text(LEFT, 24, title, weight=600) + text(WIDTH - RIGHT, HEIGHT - 6, "grey in", "end")
    return svg(WIDTH, HEIGHT, grid + body + keys + name, title)


def _path(x: Sequence[float], y: Sequence[float], limits: tuple[float, float], colour: str, more: str = "") -> str:
    low, high = limits
    dots = zip(x, (min(max(value, low), high) for value in y), strict=True)
    line = "L".join(f"{_right(one):.1f} {_down(other, limits):.1f}" for one, other in dots)
    width = "" if "stroke-width" in more else 'stroke-width="1.8"'
    return f'<path d="M{line}" fill="none" stroke="{colour}" stroke-linejoin="round" {width} {more}/>'


def _right(value: float) -> float:
    return LEFT + value * (WIDTH - LEFT - RIGHT)


def _down(value: float, limits: tuple[float, float]) -> float:
    low, high = limits
    return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)
