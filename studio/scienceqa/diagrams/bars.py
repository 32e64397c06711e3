"""A bar chart of precipitation over twelve months: which month has the most or the least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.scienceqa.diagrams.canvas import Canvas
from studio.scienceqa.diagrams.lettering import width_of
from studio.scienceqa.diagrams.record import Box, Drawn, Fact
from studio.scienceqa.diagrams.style import BLACK, Look, apart, hsv, legible, mix
from studio.scienceqa.diagrams.traits import word
from studio.scienceqa.diagrams.wording import ask

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_HINTS = (
    "The bars show how much rain and snow falls in {place} in an average year.",
    "The chart shows the average precipitation in {place} for every month.",
    "Scientists measured the precipitation in {place} over many years. The graph shows the averages.",
    "Use the graph of the climate of {place} to answer.",
)  # fmt: skip
_EXTREMES = (
    "Which of these months has the {word} average precipitation in {place}?",
    "In which of these months does {place} get the {word} precipitation on average?",
    "Look at the bars of these months. Which one has the {word} precipitation?",
)  # fmt: skip
_SCALES = (
    ("mm", 20, 5), ("mm", 20, 7), ("mm", 40, 6), ("mm", 100, 4), ("in", 1, 6), ("in", 2, 6), ("cm", 4, 6), ("cm", 2, 6),
)  # fmt: skip
"""Unit, step between marks, and number of steps."""
_CLEAR = 3  # quarters of a step between two months that are compared


@dataclass(frozen=True)
class _Climate:
    """The climate of a place: precipitation of twelve months in quarters of a step of the scale, and the scale."""

    place: str
    quarters: tuple[int, ...]
    unit: str
    step: int
    steps: int

    def text(self, month: int) -> str:
        """The precipitation of a month as it is written."""
        return f"{self.quarters[month] * self.step / 4:g} {self.unit}"


def draw(look: Look) -> Drawn:
    """Draw a chart and ask about three of its months."""
    chance = look.chance
    climate = _climate(look)
    months = _asked(look, climate)
    canvas, boxes = _chart(look, climate)
    facts = tuple(Fact(f"precipitation in {MONTHS[i]}", climate.text(i), (boxes[i],)) for i in months)
    read = ", ".join(f"{MONTHS[i]} {climate.text(i)}" for i in months)
    most = chance.often(0.5)
    right = (max if most else min)(months, key=lambda i: climate.quarters[i])
    if chance.often(0.7):
        choices = [MONTHS[i] for i in months]
        question = chance.pick(_EXTREMES)
        terms = ("highest", "lowest") if "average precipitation" in question else ("most", "least")
        if question is _EXTREMES[2]:
            terms = ("highest", "lowest")
        asked = question.format(word=terms[0 if most else 1], place=climate.place)
        solution = f"The bars show: {read}. {MONTHS[right]} has the {'most' if most else 'least'}."
        answer = months.index(right)
    else:
        asked = chance.pick(("Which statement is true?", "Which of these is right, going by the chart?"))
        saying = chance.pick(("{} is the {} of the three months.", "Of the three months, {} is the {}."))
        term = "wettest" if most else "driest"
        choices = [saying.format(MONTHS[i], term) for i in months]
        solution = f"The bars show: {read}. {MONTHS[right]} is the {term}."
        answer = months.index(right)
        asked += f" Compare {MONTHS[months[0]]}, {MONTHS[months[1]]} and {MONTHS[months[2]]}."
    hint = chance.pick(_HINTS).format(place=climate.place)
    return Drawn(
        ask(chance, "bars", asked, choices, answer, solution, hint), canvas.finish(), facts, tuple(canvas.glyphs),
        tuple(canvas.items),
    )  # fmt: skip


def _climate(look: Look) -> _Climate:
    """Draw a year: wet and dry seasons, or no order at all."""
    chance = look.chance
    unit, step, steps = chance.pick(_SCALES)
    top = 4 * steps - 1
    centre, width = chance.between(0, 12), chance.between(1.5, 4)
    low, high = chance.between(0.03, 0.45), chance.between(0.7, 1)
    seasons = chance.often(0.75)
    quarters: list[int] = []
    while len(quarters) < 12:
        away = min(abs(len(quarters) - centre), 12 - abs(len(quarters) - centre))
        level = high - (high - low) * min(1.0, away / (2 * width)) if seasons else chance.between(0.05, 1)
        quarters.append(max(1, min(top, round(level * top + chance.between(-1.5, 1.5)))))
        if len(quarters) == 12 and not _tells(quarters):
            quarters.clear()
    place = word(chance).capitalize() + chance.pick(("", "", " City", " Bay", "ville", "port", " Falls"))
    return _Climate(place, tuple(quarters), unit, step, steps)


def _tells(quarters: Sequence[int]) -> bool:
    """Whether there are three months that can be told apart."""
    low, high = min(quarters), max(quarters)
    return any(low + _CLEAR <= quarter <= high - _CLEAR for quarter in quarters)


def _asked(look: Look, climate: _Climate) -> list[int]:
    """Return three months, in the order of the year, the wettest and the driest of which are clearly so."""
    chance = look.chance
    while True:
        months = sorted(chance.some(range(12), 3))
        low, middle, high = sorted(climate.quarters[i] for i in months)
        if min(middle - low, high - middle) >= _CLEAR:
            return months


def _chart(look: Look, climate: _Climate) -> tuple[Canvas, list[Box]]:
    """Draw the chart; return the box of each month's bar."""
    chance = look.chance
    lying = look.held_out  # bars from left to right are held out
    size = chance.between(10, 13.5)
    marks = [f"{i * climate.step:g}" for i in range(climate.steps + 1)]
    titled = chance.often(0.75)
    title = chance.pick(("Average precipitation in {}", "Precipitation in {}", "{}", "Climate of {}")).format(
        climate.place
    )
    margin, long, short = chance.between(4, 14), chance.between(330, 480), chance.between(210, 340)
    names = 3 if lying or chance.often(0.75) else 1
    turned = not lying and names == 3 and long / 12 < width_of("May", look.face, size) * 1.35
    axis = max(width_of(mark, look.face, size) for mark in marks) + 8
    label = size * 1.7 if chance.often(0.8) else 0.0
    left = margin + label + (width_of("May", look.face, size) + 8 if lying else axis)
    top = margin + (size * 2.1 if titled else size * 0.5)
    below = size * (3.0 if turned else 1.7) + (size * 1.7 if lying and label else 0)
    if lying:
        long, short = short * 1.3, long * 0.85
    canvas = Canvas(left + long + margin + size, top + short + below + margin, look.paper)
    area = (left, top, left + long, top + short)
    if titled:
        canvas.text(left + long / 2, margin + size * 0.7, title, look.title, size * 1.15, look.ink)
    _axes(canvas, look, climate, area, marks, size, lying=lying)
    if label:
        text = chance.pick(("Average precipitation ({})", "Precipitation ({})", "Rain and snow ({})")).format(
            climate.unit
        )
        if lying:
            canvas.text(left + long / 2, canvas.height - margin - size * 0.4, text, look.face, size, look.ink)
        else:
            canvas.text(margin + size * 0.55, top + short / 2, text, look.face, size, look.ink, turn=90)
    boxes = _bars(canvas, look, climate, area, lying=lying)
    _months(canvas, look, area, size, names, lying=lying, turned=turned)
    return canvas, boxes


