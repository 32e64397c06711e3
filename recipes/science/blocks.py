"""What stands on a sheet: lines of text, bodies, tables, balls and measures, packed tightly."""

from __future__ import annotations

import numpy as np

from recipes.science.canvas import THINGS, Box, Canvas, Colour, colour_of
from recipes.science.glyphs import CLASSES

SMALLEST, LARGEST = 5.0, 80.0
"""Heights of digits in pixels."""
_RANGES = ((0.03, SMALLEST, 7.0), (0.68, 7.0, 20.0), (0.25, 20.0, 40.0), (0.04, 40.0, LARGEST))
"""Share of the sheets' area, and heights from which to which, log-uniform within; those of real diagrams most."""
_EASY = (9.0, 18.0)
"""Heights on an easy sheet."""
_AMBIGUOUS = set("COSVWXZUcosvwxzu")
_ALLELES = "ABCDEFGHIJKLMNPQRSTUVWXYZ"
_WORDS = (
    "Pair 1", "Pair 2", "Sample A", "Sample B", "Solution A", "Solution B", "mass", "average speed", "volume", "time",
    "before", "after", "start", "later", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
    "Dec", "initial", "final", "top", "bottom", "layer", "distance", "particle", "solvent", "temperature",
)  # fmt: skip
_UNITS = ("cm", "mm", "in", "u", "mL", "m/s", "°C", "ft", "kg", "m")


def phrase(random: np.random.Generator) -> tuple[str, bool]:
    """A short text, and whether it is running words; three fifths are digits, poles and alleles."""
    kind = random.random()
    if kind < 0.3:
        number = int(10 ** random.uniform(0, 4))
        digits = f"{number:,}" if random.random() < 0.6 else str(number)
        if random.random() < 0.12:
            digits = f"{random.integers(10)}{random.choice([':', '/', '.'])}{random.integers(10)}"
        unit = f"{random.choice(['', ' '])}{random.choice(_UNITS)}" if random.random() < 0.5 else ""
        return digits + unit, False
    if kind < 0.42:
        return str(random.choice(["N", "S", "NS", "SN", "N S", "S N"])), False
    if kind < 0.6:
        letter = str(random.choice(list(_ALLELES)))
        small = letter.lower()
        pairs = [letter + letter, letter + small, small + small]
        if letter in _AMBIGUOUS:
            some = random.permutation([*pairs, pairs[1]])[: random.integers(2, 5)].tolist()
            return " ".join([*some, pairs[1]]), False
        return " ".join(random.choice(pairs, random.integers(1, 4)).tolist()), False
    if kind < 0.7:
        return "".join(random.choice(list(_ALLELES), random.integers(1, 4))), False
    if kind < 0.9:
        start = str(random.choice(_WORDS))
        return (start if random.random() < 0.6 else f"{start}: {random.integers(1, 3000)}"), True
    return "".join(random.choice(list(CLASSES), random.integers(2, 9))), True


def _lines(c: Canvas, x0: float, y0: float, x1: float, y1: float, height: float) -> None:
    """Text in lines, over a plain or coloured paper."""
    random = c.random
    font, ink = c.fonts[random.integers(len(c.fonts))], c.ink(c.paper)
    lead, y = height * random.uniform(1.25, 1.8), y0 + height * random.uniform(1.05, 1.6)
    while y < y1 - height * 0.25:
        x = x0 + height * random.uniform(0.1, 0.8)
        while x < x1 - height * 0.7:
            text, plain = phrase(random)
            x = c.text(text, height, x, y, ink, font, plain) + height * random.uniform(0.5, 1.4)
        y += lead


def _body(c: Canvas, x0: float, y0: float, x1: float, y1: float, height: float) -> None:
    """One body of one or two colours with a short text or two on it."""
    random = c.random
    first = c.colour()
    halves = random.random() < 0.45
    colours = (first, c.colour() if halves and random.random() < 0.8 else first)
    shape, tall = random.choice(["bar", "bar", "bar", "disc", "ring"]), y1 - y0 > x1 - x0
    middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
    boxes = [(x0, y0, x1, y1)]
    if halves:
        upper = [(x0, y0, x1, middle_y), (x0, middle_y, x1, y1)]
        boxes = upper if tall else [(x0, y0, middle_x, y1), (middle_x, y0, x1, y1)]
    if shape == "bar":
        for box, colour in zip(boxes, colours, strict=False):
            c.rectangle(*box, colour)
    else:
        c.ellipse(x0, y0, x1, y1, first, 0.45 if shape == "ring" and not halves else 0.0)
    edge = c.ink(first)
    if shape == "bar" and random.random() < 0.6:
        for box in boxes:
            c.frame(*box, edge, random.uniform(0.5, 2.5))
    c.things.append((THINGS.index("body"), x0, y0, x1, y1))
    font = c.fonts[random.integers(len(c.fonts))]
    for box, colour in zip(boxes, colours, strict=False):
        kind = random.random()
        letter = str(random.choice(list(_ALLELES)))
        text = (
            str(random.choice(["N", "S"])) if kind < 0.5 or halves else letter + letter.lower() if kind < 0.65
            else str(random.integers(100)) if kind < 0.85 else letter
        )  # fmt: skip
        wide, high = box[2] - box[0], box[3] - box[1]
        size = min(height, high * 0.8, wide * 0.9 / len(text))
        if size < SMALLEST * 0.8:
            continue
        if shape == "ring" and not halves:
            x, y = random.choice([box[0] + wide * 0.15, box[2] - wide * 0.15]), middle_y
            size = min(size, wide * 0.22)
        else:
            x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            x += random.uniform(-0.5, 0.5) * max(0, wide - size * len(text))
            y += random.uniform(-0.5, 0.5) * max(0, high - size * 1.2) * (shape == "bar")
        paper = colour if shape == "bar" else first
        c.text(text, size, x - size * 0.36 * len(text), y + size / 2, c.ink(paper), font, False)


def _square(c: Canvas, x0: float, y0: float, x1: float, y1: float, height: float) -> None:
    """A table with alleles or numbers in its cells."""
    random = c.random
    rows, columns = random.integers(2, 4), random.integers(2, 4)
    wide, high = (x1 - x0) / columns, (y1 - y0) / rows
    paper = colour_of(random.random(), random.uniform(0, 0.4), random.uniform(0.8, 1))
    line, font = c.ink(paper), c.fonts[random.integers(len(c.fonts))]
    inks = [c.ink(paper) for _ in range(2)]
    letter = str(random.choice(list(_ALLELES)))
    pairs = [letter * 2, letter + letter.lower(), letter.lower() * 2]
    if letter in _AMBIGUOUS:
        pairs = [pairs[1], pairs[1], pairs[0], pairs[2]]
    if random.random() < 0.3:
        pairs = [str(random.integers(1000)) for _ in range(4)]
    if random.random() < 0.7:
        c.rectangle(x0, y0, x1, y1, paper)
    else:
        line, inks = c.ink(c.paper), [c.ink(c.paper)] * 2
    size = min(height, high * 0.7, wide * 0.9 / (0.75 * max(map(len, pairs))))
    width = random.uniform(0.5, 2.5)
    c.things.append((THINGS.index("box"), x0, y0, x1, y1))
    order = random.permutation(np.resize(np.asarray(pairs, dtype=object), rows * columns))
    for row in range(rows):
        for column in range(columns):
            box = (x0 + column * wide, y0 + row * high, x0 + (column + 1) * wide, y0 + (row + 1) * high)
            c.frame(*box, line, width)
            text = order[row * columns + column]
            x = box[0] + wide / 2 - size * 0.36 * len(text)
            c.text(text, size, x, box[1] + high / 2 + size / 2, inks[column % 2], font, False)


def _balls(c: Canvas, x0: float, y0: float, x1: float, y1: float, height: float) -> None:
    """Balls of one size in a vessel."""
    random = c.random
    radius = min(random.uniform(2.6, 9), (x1 - x0) / 5, (y1 - y0) / 5)
    paper, wall = colour_of(random.random(), random.random() ** 2 * 0.7, random.uniform(0.7, 1)), c.colour()
    if random.random() < 0.6:
        c.rectangle(x0, y0, x1, y1, paper)
        c.frame(x0, y0, x1, y1, wall, random.uniform(0.5, 2.5))
    else:
        paper = c.paper
    colour, shine, rim = c.ink(paper), random.random() < 0.5, random.random() < 0.5
    c.things.append((THINGS.index("box"), x0, y0, x1, y1))
    put: list[tuple[float, float]] = []
    for _ in range(random.integers(4, 60)):
        x, y = random.uniform(x0 + radius, x1 - radius), random.uniform(y0 + radius, y1 - radius)
        if all((x - a) ** 2 + (y - b) ** 2 > (2.1 * radius) ** 2 for a, b in put):
            put.append((x, y))
    for x, y in put:
        box = (x - radius, y - radius, x + radius, y + radius)
        c.ellipse(*box, tuple(0.5 * v for v in colour) if rim else colour)
        if rim:
            c.ellipse(box[0] + 1, box[1] + 1, box[2] - 1, box[3] - 1, colour)
        if shine:
            light = tuple(v + 0.6 * (255 - v) for v in colour)
            c.ellipse(x - radius * 0.6, y - radius * 0.6, x - radius * 0.05, y - radius * 0.05, light)
        c.things.append((THINGS.index("ball"), *box))
        c.balls.append((x, y))


