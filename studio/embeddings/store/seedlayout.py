"""The layout that HALP's extractors write: a group for each question, named by its id.

Datasets are ``image_id``, ``question``, ``ground_truth_answer``, ``answer``, ``vision_representation`` (which its code
calls ``vision_only_representation``) and, in groups of that name, ``layer_k`` of the other representations. What an id
may hold and a name may not is percent-encoded, and the id itself is the group's attribute ``question_id``. What the
layout has no place for (row, first token, other columns) is JSON in the attribute ``more``.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas

from studio.embeddings.representations import DEFINITIONS, VISION
from studio.embeddings.store import opening, vectors
from studio.embeddings.store.parts import QUESTION_COLUMNS
from studio.embeddings.store.stacked import ordered
from studio.errors import StudioError

VISION_ONLY = "vision_only_representation"
"""What the seed's code calls `VISION`."""
TEXTS = ("image_id", "question", "ground_truth_answer", "answer")
MORE = ("row", "first_token", "first_token_probability", "answer_tokens", "answer_finished")
"""Columns that are kept in the attribute ``more``, beside ``sha256``, ``width``, ``height`` and ``extra``."""

_DEEPEST = 16  # groups in one another, as an id with slashes makes them
_NAMED = 5  # groups that a note names
_NO_NAME = re.compile(r"/|%(?=[0-9A-Fa-f]{2})")


def group_name(question_id: str) -> str:
    """Return the name of a question's group: the id itself wherever HDF5 allows it, and never that of another id."""
    special = {"": "%00", ".": "%2E"}
    return special.get(question_id) or _NO_NAME.sub(lambda found: f"%{ord(found[0]):02X}", question_id)


class SeedPart:
    """A file in the seed's layout; see `studio.embeddings.store.stacked.Part`.

    Groups that lack a piece that most have are passed over and noted. Order is that of the rows where they are known,
    else that of the names.

    Args:
        path: The file.
        file: It, opened; closed here.

    Raises:
        StudioError: It is damaged, or holds no questions with vectors.
    """

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path = path
        self._file = file
        try:
            self._read()
        except opening.READ_ERRORS as error:
            self._file.close()
            raise StudioError(f"'{path.name}' is damaged: {error}.", "Copy or extract it again.") from None
        except StudioError:
            self._file.close()
            raise

    def read(self, key: str, start: int = 0, stop: int | None = None) -> vectors.Matrix:
        """See `studio.embeddings.store.stacked.Part.read`."""
        groups = self._groups[start:stop]
        result = np.empty((len(groups), self.keys[key]), np.float32)
        try:
            for row, group in enumerate(groups):
                result[row] = vectors.read(_vector(group, key))
        except opening.READ_ERRORS as error:
            raise StudioError(f"'{self.path.name}' is damaged: {error}.", "Import what can be read of it.") from None
        return result

    def stored(self, key: str) -> str:
        """See `studio.embeddings.store.stacked.Part.stored`."""
        return vectors.stored(_vector(self._groups[0], key))

    def close(self) -> None:
        """See `studio.embeddings.store.stacked.Part.close`."""
        self._groups.clear()
        self._file.close()

    def _read(self) -> None:
        found, lost = [], {}
        for group, path in _question_groups(self._file):
            try:
                found.append((group, *_record(group, path), _lengths(group)))
            except opening.READ_ERRORS as error:
                lost[path] = str(error).strip("\"'")
        usual = Counter(entry for *_, lengths in found for entry in lengths.items())
        self.keys: Mapping[str, int] = _most(usual, len(found))
        kept = []
        for group, row, image, lengths in found:
            if missing := [key for key, length in self.keys.items() if lengths.get(key) != length]:
                lost[row["question_id"]] = f"{missing[0]} is missing or of another length"
            else:
                kept.append((group, row, image))
        if not kept or not self.keys:
            why = f" {told(lost)}" if lost else ""
            raise StudioError(f"'{self.path.name}' holds no questions with vectors.{why}", "Choose another file.")
        kept.sort(key=lambda each: int(each[1]["row"]))
        self._groups = [group for group, *_ in kept]
        self.questions = pandas.DataFrame([row for _, row, _ in kept])
        images = pandas.DataFrame([image for *_, image in kept])
        self.images = images.drop_duplicates("image_id", ignore_index=True)
        self.skipped: Mapping[str, str] = lost
        self._describe(len(kept) + len(lost))

    def _describe(self, count: int) -> None:
        said = opening.attributes(self._file)
        self.metadata: Mapping[str, Any] = _metadata(said, self.keys)
        notes = [f"{self.path.name}: {told(self.skipped)}"] if self.skipped else []
        if said.get("num_samples", count) != count:
            notes.append(f"{self.path.name} says that it holds {said['num_samples']} questions, and holds {count}.")
        self.notes: tuple[str, ...] = tuple(notes)


