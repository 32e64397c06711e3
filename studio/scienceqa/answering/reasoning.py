"""What a written answer says: its reasoning, and the choice it ends on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from studio.scienceqa.model.prompts import Template
from studio.scienceqa.questions.record import LETTERS

_CONCLUSIONS: dict[Template, re.Pattern[str]] = {
    "studio": re.compile(r"the answer is\b:?", re.IGNORECASE),
    "seed": re.compile(r"\**final answer:?\**:?", re.IGNORECASE),
}
_LETTER = re.compile(rf"\(?([{LETTERS}])(?:\)|\.|:|\s|$)")
_MARKS = " \t\n.*:\"'"


@dataclass(frozen=True)
class Written:
    """A written answer, taken apart.

    Attributes:
        reasoning: What stands before the conclusion; all of it where there is none.
        choice: Index of the choice it ends on; None where it names none.
    """

    reasoning: str
    choice: int | None


def take_apart(text: str, choices: Sequence[str], template: Template = "studio") -> Written:
    """Take a written answer apart.

    The last conclusion counts ("The answer is", or the seed's "Final Answer"). It names a choice by its letter, or by
    its words; a text without a conclusion names one only where it is nothing but a letter.

    Args:
        text: As the model wrote it.
        choices: What could be chosen.
        template: Whose words the model has learnt.
    """
    found = list(_CONCLUSIONS[template].finditer(text))
    if not found:
        bare = text.strip(_MARKS)
        return Written(text.strip(), _by_letter(bare, choices) if len(bare.strip("()")) == 1 else None)
    conclusion = text[found[-1].end() :].strip(_MARKS)
    named = _by_words(conclusion, choices)  # first, since a choice may itself begin as a letter does
    return Written(text[: found[-1].start()].strip(), _by_letter(conclusion, choices) if named is None else named)


def _by_letter(text: str, choices: Sequence[str]) -> int | None:
    found = _LETTER.match(text)
    index = LETTERS.index(found[1]) if found else len(choices)
    return index if index < len(choices) else None


def _by_words(text: str, choices: Sequence[str]) -> int | None:
    """Return the choice that a text is, capitals aside where they tell no two choices apart."""
    for plain in (str, str.casefold):
        same = [index for index, choice in enumerate(choices) if plain(choice.strip(_MARKS)) == plain(text)]
        if len(same) == 1:
            return same[0]
    return None
