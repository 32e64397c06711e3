"""Magnets with two lettered poles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from studio.scienceqa.diagrams.canvas import Canvas, Written
from studio.scienceqa.diagrams.record import Box
from studio.scienceqa.diagrams.style import BLACK, WHITE, Colour, Look, hsv, legible, mix

Shape = Literal["bar", "rounded", "oval", "disc", "ring"]
Poles = tuple[str, str]


@dataclass(frozen=True)
class Paint:
    """How the magnets of one picture are painted.

    Attributes:
        colours: Of the north and of the south pole; the same for a magnet of one colour.
        letters: Colours of the letters N and S.
        outline: Of the body; None for none.
        width: Of the outline.
        seam: Whether a line parts the poles.
        relief: Depth of a solid's upper side, as a share of the height; 0 for flat.
        spot: Where a letter stands, as a share of its half from the outer end.
        turn: Degrees by which letters are turned.
    """

    colours: tuple[Colour, Colour]
    letters: tuple[Colour, Colour]
    outline: Colour | None
    width: float
    seam: bool
    relief: float
    spot: float
    turn: int = 0

    def recoloured(self, look: Look) -> Paint:
        """The same in other colours: two magnets need not be painted alike."""
        colours = _colours(look)
        letters = legible(colours[0], self.letters[0]), legible(colours[1], self.letters[1])
        return replace(self, colours=colours, letters=letters)

    def plain(self) -> Paint:
        """The same in one colour, that of the north pole."""
        return replace(self, colours=(self.colours[0],) * 2, letters=(self.letters[0],) * 2)


def paint(look: Look) -> Paint:
    """Draw how the magnets of a picture are painted."""
    chance = look.chance
    colours = _colours(look)
    wishes = (WHITE, BLACK) if chance.often(0.6) else (look.ink, WHITE)
    if chance.often(0.12):
        wishes = (look.pale(), look.dark())
    letters = legible(colours[0], *wishes), legible(colours[1], *wishes)
    outlined = chance.often(0.45)
    outline = (look.ink if chance.often(0.6) else mix(colours[0], BLACK, 0.4)) if outlined else None
    spot = 0.5 if chance.often(0.35) else chance.between(0.22, 0.6)
    relief = chance.between(0.12, 0.25) if chance.often(0.5 if look.held_out else 0.08) else 0
    return Paint(colours, letters, outline, min(look.line, 1.8), chance.often(0.3), relief, spot)


def _colours(look: Look) -> tuple[Colour, Colour]:
    """Draw the colours of the north and of the south pole."""
    chance = look.chance
    if look.held_out:
        first = look.strong()
        return first, first if chance.often(0.2) else look.other(first)
    kind = chance.between(0, 1)
    if kind < 0.25:  # as in most books: red and blue, either way round
        red = hsv(chance.between(-0.04, 0.03), chance.between(0.6, 1), chance.between(0.65, 1))
        blue = hsv(chance.between(0.54, 0.68), chance.between(0.45, 1), chance.between(0.5, 1))
        return (red, blue) if chance.often(0.7) else (blue, red)
    first = look.strong()
    if kind < 0.5:
        return first, first
    if kind < 0.62:
        grey = hsv(0, 0, chance.between(0.55, 0.85))
        return (first, grey) if chance.often(0.5) else (grey, first)
    return first, look.other(first)


def magnet(
    canvas: Canvas, box: Box, poles: Poles, style: Paint, look: Look, size: float, *, shape: Shape = "bar",
    down: bool = False,
) -> tuple[Written, Written]:  # fmt: skip
    """Draw a magnet and its letters.

    Args:
        canvas: Where to draw.
        box: Of its body.
        poles: Its poles from left to right, or from top to bottom.
        style: How it is painted.
        look: The look of the picture.
        size: Of the letters, in pixels.
        shape: Of the body.
        down: Whether its poles lie one above the other.

    Returns:
        The two letters as written, in the order of ``poles``.
    """
    x0, y0, x1, y1 = box
    first, second = (style.colours["NS".index(pole)] for pole in poles)
    middle = ((y0 if down else x0) + (y1 if down else x1)) / 2
    halves: tuple[Box, Box] = ((x0, y0, x1, middle), (x0, middle, x1, y1)) if down else (
        (x0, y0, middle, y1), (middle, y0, x1, y1))  # fmt: skip
    if style.relief and shape == "bar":
        _upper_side(canvas, box, halves, (first, second), style.relief * min(x1 - x0, y1 - y0), down)
    if shape in ("bar", "rounded"):
        _bar(canvas, box, halves, (first, second), style, 0.0 if shape == "bar" else min(x1 - x0, y1 - y0) * 0.25)
    else:
        _round(canvas, box, (first, second), style, look, down, ring=shape == "ring")
    canvas.item("magnet", box)
    share = style.spot if shape in ("bar", "rounded") else max(style.spot, 0.36)
    if shape == "ring":
        share = 0.3
    written = []
    for place, (half, pole) in enumerate(zip(halves, poles, strict=True)):
        along = share if place == 0 else 1 - share
        x = (x0 + x1) / 2 if down else half[0] + (half[2] - half[0]) * along
        y = half[1] + (half[3] - half[1]) * along if down else (y0 + y1) / 2
        colour = style.letters["NS".index(pole)]
        written.append(canvas.text(x, y, pole, look.title, size, colour, kind="pole", turn=style.turn))
    return written[0], written[1]


def letter_size(look: Look, width: float, height: float, *, down: bool, shape: Shape) -> float:
    """Draw a size of letters that suits a body: from small ones to ones that fill it."""
    half = min(width, height / 2) if down else min(width / 2, height)
    least, most = (0.42, 0.62) if shape == "ring" else (0.45, 1.05)
    return max(10.0, half * look.chance.between(least, most))


def _bar(
    canvas: Canvas, box: Box, halves: tuple[Box, Box], colours: tuple[Colour, Colour], style: Paint, radius: float
) -> None:
    if radius:
        canvas.rectangle(box, colours[0], radius=radius)
        x0, y0, x1, y1 = halves[1]
        canvas.rectangle(halves[1], colours[1], radius=radius)
        if x1 - x0 < box[2] - box[0]:
            canvas.rectangle((x0, y0, x0 + radius, y1), colours[1])
        else:
            canvas.rectangle((x0, y0, x1, y0 + radius), colours[1])
    else:
        for half, colour in zip(halves, colours, strict=True):
            canvas.rectangle(half, colour)
    if style.outline:
        canvas.rectangle(box, None, style.outline, style.width, radius)
    if style.seam:
        x0, y0, x1, y1 = halves[1]
        ends = [(x0, y0), (x0, y1)] if x1 - x0 < box[2] - box[0] else [(x0, y0), (x1, y0)]
        canvas.line(ends, style.outline or mix(colours[0], BLACK, 0.35), style.width)


def _round(
    canvas: Canvas, box: Box, colours: tuple[Colour, Colour], style: Paint, look: Look, down: bool, *, ring: bool
) -> None:
    start = 180 if down else 90
    canvas.slice(box, start, start + 180, colours[0])
    canvas.slice(box, start + 180, start + 360, colours[1])
    if style.outline:
        canvas.ellipse(box, None, style.outline, style.width)
    if ring:
        x0, y0, x1, y1 = box
        share = 0.36
        hole = (x0 + (x1 - x0) * share, y0 + (y1 - y0) * share, x1 - (x1 - x0) * share, y1 - (y1 - y0) * share)
        canvas.ellipse(hole, look.paper, style.outline, style.width)


def _upper_side(
    canvas: Canvas, box: Box, halves: tuple[Box, Box], colours: tuple[Colour, Colour], depth: float, down: bool
) -> None:
    _, y0, x1, y1 = box
    for (a, _, b, _), colour in zip(halves, colours, strict=True):
        canvas.polygon([(a, y0), (a + depth, y0 - depth), (b + depth, y0 - depth), (b, y0)], mix(colour, WHITE, 0.3))
        if down:
            break
    last = colours[1]
    canvas.polygon([(x1, y0), (x1 + depth, y0 - depth), (x1 + depth, y1 - depth), (x1, y1)], mix(last, BLACK, 0.3))
