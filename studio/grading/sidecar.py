"""What training left in the .json beside a LUT; a LUT of another program has none, or one that says something else."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from studio.grading.config import DISPLAYS, LOG_SIZE
from studio.grading.encodings import ENCODINGS, conversion_table, described
from studio.grading.lut import identity

_HEAD = 2048
"""Bytes of a file that hold its title."""


def held_out(path: Path) -> dict[str, Any] | None:
    """Return the score of a LUT's training, or None when nothing tells it.

    Returns:
        ``prompt``; ``score`` and ``untouched``, P(yes) in 0..1; ``held_out``, whether on photographs held out.
    """
    try:
        data = _read(path)
        final, untouched = data["scores"]["final"], data["scores"]["untouched"]
        name = "held_out" if "held_out" in final else "measured"
        scores = {"score": float(final[name]), "untouched": float(untouched[name])}
        prompt = str(data["prompt"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    fit = all(math.isfinite(score) for score in scores.values())
    return {"prompt": prompt, **scores, "held_out": name == "held_out"} if fit else None


def base_of(path: Path, size: int | None = None) -> Tensor:
    """Return what no grade would be for a LUT: its encoding's bare conversion, the identity when none is told.

    Args:
        path: The LUT's file.
        size: Points along an edge; None is as many as it takes: 2 for the identity.
    """
    found = declared(path)
    if found is None or found[0] == found[1]:
        return identity(size or 2)
    return torch.from_numpy(conversion_table(*found, size or LOG_SIZE))


def declared(path: Path) -> tuple[str, str] | None:
    """Return the encodings a LUT takes and gives: from its .json, or from its title where that got lost on the way.

    None stands for nothing said, or for encodings nobody knows.
    """
    try:
        encoding = _read(path)["encoding"]
        found = str(encoding["input"]), str(encoding["output"])
        return found if set(found) <= ENCODINGS.keys() else None
    except (OSError, ValueError, KeyError, TypeError):
        pass
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD).decode("ascii", "replace")
    except OSError:
        return None
    pairs = ((source, target) for source in ENCODINGS for target in DISPLAYS)
    return next((pair for pair in pairs if f"({described(*pair)})" in head), None)


def _read(path: Path) -> Any:
    return json.loads(path.with_suffix(".json").read_text("utf-8"))
