"""What sheets are painted on: shapes and text in colours that can be read."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from recipes.science.glyphs import Font, write

THINGS = ("nothing", "ball", "body", "box", "line")
Colour = tuple[float, float, float]
Box = tuple[float, float, float, float]


@dataclass
class Canvas:
    """A square of pixels (side, side, 3) of 0-255, and what was painted on it.

    Attributes:
        pixels: As painted so far.
        fonts: To write in.
        random: Where everything is drawn from.
        glyphs: Each character, its box, the height of its text's digits, and whether it is of running words.
        things: Index in `THINGS` and box of each thing.
        balls: Centres of the balls.
        paper: Colour of the region that is being filled.
        level: How hard the sheet is, 0 to 1.
    """

    pixels: np.ndarray
    fonts: list[Font]
    random: np.random.Generator
    glyphs: list[tuple[str, float, float, float, float, float, bool]] = field(default_factory=list)
    things: list[tuple[int, float, float, float, float]] = field(default_factory=list)
    balls: list[tuple[float, float]] = field(default_factory=list)
    paper: Colour = (255.0, 255.0, 255.0)
    level: float = 1.0

    def colour(self) -> Colour:
        """Any colour; on an easy sheet mostly a pale one."""
        if self.random.random() < self.level:
            return _any_colour(self.random)
        return colour_of(self.random.random(), 0.3 * self.random.random(), self.random.uniform(0.85, 1))

    def ink(self, paper: Sequence[float]) -> Colour:
        """A colour that can be read on that paper; on an easy sheet mostly black or white."""
        if self.random.random() < self.level:
            return ink_on(paper, self.random)
        return (0.0, 0.0, 0.0) if _light(paper) > 128 else (255.0, 255.0, 255.0)

    def clear(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        """Paint a region and forget what stood there; texts to come are written on that colour."""
        self.rectangle(x0, y0, x1, y1, colour)
        self.glyphs = [g for g in self.glyphs if not (x0 < (g[1] + g[3]) / 2 < x1 and y0 < (g[2] + g[4]) / 2 < y1)]
        self.balls = [ball for ball in self.balls if not (x0 < ball[0] < x1 and y0 < ball[1] < y1)]
        self.things.append((0, x0, y0, x1, y1))
        self.paper = colour

    def blend(self, mask: np.ndarray, x: int, y: int, colour: Colour) -> None:
        """Paint a mask (h, w) of 0-255 with its corner at (x, y); what lies outside is cut."""
        side = self.pixels.shape[0]
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + mask.shape[1], side), min(y + mask.shape[0], side)
        if x1 <= x0 or y1 <= y0:
            return
        part = self.pixels[y0:y1, x0:x1]
        share = mask[y0 - y : y1 - y, x0 - x : x1 - x, None].astype(np.float32) / 255
        part += share * (np.asarray(colour, np.float32) - part)

    def rectangle(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        """Fill a rectangle."""
        side = self.pixels.shape[0]
        left, top = max(0, round(x0)), max(0, round(y0))
        self.pixels[top : max(0, min(side, round(y1))), left : max(0, min(side, round(x1)))] = colour

    def frame(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, width: float) -> None:
        """Draw the border of a rectangle."""
        w = max(1, round(width))
        for box in ((x0, y0, x1, y0 + w), (x0, y1 - w, x1, y1), (x0, y0, x0 + w, y1), (x1 - w, y0, x1, y1)):
            self.rectangle(*box, colour)

    def ellipse(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, hole: float = 0.0) -> None:
        """Fill an ellipse, or a ring with a hole of that share of it, with soft edges."""
        w, h = max(2, round(x1 - x0)), max(2, round(y1 - y0))
        ys, xs = np.mgrid[0:h, 0:w].astype(np.float32)
        far = np.hypot((xs + 0.5) / w * 2 - 1, (ys + 0.5) / h * 2 - 1)
        edge = min(w, h) / 2
        mask = np.clip((1 - far) * edge + 0.5, 0, 1)
        if hole:
            mask = mask * np.clip((far - hole) * edge + 0.5, 0, 1)
        self.blend((mask * 255).astype(np.uint8), round(x0), round(y0), colour)

    def text(self, text: str, height: float, x: float, y: float, colour: Colour, font: Font, plain: bool) -> float:
        """Write with the base line's left end at (x, y); returns the right end. ``plain`` words count less."""
        spacing = height * self.random.choice([0, 0, 0, 0.06, -0.03])
        run = write(font, text, height, x, y, spacing)
        self.blend(run.mask, run.x, run.y, colour)
        for character, *box in run.boxes:
            self.glyphs.append((character, *box, height, plain))  # type: ignore[arg-type]
        return run.x + run.mask.shape[1]


def colour_of(hue: float, saturation: float, value: float) -> Colour:
    """A colour of 0-255 from hue, saturation and value of 0-1."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return 255 * red, 255 * green, 255 * blue


def _light(colour: Sequence[float]) -> float:
    return 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]


def _any_colour(random: np.random.Generator) -> Colour:
    return colour_of(random.random(), random.random() ** 0.7, random.uniform(0.03, 1) ** 0.6)


def ink_on(paper: Sequence[float], random: np.random.Generator) -> Colour:
    """A colour that can be read on that paper."""
    if random.random() < 0.55:
        ink: Colour = (255.0, 255.0, 255.0) if _light(paper) < random.uniform(90, 190) else (0.0, 0.0, 0.0)
        if abs(_light(ink) - _light(paper)) > 60:
            return ink
    for _ in range(20):
        ink = _any_colour(random)
        if abs(_light(ink) - _light(paper)) > random.uniform(50, 130):
            return ink
    return (0.0, 0.0, 0.0) if _light(paper) > 128 else (255.0, 255.0, 255.0)
