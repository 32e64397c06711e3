"""Small pictures of fossils."""

from __future__ import annotations

from math import cos, pi, sin

from studio.scienceqa.diagrams.canvas import Canvas
from studio.scienceqa.diagrams.record import Box
from studio.scienceqa.diagrams.style import BLACK, WHITE, Colour, Look, light, mix

FOSSILS: dict[str, str] = {
    "fern": "fern", "palm leaf": "leaf", "ginkgo leaf": "leaf", "oak leaf": "leaf", "conifer cone": "egg",
    "wood": "log", "snail shell": "spiral", "ammonite": "spiral", "clam shell": "fan", "scallop": "fan",
    "turtle shell": "egg", "fish": "fish", "shark tooth": "tooth", "mammal tooth": "tooth",
    "crocodile tooth": "tooth", "dinosaur egg": "egg", "bird egg": "egg", "rib bone": "bone", "leg bone": "bone",
    "bird bone": "bone", "feather": "fern", "beetle": "bug", "trilobite": "bug", "dragonfly": "bug",
    "insect": "bug", "footprint": "foot", "dinosaur track": "foot", "coral": "fern", "sea urchin": "star",
    "starfish": "star", "seed": "egg", "crab": "bug", "sponge": "egg", "sand dollar": "star",
}  # fmt: skip
"""Fossils by name, and which of the pictures stands for each."""
_Point = tuple[float, float]


def fossil(canvas: Canvas, look: Look, name: str, middle: _Point, size: float, ground: Colour) -> Box:
    """Draw a fossil within ``size`` pixels around a point; return its box."""
    dark = light(ground) > 0.45
    ink = mix(ground, BLACK if dark else WHITE, look.chance.between(0.45, 0.8))
    fill = mix(ground, WHITE if dark else BLACK, look.chance.between(0.2, 0.6))
    _SHAPES[FOSSILS[name]](canvas, middle, size, fill, ink)
    (x, y) = middle
    return canvas.item("fossil", (x - size, y - size, x + size, y + size))


def _leaf(canvas: Canvas, middle: _Point, size: float, fill: Colour, ink: Colour) -> None:
    x, y = middle
    upper = [(x + size * t / 6, y - size * 0.55 * cos(pi * t / 12)) for t in range(-6, 7)]
    lower = [(a, 2 * y - b) for a, b in reversed(upper)]
    canvas.polygon([*upper, *lower], fill, ink, 1)
    canvas.line([(x - size, y), (x + size, y)], ink, 0.8)
    for t in (-0.4, 0.0, 0.4):
        canvas.line([(x + size * t, y), (x + size * (t + 0.25), y - size * 0.35)], ink, 0.7)
        canvas.line([(x + size * t, y), (x + size * (t + 0.25), y + size * 0.35)], ink, 0.7)


def _fern(canvas: Canvas, middle: _Point, size: float, fill: Colour, ink: Colour) -> None:
    x, y = middle
    canvas.line([(x - size, y + size * 0.3), (x + size, y - size * 0.3)], ink, 1.2)
    for i in range(-4, 5):
        t = i / 4.5
        a, b, reach = x + size * t, y - size * 0.3 * t, size * 0.6 * (1 - abs(t) * 0.7)
        canvas.line([(a, b), (a + reach * 0.5, b - reach)], ink, 1)
        canvas.line([(a, b), (a + reach * 0.5, b + reach)], ink, 1)


def _log(canvas: Canvas, middle: _Point, size: float, fill: Colour, ink: Colour) -> None:
    x, y = middle
    canvas.rectangle((x - size, y - size * 0.4, x + size * 0.8, y + size * 0.4), fill, ink, 1)
    for t in (-0.15, 0.12):
        canvas.line([(x - size * 0.8, y + size * t), (x + size * 0.5, y + size * t)], ink, 0.7)
    canvas.ellipse((x + size * 0.6, y - size * 0.4, x + size, y + size * 0.4), fill, ink, 1)


def _spiral(canvas: Canvas, middle: _Point, size: float, fill: Colour, ink: Colour) -> None:
    x, y = middle
    canvas.ellipse((x - size, y - size * 0.95, x + size * 0.95, y + size * 0.95), fill, ink, 1)
    turns = [t * 0.35 for t in range(50)]
    radii = [size * 0.92 * (1 - t / 18.5) for t in turns]
    canvas.line([(x + r * cos(t), y + r * sin(t)) for t, r in zip(turns, radii, strict=True)], ink, 1)


