"""Contrast by WCAG 2.2: the ratio of every two colours, what it allows, and the smallest change that allows it.

https://www.w3.org/TR/WCAG22/ : success criteria 1.4.3 and 1.4.6 for text, 1.4.11 for icons and the parts of a user
interface.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from studio.palette.colours import (
    Colours,
    differences,
    in_gamut,
    lab_to_srgb,
    srgb_to_lab,
    srgb_to_linear,
    to_hex,
    to_lab,
    to_srgb,
)

TEXT, TEXT_AAA = 4.5, 7.0
"""Ratios that text needs for AA and AAA."""
LARGE, LARGE_AAA = 3.0, 4.5
"""For large text: from 18 points, or 14 in bold."""
INTERFACE = 3.0
"""For icons and the parts of a user interface, which know no AAA."""
HIGHEST = 21.0
"""Of black and white."""

Mark = Literal["AAA", "AA", "fail"]

_FLARE = 0.05  # WCAG's allowance for light from the surroundings
_GRID, _ROUNDS, _REACH = 11, 4, 60.0  # points along a* and b*, how often the grid tightens, its first half width
_AROUND, _WALK = 2, 12  # eight-bit codes tried on either side of a colour, since rounding may lose the ratio; how often
_STEPS = np.stack(np.meshgrid(*[np.arange(-_AROUND, _AROUND + 1)] * 3, indexing="ij"), -1).reshape(-1, 3)
_PALER = np.linspace(0, 1, 17)[:, None]
_OFFSETS = np.stack(np.meshgrid(*[np.linspace(-1, 1, _GRID)] * 2, indexing="ij"), -1).reshape(-1, 2)


@dataclass(frozen=True)
class Pair:
    """Two colours of a palette, one on the other.

    Attributes:
        one: The first, ``#rrggbb``.
        other: The second.
        ratio: From 1 to 21, cut off after two decimals so that it never looks better than it is.
        text: What text of the one on the other attains.
        large: The same for large text.
        interface: The same for icons and parts of an interface.
    """

    one: str
    other: str
    ratio: float
    text: Mark
    large: Mark
    interface: Mark


@dataclass(frozen=True)
class Repair:
    """The smallest change of one of two colours that gives them a ratio.

    Attributes:
        colour: The colour to change.
        becomes: What it becomes.
        against: The other one, which stays.
        distance: The change in CIEDE2000.
        ratio: What they have then, cut off as in `Pair`.
    """

    colour: str
    becomes: str
    against: str
    distance: float
    ratio: float


def luminance(srgb: Colours) -> NDArray[np.float64]:
    """Return WCAG's relative luminance [...], 0 to 1, of sRGB code values [..., 3]."""
    result: NDArray[np.float64] = srgb_to_linear(srgb) @ np.array([0.2126, 0.7152, 0.0722])
    return result


def ratio(one: str, other: str) -> float:
    """Return the contrast ratio of two ``#rrggbb`` colours, 1 to 21, to the last digit."""
    dark, light = np.sort(luminance(to_srgb([one, other])))
    return float((light + _FLARE) / (dark + _FLARE))


def pairs(hexes: Sequence[str]) -> list[Pair]:
    """Judge every two of some ``#rrggbb`` colours, in the order of `itertools.combinations`."""
    return [judge(one, other) for one, other in combinations(hexes, 2)]


def judge(one: str, other: str) -> Pair:
    """Judge two ``#rrggbb`` colours."""
    value = ratio(one, other)
    interface: Mark = "AA" if value >= INTERFACE else "fail"
    return Pair(one, other, _cut(value), _mark(value, TEXT, TEXT_AAA), _mark(value, LARGE, LARGE_AAA), interface)


def repair(one: str, other: str, target: float = TEXT) -> Repair | None:
    """Return the smallest change, in CIEDE2000, of either of two ``#rrggbb`` colours after which they have a ratio.

    Args:
        one: The first.
        other: The second.
        target: The ratio wanted, 1 to 21.

    Returns:
        The repair, or None when they have the ratio, or no change of one alone can reach it.
    """
    return repairs([(one, other)], target)[0]


