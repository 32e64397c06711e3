"""Two samples of gas: which is hotter, from the mass and the speed of their particles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import cos, radians, sin

from studio.scienceqa.diagrams.balls import Ball, Point, ball, put, roomy, scatter, sprite
from studio.scienceqa.diagrams.canvas import Canvas, Written
from studio.scienceqa.diagrams.captions import captions, write
from studio.scienceqa.diagrams.chance import Chance
from studio.scienceqa.diagrams.jars import draw_jar, jar
from studio.scienceqa.diagrams.record import Drawn, Fact
from studio.scienceqa.diagrams.style import Colour, Look, mix
from studio.scienceqa.diagrams.wording import ask

_HINTS = (
    "Two closed, rigid containers of the same size hold two pure gases. Every ball is one particle, and there are as "
    "many particles in one as in the other.",
    "The picture shows two samples of gas in closed containers that are alike. Each colored ball is a particle of "
    "gas. The samples have the same number of particles.",
    "Samples A and B are pure gases in identical rigid containers, with equally many particles. A ball stands for one "
    "particle.",
)  # fmt: skip
_QUESTIONS = (
    "Compare the average kinetic energies of the particles. Which sample has the {word} temperature?",
    "Which sample has the {word} temperature?",
    "Think of the kinetic energy of the particles. Which of the samples has a {word} temperature?",
    "The temperature depends on the average kinetic energy of the particles. Which sample has the {word} one?",
)  # fmt: skip
_NEITHER = (
    "neither; the samples have the same temperature",
    "neither; their temperatures are equal",
    "neither; they are the same",
)
_MASSES = (
    "Mass of each particle: {}",
    "Mass of each particle: {}",
    "Mass of a particle: {}",
    "Particle mass: {}",
    "Mass: {}",
)
_SPEEDS = (
    "Average particle speed: {}", "Average particle speed: {}", "Average speed: {}", "Average speed of particles: {}",
    "Speed: {}",
)  # fmt: skip


@dataclass(frozen=True)
class _Gases:
    """Masses and speeds of both samples, as numbers and as they are written."""

    masses: tuple[int, int]
    speeds: tuple[int, int]
    unit: str
    comma: bool

    def texts(self, which: int) -> tuple[str, str]:
        """Mass and speed of a sample with their units."""
        speed = f"{self.speeds[which]:,}" if self.comma else str(self.speeds[which])
        return f"{self.masses[which]} {self.unit}", f"{speed} m/s"

    @property
    def hotter(self) -> int | None:
        """Which sample is hotter; None for neither."""
        first, second = (mass * speed**2 for mass, speed in zip(self.masses, self.speeds, strict=True))
        return None if first == second else int(second > first)

    @property
    def rule(self) -> str:
        """Why that is so."""
        if self.hotter is None:
            return "Masses and speeds are the same, so the temperatures are the same."
        name, other = "AB"[self.hotter], "BA"[self.hotter]
        heavier, faster = self.masses[0] != self.masses[1], self.speeds[0] != self.speeds[1]
        what = "heavier and faster" if heavier and faster else "heavier" if heavier else "faster"
        same = "" if heavier and faster else f"The {'speeds' if heavier else 'masses'} are the same. "
        return f"{same}The particles of {name} are {what}, so {name} has the higher temperature and {other} the lower."


def draw(look: Look) -> Drawn:
    """Draw two samples that differ in mass, in speed, in both (to the same effect) or in nothing."""
    chance = look.chance
    gases = _gases(look)
    canvas, written = _picture(look, gases)
    texts = (gases.texts(0), gases.texts(1))
    facts = tuple(
        Fact(f"{what} in sample {name}", text, (line.quantity,))
        for name, pair, lines in zip("AB", texts, written, strict=True)
        for what, text, line in zip(("mass", "speed"), pair, lines, strict=True)
    )
    (m, v), (n, w) = texts
    solution = f"Sample A: {m}, {v}. Sample B: {n}, {w}. {gases.rule}"
    word = chance.pick(("higher", "higher", "higher", "lower"))
    hotter = gases.hotter
    right = 2 if hotter is None else hotter if word == "higher" else 1 - hotter
    names = chance.pick((("sample A", "sample B"), ("sample A", "sample B"), ("Sample A", "Sample B")))
    question = ask(
        chance, "temperature", chance.pick(_QUESTIONS).format(word=word), (*names, chance.pick(_NEITHER)), right,
        solution, chance.pick(_HINTS),
    )  # fmt: skip
    return Drawn(question, canvas.finish(), facts, tuple(canvas.glyphs), tuple(canvas.items))


def _gases(look: Look) -> _Gases:
    chance = look.chance
    step = chance.pick((10, 50, 50, 100))
    speeds = range(step * (200 // step), 2201, step)
    masses = chance.some(range(2, 90, chance.pick((1, 2))), 2)
    pace = chance.some(speeds, 2)
    kind = chance.between(0, 1)
    if kind < 0.33:
        masses[1] = masses[0]
    elif kind < 0.63:
        pace[1] = pace[0]
    elif kind < 0.8:
        upwards = chance.often(0.5)
        masses.sort(reverse=upwards)
        pace.sort(reverse=upwards)
    else:
        masses[1], pace[1] = masses[0], pace[0]
    unit = chance.pick(("u", "u", "u", "amu"))
    return _Gases((masses[0], masses[1]), (pace[0], pace[1]), unit, chance.often(0.75))


def _picture(look: Look, gases: _Gases) -> tuple[Canvas, list[tuple[Written, Written]]]:
    """Draw both samples; return the lines with mass and speed of each."""
    chance = look.chance
    how, container = captions(look, 11, 14.5), jar(look)
    room, tall = chance.between(190, 265), chance.between(140, 240)
    above, below = how.heights(2)
    margin, gap = chance.pick((0.0, 2.0, chance.between(2, 14))), chance.between(4, 26)
    canvas = Canvas(2 * room + gap + 2 * margin, above + tall + below + 2 * margin - how.cut, look.paper)
    kinds = chance.pick(list(zip(_MASSES, _SPEEDS, strict=True)))
    swapped = chance.often(0.3)  # speed above mass
    wide = min(room * chance.between(0.5, 0.85), tall * 1.1)
    count, wished = chance.whole(4, 9), chance.between(6, 13)
    balls = _balls(look, gases)
    marks = chance.pick(("none", "none", "arcs", "arcs", "strokes"))
    shade = mix(look.ink, look.paper, chance.between(0, 0.5))
    written: list[tuple[Written, Written]] = []
    for i in range(2):
        middle = margin + room / 2 + i * (room + gap)
        box = (middle - wide / 2, margin + above, middle + wide / 2, margin + above + tall)
        area = draw_jar(canvas, container, box)
        heavy = (gases.masses[i] / max(gases.masses)) ** 0.33
        radius = roomy(area, count * (1 if marks == "none" else 3), max(4.0, wished * heavy))
        places = scatter(chance, area, count, radius)
        if marks != "none":
            _motion(canvas, chance, places, radius, gases.speeds[i] / 2200, shade, arcs=marks == "arcs")
        put(canvas, places, radius, sprite(balls[i], radius))
        mass, speed = gases.texts(i)
        lines = (kinds[0].format(mass), kinds[1].format(speed))
        done = write(canvas, look, how, middle, margin + above, margin + above + tall, f"Sample {'AB'[i]}",
                     lines[::-1] if swapped else lines, room, overflow=min(gap, 2 * margin + 4))  # fmt: skip
        written.append((done[1], done[0]) if swapped else (done[0], done[1]))
    return canvas, written


def _balls(look: Look, gases: _Gases) -> tuple[Ball, Ball]:
    """Return how the particles look; those of the same mass are mostly of the same gas."""
    first = ball(look, look.strong())
    alike = look.chance.often(0.8 if gases.masses[0] == gases.masses[1] else 0.2)
    return first, first if alike else replace(first, colour=look.strong())


def _motion(
    canvas: Canvas, chance: Chance, places: list[Point], radius: float, speed: float, colour: Colour, *, arcs: bool
) -> None:
    """Draw arcs or strokes behind particles: the more and the longer the faster they are (``speed`` from 0 to 1)."""
    count = 1 + round(2 * speed)
    for x, y in places:
        turn = chance.between(0, 360)
        for i in range(1, count + 1):
            reach = radius * (1.1 + 0.32 * i)
            if arcs:
                half = 18 + 22 * speed
                canvas.arc((x - reach, y - reach, x + reach, y + reach), turn - half, turn + half, colour, 0.9)
            else:
                side = radians(turn + (i - (count + 1) / 2) * 34)
                start, end = radius * 1.15, radius * (1.45 + 0.6 * speed)
                points = [(x + r * cos(side), y + r * sin(side)) for r in (start, end)]
                canvas.line(points, colour, 0.9)
