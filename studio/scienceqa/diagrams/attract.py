"""Two magnets: whether they attract or repel."""

from __future__ import annotations

from dataclasses import replace

from studio.scienceqa.diagrams.canvas import Canvas, Written
from studio.scienceqa.diagrams.magnets import Paint, Poles, Shape, letter_size, magnet, paint
from studio.scienceqa.diagrams.record import Box, Drawn, Fact
from studio.scienceqa.diagrams.style import Look, legible
from studio.scienceqa.diagrams.wording import ask

_QUESTIONS = (
    "Will these two magnets attract or repel each other?",
    "Do the magnets pull together or push apart: do they attract or repel?",
    "Look at the poles. Do these magnets attract or repel each other?",
    "What will the two magnets do to each other?",
    "Are these magnets going to attract each other or repel each other?",
    "Which word tells what these magnets do?",
)  # fmt: skip
_HINTS = (
    "", "", "Two magnets lie near each other, as the picture shows.", "Here are two magnets and their poles.",
    "A pupil puts two magnets side by side as shown.",
    "Magnets that attract pull each other closer. Magnets that repel push each other away.",
    "The picture shows two magnets. To attract is to pull closer; to repel is to push away.",
)  # fmt: skip
_NAMES = (("A", "B"), ("1", "2"), ("Magnet 1", "Magnet 2"), ("Magnet A", "Magnet B"))
"""What magnets may be called in the picture; it has no bearing on the answer."""


def draw(look: Look) -> Drawn:
    """Draw two magnets in one line; their facing poles are alike or not."""
    chance = look.chance
    first: Poles = chance.pick((("N", "S"), ("S", "N")))
    second: Poles = chance.pick((("N", "S"), ("S", "N")))
    down = chance.often(0.3)
    canvas, letters = _picture(look, first, second, down)
    facing, other = first[1], second[0]
    alike = facing == other
    rule = "Like poles repel" if alike else "Different poles attract"
    verb = "repel" if alike else "attract"
    solution = (
        f"The poles that face each other are {facing} and {other}. They are {'alike' if alike else 'different'}. "
        f"{rule}, so the magnets {verb} each other."
    )
    where = ("upper", "lower") if down else ("left", "right")
    facts = (
        Fact(f"facing pole of the {where[0]} magnet", facing, (letters[0].box,)),
        Fact(f"facing pole of the {where[1]} magnet", other, (letters[1].box,)),
    )
    choices = _choices(look)
    question = ask(
        chance, "attract", chance.pick(_QUESTIONS), choices, 1 if alike else 0, solution, chance.pick(_HINTS)
    )
    return Drawn(question, canvas.finish(), facts, tuple(canvas.glyphs), tuple(canvas.items))


def _choices(look: Look) -> tuple[str, str]:
    return look.chance.pick((("attract", "repel"),) * 4 + (("They attract.", "They repel."), ("Attract", "Repel")))


def _picture(look: Look, first: Poles, second: Poles, down: bool) -> tuple[Canvas, tuple[Written, Written]]:
    """Draw both magnets; return the canvas and the two letters that face each other."""
    chance = look.chance
    shape: Shape = chance.pick(
        ("oval", "rounded", "bar") if look.held_out else ("bar",) * 6 + ("disc", "ring", "rounded")
    )
    style = paint(look)
    if shape in ("disc", "ring") and chance.often(0.5):
        style = style.plain()
    length, thick = chance.between(300, 560), chance.between(38, 84)
    if shape in ("disc", "ring"):
        thick = chance.between(64, 130)
        length = thick * chance.between(2.1, 3.2)
    elif chance.often(0.3):
        length *= chance.between(0.5, 0.8)
    margin = 0.0 if chance.often(0.25) else chance.between(1, 14)
    aside = margin + (look.chance.between(10, 40) if look.held_out else 0)  # a wide border is held out
    names = chance.pick(_NAMES) if not down and chance.often(0.1) else None
    strip = 18.0 if names else 0.0
    canvas = Canvas(*((thick + 2 * aside, length) if down else (length, thick + 2 * aside + strip)), look.paper)
    boxes = _boxes(look, length, thick, margin, aside + strip, round_=shape in ("disc", "ring"))
    style = _turned(style, look, down)
    size = min(letter_size(look, b - a, d - c, down=False, shape=shape) for a, c, b, d in boxes)
    if style.relief:
        boxes = [(a, c + (d - c) * 0.12, b - (d - c) * 0.25, d) for a, c, b, d in boxes]
    written = []
    styles = style, style.recoloured(look) if chance.often(0.2) else style
    for box, poles, own in zip(boxes, (first, second), styles, strict=True):
        a, c, b, d = box
        place = (c, a, d, b) if down else box
        written.append(magnet(canvas, place, poles, own, look, size, shape=shape, down=down))
    for box, name in zip(boxes, names or (), strict=False):
        ink = legible(look.paper, look.ink)
        canvas.text((box[0] + box[2]) / 2, strip * 0.5 + margin * 0.3, name, look.face, 13, ink)
    return canvas, (written[0][1], written[1][0])


def _boxes(look: Look, length: float, thick: float, margin: float, aside: float, *, round_: bool) -> list[Box]:
    """Return the two bodies as if they lay side by side."""
    chance = look.chance
    room = length - 2 * margin
    gap = room * chance.between(0.06, 0.38)
    share = 0.5 if chance.often(0.7) else chance.between(0.36, 0.64)
    lengths = (room - gap) * share, (room - gap) * (1 - share)
    heights = [thick, thick] if chance.often(0.75) else chance.shuffled([thick, thick * chance.between(0.6, 0.95)])
    if round_:
        heights = [min(height, extent) for height, extent in zip(heights, lengths, strict=True)]
        lengths = heights[0], heights[1]
        gap = room - sum(lengths)
    middle = aside + thick / 2
    starts = margin, margin + lengths[0] + gap
    return [
        (start, middle - height / 2, start + extent, middle + height / 2)
        for start, extent, height in zip(starts, lengths, heights, strict=True)
    ]


def _turned(style: Paint, look: Look, down: bool) -> Paint:
    turn = look.chance.pick((0, 0, 0, 90, 270) if down else (0,) * 9 + (90,))
    return replace(style, turn=turn)
