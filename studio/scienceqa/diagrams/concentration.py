"""Two solutions: which of them has more particles for its volume."""

from __future__ import annotations

from dataclasses import dataclass

from studio.scienceqa.diagrams.balls import ball, put, roomy, scatter, sprite
from studio.scienceqa.diagrams.canvas import Canvas, Written
from studio.scienceqa.diagrams.captions import captions, write
from studio.scienceqa.diagrams.record import Box, Drawn, Fact
from studio.scienceqa.diagrams.style import BLACK, NAMED, Colour, Look, apart, mix
from studio.scienceqa.diagrams.vessels import draw_vessel, vessel
from studio.scienceqa.diagrams.wording import ask

_HINTS = (
    "The picture is a model of two solutions. One {colour} ball stands for one particle of the solute.",
    "Two solutions are shown. Every {colour} ball is a particle of what is dissolved, and the amount of solvent is "
    "given.",
    "In this model of two solutions each {colour} ball is one particle of the solute.",
    "A and B are solutions of the same substance. The {colour} balls are its particles.",
)  # fmt: skip
_QUESTIONS = (
    "In which solution is the concentration of {colour} particles {word}?",
    "Which of the solutions has the {word} concentration of {colour} particles?",
    "Compare the two solutions. Which has a {word} concentration of {colour} particles?",
)  # fmt: skip
_NEITHER = (
    "neither; the concentrations are equal",
    "neither; both have the same concentration",
    "neither; they are the same",
)
_LABELS = (
    "Solvent volume: {}", "Solvent volume: {}", "Volume of solvent: {}", "Volume: {}", "Solvent: {}",
    "Solvent volume = {}",
)  # fmt: skip


@dataclass(frozen=True)
class _Amounts:
    """Particles and volumes (in the picture's unit) of both solutions."""

    counts: tuple[int, int]
    volumes: tuple[int, int]
    unit: str

    @property
    def higher(self) -> int | None:
        """Which solution is more concentrated; None for neither."""
        first, second = self.counts[0] * self.volumes[1], self.counts[1] * self.volumes[0]
        return None if first == second else int(second > first)

    @property
    def rule(self) -> str:
        """Why that is so."""
        (n, m), (v, w) = self.counts, self.volumes
        if self.higher is None:
            return "Both have as many particles for their volume, so the concentrations are the same."
        more = f"{'AB'[self.higher]} has the higher concentration and {'BA'[self.higher]} the lower"
        if v == w:
            return f"The volumes are the same and {'BA'[n > m]} has more particles, so {more}."
        if n == m:
            return f"The numbers are the same and {'BA'[v < w]} has less solvent, so {more}."
        return f"{'AB'[self.higher]} has more particles for its volume, so {more}."


def draw(look: Look) -> Drawn:
    """Draw two vessels that differ in particles, in volume, in both or in nothing."""
    chance = look.chance
    amounts = _amounts(look)
    colour = chance.pick(tuple(NAMED))
    texts = tuple(f"{volume} {amounts.unit}" for volume in amounts.volumes)
    canvas, balls, written = _picture(look, amounts, colour, texts)
    facts = tuple(
        fact
        for name, count, boxes, text, line in zip("AB", amounts.counts, balls, texts, written, strict=True)
        for fact in (Fact(f"particles in {name}", str(count), boxes), Fact(f"volume of {name}", text, (line.quantity,)))
    )
    (n, m), (v, w) = amounts.counts, texts
    solution = f"Solution A: {n} particles in {v}. Solution B: {m} particles in {w}. {amounts.rule}"
    word = chance.pick(("higher", "higher", "higher", "lower", "greater", "smaller"))
    higher = amounts.higher
    right = 2 if higher is None else higher if word in ("higher", "greater") else 1 - higher
    choices = ("Solution A", "Solution B", chance.pick(_NEITHER))
    question = ask(
        chance, "concentration", chance.pick(_QUESTIONS).format(colour=colour, word=word), choices, right, solution,
        chance.pick(_HINTS).format(colour=colour),
    )  # fmt: skip
    return Drawn(question, canvas.finish(), facts, tuple(canvas.glyphs), tuple(canvas.items))


