"""How the hues of a palette stand to one another, in a sentence, measured on the hue circle of OKLCH.

OKLCH's circle is even to the eye: equal angles look equally far apart, which those of HSL do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from studio.palette.colours import to_oklch

Kind = Literal[
    "achromatic",
    "accented neutral",
    "monochromatic",
    "analogous",
    "complementary",
    "contrasting",
    "split complementary",
    "triadic",
    "tetradic",
    "free",
]

_NEUTRAL = 0.03  # chroma below which a colour reads as black, grey or white
_NIGHT = 0.2  # lightness below which it does whatever its chroma
_BLACK, _DARK_GREY, _LIGHT_GREY, _WHITE = 0.25, 0.45, 0.78, 0.94  # lightness
_SAME = 28.0  # degrees: hues as near as this are shades of one
_NEIGHBOURS = 95.0  # degrees that analogous hues span at most
_OPPOSITE = 150.0  # degrees from which two hues are opposites
_THIRDS = (75.0, 165.0)  # degrees between the hues of a triad
_SPLIT = 75.0  # degrees between the two that lie on either side of an opposite, at most
_QUARTERS = (45.0, 135.0)  # degrees between those of a tetrad

_HUES = (
    (12.0, "red", 0.75, "pink"),
    (40.0, "brown", 0.57, "orange"),
    (82.0, "olive", 0.65, "yellow"),
    (114.0, "olive", 0.55, "yellow-green"),
    (135.0, "green", 1.0, "green"),
    (164.0, "teal", 0.7, "turquoise"),
    (188.0, "teal", 0.7, "cyan"),
    (215.0, "blue", 1.0, "blue"),
    (282.0, "violet", 1.0, "violet"),
    (312.0, "purple", 0.6, "magenta"),
    (345.0, "pink", 1.0, "pink"),
)
"""Where a hue begins in degrees, what it is called below a lightness, that lightness, and what it is called above."""
_WARM, _BEIGE = (40.0, 114.0), (0.09, 0.7)  # hues; chroma below and lightness above which they are beige
_DARK, _PALE, _MUTED = 0.4, (0.82, 0.1), 0.07  # lightness; lightness and chroma; chroma
_TELLING = ("brown", "beige", "olive")  # names that say already how colourful it is


@dataclass(frozen=True)
class Harmony:
    """How the hues go together.

    Attributes:
        kind: The scheme.
        sentence: The same for a person, with the hues by name and, where it tells something, their angle.
        families: What each colour is called in one or two words, such as ``dark blue``, in the order given.
        hues: Each colour's hue in degrees, None where it is neutral.
    """

    kind: Kind
    sentence: str
    families: tuple[str, ...]
    hues: tuple[float | None, ...]


@dataclass(frozen=True)
class _Group:
    """Hues that are shades of one: their place on the circle in degrees, and their names along it."""

    centre: float
    names: tuple[str, ...]

    def __str__(self) -> str:
        return self.names[0] if len(self.names) == 1 else f"{self.names[0]} to {self.names[-1]}"


def describe(hexes: Sequence[str]) -> Harmony:
    """Describe the hues of one or more ``#rrggbb`` colours."""
    oklch = to_oklch(hexes).tolist()
    families = tuple(_family(*each) for each in oklch)
    neutral = [_is_neutral(lightness, chroma) for lightness, chroma, _ in oklch]
    coloured = [(each[2], _hue_name(*each)) for each, grey in zip(oklch, neutral, strict=True) if not grey]
    greys = [family for family, grey in zip(families, neutral, strict=True) if grey]
    kind, phrase = _scheme(coloured, len(greys))
    if not coloured:
        phrase = f"{_listed(greys)} alone, no hue"
    elif greys:
        phrase += f", with {_listed(greys)}"
    hues = tuple(None if grey else each[2] for each, grey in zip(oklch, neutral, strict=True))
    return Harmony(kind, f"{kind.capitalize()}: {phrase}.", families, hues)


