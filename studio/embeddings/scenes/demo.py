"""Example data for the embedding tasks: drawn scenes in the style no training saw, and a table of questions on them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from studio.context import Context
from studio.embeddings.config import VqaDemoConfig
from studio.embeddings.scenes.questions import Question, ask_many
from studio.embeddings.scenes.scenes import HELD_OUT, Scene, compose, draw
from studio.errors import StudioError
from studio.events import Event
from studio.files import write_atomic

COLUMNS = ("question_id", "image_id", "question", "answer", "category", "answer_type", "things", "style")
TABLE, PICTURES, LICENCE = "questions.csv", "images", "LICENSE"
FEWEST, MOST = 3, 8
"""How many things a scene of the demo holds."""
_EACH = 25  # pictures between two events
_CC0 = """The pictures and questions in this folder were drawn and written by a program, Gemma Studio.
They are dedicated to the public domain under CC0 1.0: https://creativecommons.org/publicdomain/zero/1.0/
"""


def run(config: VqaDemoConfig, context: Context) -> Iterator[Event]:
    """Write the demo; the last event names the table and the folder of pictures as artifacts.

    Raises:
        StudioError: As `write_demo`.
    """
    yield from write_demo(config.output_dir, config.questions, config.questions_per_image, config.seed)


def write_demo(folder: Path, questions: int, questions_per_image: int, seed: int) -> Iterator[Event]:
    """Write ``questions.csv``, ``images`` and a note on the licence into a folder.

    The same numbers give the same files. The table is written last, so it is there only when every picture is.

    Args:
        folder: Where to write; made if missing.
        questions: Rows of the table.
        questions_per_image: Questions on one picture; the last picture may have fewer.
        seed: Which scenes and questions.

    Raises:
        StudioError: The folder holds a table of something else, or cannot be written.
    """
    rows = _scenes(questions, questions_per_image, seed)
    pictures = -(-questions // questions_per_image)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    try:
        _clear(folder / TABLE)
        (folder / PICTURES).mkdir(parents=True, exist_ok=True)
        write_atomic(folder / LICENCE, _CC0)
        for number, (scene, asked) in enumerate(rows, 1):
            name = f"scene_{number:05d}.jpg"
            draw(scene).save(folder / PICTURES / name, quality=92)
            for which, question in enumerate(asked, 1):
                facts = (question.text, question.answer, question.category, question.answer_type)
                writer.writerow([f"q{number:05d}_{which}", name, *facts, len(scene.things), scene.style])
            if number % _EACH == 0 and number < pictures:
                yield Event(number, pictures, f"{number} of {pictures} pictures")
        write_atomic(folder / TABLE, table.getvalue())
    except OSError as error:
        reason = error.strerror or str(error)
        raise StudioError(f"The demo cannot be written to '{folder}': {reason}.", "Name another folder.") from None
    note = f"{questions} questions on {pictures} pictures in {folder}"
    artifacts = {"table": str((folder / TABLE).resolve()), "images": str((folder / PICTURES).resolve())}
    yield Event(pictures, pictures, note, artifacts=artifacts)


def _clear(table: Path) -> None:
    """Remove the table of an earlier demo, and of nothing else."""
    if table.exists():
        with table.open(encoding="utf-8", errors="replace") as file:
            if file.readline().rstrip("\n") != ",".join(COLUMNS):
                raise StudioError(f"'{table}' is there already and is no demo's.", "Name another folder.")
        table.unlink()


def _scenes(questions: int, questions_per_image: int, seed: int) -> Iterator[tuple[Scene, list[Question]]]:
    """Scenes that offer as many different questions as are asked on each, until there are enough."""
    random = np.random.default_rng(seed)
    while questions > 0:
        wanted = min(questions, questions_per_image)
        scene = compose(random, HELD_OUT, FEWEST, MOST)
        asked = ask_many(scene, wanted, random)
        if len(asked) == wanted:
            questions -= wanted
            yield scene, asked