def _measure(c: Canvas, x0: float, y0: float, x1: float, y1: float, height: float) -> None:
    """A line with end ticks and a number by it, on it or in its gap."""
    random = c.random
    y, ink = y0 + (y1 - y0) * random.uniform(0.3, 0.8), c.ink(c.paper)
    width, tick = random.uniform(0.6, 2), random.uniform(1.5, 6)
    text = f"{random.integers(1, 100)}{random.choice(['', ' '])}{random.choice(_UNITS)}"
    size = min(height, (y1 - y0) * 0.5, (x1 - x0) / len(text))
    x = (x0 + x1) / 2 - size * 0.36 * len(text)
    place = random.choice(["over", "under", "in"])
    c.rectangle(x0, y, x1, y + max(1, width), ink)
    for end in (x0, x1):
        c.rectangle(end - width / 2, y - tick, end + max(1, width / 2), y + tick, ink)
    c.things.append((THINGS.index("line"), x0, y - 2, x1, y + 2))
    if place == "in":
        c.rectangle(x - size * 0.3, y - size * 0.7, x + size * 0.75 * len(text) + 2, y + size * 0.7 + width, c.paper)
    base = {"over": y - size * 0.3, "under": y + size * 1.35 + width, "in": y + size / 2}[str(place)]
    c.text(text, size, x, base, ink, c.fonts[random.integers(len(c.fonts))], False)


_KINDS = (_lines, _body, _square, _balls, _measure)
_SHARES = (0.5, 0.23, 0.15, 0.07, 0.05)
_LARGEST = ((16.0, 8.0), (4.5, 3.2), (9.0, 7.0), (12.0, 9.0), (11.0, 4.5))
"""Widest and highest block of each kind, in heights of its text; what is larger is split."""


def fill(c: Canvas, box: Box, scale: float, plain: Colour, planned: tuple[int, float] | None = None) -> None:
    """Fill a region with one block, or split it where its text would be small in it.

    Args:
        c: Where.
        box: The region.
        scale: Of the canvas; heights of text are times it.
        plain: The sheet's own paper.
        planned: Kind and height of its text; None draws them.
    """
    random, (x0, y0, x1, y1) = c.random, box
    wide, high = x1 - x0, y1 - y0
    if planned is None:
        _, low, top = _RANGES[random.choice(len(_RANGES), p=[row[0] for row in _RANGES])]
        low, top = (low, top) if random.random() < c.level else _EASY
        planned = int(random.choice(len(_KINDS), p=_SHARES)), scale * low * (top / low) ** random.random()
    kind, height = planned
    height = min(height, high * random.uniform(0.5, 0.85))
    widest, highest = (most * height for most in _LARGEST[kind])
    if (high > highest or wide > widest) and max(wide, high) > 30 * scale:
        share, rest = random.uniform(0.35, 0.65), planned if random.random() < 0.8 else None
        if high / highest > wide / widest:
            fill(c, (x0, y0, x1, y0 + share * high), scale, plain, rest)
            fill(c, (x0, y0 + share * high, x1, y1), scale, plain, planned)
        else:
            fill(c, (x0, y0, x0 + share * wide, y1), scale, plain, rest)
            fill(c, (x0 + share * wide, y0, x1, y1), scale, plain, planned)
        return
    if height < SMALLEST * scale:
        return
    c.clear(*box, plain if random.random() < 0.6 else c.colour())
    gap = random.uniform(0, 0.06) * min(wide, high)
    _KINDS[kind](c, x0 + gap, y0 + gap, x1 - gap, y1 - gap, height)
