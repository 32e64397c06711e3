"""The history holds what was done, once, whatever a kill left of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from studio.training.checkpoint import Progress
from studio.training.history import NAME, History


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / NAME).read_text().splitlines()]


def test_what_the_progress_does_not_stand_for_is_written_again(tmp_path: Path) -> None:
    history = History(tmp_path, Progress())
    history.add(0, {"accuracy": 0.25}, looked=True)
    for step in (1, 2, 3):
        history.add(step, {"loss": 4.0 - step})
    history.add(2, {"accuracy": 0.5}, looked=True)
    with (tmp_path / NAME).open("a") as file:
        file.write('{"step": 4, "lo')  # killed while writing
    History(tmp_path, Progress(step=2, looked=0)).add(2, {"accuracy": 0.75}, looked=True)
    assert lines(tmp_path) == [
        {"step": 0, "looked": True, "accuracy": 0.25},
        {"step": 1, "loss": 3.0},
        {"step": 2, "loss": 2.0},
        {"step": 2, "looked": True, "accuracy": 0.75},
    ]
