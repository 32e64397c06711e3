"""JSON files of strangers: of bearable size, and one sentence whatever is wrong with them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studio.errors import StudioError

MOST_BYTES = 2**30
"""Of one file of text; ScienceQA's own has 30 MB, a million drawn questions have 700."""


class Object(dict[str, Any]):
    """A JSON object; of a key that stands in it twice the first counts."""

    repeated: tuple[str, ...] = ()
    """Keys that stand in it more than once."""


def load(path: Path) -> Any:
    """Read a JSON file whose objects are of the kind `Object`.

    Raises:
        StudioError: It is missing, too large, nested too deeply or no JSON.
    """
    try:
        return _parse(_read(path))
    except (ValueError, RecursionError) as error:
        raise StudioError(f"{path.name} cannot be read as JSON: {_reason(error)}.", "Give a file that is.") from None


def load_lines(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield each line's number, from 1, and its value, or the `ValueError` that says why it is none.

    Raises:
        StudioError: The file is missing or too large.
    """
    for number, line in enumerate(_read(path).splitlines(), 1):
        if line.strip():
            try:
                yield number, _parse(line)
            except (ValueError, RecursionError) as error:
                yield number, ValueError(f"It cannot be read as JSON: {_reason(error)}.")


def check_size(path: Path) -> None:
    """Refuse a file of text that is missing or too large.

    Raises:
        StudioError: It is.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StudioError(f"{path} cannot be read: {reason}.", "Check the path.") from None
    if size > MOST_BYTES:
        what = f"{path.name} has {size / 2**20:,.0f} MiB, and {MOST_BYTES / 2**20:,.0f} MiB are allowed."
        raise StudioError(what, "Part it into several sets.")


def _read(path: Path) -> bytes:
    check_size(path)
    try:
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StudioError(f"{path} cannot be read: {reason}.", "Check the path.") from None


def _parse(data: bytes) -> Any:
    return json.loads(data, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> Object:
    found = Object(pairs)
    if len(found) < len(pairs):
        found.update(reversed(pairs))
        found.repeated = tuple(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
    return found


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "it is not written in UTF-8"
    told = str(error).rstrip(".")
    return told[:1].lower() + told[1:]
