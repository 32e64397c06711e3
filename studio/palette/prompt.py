"""What a palette model is asked and how it answers, word for word; loads nothing heavy."""

from __future__ import annotations

import json
from collections.abc import Sequence

COLOURS = 4
"""Colours of a palette, always."""

_PROMPT = (
    "You are a palette generator. Given a theme description, "
    "output ONLY a JSON array of exactly 4 hex colors (lowercase), "
    "no extra text.\n\n"
    "Description: {description}\nColors:"
)


def prompt(description: str) -> str:
    """Return what stands before the answer; white space in a description counts as single spaces.

    Args:
        description: Any words, such as ``fresh greens with a vibrant twist``.
    """
    return _PROMPT.format(description=" ".join(description.split()))


def target(colours: Sequence[str]) -> str:
    """Return an answer as it follows the prompt, before the end token: `` ["#c5d70f", "#4dd70f", …]``, space included.

    Args:
        colours: Four of them, ``#rrggbb`` in lower case.
    """
    return " " + json.dumps(list(colours))