def _axes(
    canvas: Canvas, look: Look, climate: _Climate, area: Box, marks: Sequence[str], size: float, *, lying: bool
) -> None:
    chance = look.chance
    x0, y0, x1, y1 = area
    fill = look.pale() if chance.often(0.15) else None
    if fill:
        canvas.rectangle(area, fill)
    grid = hsv(0, 0, chance.between(0.78, 0.9)) if chance.often(0.7) else None
    for i, mark in enumerate(marks):
        share = i / (len(marks) - 1)
        x, y = x0 + (x1 - x0) * share, y1 - (y1 - y0) * share
        if grid and i:
            canvas.line([(x, y0), (x, y1)] if lying else [(x0, y), (x1, y)], grid, 0.8)
        if lying:
            canvas.text(x, y1 + size * 0.9, mark, look.face, size, look.ink)
        else:
            canvas.text(x0 - 6, y, mark, look.face, size, look.ink, align="right")
            canvas.line([(x0 - 3, y), (x0, y)], look.ink, 0.8)
    canvas.line([(x0, y0), (x0, y1), (x1, y1)], look.ink, min(look.line, 1.6))
    if chance.often(0.2):
        canvas.rectangle(area, None, look.ink, 0.8)


def _bars(canvas: Canvas, look: Look, climate: _Climate, area: Box, *, lying: bool) -> list[Box]:
    chance = look.chance
    x0, y0, x1, y1 = area
    colour = look.strong()
    while apart(colour, look.paper) < 90:
        colour = look.strong()
    edge = mix(colour, BLACK, 0.4) if chance.often(0.35) else None
    share = chance.between(0.5, 0.92)
    step = ((y1 - y0) if lying else (x1 - x0)) / 12
    boxes = []
    for month, quarters in enumerate(climate.quarters):
        extent = quarters / (4 * climate.steps)
        start = (y0 if lying else x0) + step * (month + (1 - share) / 2)
        if lying:
            box = (x0, start, x0 + (x1 - x0) * extent, start + step * share)
        else:
            box = (start, y1 - (y1 - y0) * extent, start + step * share, y1)
        canvas.rectangle(box, colour, edge, 0.8)
        boxes.append(canvas.item("bar", box))
    return boxes


def _months(canvas: Canvas, look: Look, area: Box, size: float, letters: int, *, lying: bool, turned: bool) -> None:
    x0, y0, x1, y1 = area
    ink = legible(look.paper, look.ink)
    for i, month in enumerate(MONTHS):
        name, share = month[:letters], (i + 0.5) / 12
        if lying:
            canvas.text(x0 - 6, y0 + (y1 - y0) * share, name, look.face, min(size, (y1 - y0) / 13), ink, align="right")
        else:
            y = y1 + size * (1.6 if turned else 0.95)
            canvas.text(x0 + (x1 - x0) * share, y, name, look.face, size, ink, turn=90 if turned else 0)
