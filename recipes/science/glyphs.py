"""Letters and digits of many fonts as small masks, rendered once each."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

CHARACTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase + "/:,.-=%°"
CLASSES = {character: index + 1 for index, character in enumerate(CHARACTERS)}
"""Number of each character; 0 is no character."""
HELD_OUT = ("OpenSans", "Lato", "Carlito", "Cantarell", "Caladea")
"""Families that no training sees (Carlito is drawn after Lato)."""
_ODD = (
    "Thin", "Hairline", "ExtraLight", "D050000L", "Symbols", "Z003", "TeXGyre", "Biolinum_K", "Libertine_DR",
    "Libertine_I.", "Libertine_M", "Black", "Mono", "Cousine",
)  # fmt: skip
_STEP = 1.15
"""Masks are kept at heights that differ by this factor."""


@dataclass(frozen=True)
class Glyph:
    """One character at one size: mask (h, w) of 0-255, its place from the pen and the base line, and the advance."""

    mask: np.ndarray
    left: int
    top: int
    advance: float


class Font:
    """A font whose characters are asked for by the height of its digits in pixels."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.stem
        box = ImageFont.truetype(str(path), 200).getbbox("5", anchor="ls")
        self._size = 200 / (box[3] - box[1])
        self._kept: dict[tuple[str, int], Glyph] = {}

    def glyph(self, character: str, height: float) -> Glyph:
        """A character whose font's digits are about ``height`` pixels high."""
        step = round(np.log(height) / np.log(_STEP))
        if (character, step) not in self._kept:
            self._kept[character, step] = self._render(character, float(_STEP**step))
        return self._kept[character, step]

    def _render(self, character: str, height: float) -> Glyph:
        font = _opened(str(self.path), round(height * self._size, 2))
        left, top, right, bottom = (int(v) for v in font.getbbox(character, anchor="ls"))
        picture = Image.new("L", (max(1, right - left + 2), max(1, bottom - top + 2)))
        ImageDraw.Draw(picture).text((1 - left, 1 - top), character, font=font, fill=255, anchor="ls")
        return Glyph(np.asarray(picture), left - 1, top - 1, float(font.getlength(character)))


@lru_cache(maxsize=64)
def _opened(path: str, size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def find_fonts(folders: Sequence[Path]) -> tuple[list[Font], list[Font]]:
    """Fonts under some folders: those for training and those held out; decorative and very thin ones are left."""
    found = {path.name: path for folder in folders for path in folder.rglob("*.[to]tf")}
    paths = sorted((name, path) for name, path in found.items() if not any(odd in name for odd in _ODD))
    held = [Font(path) for name, path in paths if name.startswith(HELD_OUT)]
    return [Font(path) for name, path in paths if not name.startswith(HELD_OUT)], held


@dataclass(frozen=True)
class Written:
    """A run of text: its mask (h, w), the place of the mask's corner, and the box of each character."""

    mask: np.ndarray
    x: int
    y: int
    boxes: tuple[tuple[str, float, float, float, float], ...]


def write(font: Font, text: str, height: float, x: float, y: float, spacing: float = 0.0) -> Written:
    """Text with the left end of its base line at (x, y), digits ``height`` pixels high."""
    pen, placed, boxes = float(x), [], []
    base = round(y)
    for character in text:
        if character == " ":
            pen += height * 0.38 + spacing
            continue
        glyph = font.glyph(character, height)
        left = round(pen) + glyph.left
        placed.append((glyph.mask, left, base + glyph.top))
        h, w = glyph.mask.shape
        boxes.append((character, left + 1.0, base + glyph.top + 1.0, left + w - 1.0, base + glyph.top + h - 1.0))
        pen += glyph.advance + spacing
    if not placed:
        return Written(np.zeros((1, 1), np.uint8), round(x), base, ())
    x0, y0 = min(left for _, left, _ in placed), min(top for _, _, top in placed)
    x1 = max(left + mask.shape[1] for mask, left, _ in placed)
    y1 = max(top + mask.shape[0] for mask, _, top in placed)
    whole = np.zeros((y1 - y0, x1 - x0), np.uint8)
    for mask, left, top in placed:
        part = whole[top - y0 : top - y0 + mask.shape[0], left - x0 : left - x0 + mask.shape[1]]
        np.maximum(part, mask, out=part)
    return Written(whole, x0, y0, tuple(boxes))
