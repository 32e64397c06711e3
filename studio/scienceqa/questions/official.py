"""ScienceQA's official layout: ``problems.json``, ``pid_splits.json`` and ``images/SPLIT/PID/image.png``."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.files import open_atomic, write_atomic
from studio.scienceqa.questions.pictures import open_picture
from studio.scienceqa.questions.record import SPLITS, Question

PROBLEMS, PID_SPLITS, IMAGES, PICTURE = "problems.json", "pid_splits.json", "images", "image.png"
TEXTS = ("hint", "task", "grade", "subject", "topic", "category", "skill", "lecture", "solution")
"""Fields that are plain text, in the data set's own names."""
_PNG = b"\x89PNG\r\n\x1a\n"
_PLAIN_PID = re.compile(r"\w[\w.-]{0,99}")


def write(folder: Path, questions: Iterable[Question], *, replace: bool = False) -> Iterator[int]:
    """Write questions as they come; ``problems.json`` appears last, so it is there only when all else is.

    Args:
        folder: Where to; made if missing.
        questions: Any number; each is written before the next is asked for. A picture that is no PNG becomes one.
        replace: Whether questions that the folder holds already may be replaced.

    Yields:
        How many have been written, after each.

    Raises:
        StudioError: The folder holds questions already or cannot be written, an id is there twice or cannot name a
            folder, a split is unknown, or a picture cannot be read.
    """
    pids: dict[str, list[str]] = {split: [] for split in SPLITS}
    seen: set[str] = set()
    try:
        _clear(folder, replace)
        with open_atomic(folder / PROBLEMS) as file:
            for number, question in enumerate(questions):
                _check(question, seen)
                _write_picture(folder, question)
                file.write(b",\n" if number else b"{\n")
                file.write(f"{json.dumps(question.pid)}: {json.dumps(_record(question))}".encode())
                pids[question.split].append(question.pid)
                yield number + 1
            file.write(b"\n}\n" if seen else b"{}\n")
            write_atomic(folder / PID_SPLITS, json.dumps(pids))
    except OSError as error:
        reason = error.strerror or str(error)
        raise StudioError(f"The questions cannot be written to '{folder}': {reason}.", "Name another folder.") from None


def _clear(folder: Path, replace: bool) -> None:
    """Take away what says that the folder is whole, and what a kill left half-written."""
    if (folder / PROBLEMS).exists() and not replace:
        raise StudioError(f"'{folder}' holds questions already.", "Name another folder.")
    for path in [folder / PROBLEMS, *folder.glob(f".{PROBLEMS}.*.tmp")]:
        path.unlink(missing_ok=True)


def _check(question: Question, seen: set[str]) -> None:
    if not _PLAIN_PID.fullmatch(question.pid):
        what = f"The id '{question.pid[:100]}' cannot name a folder."
        raise StudioError(what, "Use up to 100 letters, digits, full stops and hyphens.")
    if question.pid in seen:
        raise StudioError(f"The id '{question.pid}' is there twice.", "Give each question its own.")
    if question.split not in SPLITS:
        raise StudioError(f"The question '{question.pid}' is of no split.", f"Splits are {', '.join(SPLITS)}.")
    seen.add(question.pid)


def _write_picture(folder: Path, question: Question) -> None:
    if question.image is None:
        return
    data = question.image.read_bytes() if isinstance(question.image, Path) else question.image
    if not data.startswith(_PNG):
        buffer = io.BytesIO()
        picture = open_picture(question)
        assert picture is not None
        picture.save(buffer, "PNG")
        data = buffer.getvalue()
    path = folder / IMAGES / question.split / question.pid / PICTURE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)  # not flushed one by one: without problems.json it counts for nothing


def _record(question: Question) -> Mapping[str, Any]:
    """Return a question in the data set's own fields; ``family``, which those lack, only where it is known."""
    found: dict[str, Any] = {
        "question": question.question,
        "choices": list(question.choices),
        "answer": question.answer,
        **{name: getattr(question, name) for name in TEXTS},
        "image": None if question.image is None else PICTURE,
        "split": question.split,
    }
    return found | ({"family": question.family} if question.family else {})
