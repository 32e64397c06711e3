"""Charts as SVG, such as several reports draw: lines over shares, and calibration.

Colours of text, lines and panel are those of the page around (``--quiet``, ``--line``, ``--panel``), so that a chart
stands in a dark and in a light page; alone it is light.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WIDTH, HEIGHT = 420, 340
LEFT, TOP, RIGHT, BOTTOM = 52, 44, 16, 42
QUIET, LINE, PANEL, TEXT = (
    "var(--quiet, #5c5c5c)", "var(--line, #d6d6d6)", "var(--panel, #f8f8f8)", "var(--text, #1c1c1c)",
)  # fmt: skip
COLOURS = ("#4a9be0", "#4fa870", "#e0625a", "#b5739d", "#c9a23f")
BINS = 10
"""Bins of equal width, of a probability, in which it is compared with what came true."""

Curve = tuple[Sequence[float], Sequence[float]]
Bins = Sequence[Mapping[str, float]]
DIAGONAL: Curve = ((0, 1), (0, 1))


def bin_of(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bin of each probability, ``[n]`` in 0 to `BINS` - 1."""
    import numpy as np

    return np.minimum((scores * BINS).astype(np.int64), BINS - 1)


def calibration_bins(labels: NDArray[np.int64], scores: NDArray[np.float64]) -> list[dict[str, float]]:
    """Return for each bin that is not empty: ``score`` (mean), ``share`` of labels that are 1, ``count``.

    Args:
        labels: ``[n]``, 1 for what came true.
        scores: ``[n]`` its probability.
    """
    import numpy as np

    bins = bin_of(scores)
    return [
        {"score": float(scores[bins == one].mean()), "share": float(labels[bins == one].mean()), "count": int(count)}
        for one, count in enumerate(np.bincount(bins, minlength=BINS))
        if count
    ]


def calibration(across: str, up: str, lines: Mapping[str, tuple[Bins, str]]) -> str:
    """Draw what came true over its probability; the larger a dot, the more questions in it.

    Args:
        across: What the probability is.
        up: What came true.
        lines: `calibration_bins` and the colour of each line, by its words.
    """
    dots = path(DIAGONAL, 1, LINE, dash=True)
    curves: dict[str, tuple[Curve, str]] = {}
    for words, (bins, colour) in lines.items():
        curves[words] = (([each["score"] for each in bins], [each["share"] for each in bins]), colour)
        total = sum(each["count"] for each in bins)
        for each in bins:
            radius = 2 + 6 * (each["count"] / total) ** 0.5
            dots += f'<circle cx="{right(each["score"]):.1f}" cy="{down(each["share"], 1):.1f}" r="{radius:.1f}" '
            dots += f'fill="{colour}"><title>{each["count"]:.0f} questions</title></circle>'
    return chart("Calibration", across, up, curves, under=dots)


def chart(
    name: str, across: str, up: str, lines: Mapping[str, tuple[Curve, str]], *, high: float = 1, under: str = "",
    keys_below: bool = False,
) -> str:  # fmt: skip
    """Draw lines over a share.

    Args:
        name: Its title.
        across: What x is, in 0..1.
        up: What y is, in 0..``high``.
        lines: Points and colour of each line, by its words.
        high: Where y ends.
        under: What lies under the lines, as SVG.
        keys_below: The words stand at the bottom right, where the curves leave room there, else at the top left.
    """
    grid = ""
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = down(share * high, high)
        grid += f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{LINE}" stroke-opacity=".6"/>'
        grid += text(LEFT - 8, y + 4, f"{share * high:.2g}", "end")
        grid += text(right(share), HEIGHT - BOTTOM + 16, f"{share:g}", "middle")
    body = grid + under
    keys = ""
    for index, (words, (curve, colour)) in enumerate(lines.items()):
        body += path(curve, high, colour)
        y = HEIGHT - BOTTOM - 12 - 15 * (len(lines) - 1 - index) if keys_below else TOP + 10 + 15 * index
        x = WIDTH - RIGHT - 222 if keys_below else LEFT + 10
        keys += f'<path d="M{x} {y - 4:.1f}h12" stroke="{colour}" stroke-width="3" stroke-linecap="round"/>'
        keys += text(x + 18, y, words)
    titles = text(16, 24, name, weight=600) + text(WIDTH - RIGHT, HEIGHT - 8, across, "end")
    titles += text(WIDTH - RIGHT, 24, f"↑ {up}", "end")
    return svg(WIDTH, HEIGHT, body + keys + titles, name)


def path(curve: Curve, high: float, colour: str, dash: bool = False) -> str:
    """Draw a line through points, x in 0..1 and y in 0..``high``."""
    dots = "L".join(f"{right(x):.1f} {down(y, high):.1f}" for x, y in zip(*curve, strict=True))
    dashed = ' stroke-dasharray="3 4"' if dash else ""
    return f'<path d="M{dots}" fill="none" stroke="{colour}" stroke-width="1.8" stroke-linejoin="round"{dashed}/>'


def right(value: float) -> float:
    """Return the place of an x in 0..1, in pixels."""
    return LEFT + value * (WIDTH - LEFT - RIGHT)


def down(value: float, high: float) -> float:
    """Return the place of a y in 0..``high``, in pixels."""
    return HEIGHT - BOTTOM - value / high * (HEIGHT - TOP - BOTTOM)


def text(x: float, y: float, words: str, anchor: str = "start", weight: int = 400) -> str:
    """Draw words; those with a weight of their own are a title."""
    strong = f' font-weight="{weight}" font-size="13"' if weight != 400 else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{QUIET}"{strong}>{escape(words)}</text>'


def svg(width: float, height: float, body: str, words: str) -> str:
    """Return a whole drawing on a panel, ``words`` for who cannot see it."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{words}"'
    look = 'style="font: 11px var(--font, system-ui, sans-serif); width: 100%; height: auto; display: block"'
    panel = f'<rect width="{width:g}" height="{height:g}" rx="10" fill="{PANEL}"/>'
    return f"{head} {look}>{panel}{body}</svg>\n"
