"""Colours as text and as numbers: hex, sRGB, CIE L*a*b* under D65, OKLCH, and CIEDE2000 between them.

Written out rather than taken from colour-science, which takes seconds to import while a palette is to be on the screen
in less than one; the tests hold every function here against it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from studio.errors import StudioError

Colours = NDArray[np.float64]
"""[n, 3] in the space the function names: sRGB code values in [0, 1]; linear light in [0, 1]; L* in [0, 100], a* and
b*; or OKLCH: lightness in [0, 1], chroma from 0 to about 0.32, hue in degrees in [0, 360)."""

SIZE = 4
"""Colours in a palette."""
NEAR = 5.0
"""Two colours closer than this, in CIEDE2000, are near-duplicates."""

_HEX = re.compile(r"#?([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE | re.ASCII)
_SHOWN = 40  # characters of a wrong colour repeated in its sentence
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])  # IEC 61966-2-1
_WHITE = _TO_XYZ.sum(1)  # so that greys come out with a* = b* = 0 and not merely near it
_FROM_XYZ = np.linalg.inv(_TO_XYZ)
# Björn Ottosson, "A perceptual color space for image processing" (2020): linear sRGB to cone responses, and these,
# after a cube root, to OKLab.
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_FROM_CONES, _FROM_OKLAB = np.linalg.inv(_TO_CONES), np.linalg.inv(_TO_OKLAB)
_GREY_CHROMA = 1e-6  # below it a hue is rounding error
_HALVINGS = 24
_ROUNDING = 1e-6  # how far beyond [0, 1] still is in the gamut
_25_7 = 25.0**7


def parse_colour(value: object) -> str:
    """Read one colour: ``#abc``, ``ABC`` or ``#AABBCC``, with or without blanks around it.

    Returns:
        ``#rrggbb`` in lower case.

    Raises:
        StudioError: It is anything else.
    """
    match = _HEX.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        shown = value if isinstance(value, str) else repr(value)
        shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
        raise StudioError(f"'{shown}' is not a hex colour.", "Write it as #4dd70f, or short as #4d0.")
    digits = match[1].lower()
    return "#" + (digits if len(digits) == 6 else "".join(2 * digit for digit in digits))


def parse_palette(values: Sequence[object]) -> tuple[str, ...]:
    """Read the four colours of a palette, each as `parse_colour` does.

    Raises:
        StudioError: One is no colour, or there are fewer or more than four.
    """
    if len(values) != SIZE:
        count = "one is" if len(values) == 1 else f"{len(values)} are"
        raise StudioError(f"A palette has {SIZE} colours, and {count} given.", "Give exactly four.")
    return tuple(parse_colour(each) for each in values)


def to_srgb(hexes: Sequence[str]) -> Colours:
    """Return ``#rrggbb`` colours as sRGB code values [n, 3]."""
    data = bytes.fromhex("".join(each[1:] for each in hexes))
    return np.frombuffer(data, np.uint8).reshape(-1, 3) / 255.0


def to_hex(srgb: Colours) -> list[str]:
    """Return sRGB code values [n, 3] as ``#rrggbb``, clipped to [0, 1] and rounded to eight bits."""
    codes = np.rint(np.clip(srgb, 0, 1) * 255).astype(np.uint8)
    return ["#" + bytes(code).hex() for code in codes]


def to_lab(hexes: Sequence[str]) -> Colours:
    """Return ``#rrggbb`` colours in CIE L*a*b* [n, 3]."""
    return srgb_to_lab(to_srgb(hexes))


def to_oklch(hexes: Sequence[str]) -> Colours:
    """Return ``#rrggbb`` colours in OKLCH [n, 3]."""
    return srgb_to_oklch(to_srgb(hexes))


