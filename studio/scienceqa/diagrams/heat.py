"""A table of temperatures before and after: which way thermal energy went."""

from __future__ import annotations

from dataclasses import dataclass

from studio.scienceqa.diagrams.canvas import Align, Canvas, Written
from studio.scienceqa.diagrams.lettering import width_of
from studio.scienceqa.diagrams.record import Box, Drawn, Fact
from studio.scienceqa.diagrams.style import Colour, Look, hsv, legible
from studio.scienceqa.diagrams.wording import ask, capital

_THINGS = (
    ("in a greenhouse", "aquarium"), ("in a garage", "bucket of paint"), ("near a window", "bathtub"),
    ("in a shed", "brick"), ("in a shop", "candle"), ("in a car", "backpack"), ("on a shelf", "vase"),
    ("in a tent", "water bottle"), ("in a barn", "sack of corn"), ("in a lab", "beaker of oil"),
    ("in a gym", "metal bar"), ("in a kitchen", "jar of jam"), ("on a porch", "pitcher of water"),
    ("in a yard", "tire"), ("on a table", "carton of milk"), ("in a hall", "pot of tea"),
    ("on a counter", "loaf of bread"), ("on a balcony", "bowl of soup"),
)  # fmt: skip
"""Where things stand, and what; nothing that tells whether they get warmer."""
_HINTS = (
    "Two {things} that are alike stood {where}. The table shows how warm each was at first and {time} minutes later.",
    "Someone left two identical {things} {where} for {time} minutes and measured their temperatures before and after.",
    "Two identical {things} were kept {where}. Their temperatures changed within {time} minutes as the table shows.",
)  # fmt: skip
_QUESTIONS = (
    "In this time thermal energy was transferred from (_).",
    "Which way did thermal energy flow? It went from (_).",
    "Complete the sentence: while the temperatures changed, thermal energy moved from (_).",
)  # fmt: skip


@dataclass(frozen=True)
class _Readings:
    """What was measured: names of the two objects, and temperatures before and after, as they are written."""

    names: tuple[str, str]
    before: tuple[str, str]
    after: tuple[str, str]
    unit: str


def draw(look: Look) -> Drawn:
    """Draw a table of two objects that both got warmer or both got cooler."""
    chance = look.chance
    warmer = chance.often(0.5)
    where, thing = chance.pick(_THINGS)
    readings = _readings(look, thing, warmer=warmer)
    canvas, before, after = _table(look, readings)
    facts = tuple(
        Fact(f"{name} temperature of {readings.names[i]}", texts[i], (cells[i].box,))
        for i in range(2)
        for name, texts, cells in (("initial", readings.before, before), ("final", readings.after, after))
    )
    (a, b), (c, d) = zip(readings.before, readings.after, strict=True)
    choices = (f"the surroundings to each {thing}", f"each {thing} to the surroundings")
    first, second = (name.removeprefix(f"{capital(thing)} ") for name in readings.names)
    solution = (
        f"{capital(first)}: {a} to {b}. {capital(second)}: {c} to {d}. Both got {'warmer' if warmer else 'cooler'}, so "
        f"thermal energy flowed from {choices[0 if warmer else 1]}."
    )
    words = thing.split()
    things = " ".join([words[0] + "s", *words[1:]]) if " of " in thing else f"{thing}s"
    hint = chance.pick(_HINTS).format(things=things, where=where, time=chance.pick((5, 10, 15, 20, 25, 30, 40, 60)))
    question = ask(chance, "heat", chance.pick(_QUESTIONS), choices, 0 if warmer else 1, solution, hint)
    return Drawn(question, canvas.finish(), facts, tuple(canvas.glyphs), tuple(canvas.items))


