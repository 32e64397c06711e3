"""Colours as people with a colour-vision deficiency see them, and the pairs that then become one.

G. M. Machado, M. M. Oliveira and L. A. F. Fernandes, "A Physiologically-based Model for Simulation of Color Vision
Deficiency" (2009), at full severity, on linear light. The three matrices are theirs, as colour-science has them; it is
not loaded for nine numbers each, and a test holds them against it. By its authors' word the model is weakest for
tritanopia.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from studio.palette.colours import NEAR, distances, linear_to_srgb, srgb_to_linear, to_hex, to_lab, to_srgb

MATRICES = {
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]]
    ),
}
"""By deficiency: what takes linear sRGB to the linear sRGB that looks the same to one who has it."""

MISSING = {"protanopia": "red", "deuteranopia": "green", "tritanopia": "blue"}
"""Which cones a person with each does not have, by the colour people call them."""


@dataclass(frozen=True)
class Collapse:
    """Two colours that are apart for most people and one for some.

    Attributes:
        deficiency: A key of `MATRICES`.
        one: The first colour, ``#rrggbb``.
        other: The second.
        distance: CIEDE2000 between them as such a person sees them, below `NEAR`.
    """

    deficiency: str
    one: str
    other: str
    distance: float


def simulate(hexes: Sequence[str]) -> dict[str, list[str]]:
    """Return ``#rrggbb`` colours as seen with each deficiency, by its name."""
    light = srgb_to_linear(to_srgb(hexes))
    return {name: to_hex(linear_to_srgb(np.clip(light @ matrix.T, 0, 1))) for name, matrix in MATRICES.items()}


def collapses(hexes: Sequence[str]) -> list[Collapse]:
    """Return the pairs of ``#rrggbb`` colours that are closer than `NEAR` with a deficiency and not without it."""
    lab = to_lab(hexes)
    apart = distances(lab, lab) >= NEAR
    found = []
    for name, seen in simulate(hexes).items():
        seen_lab = to_lab(seen)
        gaps = distances(seen_lab, seen_lab)
        for i, j in combinations(range(len(hexes)), 2):
            if apart[i, j] and gaps[i, j] < NEAR:
                found.append(Collapse(name, hexes[i], hexes[j], float(gaps[i, j])))
    return found
