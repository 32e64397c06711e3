"""A small set of questions in the official layout, of every kind that an evaluation tells apart."""

from __future__ import annotations

import collections
from pathlib import Path

from PIL import Image, ImageDraw

from studio.scienceqa.questions import official
from studio.scienceqa.questions.record import Question

SUBJECTS = ("natural science", "social science", "language science")


def picture(folder: Path, number: int) -> Path:
    """Draw a picture that no other number has."""
    image = Image.new("RGB", (120 if number % 3 else 40, 40 + number), "white")
    ImageDraw.Draw(image).rectangle((5, 5, 10 + 2 * number, 30), fill=(40 * number % 256, 90, 200 - 9 * number))
    path = folder / f"{number}.png"
    image.save(path)
    return path


def question(folder: Path, number: int) -> Question:
    """Make a question; every third has no picture, every second a context."""
    about = ("attract", "Will these magnets attract or repel?", ("attract", "repel"))
    if number % 2:
        about = (
            "",
            f"Which pair of {'north and ' * (number % 5)}south is it?",
            ("Pair 1", "Pair 2", "Pair 3", "Pair 4"),
        )
    family, words, choices = about
    return Question(
        f"q{number}", "test", words, choices, number % len(choices), "See the picture." if number % 4 < 2 else "",
        None if number % 3 == 0 else picture(folder, number), solution="Poles.", subject=SUBJECTS[number % 3],
        topic=("magnets", "maps")[number % 2], grade=f"grade{number % 12 + 1}", family=family,
    )  # fmt: skip


def save(folder: Path, count: int = 14) -> Path:
    """Write the set; two of its splits hold nothing that is asked."""
    pictures = folder / "drawn"
    pictures.mkdir(parents=True)
    questions = [question(pictures, number) for number in range(count)]
    collections.deque(official.write(folder / "set", questions), maxlen=0)
    return folder / "set"
