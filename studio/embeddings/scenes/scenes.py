"""Scenes of coloured shapes: what is in them is known exactly, so questions about them have right answers.

Two families of style are drawn: `TRAINING`, which the embedded model for visual questions learnt from, and `HELD_OUT`,
with other backgrounds, fills, outlines, tints, angles and sizes, which it never saw and the demo uses.
"""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Floats = NDArray[np.floating[Any]]

SIDE = 224
"""Edge of a picture, in pixels."""
SHAPES = ("circle", "square", "triangle", "star", "heart", "cross", "ring", "hexagon")
COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (212, 40, 44), "orange": (242, 138, 28), "yellow": (246, 216, 48), "green": (58, 164, 76),
    "blue": (48, 94, 214), "purple": (128, 58, 176), "pink": (246, 146, 190), "brown": (124, 78, 44),
}  # fmt: skip
_GAP = 0.02  # least distance between two things, as a share of the edge
_FINE = 3  # a shape is drawn this much larger, then reduced: its edge is smooth


@dataclass(frozen=True)
class Thing:
    """One shape of a scene; lengths are shares of the edge, y grows downwards, ``angle`` is in degrees."""

    shape: str
    colour: str
    x: float
    y: float
    radius: float
    angle: float


@dataclass(frozen=True)
class Style:
    """How scenes look: each picture draws one of every row, and sizes and angles from the ranges."""

    name: str
    backgrounds: tuple[str, ...]
    fills: tuple[str, ...]
    outlines: tuple[str, ...]
    shadows: tuple[bool, ...]
    radius: tuple[float, float]
    angle: float
    tint: float


TRAINING = Style(
    "training", ("plain", "gradient", "noise", "blotches"), ("flat", "flat", "shaded"), ("none", "none", "dark"),
    (False, False, True), (0.075, 0.17), 15, 0.0,
)  # fmt: skip
HELD_OUT = Style(
    "held-out", ("stripes", "checks", "dots", "vignette"), ("striped", "speckled", "glossy"),
    ("none", "pale", "tinted"), (False, True), (0.065, 0.14), 30, 0.06,
)  # fmt: skip
STYLES = {style.name: style for style in (TRAINING, HELD_OUT)}


@dataclass(frozen=True)
class Scene:
    """Things that do not touch one another, and how they are drawn; ``seed`` draws the rest (texture, noise, tint)."""

    things: tuple[Thing, ...]
    style: str
    seed: int


def compose(random: np.random.Generator, style: Style, fewest: int = 1, most: int = 6) -> Scene:
    """Make up a scene of ``fewest`` to ``most`` things; fewer where there is no room left.

    A quarter of the things repeats an earlier shape and a quarter an earlier colour, so that there is something to
    count and to tell apart.
    """
    wanted, things = int(random.integers(fewest, most + 1)), list[Thing]()
    for _ in range(200):
        if len(things) == wanted:
            break
        radius = float(np.exp(random.uniform(*np.log(style.radius))))
        x, y = random.uniform(radius + 0.01, 0.99 - radius, 2)
        if all(math.dist((x, y), (o.x, o.y)) > radius + o.radius + _GAP for o in things):
            kind, hue = (things[random.integers(len(things))] if things and random.random() < 0.25 else None
                         for _ in range(2))  # fmt: skip
            shape = kind.shape if kind else SHAPES[random.integers(len(SHAPES))]
            colour = hue.colour if hue else tuple(COLOURS)[random.integers(len(COLOURS))]
            things.append(Thing(shape, colour, float(x), float(y), radius, random.uniform(-style.angle, style.angle)))
    return Scene(tuple(things), style.name, int(random.integers(2**32)))


def draw(scene: Scene, side: int = SIDE) -> Image.Image:
    """Draw a scene as an RGB picture of ``side`` × ``side`` pixels; the same scene gives the same picture."""
    style, random = STYLES[scene.style], np.random.default_rng(scene.seed)
    background, fill, outline = (
        rows[random.integers(len(rows))] for rows in (style.backgrounds, style.fills, style.outlines)
    )
    shadow = style.shadows[random.integers(len(style.shadows))]
    picture = _background(random, background, side)
    for thing in scene.things:
        _draw_thing(picture, thing, fill, outline, shadow, random)
    if style.tint:
        shift = 1 + random.uniform(-style.tint, style.tint, 3)
        picture = Image.fromarray(_to_bytes(np.asarray(picture, np.float32) / 255 * shift))
    return picture


@cache
def outline_points(shape: str) -> Floats:
    """Return a shape's outline, upright, around the origin and within a circle of radius 1: float [points, 2], x and y.

    Raises:
        KeyError: There is no such shape.
    """
    if shape in ("circle", "ring"):
        return _corners(40, 0.94)
    if shape == "heart":
        turns = np.linspace(0, 2 * math.pi, 40, endpoint=False)
        down = 13 * np.cos(turns) - 5 * np.cos(2 * turns) - 2 * np.cos(3 * turns) - np.cos(4 * turns)
        return np.stack([16 * np.sin(turns) ** 3, -down - 2], 1) / 17
    if shape == "star":
        return np.stack([_corners(5, 1.0), _corners(5, 0.42, 36)], 1).reshape(10, 2)
    if shape == "cross":
        arm = np.array([(0.3, -0.3), (0.3, -0.92), (-0.3, -0.92)])
        return np.concatenate([arm @ _turning(-90.0 * k) for k in range(4)])
    square = np.array([(-0.76, -0.76), (0.76, -0.76), (0.76, 0.76), (-0.76, 0.76)])
    return {"square": square, "triangle": _corners(3, 1.0), "hexagon": _corners(6, 0.96)}[shape]


