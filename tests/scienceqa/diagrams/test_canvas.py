"""Boxes of text are those of its ink, to the pixel."""

from __future__ import annotations

import numpy as np
import pytest

from studio.scienceqa.diagrams.canvas import Canvas
from studio.scienceqa.diagrams.fonts import bundled
from studio.scienceqa.diagrams.lettering import fitting, width_of

FACES = [path for style in ("training", "held-out") for path in (*bundled(style).plain, *bundled(style).other)]  # type: ignore[arg-type]


def ink(canvas: Canvas) -> tuple[int, int, int, int]:
    """The box of all that differs from the white ground."""
    found = np.argwhere(np.asarray(canvas.finish()).min(2) < 255)
    (y0, x0), (y1, x1) = found.min(0), found.max(0) + 1
    return int(x0), int(y0), int(x1), int(y1)


@pytest.mark.parametrize("path", FACES, ids=lambda path: path.stem)
@pytest.mark.parametrize("size", [9, 14, 37])
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_word_s_box_is_that_of_its_ink(path, size: int, turn: int) -> None:
    canvas = Canvas(300, 300, (255, 255, 255))
    written = canvas.text(150, 150, "AVgj12", path, size, (0, 0, 0), turn=turn)
    assert written.box == ink(canvas)
    boxes = np.array(canvas.glyphs[0].characters)
    assert (boxes[:, :2].min(0) == written.box[:2]).all() and (boxes[:, 2:].max(0) == written.box[2:]).all()


@pytest.mark.parametrize("path", FACES[:4], ids=lambda path: path.stem)
def test_a_character_s_box_is_that_of_its_ink(path) -> None:
    canvas = Canvas(300, 60, (255, 255, 255))
    canvas.text(150, 30, "Sample 1,250 u", path, 19, (0, 0, 0))
    pixels = np.asarray(canvas.finish()).min(2)
    for glyph in canvas.glyphs:
        for (x0, y0, x1, y1), letter in zip(glyph.characters, glyph.text, strict=True):
            alone = Canvas(60, 60, (255, 255, 255))
            alone.text(30, 30, letter, path, 19, (0, 0, 0))
            a, b, c, d = ink(alone)
            assert (c - a, d - b) == (x1 - x0, y1 - y0)
            assert pixels[int(y0) : int(y1), int(x0) : int(x1)].min() < 160


def test_words_stand_apart_and_numbers_are_known() -> None:
    canvas = Canvas(300, 60, (255, 255, 255))
    written = canvas.text(10, 30, "Volume: 40 mL", FACES[0], 16, (0, 0, 0), align="left")
    assert [(glyph.text, glyph.kind) for glyph in written.words] == [
        ("Volume:", "word"),
        ("40", "number"),
        ("mL", "word"),
    ]
    assert written.quantity == (*written.words[1].box[:2], *written.words[2].box[2:])
    edges = [edge for glyph in written.words for edge in (glyph.box[0], glyph.box[2])]
    assert edges == sorted(edges) and 9 <= edges[0] <= 13
    without = Canvas(300, 60, (255, 255, 255))
    without.text(10, 30, "Volume:", FACES[0], 16, (0, 0, 0), align="left")
    x0, y0, x1, y1 = (int(edge) for edge in written.words[0].box)
    assert np.array_equal(np.asarray(canvas.finish())[y0:y1, x0:x1], np.asarray(without.finish())[y0:y1, x0:x1])


def test_text_over_the_edge_is_clipped_and_so_is_its_box() -> None:
    canvas = Canvas(40, 30, (255, 255, 255))
    written = canvas.text(0, 15, "MMMM", FACES[0], 20, (0, 0, 0))
    assert written.box[0] == 0 and written.box[1:] == ink(canvas)[1:]
    first = canvas.glyphs[0].characters[0]
    assert (first[2] - first[0]) * (first[3] - first[1]) == 0


def test_text_is_made_to_fit_but_not_smaller_than_wanted() -> None:
    size = fitting("a long caption", FACES[0], 20, 60)
    assert width_of("a long caption", FACES[0], size) <= 60 and size < 20
    assert fitting("a long caption", FACES[0], 20, 5, least=9) == 9
    assert fitting("short", FACES[0], 20, 500) == 20
