"""One part of a run as an HDF5 file: tables of images and questions, and a matrix for each key of vectors.

A table is one dataset with a field for each column, so that ``pandas.DataFrame(file["questions"][:])`` is it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from studio.embeddings.store import vectors
from studio.embeddings.store.records import ImageRecord, QuestionRecord, Vectors, storable

FORMAT = "gemma-studio-embeddings-1"
TEXT = h5py.string_dtype("utf-8")
IMAGES, QUESTIONS, EXTRA = "images", "questions", "extra"
"""Two tables, and the group of the questions' other columns."""
INDEX = "image_index"
"""Column of ``questions``: the row of the image in ``images``."""
PER = "per"
"""Attribute of a matrix: whether its rows are those of the table ``images`` or of ``questions``."""

IMAGE_COLUMNS: Mapping[str, Any] = {"image_id": TEXT, "sha256": TEXT, "width": np.int64, "height": np.int64}
QUESTION_COLUMNS: Mapping[str, Any] = {
    "question_id": TEXT,
    "image_id": TEXT,
    "row": np.int64,
    "question": TEXT,
    "ground_truth_answer": TEXT,
    "answer": TEXT,
    "first_token": TEXT,
    "first_token_probability": np.float64,
    "answer_tokens": np.int64,
    "answer_finished": np.bool_,
}
_PLAIN = (
    "model",
    "source",
    "revision",
    "model_type",
    "device",
    "dtype",
    "stored_dtype",
    "norm",
    "prompt",
    "created_at",
)


def encode(images: Sequence[ImageRecord], questions: Sequence[QuestionRecord], metadata: Mapping[str, Any]) -> bytes:
    """Return a part as the bytes of an HDF5 file.

    Args:
        images: Those that the questions are about.
        questions: At least one.
        metadata: Of the run; ``stored_dtype`` is what vectors are rounded to.

    Raises:
        ValueError: An image is there twice or missing, records differ in keys or lengths of their vectors, or a
            vector holds NaN or an infinity.
    """
    index = {image.image_id: place for place, image in enumerate(images)}
    if len(index) < len(images):
        raise ValueError("an image is there twice")
    missing = [question.question_id for question in questions if question.image_id not in index]
    if missing:
        raise ValueError(f"the image of question {missing[0]!r} is missing")
    with h5py.File("part", "w", driver="core", backing_store=False, block_size=1 << 24) as file:
        _write_metadata(file, metadata, len(questions), len(images))
        _write_table(file, IMAGES, IMAGE_COLUMNS, [vars(image) for image in images])
        rows = [{**vars(question), INDEX: index[question.image_id]} for question in questions]
        _write_table(file, QUESTIONS, {**QUESTION_COLUMNS, INDEX: np.int64}, rows)
        _write_extra(file, [question.extra for question in questions])
        stored = metadata["stored_dtype"]
        _write_vectors(file, [image.vectors for image in images], IMAGES, stored)
        _write_vectors(file, [question.vectors for question in questions], QUESTIONS, stored)
        return image_of(file)


def image_of(file: h5py.File) -> bytes:
    """Return what a file would be on the disk."""
    file.flush()
    found: bytes = file.id.get_file_image()
    return found


def write_attributes(file: h5py.File, metadata: Mapping[str, Any]) -> None:
    """Write a run's metadata as one attribute of JSON, and the plain ones beside it as attributes of their own."""
    file.attrs["metadata"] = json.dumps(metadata)
    file.attrs["model_name"] = storable(str(metadata.get("model", "")))
    for name in _PLAIN:
        if metadata.get(name) is not None:
            file.attrs[name] = storable(str(metadata[name]))
    if metadata.get("layers"):
        file.attrs["layers"] = np.array(metadata["layers"], np.int64)


def _write_metadata(file: h5py.File, metadata: Mapping[str, Any], questions: int, images: int) -> None:
    write_attributes(file, metadata)
    file.attrs["format"] = FORMAT
    file.attrs["num_samples"] = questions
    file.attrs["num_images"] = images


def _write_table(file: h5py.File, name: str, columns: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> None:
    kind = np.dtype([*columns.items()])
    rows = [tuple(_cell(record[column]) for column in columns) for record in records]
    file.create_dataset(name, data=np.array(rows, kind))


def _cell(value: Any) -> Any:
    return storable(value) if isinstance(value, str) else value


def _write_extra(file: h5py.File, rows: Sequence[Mapping[str, str]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = file.create_group(EXTRA)
    for number, name in enumerate(names):  # any text may head a column, and not every text may name a dataset
        values = np.array([storable(row.get(name, "")) for row in rows], object)
        column = table.create_dataset(f"{number:03d}", data=values, dtype=TEXT)
        column.attrs["column"] = storable(name)


def _write_vectors(file: h5py.File, rows: Sequence[Vectors], per: str, stored: vectors.Stored) -> None:
    keys = rows[0].keys() if rows else ()
    for row in rows:
        if row.keys() != keys:
            raise ValueError(f"{per} differ in the keys of their vectors")
    for key in keys:
        dataset = vectors.write(file, key, np.stack([row[key] for row in rows]), stored)
        dataset.attrs[PER] = per
