"""Captions: a few lines under, over or beside a thing, the title among them in any place."""

from __future__ import annotations

from dataclasses import dataclass

from studio.scienceqa.diagrams.canvas import Canvas, Written
from studio.scienceqa.diagrams.lettering import fitting
from studio.scienceqa.diagrams.style import Look, legible


@dataclass(frozen=True)
class Captions:
    """How the captions of a picture are set, the same for all its things.

    Attributes:
        title_above: Whether the title stands above the thing, away from the lines.
        lines_above: Whether the lines stand above the thing.
        title_last: Whether the title follows the lines where both are on one side.
        title_size: In pixels.
        size: Of the lines, in pixels.
        spacing: Height of a line, as a share of its size.
        gap: Between the thing and the captions, in pixels.
        cut: What the lower edge of the picture takes away of what is last, in pixels: some pictures are cropped so.
    """

    title_above: bool
    lines_above: bool
    title_last: bool
    title_size: float
    size: float
    spacing: float
    gap: float
    cut: float

    def heights(self, lines: int) -> tuple[float, float]:
        """Return what the captions take above and below a thing."""
        parts = ((self.title_above, self.title_size), *((self.lines_above, self.size) for _ in range(lines)))
        above = sum(size * self.spacing for up, size in parts if up)
        below = sum(size * self.spacing for up, size in parts if not up)
        return (above + self.gap if above else 0.0), (below + self.gap if below else 0.0)


def captions(look: Look, least: float = 11, most: float = 15) -> Captions:
    """Draw how captions are set; lines above the thing are held out."""
    chance = look.chance
    size = chance.between(least, most)
    kind = chance.pick(("all above", "lines above") if look.held_out else ("below", "below", "below", "title above"))
    return Captions(
        kind in ("all above", "title above"), kind in ("all above", "lines above"), chance.often(0.4),
        size * chance.between(1, 1.25), size, chance.between(1.2, 1.9), chance.between(2, 9),
        size * chance.between(0.15, 0.35) if chance.often(0.15) else 0.0,
    )  # fmt: skip


def write(
    canvas: Canvas, look: Look, how: Captions, x: float, top: float, bottom: float, title: str, lines: tuple[str, ...],
    room: float, overflow: float = 0.0,
) -> list[Written]:  # fmt: skip
    """Write the captions of one thing.

    Args:
        canvas: Where to write.
        look: The look of the picture.
        how: How captions are set.
        x: The middle.
        top: Upper edge of the thing.
        bottom: Its lower edge.
        title: Written in the title's font.
        lines: The other lines.
        room: Width that a line may take; longer ones are set smaller.
        overflow: By how much a line may be wider, in pixels, so that it touches its neighbour's room or the edge.

    Returns:
        The lines as written, without the title.
    """
    size = min(fitting(line, look.face, how.size, room + overflow) for line in lines)
    parts = [(False, line, look.face, size, how.size) for line in lines]
    named = (True, title, look.title, fitting(title, look.title, how.title_size, room), how.title_size)
    parts.insert(len(parts) if how.title_last else 0, named)
    ink = legible(look.paper, look.ink)
    written: list[Written] = []
    for above in (True, False):
        here = [part for part in parts if (how.title_above if part[0] else how.lines_above) is above]
        y = top - how.gap - sum(part[4] * how.spacing for part in here) if above else bottom + how.gap
        for is_title, text, path, drawn, step in here:
            line = canvas.text(x, y + step * how.spacing / 2, text, path, drawn, ink)
            y += step * how.spacing
            if not is_title:
                written.append(line)
    return written
