"""What each colour of a palette is for in a design: background, surface, accent or text, by lightness and chroma."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from studio.palette.colours import SIZE, Colours, to_oklch, to_srgb
from studio.palette.contrast import HIGHEST, INTERFACE, TEXT, TEXT_AAA, luminance

ROLES = ("background", "surface", "accent", "text")
"""The ground, what lies on it such as a card, what calls for a click, and what is read."""

# What counts, and how much: first that it can be read, then that the accent is the most colourful, then that the
# ground is quiet and the surface near it. The last two only decide between grounds that are as good: the one further
# from the text, and the lighter.
_READ, _READ_ON_SURFACE, _ACCENT, _ACCENT_SEEN, _QUIET, _NEAR, _FAR, _LIGHT = 3.0, 1.0, 1.0, 0.5, 0.7, 1.0, 0.4, 0.2


def roles(hexes: Sequence[str]) -> list[str]:
    """Return which of `ROLES` each of four ``#rrggbb`` colours is best for; each role is given once.

    All 24 ways are weighed, and the best is taken; of equals the first, so that the answer never changes.
    """
    oklch, lights = to_oklch(hexes), luminance(to_srgb(hexes)) + 0.05
    contrasts = np.maximum(lights[:, None], lights) / np.minimum(lights[:, None], lights)
    best = max(permutations(range(SIZE)), key=lambda order: round(_merit(order, oklch, contrasts), 9))
    return [ROLES[best.index(index)] for index in range(SIZE)]


def _merit(order: Sequence[int], oklch: Colours, contrasts: NDArray[np.float64]) -> float:
    """Return how well an order of the colours, as `ROLES`, serves; about 0 to 7."""
    background, surface, accent, text = order
    lightness, chroma = oklch[:, 0], oklch[:, 1] / max(float(oklch[:, 1].max()), 0.05)
    return float(
        _READ * min(contrasts[text, background] / TEXT_AAA, 1)
        + _READ_ON_SURFACE * min(contrasts[text, surface] / TEXT, 1)
        + _ACCENT * chroma[accent]
        + _ACCENT_SEEN * min(contrasts[accent, background] / INTERFACE, 1)
        + _QUIET * (1 - chroma[background])
        + _NEAR * (1 - abs(lightness[surface] - lightness[background]))
        + _FAR * contrasts[text, background] / HIGHEST
        + _LIGHT * lightness[background]
    )
