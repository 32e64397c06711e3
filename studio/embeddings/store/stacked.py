"""Reading one part of a run, as `studio.embeddings.store.parts` writes it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
import pandas

from studio.embeddings.representations import DEFINITIONS
from studio.embeddings.store import opening, vectors
from studio.embeddings.store.parts import EXTRA, FORMAT, IMAGE_COLUMNS, IMAGES, INDEX, PER, QUESTION_COLUMNS, QUESTIONS
from studio.errors import StudioError

_KEY = re.compile(r"(\w+?)(?:/layer_(0|[1-9][0-9]{0,5}))?")


class Part(Protocol):
    """A file of questions, images and vectors.

    Attributes:
        path: The file.
        metadata: What it says of itself.
        questions: A row for each, with `studio.embeddings.store.parts.QUESTION_COLUMNS` and then the extra ones.
        images: A row for each, with `studio.embeddings.store.parts.IMAGE_COLUMNS`.
        keys: The length of the vectors, by key.
        skipped: Why questions are passed over, by id.
        notes: Sentences on that.
    """

    path: Path
    metadata: Mapping[str, Any]
    questions: pandas.DataFrame
    images: pandas.DataFrame
    keys: Mapping[str, int]
    skipped: Mapping[str, str]
    notes: tuple[str, ...]

    def read(self, key: str, start: int = 0, stop: int | None = None) -> vectors.Matrix:
        """Return the vectors [N, D] of questions from ``start`` up to ``stop``, or to the end.

        Raises:
            StudioError: The file is damaged there.
        """
        ...

    def stored(self, key: str) -> str:
        """Return the type of a key's vectors in the file, such as ``bfloat16`` or ``float32``."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class StackedPart:
    """A part of a run; see `Part`.

    Args:
        path: The file.
        file: It, opened; closed here.

    Raises:
        StudioError: It is no part, or damaged.
    """

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path = path
        self._file = file
        self.skipped: Mapping[str, str] = {}
        self.notes: tuple[str, ...] = ()
        try:
            self._read()
        except opening.READ_ERRORS as error:
            self._file.close()
            raise _damaged(path, error) from None

    def read(self, key: str, start: int = 0, stop: int | None = None) -> vectors.Matrix:
        """See `Part.read`."""
        found = self._datasets[key]
        try:
            if self._per[key] == QUESTIONS:
                return vectors.read(found, start, stop)
            places = self._places[start:stop]
            if not len(places):
                return np.empty((0, found.shape[1]), np.float32)
            first = places.min()
            images: vectors.Matrix = vectors.read(found, first, places.max() + 1)[places - first]
            return images
        except opening.READ_ERRORS as error:
            raise _damaged(self.path, error) from None

    def stored(self, key: str) -> str:
        """See `Part.stored`."""
        return vectors.stored(self._datasets[key])

    def close(self) -> None:
        """See `Part.close`."""
        self._file.close()

    def _read(self) -> None:
        file = self._file
        self.metadata: Mapping[str, Any] = dict(json.loads(str(opening.attribute(file, "metadata"))))
        asked = opening.table(opening.child(file, QUESTIONS), {**QUESTION_COLUMNS, INDEX: np.int64}, QUESTIONS)
        images = opening.table(opening.child(file, IMAGES), IMAGE_COLUMNS, IMAGES)
        self._places = asked.pop(INDEX)
        count, image_count = len(self._places), len(images["image_id"])
        if count and not (self._places.min() >= 0 and self._places.max() < image_count):
            raise ValueError("a question's image is not among its images")
        self.questions = pandas.DataFrame(asked | _extra(opening.child(file, EXTRA), count))
        self.images = pandas.DataFrame(images)
        nodes = _nodes(file)
        self._datasets = {key: opening.matrix(nodes[key], 2, key) for key in ordered(nodes)}
        self._per = {key: opening.attribute(found, PER) for key, found in self._datasets.items()}
        for key, found in self._datasets.items():
            if found.shape[0] != {QUESTIONS: count, IMAGES: image_count}.get(str(self._per[key])):
                raise ValueError(f"{key} has {found.shape[0]} rows")
        self.keys: Mapping[str, int] = {key: found.shape[1] for key, found in self._datasets.items()}


def is_stacked(file: h5py.File) -> bool:
    """Whether a file says that it is a part of a run."""
    return bool(opening.attribute(file, "format") == FORMAT)


def split_key(key: str) -> tuple[str, int | None]:
    """Return the representation and the layer of a key.

    Raises:
        ValueError: It is no key.
    """
    found = _KEY.fullmatch(key)
    if not found:
        raise ValueError(f"{key!r} is no key of a vector")
    return found[1], None if found[2] is None else int(found[2])


def ordered(keys: Mapping[str, Any]) -> list[str]:
    """Return keys by representation, as in `DEFINITIONS`, then any other, and by layer.

    Raises:
        ValueError: One is no key.
    """
    names = {name: place for place, name in enumerate(DEFINITIONS)}

    def rank(key: str) -> tuple[int, str, int]:
        name, layer = split_key(key)
        return names.get(name, len(names)), name, -1 if layer is None else layer

    return sorted(keys, key=rank)


def _extra(group: h5py.Group | h5py.Dataset | None, length: int) -> dict[str, Any]:
    found = {}
    for place in group if isinstance(group, h5py.Group) else ():
        column = opening.child(group, place)
        values = opening.texts(column, length, f"{EXTRA}/{place}")
        name = str(opening.attribute(column, "column"))
        found[f"csv_{name}" if name in QUESTION_COLUMNS else name] = values
    return found


def _nodes(file: h5py.File) -> dict[str, h5py.Group | h5py.Dataset | None]:
    """Return what lies beside the tables, by key."""
    found: dict[str, h5py.Group | h5py.Dataset | None] = {}
    for name in file:
        if name not in (IMAGES, QUESTIONS, EXTRA):
            here = opening.child(file, name)
            if isinstance(here, h5py.Group):
                found |= {f"{name}/{each}": opening.child(here, each) for each in here}
            else:
                found[name] = here
    return found


def _damaged(path: Path, error: Exception) -> StudioError:
    reason = (str(error).strip("\"'").splitlines() or ["it cannot be read"])[0]
    return StudioError(f"'{path.name}' is damaged or no part of a run: {reason}.", "Extract or export it again.")
