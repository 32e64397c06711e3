"""The ink of words: masks and boxes, made once for each font, size and word."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw

from studio.scienceqa.diagrams.fonts import face, whole

Whole = tuple[int, int, int, int]
"""A box in whole pixels."""


@dataclass(frozen=True)
class Ink:
    """The ink of a word: its mask, its box and those of its characters, from where it begins on its base line."""

    text: str
    mask: Image.Image
    box: Whole
    characters: tuple[Whole, ...]

    @property
    def middle(self) -> float:
        """How far its middle lies below the base line; mostly negative."""
        return (self.box[1] + self.box[3]) / 2


@lru_cache(maxsize=16384)
def ink(path: Path, size: int, text: str) -> Ink:
    """Return the ink of a word in a font of so many pixels."""
    if len(text) == 1:
        return _letter(path, size, text)
    starts = starts_of(path, size, text)
    letters = [_letter(path, size, each) for each in text]
    boxes = [moved(letter.box, round(start), 0) for letter, start in zip(letters, starts, strict=False)]
    x0, y0 = (min(box[i] for box in boxes) for i in (0, 1))
    x1, y1 = (max(box[i] for box in boxes) for i in (2, 3))
    mask = Image.new("L", (x1 - x0, y1 - y0), 0)
    for letter, box in zip(letters, boxes, strict=True):
        mask.paste(255, (box[0] - x0, box[1] - y0), letter.mask)
    return Ink(text, mask, (x0, y0, x1, y1), tuple(boxes))


@lru_cache(maxsize=65536)
def _letter(path: Path, size: int, letter: str) -> Ink:
    font = face(path, size)
    x0, y0, x1, y1 = (round(edge) for edge in font.getbbox(letter, anchor="ls"))
    mask = Image.new("L", (x1 - x0 + 4, y1 - y0 + 4), 0)
    ImageDraw.Draw(mask).text((2 - x0, 2 - y0), letter, 255, font, anchor="ls")
    found = mask.getbbox() or (2, 2, 3, 3)
    box = (found[0] + x0 - 2, found[1] + y0 - 2, found[2] + x0 - 2, found[3] + y0 - 2)
    return Ink(letter, mask.crop(found), box, (box,))


@lru_cache(maxsize=16384)
def starts_of(path: Path, size: int, text: str) -> tuple[float, ...]:
    """Where every character begins, and where the last ends; kerned pair by pair."""
    starts = [0.0]
    for i, letter in enumerate(text):
        after = text[i + 1 : i + 2]  # what a pair is shorter or longer than its letters goes to the first of them
        starts.append(starts[-1] + _advance(path, size, letter + after) - (_advance(path, size, after) if after else 0))
    return tuple(starts)


@lru_cache(maxsize=65536)
def _advance(path: Path, size: int, pair: str) -> float:
    """Length of a letter or two; lines are made of them, since FreeType takes 0.1 ms for each letter it hints."""
    return float(face(path, size).getlength(pair))


def width_of(text: str, path: Path, size: float) -> float:
    """Return how wide a line of text is, in pixels."""
    return starts_of(path, whole(size), text)[-1]


def fitting(text: str, path: Path, size: float, room: float, least: float = 6) -> float:
    """Return the size, at most ``size`` and at least ``least``, in which a line of text fits into a width."""
    while size > least and width_of(text, path, size) > room:
        size = max(least, size * 0.94 - 0.2)
    return size


def moved(box: Whole, dx: int, dy: int) -> Whole:
    """Return a box somewhere else."""
    return box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy
