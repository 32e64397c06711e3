"""Writes sets of drawn questions in ScienceQA's official layout."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.files import write_atomic
from studio.scienceqa.config import FAMILIES, DrawConfig
from studio.scienceqa.diagrams.drawing import draw
from studio.scienceqa.diagrams.record import Drawn, Style
from studio.scienceqa.questions.official import write
from studio.scienceqa.questions.record import SPLITS, Question

LICENCE = "LICENSE"
_EACH = 25  # questions between two events
_BEGUN = "begun"
_CC0 = """The pictures and questions in this folder were drawn and written by a program, Gemma Studio.
They are dedicated to the public domain under CC0 1.0: https://creativecommons.org/publicdomain/zero/1.0/
"""


def run(config: DrawConfig, context: Context) -> Iterator[Event]:
    """Draw questions into a folder; run again in the same job, it draws the same ones anew.

    The last event names the folder as the artifact ``data``.

    Raises:
        StudioError: No question is asked for, or the folder holds questions of something else or cannot be written.
    """
    total = config.train + config.val + config.test
    if not total:
        raise StudioError("No question is asked for.", "Give train, val or test a number above zero.")
    folder, begun = config.output_dir, context.folder / _BEGUN
    for number in write(folder, series(config), replace=begun.exists()):
        if number == 1:
            write_atomic(folder / LICENCE, _CC0)
            write_atomic(begun, "")
        if number % _EACH == 0 and number < total:
            yield Event(number, total, f"{number} of {total} questions")
    yield Event(total, total, f"{total} questions in {folder}", artifacts={"data": str(folder.resolve())})


def series(config: DrawConfig) -> Iterator[Question]:
    """Draw the questions of all splits, the families in turn, with their pictures as PNG.

    Every question has a seed of its own, made from the configuration's, its split, its family and its place: more
    questions, other families or another size of a split change none of the others.
    """
    families = tuple(config.families.split(",")) if config.families else FAMILIES
    pid = 0
    for split in SPLITS:
        style: Style = config.style if split == "test" else "training"
        for place in range(getattr(config, split)):
            turn, which = divmod(place, len(families))
            family = families[which]
            seed = (config.seed, SPLITS.index(split), FAMILIES.index(family), turn)
            drawn = draw(family, np.random.default_rng(seed), style)
            pid += 1
            yield replace(drawn.question, pid=str(pid), split=split, image=encode(drawn))


def encode(drawn: Drawn) -> bytes:
    """Return a drawn picture as PNG."""
    buffer = io.BytesIO()
    drawn.picture.save(buffer, "PNG", compress_level=4)  # a third of the time of the usual level, a tenth larger
    return buffer.getvalue()
