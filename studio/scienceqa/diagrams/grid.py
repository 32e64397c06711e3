"""A map with lettered and numbered rows and columns: what lies in one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.scienceqa.diagrams.canvas import Canvas, around
from studio.scienceqa.diagrams.lettering import fitting, width_of
from studio.scienceqa.diagrams.places import PLACES, icon
from studio.scienceqa.diagrams.record import Box, Drawn, Fact, Glyph
from studio.scienceqa.diagrams.style import WHITE, Colour, Look, hsv, legible, mix
from studio.scienceqa.diagrams.wording import ask, capital

_QUESTIONS = (
    "Which of these places is in {line} {name}?",
    "Which of the following lies in {line} {name} of the map?",
    "Use the letters and numbers. What can be found in {line} {name}?",
    "Look at the grid. Which place can you find in {line} {name}?",
)  # fmt: skip
_HINTS = ("", "", "The map is divided into squares by a grid.", "This map of a town has a grid of letters and numbers.",
          "The letters and numbers at the edges name the rows and columns of the map.")  # fmt: skip
Cell = tuple[int, int]
"""Row and column, from 0."""


def draw(look: Look) -> Drawn:
    """Draw a map and ask which of four places lies in one of its rows or columns."""
    chance = look.chance
    rows, columns = chance.whole(3, 5), chance.whole(3, 5)
    across = chance.often(0.5)
    lines = rows if across else columns
    line = chance.whole(0, lines - 1)
    cells = [(i, j) for i in range(rows) for j in range(columns)]
    inside = [cell for cell in cells if cell[0 if across else 1] == line]
    outside = [cell for cell in cells if cell not in inside]
    hits = chance.some(inside, chance.pick((1, 1, 1, 2)))
    others = chance.some(outside, chance.whole(3, min(len(outside), 6)))
    names = chance.some(PLACES, len(hits) + len(others))
    where: dict[Cell, str] = dict(zip((*hits, *others), names, strict=True))
    lettered = chance.often(0.75)  # rows by letters, columns by numbers
    heads = (
        [tuple("ABCDE"[:rows]), tuple("12345"[:columns])]
        if lettered
        else [tuple("12345"[:rows]), tuple("ABCDE"[:columns])]
    )
    canvas, places, marks = _map(look, where, (heads[0], heads[1]))
    hits.sort()
    kind, name = ("row", heads[0][line]) if across else ("column", heads[1][line])
    facts = (
        Fact(kind, name, marks[0 if across else 1, line]),
        *(Fact(f"place in {kind} {name}", where[cell], (places[cell],)) for cell in hits),
    )
    right = where[hits[chance.whole(0, len(hits) - 1)]]
    held = " and the ".join(where[cell] for cell in hits)
    solution = f"{capital(kind)} {name} holds the {held}. Of the choices, only the {right} is in {kind} {name}."
    form = chance.pick(("the {}", "the {}", "{}"))
    choices = [form.format(place) for place in (right, *[where[cell] for cell in others[:3]])]
    asked = chance.pick(_QUESTIONS).format(line=kind, name=name)
    question = ask(chance, "grid", asked, choices, 0, solution, chance.pick(_HINTS))
    return Drawn(question, canvas.finish(), facts, tuple(canvas.glyphs), tuple(canvas.items))


@dataclass(frozen=True)
class _Ground:
    """How the map looks: the colour of its cells, of the lines, and how wide these are."""

    fill: Colour
    second: Colour
    line: Colour
    width: float
    icons: bool


def _map(
    look: Look, where: dict[Cell, str], heads: tuple[tuple[str, ...], tuple[str, ...]]
) -> tuple[Canvas, dict[Cell, Box], dict[tuple[int, int], tuple[Box, ...]]]:
    """Draw the map.

    Returns:
        The canvas, the box of each place, and those of the letter or number of each row (0, i) and column (1, i).
    """
    chance = look.chance
    wide, high = chance.between(74, 128), chance.between(54, 104)
    head, size = chance.between(16, 34), look.size(10, 15)
    head_size = head * chance.between(0.5, 0.8)
    margin = chance.pick((0.0, 2.0, chance.between(2, 10)))
    right = below = look.held_out  # letters and numbers at the right and below are held out
    below = below or chance.often(0.25)
    x0, y0 = margin + (0 if right else head), margin + (0 if below else head)
    canvas = Canvas(head + 2 * margin + wide * len(heads[1]), head + 2 * margin + high * len(heads[0]), look.paper)
    ground = _ground(look)
    _cells(canvas, look, ground, (x0, y0), (wide, high), (len(heads[0]), len(heads[1])))
    ink = look.ink if chance.often(0.7) else look.dark()
    marks: dict[tuple[int, int], tuple[Box, ...]] = {}
    for i, name in enumerate(heads[0]):
        x = x0 + wide * len(heads[1]) + head / 2 if right else x0 - head / 2
        marks[0, i] = (canvas.text(x, y0 + high * (i + 0.5), name, look.title, head_size, ink).box,)
    for i, name in enumerate(heads[1]):
        y = y0 + high * len(heads[0]) + head / 2 if below else y0 - head / 2
        marks[1, i] = (canvas.text(x0 + wide * (i + 0.5), y, name, look.title, head_size, ink).box,)
    places = {
        cell: _place(canvas, look, name, (x0 + cell[1] * wide, y0 + cell[0] * high, x0 + (cell[1] + 1) * wide,
                                          y0 + (cell[0] + 1) * high), ground, size)
        for cell, name in where.items()
    }  # fmt: skip
    return canvas, places, marks


def _ground(look: Look) -> _Ground:
    chance = look.chance
    fill = look.paper if chance.often(0.3) else look.pale()
    second = mix(fill, WHITE, 0.5) if chance.often(0.15) else fill
    line = hsv(0, 0, chance.between(0.4, 0.8)) if chance.often(0.4) else look.ink
    return _Ground(fill, second, line, chance.between(0.7, 2.4), chance.often(0.65))


def _cells(
    canvas: Canvas, look: Look, ground: _Ground, corner: tuple[float, float], cell: tuple[float, float], count: Cell
) -> None:
    chance = look.chance
    (x0, y0), (wide, high) = corner, cell
    x1, y1 = x0 + wide * count[1], y0 + high * count[0]
    canvas.rectangle((x0, y0, x1, y1), ground.fill)
    if ground.second != ground.fill:
        for i in range(count[0]):
            for j in range(i % 2, count[1], 2):
                canvas.rectangle(
                    (x0 + j * wide, y0 + i * high, x0 + (j + 1) * wide, y0 + (i + 1) * high), ground.second
                )
    for i in range(count[0]):
        for j in range(count[1]):
            canvas.item("cell", (x0 + j * wide, y0 + i * high, x0 + (j + 1) * wide, y0 + (i + 1) * high))
    dash = (3.0, 3.0) if look.held_out and chance.often(0.5) else None
    for i in range(count[0] + 1):
        canvas.line([(x0, y0 + i * high), (x1, y0 + i * high)], ground.line, ground.width, dash)
    for j in range(count[1] + 1):
        canvas.line([(x0 + j * wide, y0), (x0 + j * wide, y1)], ground.line, ground.width, dash)


def _place(canvas: Canvas, look: Look, name: str, cell: Box, ground: _Ground, size: float) -> Box:
    """Draw a place in its cell: its name, in one or two lines, and perhaps a little picture above."""
    x0, y0, x1, y1 = cell
    room = x1 - x0 - 8
    lines = _lines(name, look, size, room)
    size = min(fitting(line, look.face, size, room, 8) for line in lines)
    ink = legible(ground.fill, look.ink)
    step, middle = size * 1.18, (y0 + y1) / 2
    words: list[Glyph] = []
    if ground.icons:
        free = y1 - y0 - step * len(lines) - 10
        extent = min(free / 2, room / 3, 20.0)
        box = icon(canvas, look, name, ((x0 + x1) / 2, y0 + 5 + free / 2), extent)
        canvas.item("place", box)
        middle = y1 - 5 - step * len(lines) / 2
    for i, line in enumerate(lines):
        y = middle + (i - (len(lines) - 1) / 2) * step
        words += canvas.text((x0 + x1) / 2, y, line, look.face, size, ink).words
    return around([word.box for word in words])


def _lines(name: str, look: Look, size: float, room: float) -> Sequence[str]:
    words = name.split()
    if len(words) < 2 or width_of(name, look.face, size) <= room:
        return [name]
    return [" ".join(words[:-1]), words[-1]]
