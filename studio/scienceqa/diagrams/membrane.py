"""Diffusion: a solution on both sides of a membrane, before and after; which way more particles went."""

from __future__ import annotations

from dataclasses import dataclass

from studio.scienceqa.diagrams.balls import ball, put, roomy, scatter, sprite
from studio.scienceqa.diagrams.canvas import Canvas
from studio.scienceqa.diagrams.record import Box, Drawn, Fact
from studio.scienceqa.diagrams.style import NAMED, Look
from studio.scienceqa.diagrams.wording import ask

_HINTS = (
    "The pictures show a solution in a closed container. A membrane, drawn as a {line} line, parts it into two halves "
    "and lets the dissolved particles through. Every {colour} ball is one dissolved particle.",
    "A closed tank holds a solution. The {line} line is a membrane that dissolved particles can cross. Each {colour} "
    "ball stands for one of these particles. The tank is shown at first and some time later.",
    "The model shows diffusion. Solute particles, the {colour} balls, can pass through the membrane ({line} line) in "
    "the middle of the container in both directions.",
)  # fmt: skip
_QUESTIONS = (
    "Complete the sentence. Particles crossed the membrane in both directions, but more of them moved (_).",
    "Fill in the gap: on the way to equilibrium more solute particles moved across the membrane (_).",
    "Which words belong in the gap? Until both sides were equally concentrated, more particles went (_).",
    "Particles moved both ways through the membrane. In which direction did more of them move?",
)  # fmt: skip
_CAPTIONS = (
    ("Before", "After"), ("Start", "Later"), ("Initial", "Final"), ("At first", "Some time later"), ("1", "2"),
)  # fmt: skip


@dataclass(frozen=True)
class _Tank:
    """The look of the container: colours of the solution, its rim and the membrane, and how the membrane is drawn."""

    radius: float
    membrane: tuple[int, int, int]
    width: float
    dash: tuple[float, float]
    solution: tuple[int, int, int]
    rim: tuple[int, int, int]
    rim_width: float
    corner: float


def draw(look: Look) -> Drawn:
    """Draw both panels; one side loses particles to the other."""
    chance = look.chance
    counts = _counts(look)
    colour = chance.pick(tuple(NAMED))
    held = look.held_out
    tank = _tank(look)
    canvas, halves = _panels(look, tank)
    radius = roomy(halves[0], max(counts), chance.between(4, 10))
    image = sprite(ball(look, look.named(colour)), radius)
    for half, count in zip(halves, counts, strict=True):
        put(canvas, scatter(chance, half, count, radius), radius, image)
    names = ("left before", "right before", "left after", "right after")
    facts = tuple(
        # How many there are is seen by looking over the whole half, what is empty of it included.
        Fact(f"balls on the {name}", str(count), (half,))
        for name, count, half in zip(names, counts, halves, strict=True)
    )
    loser, gainer = ("left", "right") if counts[0] > counts[2] else ("right", "left")
    solution = (
        f"Before: {counts[0]} on the left, {counts[1]} on the right. After: {counts[2]} on the left, {counts[3]} on "
        f"the right. The {loser} side lost particles, so more of them moved to the {gainer}."
    )
    line = "dotted" if tank.dash[0] < 1.6 * tank.width else "dashed"
    hint = chance.pick(_HINTS).format(line=line, colour=colour)
    choices = ("to the left than to the right", "to the right than to the left")
    if held and chance.often(0.5):
        choices = ("to the left side", "to the right side")
    question = ask(chance, "membrane", chance.pick(_QUESTIONS), choices, 0 if gainer == "left" else 1, solution, hint)
    return Drawn(question, canvas.finish(), facts, tuple(canvas.glyphs), tuple(canvas.items))


def _counts(look: Look) -> tuple[int, int, int, int]:
    """Return balls left and right before, left and right after: equal after mostly, else nearer to equal."""
    chance = look.chance
    total = chance.whole(4, 16)
    left = chance.whole(0, total)
    after = total // 2
    if chance.often(0.15):
        after = round((left + total / 2) / 2)
    return (left, total - left, after, total - after) if abs(left - after) > 0 else _counts(look)


