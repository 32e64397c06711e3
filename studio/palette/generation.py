"""The task ``palette``: several palettes for one description."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import torch

from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.files import write_atomic
from studio.palette import locks
from studio.palette.choosing import apart, choose_few
from studio.palette.config import LONGEST_DESCRIPTION, PaletteConfig
from studio.palette.decoding import Drawing, Drawn, draw, passes
from studio.palette.description import describe
from studio.palette.loading import PaletteModel, spec_of
from studio.palette.locks import Locks

RESULT = "palettes.json"
MOST_BATCHES = 3
"""Batches drawn at most until there are palettes enough that differ."""
_ROWS = 24
_LOCKED_ROWS = 48  # their weights are uneven, so that fewer of them count
_ROWS_EACH = 3


@dataclass(frozen=True)
class Palettes:
    """Palettes that were made.

    Attributes:
        colours: Four colours ``#rrggbb`` each, the most typical palette first.
        drawn: How many they were chosen from.
        note: What is to be known about them; empty where they are as asked.
    """

    colours: tuple[tuple[str, ...], ...]
    drawn: int
    note: str = ""


def run(config: PaletteConfig, context: Context) -> Iterator[Event]:
    """Make palettes; stops within one token.

    Yields:
        An `Event` a token. The last one has as artifact ``palettes`` (palettes.json; also ``report``): the palettes,
        each with what `studio.palette.description` says of it, the settings, and a note where fewer could be made.

    Raises:
        StudioError: The description is empty or too long, the locks cannot be kept, or the model cannot be loaded.
    """
    description = check(config.description)
    kept = locks.parse(config.lock)
    begun = time.monotonic()
    with context.models.lease(spec_of(config.model)) as model:
        work = make(model, description, kept, config.count, Drawing(config.temperature, config.top_p), config.seed)
        with closing(work):
            found = yield from _told(work, context, passes(model))
    told = {
        **config.model_dump(mode="json"),
        "palettes": [{"colours": colours, **describe(colours).to_json()} for colours in found.colours],
        "drawn": found.drawn,
        "note": found.note,
        "seconds": round(time.monotonic() - begun, 3),
        "lines": [*("  ".join(colours) for colours in found.colours), *([found.note] if found.note else [])],
    }
    write_atomic(context.folder / RESULT, json.dumps(told, indent=1, ensure_ascii=False))
    yield Event(1, 1, found.note, {}, {"palettes": RESULT, "report": RESULT})


def check(description: str) -> str:
    """Return a description with single spaces.

    Raises:
        StudioError: It has no words, or too many.
    """
    words = " ".join(description.split())
    if not words:
        raise StudioError("There is no description.", "Say in words what the palette is of, such as 'fresh greens'.")
    if len(words) > LONGEST_DESCRIPTION:
        raise StudioError(
            f"The description has {len(words):,} characters, and at most {LONGEST_DESCRIPTION} are read.",
            "Say it in fewer words.",
        )
    return words


def make(
    model: PaletteModel, description: str, kept: Locks, count: int, how: Drawing, seed: int
) -> Generator[int, None, Palettes]:
    """Draw a batch of palettes, and choose some that differ; yield how many forward passes are done.

    A batch is a few times as many as are wanted, which costs little more. Where too many of them are alike, another
    one is drawn; where even then too few differ, there are fewer palettes and a note.

    Args:
        model: Which model.
        description: In words.
        kept: The locked colours.
        count: How many palettes.
        how: How they are drawn.
        seed: Of the drawing.
    """
    generator = torch.Generator().manual_seed(seed)
    rows = max(_LOCKED_ROWS if kept.colours else _ROWS, _ROWS_EACH * count)
    if how.temperature == 0:  # every row of an arrangement would be the same
        rows = len(kept.arrangements())
    drawn: list[Drawn] = []
    chosen: list[int] = []
    for number in range(1 if how.temperature == 0 else MOST_BATCHES):
        work = draw(model, description, kept, rows, how, generator)
        with closing(work):
            while True:
                try:
                    yield number * passes(model) + next(work)
                except StopIteration as end:
                    drawn += end.value
                    break
        distances = apart([one.colours for one in drawn], kept.free)
        chosen = choose_few(distances, np.array([one.weight for one in drawn]), count)
        if len(chosen) == count:
            break
    return Palettes(tuple(drawn[index].colours for index in chosen), len(drawn), _note(len(chosen), count, how))


def _note(found: int, count: int, how: Drawing) -> str:
    if found == count:
        return ""
    what = "Only one palette" if found == 1 else f"Only {found} palettes"
    why = "temperature 0 always takes the likeliest" if how.temperature == 0 else "the others were too much alike"
    return f"{what} of {count} could be made: {why}. Raise the temperature for more."


def _told(work: Generator[int, None, Palettes], context: Context, total: int) -> Generator[Event, None, Palettes]:
    while True:
        with context.models.device_lock():
            try:
                done = next(work)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
        yield Event(done, max(total, done), "Drawing the colours")
