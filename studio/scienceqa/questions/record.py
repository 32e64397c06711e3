"""One science question, and a set of them; loads nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

LETTERS = "ABCDEFGHIJ"
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Question:
    """One question, in ScienceQA's terms.

    Attributes:
        pid: Its id, unique in its set.
        split: ``train``, ``val`` or ``test``.
        question: Its text.
        choices: Two to ten answers to choose from; none for a free question.
        answer: Index of the right choice, or None when unknown.
        hint: What it may rest on (the context); may be empty.
        image: File of its picture, its encoded bytes, or None for a question of text alone.
        lecture: General explanation; may be empty.
        solution: Reasoning that leads to the answer, or of a free question the answer itself; may be empty.
        subject: ``natural science``, ``social science``, ``language science`` or empty.
        topic, category, skill, task: As in the data set; may be empty.
        grade: ``grade1`` to ``grade12``, or empty.
        family: The template it is made from, where known (one of `config.FAMILIES` for drawn ones).
    """

    pid: str
    split: str
    question: str
    choices: tuple[str, ...] = ()
    answer: int | None = None
    hint: str = ""
    image: Path | bytes | None = field(default=None, repr=False)
    lecture: str = ""
    solution: str = ""
    subject: str = ""
    topic: str = ""
    category: str = ""
    skill: str = ""
    task: str = ""
    grade: str = ""
    family: str = ""


class Unusable(ValueError):
    """A record cannot be used; the text is a sentence that says why.

    Args:
        reason: The sentence.
        about: Whether it is the record that is wrong, or only its picture that is missing or unreadable.
    """

    def __init__(self, reason: str, about: Literal["record", "picture"] = "record") -> None:
        super().__init__(reason)
        self.about = about


@dataclass(frozen=True)
class Rejected:
    """A record that was passed over: its id (or its place, such as ``row 12``), and why, in one sentence."""

    pid: str
    reason: str
    about: Literal["record", "picture"] = "record"


@dataclass(frozen=True)
class QuestionSet:
    """Questions that were read.

    Attributes:
        name: Of the set, for people.
        layout: ``official``, ``parquet``, ``llava`` or ``csv``.
        questions: In the order of the file; pictures not yet opened.
        rejected: What was passed over.
        skipped_splits: Records of splits that were not asked for, by split.
    """

    name: str
    layout: str
    questions: tuple[Question, ...]
    rejected: tuple[Rejected, ...] = ()
    skipped_splits: Mapping[str, int] = field(default_factory=dict)
