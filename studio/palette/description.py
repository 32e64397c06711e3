"""All that is said about a palette: names, roles, contrast, colour vision and harmony, as plain data and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from studio.palette import contrast, harmony, simulation
from studio.palette.colours import distances, near_pairs, parse_palette, to_lab, to_oklch
from studio.palette.contrast import TEXT, Pair, Repair
from studio.palette.harmony import Harmony
from studio.palette.naming import nearest
from studio.palette.roles import ROLES, roles
from studio.palette.simulation import Collapse


@dataclass(frozen=True)
class Swatch:
    """One colour of a palette.

    Attributes:
        hex: ``#rrggbb``.
        name: Of the nearest colour that has one, such as ``Lime Twist``.
        name_distance: How far that is, in CIEDE2000.
        family: What people call it, such as ``yellow-green``.
        role: ``background``, ``surface``, ``accent`` or ``text``.
        oklch: Lightness (0 to 1), chroma and hue (degrees), rounded.
    """

    hex: str
    name: str
    name_distance: float
    family: str
    role: str
    oklch: tuple[float, float, float]


@dataclass(frozen=True)
class Description:
    """What is said about a palette.

    Attributes:
        colours: Its four, in order.
        contrast: Every two of them judged by WCAG 2.2: 1-2, 1-3, 1-4, 2-3, 2-4, 3-4.
        repairs: For each of these the smallest change that lets one be text on the other; None where none is needed.
        simulation: By deficiency, how the four look.
        collapses: The pairs that then look alike.
        harmony: How the hues go together.
        nearest: CIEDE2000 between the two colours that are most alike.
        within: The mean CIEDE2000 between every two.
        notes: The findings as sentences.
    """

    colours: tuple[Swatch, ...]
    contrast: tuple[Pair, ...]
    repairs: tuple[Repair | None, ...]
    simulation: dict[str, tuple[str, ...]]
    collapses: tuple[Collapse, ...]
    harmony: Harmony
    nearest: float
    within: float
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain data, ready for ``json.dumps``."""
        return asdict(self)


def describe(colours: Sequence[str]) -> Description:
    """Describe four colours in any spelling that `parse_colour` reads.

    Raises:
        StudioError: They are not four, or one is no colour.
    """
    hexes = parse_palette(colours)
    pairs = contrast.pairs(hexes)
    repairs = contrast.repairs([(pair.one, pair.other) for pair in pairs])
    scheme, collapses = harmony.describe(hexes), simulation.collapses(hexes)
    swatches = _swatches(hexes, scheme)
    lab = to_lab(hexes)
    apart = distances(lab, lab)[np.triu_indices(len(hexes), 1)]
    return Description(
        swatches,
        tuple(pairs),
        tuple(repairs),
        {name: tuple(seen) for name, seen in simulation.simulate(hexes).items()},
        tuple(collapses),
        scheme,
        round(float(apart.min()), 2),
        round(float(apart.mean()), 2),
        (scheme.sentence, _reading(swatches, pairs, repairs), *_seeing(swatches, collapses)),
    )


def _swatches(hexes: Sequence[str], scheme: Harmony) -> tuple[Swatch, ...]:
    lch = [
        (round(lightness, 4), round(chroma, 4), round(hue, 1)) for lightness, chroma, hue in to_oklch(hexes).tolist()
    ]
    rows = zip(hexes, nearest(hexes), scheme.families, roles(hexes), lch, strict=True)
    return tuple(
        Swatch(code, named.name, round(named.distance, 2), family, role, oklch)
        for code, named, family, role, oklch in rows
    )


def _reading(swatches: Sequence[Swatch], pairs: Sequence[Pair], repairs: Sequence[Repair | None]) -> str:
    """Say how well the text is read on the background, and what would make it so."""
    places = {each.role: place for place, each in enumerate(swatches)}
    places_of_both = sorted((places[ROLES[0]], places[ROLES[-1]]))
    row = [list(each) for each in combinations(range(len(swatches)), 2)].index(places_of_both)
    ground, text = swatches[places[ROLES[0]]], swatches[places[ROLES[-1]]]
    says = f"Text in {text.name} on {ground.name} has a contrast of {pairs[row].ratio:.2f} to 1"
    change = repairs[row]
    if change is None:
        return f"{says}, which is {pairs[row].text}."
    changed = text if change.colour == text.hex else ground
    return f"{says}, and text needs {TEXT}: make {changed.name} {change.becomes}, the smallest change that does it."


def _seeing(swatches: Sequence[Swatch], collapses: Sequence[Collapse]) -> list[str]:
    """Say which colours look alike, to everyone and with which deficiency."""
    names = {each.hex: each.name for each in swatches}
    pairs = near_pairs(to_lab([each.hex for each in swatches]))
    told = [f"{swatches[i].name} ({swatches[i].hex}) and {swatches[j].hex} look alike to everyone." for i, j in pairs]
    found: dict[str, list[str]] = {}
    for each in collapses:
        found.setdefault(each.deficiency, []).append(f"{names[each.one]} and {names[each.other]}")
    told += [f"With {deficiency} these look alike: {'; '.join(which)}." for deficiency, which in found.items()]
    return told or ["All four stay apart with protanopia, deuteranopia and tritanopia."]
