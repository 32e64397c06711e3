"""What a run leaves after every step is enough to go on as if nothing had happened."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from studio.errors import StudioError
from studio.grading.checkpoint import Progress
from studio.grading.lut import ResidualLUT


def fresh() -> tuple[ResidualLUT, torch.optim.Adam]:
    lut = ResidualLUT(5)
    return lut, torch.optim.Adam(lut.parameters(), lr=0.01)


def step(lut: ResidualLUT, optimizer: torch.optim.Adam, towards: float) -> None:
    optimizer.zero_grad()
    (lut.table() - towards).square().sum().backward()
    optimizer.step()


def test_moments_grids_curves_and_the_best_come_back(tmp_path: Path) -> None:
    lut, optimizer = fresh()
    progress = Progress.load(tmp_path, lut, optimizer, "these")
    for number, loss in enumerate((3.0, 1.0, 2.0)):
        step(lut, optimizer, 0.3)
        progress.consider(number, loss, lut)
        progress.record(number, {"loss": loss}, lut, optimizer)
    again, other = fresh()
    resumed = Progress.load(tmp_path, again, other, "these")
    assert (resumed.step, resumed.best_step, resumed.best_loss) == (3, 1, 1.0)
    assert resumed.curves == {"loss": [[1, 3.0], [2, 1.0], [3, 2.0]]}
    for pair in ((lut, optimizer), (again, other)):
        step(*pair, towards=0.7)
    assert torch.equal(lut.table(), again.table())
    assert torch.equal(progress.best_table(lut), resumed.best_table(again))


def test_before_any_measurement_the_last_lut_is_the_best(tmp_path: Path) -> None:
    lut, optimizer = fresh()
    progress = Progress.load(tmp_path, lut, optimizer, "these")
    step(lut, optimizer, 0.3)
    progress.record(0, {}, lut, optimizer)
    again, other = fresh()
    assert torch.equal(Progress.load(tmp_path, again, other, "these").best_table(again), lut.table())


def test_other_photographs_are_refused(tmp_path: Path) -> None:
    lut, optimizer = fresh()
    step(lut, optimizer, 0.3)
    Progress.load(tmp_path, lut, optimizer, "these").record(0, {}, lut, optimizer)
    with pytest.raises(StudioError, match="photographs changed"):
        Progress.load(tmp_path, *fresh(), "those")
