"""The course of a run for TensorBoard, in the job's folder ``tensorboard``.

Written by tensorboardX, which needs protobuf alone; the viewer, a web server of its own, is for who wants to look.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tensorboardX import SummaryWriter

NAME = "tensorboard"


class Board:
    """The event files of a run.

    Args:
        folder: The job's folder.
        step: Steps that are done; what an earlier try wrote of later ones is no longer shown.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self._writer = SummaryWriter(str(folder / NAME), purge_step=step + 1)

    def add(self, step: int, numbers: Mapping[str, float]) -> None:
        """Note numbers of a step."""
        for name, value in numbers.items():
            self._writer.add_scalar(name, value, step)

    def samples(self, step: int, palettes: Mapping[str, str]) -> None:
        """Note the palettes made for some descriptions, and put everything so far on the disk."""
        for description, colours in palettes.items():
            self._writer.add_text(description, colours, step)
        self._writer.flush()

    def close(self) -> None:
        """Put everything on the disk."""
        self._writer.close()
