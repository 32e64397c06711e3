"""The pictures of questions: opened when they are looked at, within the studio's limits."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from studio.files import slug
from studio.images import admit
from studio.scienceqa.questions.record import Question
from studio.settings import Settings

if TYPE_CHECKING:
    from PIL.Image import Image


def open_picture(question: Question, settings: Settings | None = None) -> Image | None:
    """Return a question's picture: RGB, sRGB code values, upright, whole; None for a question of text alone.

    Args:
        question: Whose picture.
        settings: Its limits decide what is admitted; without it those of the environment.

    Raises:
        StudioError: It is missing, too large, damaged or no picture.
    """
    if question.image is None:
        return None
    limits = settings or Settings.from_environment()
    if isinstance(question.image, Path):
        return admit(question.image, limits)
    with tempfile.TemporaryDirectory(prefix="gemma-studio-") as folder:
        path = Path(folder) / f"the picture of {slug(question.pid)}"  # as a sentence about it will name it
        path.write_bytes(question.image)
        return admit(path, limits)
