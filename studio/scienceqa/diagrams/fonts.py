"""The fonts of drawings: a few that come with the studio, and more of this machine when they are asked for.

By default a drawing uses only the fonts that come with the studio, so a seed draws the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

from studio.scienceqa.diagrams.record import Style

FOLDER = Path(__file__).with_name("fonts")
_NEVER = (
    "mono", "italic", "oblique", "thin", "light", "hairline", "condensed", "narrow", "chancery", "dingbat", "math",
    "symbol", "bdita", "d050000l", "standardsymbols", "z003", "blackletter", "cousine",
)  # fmt: skip
_HELD_OUT = ("opensans", "cantarell", "lato")


@dataclass(frozen=True)
class Fonts:
    """Files of fonts to draw with, one picked for each role in each picture.

    Attributes:
        plain: Sans-serif fonts for everything; the usual case.
        other: Serif, slab and hand-written fonts, picked seldom.
    """

    plain: tuple[Path, ...]
    other: tuple[Path, ...] = ()


def bundled(style: Style) -> Fonts:
    """Return the fonts that come with the studio for a style; the two styles share none."""
    return _BUNDLED[style]


def found(style: Style, folders: Iterable[Path]) -> Fonts:
    """Return the bundled fonts of a style and all that fit among those installed in some folders.

    A font of the family of a held-out one is held out too. Italic, light, narrow and monospaced fonts are left out, as
    are those without Latin letters in two cases.
    """
    own = bundled(style)
    known = {path.name for path in (*own.plain, *own.other)}
    plain, other = list(own.plain), list(own.other)
    for path in sorted(path for folder in folders for path in folder.rglob("*.[ot]tf")):
        name = path.stem.lower().replace("-", "")
        held_out = any(word in name for word in _HELD_OUT)
        if path.name in known or held_out != (style == "held-out") or any(word in name for word in _NEVER):
            continue
        if _writes_latin(path):
            (plain if _is_plain(name) else other).append(path)
    return Fonts(tuple(plain), tuple(other))


def whole(size: float) -> int:
    """Return a size in whole pixels, at least 5; above 20 in steps of 2 and above 40 of 4, so that few need loading."""
    step = 1 if size <= 20 else 2 if size <= 40 else 4
    return max(5, round(size / step) * step)


@lru_cache(maxsize=4096)
def face(path: Path, size: int) -> ImageFont.FreeTypeFont:
    """Return a font in a size in pixels, kept for the next time.

    Raises:
        OSError: The file is not there or is no font.
    """
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def _writes_latin(path: Path) -> bool:
    try:
        font = face(path, 20)
    except OSError:
        return False
    shapes = {bytes(font.getmask(letter)) for letter in "NSAg8"}  # what a font lacks looks the same for all
    small, large = (font.getbbox(letter, anchor="ls")[1] for letter in "xX")
    return len(shapes) == 5 and small > 0.9 * large  # alleles are told apart by their case; heights count from below


def _is_plain(name: str) -> bool:
    sans = (
        "sans",
        "arimo",
        "roboto",
        "inter",
        "carlito",
        "heros",
        "gothic",
        "quicksand",
        "cabin",
        "andika",
        "oxygen",
        "lato",
    )
    return any(word in name for word in sans) and not any(word in name for word in ("slab", "serif"))


def _files(*names: str) -> tuple[Path, ...]:
    return tuple(FOLDER / name for name in names)


_BUNDLED: dict[Style, Fonts] = {
    "training": Fonts(
        _files("Arimo-Regular.ttf", "Arimo-Bold.ttf", "DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "Roboto-Regular.ttf",
               "Roboto-Bold.ttf", "Inter-Regular.otf", "Inter-Bold.otf"),
        _files("Tinos-Regular.ttf", "Tinos-Bold.ttf", "RobotoSlab-Regular.otf", "ComicNeue-Bold.otf"),
    ),
    "held-out": Fonts(
        _files("OpenSans-Regular.ttf", "OpenSans-Bold.ttf", "Cantarell-Regular.otf", "Cantarell-Bold.otf")
    ),
}  # fmt: skip
