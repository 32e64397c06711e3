"""Layers of rock with fossils: the deeper one is the older one."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sin

from studio.scienceqa.diagrams.canvas import Canvas, around
from studio.scienceqa.diagrams.fossils import FOSSILS, fossil
from studio.scienceqa.diagrams.lettering import fitting, width_of
from studio.scienceqa.diagrams.record import Box, Drawn, Fact
from studio.scienceqa.diagrams.style import BLACK, WHITE, Colour, Look, hsv, legible, light, mix
from studio.scienceqa.diagrams.wording import ask

_HINTS = (
    "The picture is of a sequence of sedimentary rock that nothing has disturbed, and of the fossils in it.",
    "These layers of rock lie as they were laid down. Fossils were found in some of them.",
    "A cliff shows layers of sedimentary rock which have never been turned over. The labels name the fossils.",
    "The drawing shows undisturbed layers of rock and where fossils lie in them.",
)  # fmt: skip
_QUESTIONS = (
    "Which of these two fossils is {age}? Choose the more likely answer.",
    "Which fossil is more likely to be the {age} one?",
    "Going by the layers, which of the two fossils is {age}?",
    "Which fossil is likely to be {age}?",
)  # fmt: skip


@dataclass(frozen=True)
class _Plan:
    """Where things go: the column of rock, the edges of its layers (from the top), and how labels stand.

    ``labels`` is ``inside`` (beside the picture of the fossil), ``below`` (under it), ``alone`` (no picture), ``right``
    or ``left`` (outside, at the end of a line).
    """

    column: Box
    edges: tuple[float, ...]
    labels: str
    size: float


def draw(look: Look) -> Drawn:
    """Draw three to six layers with two to four fossils, and ask about two of these."""
    chance = look.chance
    count = chance.whole(3, 6)
    found = chance.whole(2, min(count, 4))
    names = chance.some(tuple(FOSSILS), found)
    where = sorted(chance.some(range(count), found))
    canvas, boxes = _picture(look, count, dict(zip(where, names, strict=True)))
    upper, lower = sorted(chance.some(range(found), 2))
    facts = tuple(Fact(name, names[i], (boxes[i],)) for name, i in (("upper fossil", upper), ("lower fossil", lower)))
    older = chance.often(0.5)
    rule = "Lower layers formed first" if older else "Upper layers formed last"
    age = "older" if older else "younger"
    right = lower if older else upper
    solution = (
        f"From top to bottom the layers hold: {names[upper]}, {names[lower]}. {rule}, so the {names[right]} is {age}."
    )
    words = "the {}" if chance.often(0.25) else "{}"
    question = ask(
        chance, "layers", chance.pick(_QUESTIONS).format(age=age), [words.format(names[i]) for i in (upper, lower)],
        0 if right == upper else 1, solution, chance.pick(_HINTS),
    )  # fmt: skip
    return Drawn(question, canvas.finish(), facts, tuple(canvas.glyphs), tuple(canvas.items))


def _picture(look: Look, count: int, fossils: dict[int, str]) -> tuple[Canvas, list[Box]]:
    """Draw the rock and its fossils; return the canvas and, from the top, the boxes of fossils with their labels."""
    chance = look.chance
    labels = chance.pick(("left", "tags") if look.held_out else ("inside", "inside", "below", "alone", "right"))
    size = look.size(11, 17)
    widest = max(width_of(name, look.face, size) for name in fossils.values())
    high = chance.between(44, 62) if labels == "below" else chance.between(30, 62)
    outside = widest + 34 if labels in ("left", "right") else 0
    wide = chance.between(150, 330) if outside else max(chance.between(200, 380), widest + 80)
    margin = chance.pick((0.0, 1.0, chance.between(2, 16)))
    sky = high * chance.between(0.3, 0.8) if chance.often(0.25) else 0.0
    heights = [high * chance.between(0.85, 1.35) for _ in range(count)]
    canvas = Canvas(wide + outside + 2 * margin, sky + sum(heights) + 2 * margin, look.paper)
    x0 = margin + (outside if labels == "left" else 0)
    edges = [margin + sky]
    for height in heights:
        edges.append(edges[-1] + height)
    plan = _Plan((x0, margin, x0 + wide, edges[-1]), tuple(edges), labels, size)
    rocks = _rock(canvas, look, plan, sky=sky > 0)
    return canvas, [_label(canvas, look, plan, layer, name, rocks[layer]) for layer, name in fossils.items()]


def _rock(canvas: Canvas, look: Look, plan: _Plan, *, sky: bool) -> list[Colour]:
    """Draw the layers; return their colours."""
    chance = look.chance
    x0, top, x1, bottom = plan.column
    if sky:
        canvas.rectangle((x0, top, x1, plan.edges[0] + 4), hsv(chance.between(0.5, 0.6), 0.2, 1))
    wave = chance.between(1.5, 5) if chance.often(0.6) else 0.0
    turns = chance.between(0.6, 2.4)
    colours: list[Colour] = []
    outline = mix(look.ink, WHITE, 0.2) if chance.often(0.6) else None
    for layer in range(len(plan.edges) - 1):
        colours.append(_earth(look, colours[-1] if colours else None))
        phase = chance.between(0, 6)
        steps = [x0 + (x1 - x0) * i / 24 for i in range(25)]
        swing = wave if layer else wave * 0.5
        line = [(x, plan.edges[layer] + swing * sin(turns * 2 * pi * (x - x0) / (x1 - x0) + phase)) for x in steps]
        canvas.polygon([*line, (x1, bottom), (x0, bottom)], colours[-1])
        if outline:
            canvas.line(line, outline, min(look.line, 1.6))
        _texture(canvas, look, (x0, plan.edges[layer] + wave + 2, x1, plan.edges[layer + 1] - wave - 2), colours[-1])
        canvas.item("layer", (x0, plan.edges[layer], x1, plan.edges[layer + 1]))
    if chance.often(0.6):
        canvas.rectangle((x0, plan.edges[0] if not sky else top, x1, bottom), None, look.ink, look.line)
    return colours


def _earth(look: Look, above: Colour | None) -> Colour:
    """Return a colour of rock: brown, grey, sandy, reddish or (seldom) anything, unlike that of the layer above."""
    chance = look.chance
    while True:
        if look.held_out:
            colour = look.pale() if chance.often(0.6) else mix(look.strong(), WHITE, 0.35)
        elif chance.often(0.15):
            colour = look.pale()
        else:
            hue, grey = chance.between(0.03, 0.14), chance.between(0.03, 0.5)
            colour = hsv(hue, grey, chance.between(0.45, 0.97))
        if above is None or abs(light(colour) - light(above)) > 0.06:
            return colour


def _texture(canvas: Canvas, look: Look, area: Box, colour: Colour) -> None:
    """Draw what the rock is made of, faintly: dots, dashes, bricks, or nothing."""
    chance = look.chance
    kind = chance.pick(("none", "dots", "dashes", "bricks") if not look.held_out else ("none", "hatching"))
    ink = mix(colour, BLACK if light(colour) > 0.5 else WHITE, chance.between(0.1, 0.2))
    x0, y0, x1, y1 = area
    if kind == "dots":
        for _ in range(int((x1 - x0) * (y1 - y0) / 260)):
            x, y, r = chance.between(x0 + 2, x1 - 2), chance.between(y0, y1), chance.between(0.6, 1.5)
            canvas.ellipse((x - r, y - r, x + r, y + r), ink)
    elif kind == "dashes":
        for _ in range(int((x1 - x0) * (y1 - y0) / 420)):
            x, y, length = chance.between(x0, x1 - 12), chance.between(y0, y1), chance.between(4, 11)
            canvas.line([(x, y), (x + length, y)], ink, 0.8)
    elif kind == "bricks":
        rows = max(2, round((y1 - y0) / 13))
        step = (y1 - y0) / rows
        for row in range(rows):
            canvas.line([(x0, y0 + row * step), (x1, y0 + row * step)], ink, 0.7)
            start = x0 + (row % 2) * 14 + 8
            for x in range(int(start), int(x1), 28):
                canvas.line([(x, y0 + row * step), (x, y0 + (row + 1) * step)], ink, 0.7)
    elif kind == "hatching":
        for x in range(int(x0), int(x1 - (y1 - y0)), 13):
            canvas.line([(x, y1), (x + (y1 - y0), y0)], ink, 0.7)


def _label(canvas: Canvas, look: Look, plan: _Plan, layer: int, name: str, rock: Colour) -> Box:
    """Draw a fossil and its label; return the box around the label and the fossil."""
    chance = look.chance
    x0, _, x1, _ = plan.column
    y0, y1 = plan.edges[layer], plan.edges[layer + 1]
    middle, room = (y0 + y1) / 2, y1 - y0
    size = fitting(name, look.face, plan.size, x1 - x0 - 60)
    ink = legible(rock, look.ink)
    width = width_of(name, look.face, size)
    extent = min(room * 0.34, 22.0)
    boxes: list[Box] = []
    if plan.labels in ("left", "right"):
        x = chance.between(x0 + (x1 - x0) * 0.25, x0 + (x1 - x0) * 0.75)
        boxes.append(fossil(canvas, look, name, (x, middle), extent, rock))
        end = x0 - 24 if plan.labels == "left" else x1 + 24
        edge = x + extent * (-1.15 if plan.labels == "left" else 1.15)
        canvas.line([(edge, middle), (end, middle)], look.ink, 1)
        ink = legible(look.paper, look.ink)
        if plan.labels == "left":
            written = canvas.text(end - 5, middle, name, look.face, size, ink, align="right")
        else:
            written = canvas.text(end + 5, middle, name, look.face, size, ink, align="left")
        return around([*boxes, written.box])
    if plan.labels == "below":
        x = chance.between(x0 + width / 2 + 8, x1 - width / 2 - 8)
        boxes.append(fossil(canvas, look, name, (x, y0 + room * 0.36), room * 0.22, rock))
        return around([*boxes, canvas.text(x, y1 - size * 0.75 - room * 0.06, name, look.face, size, ink).box])
    picture = 2 * extent + 8 if plan.labels == "inside" else 0
    x = chance.between(x0 + 8, max(x0 + 9, x1 - 22 - width - picture))
    if plan.labels == "inside":
        boxes.append(fossil(canvas, look, name, (x + extent, middle), extent, rock))
    if plan.labels == "tags":
        tag = (x, middle - size * 0.85, x + width + 12, middle + size * 0.85)
        canvas.rectangle(tag, WHITE, look.ink, 1, size * 0.8)
        return canvas.text(x + 6, middle, name, look.face, size, legible(WHITE, look.ink), align="left").box
    return around([*boxes, canvas.text(x + picture, middle, name, look.face, size, ink, align="left").box])
