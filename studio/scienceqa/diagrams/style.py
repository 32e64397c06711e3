"""How drawings look: colours, fonts and line widths, drawn anew for each picture.

The held-out style has its own fonts and its own colours: training takes any colour but those near a held-out one. Each
family adds layouts of its own that only the held-out style uses.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from studio.scienceqa.diagrams.chance import Chance
from studio.scienceqa.diagrams.fonts import Fonts
from studio.scienceqa.diagrams.record import Style

Colour = tuple[int, int, int]
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
APART = 24.0
"""How far a colour of training is from every held-out one, as a distance in RGB."""
STRONG: tuple[Colour, ...] = (
    (42, 157, 143), (231, 111, 81), (109, 89, 122), (181, 101, 118), (53, 80, 112), (188, 108, 37), (96, 108, 56),
    (155, 34, 38), (0, 95, 115), (202, 103, 2), (127, 79, 36), (88, 129, 87),
)  # fmt: skip
PALE: tuple[Colour, ...] = (
    (244, 241, 222), (233, 245, 219), (237, 224, 212), (223, 231, 253), (241, 227, 243), (224, 251, 252),
    (255, 229, 217),
)  # fmt: skip
DARK: tuple[Colour, ...] = ((38, 70, 83), (61, 64, 91), (88, 47, 14), (43, 45, 66), (74, 78, 105))
NAMED: dict[str, tuple[float, float, Colour]] = {
    "blue": (0.56, 0.67, (72, 149, 239)), "green": (0.27, 0.42, (82, 183, 136)),
    "yellow": (0.13, 0.17, (255, 209, 102)), "pink": (0.87, 0.95, (255, 143, 163)),
    "purple": (0.72, 0.8, (123, 44, 191)), "red": (-0.03, 0.015, (193, 18, 31)), "orange": (0.055, 0.1, (251, 133, 0)),
}  # fmt: skip
"""Colours that questions name: from which hue to which in training (1 is a whole turn), and the held-out tint."""
_HELD_OUT = (*STRONG, *PALE, *DARK, *(row[2] for row in NAMED.values()))


@dataclass(frozen=True)
class Look:
    """The look of one picture.

    Attributes:
        style: Whose fonts, colours and layouts.
        chance: Where everything else of the picture is drawn from.
        face: Font of most text.
        title: Font of titles; often the same.
        ink: Colour of lines and text.
        paper: Colour of the ground.
        line: Width of lines in pixels.
    """

    style: Style
    chance: Chance
    face: Path
    title: Path
    ink: Colour
    paper: Colour
    line: float

    @property
    def held_out(self) -> bool:
        """Whether this is the style that training never shows."""
        return self.style == "held-out"

    def strong(self) -> Colour:
        """Return a colour for bodies: anything but pale."""
        if self.held_out:
            return self.chance.pick(STRONG)
        chance = self.chance
        return self._own(lambda: hsv(chance.between(0, 1), chance.between(0.25, 1), chance.between(0.35, 1)))

    def pale(self) -> Colour:
        """Return a light colour for grounds, on which dark text reads well."""
        if self.held_out:
            return self.chance.pick(PALE)
        chance = self.chance
        return self._own(lambda: hsv(chance.between(0, 1), chance.between(0.03, 0.28), chance.between(0.88, 1)))

    def dark(self) -> Colour:
        """Return a dark colour for text and lines."""
        if self.held_out:
            return self.chance.pick(DARK)
        chance = self.chance
        return self._own(lambda: hsv(chance.between(0, 1), chance.between(0, 0.9), chance.between(0, 0.45)))

    def liquid(self) -> Colour:
        """Return a colour for water and solutions: mostly a light blue."""
        if self.held_out or self.chance.often(0.2):
            return self.pale()
        chance = self.chance
        return self._own(lambda: hsv(chance.between(0.48, 0.62), chance.between(0.08, 0.4), chance.between(0.88, 1)))

    def named(self, name: str) -> Colour:
        """Return a colour that people call by this name, one of `NAMED`."""
        low, high, tint = NAMED[name]
        if self.held_out:
            return tint
        chance = self.chance
        pale = name in ("pink",)
        return self._own(
            lambda: hsv(chance.between(low, high), chance.between(*((0.3, 0.6) if pale else (0.55, 1))),
                        chance.between(0.95 if pale else 0.7, 1))
        )  # fmt: skip

    def other(self, colour: Colour) -> Colour:
        """Return a strong colour that is easily told from another."""
        while apart(new := self.strong(), colour) < 110:
            pass
        return new

    def size(self, low: float, high: float) -> float:
        """Return a size of text in pixels from a range, smaller ones more often."""
        return min(self.chance.between(low, high), self.chance.between(low, high * 1.15))

    def _own(self, draw: Callable[[], Colour]) -> Colour:
        colour = draw()
        while any(apart(colour, other) < APART for other in _HELD_OUT):
            colour = draw()
        return colour


def look(style: Style, chance: Chance, fonts: Fonts) -> Look:
    """Draw the look of one picture."""
    faces = fonts.other if fonts.other and chance.often(0.2) else fonts.plain
    face = chance.pick(faces)
    title = face if chance.often(0.5) else chance.pick(fonts.plain)
    held_out = style == "held-out"
    draft = Look(style, chance, face, title, BLACK, WHITE, chance.between(0.7, 2.2))
    ink = draft.dark() if held_out or chance.often(0.45) else BLACK
    paper = draft.pale() if chance.often(0.5 if held_out else 0.12) else WHITE
    return Look(style, chance, face, title, ink, paper, draft.line)


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """Return the colour of a hue (in turns, any number), saturation and value (0 to 1)."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return int(red * 255 + 0.5), int(green * 255 + 0.5), int(blue * 255 + 0.5)


def mix(colour: Colour, other: Colour, share: float) -> Colour:
    """Return a colour between two; ``share`` is that of the second."""
    red, green, blue = (int(a + (b - a) * share + 0.5) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def apart(colour: Colour, other: Colour) -> float:
    """Return how far two colours lie apart, as a distance in RGB (0 to 442)."""
    return math.dist(colour, other)


def light(colour: Colour) -> float:
    """Return how light a colour looks, 0 to 1."""
    return (0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]) / 255


def legible(ground: Colour, *wishes: Colour) -> Colour:
    """Return the first of some colours that reads well on a ground; without one, black or white."""
    for wish in (*wishes, WHITE, BLACK):
        if abs(light(wish) - light(ground)) > 0.38:
            return wish
    return WHITE if light(ground) < 0.5 else BLACK
