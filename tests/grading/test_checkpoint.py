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


def train(progress: Progress, lut: ResidualLUT, optimizer: torch.optim.Adam, losses: tuple[float, ...]) -> None:
    for loss in losses:
        step(lut, optimizer, 0.3)
        progress.step += 1
        progress.consider({"measured_loss": loss}, lut)
        progress.record({"loss": loss}, lut, optimizer)


def test_moments_grids_curves_and_the_best_come_back(tmp_path: Path) -> None:
    lut, optimizer = fresh()
    progress = Progress.load(tmp_path, lut, optimizer, "these")
    train(progress, lut, optimizer, (3.0, 1.0, 2.0))
    again, other = fresh()
    resumed = Progress.load(tmp_path, again, other, "these")
    assert (resumed.step, resumed.best_step) == (3, 2)
    assert resumed.best == {"measured_loss": 1.0} and resumed.untouched == {"measured_loss": 3.0}
    assert resumed.curves == {"loss": [[1, 3.0], [2, 1.0], [3, 2.0]]}
    for pair in ((lut, optimizer), (again, other)):
        step(*pair, towards=0.7)
    assert torch.equal(lut.table(), again.table())
    assert torch.equal(progress.best_table(lut), resumed.best_table(again))
    assert not torch.equal(progress.best_table(lut), lut.table())


def test_a_step_drawn_but_not_kept_is_forgotten(tmp_path: Path) -> None:
    lut, optimizer = fresh()
    train(Progress.load(tmp_path, lut, optimizer, "these"), lut, optimizer, (3.0, 1.0))
    with (tmp_path / "curves.jsonl").open("a") as file:
        file.write('{"step": 3, "lo')  # killed while writing
    resumed = Progress.load(tmp_path, *fresh(), "these")
    assert resumed.curves == {"loss": [[1, 3.0], [2, 1.0]]}


def test_before_any_measurement_the_last_lut_is_the_best(tmp_path: Path) -> None:
    lut, optimizer = fresh()
    progress = Progress.load(tmp_path, lut, optimizer, "these")
    step(lut, optimizer, 0.3)
    progress.record({}, lut, optimizer)
    again, other = fresh()
    assert torch.equal(Progress.load(tmp_path, again, other, "these").best_table(again), lut.table())


def test_other_photographs_are_refused(tmp_path: Path) -> None:
    lut, optimizer = fresh()
    step(lut, optimizer, 0.3)
    Progress.load(tmp_path, lut, optimizer, "these").record({}, lut, optimizer)
    with pytest.raises(StudioError, match="changed"):
        Progress.load(tmp_path, *fresh(), "those")
