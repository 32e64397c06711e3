"""Drawn questions as the vision tower sees them: tiles, with what each patch holds."""

from __future__ import annotations

import numpy as np

from recipes.science.canvas import THINGS
from recipes.science.sheets import CELLS, PATCH, SIDE, Sheet, label_glyphs
from studio.scienceqa.diagrams.record import Box, Drawn
from studio.scienceqa.model.views import Cut, Views, cut

VIEWS = Views(
    "tiles", SIDE, tuple((rows, columns) for rows in range(1, 7) for columns in range(1, 7) if rows * columns <= 6), 1.0
)
"""Up to six tiles, never enlarged: a wide picture of two pairs of magnets is seen in its own size."""
_LIKE = {
    "ball": "ball", "magnet": "body", "fossil": "body", "place": "body", "tank": "box", "jar": "box", "beaker": "box",
    "flask": "box", "vessel": "box", "layer": "box", "cell": "box", "pair": "box", "bar": "body", "membrane": "line",
    "distance": "line",
}  # fmt: skip


def on_tiles(cut_: Cut, width: int, box: Box) -> Box:
    """A box in pixels of a picture ``width`` wide, in pixels of its tiles put together."""
    left, top, across, _ = cut_.place
    scale = across / width
    return box[0] * scale + left, box[1] * scale + top, box[2] * scale + left, box[3] * scale + top


def sheets_of(drawn: Drawn) -> list[Sheet]:
    """The tiles of a drawn question with their labels, row by row."""
    seen = cut(drawn.picture, VIEWS)
    rows, columns = seen.grid
    cells = (rows * CELLS, columns * CELLS)
    boxes = []
    for glyph in drawn.glyphs:
        placed = [on_tiles(seen, drawn.picture.width, box) for box in glyph.characters]
        height = max((box[3] - box[1] for box in placed), default=0.0)
        plain = glyph.kind == "word" and len(glyph.text) > 1
        boxes += [(c, *box, height, plain) for c, box in zip(glyph.text, placed, strict=True)]
    labels = label_glyphs(boxes, cells)
    things, counts = np.zeros(cells, np.int64), np.zeros(cells, np.int64)
    ys, xs = ((np.arange(count) + 0.5) * PATCH for count in cells)
    for item in sorted(drawn.items, key=lambda item: THINGS.index(_LIKE.get(item.kind, "box")) == 1):
        x0, y0, x1, y1 = on_tiles(seen, drawn.picture.width, item.box)
        inside = ((ys >= y0 - 2) & (ys <= y1 + 2))[:, None] & ((xs >= x0 - 2) & (xs <= x1 + 2))[None]
        things[inside] = THINGS.index(_LIKE.get(item.kind, "box"))
        if item.kind == "ball":
            row, column = int((y0 + y1) / 2 // PATCH), int((x0 + x1) / 2 // PATCH)
            counts[row, column] = min(3, counts[row, column] + 1)
    found = []
    for index, tile in enumerate(seen.tiles):
        row, column = index // columns * CELLS, index % columns * CELLS
        part = slice(row, row + CELLS), slice(column, column + CELLS)
        found.append(Sheet(np.asarray(tile), *(label[part] for label in (*labels, things, counts))))
    return found
