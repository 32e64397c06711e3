"""ScienceQA's official layout, read and written.

``problems.json`` is one object: each question under its id, in the fields question, choices (a list), answer (the
index of the right one), hint, image (the name of a file in ``images/SPLIT/PID``, or null), task, grade, subject,
topic, category, skill, lecture, solution and split. ``pid_splits.json`` names the ids of train, val and test; other
lists in it, such as minival, are passed over.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.files import open_atomic, write_atomic
from studio.scienceqa.questions.checking import TEXTS, Raw, split_of
from studio.scienceqa.questions.jsonfiles import Object, load
from studio.scienceqa.questions.pictures import open_picture
from studio.scienceqa.questions.record import SPLITS, Question, Unusable

PROBLEMS, PID_SPLITS, IMAGES, PICTURE = "problems.json", "pid_splits.json", "images", "image.png"
_PNG = b"\x89PNG\r\n\x1a\n"
_PLAIN_PID = re.compile(r"\w[\w.-]{0,99}")


def records(problems: Mapping[str, Any], folder: Path) -> Iterator[Raw]:
    """Yield the records of a set, in the order of ``problems.json``, and then those that only a split names.

    Args:
        problems: What ``problems.json`` holds.
        folder: Where ``pid_splits.json`` lies; where it is missing, each record says its split itself.

    Raises:
        StudioError: ``pid_splits.json`` is no such file.
    """
    splits = _read_splits(folder / PID_SPLITS)
    for pid in [*problems, *(pid for pid in splits if pid not in problems)]:
        problem = problems.get(pid)
        named = splits.get(pid, [])
        trouble = None
        if problem is None:
            trouble = Unusable(f"{PID_SPLITS} names it, and {PROBLEMS} does not hold it.")
        elif not isinstance(problem, Mapping):
            trouble = Unusable("It is no JSON object.")
        elif len(named) > 1:
            trouble = Unusable(f"{PID_SPLITS} has it in {' and in '.join(named)}.")
        fields = problem if isinstance(problem, Mapping) else {}
        split = named[0] if named else split_of(fields.get("split"))
        if splits and not split:
            trouble = trouble or Unusable(f"{PID_SPLITS} does not name it.")
        image = fields.get("image")
        names = (f"{split}/{pid}/{image}",) if isinstance(image, str) else image
        yield Raw(f"the id '{pid}'", pid, fields, split, names, trouble)
    for pid in getattr(problems, "repeated", ()):
        yield Raw(
            f"the id '{pid}'", pid, {}, trouble=Unusable(f"{PROBLEMS} holds it more than once; the first counts.")
        )


def _read_splits(path: Path) -> dict[str, list[str]]:
    """Return the splits that name each id; none where there is no such file."""
    if not path.exists():
        return {}
    found = load(path)
    lists = [(split, found.get(split, [])) for split in SPLITS] if isinstance(found, Object) else [("", None)]
    splits: dict[str, list[str]] = {}
    for split, pids in lists:
        if not isinstance(pids, list) or not all(isinstance(pid, str | int) for pid in pids):
            raise StudioError(f"{path.name} is no object of lists of ids.", "Give the one of the data set.")
        for pid in dict.fromkeys(map(str, pids)):
            splits.setdefault(pid, []).append(split)
    return splits


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
        **{name: getattr(question, name) for name in TEXTS if name != "family"},
        "image": None if question.image is None else PICTURE,
        "split": question.split,
    }
    return found | ({"family": question.family} if question.family else {})
