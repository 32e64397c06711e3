"""A CSV of questions.

Its first row names the columns, in any order and in upper or lower case:

* ``question``: what is asked; the only one it must have.
* ``pid``, ``id`` or ``question_id``: the id; without such a column, ``row-2`` for the first row under the header.
* ``choices``: a JSON list, or the choices with ``;`` between them. Or a column for each: ``choice_a``, ``choice_b``
  ... or ``a``, ``b`` ..., of which those at the end may be empty. A row without choices asks a free question.
* ``answer``: a letter (``B``, ``b``, ``(B)``), an index from 0, or the right choice's text; one that can mean two
  choices is refused. Of a free question it is the answer itself. Empty where it is unknown.
* ``image``: a picture's path within the folder of pictures; empty for a question of text alone.
* ``hint`` or ``context``, ``lecture``, ``solution``, ``subject``, ``topic``, ``category``, ``skill``, ``task``,
  ``grade`` (``grade5``, or ``5``), ``family``, ``split`` (``train``, ``val`` or ``test``).

Other columns are passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.scienceqa.questions.checking import TEXTS, Raw, split_of
from studio.scienceqa.questions.jsonfiles import check_size
from studio.scienceqa.questions.record import LETTERS, Unusable
from studio.tables import rows

_IDS = ("pid", "id", "question_id")
_HINTS = ("hint", "context")
_LETTER = re.compile(r"\(?([A-Za-z])[).]?")


def records(path: Path, split: str = "") -> Iterator[Raw]:
    """Yield the records of a table.

    Args:
        path: The file.
        split: The split that its name says, if any; a row's own counts more.

    Raises:
        StudioError: The file cannot be read, is too large or lacks the column ``question``.
    """
    check_size(path)
    found = rows(path)
    _, header = next(found)
    if "question" not in header:
        columns = ", ".join(filter(None, header)) or "none"
        raise StudioError(f"{path.name} has no column 'question'.", f"Its first row names: {columns}.")
    own = next((name for name in _IDS if name in header), None)
    for number, values in found:
        row = {name: value.strip() for name, value in reversed([*zip(header, values, strict=False)])}
        pid = row.get(own, "") if own else f"row-{number}"
        place, own_split = f"row {number}", split_of(row.get("split")) or split
        image = (row["image"],) if row.get("image") else None
        try:
            if len(values) > len(header):
                raise Unusable(
                    f"The row has {len(values)} fields and the header {len(header)}; quote texts with commas."
                )
            yield Raw(place, pid, _fields(row), own_split, image)
        except Unusable as error:
            yield Raw(place, pid, {}, own_split, trouble=error)


def _fields(row: Mapping[str, str]) -> dict[str, Any]:
    choices = _choices(row)
    fields: dict[str, Any] = {name: row.get(name, "") for name in ("question", *TEXTS)}
    fields["hint"] = next((row[name] for name in _HINTS if row.get(name)), "")
    if fields["grade"].isdecimal():
        fields["grade"] = f"grade{fields['grade']}"
    answer = row.get("answer", "")
    if choices:
        return fields | {"choices": choices, "answer": _answer(answer, choices)}
    return fields | {"solution": "\n".join(filter(None, (fields["solution"], answer)))}


def _choices(row: Mapping[str, str]) -> list[Any]:
    whole = row.get("choices", "")
    if whole.startswith("["):
        try:
            found = json.loads(whole, parse_int=str, parse_float=str)
        except (ValueError, RecursionError):
            raise Unusable("Its choices begin with '[' and are no JSON list.") from None
        return found if isinstance(found, list) else [found]
    if whole:
        return [choice.strip() for choice in whole.split(";")]
    columns = [row.get(f"choice_{letter}") or row.get(letter, "") for letter in LETTERS.lower()]
    while columns and not columns[-1]:
        columns.pop()
    return list(columns)


def _answer(text: str, choices: Sequence[Any]) -> int | None:
    """Return the one choice that an answer can mean; None for no answer."""
    if not text:
        return None
    meant = {index for index, choice in enumerate(choices) if choice == text}
    if letter := _LETTER.fullmatch(text):
        index = LETTERS.find(letter[1].upper())
        meant |= {index} if 0 <= index < len(choices) else set()
    if text.isascii() and text.isdecimal() and int(text[:9]) < len(choices):
        meant.add(int(text))
    if not meant:
        raise Unusable(f"Its answer '{text[:60]}' is no letter, index or text of a choice.")
    if len(meant) > 1:
        either = " or ".join(LETTERS[index] for index in sorted(meant)[: len(LETTERS)])
        raise Unusable(f"Its answer '{text[:60]}' can mean choice {either}.")
    return meant.pop()
