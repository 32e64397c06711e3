from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from studio.context import Context
from studio.errors import StudioError
from studio.grading.samples import LATTICE, MOST, PER_PHOTOGRAPH, SHOWN, Samples, read

House = Callable[[str], Context]


def test_pixels_are_taken_evenly_and_cells_count_them_all() -> None:
    samples = Samples()
    picture = np.zeros((400, 500, 3), np.uint8)
    picture[:, 250:] = (255, 128, 10)
    samples.add(Path("half.png"), picture)
    assert 0.9 * PER_PHOTOGRAPH < len(samples.pixels) <= PER_PHOTOGRAPH
    assert samples.pixels.mean(0) == pytest.approx(np.array([255, 128, 10]) / 510, rel=0.01)
    assert samples.filled[0, 0, 0] == 100_000 and samples.filled[1, 16, LATTICE - 2] == 100_000
    assert samples.filled.sum() == 200_000


def test_many_photographs_stay_within_bounds() -> None:
    samples = Samples()
    random = np.random.default_rng(0)
    for number in range(12):
        samples.add(Path(f"{number}.png"), random.integers(0, 256, (200, 200, 3)).astype(np.uint8))
    assert MOST / 2 < len(samples.pixels) <= MOST and len(samples.shown) == SHOWN and len(samples.names) == 12


def test_no_photographs_are_no_pixels() -> None:
    assert Samples().pixels.shape == (0, 3)


def test_a_broken_photograph_is_named_and_skipped(photographs: Path, house: House, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    samples, paths = Samples(), [tmp_path / "broken.jpg", photographs / "coffee.jpg"]
    events = list(read(samples, paths, house("job"), 3))
    assert [(event.done, event.total) for event in events] == [(1, 3), (2, 3)]
    assert events[0].note.startswith("Skipped: broken.jpg") and samples.names == ["coffee.jpg"]
    with pytest.raises(StudioError, match=r"No photograph could be read: broken\.jpg"):
        list(read(Samples(), paths[:1], house("job"), 2))
