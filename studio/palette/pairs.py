"""Descriptions and their palettes, read from a table and parted into those that train and those that validate."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio import tables
from studio.errors import StudioError
from studio.palette.colours import parse_colour, to_oklch
from studio.palette.config import LONGEST_DESCRIPTION
from studio.palette.prompt import COLOURS

DESCRIPTIONS = ("resp", "description")
LISTS = ("colors", "colours")
_LONGEST_LIST = 2000  # characters; a literal is parsed, so that one without end must not come that far
_SECTORS = 6  # of hue, 60 degrees each
_GREY = 0.04  # OKLCH chroma below which a palette counts as neutral
_LEVELS = 3  # of lightness


@dataclass(frozen=True)
class Pair:
    """A description and its palette.

    Attributes:
        row: Its row in the table, as a spreadsheet counts.
        description: Words, single spaces between them.
        colours: Four colours ``#rrggbb``.
    """

    row: int
    description: str
    colours: tuple[str, ...]


@dataclass(frozen=True)
class Rejected:
    """A row that was passed over, and why, in one sentence."""

    row: int
    reason: str


@dataclass(frozen=True)
class Table:
    """A table of pairs.

    Attributes:
        pairs: What can be used; no two are the same.
        rejected: What cannot, duplicates among them.
        longer: How many palettes had more than four colours, of which the first four are taken.
    """

    pairs: tuple[Pair, ...]
    rejected: tuple[Rejected, ...]
    longer: int


def read(path: Path) -> Table:
    """Read a table with the columns ``resp`` or ``description``, and ``colors``: a Python or JSON list.

    Three-digit and upper-case colours become ``#rrggbb``. A row without four colours is passed over, never filled up.

    Raises:
        StudioError: The file cannot be read, lacks a column, or no row of it can be used.
    """
    rows = tables.rows(path)
    _, head = next(rows)
    words, colours = _column(head, DESCRIPTIONS, path), _column(head, LISTS, path)
    pairs, rejected, longer = [], [], 0
    first: dict[tuple[str, tuple[str, ...]], int] = {}
    for number, values in rows:
        try:
            description = _description(values[words] if words < len(values) else "")
            found = _colours(values[colours] if colours < len(values) else "")
            pair = Pair(number, description, found[:COLOURS])
            same = first.setdefault((description.casefold(), pair.colours), number)
            if same != number:
                raise StudioError(f"It is the same as row {same}.")
            pairs.append(pair)
            longer += len(found) > COLOURS
        except StudioError as error:
            rejected.append(Rejected(number, error.what))
    if not pairs:
        why = f": row {rejected[0].row}: {rejected[0].reason}" if rejected else ", only a header."
        raise StudioError(f"{path.name} holds no palette that can be used{why}", "Give another table.")
    return Table(tuple(pairs), tuple(rejected), longer)


def split(pairs: Sequence[Pair], share: float, seed: int) -> tuple[list[Pair], list[Pair]]:
    """Part pairs into those that train and those that validate.

    All pairs of one description go the same way, so that nothing is validated on words that were learnt. Validation is
    drawn evenly over the palettes' hues and lightnesses.

    Args:
        pairs: All of them.
        share: Of the descriptions to validate on, 0 to 0.5; above 0 it is one at least, if there are two.
        seed: Of the drawing.

    Returns:
        Those to train on and those to validate on, each in the table's order.
    """
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(pair.description.casefold(), []).append(pair)
    count = round(share * len(groups)) or int(share > 0 and len(groups) > 1)
    random = np.random.default_rng(seed)
    strata = np.array([_stratum(group[0].colours) for group in groups.values()])
    order = np.lexsort((random.random(len(strata)), strata))
    places = ((np.arange(count) + random.random()) * len(strata) / max(count, 1)).astype(int)
    names = list(groups)
    kept = {names[index] for index in order[places]}
    validation = [pair for pair in pairs if pair.description.casefold() in kept]
    return [pair for pair in pairs if pair.description.casefold() not in kept], validation


def _column(head: list[str], names: tuple[str, ...], path: Path) -> int:
    place = next((head.index(name) for name in names if name in head), None)
    if place is None:
        there = ", ".join(name for name in head if name) or "none"
        raise StudioError(
            f"{path.name} has no column {' or '.join(names)}; its columns are {there}.",
            "It needs resp (or description) and colors.",
        )
    return place


def _description(text: str) -> str:
    words = " ".join(text.split())
    if not words:
        raise StudioError("It has no description.")
    if len(words) > LONGEST_DESCRIPTION:
        raise StudioError(f"Its description has {len(words):,} characters, more than {LONGEST_DESCRIPTION}.")
    return words


def _colours(text: str) -> tuple[str, ...]:
    try:
        found = ast.literal_eval(text.strip()) if len(text) <= _LONGEST_LIST else None  # JSON's lists of texts, too
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        found = None
    if not isinstance(found, list | tuple):
        raise StudioError("Its colours are no list such as ['#c5d70f', '#4dd70f', '#0fd749', '#0fd7c1'].")
    if len(found) < COLOURS:
        raise StudioError(f"It has {len(found)} colours, and a palette has {COLOURS}.")
    return tuple(parse_colour(colour) for colour in found)


def _stratum(colours: Sequence[str]) -> int:
    """Return which kind of palette it is, by mean lightness and by the hue of its most colourful colour."""
    oklch: NDArray[np.float64] = to_oklch(colours)
    strongest = oklch[oklch[:, 1].argmax()]
    hue = _SECTORS if strongest[1] < _GREY else int(strongest[2] // (360 / _SECTORS)) % _SECTORS
    level = min(int(oklch[:, 0].mean() * _LEVELS), _LEVELS - 1)
    return hue * _LEVELS + level
