"""Vessels with a liquid: beakers, cups, conical and round flasks, cylinders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageDraw

from studio.scienceqa.diagrams.canvas import FINE, Canvas
from studio.scienceqa.diagrams.record import Box
from studio.scienceqa.diagrams.style import BLACK, WHITE, Colour, Look, mix

Kind = Literal["beaker", "cup", "conical", "round", "cylinder", "tube"]


@dataclass(frozen=True)
class Vessel:
    """How the vessels of a picture look.

    Attributes:
        kind: Their shape.
        liquid: Colour of the liquid.
        glass: Colour of the outline.
        width: Of the outline, in pixels.
        shaded: Whether the liquid runs from a lighter to a darker colour.
        marks: Whether there are graduation marks.
        across: Whether the colour runs from left to right.
    """

    kind: Kind
    liquid: Colour
    glass: Colour
    width: float
    shaded: bool
    marks: bool
    across: bool


def vessel(look: Look) -> Vessel:
    """Draw how vessels look."""
    chance = look.chance
    kinds: tuple[Kind, ...] = ("cylinder", "tube") if look.held_out else (
        "beaker", "beaker", "cup", "conical", "round", "round")  # fmt: skip
    glass = look.ink if chance.often(0.5) else mix(look.ink, WHITE, chance.between(0.3, 0.65))
    shaded, marks, across = chance.often(0.35), chance.often(0.2), chance.often(0.5)
    return Vessel(chance.pick(kinds), look.liquid(), glass, chance.between(0.9, 2.6), shaded, marks, across)


def draw_vessel(canvas: Canvas, how: Vessel, box: Box, level: float) -> Box:
    """Draw a vessel filled to a share of its height; return the area in which balls can lie in its liquid."""
    x0, y0, x1, y1 = box
    surface = y1 - (y1 - y0) * level
    if how.kind == "round":
        area = _round(canvas, how, box)
    elif how.kind == "conical":
        area = _conical(canvas, how, box, surface)
    elif how.kind in ("cylinder", "tube"):
        area = _cylinder(canvas, how, box, surface)
    else:
        area = _beaker(canvas, how, box, surface)
    if how.marks and how.kind != "round":
        for i in range(1, 6):
            y = y1 - (y1 - y0) * i / 6.5
            canvas.line([(x1 - (x1 - x0) * (0.18 if i % 2 else 0.1), y), (x1, y)], how.glass, min(how.width, 1))
    canvas.item("vessel", box)
    return area


def _beaker(canvas: Canvas, how: Vessel, box: Box, surface: float) -> Box:
    x0, y0, x1, y1 = box
    radius = (x1 - x0) * 0.12 if how.kind == "cup" else 0.0
    _liquid(canvas, how, (x0, surface, x1, y1), radius)
    canvas.line([(x0, surface), (x1, surface)], mix(how.liquid, BLACK, 0.25), 1)
    if how.kind == "cup":
        canvas.arc((x0, y1 - 2 * radius, x0 + 2 * radius, y1), 90, 180, how.glass, how.width)
        canvas.arc((x1 - 2 * radius, y1 - 2 * radius, x1, y1), 0, 90, how.glass, how.width)
        canvas.line([(x0, y0), (x0, y1 - radius)], how.glass, how.width)
        canvas.line([(x1, y0), (x1, y1 - radius)], how.glass, how.width)
        canvas.line([(x0 + radius, y1), (x1 - radius, y1)], how.glass, how.width)
    else:
        lip = (x1 - x0) * 0.06
        canvas.line(
            [(x0 - lip, y0), (x0, y0 + lip), (x0, y1), (x1, y1), (x1, y0 + lip), (x1 + lip, y0)], how.glass, how.width
        )
    edge = how.width + 1
    return (x0 + edge, surface + 1, x1 - edge, y1 - edge - radius * 0.3)


def _conical(canvas: Canvas, how: Vessel, box: Box, surface: float) -> Box:
    x0, y0, x1, y1 = box
    middle, half, neck = (x0 + x1) / 2, (x1 - x0) / 2, (x1 - x0) * 0.16
    shoulder = y0 + (y1 - y0) * 0.28
    surface = max(surface, shoulder)
    share = (surface - shoulder) / (y1 - shoulder)
    wide = neck + (half - neck) * share
    canvas.polygon([(middle - wide, surface), (middle + wide, surface), (x1, y1), (x0, y1)], how.liquid)
    outline = [
        (middle - neck, y0),
        (middle - neck, shoulder),
        (x0, y1),
        (x1, y1),
        (middle + neck, shoulder),
        (middle + neck, y0),
    ]
    canvas.line(outline, how.glass, how.width)
    canvas.line([(middle - neck * 1.4, y0), (middle + neck * 1.4, y0)], how.glass, how.width)
    top = max(surface + 1, y1 - (y1 - shoulder) * 0.62)  # below it a rectangle of two thirds of the width lies inside
    inner = neck + (half - neck) * (top - shoulder) / (y1 - shoulder) - how.width - 1
    return (middle - inner, top, middle + inner, y1 - how.width - 1)


def _round(canvas: Canvas, how: Vessel, box: Box) -> Box:
    """A round-bottomed flask with a neck; its belly is full of liquid."""
    x0, y0, x1, y1 = box
    radius = min((x1 - x0) / 2, (y1 - y0) * 0.38)
    middle, centre = (x0 + x1) / 2, y1 - radius
    neck = radius * 0.28
    belly = (middle - radius, centre - radius, middle + radius, y1)
    canvas.rectangle((middle - neck, y0, middle + neck, centre), mix(how.liquid, WHITE, 0.55), how.glass, how.width)
    if how.shaded:
        side = round(2 * radius * FINE)
        mask = Image.new("L", (side, side), 0)
        ImageDraw.Draw(mask).ellipse((0, 0, side - 1, side - 1), 255)
        light, dark = mix(how.liquid, WHITE, 0.6), mix(how.liquid, BLACK, 0.12)
        canvas.shade(mask, (belly[0], belly[1]), light, dark, across=how.across)
        canvas.ellipse(belly, None, how.glass, how.width)
    else:
        canvas.ellipse(belly, how.liquid, how.glass, how.width)
    lip = neck * 1.35
    canvas.rectangle(
        (middle - lip, y0, middle + lip, y0 + max(3.0, neck * 0.35)), mix(how.liquid, WHITE, 0.3), how.glass, how.width
    )
    inner = radius * 0.7 - how.width
    return (middle - inner, centre - inner, middle + inner, centre + inner)


def _cylinder(canvas: Canvas, how: Vessel, box: Box, surface: float) -> Box:
    """A cylinder seen a little from above; a tube is closed by a half circle."""
    x0, y0, x1, y1 = box
    if how.kind == "tube":
        radius = min((x1 - x0) / 2, (y1 - y0) * 0.3)
        surface = min(surface, y1 - 2.2 * radius)
        canvas.rectangle((x0, surface, x1, y1), how.liquid, radius=radius)
        canvas.rectangle((x0, surface, x1, surface + radius * 1.2), how.liquid)
        canvas.line([(x0, y0), (x0, y1 - radius)], how.glass, how.width)
        canvas.line([(x1, y0), (x1, y1 - radius)], how.glass, how.width)
        canvas.arc((x0, y1 - 2 * radius, x0 + 2 * radius, y1), 90, 180, how.glass, how.width)
        canvas.arc((x1 - 2 * radius, y1 - 2 * radius, x1, y1), 0, 90, how.glass, how.width)
        canvas.line([(x0 + radius, y1), (x1 - radius, y1)], how.glass, how.width)
        return (x0 + how.width + 1, surface + 2, x1 - how.width - 1, y1 - radius * 0.45)
    depth = min(9.0, (x1 - x0) * 0.09)
    canvas.ellipse((x0, y1 - 2 * depth, x1, y1), how.liquid, how.glass, how.width)
    canvas.rectangle((x0, surface, x1, y1 - depth), how.liquid)
    canvas.ellipse(
        (x0, surface - depth, x1, surface + depth), mix(how.liquid, BLACK, 0.08), how.glass, min(how.width, 1)
    )
    canvas.ellipse((x0, y0 - depth, x1, y0 + depth), None, how.glass, how.width)
    for x in (x0, x1 - how.width / 2):
        canvas.line([(x, y0), (x, y1 - depth)], how.glass, how.width)
    return (x0 + how.width + 1, surface + depth + 1, x1 - how.width - 1, y1 - depth - 1)


def _liquid(canvas: Canvas, how: Vessel, box: Box, radius: float) -> None:
    x0, y0, x1, y1 = box
    if how.shaded:
        mask = Image.new("L", (max(1, round((x1 - x0) * FINE)), max(1, round((y1 - y0) * FINE))), 0)
        ImageDraw.Draw(mask).rounded_rectangle(
            (0, -radius * FINE * 2, mask.width - 1, mask.height - 1), radius * FINE, 255
        )  # its upper corners stay square
        canvas.shade(mask, (x0, y0), mix(how.liquid, WHITE, 0.5), how.liquid, across=False)
        return
    canvas.rectangle(box, how.liquid, radius=radius)
    if radius:
        canvas.rectangle((x0, y0, x1, min(y0 + radius, y1)), how.liquid)
