"""What a run has committed: one line a commit, appended, so that a commit is whole or absent."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from studio.embeddings.store.records import Failure
from studio.files import slug

NAME = "manifest.jsonl"
_PART = re.compile(r"[\w-]+_embeddings_part_([0-9]{3,9})\.h5")


@dataclass(frozen=True)
class Line:
    """One commit.

    Attributes:
        part: The file's name; empty where only failures were recorded.
        sha256: Of the file, 64 hexadecimal digits.
        bytes: Its length.
        question_ids: Of its questions, as the CSV has them, in order.
        failures: The rows that failed.
        retried: The rows whose standing failures this commit ends.
    """

    part: str
    sha256: str
    bytes: int
    question_ids: tuple[str, ...]
    failures: tuple[Failure, ...]
    retried: tuple[int, ...]


@dataclass(frozen=True)
class Manifest:
    """The commits of a run.

    Attributes:
        lines: In order.
        length: Bytes of the file up to the end of its last line.
        notes: Sentences on what could not be read.
    """

    lines: tuple[Line, ...] = ()
    length: int = 0
    notes: tuple[str, ...] = ()


def part_name(model: str, number: int) -> str:
    """Return the name of a part's file, such as ``gemma3_12b_embeddings_part_001.h5``."""
    name = slug(model.rsplit("/")[-1]).replace("-", "_")
    return f"{name}_embeddings_part_{number:03d}.h5"


def part_number(name: str) -> int | None:
    """Return the number of a part's file, from 1; None for any other name."""
    found = _PART.fullmatch(name)
    return int(found[1]) if found else None


def read(folder: Path) -> Manifest:
    """Read the manifest of a run; a line that is torn or damaged is passed over and noted.

    Raises:
        OSError: It cannot be read.
    """
    try:
        data = (folder / NAME).read_bytes()
    except FileNotFoundError:
        return Manifest()
    whole = data.rfind(b"\n") + 1
    notes = [] if whole == len(data) else ["The last line of the manifest was torn; its part does not count."]
    lines: list[Line] = []
    for number, text in enumerate(data[:whole].splitlines(), 1):
        try:
            lines.append(_parse(json.loads(text)))
        except (ValueError, TypeError, KeyError):
            notes.append(f"Line {number} of the manifest is damaged; its part does not count.")
    return Manifest(tuple(lines), whole, tuple(notes))


def append(folder: Path, line: Line, length: int) -> int:
    """Add a line that is on the disk when this returns, and return the new length.

    Args:
        folder: The run's.
        line: The commit.
        length: Bytes of the manifest so far; what stands behind them, torn by a power cut or a full disk, is cut off.

    Raises:
        OSError: It cannot be written; the next line takes the place of what there is of this one.
    """
    text = json.dumps(asdict(line)).encode() + b"\n"
    with open(folder / NAME, "ab") as file:
        file.truncate(length)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return length + len(text)


def standing(lines: Iterable[Line]) -> tuple[Failure, ...]:
    """Return the failures that no later commit has ended, by row."""
    found: dict[int, Failure] = {}
    for line in lines:
        for row in line.retried:
            found.pop(row, None)
        found |= {failure.row: failure for failure in line.failures}
    return tuple(found[row] for row in sorted(found))


def _parse(data: Any) -> Line:
    line = Line(
        part=str(data["part"]),
        sha256=str(data["sha256"]),
        bytes=int(data["bytes"]),
        question_ids=tuple(map(str, data["question_ids"])),
        failures=tuple(Failure(**failure) for failure in data["failures"]),
        retried=tuple(map(int, data["retried"])),
    )
    if line.part and part_number(line.part) is None:  # a name from a file may not lead elsewhere
        raise ValueError("no name of a part")
    return line