def repairs(wanted: Sequence[tuple[str, str]], target: float = TEXT) -> list[Repair | None]:
    """Return what `repair` does for each of many pairs; together they take little longer than one.

    Luminance fixes L*, so the nearest colour that passes lies on a plane of constant lightness; it is looked for there
    on a grid of a* and b* that tightens around the best point, and then among the eight-bit colours around it.
    """
    changes: list[tuple[int, str, str, float]] = []  # which pair, the colour, what it is against, the new luminance
    for index, (one, other) in enumerate(wanted):
        if ratio(one, other) < target:
            for colour, against in ((one, other), (other, one)):
                fixed = float(luminance(to_srgb([against]))[0]) + _FLARE
                goals = (fixed * target - _FLARE, fixed / target - _FLARE)  # lighter, and darker
                changes += [(index, colour, against, goal) for goal in goals if 0 <= goal <= 1]
    best: list[Repair | None] = [None] * len(wanted)
    if not changes:
        return best
    indices, colours, others, goals = zip(*changes, strict=True)
    codes, gaps, ratios = _rounded(colours, _nearest_of_luminance(colours, np.array(goals)), others, target)
    for row, index in enumerate(indices):
        known = best[index]
        if np.isfinite(gaps[row]) and (known is None or gaps[row] < known.distance):
            becomes = to_hex(codes[row : row + 1])[0]
            best[index] = Repair(colours[row], becomes, others[row], float(gaps[row]), _cut(float(ratios[row])))
    return best


def _nearest_of_luminance(hexes: Sequence[str], goals: NDArray[np.float64]) -> Colours:
    """Return, in CIE L*a*b* [n, 3], what is nearest to each of n colours of all that a display shows at a luminance."""
    lab = to_lab(hexes)
    lightness = np.where(goals > (6 / 29) ** 3, 116 * np.cbrt(goals) - 16, goals * (29 / 3) ** 3)
    # First also along the line to the neutral, and around it: near black and white little else is shown.
    own = lab[:, None, 1:]
    around = np.concatenate([_REACH * _OFFSETS, _REACH / 10 * _OFFSETS])
    points = np.concatenate([own * _PALER, own + _REACH * _OFFSETS, 0 * own + around], 1)
    reach = _REACH
    for _ in range(_ROUNDS):
        plane = np.concatenate([np.broadcast_to(lightness[:, None, None], (*points.shape[:2], 1)), points], 2)
        gaps = np.where(in_gamut(lab_to_srgb(plane)), differences(plane, lab[:, None]), np.inf)
        best = np.take_along_axis(points, gaps.argmin(1)[:, None, None], 1)
        reach /= 3
        points = np.concatenate([best, best + reach * _OFFSETS], 1)
    return np.column_stack([lightness, best[:, 0]])


def _rounded(
    hexes: Sequence[str], lab: Colours, against: Sequence[str], target: float
) -> tuple[Colours, NDArray[np.float64], NDArray[np.float64]]:
    """Walk from CIE L*a*b* colours [n, 3] over eight-bit ones that have the ratio, to the nearest to n first colours.

    Returns:
        Their sRGB code values [n, 3], the distances [n], infinite where there is none, and the ratios [n].
    """
    srgb, rows = np.rint(np.clip(lab_to_srgb(lab), 0, 1) * 255) / 255, np.arange(len(lab))
    theirs, goal = luminance(to_srgb(against))[:, None], to_lab(hexes)[:, None]
    gaps = np.full(len(lab), np.inf)
    for _ in range(_WALK):
        codes = np.clip(srgb[:, None] + _STEPS / 255, 0, 1)
        mine = luminance(codes)
        ratios = (np.maximum(mine, theirs) + _FLARE) / (np.minimum(mine, theirs) + _FLARE)
        all_gaps = np.where(ratios >= target, differences(srgb_to_lab(codes), goal), np.inf)
        best = all_gaps.argmin(1)
        srgb, before, gaps = codes[rows, best], gaps, all_gaps[rows, best]
        if np.array_equal(before, gaps):
            break
    return srgb, gaps, ratios[rows, best]


def _mark(value: float, enough: float, better: float) -> Mark:
    return "AAA" if value >= better else "AA" if value >= enough else "fail"


def _cut(value: float) -> float:
    return math.floor(value * 100) / 100
