"""Draws a question of any family."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from studio.scienceqa.diagrams import (
    attract,
    bars,
    concentration,
    force,
    grid,
    heat,
    layers,
    membrane,
    punnett,
    temperature,
)
from studio.scienceqa.diagrams.chance import Chance
from studio.scienceqa.diagrams.fonts import Fonts, bundled
from studio.scienceqa.diagrams.record import Drawn, Style
from studio.scienceqa.diagrams.style import Look, look

_FAMILIES: dict[str, Callable[[Look], Drawn]] = {
    "attract": attract.draw,
    "membrane": membrane.draw,
    "layers": layers.draw,
    "grid": grid.draw,
    "punnett": punnett.draw,
    "force": force.draw,
    "concentration": concentration.draw,
    "temperature": temperature.draw,
    "bars": bars.draw,
    "heat": heat.draw,
}


def draw(family: str, rng: np.random.Generator, style: Style, fonts: Fonts | None = None) -> Drawn:
    """Draw a question; the same state of ``rng`` gives the same one on every machine.

    Args:
        family: One of `studio.scienceqa.config.FAMILIES`.
        rng: One number is drawn from it.
        style: ``training``, or ``held-out``: fonts, colours and layouts that training never shows.
        fonts: Other fonts than those that come with the studio; then the picture depends on them.

    Raises:
        KeyError: There is no such family.
    """
    return _FAMILIES[family](look(style, Chance(rng), fonts or bundled(style)))