def _question_groups(file: h5py.File) -> Iterator[tuple[h5py.Group, str]]:
    """Yield every group that holds a question, also in one another as an id with slashes makes them, with its path."""
    seen, waiting = set(), [(file, "", 0)]
    while waiting:
        here, path, depth = waiting.pop()
        nested = []
        for name in here:
            if path and name in DEFINITIONS:
                continue
            found = opening.child(here, name)
            if not isinstance(found, h5py.Group) or found in seen:
                continue
            seen.add(found)
            below = f"{path}/{name}" if path else name
            if not found.keys().isdisjoint((*TEXTS, *DEFINITIONS, VISION_ONLY)):
                yield found, below
            if depth < _DEEPEST:
                nested.append((found, below, depth + 1))
        waiting += reversed(nested)


def _record(group: h5py.Group, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the rows of a question and of its image.

    Raises:
        ValueError: The image is not named.
    """
    said = opening.attributes(group)
    more = json.loads(said.get("more", "{}"))
    texts = {name: _text(group, name) for name in TEXTS}
    if not texts["image_id"]:
        raise ValueError("it names no image")
    unknown: dict[str, Any] = {"row": 0, "first_token": "", "first_token_probability": math.nan, "answer_tokens": 0,
               "answer_finished": True}  # fmt: skip
    row = {"question_id": str(said.get("question_id", path)), **texts}
    row |= {name: type(value)(more.get(name, value)) for name, value in unknown.items()}
    row = {name: row[name] for name in QUESTION_COLUMNS}
    for name, value in dict(more.get("extra", {})).items():
        row[f"csv_{name}" if name in QUESTION_COLUMNS else name] = str(value)
    image = {name: more.get(name, "" if name == "sha256" else 0) for name in ("sha256", "width", "height")}
    return row, {"image_id": texts["image_id"], **image}


def _text(group: h5py.Group, name: str) -> str:
    """Return a scalar text; empty where it is missing or h5py's Empty, as the seed writes an answer that is 0."""
    found = opening.child(group, name)
    if not isinstance(found, h5py.Dataset) or found.shape is None:
        return ""
    if found.shape != () or opening.trouble(found):
        raise ValueError(f"{name} is no text")
    value = found[()]
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _lengths(group: h5py.Group) -> dict[str, int]:
    """Return the lengths of a question's vectors by key.

    Raises:
        ValueError: One cannot be read.
    """
    found: dict[str, int] = {}
    for name in (VISION_ONLY, *DEFINITIONS):
        here = opening.child(group, name)
        if isinstance(here, h5py.Group):
            each = {f"{name}/{layer}": opening.child(here, layer) for layer in here}
        else:
            each = {} if here is None else {name: here}
        for key, dataset in each.items():
            found[VISION if key == VISION_ONLY else key] = opening.matrix(dataset, 1, key).shape[0]
    return found


def _vector(group: h5py.Group, key: str) -> h5py.Dataset:
    return group[VISION_ONLY if key == VISION and VISION_ONLY in group else key]


def _most(counts: Mapping[tuple[str, int], int], groups: int) -> dict[str, int]:
    """Return the lengths by key that more than half of the groups have.

    Raises:
        ValueError: A key is none.
    """
    found = dict(entry for entry, count in counts.items() if count * 2 > groups)
    return {key: found[key] for key in ordered(found)}


def _metadata(said: Mapping[str, Any], keys: Mapping[str, int]) -> dict[str, Any]:
    names = ("model_type", "device", "dtype", "created_at")
    found: dict[str, Any] = {name: str(said[name]) for name in names if name in said}
    layers = sorted({int(key.rpartition("_")[2]) for key in keys if "/" in key})
    found |= {"format": "seed", "model": str(said.get("model_name", "unknown")), "layers": layers}
    try:
        return dict(json.loads(said.get("metadata", "{}"))) | found
    except (ValueError, TypeError):
        return found


def told(lost: Mapping[str, str]) -> str:
    """Say which questions are passed over, and why."""
    named = "; ".join(f"'{name}': {reason}" for name, reason in list(lost.items())[:_NAMED])
    return f"{len(lost)} passed over ({named}{'; …' if len(lost) > _NAMED else ''})."
