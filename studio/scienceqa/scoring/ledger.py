"""The answers of an evaluation on disk, a line for each question, so that it goes on where it stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.files import write_atomic

ANSWERS, PLAN = "answers.jsonl", "plan.json"

Row = Mapping[str, Any]
"""What is known of one question.

Keys are ``pid``, ``family``, ``topic``, ``answer`` and either ``failed`` (a sentence) or ``probabilities`` (in the
choices' own order), ``chosen`` and ``right``; with reasoning ``reasoning``, ``reasoned`` (index or None) and
``finished``. The same again under ``without_picture`` and ``another_picture``, and in the list ``orders`` beside each
``order``. Where reasoning and letter are compared, ``at_once`` is the choice before any reasoning.
"""


class Ledger:
    """The answers, in the order of the work; only whole batches count.

    Args:
        folder: The job's.
        plan: Identifies all that answers depend on.

    Raises:
        StudioError: The folder holds the answers of another plan.
    """

    def __init__(self, folder: Path, plan: str) -> None:
        self._path = folder / ANSWERS
        kept = folder / PLAN
        if kept.is_file() and json.loads(kept.read_text("utf-8"))["plan"] != plan:
            what = "The questions, the model or the settings changed since this evaluation began."
            raise StudioError(what, "Start a new one.")
        write_atomic(kept, json.dumps({"plan": plan}))
        self._old = self._read()
        self.rows: list[Row] = []

    def take(self, pids: Sequence[str]) -> bool:
        """Take over the next batch's answers from an earlier run; False when it has to be asked."""
        there = self._old[len(self.rows) : len(self.rows) + len(pids)]
        if [row["pid"] for row in there] == list(pids):
            self.rows += there
            return True
        if self._old is not self.rows:  # what follows is torn
            write_atomic(self._path, "".join(map(_line, self.rows)))
            self._old = self.rows
        return False

    def add(self, rows: Sequence[Row]) -> None:
        """Keep the answers of a batch; they are on the disk when this returns."""
        with open(self._path, "a", encoding="utf-8") as file:
            file.writelines(map(_line, rows))
            file.flush()
            os.fsync(file.fileno())
        self.rows += rows

    def _read(self) -> list[Row]:
        if not self._path.is_file():
            return []
        rows: list[Row] = []
        for line in self._path.read_text("utf-8", errors="replace").split("\n")[:-1]:  # a line without an end is torn
            try:
                rows.append(json.loads(line))
            except ValueError:
                break
        return rows


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"
