"""Pixels of photographs for measures: some of every photograph, and how all of them fill the cube of colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.grading.contactsheet import thumbnail
from studio.grading.photographs import LONG_EDGE
from studio.images import load_view

SHOWN = 6
"""Photographs kept to be shown."""
LATTICE = 33
"""Points along an edge of the lattice that coverage is told on, whatever a LUT's own size."""
PER_PHOTOGRAPH = 25_000
"""Pixels taken of one photograph, in even steps."""
MOST = 200_000
"""Pixels measured in all: enough for a stable 95th percentile, few enough for half a second of CIEDE2000."""


@dataclass
class Samples:
    """What is kept of photographs.

    Attributes:
        paths: The photographs.
        skipped: One sentence for each that could not be read.
        shown: Thumbnails of the first `SHOWN` of them.
        filled: int64 [LATTICE - 1] * 3, how many pixels lie in each cell, by blue, green and red.
    """

    paths: list[Path] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    shown: list[NDArray[np.uint8]] = field(default_factory=list)
    filled: NDArray[np.int64] = field(default_factory=lambda: np.zeros((LATTICE - 1,) * 3, np.int64))
    _parts: list[NDArray[np.uint8]] = field(default_factory=list)

    def add(self, path: Path, picture: NDArray[np.uint8]) -> None:
        """Take in one photograph, uint8 [H, W, 3] code values."""
        flat, cells = picture.reshape(-1, 3), LATTICE - 1
        self.paths.append(path)
        if len(self.shown) < SHOWN:
            self.shown.append(thumbnail(picture))
        self._parts.append(flat[:: -(-len(flat) // PER_PHOTOGRAPH)])
        red, green, blue = np.minimum(flat.T.astype(np.int64) * cells // 255, cells - 1)
        index = (blue * cells + green) * cells + red
        self.filled += np.bincount(index, minlength=cells**3).reshape(self.filled.shape)

    @property
    def names(self) -> list[str]:
        """The photographs' file names."""
        return [path.name for path in self.paths]

    @property
    def pixels(self) -> NDArray[np.float64]:
        """At most `MOST` pixels, [n, 3] code values in [0, 1]; n is 0 without photographs."""
        flat = np.concatenate([np.empty((0, 3), np.uint8), *self._parts])
        return flat[:: max(1, -(-len(flat) // MOST))] / 255


def read(samples: Samples, paths: Sequence[Path], context: Context, total: int) -> Iterator[Event]:
    """Take in photographs, an event each; one that cannot be read is noted and skipped.

    Raises:
        StudioError: There were photographs and none could be read.
    """
    for done, path in enumerate(paths, 1):
        try:
            samples.add(path, load_view(path, LONG_EDGE, context.cache, context.settings))
            yield Event(done, total, f"Read {path.name}")
        except StudioError as error:
            samples.skipped.append(error.what)
            yield Event(done, total, f"Skipped: {error.what}")
    if paths and not samples.paths:
        raise StudioError(f"No photograph could be read: {' '.join(samples.skipped[:5])}", "Give JPEG or PNG files.")