def _readings(look: Look, thing: str, *, warmer: bool) -> _Readings:
    chance = look.chance
    fahrenheit = chance.often(0.2)
    low, high = (35.0, 180.0) if fahrenheit else (2.0, 90.0)
    whole = chance.often(0.35)
    start = chance.between(low + 8, high - 8)
    starts = (start, start if chance.often(0.75) else chance.between(low + 8, high - 8))
    ends = [value + chance.between(1.2, 8) * (1 if warmer else -1) for value in starts]
    form = "{:.0f}" if whole else "{:.1f}"
    if whole:
        starts = (round(starts[0]), round(starts[1]))
        ends = [
            value + max(2, round(abs(end - value))) * (1 if warmer else -1)
            for value, end in zip(starts, ends, strict=True)
        ]
    marks = chance.pick((("A", "B"), ("A", "B"), ("1", "2"), ("X", "Y")))
    named = capital(thing) if chance.often(0.8) or look.held_out else capital(thing.split()[-1])
    names = (f"{named} {marks[0]}", f"{named} {marks[1]}")
    return _Readings(
        names, (form.format(starts[0]), form.format(starts[1])), (form.format(ends[0]), form.format(ends[1])),
        "°F" if fahrenheit else "°C",
    )  # fmt: skip


def _table(look: Look, readings: _Readings) -> tuple[Canvas, tuple[Written, Written], tuple[Written, Written]]:
    """Draw the table; return the temperatures before and after as written."""
    chance = look.chance
    size = chance.between(11.5, 15.5)
    first, last = chance.pick(
        (("Initial temperature", "Final temperature"), ("Initial temperature", "Final temperature"),
         ("Temperature before", "Temperature after"), ("At first", "At the end"))
    )  # fmt: skip
    heads = tuple(f"{head} ({readings.unit})" for head in (first, last))
    corner = chance.pick(("", "", "Object", capital(readings.names[0].split()[0])))
    rows = [
        [corner, *heads],
        *([name, a, b] for name, a, b in zip(readings.names, readings.before, readings.after, strict=True)),
    ]
    across = look.held_out  # objects side by side are held out
    if across:
        rows = [list(row) for row in zip(*rows, strict=True)]
    pad, tall = chance.between(8, 26), size * chance.between(1.6, 2.5)
    bold = look.title
    widths = [
        max(width_of(row[j], bold if i == 0 or j == 0 else look.face, size) for i, row in enumerate(rows)) + 2 * pad
        for j in range(3)
    ]
    margin = chance.pick((0.0, 1.0, chance.between(2, 10)))
    canvas = Canvas(sum(widths) + 2 * margin + 1, tall * 3 + 2 * margin + 1, look.paper)
    written = _cells(canvas, look, rows, widths, tall, margin, size)
    if across:
        return canvas, (written[1][1], written[1][2]), (written[2][1], written[2][2])
    return canvas, (written[1][1], written[2][1]), (written[1][2], written[2][2])


def _cells(
    canvas: Canvas, look: Look, rows: list[list[str]], widths: list[float], tall: float, margin: float, size: float
) -> list[list[Written]]:
    chance = look.chance
    line = hsv(0, 0, chance.between(0.55, 0.85)) if chance.often(0.5) else look.ink
    head = look.pale() if chance.often(0.5) else look.strong() if chance.often(0.3) else look.paper
    ruled = chance.often(0.25)  # only lines between rows
    left = chance.often(0.4)
    nothing = Written((0, 0, 0, 0), ())
    written: list[list[Written]] = []
    for i, row in enumerate(rows):
        x, y = margin, margin + i * tall
        cells: list[Written] = []
        for j, text in enumerate(row):
            box: Box = (x, y, x + widths[j] + 1, y + tall + 1)
            ground: Colour = head if i == 0 else look.paper
            canvas.rectangle(box, ground, None if ruled else line, 1)
            canvas.item("cell", box)
            titled = i == 0 or j == 0
            ink, path = legible(ground, look.ink), look.title if titled else look.face
            align: Align = "left" if left and j == 0 else "centre"
            place = x + (8 if align == "left" else widths[j] / 2)
            cells.append(canvas.text(place, y + tall / 2, text, path, size, ink, align=align) if text else nothing)
            x += widths[j]
        if ruled:
            canvas.line([(margin, y + tall), (x, y + tall)], line, 1)
        written.append(cells)
    return written