def _tank(look: Look) -> _Tank:
    chance = look.chance
    width = chance.between(1.2, 3.2)
    dotted = chance.often(0.3)
    long = width if dotted else width * chance.between(2.2, 5)
    rim = look.ink if chance.often(0.5) else look.dark() if look.held_out else look.strong()
    membrane = rim if chance.often(0.6) else look.strong()
    corner = chance.between(5, 16) if look.held_out else chance.pick((0.0, 0.0, 0.0, 3.0))
    solution = look.paper if chance.often(0.15) else look.liquid()
    return _Tank(
        chance.between(4, 9), membrane, width, (long, max(2.0, long * chance.between(0.5, 1.1))), solution, rim,
        chance.between(0.8, 3), corner,
    )  # fmt: skip


def _panels(look: Look, tank: _Tank) -> tuple[Canvas, tuple[Box, Box, Box, Box]]:
    """Draw the two containers; return the four halves: left and right before, left and right after."""
    chance = look.chance
    stacked = chance.often(0.5)
    wide, high = chance.between(150, 290), chance.between(90, 190)
    gap = chance.between(16, 60)
    captions = chance.pick(_CAPTIONS) if chance.often(0.9 if look.held_out else 0.5) else ("", "")
    size = look.size(11, 17)
    beside = look.held_out and stacked  # captions at the left of a stack are held out
    strip = size * 1.7 if captions[0] and not beside else 0.0
    margin = chance.pick((0.0, 1.0, chance.between(2, 14)))
    left = margin + (0 if not beside else size * 7.5)
    step = (0.0, high + strip + gap) if stacked else (wide + gap, 0.0)
    below = chance.often(0.5)
    canvas = Canvas(left + margin + wide + step[0], 2 * margin + high + strip + step[1], look.paper)
    halves: list[Box] = []
    for which, caption in enumerate(captions):
        x0, y0 = left + which * step[0], margin + which * step[1] + (0 if below else strip)
        box = (x0, y0, x0 + wide, y0 + high)
        halves += _container(canvas, box, tank)
        if caption and beside:
            canvas.text(x0 - size * 0.6, y0 + high / 2, caption, look.face, size, look.ink, align="right")
        elif caption:
            y = box[3] + strip * 0.55 if below else y0 - strip * 0.5
            canvas.text(x0 + wide / 2, y, caption, look.title, size, look.ink)
    if chance.often(0.7 if stacked else 0.5):
        _arrow(canvas, look, (left, margin, wide, high), gap, strip, stacked=stacked)
    return canvas, (halves[0], halves[1], halves[2], halves[3])


def _arrow(
    canvas: Canvas, look: Look, first: tuple[float, float, float, float], gap: float, strip: float, *, stacked: bool
) -> None:
    x, y, wide, high = first
    width = look.chance.between(1, 3.5)
    colour = look.ink if look.chance.often(0.6) else look.strong()
    if stacked:
        middle, start = x + wide / 2 * look.chance.pick((1, 1, 0.3)), y + high + strip
        canvas.arrow((middle, start + gap * 0.15), (middle, start + gap * 0.85), colour, width, gap * 0.3)
    else:
        height, start = y + strip + high / 2, x + wide
        canvas.arrow((start + gap * 0.12, height), (start + gap * 0.88, height), colour, width, gap * 0.3)


def _container(canvas: Canvas, box: Box, tank: _Tank) -> tuple[Box, Box]:
    x0, y0, x1, y1 = box
    canvas.rectangle(box, tank.solution, tank.rim, tank.rim_width, tank.corner)
    middle = (x0 + x1) / 2
    canvas.line([(middle, y0), (middle, y1)], tank.membrane, tank.width, tank.dash)
    canvas.item("tank", box)
    canvas.item("membrane", (middle - tank.width / 2, y0, middle + tank.width / 2, y1))
    edge = tank.rim_width + 1
    return (
        (x0 + edge, y0 + edge, middle - tank.width, y1 - edge),
        (middle + tank.width, y0 + edge, x1 - edge, y1 - edge),
    )
