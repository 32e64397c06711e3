"""The table of questions: a CSV read as text, row by row, and why rows cannot be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from studio.errors import StudioError
from studio.tables import rows

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "question_id": ("question_id",),
    "image_id": ("image_id", "image_name"),
    "question": ("question",),
    "answer": ("answer", "gt_answer"),
}
"""What a table must have, and the names it may have it under; of several, a row's first that says something counts."""

SUFFIXES = (".jpg", ".jpeg", ".png")
"""Extensions of pictures, in any case; a name without one is tried with each."""


@dataclass(frozen=True)
class Question:
    """One usable row.

    Attributes:
        row: Its number as a spreadsheet counts: the header is row 1.
        question_id: Its id, as written.
        image_id: The picture's name, as written.
        picture: The picture's file.
        question: What is asked, without the white space around it.
        answer: The true answer, as written; may be empty.
        extra: The other columns.
    """

    row: int
    question_id: str
    image_id: str
    picture: Path
    question: str
    answer: str
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be used, and the sentence that says why."""

    row: int
    question_id: str
    image_id: str
    reason: str


def read(path: Path, images: Path) -> tuple[list[Question], list[BadRow]]:
    """Read a table; every value is text, so that no id, ``NA`` or ``001`` is taken for something else.

    Args:
        path: A CSV in UTF-8 with a header; commas, semicolons or tabs part its fields.
        images: The folder its pictures lie in.

    Returns:
        The usable rows and the others, each in the table's order.

    Raises:
        StudioError: The file cannot be read, has no rows or lacks a column, or the folder does not exist.
    """
    if not images.is_dir():
        raise StudioError(f"The folder of pictures {images} does not exist.", "Give the folder the table's names mean.")
    good: list[Question] = []
    bad: list[BadRow] = []
    seen: dict[str, int] = {}
    number = 1
    for number, header, values in _rows(path):
        record = dict(zip(header, values, strict=False))
        found = {name: _first(record, names) for name, names in COLUMNS.items()}
        where = (number, found["question_id"], found["image_id"])
        try:
            _check(found, values, header, seen)
            picture = find_picture(images, found["image_id"])
        except ValueError as error:
            bad.append(BadRow(*where, str(error)))
            continue
        seen[found["question_id"]] = number
        known = {name for names in COLUMNS.values() for name in names}
        extra = {name: value for name, value in record.items() if name and name not in known}
        good.append(Question(*where, picture, found["question"].strip(), found["answer"], extra))
    if number == 1:
        raise StudioError(f"{path.name} has no rows.", "Give a table with at least one question.")
    return good, bad


def by_picture(questions: Sequence[Question]) -> list[Question]:
    """Return the questions with those about one picture beside each other, pictures in order of first mention."""
    groups: dict[str, list[Question]] = {}
    for question in questions:
        groups.setdefault(question.image_id, []).append(question)
    return [question for group in groups.values() for question in group]


def pictures(path: Path) -> list[str]:
    """Return the names of the pictures a table mentions, each once, in order.

    Raises:
        StudioError: As `read`, of the file.
    """
    names = (_first(dict(zip(header, values, strict=False)), COLUMNS["image_id"]) for _, header, values in _rows(path))
    return list(dict.fromkeys(name.strip() for name in names if name.strip()))


def _rows(path: Path) -> Iterator[tuple[int, list[str], list[str]]]:
    """Yield each row's number, the header, and its fields; empty lines are passed over."""
    found = rows(path)
    _, header = next(found)
    _check_header(path, header)
    yield from ((number, header, values) for number, values in found)


def _check_header(path: Path, header: Sequence[str]) -> None:
    if not any(header):
        raise StudioError(f"{path.name} is empty.", f"Its first row must name the columns: {', '.join(COLUMNS)}.")
    for names in COLUMNS.values():
        if not set(names) & set(header):
            what = f"{path.name} has no column '{' or '.join(names)}'."
            raise StudioError(what, f"It has: {', '.join(filter(None, header))}.")


def _first(record: Mapping[str, str], names: Sequence[str]) -> str:
    return next((record[name] for name in names if record.get(name, "").strip()), "")


def _check(found: Mapping[str, str], values: Sequence[str], header: Sequence[str], seen: Mapping[str, int]) -> None:
    if len(values) > len(header):
        raise ValueError(f"The row has {len(values)} fields and the header {len(header)}; quote texts with commas.")
    for name in ("question_id", "image_id", "question"):
        if not found[name].strip():
            raise ValueError(f"The column '{name}' is empty.")
    if found["question_id"] in seen:
        raise ValueError(f"The id '{found['question_id']}' is that of row {seen[found['question_id']]} already.")


def find_picture(images: Path, name: str) -> Path:
    """Return the file a picture's name means, within the folder.

    Raises:
        ValueError: A sentence that says why there is none.
    """
    pure = PurePath(name.strip())
    if pure.is_absolute() or ".." in pure.parts or "\0" in name:
        raise ValueError(f"The picture's name '{name}' leads out of the folder.")
    exact = images / pure
    if pure.suffix.lower() in SUFFIXES:
        if exact.is_file():
            return exact
        raise ValueError(f"There is no picture '{name}' in the folder.")
    for suffix in [one for each in SUFFIXES for one in (each, each.upper())]:
        if (path := exact.with_name(exact.name + suffix)).is_file():
            return path
    if exact.is_file():
        raise ValueError(f"'{name}' is no {', '.join(each[1:].upper() for each in SUFFIXES)} file.")
    raise ValueError(f"There is no picture '{name}' in the folder.")
