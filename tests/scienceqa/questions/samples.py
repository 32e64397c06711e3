"""Questions and pictures to try things on."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

from studio.scienceqa.questions.record import Question, QuestionSet


def encoded(colour: str = "red", kind: str = "PNG", size: tuple[int, int] = (24, 8)) -> bytes:
    """A picture of one colour as a file holds it."""
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind)
    return buffer.getvalue()


def save(path: Path, colour: str = "red", **keywords: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(colour, **keywords))
    return path


def question(pid: str = "1", **changes: Any) -> Question:
    """A whole question without a picture."""
    values: dict[str, Any] = {
        "pid": pid,
        "split": "train",
        "question": "Will these magnets attract or repel each other?",
        "choices": ("repel", "attract"),
        "answer": 1,
        "hint": "Two magnets lie side by side.",
        "lecture": "Unlike poles attract.",
        "solution": "North faces south. Unlike poles attract.",
        "subject": "natural science",
        "topic": "physics",
        "category": "Magnets",
        "skill": "Predict the force",
        "task": "closed choice",
        "grade": "grade5",
        "family": "attract",
    }
    return Question(**(values | changes))


def reasons(found: QuestionSet) -> dict[str, str]:
    """Why records were passed over, by id or place."""
    return {each.pid: each.reason for each in found.rejected}
