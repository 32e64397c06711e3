"""Closed containers of gas: jars with a lid, boxes, cylinders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from studio.scienceqa.diagrams.canvas import Canvas
from studio.scienceqa.diagrams.record import Box
from studio.scienceqa.diagrams.style import BLACK, WHITE, Colour, Look, hsv, mix

Kind = Literal["jar", "shoulders", "box", "rounded", "cylinder", "tank"]


@dataclass(frozen=True)
class Jar:
    """How the containers of a picture look.

    Attributes:
        kind: Their shape; ``jar`` and ``shoulders`` have lids.
        fill: Of the inside; None for none.
        outline: Its colour.
        width: Of the outline, in pixels.
        lid: Colour of the lid.
    """

    kind: Kind
    fill: Colour | None
    outline: Colour
    width: float
    lid: Colour


def jar(look: Look) -> Jar:
    """Draw how containers look."""
    chance = look.chance
    kinds: tuple[Kind, ...] = ("cylinder", "tank") if look.held_out else (
        "jar", "jar", "shoulders", "shoulders", "shoulders", "box", "rounded")  # fmt: skip
    fill = None if chance.often(0.5) else look.pale()
    outline = look.ink if chance.often(0.5) else hsv(0, 0, chance.between(0.3, 0.7))
    lid = hsv(0, 0, chance.between(0.4, 0.8)) if chance.often(0.6) else look.strong()
    return Jar(chance.pick(kinds), fill, outline, chance.between(0.9, 3), lid)


def draw_jar(canvas: Canvas, how: Jar, box: Box) -> Box:
    """Draw a container; return the area in which particles can lie."""
    x0, y0, x1, y1 = box
    wide, tall = x1 - x0, y1 - y0
    canvas.item("jar", box)
    edge = how.width + 2
    if how.kind in ("jar", "shoulders"):
        lid = tall * 0.09
        neck = wide * (0.12 if how.kind == "shoulders" else 0.04)
        drop = lid + (tall * 0.12 if how.kind == "shoulders" else tall * 0.02)
        radius = wide * 0.08
        if how.kind == "shoulders":
            body = [(x0 + neck, y0 + lid), (x0, y0 + drop), (x0, y1), (x1, y1), (x1, y0 + drop), (x1 - neck, y0 + lid)]
            canvas.polygon(body, how.fill, how.outline, how.width)
        else:
            canvas.rectangle((x0, y0 + lid * 0.6, x1, y1), how.fill, how.outline, how.width, radius)
        top = (x0 + neck - 3, y0, x1 - neck + 3, y0 + lid)
        canvas.rectangle(top, how.lid, mix(how.lid, BLACK, 0.35), min(how.width, 1.4), lid * 0.25)
        return (x0 + edge, y0 + drop + edge, x1 - edge, y1 - edge - (radius * 0.3 if how.kind == "jar" else 0))
    if how.kind == "cylinder":
        depth = min(11.0, wide * 0.09)
        canvas.ellipse((x0, y1 - 2 * depth, x1, y1), how.fill, how.outline, how.width)
        if how.fill:
            canvas.rectangle((x0 + how.width / 2, y0 + depth, x1 - how.width / 2, y1 - depth), how.fill)
        for x in (x0 + how.width / 2, x1 - how.width / 2):
            canvas.line([(x, y0 + depth), (x, y1 - depth)], how.outline, how.width)
        canvas.ellipse((x0, y0, x1, y0 + 2 * depth), mix(how.lid, WHITE, 0.5), how.outline, how.width)
        return (x0 + edge, y0 + 2 * depth + edge, x1 - edge, y1 - 2 * depth - edge)
    radius = {"box": 0.0, "rounded": wide * 0.1, "tank": min(wide, tall) * 0.3}[how.kind]
    canvas.rectangle(box, how.fill, how.outline, how.width * (1.8 if how.kind == "tank" else 1), radius)
    inset = edge + how.width + radius * 0.3
    return (x0 + inset, y0 + inset, x1 - inset, y1 - inset)
