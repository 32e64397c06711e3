"""Two pairs of magnets: in which of them the magnetic force is greater."""

from __future__ import annotations

from dataclasses import dataclass, replace

from studio.scienceqa.diagrams.canvas import Canvas
from studio.scienceqa.diagrams.dimensions import HEIGHT, dimension
from studio.scienceqa.diagrams.magnets import Poles, Shape, letter_size, magnet, paint
from studio.scienceqa.diagrams.record import Box, Drawn, Fact
from studio.scienceqa.diagrams.style import WHITE, Colour, Look, hsv, legible
from studio.scienceqa.diagrams.wording import ask

_UNITS = {"cm": (1, 12), "mm": (2, 60), "in": (1, 8)}
_HINTS = (
    "The picture shows two pairs of magnets. The pairs are too far apart to affect each other, and all the magnets "
    "are of the same material{but}.",
    "Two pairs of magnets are shown. One pair does not act on the other. Every magnet is made of the same "
    "material{but}.",
    "Compare the two pairs of magnets. Magnets of different pairs have no effect on each other. The material is the "
    "same for all{but}.",
)  # fmt: skip
_QUESTIONS = (
    "Think about the force between the magnets of each pair. Which statement is true?",
    "Which statement about the magnetic force in the two pairs is true?",
    "Compare the magnetic forces between the magnets in the two pairs. Which of these is right?",
    "What is true of the force between the magnets in each pair?",
)  # fmt: skip
_SAME = (
    "The magnitude of the magnetic force is the same in both pairs.",
    "The strength of the magnetic force is the same in both pairs.",
    "Both pairs have the same magnetic force.",
)
_SAYINGS = (
    ("greater", "The magnitude of the magnetic force is greater in {}.", _SAME[0]),
    ("smaller", "The magnitude of the magnetic force is smaller in {}.", _SAME[0]),
    ("greater", "The magnetic force is stronger in {}.", _SAME[1]),
    ("smaller", "The magnetic force is weaker in {}.", _SAME[1]),
    ("greater", "{} has the greater magnetic force.", _SAME[2]),
    ("smaller", "{} has the smaller magnetic force.", _SAME[2]),
)


@dataclass(frozen=True)
class _Pairs:
    """What is drawn.

    Attributes:
        unit: Of the distances.
        distances: Of the two pairs.
        sizes: Of the two pairs, as shares of the common size.
        one_only: Whether only one magnet of the smaller pair is smaller.
        second: Size of the second magnet of either pair, as a share of the first's.
        shapes: Of the first and of the second magnet of either pair.
    """

    unit: str
    distances: tuple[int, int]
    sizes: tuple[float, float]
    one_only: bool
    second: float
    shapes: tuple[Shape, Shape]

    @property
    def stronger(self) -> int | None:
        """Which pair has the greater force; None for neither."""
        (a, b), (c, d) = self.distances, self.sizes
        if a == b and c == d:
            return None
        return 0 if a < b or c > d else 1


def draw(look: Look) -> Drawn:
    """Draw two pairs that differ in distance, in size, or not at all."""
    chance = look.chance
    pairs = _pairs(look)
    canvas, labels, magnets = _picture(look, pairs)
    small = None if pairs.sizes[0] == pairs.sizes[1] else int(pairs.sizes[1] < pairs.sizes[0])
    sizes = "the same" if small is None else f"smaller in Pair {small + 1}"
    texts = tuple(f"{distance} {pairs.unit}" for distance in pairs.distances)
    facts = (
        Fact("distance in Pair 1", texts[0], (labels[0],)),
        Fact("distance in Pair 2", texts[1], (labels[1],)),
        Fact("sizes", sizes, (*magnets[0], *magnets[1]) if small is None else magnets[small]),
    )
    solution = f"Distances: {texts[0]} (Pair 1), {texts[1]} (Pair 2). Sizes: {sizes}. {_rule(pairs)}"
    word, saying, same = chance.pick(_SAYINGS)
    choices = [saying.format("Pair 1"), saying.format("Pair 2"), same]
    stronger = pairs.stronger
    right = 2 if stronger is None else stronger if word == "greater" else 1 - stronger
    mixed = pairs.shapes[0] != pairs.shapes[1]
    unequal = small is not None or pairs.second < 1
    differs = ("size and shape" if mixed else "size") if unequal else "shape" if mixed else ""
    but = chance.pick((", but some differ in {}", "; they are not all alike in {}")).format(differs) if differs else ""
    hint = chance.pick(_HINTS).format(but=but)
    question = ask(chance, "force", chance.pick(_QUESTIONS), choices, right, solution, hint)
    return Drawn(question, canvas.finish(), facts, tuple(canvas.glyphs), tuple(canvas.items))


