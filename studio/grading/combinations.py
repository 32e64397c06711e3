"""A library's list of looks: one a line, with lists in braces that stand for every combination."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

from studio.errors import StudioError
from studio.grading.config import LONGEST_PROMPT, MOST_LIBRARY_LOOKS, weighted_looks

_LIST = re.compile(r"\{([^{}]*)\}")


def read(path: Path) -> str:
    """Return the text of a file of looks.

    Raises:
        StudioError: It cannot be read, or is no text.
    """
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise StudioError(f"'{path}' cannot be read: {error.strerror}.", "Name a text file, one look a line.") from None
    except UnicodeDecodeError:
        raise StudioError(f"'{path.name}' is no text in UTF-8.", "Name a text file, one look a line.") from None


def expand(text: str) -> list[str]:
    """Return the looks of a list, each once, in order.

    A line ``{warm, cold} {city, forest}`` stands for its four combinations; an item may be empty, ``{, very} warm``.
    Empty lines and what follows a ``#`` are passed over.

    Raises:
        StudioError: There is no look, there are too many, or a line has unmatched braces or a wrong weight; the line
            is named.
    """
    looks: dict[str, None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for words in _combinations(line.partition("#")[0], number):
            looks[words] = None
            if len(looks) > MOST_LIBRARY_LOOKS:
                raise StudioError(f"The list stands for over {MOST_LIBRARY_LOOKS} looks.", "Make several libraries.")
    if not looks:
        raise StudioError("The list holds no look.", "Write one a line, such as 'warm golden hour'.")
    return list(looks)


def _combinations(line: str, number: int) -> list[str]:
    parts = _LIST.split(line)  # text, list, text, list, ..., text
    if any(brace in part for part in parts for brace in "{}"):
        raise StudioError(f"Line {number} of the list has a brace without its other.", "Write lists as {warm, cold}.")
    choices = [part.split(",") if index % 2 else [part] for index, part in enumerate(parts)]
    most = 1
    for choice in choices:
        most *= len(choice)
    if most > MOST_LIBRARY_LOOKS:
        raise StudioError(
            f"Line {number} of the list stands for {most} looks, over {MOST_LIBRARY_LOOKS}.", "Make several libraries."
        )
    found = [" ".join("".join(chosen).split()) for chosen in itertools.product(*choices)]
    for words in found:
        try:
            weighted_looks(words)
        except ValueError as error:
            raise StudioError(f"Line {number} of the list cannot be read: {error}.", "Write one look a line.") from None
        if len(words) > LONGEST_PROMPT:
            raise StudioError(f"Line {number} of the list is too long.", f"Keep it to {LONGEST_PROMPT} characters.")
    return [words for words in found if words]
