"""What every record must be to become a question, whichever layout it comes in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.scienceqa.questions.pictures import Folder, check_encoded
from studio.scienceqa.questions.record import LETTERS, SPLITS, Question, Unusable

MOST_TEXT = 20_000
"""Characters of one text; the longest of ScienceQA has under 5,000."""
TEXTS = ("hint", "lecture", "solution", "subject", "topic", "category", "skill", "task", "grade", "family")
"""Fields of a question that are plain text and may be empty."""
_MOST_PID = 200  # characters
_SPLITS = {
    **{split: split for split in SPLITS},
    **dict.fromkeys(("training",), "train"),
    **dict.fromkeys(("validation", "valid", "dev"), "val"),
}
_HALF = re.compile("[\ud800-\udfff]")  # JSON can hold it, and no file written in UTF-8
_SPLIT = re.compile(rf"(?<![a-z])({'|'.join(_SPLITS)})(?![a-z])")


@dataclass(frozen=True)
class Raw:
    """A record as its file holds it, nothing checked.

    Attributes:
        place: Where it stands, such as ``row 12``; names it where it has no id.
        pid: Its id.
        values: The fields of `Question` under their names, the picture aside.
        split: Its split; empty where the file says none.
        image: Its picture's bytes, or the names that its file may have, of which the first that is there counts.
        trouble: Why it cannot be used, where that is known already.
    """

    place: str
    pid: object
    values: Mapping[str, Any] = field(repr=False)
    split: str = ""
    image: object = field(default=None, repr=False)
    trouble: Unusable | None = None

    @property
    def name(self) -> str:
        """Its id, or its place where that is none."""
        return str(self.pid)[:_MOST_PID] if isinstance(self.pid, str | int) and str(self.pid).strip() else self.place


def split_of(text: object) -> str:
    """Return the split that a word means (``validation`` is ``val``); the word itself where it means none."""
    word = text.strip().lower() if isinstance(text, str) else ""
    return _SPLITS.get(word, word)


def split_in(name: str) -> str:
    """Return the split that a file's name says, empty for none: ``llava_test_CQM-A`` says ``test``."""
    found = _SPLIT.search(name.lower())
    return split_of(found[1]) if found else ""


def check(raw: Raw, split: str, folder: Folder) -> Question:
    """Make a question of a record.

    Args:
        raw: The record.
        split: Its split, where it says none itself.
        folder: Where its picture lies, if that is a file.

    Raises:
        Unusable: It lacks something, or something in it is wrong.
    """
    if raw.trouble is not None:
        raise raw.trouble
    if (raw.split or split) not in SPLITS:
        raise Unusable(f"Its split '{raw.split[:40]}' is none of {', '.join(SPLITS)}.")
    asked = text(raw.values.get("question"), "question")
    if not asked:
        raise Unusable("It has no question.")
    choices = _choices(raw.values.get("choices"))
    return Question(
        pid=_pid(raw.pid),
        split=raw.split or split,
        question=asked,
        choices=choices,
        answer=_answer(raw.values.get("answer"), len(choices)),
        image=_image(raw.image, folder),
        **{name: text(raw.values.get(name), name) for name in TEXTS},
    )


def text(value: object, name: str) -> str:
    """Return a text without the white space around it; None is empty.

    Raises:
        Unusable: It is no text, too long, or holds half of a character.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unusable(f"Its {name} is not text.")
    if len(value) > MOST_TEXT:
        raise Unusable(f"Its {name} has {len(value):,} characters, and {MOST_TEXT:,} are allowed.")
    if not value.isascii() and _HALF.search(value):
        raise Unusable(f"Its {name} holds half of a character.")
    return value.strip()


def _pid(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise Unusable("It has no id.")
    pid = text(str(value), "id")
    if len(pid) > _MOST_PID or not pid.isprintable():
        raise Unusable(f"Its id has over {_MOST_PID} characters, or some that cannot be shown.")
    return pid


def _choices(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise Unusable("Its choices are no list.")
    if len(value) == 1 or len(value) > len(LETTERS):
        raise Unusable(f"It has {len(value):,} choice{'s' * (len(value) > 1)}; there must be 2 to {len(LETTERS)}.")
    choices = tuple(text(each, f"choice {letter}") for each, letter in zip(value, LETTERS, strict=False))
    if "" in choices:
        raise Unusable(f"Its choice {LETTERS[choices.index('')]} is empty.")
    return choices


def _answer(value: object, choices: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unusable("Its answer is not the index of a choice.")
    if not 0 <= value < choices:
        raise Unusable(f"Its answer is choice {value}, counted from 0, and it has {choices} choices.")
    return value


def _image(value: object, folder: Folder) -> Any:
    if value is None:
        return None
    if isinstance(value, bytes):
        check_encoded(value[:64], "Its picture")
        return value
    if isinstance(value, tuple) and all(isinstance(name, str) for name in value):
        return folder.find(value)
    raise Unusable("Its image is not the name of a file.")
