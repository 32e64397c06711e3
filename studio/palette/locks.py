"""Colours that a palette must hold, and where."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from studio.errors import StudioError
from studio.palette.colours import NEAR, near_pairs, parse_colour, to_lab
from studio.palette.prompt import COLOURS

Arrangement = tuple[str | None, ...]
"""Four places: the locked colour that stands there, ``#rrggbb``, or None where a free one is to be drawn."""

_PLACED = re.compile(r"\s*(\d+)\s*=(.*)", re.DOTALL)


@dataclass(frozen=True)
class Locks:
    """Locked colours.

    Attributes:
        arrangement: Where each of them stands in what is handed out.
        placed: Whether every one of them was locked in a place of its own.
    """

    arrangement: Arrangement = (None,) * COLOURS
    placed: bool = True

    @property
    def colours(self) -> tuple[str, ...]:
        """The locked colours."""
        return tuple(colour for colour in self.arrangement if colour is not None)

    @property
    def free(self) -> tuple[int, ...]:
        """The places, from 0, that are not locked."""
        return tuple(place for place, colour in enumerate(self.arrangement) if colour is None)

    def arrangements(self) -> list[Arrangement]:
        """Return every way in which the locked colours may stand in a palette; `arrangement` is the first."""
        every = dict.fromkeys(itertools.permutations(self.arrangement))
        return [self.arrangement, *(one for one in every if one != self.arrangement)]


def parse(text: str) -> Locks:
    """Read locks: colours with commas between them, each with its place before it (``2=#aabbcc``) or without.

    One without a place takes the first that is free.

    Raises:
        StudioError: Something is no colour or no place, a place is locked twice, two locked colours are too alike, or
            nothing is left free.
    """
    given = [_lock(part) for part in text.split(",") if part.strip()]
    if len(given) > COLOURS:
        raise StudioError(f"{len(given)} colours are locked, and a palette has {COLOURS}.", "Unlock some.")
    if len(given) == COLOURS:
        raise StudioError(f"All {COLOURS} colours are locked, so there is nothing to make.", "Unlock one.")
    places: list[str | None] = [None] * COLOURS
    for place, colour in (one for one in given if one[0] is not None):
        assert place is not None
        if places[place - 1] is not None:
            raise StudioError(f"Place {place} is locked twice.", "Lock one colour in a place.")
        places[place - 1] = colour
    for _, colour in (one for one in given if one[0] is None):
        places[places.index(None)] = colour
    locks = Locks(tuple(places), all(place is not None for place, _ in given))
    if pairs := near_pairs(to_lab(locks.colours)):
        one, other = (locks.colours[place] for place in pairs[0])
        raise StudioError(
            f"The locked colours {one} and {other} are too alike for one palette: they differ by less than {NEAR:g} "
            "(CIEDE2000).",
            "Unlock one of them.",
        )
    return locks


def _lock(text: str) -> tuple[int | None, str]:
    found = _PLACED.fullmatch(text)
    if found is None:
        return None, parse_colour(text)
    if not 1 <= int(found[1]) <= COLOURS:
        raise StudioError(f"'{text.strip()}' locks place {found[1]}.", f"Places are 1 to {COLOURS}.")
    return int(found[1]), parse_colour(found[2])
