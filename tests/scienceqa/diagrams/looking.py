"""Reads a drawn picture by where things stand in it, knowing nothing of how it was drawn."""

from __future__ import annotations

from studio.scienceqa.diagrams.record import Box, Drawn, Glyph, Item

FAMILIES = ("attract", "membrane", "layers", "grid", "punnett", "force", "concentration", "temperature", "bars", "heat")


def middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def glyphs(drawn: Drawn, kind: str) -> list[Glyph]:
    return [glyph for glyph in drawn.glyphs if glyph.kind == kind]


def items(drawn: Drawn, kind: str) -> list[Item]:
    return [item for item in drawn.items if item.kind == kind]


def phrase(drawn: Drawn, text: str) -> list[Box]:
    """Where words stand one after another: the boxes of the first of them."""
    words, found = text.split(), [glyph.text for glyph in drawn.glyphs]
    return [
        drawn.glyphs[i].box for i in range(len(found) - len(words) + 1) if found[i : i + len(words)] == words
    ]  # fmt: skip


def chosen(drawn: Drawn) -> str:
    assert drawn.question.answer is not None
    return drawn.question.choices[drawn.question.answer]


def quantities(drawn: Drawn) -> list[tuple[int, str, tuple[float, float]]]:
    """Every number with its unit, and where it stands."""
    pairs = zip(drawn.glyphs, drawn.glyphs[1:], strict=False)
    return [
        (int(glyph.text.replace(",", "")), unit.text, middle(glyph.box))
        for glyph, unit in pairs
        if glyph.kind == "number" and unit.text in ("cm", "mm", "in", "mL", "L", "u", "amu", "m/s")
    ]