def _amounts(look: Look) -> _Amounts:
    chance = look.chance
    steps = (5, 60, "mL") if chance.often(0.8) else (10, 25, "mL") if chance.often(0.7) else (1, 9, "L")
    volumes = [step * steps[0] for step in range(2, 13)] if steps[1] == 60 else (
        [step * 10 for step in range(2, 26)] if steps[1] == 25 else list(range(1, 10)))  # fmt: skip
    count, volume = chance.whole(2, 10), chance.pick(volumes)
    kind = chance.between(0, 1)
    if kind < 0.42:
        other = chance.pick([n for n in range(2, 11) if n != count])
        return _Amounts((count, other), (volume, volume), steps[2])
    if kind < 0.7:
        return _Amounts((count, count), (volume, chance.pick([v for v in volumes if v != volume])), steps[2])
    if kind < 0.85:  # both differ, and the concentration not
        factor = chance.pick((2, 2, 3))
        count = chance.whole(2, 10 // factor)
        volume = chance.pick([v for v in volumes if v * factor <= max(volumes)])
        return _Amounts(*_swapped(look, (count, count * factor), (volume, volume * factor)), steps[2])
    if kind < 0.93:  # more particles in less solvent
        few, many = sorted(chance.some(range(2, 11), 2))
        small, large = sorted(chance.some(volumes, 2))
        return _Amounts(*_swapped(look, (many, few), (small, large)), steps[2])
    return _Amounts((count, count), (volume, volume), steps[2])


def _swapped(look: Look, counts: tuple[int, int], volumes: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    return (counts[::-1], volumes[::-1]) if look.chance.often(0.5) else (counts, volumes)


def _picture(
    look: Look, amounts: _Amounts, colour: str, texts: tuple[str, ...]
) -> tuple[Canvas, list[tuple[Box, ...]], list[Written]]:
    chance = look.chance
    how, glass = captions(look), vessel(look)
    room, tall = chance.between(150, 250), chance.between(110, 230)
    above, below = how.heights(1)
    margin = chance.pick((0.0, 2.0, chance.between(2, 16)))
    gap = chance.between(4, 36)
    canvas = Canvas(2 * room + gap + 2 * margin, above + tall + below + 2 * margin - how.cut, look.paper)
    label = chance.pick(_LABELS[:2] if not look.held_out else _LABELS[2:])
    if not look.held_out and chance.often(0.4):
        label = chance.pick(_LABELS[3:])
    wide = min(room * chance.between(0.5, 0.86), tall * 1.25)
    full = chance.between(0.45, 0.85) if chance.often(0.7) else None  # else the level shows the volume
    shade = _ball_colour(look, colour, glass.liquid)
    areas = []
    for i, volume in enumerate(amounts.volumes):
        middle = margin + room / 2 + i * (room + gap)
        box = (middle - wide / 2, margin + above, middle + wide / 2, margin + above + tall)
        level = full or 0.35 + 0.45 * volume / max(amounts.volumes)
        areas.append(draw_vessel(canvas, glass, box, level))
    radius = min(roomy(area, max(amounts.counts), chance.between(5, 15)) for area in areas)
    image = sprite(ball(look, shade), radius)
    balls, written = [], []
    for i, (area, count) in enumerate(zip(areas, amounts.counts, strict=True)):
        balls.append(put(canvas, scatter(chance, area, count, radius), radius, image))
        middle = margin + room / 2 + i * (room + gap)
        written += write(canvas, look, how, middle, margin + above, margin + above + tall, f"Solution {'AB'[i]}",
                         (label.format(texts[i]),), room, overflow=min(gap, 2 * margin + 6))  # fmt: skip
    return canvas, balls, written


def _ball_colour(look: Look, name: str, liquid: Colour) -> Colour:
    """Return a colour of that name which stands out from the liquid."""
    for _ in range(20):
        if apart(colour := look.named(name), liquid) > 90:
            return colour
    return mix(colour, BLACK, 0.25)
