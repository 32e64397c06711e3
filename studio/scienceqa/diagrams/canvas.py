"""The sheet that questions are drawn on: shapes are drawn at twice the size and reduced, text goes on top."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw

from studio.scienceqa.diagrams.fonts import whole
from studio.scienceqa.diagrams.lettering import Ink, Whole, ink, moved, starts_of
from studio.scienceqa.diagrams.record import Box, Glyph, GlyphKind, Item
from studio.scienceqa.diagrams.style import Colour

FINE = 2
"""Shapes are drawn so many times larger, then reduced: their edges are smooth."""
Points = Sequence[tuple[float, float]]
Align = Literal["left", "centre", "right"]
_DIGITS = frozenset("0123456789")


@dataclass(frozen=True)
class Written:
    """Text that was put on a canvas: the box of its ink, and its words in order."""

    box: Box
    words: tuple[Glyph, ...]

    @property
    def quantity(self) -> Box:
        """Box of its first number and of the unit behind it; of all of it when it has no number."""
        for i, word in enumerate(self.words):
            if word.kind == "number":
                return around([each.box for each in self.words[i : i + 2]])
        return self.box


class Canvas:
    """A picture being drawn; all places and lengths are in pixels of the finished picture.

    Args:
        width: Of the picture.
        height: Of the picture.
        paper: Colour of the ground.
    """

    def __init__(self, width: float, height: float, paper: Colour) -> None:
        self.width, self.height = max(1, round(width)), max(1, round(height))
        self.image = Image.new("RGB", (self.width * FINE, self.height * FINE), paper)
        self.pen = ImageDraw.Draw(self.image)
        self.glyphs: list[Glyph] = []
        self.items: list[Item] = []
        self._texts: list[tuple[Image.Image, tuple[int, int], Colour]] = []

    def rectangle(
        self, box: Box, fill: Colour | None = None, outline: Colour | None = None, width: float = 1, radius: float = 0
    ) -> None:
        """Draw a rectangle, its outline inside the box; ``radius`` rounds its corners."""
        place, stroke = self._place(box), 0 if outline is None else self._stroke(width)
        if radius > 0.5:
            self.pen.rounded_rectangle(place, radius * FINE, fill, outline, stroke)
        else:
            self.pen.rectangle(place, fill, outline, stroke)

    def ellipse(self, box: Box, fill: Colour | None = None, outline: Colour | None = None, width: float = 1) -> None:
        """Draw an ellipse that fills a box."""
        self.pen.ellipse(self._place(box), fill, outline, 0 if outline is None else self._stroke(width))

    def slice(self, box: Box, start: float, end: float, fill: Colour) -> None:
        """Draw a slice of the ellipse in a box, clockwise in degrees from the right."""
        self.pen.pieslice(self._place(box), start, end, fill)

    def arc(self, box: Box, start: float, end: float, colour: Colour, width: float) -> None:
        """Draw a part of an ellipse's line, clockwise in degrees from the right."""
        self.pen.arc(self._place(box), start, end, colour, self._stroke(width))

    def polygon(
        self, points: Points, fill: Colour | None = None, outline: Colour | None = None, width: float = 1
    ) -> None:
        """Draw a polygon."""
        fine = [(x * FINE, y * FINE) for x, y in points]
        if fill is not None:
            self.pen.polygon(fine, fill)
        if outline is not None:
            self.pen.line([*fine, fine[0], fine[1]], outline, self._stroke(width), "curve")

    def line(self, points: Points, colour: Colour, width: float, dash: tuple[float, float] | None = None) -> None:
        """Draw a line through points; ``dash`` gives the lengths of a stroke and of the gap after it."""
        if dash is None:
            self.pen.line([(x * FINE, y * FINE) for x, y in points], colour, self._stroke(width), "curve")
            return
        for (x0, y0), (x1, y1) in pairwise(points):
            length, at = math.dist((x0, y0), (x1, y1)), 0.0
            while at < length:
                a, b = at / length, min(at + dash[0], length) / length
                ends = [(x0 + (x1 - x0) * t, y0 + (y1 - y0) * t) for t in (a, b)]
                self.pen.line([(x * FINE, y * FINE) for x, y in ends], colour, self._stroke(width))
                at += sum(dash)

    def arrow(
        self, start: tuple[float, float], end: tuple[float, float], colour: Colour, width: float, head: float
    ) -> None:
        """Draw an arrow with a filled head of that length."""
        length = math.dist(start, end)
        dx, dy = (end[0] - start[0]) / length, (end[1] - start[1]) / length
        back = (end[0] - dx * head, end[1] - dy * head)
        self.line([start, back], colour, width)
        side = head * 0.45
        self.polygon(
            [end, (back[0] - dy * side, back[1] + dx * side), (back[0] + dy * side, back[1] - dx * side)], colour
        )

    def shade(self, shape: Image.Image, at: tuple[float, float], first: Colour, second: Colour, across: bool) -> None:
        """Fill a mask (fine pixels, mode L) with a run from one colour to another."""
        ramp = Image.linear_gradient("L")
        ramp = (ramp.transpose(Image.Transpose.ROTATE_90) if across else ramp).resize(shape.size)
        run = Image.composite(Image.new("RGB", shape.size, second), Image.new("RGB", shape.size, first), ramp)
        self.image.paste(run, (round(at[0] * FINE), round(at[1] * FINE)), shape)

    def stamp(self, sprite: Image.Image, x: float, y: float) -> None:
        """Put a sprite (fine pixels, RGBA) with its middle at a point."""
        corner = (round(x * FINE - sprite.width / 2), round(y * FINE - sprite.height / 2))
        self.image.paste(sprite, corner, sprite)

    def item(self, kind: str, box: Box) -> Box:
        """Note a thing that was drawn; return its box as far as it lies in the picture."""
        box = self._inside(box)
        self.items.append(Item(kind, box))
        return box

    def text(
        self, x: float, y: float, text: str, path: Path, size: float, colour: Colour, *, align: Align = "centre",
        kind: GlyphKind = "word", turn: int = 0,
    ) -> Written:  # fmt: skip
        """Write one line.

        Args:
            x: Where it begins, has its middle, or ends, as ``align`` says.
            y: The middle of its capitals.
            text: What to write.
            path: The font.
            size: Of the font, in pixels.
            colour: Of the text.
            align: What ``x`` means.
            kind: Of every word that is not a number.
            turn: Degrees counter-clockwise by which it is turned about its middle: 0, 90, 180 or 270.
        """
        pixels = whole(size)
        starts = starts_of(path, pixels, text)
        left = -starts[-1] * {"left": 0.0, "centre": 0.5, "right": 1.0}[align]
        line = round(-ink(path, pixels, "H").middle)
        words, at = [], 0
        for word in text.split(" "):
            if word:
                place = (round(x), round(y), round(left + starts[at]), line)
                words.append(self._put(ink(path, pixels, word), place, colour, _kind(word, kind), turn))
            at += len(word) + 1
        self.glyphs += words
        return Written(around([word.box for word in words]), tuple(words))

    def finish(self) -> Image.Image:
        """Return the finished picture, RGB."""
        picture = self.image.reduce(FINE)
        for mask, corner, colour in self._texts:
            picture.paste(colour, corner, mask)
        return picture

    def _put(self, word: Ink, place: tuple[int, int, int, int], colour: Colour, kind: GlyphKind, turn: int) -> Glyph:
        x, y, dx, dy = place  # a point, and from there to where the word begins on its base line
        boxes = [moved(box, dx, dy) for box in (word.box, *word.characters)]
        boxes = [moved(_turned(box, turn), x, y) for box in boxes]
        mask = word.mask.transpose(_TURNS[turn]) if turn else word.mask
        self._texts.append((mask, (boxes[0][0], boxes[0][1]), colour))
        whole, *characters = (self._inside(box) for box in boxes)
        return Glyph(word.text, whole, kind, tuple(characters))

    def _inside(self, box: Box) -> Box:
        x0, y0, x1, y1 = box
        x0, y0 = min(max(x0, 0), self.width), min(max(y0, 0), self.height)
        return x0, y0, max(min(x1, self.width), x0), max(min(y1, self.height), y0)

    @staticmethod
    def _place(box: Box) -> tuple[float, float, float, float]:
        x0, y0, x1, y1 = (round(edge * FINE) for edge in box)
        return x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)

    @staticmethod
    def _stroke(width: float) -> int:
        return max(1, round(width * FINE))


def around(boxes: Sequence[Box]) -> Box:
    """Return the smallest box that holds several."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


_TURNS = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}


def _turned(box: Whole, turn: int) -> Whole:
    """A box turned about the origin, counter-clockwise, as its content is by `_TURNS`."""
    x0, y0, x1, y1 = box
    return {0: box, 90: (y0, -x1, y1, -x0), 180: (-x1, -y1, -x0, -y0), 270: (-y1, x0, -y0, x1)}[turn]


def _kind(word: str, kind: GlyphKind) -> GlyphKind:
    return "number" if kind == "word" and word[0] in _DIGITS else kind
