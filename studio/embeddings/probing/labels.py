"""Which answers are hallucinations: from a table, from a column of the run, or by rules from answer and truth."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from studio.embeddings.probing.matching import decide
from studio.errors import StudioError

COLUMNS = ("is_hallucinating", "is_hallucinating_manual", "label")
"""Columns a label is looked for in; the first that is there counts."""
UNLABELLED = -1

_TRUE = frozenset(("1", "1.0", "true", "yes", "y", "t"))
_FALSE = frozenset(("0", "0.0", "false", "no", "n", "f"))
_SHOWN = 3  # ids named in an error


@dataclass(frozen=True)
class Labels:
    """A label for each question of a run.

    Attributes:
        values: ``[N]`` int64: 1 a hallucination, 0 none, `UNLABELLED` undecided.
        rules: ``[N]`` what decided, or left undecided: a rule's name, or ``table``.
        reasons: ``[N]`` why, in a few words.
        source: Where the labels come from, as a sentence.
        notes: What a person should know about them, sentences.
    """

    values: NDArray[np.int64]
    rules: list[str]
    reasons: list[str]
    source: str
    notes: tuple[str, ...] = ()

    def by_rule(self) -> dict[str, dict[str, int]]:
        """Return for each rule how many questions it labelled ``hallucination``, ``right`` and ``unlabelled``."""
        names = {1: "hallucination", 0: "right", UNLABELLED: "unlabelled"}
        counts = Counter(zip(self.rules, self.values.tolist(), strict=True))
        return {
            rule: {name: counts[rule, value] for value, name in names.items()}
            for rule in sorted(set(self.rules), key=lambda rule: -self.rules.count(rule))
        }


def find(questions: pd.DataFrame, table: Path | None) -> Labels:
    """Return the labels of a run's questions.

    Args:
        questions: The run's, with text in ``question_id``, ``question``, ``ground_truth_answer`` and ``answer``.
        table: A CSV with ``question_id`` and one of `COLUMNS`; without it, such a column of the questions counts, and
            without that the labels are made by `studio.embeddings.probing.matching.RULES`.

    Raises:
        StudioError: The table cannot be read, lacks a column, knows none of the questions or labels none of them.
    """
    if table is not None:
        return _from_table(questions, table)
    column = next((name for name in COLUMNS if name in questions), None)
    return made(questions) if column is None else _from_column(questions, column)


def made(questions: pd.DataFrame) -> Labels:
    """Make labels from answers and truths by the rules."""
    columns = (questions[name].astype(str) for name in ("question", "ground_truth_answer", "answer"))
    found = [decide(*texts) for texts in zip(*columns, strict=True)]
    values = [{"wrong": 1, "right": 0, "unsure": UNLABELLED}[one.verdict] for one in found]
    source = "made from answers and ground truths by rules"
    return Labels(np.array(values, dtype=np.int64), [one.rule for one in found], [one.reason for one in found], source)


def _from_column(questions: pd.DataFrame, column: str) -> Labels:
    values = [_read(str(text)) for text in questions[column]]
    if set(values) == {UNLABELLED}:
        raise StudioError(
            f"The run's column '{column}' holds no label that can be read.", "Write 1 or 0, true or false, yes or no."
        )
    return _labels(values, f"the run's column '{column}'", [])


def _from_table(questions: pd.DataFrame, path: Path) -> Labels:
    frame = _load(path)
    column = next((name for name in COLUMNS if name in frame), None)
    if "question_id" not in frame or column is None:
        wanted = "question_id" if column is not None else " or ".join(COLUMNS)
        raise StudioError(f"{path.name} has no column '{wanted}'.", f"It has: {', '.join(frame.columns)}.")
    known: dict[str, int] = {}
    conflicts = set()
    for name, text in zip(frame["question_id"].str.strip(), frame[column], strict=True):
        value = _read(text)
        if known.setdefault(name, value) != value:
            conflicts.add(name)
    ids = questions["question_id"].astype(str).str.strip()
    if not set(known) & set(ids):
        mine, theirs = (", ".join(map(repr, list(dict.fromkeys(each))[:_SHOWN])) for each in (ids, known))
        what = f"{path.name} knows none of the run's questions: it has the ids {theirs}, the run {mine}."
        raise StudioError(what, "Give the table of this run.")
    known |= dict.fromkeys(conflicts, UNLABELLED)
    values = [known.get(name, UNLABELLED) for name in ids]
    if set(values) == {UNLABELLED}:
        what = f"{path.name} holds no label that can be read in its column '{column}'."
        raise StudioError(what, "Write 1 or 0, true or false, yes or no.")
    notes = []
    if conflicts:
        notes.append(f"{path.name} labels {len(conflicts)} questions both ways; they stay unlabelled.")
    missing = sum(name not in known for name in ids)
    if missing:
        notes.append(f"{path.name} lacks {missing} of the run's {len(ids)} questions; they stay unlabelled.")
    return _labels(values, f"the column '{column}' of {path.name}", notes)


def _labels(values: list[int], source: str, notes: list[str]) -> Labels:
    reasons = ["no label can be read" if value == UNLABELLED else "as the table says" for value in values]
    return Labels(np.array(values, dtype=np.int64), ["table"] * len(values), reasons, source, tuple(notes))


def _load(path: Path) -> pd.DataFrame:
    """Read a table as text, its columns' names in lower case; commas, semicolons or tabs part its fields."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            top = file.readline()
        frame = pd.read_csv(
            path, sep=max(",;\t", key=top.count), dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
    except (OSError, ValueError) as error:  # pandas' own errors and those of decoding are ValueErrors
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise StudioError(f"The labels in {path} cannot be read: {reason}.", "Give a CSV in UTF-8.") from None
    return frame.rename(columns=lambda name: str(name).strip().lower())


def _read(text: str) -> int:
    word = text.strip().lower()
    return 1 if word in _TRUE else 0 if word in _FALSE else UNLABELLED