def _corners(count: int, radius: float, start: float = 0) -> Floats:
    """Corners of a regular polygon, clockwise from ``start`` degrees off the top: float [count, 2]."""
    turns = np.radians(start + 360 * np.arange(count) / count)
    return np.stack([np.sin(turns), -np.cos(turns)], 1) * radius


def _turning(degrees: float) -> Floats:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([(cosine, sine), (-sine, cosine)])


_HOLE = _corners(32, 0.5)


def _mask(thing: Thing, side: int, box: tuple[int, int, int], grow: float) -> Image.Image:
    """What a thing covers of the square ``box`` (left, top, edge), 8 bit; ``grow`` pixels wider all around."""
    left, top, edge = box
    mask = Image.new("L", (edge * _FINE, edge * _FINE))
    pen, scale = ImageDraw.Draw(mask), thing.radius * side

    turn = _turning(thing.angle)

    def place(points: Floats, size: float) -> list[tuple[float, ...]]:
        placed = points @ turn * size + (thing.x * side - left, thing.y * side - top)
        return [tuple(point) for point in (placed * _FINE).tolist()]

    pen.polygon(place(outline_points(thing.shape), scale + grow), fill=255)
    if thing.shape == "ring":
        pen.polygon(place(_HOLE, scale - 2 * grow), fill=0)
    return mask.reduce(_FINE)


def _draw_thing(
    picture: Image.Image, thing: Thing, fill: str, outline: str, shadow: bool, random: np.random.Generator
) -> None:
    side = picture.width
    reach = thing.radius * side + 8
    left, top = int(thing.x * side - reach), int(thing.y * side - reach)
    box = (left, top, int(2 * reach) + 1)
    paint = _paint(random, thing.colour)
    mask = _mask(thing, side, box, 0)
    if shadow:
        soft = mask.filter(ImageFilter.GaussianBlur(side / 75)).point(lambda value: value * 0.45)
        picture.paste((10, 10, 20), (left + side // 75, top + side // 56), soft)
    if outline != "none":
        rim = {"dark": paint * 0.45, "pale": 0.9 + 0.1 * paint, "tinted": paint * 0.5 + 0.45}[outline]
        picture.paste(_plain(rim), (left, top), _mask(thing, side, box, side / 110))
    if fill == "flat":
        picture.paste(_plain(paint), (left, top), mask)
    else:
        picture.paste(Image.fromarray(_to_bytes(_filled(random, fill, paint, box[2]))), (left, top), mask)


def _paint(random: np.random.Generator, colour: str) -> Floats:
    hue, saturation, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in COLOURS[colour]))
    hue += random.uniform(-0.014, 0.014)
    scale = random.uniform(0.86, 1.08, 2)
    return np.array(colorsys.hsv_to_rgb(hue % 1, min(saturation * scale[0], 1), min(value * scale[1], 1)), np.float32)


def _filled(random: np.random.Generator, fill: str, paint: Floats, edge: int) -> Floats:
    """A square of a fill, float [edge, edge, 3]."""
    down, across = _grid(edge)
    strength: Floats
    if fill == "shaded":
        strength = 1.12 - 0.3 * down + 0 * across
    elif fill == "striped":
        strength = 1 + 0.14 * np.sign(np.sin((down + across) * edge * random.uniform(0.35, 0.6)))
    elif fill == "speckled":
        strength = 1 + 0.13 * random.standard_normal((edge, edge), np.float32)
    else:  # glossy: a soft light at the upper left
        strength = 0.9 + 0.45 * np.exp(-((down - 0.35) ** 2 + (across - 0.38) ** 2) / 0.03)
    return paint * strength[..., None]


def _background(random: np.random.Generator, kind: str, side: int) -> Image.Image:
    """A background, pale or dark and hardly coloured."""
    light: Floats
    dark = random.random() < 0.3
    base = np.array(colorsys.hsv_to_rgb(random.random(), random.uniform(0, 0.16), 1), np.float32)
    base = base * random.uniform(*((0.1, 0.3) if dark else (0.78, 0.98)))
    if kind == "plain":
        return Image.new("RGB", (side, side), _plain(base))
    down, across = _grid(side)
    turn, depth = random.uniform(0, 2 * math.pi), random.uniform(0.03, 0.08)
    slope = across * math.cos(turn) + down * math.sin(turn)
    if kind == "gradient":
        light = slope * random.uniform(0.1, 0.3) - 0.08
    elif kind == "noise":
        light = random.standard_normal((side, side), np.float32) * random.uniform(0.02, 0.06)
    elif kind == "blotches":
        coarse = random.normal(0, 1, (int(random.integers(4, 14)),) * 2).astype(np.float32)
        light = depth * np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))
    elif kind == "stripes":
        light = depth * np.sign(np.sin(slope * random.uniform(25, 70)))
    elif kind == "checks":
        many = random.uniform(12, 36)
        light = depth * np.sign(np.sin(across * many) * np.sin(down * many))
    elif kind == "dots":
        many = random.uniform(35, 70)
        light = depth * ((np.sin(across * many) * np.sin(down * many)) > 0.55)
    else:  # vignette
        light = 0.06 - 0.5 * ((across - 0.5) ** 2 + (down - 0.5) ** 2)
    return Image.fromarray(_to_bytes(base + light[..., None]))


def _grid(side: int) -> tuple[Floats, Floats]:
    """How far down and how far across each pixel lies, from 0 up to 1: [side, 1] and [1, side]."""
    steps = np.arange(side, dtype=np.float32) / side
    return steps[:, None], steps[None]


def _to_bytes(values: Floats) -> NDArray[np.uint8]:
    return (np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)


def _plain(colour: Floats) -> tuple[int, ...]:
    return tuple(_to_bytes(colour).tolist())
