"""A palette on its way into or out of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from studio import __version__
from studio.files import slug
from studio.palette import contrast, harmony
from studio.palette.colours import SIZE, parse_palette
from studio.palette.naming import nearest
from studio.palette.roles import ROLES, roles

PROGRAM = f"Gemma Studio {__version__}"
_LONGEST = 200  # characters of a title, a name or an origin


class NotAPaletteError(Exception):
    """What is wrong with a file, to follow its name in a sentence: ``holds 5 colours, and a palette has 4``."""

    def __init__(self, what: str, todo: str = "") -> None:
        super().__init__(what)
        self.todo = todo


@dataclass(frozen=True)
class Palette:
    """Four colours with a title.

    Attributes:
        colours: ``#rrggbb``, in order.
        title: Such as the words it was made from; empty where nobody gave one.
        origin: What it was made from, to follow "from": ``the words “fresh greens”``; empty where it is not known.
        names: A name for each colour; empty for those of the nearest colours that have one.
    """

    colours: tuple[str, ...]
    title: str = ""
    origin: str = ""
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, colours: Sequence[object], title: str = "", origin: str = "", names: Sequence[str] = ()) -> Palette:
        """Make one of colours in any spelling; words become single lines, and names are left out unless all are given.

        Raises:
            StudioError: They are not four, or one is no colour.
        """
        given = tuple(_line(each) for each in names)
        whole = len(given) == SIZE and all(given)
        return cls(parse_palette(colours), _line(title), _line(origin), given if whole else ())

    def called(self, title: str, origin: str) -> Palette:
        """Return it with a title and an origin where it has none."""
        return replace(self, title=self.title or _line(title), origin=self.origin or _line(origin))


@dataclass(frozen=True)
class Token:
    """One colour as a design names it.

    Attributes:
        hex: ``#rrggbb``.
        name: For people, ``Lime Twist``.
        slug: For programs, ``lime-twist``: begins with a letter, is no role, and no other of the palette has it.
        role: One of `ROLES`.
        family: What people call it, ``yellow-green``.
    """

    hex: str
    name: str
    slug: str
    role: str
    family: str


def tokens(palette: Palette) -> list[Token]:
    """Return the colours of a palette as a design names them, in order."""
    names = palette.names or [each.name for each in nearest(palette.colours)]
    families, given = harmony.describe(palette.colours).families, roles(palette.colours)
    rows = zip(palette.colours, names, slugs(names), given, families, strict=True)
    return [Token(*row) for row in rows]


def slugs(names: Sequence[str]) -> list[str]:
    """Return names for programs: they begin with a letter, no two are the same, and none is a role."""
    found: list[str] = []
    for name in names:
        word = slug(name)
        word = word if word[0].isascii() and word[0].isalpha() else f"colour-{word}"
        word, number = (f"{word}-colour" if word in ROLES else word), 2
        bare = word
        while word in found:
            word, number = f"{bare}-{number}", number + 1
        found.append(word)
    return found


def by_role(parts: Sequence[Token]) -> list[tuple[str, Token]]:
    """Return each role and its colour, in the order of `ROLES`."""
    return sorted(((each.role, each) for each in parts), key=lambda pair: ROLES.index(pair[0]))


def headline(palette: Palette) -> list[str]:
    """Return what stands at the top of a file: the title, where the colours come from, and what a designer minds."""
    source = f" from {palette.origin}" if palette.origin else ""
    parts = dict(by_role(tokens(palette)))
    pair = contrast.judge(parts["text"].hex, parts["background"].hex)
    verdict = "too little to read" if pair.text == "fail" else f"WCAG {pair.text}"
    return [
        title_of(palette),
        f"Four colours{source}, by {PROGRAM}.",
        harmony.describe(palette.colours).sentence,
        f"Text on background: {pair.ratio:.2f} to 1, {verdict}.",
    ]


def title_of(palette: Palette) -> str:
    """Return the title, or else one made of the names of two colours: ``Corrosive Green on Ice Climber``."""
    if palette.title:
        return palette.title
    parts = dict(by_role(tokens(palette)))
    return f"{parts['accent'].name} on {parts['background'].name}"


def _line(text: str) -> str:
    """Return words as one line without control characters, at most 200 of them."""
    shown = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(shown.split())[:_LONGEST].strip()