def srgb_to_linear(srgb: Colours) -> Colours:
    """Decode sRGB code values [..., 3] to linear light."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((np.maximum(srgb, 0.04045) + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear: Colours) -> Colours:
    """Encode linear light [..., 3] as sRGB code values; what is beyond [0, 1] stays beyond it."""
    small = linear <= 0.0031308
    return np.where(small, linear * 12.92, 1.055 * np.where(small, 1.0, linear) ** (1 / 2.4) - 0.055)


def srgb_to_lab(srgb: Colours) -> Colours:
    """Convert sRGB code values [..., 3] to CIE L*a*b* under D65."""
    xyz = srgb_to_linear(srgb) @ _TO_XYZ.T / _WHITE
    roots = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = np.moveaxis(roots, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def lab_to_srgb(lab: Colours) -> Colours:
    """Convert CIE L*a*b* [..., 3] under D65 to sRGB code values; what a display cannot show is beyond [0, 1]."""
    lightness, a, b = np.moveaxis(lab, -1, 0)
    y = (lightness + 16) / 116
    roots = np.stack([y + a / 500, y, y - b / 200], -1)
    xyz = np.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29)) * _WHITE
    return linear_to_srgb(xyz @ _FROM_XYZ.T)


def srgb_to_oklch(srgb: Colours) -> Colours:
    """Convert sRGB code values [..., 3] to OKLCH; the hue of a grey is 0."""
    lightness, a, b = np.moveaxis(np.cbrt(srgb_to_linear(srgb) @ _TO_CONES.T) @ _TO_OKLAB.T, -1, 0)
    chroma = np.hypot(a, b)
    hue = np.where(chroma < _GREY_CHROMA, 0.0, np.degrees(np.arctan2(b, a)) % 360)
    return np.stack([lightness, chroma, hue], -1)


def oklch_to_srgb(oklch: Colours) -> Colours:
    """Convert OKLCH [..., 3] to sRGB code values in [0, 1].

    A colour that a display cannot show keeps lightness and hue and loses just as much chroma as it must.
    """
    lightness, chroma, hue = np.moveaxis(oklch, -1, 0)
    lightness, radians = np.clip(lightness, 0, 1), np.radians(hue)
    low, high = np.zeros_like(chroma), np.maximum(chroma, 0)
    shown = in_gamut(_from_oklch(lightness, high, radians))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        fits = in_gamut(_from_oklch(lightness, middle, radians))
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    kept = np.where(shown, np.maximum(chroma, 0), low)
    return np.clip(_from_oklch(lightness, kept, radians), 0, 1)


def _from_oklch(lightness: Colours, chroma: Colours, radians: Colours) -> Colours:
    oklab = np.stack([lightness, chroma * np.cos(radians), chroma * np.sin(radians)], -1)
    return linear_to_srgb((oklab @ _FROM_OKLAB.T) ** 3 @ _FROM_CONES.T)


def in_gamut(srgb: Colours) -> NDArray[np.bool_]:
    """Whether each of sRGB code values [..., 3] can be shown, as [...]."""
    inside: NDArray[np.bool_] = np.all((srgb >= -_ROUNDING) & (srgb <= 1 + _ROUNDING), -1)
    return inside


def distances(one: Colours, other: Colours) -> NDArray[np.float64]:
    """Return CIEDE2000 between every two of CIE L*a*b* colours [n, 3] and [m, 3], as [n, m]."""
    return differences(one[:, None], other[None])


def near_pairs(lab: Colours, threshold: float = NEAR) -> list[tuple[int, int]]:
    """Return which pairs of CIE L*a*b* colours [n, 3] are closer than a threshold, each as (smaller, larger) index."""
    near = np.triu(distances(lab, lab) < threshold, 1)
    return [(int(i), int(j)) for i, j in zip(*np.nonzero(near), strict=True)]


def differences(one: Colours, other: Colours) -> NDArray[np.float64]:
    """Return CIEDE2000 between CIE L*a*b* colours [..., 3] that broadcast; 1 is about what an eye just sees.

    After Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula" (2005), whose equations the lines follow.
    """
    l1, a1, b1 = np.moveaxis(one, -1, 0)
    l2, a2, b2 = np.moveaxis(other, -1, 0)
    mean7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 1.5 - 0.5 * np.sqrt(mean7 / (mean7 + _25_7))
    c1, c2 = np.hypot(g * a1, b1), np.hypot(g * a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, g * a1)) % 360, np.degrees(np.arctan2(b2, g * a2)) % 360
    coloured = c1 * c2 > 0
    turn = np.where(coloured, (h2 - h1 + 180) % 360 - 180, 0.0)  # the short way round
    d_hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    hue = np.where(coloured, h1 + turn / 2, h1 + h2)  # of a grey, the other's hue
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    t = 1.0 + sum(
        factor * np.cos(np.radians(times * hue - start))
        for factor, times, start in ((-0.17, 1, 30), (0.24, 2, 0), (0.32, 3, -6), (-0.20, 4, 63))
    )
    offset = (lightness - 50) ** 2
    light = (l2 - l1) / (1 + 0.015 * offset / np.sqrt(20 + offset))
    colour = (c2 - c1) / (1 + 0.045 * chroma)
    tone = d_hue / (1 + 0.015 * chroma * t)
    bend = 60 * np.exp(-((((hue % 360) - 275) / 25) ** 2))
    rotation = -2 * np.sqrt(chroma**7 / (chroma**7 + _25_7)) * np.sin(np.radians(bend))
    result: NDArray[np.float64] = np.sqrt(np.maximum(light**2 + colour**2 + tone**2 + rotation * colour * tone, 0))
    return result