def _rule(pairs: _Pairs) -> str:
    if pairs.stronger is None:
        return "Neither differs, so the force is the same in both pairs."
    rule = "Magnets that are closer" if pairs.distances[0] != pairs.distances[1] else "Larger magnets"
    first, second = pairs.stronger + 1, 2 - pairs.stronger
    return f"{rule} have a greater force, so it is greater in Pair {first} and smaller in Pair {second}."


def _pairs(look: Look) -> _Pairs:
    chance = look.chance
    unit = chance.pick(tuple(_UNITS))
    low, high = _UNITS[unit]
    first = chance.whole(low, high)
    second, sizes = first, (1.0, 1.0)
    kind = chance.between(0, 1)
    if kind < 0.45:
        while second == first:
            second = chance.whole(low, high)
    elif kind < 0.73:
        small = chance.between(0.45, 0.72)
        sizes = (1.0, small) if chance.often(0.5) else (small, 1.0)
    shapes: tuple[Shape, ...] = ("bar", "bar", "bar", "bar", "disc", "ring", "rounded")
    if look.held_out:
        shapes = ("bar", "bar", "oval", "rounded")
    shape = chance.pick(shapes)
    other = chance.pick(shapes) if chance.often(0.2) else shape
    smaller = chance.between(0.5, 0.75) if chance.often(0.12) else 1.0
    return _Pairs(unit, (first, second), sizes, smaller == 1 and chance.often(0.25), smaller, (shape, other))


def _picture(look: Look, pairs: _Pairs) -> tuple[Canvas, list[Box], list[tuple[Box, ...]]]:
    """Draw both pairs; return the canvas, the boxes of the distances, and those of the magnets of each pair."""
    chance = look.chance
    stacked = chance.often(0.12)
    width, height = chance.between(480, 660), chance.between(104, 165)
    if stacked:
        width, height = chance.between(260, 380), height * 2
    gap = chance.between(4, 26)
    share = 0.5 if chance.often(0.6) else chance.between(0.43, 0.57)
    canvas = Canvas(width, height, look.paper)
    if stacked:
        rooms = [(0.0, 0.0, width, (height - gap) / 2), (0.0, (height + gap) / 2, width, height)]
    else:
        middle = width * share
        rooms = [(0.0, 0.0, middle - gap / 2, height), (middle + gap / 2, 0.0, width, height)]
    frame = _frame(look)
    inner = [_framed(canvas, look, frame, room, f"Pair {i}") for i, room in enumerate(rooms, 1)]
    style = replace(paint(look), relief=0)
    how = _dimensions(look)
    bodies = _bodies(look, pairs, inner, below=how.below)
    size = min(letter_size(look, b[2] - b[0], b[3] - b[1], down=False, shape=s)
               for pair in bodies for b, s in zip(pair, pairs.shapes, strict=True))  # fmt: skip
    if any(shape in ("disc", "ring") for shape in pairs.shapes) and chance.often(0.3):
        style = style.plain()
    styles = style, style.recoloured(look) if chance.often(0.15) else style
    labels = []
    for pair, distance in zip(bodies, pairs.distances, strict=True):
        for body, shape, own in zip(pair, pairs.shapes, styles, strict=True):
            poles: Poles = chance.pick((("N", "S"), ("S", "N")))
            magnet(canvas, body, poles, own, look, min(size, (body[3] - body[1]) * 0.95), shape=shape)
        text = f"{distance} {pairs.unit}"
        edge = max(body[3] for body in pair) if how.below else min(body[1] for body in pair)
        labels.append(dimension(canvas, look, how.kind, pair, edge, -1 if how.below else 1, text, how.size))
    return canvas, labels, [*bodies]


@dataclass(frozen=True)
class _Dimensions:
    """How distances are shown: the kind of line, whether below the magnets, and the size of the text."""

    kind: str
    below: bool
    size: float


@dataclass(frozen=True)
class _Frame:
    """How a pair is framed: where its title stands, and the border (None for none)."""

    title: str
    size: float
    border: Colour | None
    width: float
    radius: float
    ink: Colour
    fill: Colour | None


def _frame(look: Look) -> _Frame:
    chance = look.chance
    title = chance.pick(("below", "inside left") if look.held_out else ("above", "above", "inside", "inside", "band"))
    grey = hsv(0, 0, chance.between(0.6, 0.88))
    border = grey if chance.often(0.5) else look.ink if chance.often(0.6) else look.strong()
    if title != "band" and chance.often(0.15):
        border = look.paper
    radius = chance.between(3, 12) if chance.often(0.5) else 0.0
    fill = look.pale() if chance.often(0.6 if look.held_out else 0.08) else None
    return _Frame(title, chance.between(12, 17), border, chance.between(0.6, 2), radius, look.ink, fill)


