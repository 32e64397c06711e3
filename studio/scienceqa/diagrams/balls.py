"""Balls: the particles of gases and solutions, all of one look in a picture, never touching one another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageDraw

from studio.scienceqa.diagrams.canvas import FINE, Canvas
from studio.scienceqa.diagrams.chance import Chance
from studio.scienceqa.diagrams.record import Box
from studio.scienceqa.diagrams.style import BLACK, WHITE, Colour, Look, mix

_SMOOTH = 3  # a ball is drawn this much finer than the canvas
Finish = Literal["flat", "outlined", "shiny", "shaded", "ringed"]
Point = tuple[float, float]


@dataclass(frozen=True)
class Ball:
    """How the balls of a picture look."""

    colour: Colour
    finish: Finish


def ball(look: Look, colour: Colour) -> Ball:
    """Draw how balls of a colour look."""
    kinds: tuple[Finish, ...] = ("shiny", "ringed") if look.held_out else (
        "flat", "flat", "outlined", "outlined", "shiny", "shaded", "shaded")  # fmt: skip
    return Ball(colour, look.chance.pick(kinds))


def sprite(kind: Ball, radius: float) -> Image.Image:
    """Return a ball in fine pixels, RGBA."""
    side = max(3, round(2 * radius * FINE))
    large = side * _SMOOTH
    mask = Image.new("L", (large, large), 0)
    ImageDraw.Draw(mask).ellipse((0, 0, large - 1, large - 1), 255)
    body = Image.new("RGB", (large, large), kind.colour)
    pen, edge = ImageDraw.Draw(body), max(2, large // 14)
    if kind.finish == "outlined":
        pen.ellipse((0, 0, large - 1, large - 1), kind.colour, mix(kind.colour, BLACK, 0.45), edge)
    elif kind.finish == "ringed":
        pen.ellipse((0, 0, large - 1, large - 1), mix(kind.colour, WHITE, 0.35), kind.colour, edge * 2)
    elif kind.finish == "shiny":
        pen.ellipse((large * 0.2, large * 0.16, large * 0.46, large * 0.4), mix(kind.colour, WHITE, 0.7))
    elif kind.finish == "shaded":
        across, down = round(large * 0.62), round(large * 0.66)  # the glow lies above and left of the middle
        glow = Image.radial_gradient("L").resize((large * 2, large * 2))
        glow = glow.crop((across, down, across + large, down + large))
        dark = Image.new("RGB", body.size, mix(kind.colour, BLACK, 0.45))
        body = Image.composite(dark, Image.new("RGB", body.size, mix(kind.colour, WHITE, 0.35)), glow)
    body.putalpha(mask)
    return body.reduce(_SMOOTH)


def roomy(area: Box, count: int, radius: float) -> float:
    """Return a radius, at most the wished one, with which so many balls easily find room in an area."""
    x0, y0, x1, y1 = area
    most = math.sqrt(0.3 * (x1 - x0) * (y1 - y0) / (math.pi * max(count, 1)))
    return min(radius, most, (x1 - x0) * 0.45, (y1 - y0) * 0.45)


def scatter(chance: Chance, area: Box, count: int, radius: float) -> list[Point]:
    """Return places for balls in an area that do not touch, the more regular the less room there is.

    Args:
        chance: Gives the places.
        area: Where the balls must lie wholly.
        count: How many.
        radius: Of a ball; `roomy` says which will do.
    """
    x0, y0, x1, y1 = (area[0] + radius, area[1] + radius, area[2] - radius, area[3] - radius)
    apart = (2.15 * radius + 0.7) ** 2
    places: list[Point] = []
    for tries in range(400 * count):
        if len(places) == count:
            break
        x, y = chance.between(x0, x1), chance.between(y0, y1)
        if all((x - a) ** 2 + (y - b) ** 2 >= apart for a, b in places):
            places.append((x, y))
        elif tries % 60 == 59:  # stuck: begin anew
            places.clear()
    return places if len(places) == count else _rows(chance, (x0, y0, x1, y1), count)


def _rows(chance: Chance, area: Box, count: int) -> list[Point]:
    x0, y0, x1, y1 = area
    columns = max(1, round((count * max(x1 - x0, 1) / max(y1 - y0, 1)) ** 0.5))
    rows = -(-count // columns)
    cells = chance.some([(i, j) for i in range(columns) for j in range(rows)], count)
    wide, high = (x1 - x0) / max(columns - 1, 1), (y1 - y0) / max(rows - 1, 1)
    return [(x0 + i * wide, y0 + j * high) for i, j in cells]


def put(canvas: Canvas, places: list[Point], radius: float, image: Image.Image) -> tuple[Box, ...]:
    """Draw balls, each with the sprite of that radius; return the box of each."""
    boxes = []
    for x, y in places:
        canvas.stamp(image, x, y)
        boxes.append(canvas.item("ball", (x - radius, y - radius, x + radius, y + radius)))
    return tuple(boxes)
