"""What a run of extraction holds: images, questions and failures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = Mapping[str, NDArray[np.float32]]
"""Vectors [D] by key: the name of the representation, or of one with layers ``name/layer_k``."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class ImageRecord:
    """An image and its vectors.

    Attributes:
        image_id: The text of the CSV's cell.
        sha256: Of its file, 64 hexadecimal digits; empty when unknown.
        width: Pixels of the file, upright; 0 when unknown.
        height: As width.
        vectors: Those that all questions on it share.
    """

    image_id: str
    sha256: str
    width: int
    height: int
    vectors: Vectors


@dataclass(frozen=True)
class QuestionRecord:
    """A question, its answer and its vectors.

    Attributes:
        question_id: The text of the CSV's cell.
        image_id: That of its `ImageRecord`.
        row: Of the CSV, as a spreadsheet counts: the header is row 1; 0 when unknown.
        question: The words asked.
        ground_truth_answer: The answer that the CSV holds.
        answer: The model's; empty when none was asked for.
        first_token: The text of the first token that the model chose.
        first_token_probability: How sure it was of it, 0 to 1; NaN when unknown.
        answer_tokens: Tokens of the answer.
        answer_finished: Whether the model ended it, and not the limit.
        extra: The other columns of the CSV, by name.
        vectors: Those of the question.
    """

    question_id: str
    image_id: str
    row: int
    question: str
    ground_truth_answer: str
    answer: str
    first_token: str
    first_token_probability: float
    answer_tokens: int
    answer_finished: bool
    extra: Mapping[str, str]
    vectors: Vectors


@dataclass(frozen=True)
class Failure:
    """A row of the CSV that could not be extracted.

    Attributes:
        row: As in `QuestionRecord`; what a failure is known by.
        question_id: As far as it can be read.
        image_id: As far as it can be read.
        reason: A sentence.
    """

    row: int
    question_id: str
    image_id: str
    reason: str


def storable(text: str) -> str:
    """Return a text that HDF5 can hold: NUL and lone surrogates become the replacement character."""
    return _UNSTORABLE.sub("\ufffd", text)
