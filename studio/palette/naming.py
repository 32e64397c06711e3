"""The nearest of some 4,800 colour names, which people made up and liked best; see names/LICENSE.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from studio.palette.colours import Colours, distances, to_lab

_LIST = Path(__file__).with_name("names") / "colornames.json"


@dataclass(frozen=True)
class Named:
    """The name of a colour.

    Attributes:
        name: Such as ``Lime Twist``.
        hex: The colour that bears it, ``#rrggbb``.
        distance: CIEDE2000 from that to the colour that was asked for; below about 2 an eye sees no difference.
    """

    name: str
    hex: str
    distance: float


def nearest(hexes: Sequence[str]) -> list[Named]:
    """Return the nearest name of each ``#rrggbb`` colour; no two of different colours share one.

    Where two colours want the same name, the nearer one has it and the other takes its next nearest.
    """
    known, codes, lab = names()
    gaps = distances(to_lab(hexes), lab)
    found: dict[str, int] = {}
    free = np.ones(len(known), bool)
    for colour in sorted(set(hexes), key=lambda each: (gaps[hexes.index(each)].min(), each)):
        best = int(np.where(free, gaps[hexes.index(colour)], np.inf).argmin())
        found[colour], free[best] = best, False
    return [
        Named(known[found[each]], codes[found[each]], float(gaps[row, found[each]])) for row, each in enumerate(hexes)
    ]


@cache
def names() -> tuple[tuple[str, ...], tuple[str, ...], Colours]:
    """Return all names, their colours ``#rrggbb``, and the same in CIE L*a*b* [n, 3]."""
    listed: dict[str, str] = json.loads(_LIST.read_text("utf-8"))
    codes = tuple("#" + code for code in listed)
    return tuple(listed.values()), codes, to_lab(codes)