def _scheme(coloured: Sequence[tuple[float, str]], greys: int) -> tuple[Kind, str]:
    """Return the scheme of hues in degrees with their names, and its words."""
    if not coloured:
        return "achromatic", ""
    unrolled = _unrolled(coloured)
    span, names = unrolled[-1][0] - unrolled[0][0], _unique(name for _, name in unrolled)
    if span <= _SAME:
        if greys >= len(coloured):
            return "accented neutral", f"{_listed(names)} as the only hue"
        return "monochromatic", f"shades of one hue, {_listed(names)}"
    if span <= _NEIGHBOURS:
        between = f"from {names[0]} to {names[-1]}" if len(names) > 1 else f"of {names[0]}"
        return "analogous", f"neighbouring hues {between}, {span:.0f}° of the circle"
    groups = _groups(unrolled)
    gaps = [(second.centre - first.centre) % 360 for first, second in pairwise([*groups, groups[0]])]
    return _wide(groups, gaps, names, span)


def _wide(groups: Sequence[_Group], gaps: Sequence[float], names: Sequence[str], span: float) -> tuple[Kind, str]:
    """Name the scheme of hues that are not neighbours; gaps [n] lead from each group to the next round the circle."""
    if len(groups) == 2:
        apart = min(gaps)
        if apart >= _OPPOSITE:
            return "complementary", f"{groups[0]} against {groups[1]}, {apart:.0f}° apart"
        return "contrasting", f"{groups[0]} and {groups[1]}, {apart:.0f}° apart, short of opposites"
    if len(groups) == 3:
        if _THIRDS[0] <= min(gaps) and max(gaps) <= _THIRDS[1]:
            return "triadic", f"{_listed([*map(str, groups)])}, about a third of the circle apart"
        narrow = int(np.argmin(gaps))
        first, second, base = (groups[(narrow + step) % 3] for step in range(3))
        if gaps[narrow] <= _SPLIT and min(gaps[narrow - 1], gaps[narrow - 2]) >= 180 - _SPLIT / 2 - _SAME / 2:
            return "split complementary", f"{base} against {first} and {second}, on either side of its opposite"
    if len(groups) == 4 and _QUARTERS[0] <= min(gaps) and max(gaps) <= _QUARTERS[1]:
        first, second, third, fourth = groups
        return "tetradic", f"two pairs of opposites, {first} with {third} and {second} with {fourth}"
    return "free", f"{_listed(names)} over {span:.0f}° of the circle, no classical scheme"


def _unrolled(coloured: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """Order hues along the circle from behind its widest gap; degrees go on beyond 360."""
    ordered = sorted(coloured)
    gaps = [(after[0] - before[0]) % 360 for before, after in pairwise([*ordered, ordered[0]])]
    start = (int(np.argmax(gaps)) + 1) % len(ordered)
    return ordered[start:] + [(hue + 360, name) for hue, name in ordered[:start]]


def _groups(unrolled: Sequence[tuple[float, str]]) -> list[_Group]:
    """Part hues where the next is further away than a shade."""
    parted = [[unrolled[0]]]
    for before, after in pairwise(unrolled):
        if after[0] - before[0] > _SAME:
            parted.append([])
        parted[-1].append(after)
    return [
        _Group(float(np.mean([hue for hue, _ in part])) % 360, tuple(_unique(name for _, name in part)))
        for part in parted
    ]


def _family(lightness: float, chroma: float, hue: float) -> str:
    """Return what people call a colour in OKLCH, in one or two words."""
    if _is_neutral(lightness, chroma):
        if lightness < _BLACK or lightness >= _WHITE:
            return "black" if lightness < _BLACK else "white"
        return "dark grey" if lightness < _DARK_GREY else "light grey" if lightness >= _LIGHT_GREY else "grey"
    name = _hue_name(lightness, chroma, hue)
    if lightness < _DARK:
        return f"dark {name}"
    if name in _TELLING:
        return name
    if lightness >= _PALE[0] and chroma < _PALE[1]:
        return f"pale {name}"
    return f"muted {name}" if chroma < _MUTED else name


def _is_neutral(lightness: float, chroma: float) -> bool:
    return chroma < _NEUTRAL or lightness < _NIGHT


def _hue_name(lightness: float, chroma: float, hue: float) -> str:
    if _WARM[0] <= hue < _WARM[1] and chroma < _BEIGE[0] and lightness >= _BEIGE[1]:
        return "beige"
    _, darker, limit, lighter = next((each for each in reversed(_HUES) if hue >= each[0]), _HUES[-1])
    return darker if lightness < limit else lighter


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _listed(names: Sequence[str]) -> str:
    names = _unique(names)
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
