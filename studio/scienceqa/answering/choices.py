"""The choices of a question as a person types them."""

from __future__ import annotations

import json
import re

from studio.errors import StudioError
from studio.scienceqa.questions.record import LETTERS

_LABEL = re.compile(r"\(?([A-Za-z])\)\s*(?=\S)|([A-Z])\.\s+(?=\S)")
_HOW = "Separate them with ';', as in \"attract; repel\", or give a JSON list."


def parse(text: str) -> tuple[str, ...]:
    """Return the choices in a text, none for an empty one.

    Args:
        text: A JSON list of texts or numbers, or choices with ``;`` between them. Where every choice has its own letter
            before it (``A) ``, ``(A) ``, ``A. ``), in order, the letters are taken off.

    Raises:
        StudioError: It is no such list, there are not two to ten choices, or one is empty or there twice.
    """
    if not text.strip():
        return ()
    found = _bare(_split(text.strip()))
    if not 2 <= len(found) <= len(LETTERS):
        only = "is 1 choice" if len(found) == 1 else f"are {len(found)} choices"
        raise StudioError(f"There {only}, and a question has 2 to {len(LETTERS)}.", _HOW)
    for number, choice in enumerate(found, 1):
        if not choice:
            raise StudioError(f"Choice {number} of {len(found)} is empty.", _HOW)
        if choice in found[: number - 1]:
            raise StudioError(f"The choice '{choice}' is there twice.", "Give every choice once.")
    return tuple(found)


def _split(text: str) -> list[str]:
    if not text.startswith("["):
        return [part.strip() for part in text.removesuffix(";").split(";")]
    try:
        found = json.loads(text)
    except ValueError as error:
        raise StudioError(f"The choices are not a JSON list: {error}.", _HOW) from None
    if any(isinstance(one, bool) or not isinstance(one, str | int | float) for one in found):
        raise StudioError("A choice of the JSON list is neither a text nor a number.", _HOW)
    return [str(one).strip() for one in found]


def _bare(choices: list[str]) -> list[str]:
    """Take off letters before the choices: of all or of none, so that "E. coli" stays what it is."""
    labels = [_LABEL.match(choice) for choice in choices]
    letters = "".join((one[1] or one[2]).upper() if one else "?" for one in labels)
    if letters == LETTERS[: len(choices)]:
        return [choice[one.end() :] if one else choice for choice, one in zip(choices, labels, strict=True)]
    if len(choices) > 1 and all(one and one[1] for one in labels):
        what = f"The choices are lettered {', '.join(letters)}, and not {', '.join(LETTERS[: len(choices)])}."
        raise StudioError(what, "Put them in order, or leave the letters out.")
    return choices
