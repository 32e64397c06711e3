"""What a drawn question is: the question, its picture, and where in the picture everything stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PIL import Image

from studio.scienceqa.questions.record import Question

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels of the picture, from its upper left corner; right and bottom are outside."""
Style = Literal["training", "held-out"]
GlyphKind = Literal["pole", "allele", "number", "word"]


@dataclass(frozen=True)
class Fact:
    """Something the reasoning reads from the picture.

    Attributes:
        name: What it is (``left pole``, ``balls left before``).
        value: As the reasoning writes it, word for word (``N``, ``6``).
        boxes: Where it is to be seen: the text, or every thing that is counted, or the place that is empty.
    """

    name: str
    value: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Glyph:
    """A word, a number or a letter that is written in the picture.

    Attributes:
        text: Without spaces.
        box: Of its ink, as far as it lies in the picture.
        kind: What sort of text it is.
        characters: The box of each character's ink, in order; one outside the picture has no area.
    """

    text: str
    box: Box
    kind: GlyphKind
    characters: tuple[Box, ...]


@dataclass(frozen=True)
class Item:
    """A thing that can be counted or found: its kind (``ball``, ``magnet``, ``jar``) and where it is."""

    kind: str
    box: Box


@dataclass(frozen=True)
class Drawn:
    """A drawn question.

    Attributes:
        question: With family, hint, choices, answer and solution; it has no id, no split and no image yet.
        picture: RGB, of the size such pictures have.
        facts: What the solution reads from the picture, in the order it states them.
        glyphs: Every piece of text in the picture.
        items: Every thing in it.
    """

    question: Question
    picture: Image.Image
    facts: tuple[Fact, ...]
    glyphs: tuple[Glyph, ...]
    items: tuple[Item, ...]
