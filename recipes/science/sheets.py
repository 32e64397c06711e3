"""Sheets for the vision tower to read: letters, digits and things of all sizes, with what each patch holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from recipes.science.blocks import fill
from recipes.science.canvas import Canvas
from recipes.science.glyphs import CLASSES, Font

SIDE, PATCH = 128, 8
CELLS = SIDE // PATCH
IGNORED = -1
_PLAINEST = 12
"""Fonts of an easy sheet."""


@dataclass(frozen=True)
class Sheet:
    """A picture (side, side, 3) of 0-255 and its labels.

    Attributes:
        characters: Class of the character in the left and the right half of each patch, (cells, cells, 2);
            0 is none, `IGNORED` is not to be judged.
        weights: What each of them counts, (cells, cells, 2).
        heights: Height in pixels of the digits of its text, (cells, cells, 2).
        things: Index in `THINGS` for each patch, (cells, cells).
        counts: Balls whose centre lies in each patch, 0-3, (cells, cells).
    """

    picture: np.ndarray
    characters: np.ndarray
    weights: np.ndarray
    heights: np.ndarray
    things: np.ndarray
    counts: np.ndarray


def compose(fonts: Sequence[Font], random: np.random.Generator, level: float = 1.0) -> Sheet:
    """One sheet; drawn larger and made smaller half the time, as pictures are.

    Args:
        fonts: The plainest first.
        random: Where everything is drawn from.
        level: How hard it is, from 0 (a few plain fonts of middle size, black on white) to 1 (everything).
    """
    scale = 1.0 if random.random() > 0.6 * level else float(np.exp(random.uniform(0, np.log(1.7))))
    side = round(SIDE * scale)
    some = [fonts[i] for i in random.integers(round(_PLAINEST + level * (len(fonts) - _PLAINEST)), size=3)]
    canvas = Canvas(np.empty((side, side, 3), np.float32), some, random, level=level)
    paper = (255.0, 255.0, 255.0) if random.random() < 0.6 else canvas.colour()
    canvas.pixels[:] = paper
    if random.random() < 0.15:
        canvas.pixels += np.linspace(-30, 30, side, dtype=np.float32)[:, None, None]
    fill(canvas, (-9 * scale, -9 * scale, side + 9 * scale, side + 9 * scale), scale, paper)
    picture = np.clip(canvas.pixels, 0, 255).astype(np.uint8)
    if side != SIDE:
        way = [Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.BOX, Image.Resampling.BILINEAR]
        picture = np.asarray(Image.fromarray(picture).resize((SIDE, SIDE), way[random.integers(4)]))
    return _label(canvas, picture, SIDE / side)


def _label(c: Canvas, picture: np.ndarray, scale: float) -> Sheet:
    """The labels of a canvas that was resized by ``scale``."""
    boxes = [(g[0], *(v * scale for v in g[1:5]), g[5] * scale, g[6]) for g in c.glyphs]
    characters, weights, heights = label_glyphs(boxes, (CELLS, CELLS))
    things, counts = np.zeros((CELLS, CELLS), np.int64), np.zeros((CELLS, CELLS), np.int64)
    middle = (np.arange(CELLS) + 0.5) * PATCH
    for thing, *box in c.things:
        x0, y0, x1, y1 = (v * scale for v in box)
        inside = ((middle >= y0 - 2) & (middle <= y1 + 2))[:, None] & ((middle >= x0 - 2) & (middle <= x1 + 2))[None]
        things[inside] = thing
    for x, y in c.balls:
        row, column = int(y * scale // PATCH), int(x * scale // PATCH)
        if 0 <= row < CELLS and 0 <= column < CELLS:
            counts[row, column] = min(3, counts[row, column] + 1)
    return Sheet(picture, characters, weights, heights, things, counts)


def label_glyphs(
    boxes: Sequence[tuple[str, float, float, float, float, float, bool]], cells: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What stands in the halves of patches: characters, weights and heights, (rows, columns, 2) each.

    A character owns the half patch of its centre and every half patch whose middle lies in the inner part of its box;
    halves at its border are not judged.

    Args:
        boxes: Character, box in pixels, height of its text's digits, and whether it is of running words.
        cells: Rows and columns of patches.
    """
    rows, columns = cells
    characters = np.zeros((rows, columns * 2), np.int64)
    weights, heights = np.ones((rows, columns * 2), np.float32), np.zeros((rows, columns * 2), np.float32)
    far = np.full((rows, columns * 2), np.inf)
    half = PATCH / 2
    for _, x0, y0, x1, y1, _, _ in boxes:
        top, bottom = int(max(0, y0 // PATCH)), int(min(rows - 1, (y1 - 0.01) // PATCH))
        left, right = int(max(0, x0 // half)), int(min(columns * 2 - 1, (x1 - 0.01) // half))
        if bottom >= top and right >= left:
            characters[top : bottom + 1, left : right + 1] = IGNORED
    for character, x0, y0, x1, y1, height, plain in boxes:
        if character not in CLASSES or x1 <= x0 or y1 <= y0:
            continue
        middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
        row, column = int(middle_y // PATCH), int(middle_x // half)
        ys = (np.arange(rows) + 0.5) * PATCH
        xs = (np.arange(columns * 2) + 0.5) * half
        near = (np.abs(ys - middle_y) < 0.42 * (y1 - y0))[:, None] & (np.abs(xs - middle_x) < 0.42 * (x1 - x0))[None]
        if 0 <= row < rows and 0 <= column < columns * 2:
            near[row, column] = True
        where = np.nonzero(near)
        if not len(where[0]):
            continue
        distance = ((ys[where[0]] - middle_y) / PATCH) ** 2 + ((xs[where[1]] - middle_x) / half) ** 2
        closer = distance < far[where]
        where = (where[0][closer], where[1][closer])
        far[where] = distance[closer]
        characters[where] = CLASSES[character]
        heights[where] = height
        weights[where] = (0.35 if plain else 1.0) / max(1, len(distance)) ** 0.5
    shape = (rows, columns, 2)
    return characters.reshape(shape), weights.reshape(shape), heights.reshape(shape)
