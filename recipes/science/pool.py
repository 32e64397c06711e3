"""Questions kept on disk: their words, and what the finished vision tower says of their pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import CLIPVisionModel

from recipes.science.asked import Asked, new
from recipes.science.sheets import CELLS
from recipes.science.vision import look
from studio.scienceqa.diagrams.record import Style

PATCHES = CELLS**2


class Pool:
    """Questions of a folder, with or without what the tower says of their views.

    Args:
        folder: Holds ``questions.jsonl`` and, with pictures, ``features.f16``.
        width: Features of a patch; 0 for a pool of words alone.
    """

    def __init__(self, folder: Path, width: int) -> None:
        self.folder, self.width = folder, width
        folder.mkdir(parents=True, exist_ok=True)
        self._words, self._seen = folder / "questions.jsonl", folder / "features.f16"
        self.questions: list[Asked] = []
        self._starts = [0]
        self.refresh()

    def refresh(self) -> None:
        """Read what was added since; a line that is not whole yet is left for the next time."""
        if not self._words.exists():
            return
        lines = self._words.read_text("utf-8").split("\n")[:-1]
        there = self._seen.stat().st_size // (2 * PATCHES * self.width) if self.width and self._seen.exists() else 0
        for line in lines[len(self.questions) :]:
            asked = Asked.from_json(line)
            end = self._starts[-1] + asked.grid[0] * asked.grid[1]
            if self.width and end > there:
                break
            self.questions.append(asked)
            self._starts.append(end)

    def features(self, index: int) -> Tensor:
        """What the tower says of a question's views, (views, patches, width) float32."""
        start, end = self._starts[index], self._starts[index + 1]
        shape = (end - start, PATCHES, self.width)
        kept = np.fromfile(self._seen, np.float16, int(np.prod(shape)), offset=2 * start * PATCHES * self.width)
        return torch.from_numpy(kept.reshape(shape).astype(np.float32))

    @torch.no_grad()
    def grow(
        self, tower: CLIPVisionModel | None, families: Sequence[str], count: int, seed: int, style: Style
    ) -> Iterator[int]:
        """Draw more questions, of the families in turns, until there are ``count``; yields how many there are."""
        with self._words.open("a", encoding="utf-8") as words, self._seen.open("ab") as seen:
            for index in range(len(self.questions), count):
                random = np.random.default_rng([seed, index])
                asked, _, cut = new(families[index % len(families)], random, style)
                if tower is not None:
                    pictures = torch.from_numpy(np.stack([np.asarray(tile) for tile in cut.tiles]))
                    seen.write(look(tower, pictures).numpy().astype(np.float16).tobytes())
                    seen.flush()
                words.write(asked.to_json() + "\n")
                words.flush()
                yield index + 1
        self.refresh()
