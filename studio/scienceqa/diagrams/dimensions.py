"""Dimension lines: how far two things are apart, with the length written beside the line or in it."""

from __future__ import annotations

from studio.scienceqa.diagrams.canvas import Canvas
from studio.scienceqa.diagrams.lettering import width_of
from studio.scienceqa.diagrams.record import Box
from studio.scienceqa.diagrams.style import Look

HEIGHT = 30.0
"""What a dimension and its text take above or below things, in pixels."""


def dimension(
    canvas: Canvas, look: Look, kind: str, things: tuple[Box, Box], y: float, up: float, text: str, size: float
) -> Box:
    """Draw the distance of two things that lie side by side.

    Args:
        canvas: Where to draw.
        look: The look of the picture.
        kind: ``bracket``, ``ticks``, ``inline`` (the text interrupts the line), ``between`` (so, and at the height of
            the things), ``posts`` (lines from the things) or ``arrows``.
        things: The left and the right one.
        y: The edge of the things that the line runs along.
        up: 1 when the line lies above that edge, -1 when below.
        text: The length.
        size: Of the text.

    Returns:
        The box of the text.
    """
    x0, x1 = things[0][2], things[1][0]
    middle, width = (x0 + x1) / 2, min(look.line, 1.4)
    inline = kind in ("inline", "between") and x1 - x0 >= width_of(text, look.face, size) + 14
    near, far = y - up * 3, y - up * 9
    level = y - up * (4 + size * 0.5) if inline else far
    if inline and kind == "between":
        level = (things[0][1] + things[0][3]) / 2
    if kind == "bracket":
        canvas.line([(x0, near), (x0, far), (x1, far), (x1, near)], look.ink, width)
    elif kind == "arrows":
        head = min(5.0, (x1 - x0) * 0.3)
        for start, end in ((middle, x0), (middle, x1)):
            canvas.arrow((start, level), (end, level), look.ink, width, head)
    elif inline:
        half = width_of(text, look.face, size) / 2 + 4
        canvas.line([(x0, level), (middle - half, level)], look.ink, width)
        canvas.line([(middle + half, level), (x1, level)], look.ink, width)
    else:
        canvas.line([(x0, level), (x1, level)], look.ink, width)
    if kind in ("ticks", "inline", "between"):
        for x in (x0, x1):
            canvas.line([(x, level - 4), (x, level + 4)], look.ink, width)
    elif kind == "posts":
        for x, thing in ((x0, things[0]), (x1, things[1])):
            canvas.line([(x, (thing[1] + thing[3]) / 2), (x, far - up * 2)], look.ink, min(width, 0.8))
    canvas.item("distance", (x0, min(level, near) - 4, x1, max(level, near) + 4))
    place = level if inline else far - up * (size * 0.5 + 4)
    return canvas.text(middle, place, text, look.face, size, look.ink).box
