"""Places of a town for maps, and little pictures of houses, trees and ponds."""

from __future__ import annotations

from studio.scienceqa.diagrams.canvas import Canvas
from studio.scienceqa.diagrams.record import Box
from studio.scienceqa.diagrams.style import BLACK, Look, hsv, mix

PLACES = (
    "library", "school", "park", "bank", "bakery", "museum", "zoo", "hospital", "police station", "fire station",
    "gas station", "post office", "pet shop", "theater", "airport", "stadium", "pond", "playground", "grocery store",
    "toy store", "farm", "lighthouse", "bus stop", "town hall", "cafe", "hotel", "market", "garden", "dentist", "pool",
    "church", "harbor", "bridge", "factory", "mall", "gym", "book store", "shoe store", "ice rink", "train station",
    "restaurant", "music school", "barn", "castle", "campground", "forest", "lake", "hill", "mill", "fountain",
)  # fmt: skip


_WATER = ("pond", "pool", "lake", "harbor", "fountain", "ice rink")
_GREEN = ("park", "playground", "garden", "campground", "forest", "hill", "zoo")


def icon(canvas: Canvas, look: Look, name: str, middle: tuple[float, float], size: float) -> Box:
    """Draw a house, a tower, a tree or a pond, as suits a place, within ``size`` pixels around a point.

    Returns:
        Its box.
    """
    chance = look.chance
    x, y = middle
    box = (x - size, y - size, x + size, y + size)
    kind = "pond" if name in _WATER else "tree" if name in _GREEN else chance.pick(("house", "house", "tower"))
    wall, roof = look.strong(), look.strong()
    edge = mix(wall, BLACK, 0.4) if chance.often(0.5) else None
    if kind == "house":
        canvas.rectangle((x - size * 0.75, y - size * 0.1, x + size * 0.75, y + size), wall, edge)
        canvas.polygon([(x - size, y - size * 0.1), (x, y - size), (x + size, y - size * 0.1)], roof, edge)
        canvas.rectangle((x - size * 0.18, y + size * 0.4, x + size * 0.18, y + size), mix(wall, BLACK, 0.5))
    elif kind == "tower":
        canvas.rectangle((x - size * 0.5, y - size, x + size * 0.5, y + size), wall, edge)
        for row in range(3):
            for column in range(2):
                a, b = x - size * 0.3 + column * size * 0.4, y - size * 0.8 + row * size * 0.55
                canvas.rectangle((a, b, a + size * 0.22, b + size * 0.3), mix(wall, (255, 255, 220), 0.7))
    elif kind == "tree":
        canvas.rectangle((x - size * 0.12, y, x + size * 0.12, y + size), hsv(0.07, 0.6, 0.45))
        canvas.ellipse(
            (x - size * 0.7, y - size, x + size * 0.7, y + size * 0.4), hsv(chance.between(0.25, 0.4), 0.6, 0.6)
        )
    else:
        canvas.ellipse(
            (x - size, y - size * 0.55, x + size, y + size * 0.55), hsv(0.57, 0.45, 0.9), hsv(0.57, 0.6, 0.6)
        )
    return box
