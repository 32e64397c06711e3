"""Writing a run of extraction: parts that are whole or absent, and a manifest that says which of them count.

A commit writes its part under a temporary name, flushes it, renames it, and then adds one line to the manifest. Killed
at any moment, a run loses at most the commit in hand; a part that no line names is replaced by the next.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, Timeout

from studio.embeddings.store import manifest, parts
from studio.embeddings.store.manifest import Line
from studio.embeddings.store.records import Failure, ImageRecord, QuestionRecord
from studio.errors import StudioError
from studio.files import write_atomic

__all__ = ["METADATA", "Failure", "ImageRecord", "QuestionRecord", "Store"]

METADATA = "run.json"


class Store:
    """A run that is being written; made by `open`, and closed by ``with`` or `close`.

    Attributes:
        folder: The run's.
        metadata: Of the run, as ``run.json`` has it.
        parts: File names of the parts that are whole, in order.
        done: Ids of the questions in them.
        failures: The standing ones, by row: those of rows that have been committed since are gone.
        notes: Sentences on what opening found and mended.
    """

    def __init__(self, folder: Path, metadata: Mapping[str, Any], lock: FileLock) -> None:
        self.folder = folder
        self.metadata = metadata
        self._lock = lock
        found = manifest.read(folder)
        self._length = found.length
        self._number = max((manifest.part_number(line.part) or 0 for line in found.lines), default=0)
        self.notes: tuple[str, ...] = found.notes + self._set_aside(found.lines)
        whole, lost = self._verify(found.lines)
        self.parts = tuple(line.part for line in whole)
        self.done = frozenset(each for line in whole for each in line.question_ids)
        self.notes += tuple(note for line, note in lost if not self.done.issuperset(line.question_ids))
        self.failures = manifest.standing(found.lines)

    @classmethod
    def open(cls, folder: Path, metadata: Mapping[str, Any]) -> Store:
        """Make a run in a folder, or go on with the one that is there.

        Args:
            folder: Made when missing.
            metadata: Plain data; what is under ``identity`` must be that of the run that is there, whose metadata
                stand otherwise. ``model`` names the parts; ``stored_dtype`` is "bfloat16" (the default) or "float32".

        Raises:
            StudioError: Another process writes here, the run there is of another identity, or the folder holds parts
                of an unknown run.
            OSError: The folder cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock", thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            what = f"Another process is writing to '{folder}'."
            raise StudioError(what, "Wait for it, or choose another --output-dir.") from None
        try:
            return cls(folder, _settle(folder, metadata), lock)
        except BaseException:
            lock.release()
            raise

    def commit(
        self, images: Sequence[ImageRecord], questions: Sequence[QuestionRecord], failures: Sequence[Failure] = ()
    ) -> str:
        """Add questions and failures; all of them are on the disk when this returns, or none.

        Args:
            images: Those that the questions are about, also ones that an earlier part holds.
            questions: None of them done before; their rows' failures stand no more.
            failures: Each in the place of an earlier one of its row.

        Returns:
            The name of the part's file; empty without questions, when only failures are recorded.

        Raises:
            ValueError: A question is there twice, its image is missing, or a vector is not finite.
            OSError: The disk is full or away; nothing has changed.
        """
        ids = tuple(question.question_id for question in questions)
        if len(self.done.union(ids)) < len(self.done) + len(ids):
            raise ValueError("a question is there twice")
        name, data = "", b""
        if questions:
            name = manifest.part_name(str(self.metadata["model"]), self._number + 1)
            data = parts.encode(images, questions, self.metadata)
            write_atomic(self.folder / name, data)
        if not (questions or failures):
            return ""
        rows = {question.row for question in questions}
        retried = tuple(failure.row for failure in self.failures if failure.row in rows)
        line = Line(name, hashlib.sha256(data).hexdigest(), len(data), ids, tuple(failures), retried)
        self._length = manifest.append(self.folder, line, self._length)
        self._number += bool(name)
        self.parts += (name,) if name else ()
        self.done = self.done.union(ids)
        earlier = Line("", "", 0, (), self.failures, ())
        self.failures = manifest.standing([earlier, line])
        return name

    def close(self) -> None:
        """Let others write here."""
        self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _set_aside(self, lines: Sequence[Line]) -> tuple[str, ...]:
        """Delete what a kill left half-written, and move parts that no line names out of the way.

        One with the next number is what a kill between its renaming and its line leaves; the next commit replaces it.
        """
        for path in self.folder.glob(".*.tmp"):
            path.unlink()
        listed, notes = {line.part for line in lines}, []
        for path in sorted(self.folder.glob("*.h5")):
            number = manifest.part_number(path.name)
            if number is not None and path.name not in listed and number != self._number + 1:
                notes.append(f"No line of the manifest names {path.name}; {_rename(path)}.")
        return tuple(notes)

    def _verify(self, lines: Sequence[Line]) -> tuple[list[Line], list[tuple[Line, str]]]:
        """Return the lines whose parts are as they were written, and the others, each with a note."""
        whole, lost = [], []
        for line in lines:
            path = self.folder / line.part
            if not line.part:
                continue
            if not path.exists():
                lost.append((line, f"{line.part} is missing; its {len(line.question_ids)} questions do not count."))
            elif _digest(path) != line.sha256:
                reason = f"{line.part} is damaged; its {len(line.question_ids)} questions do not count"
                lost.append((line, f"{reason}, and {_rename(path)}."))
            else:
                whole.append(line)
        return whole, lost


def read_metadata(folder: Path) -> dict[str, Any]:
    """Return the metadata of a run.

    Raises:
        StudioError: They are damaged.
        FileNotFoundError: The folder holds none.
    """
    try:
        return dict(json.loads((folder / METADATA).read_bytes()))
    except (ValueError, TypeError):
        raise StudioError(f"'{folder / METADATA}' is damaged.", "Choose another folder.") from None


def _settle(folder: Path, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of the run in a folder, which is made where there is none."""
    try:
        found = read_metadata(folder)
    except FileNotFoundError:
        if any(manifest.part_number(path.name) for path in folder.glob("*.h5")):
            what = f"'{folder}' holds parts of a run without its {METADATA}."
            raise StudioError(what, "Choose another --output-dir.") from None
        found = json.loads(json.dumps({"stored_dtype": "bfloat16", **metadata, "format": parts.FORMAT}))
        write_atomic(folder / METADATA, json.dumps(found, indent=1))
    wanted, there = json.loads(json.dumps(metadata.get("identity", {}))), found.get("identity", {})
    for name in [*wanted, *there]:
        if wanted.get(name) != there.get(name):
            what = f"The run in '{folder}' has {name} {there.get(name)!r}, and this one {wanted.get(name)!r}."
            raise StudioError(what, "Choose another --output-dir.")
    if not (folder / manifest.NAME).exists():
        write_atomic(folder / manifest.NAME, b"")
    return found


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _rename(path: Path) -> str:
    """Move a file out of the way, and say so."""
    aside = path.with_name(f"{path.name}.damaged")
    os.replace(path, aside)
    return f"it is set aside as {aside.name}"