def _fan(canvas: Canvas, middle: _Point, size: float, fill: Colour, ink: Colour) -> None:
    x, y = middle
    rim = [(x + size * cos(pi * t / 12), y + size * 0.5 - size * 1.4 * sin(pi * t / 12)) for t in range(13)]
    canvas.polygon([*rim, (x, y + size * 0.9)], fill, ink, 1)
    for point in rim[2:11:2]:
        canvas.line([(x, y + size * 0.9), point], ink, 0.7)


def _egg(canvas: Canvas, middle: _Point, size: float, fill: Colour, ink: Colour) -> None:
    x, y = middle
    canvas.ellipse((x - size * 0.95, y - size * 0.68, x + size * 0.95, y + size * 0.68), fill, ink, 1)
    for a, b in ((-0.4, -0.15), (0.1, 0.25), (0.35, -0.2), (-0.1, -0.4)):
        canvas.ellipse((x + size * a, y + size * b, x + size * (a + 0.14), y + size * (b + 0.14)), ink)


def _fish(canvas: Canvas, middle: _Point, size: float, fill: Colour, ink: Colour) -> None:
    x, y = middle
    tail = [(x + size * 0.45, y), (x + size, y - size * 0.5), (x + size, y + size * 0.5)]
    canvas.polygon(tail, fill, ink, 1)
    canvas.ellipse((x - size, y - size * 0.5, x + size * 0.6, y + size * 0.5), fill, ink, 1)
    canvas.ellipse((x - size * 0.75, y - size * 0.2, x - size * 0.58, y - size * 0.03), ink)
    for t in (-0.3, 0.0, 0.3):
        canvas.line([(x + size * t, y - size * 0.3), (x + size * (t + 0.08), y + size * 0.3)], ink, 0.7)


def _tooth(canvas: Canvas, middle: _Point, size: float, fill: Colour, ink: Colour) -> None:
    x, y = middle
    canvas.polygon(
        [(x - size * 0.7, y - size * 0.8), (x, y - size * 0.55), (x + size * 0.7, y - size * 0.8),
         (x + size * 0.35, y + size * 0.2), (x, y + size * 0.95), (x - size * 0.4, y + size * 0.15)], fill, ink, 1,
    )  # fmt: skip


def _bone(canvas: Canvas, middle: _Point, size: float, fill: Colour, ink: Colour) -> None:
    x, y = middle
    for side in (-1, 1):
        for up in (-1, 1):
            a, b, r = x + side * size * 0.72, y + up * size * 0.2, size * 0.26
            canvas.ellipse((a - r, b - r, a + r, b + r), fill, ink, 1)
    canvas.rectangle((x - size * 0.75, y - size * 0.19, x + size * 0.75, y + size * 0.19), fill)
    for up in (-1, 1):
        canvas.line([(x - size * 0.5, y + up * size * 0.19), (x + size * 0.5, y + up * size * 0.19)], ink, 1)


def _bug(canvas: Canvas, middle: _Point, size: float, fill: Colour, ink: Colour) -> None:
    x, y = middle
    for t in (-0.4, 0.0, 0.4):
        canvas.line([(x + size * t, y - size * 0.8), (x + size * t * 0.6, y), (x + size * t, y + size * 0.8)], ink, 1)
    canvas.ellipse((x - size * 0.9, y - size * 0.45, x + size * 0.7, y + size * 0.45), fill, ink, 1)
    canvas.ellipse((x + size * 0.5, y - size * 0.28, x + size, y + size * 0.28), fill, ink, 1)
    canvas.line([(x - size * 0.85, y), (x + size * 0.5, y)], ink, 0.8)


def _foot(canvas: Canvas, middle: _Point, size: float, fill: Colour, ink: Colour) -> None:
    x, y = middle
    for turn in (-0.7, 0.0, 0.7):
        toe = (x + size * sin(turn), y - size * cos(turn))
        canvas.line([(x, y + size * 0.5), toe], ink, max(1.5, size * 0.22))
    canvas.ellipse((x - size * 0.35, y + size * 0.15, x + size * 0.35, y + size * 0.85), ink)


def _star(canvas: Canvas, middle: _Point, size: float, fill: Colour, ink: Colour) -> None:
    x, y = middle
    points = [
        (x + size * r * sin(pi * i / 5), y - size * r * cos(pi * i / 5))
        for i in range(10)
        for r in [1.0 if i % 2 == 0 else 0.42]
    ]
    canvas.polygon(points, fill, ink, 1)


_SHAPES = {
    "leaf": _leaf, "fern": _fern, "log": _log, "spiral": _spiral, "fan": _fan, "egg": _egg, "fish": _fish,
    "tooth": _tooth, "bone": _bone, "bug": _bug, "foot": _foot, "star": _star,
}  # fmt: skip
