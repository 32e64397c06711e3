"""What each look must do to photographs, in CIELAB, for a LUT to pass: one predicate a look.

Written before any LUT of this checkpoint was trained. The statistics are taken over the pixels of all test
photographs together; shadows are pixels with L* under 35 before the grade, highlights over 65.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab


@dataclass(frozen=True)
class Change:
    """The change of a set of photographs: differences after minus before, ratios after over before."""

    light: float  # mean L*
    a: float
    b: float
    chroma: float  # ratio of mean chroma
    chroma_after: float
    contrast: float  # ratio of the spread of L*
    black: float  # first percentile of L*
    white: float  # ninety-ninth
    shadow_a: float
    shadow_b: float
    highlight_a: float
    highlight_b: float
    neutral_a: float  # over pixels that were nearly grey
    neutral_b: float


def measure(before: NDArray[np.float32], after: NDArray[np.float32]) -> Change:
    """Compare photographs (count, height, width, 3), sRGB in [0, 1]."""
    one, two = rgb2lab(before).reshape(-1, 3), rgb2lab(after).reshape(-1, 3)
    shift = two - one
    chroma_one, chroma_two = np.hypot(one[:, 1], one[:, 2]), np.hypot(two[:, 1], two[:, 2])
    shadow, highlight, neutral = one[:, 0] < 35, one[:, 0] > 65, chroma_one < 12
    low, high = (np.percentile(two[:, 0], q) - np.percentile(one[:, 0], q) for q in (1, 99))
    return Change(
        light=float(shift[:, 0].mean()), a=float(shift[:, 1].mean()), b=float(shift[:, 2].mean()),
        chroma=float(chroma_two.mean() / chroma_one.mean()), chroma_after=float(chroma_two.mean()),
        contrast=float(two[:, 0].std() / one[:, 0].std()), black=float(low), white=float(high),
        shadow_a=float(shift[shadow, 1].mean()), shadow_b=float(shift[shadow, 2].mean()),
        highlight_a=float(shift[highlight, 1].mean()), highlight_b=float(shift[highlight, 2].mean()),
        neutral_a=float(shift[neutral, 1].mean()), neutral_b=float(shift[neutral, 2].mean()),
    )  # fmt: skip


MEASURES: dict[str, Callable[[Change], bool]] = {
    "warm": lambda c: c.b > 5 and c.neutral_b > 4 and c.a > -2,
    "cool": lambda c: c.b < -5 and c.neutral_b < -4,
    "golden hour": lambda c: c.b > 7 and c.highlight_b > 8 and c.light > -3,
    "sunset": lambda c: c.a > 4 and c.highlight_b > 4,
    "teal and orange": lambda c: c.shadow_a < -2 and c.highlight_b - c.shadow_b > 6 and c.highlight_a - c.shadow_a > 3,
    "cinematic": lambda c: c.contrast > 1.02 and c.highlight_b - c.shadow_b > 2 and c.light < 1,
    "bleach bypass": lambda c: c.chroma < 0.7 and c.contrast > 1.06,
    "faded film": lambda c: c.black > 3 and c.contrast < 0.92 and c.chroma < 0.95,
    "noir": lambda c: c.chroma_after < 3 and c.contrast > 1.05,
    "black and white": lambda c: c.chroma_after < 3 and abs(c.light) < 6 and 0.85 < c.contrast < 1.15,
    "sepia": lambda c: c.neutral_b > 8 and c.neutral_a > 0 and c.shadow_b > 4,
    "high contrast": lambda c: c.contrast > 1.12,
    "low contrast": lambda c: c.contrast < 0.88,
    "moody dark": lambda c: c.light < -6 and c.chroma < 1,
    "bright airy": lambda c: c.light > 6 and c.black > 2,
    "vibrant": lambda c: c.chroma > 1.25 and abs(c.neutral_a) < 5 and abs(c.neutral_b) < 5,
    "muted": lambda c: c.chroma < 0.75 and abs(c.light) < 6,
    "cross process": lambda c: c.highlight_b > 4 and c.shadow_b < -2,
    "moonlight night": lambda c: c.light < -8 and c.neutral_b < -4,
    "forest green": lambda c: c.a < -6 and c.neutral_a < -5,
    "rose": lambda c: c.a > 7 and c.neutral_a > 6,
    "matte": lambda c: c.black > 5 and c.contrast < 0.95 and abs(c.neutral_b) < 5,
    "cyberpunk neon": lambda c: c.shadow_b < -6 and c.highlight_a > 6,
    "lavender": lambda c: c.neutral_a > 3 and c.neutral_b < -6,
    "teal": lambda c: c.neutral_a < -6 and c.neutral_b < -2,
    "matrix green": lambda c: c.neutral_a < -6 and c.neutral_b > 1 and c.light < 1,
    "amber": lambda c: c.neutral_b > 10 and c.neutral_a > 2,
    "autumn": lambda c: c.a > 3 and c.b > 5,
    "winter": lambda c: c.b < -3 and c.chroma < 1.05 and c.light > 1,
    "pastel": lambda c: c.light > 4 and c.contrast < 0.9 and c.black > 3,
    "dark": lambda c: c.light < -8,
    "bright": lambda c: c.light > 6,
    "crushed blacks": lambda c: c.contrast > 1.05 and c.light < -2 and c.black <= 0.5,
    "technicolor": lambda c: c.chroma > 1.3 and c.contrast > 1.0,
    "retro 70s": lambda c: c.b > 6 and c.black > 1,
    "horror": lambda c: c.light < -3 and c.neutral_a < -2 and c.chroma < 1,
    "dreamy": lambda c: c.neutral_a > 2 and c.black > 2 and c.contrast < 0.95,
    "blue hour": lambda c: c.neutral_b < -7 and c.light < -2,
    "blue": lambda c: c.neutral_b < -8,
    "cyanotype": lambda c: c.neutral_b < -8 and c.highlight_b < -5 and c.neutral_a < 2,
    "mustard": lambda c: c.neutral_b > 12 and abs(c.neutral_a) < 8,
    "crimson": lambda c: c.neutral_a > 10 and c.neutral_b > 0,
    "coffee": lambda c: c.neutral_b > 4 and c.neutral_a > 1 and c.light < 1,
    "summer": lambda c: c.light > 2 and c.b > 2 and c.chroma > 1.1,
    "post apocalyptic": lambda c: c.neutral_b > 4 and c.contrast > 1.0 and c.chroma < 1.15,
    "candlelight": lambda c: c.neutral_b > 6 and c.light < -3,
    "foggy": lambda c: c.contrast < 0.85 and c.black > 4 and c.chroma < 0.85,
    "rainy": lambda c: c.light < -2 and c.neutral_b < -3 and c.chroma < 1.05,
    "underwater": lambda c: c.neutral_a < -5 and c.neutral_b < -5,
    "spring": lambda c: c.light > 2 and c.neutral_a < -2 and c.b > 1,
    "portra": lambda c: c.b > 2 and c.light > 1 and c.contrast < 1.0,
}
"""By the name of the look: whether a change is what the words say."""