def _framed(canvas: Canvas, look: Look, frame: _Frame, room: Box, title: str) -> Box:
    """Draw a pair's border and title; return the room that is left."""
    x0, y0, x1, y1 = room
    strip = frame.size * 1.55
    canvas.item("pair", room)
    middle = (x0 + x1) / 2
    border = frame.border or look.paper
    if frame.title == "above":
        canvas.rectangle((x0, y0 + strip, x1, y1), frame.fill, border, frame.width, frame.radius)
        canvas.text(middle, y0 + strip * 0.45, title, look.title, frame.size, frame.ink)
        return (x0 + 4, y0 + strip + 4, x1 - 4, y1 - 4)
    if frame.title == "below":
        canvas.rectangle((x0, y0, x1, y1 - strip), frame.fill, border, frame.width, frame.radius)
        canvas.text(middle, y1 - strip * 0.48, title, look.title, frame.size, frame.ink)
        return (x0 + 4, y0 + 4, x1 - 4, y1 - strip - 4)
    canvas.rectangle(room, frame.fill, border, frame.width, frame.radius)
    if frame.title == "band":
        canvas.rectangle((x0, y0, x1, y0 + strip), border)
        canvas.text(middle, y0 + strip / 2, title, look.title, frame.size, legible(border, WHITE))
    elif frame.title == "inside":
        canvas.text(middle, y0 + strip * 0.6, title, look.title, frame.size, frame.ink)
    else:
        canvas.text(x0 + 8, y0 + strip * 0.6, title, look.title, frame.size, frame.ink, align="left")
    return (x0 + 4, y0 + strip + 1, x1 - 4, y1 - 4)


def _dimensions(look: Look) -> _Dimensions:
    chance = look.chance
    kind = chance.pick(("arrows",) if look.held_out else ("bracket", "bracket", "ticks", "inline", "between", "posts"))
    return _Dimensions(kind, chance.often(0.25 if look.held_out else 0.7), chance.between(11, 15))


def _bodies(look: Look, pairs: _Pairs, rooms: list[Box], *, below: bool) -> list[tuple[Box, Box]]:
    """Return the bodies of both pairs; the gap between two magnets grows with the distance."""
    chance = look.chance
    wide = min(room[2] - room[0] for room in rooms)
    high = min(room[3] - room[1] for room in rooms)
    most = chance.between(0.2, 0.42) * wide
    far = max(pairs.distances)
    gaps = [max(most * distance / far, 7.0) for distance in pairs.distances]
    if chance.often(0.15):
        gaps = [max(most * chance.between(0.5, 1), 7.0)] * 2
    tall = max(13.0, (high - HEIGHT) * chance.between(0.2, 1))
    extents = []
    for shape in pairs.shapes:
        ratio = (
            1.0
            if shape in ("disc", "ring")
            else chance.between(1.2, 1.8)
            if shape == "oval"
            else chance.between(1.4, 7)
        )
        width = min(tall * ratio, (wide * 0.96 - max(gaps)) / 2)
        height = width if shape in ("disc", "ring") else min(tall, width / 1.15)
        extents.append((width, height))
    if pairs.shapes[0] == pairs.shapes[1]:
        extents[1] = extents[0]
    rooms = [(a, b + (0 if below else HEIGHT), c, d - (HEIGHT if below else 0)) for a, b, c, d in rooms]
    return [
        _pair(look, pairs, extents, room, gap, size) for room, gap, size in zip(rooms, gaps, pairs.sizes, strict=True)
    ]


def _pair(
    look: Look, pairs: _Pairs, extents: list[tuple[float, float]], room: Box, gap: float, size: float
) -> tuple[Box, Box]:
    sizes = (size, 1.0 if pairs.one_only else size * pairs.second)
    dims = [(width * s, height * s) for (width, height), s in zip(extents, sizes, strict=True)]
    total = dims[0][0] + gap + dims[1][0]
    free = max(0.0, room[2] - room[0] - total)
    x = room[0] + free * (0.5 if look.chance.often(0.6) else look.chance.between(0.2, 0.8))
    y = (room[1] + room[3]) / 2
    first = (x, y - dims[0][1] / 2, x + dims[0][0], y + dims[0][1] / 2)
    x += dims[0][0] + gap
    return first, (x, y - dims[1][1] / 2, x + dims[1][0], y + dims[1][1] / 2)
