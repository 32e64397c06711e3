"""Files of answers: the official result JSON, written and read, and LLaVA's answers, read as its own scorer does."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.scienceqa.questions.record import LETTERS, Question

_KINDS = 'Give a .json with {"results": {"<id>": <index of the choice>}}, or the .jsonl that LLaVA writes.'
LLAVA = "ABCDE"
"""The letters of LLaVA's scorer."""

_STATED = re.compile(r"The answer is ([A-Z]).")  # its last dot stands for any letter, as in LLaVA's scorer


@dataclass(frozen=True)
class Results:
    """Answers of somebody's model.

    Attributes:
        chosen: Index of the choice by question's id; None where no choice could be made out, which counts as wrong.
        notes: Sentences on what is missing or over.
    """

    chosen: Mapping[str, int | None]
    notes: tuple[str, ...]


def official(chosen: Mapping[str, int | None]) -> str:
    """Return the official JSON; -1 stands for no choice, as LLaVA writes it."""
    return json.dumps({"results": {pid: -1 if one is None else one for pid, one in chosen.items()}}, indent=1)


def read(path: Path, questions: Sequence[Question]) -> Results:
    """Read the answers to these questions.

    Raises:
        StudioError: The file cannot be read, is neither kind, or answers none of the questions.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror or str(error) if isinstance(error, OSError) else "it is no text"
        raise StudioError(f"The results {path.name} cannot be read: {reason.lower()}.", _KINDS) from None
    options = max([LLAVA, *(LETTERS[: len(one.choices)] for one in questions)], key=len)
    found = _texts(text, path, options) if path.suffix == ".jsonl" else _indices(text, path)
    chosen = {one.pid: _choice(found[one.pid], len(one.choices)) for one in questions if one.pid in found}
    if not chosen:
        what = f"The results {path.name} answer none of the {len(questions)} questions."
        raise StudioError(what, "Give the questions and the split that they are for.")
    return Results({one.pid: chosen.get(one.pid) for one in questions}, _notes(found, chosen, questions))


def stated_letter(text: str, options: str = LLAVA) -> str | None:
    """Return the letter that LLaVA's scorer finds in an answer; None for none.

    That is a bare letter of the options, one with a dot and a blank at the beginning, or the letter (any) of the only
    "The answer is X.".
    """
    if len(text) == 1 and text in options:
        return text
    if len(text) >= 3 and text[0] in options and text[1:3] == ". ":
        return text[0]
    found = _STATED.findall(text)
    return str(found[0]) if len(found) == 1 else None


def _choice(given: int | str | None, count: int) -> int | None:
    index = LETTERS.find(given) if isinstance(given, str) and given else given
    return index if isinstance(index, int) and 0 <= index < count else None


def _indices(text: str, path: Path) -> dict[str, int | str | None]:
    try:
        results = json.loads(text)["results"]
        return {str(pid): _whole(index) for pid, index in results.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StudioError(f"The results {path.name} are not in the official layout.", _KINDS) from None


def _whole(index: Any) -> int:
    if isinstance(index, bool) or int(index) != float(index):
        raise ValueError("not a whole number")
    return int(index)


def _texts(text: str, path: Path, options: str) -> dict[str, int | str | None]:
    found: dict[str, int | str | None] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            found[str(row["question_id"])] = stated_letter(str(row["text"]), options)
        except (ValueError, KeyError, TypeError):
            raise StudioError(f"Line {number} of {path.name} is no answer as LLaVA writes it.", _KINDS) from None
    return found


def _notes(found: Mapping[str, Any], chosen: Mapping[str, Any], questions: Sequence[Question]) -> tuple[str, ...]:
    missing, over = len(questions) - len(chosen), len(found) - len(chosen)
    unread = sum(one is None for one in chosen.values())
    told = []
    if missing:
        told.append(f"{missing} of {len(questions)} questions are not in the file; they count as wrong.")
    if unread:
        told.append(f"In {unread} answers no choice can be made out; they count as wrong.")
    if over:
        told.append(f"{over} answers in the file are to other questions.")
    return tuple(told)
