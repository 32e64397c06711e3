"""The course of a run, a line for each step and each look at the validation questions: ``history.jsonl``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.files import write_atomic
from studio.training.checkpoint import Progress

NAME = "history.jsonl"


class History:
    """The file, which holds no more than what a run's progress stands for.

    A line of a step has its ``step`` and numbers such as ``loss``; a line of a look has ``step`` and ``looked`` true.

    Args:
        folder: The job's folder.
        progress: Where the run stands; what lies behind that will be done, and written, again.
    """

    def __init__(self, folder: Path, progress: Progress) -> None:
        self._path = folder / NAME
        text = self._path.read_text("utf-8") if self._path.is_file() else ""
        whole = text[: text.rfind("\n") + 1].splitlines(keepends=True)  # a kill may have torn the last one
        write_atomic(self._path, "".join(line for line in whole if _is_done(json.loads(line), progress)))

    def add(self, step: int, numbers: Mapping[str, Any], *, looked: bool = False) -> None:
        """Append a line."""
        line = {"step": step, **({"looked": True} if looked else {}), **numbers}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _is_done(line: Mapping[str, float], progress: Progress) -> bool:
    return line["step"] <= (progress.looked if line.get("looked") else progress.step)
