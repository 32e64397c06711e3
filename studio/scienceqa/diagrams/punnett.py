"""Punnett squares of two alleles: ratios of offspring, and probabilities of phenotypes and genotypes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.scienceqa.diagrams.canvas import Canvas
from studio.scienceqa.diagrams.record import Box, Drawn, Fact
from studio.scienceqa.diagrams.style import WHITE, Look, hsv, legible, mix
from studio.scienceqa.diagrams.traits import Trait, trait
from studio.scienceqa.diagrams.wording import ask

_LETTERS = "ABDEFGHJLMNPQRTY"  # those whose two cases differ in more than size
_LETTERS_HARD = "CIKOSU"


def draw(look: Look) -> Drawn:
    """Draw a square and ask for a ratio or a probability."""
    chance = look.chance
    letter = chance.pick(_LETTERS) if chance.often(0.75) else chance.pick(_LETTERS_HARD)
    big, small = letter, letter.lower()
    parents = [chance.pick((big + big, big + small, big + small, big + small, small + small)) for _ in range(2)]
    cells = ["".join(sorted(a + b)) for b in parents[1] for a in parents[0]]
    canvas, boxes = _square(look, parents[0], parents[1], cells)
    facts = tuple(
        Fact(f"genotype {i}", cell, (box,)) for i, (cell, box) in enumerate(zip(cells, boxes, strict=True), 1)
    )
    about = trait(chance)
    counted = _asked(look, about, big, small, cells)
    solution = f"The square shows {', '.join(cells[:3])} and {cells[3]}. {counted.reasoning}"
    hint = _hint(look, about, big, small)
    question = ask(chance, "punnett", counted.question, counted.choices, counted.right, solution, hint)
    return Drawn(question, canvas.finish(), facts, tuple(canvas.glyphs), tuple(canvas.items))


@dataclass(frozen=True)
class _Asked:
    question: str
    choices: tuple[str, ...]
    right: int
    reasoning: str


def _asked(look: Look, about: Trait, big: str, small: str, cells: Sequence[str]) -> _Asked:
    """Ask for one of: a ratio of phenotypes, the probability of a phenotype, or that of a genotype."""
    chance = look.chance
    kind = chance.pick(("ratio", "ratio", "ratio", "phenotype", "phenotype", "genotype"))
    dominant = chance.often(0.5)
    shown, hidden = (about.dominant, about.recessive) if dominant else (about.recessive, about.dominant)
    strong = sum(big in cell for cell in cells)
    count = strong if dominant else 4 - strong
    has = f"{big}{big} or {big}{small}" if dominant else f"{small}{small}"
    if kind == "ratio":
        question = chance.pick(_RATIO).format(one=shown, other=hidden)
        reasoning = f"{count} of 4 have {has} and show {shown}; {4 - count} do not. The ratio is {count}:{4 - count}."
        return _Asked(question, tuple(f"{i}:{4 - i}" for i in range(5)), count, reasoning)
    choices = tuple(f"{i}/4" for i in range(5))
    if kind == "phenotype":
        question = chance.pick(_PHENOTYPE).format(one=shown)
        reasoning = f"{count} of 4 have {has} and show {shown}. The probability is {count}/4."
        return _Asked(question, choices, count, reasoning)
    name, genotype = chance.pick((
        ("homozygous dominant", big + big), ("homozygous recessive", small + small), ("heterozygous", big + small),
    ))  # fmt: skip
    count = sum(cell == genotype for cell in cells)
    question = chance.pick(_GENOTYPE).format(name=name, gene=about.name)
    reasoning = f"{name.capitalize()} is {genotype}: {count} of 4. The probability is {count}/4."
    return _Asked(question, choices, count, reasoning)


_RATIO = (
    "What ratio of offspring with {one} to offspring with {other} is to be expected?",
    "Which ratio of offspring with {one} to offspring with {other} is the most likely one?",
    "What is the expected ratio of young with {one} to young with {other}? Choose the likeliest.",
    "In this cross, how do offspring with {one} compare in number to those with {other}?",
)  # fmt: skip
_PHENOTYPE = (
    "How likely is it that an offspring of this cross has {one}?",
    "What is the probability that an offspring of this cross will have {one}?",
    "What is the chance of an offspring with {one} from this cross?",
)  # fmt: skip
_GENOTYPE = (
    "What is the probability that an offspring of this cross is {name} for the {gene} gene?",
    "How likely is this cross to give an offspring that is {name} for the gene of {gene}?",
    "What is the chance that an offspring will be {name} for the {gene} gene?",
)  # fmt: skip
_HINTS = (
    "Among {group}, some have {dominant} and others have {recessive}. The gene for {name} has two alleles: {big} for "
    "{dominant} is dominant over {small} for {recessive}. The Punnett square shows a cross of two {group}.",
    "In {group} one gene decides the {name}. Its allele for {dominant}, {big}, is dominant; the one for {recessive}, "
    "{small}, is recessive. Two {group} are crossed as the square shows.",
    "This Punnett square is of a cross between two {group}. Allele {big} stands for {dominant} and is dominant over "
    "allele {small}, which stands for {recessive}. The trait is {name}.",
)  # fmt: skip


def _hint(look: Look, about: Trait, big: str, small: str) -> str:
    return look.chance.pick(_HINTS).format(
        group=about.group, name=about.name, dominant=about.dominant, recessive=about.recessive, big=big, small=small
    )


def _square(look: Look, top: str, left: str, cells: Sequence[str]) -> tuple[Canvas, list[Box]]:
    """Draw the square; return the canvas and the boxes of the four genotypes, row by row."""
    chance = look.chance
    side = chance.between(150, 330)
    cell = (side * chance.between(0.36, 0.44), side * chance.between(0.34, 0.42))
    if chance.often(0.4):
        cell = (cell[0], cell[0])
    size = min(cell) * chance.between(0.24, 0.52)
    head_size = size * chance.between(0.8, 1.15)
    head = head_size * chance.between(1.15, 2.2)
    margin = chance.pick((0.0, 1.0, chance.between(1, 10)))
    last = look.held_out  # alleles below and at the right are held out
    cropped = 0.0 if last or chance.often(0.8) else head_size * 0.12  # a header that the edge cuts a little
    x0, y0 = (margin, margin) if last else (head + margin - cropped, head + margin - cropped)
    canvas = Canvas(2 * cell[0] + head + 2 * margin - cropped, 2 * cell[1] + head + 2 * margin - cropped, look.paper)
    line = hsv(0, 0, chance.between(0.6, 0.85)) if chance.often(0.4) else look.ink
    width = chance.between(0.7, 2.4)
    boxes = _cells(canvas, look, (x0, y0), cell, cells, size, line, width)
    grey = hsv(0, 0, chance.between(0.25, 0.6))
    ink = grey if chance.often(0.35) else look.ink
    for i, allele in enumerate(top):
        y = y0 + 2 * cell[1] + head / 2 if last else y0 - head / 2
        canvas.text(x0 + cell[0] * (i + 0.5), y, allele, look.title, head_size, ink, kind="allele")
    for i, allele in enumerate(left):
        x = x0 + 2 * cell[0] + head / 2 if last else x0 - head / 2
        canvas.text(x, y0 + cell[1] * (i + 0.5), allele, look.title, head_size, ink, kind="allele")
    if chance.often(0.15):
        canvas.rectangle((0, 0, canvas.width, canvas.height), None, line, width)
    return canvas, boxes


def _cells(
    canvas: Canvas, look: Look, corner: tuple[float, float], cell: tuple[float, float], genotypes: Sequence[str],
    size: float, line: tuple[int, int, int], width: float,
) -> list[Box]:  # fmt: skip
    chance = look.chance
    fill = None if chance.often(0.45) else look.pale()
    other = mix(fill, WHITE, 0.6) if fill and chance.often(0.25) else fill
    ground = fill or look.paper
    wish = look.strong() if chance.often(0.4) else look.ink
    ink = legible(ground, wish, look.ink)
    boxes = []
    (x0, y0), (wide, high) = corner, cell
    for place, genotype in enumerate(genotypes):
        x, y = x0 + place % 2 * wide, y0 + place // 2 * high
        shade = fill if place in (0, 3) else other
        canvas.rectangle((x, y, x + wide + width / 2, y + high + width / 2), shade, line, width)
        canvas.item("cell", (x, y, x + wide, y + high))
        written = canvas.text(x + wide / 2, y + high / 2, genotype, look.face, size, ink, kind="allele")
        boxes.append(written.box)
    return boxes
