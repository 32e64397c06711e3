"""What is kept is enough to go on as if nothing had happened, and best is what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from studio.errors import StudioError
from studio.training import checkpoint
from studio.training.checkpoint import Checkpoint, Progress


def fresh(folder: Path, identity: str = "these") -> tuple[nn.Linear, torch.optim.AdamW, Checkpoint]:
    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=0.1)
    return layer, optimizer, Checkpoint(folder, identity, dict(layer.named_parameters()), optimizer)


def step(layer: nn.Linear, optimizer: torch.optim.AdamW) -> None:
    optimizer.zero_grad()
    layer(torch.ones(1, 3)).square().sum().backward()
    optimizer.step()


def test_weights_moments_and_the_position_come_back(tmp_path: Path) -> None:
    layer, optimizer, kept = fresh(tmp_path)
    progress = kept.load()
    assert progress == Progress()
    for _ in range(3):
        step(layer, optimizer)
    progress.step = 3
    progress.smoothed = 0.1 + 0.2
    assert progress.consider(0.5, 1.25)
    kept.save(progress)
    again, other, resumed = fresh(tmp_path)
    assert resumed.load() == progress
    for _ in range(2):
        step(layer, optimizer)
        step(again, other)
    assert torch.equal(layer.weight, again.weight) and torch.equal(layer.bias, again.bias)


def test_before_the_first_step_there_are_no_moments(tmp_path: Path) -> None:
    _, _, kept = fresh(tmp_path)
    kept.save(Progress())
    layer, optimizer, resumed = fresh(tmp_path)
    assert resumed.load() == Progress() and not optimizer.state
    step(layer, optimizer)


def test_other_questions_are_refused(tmp_path: Path) -> None:
    fresh(tmp_path)[2].save(Progress(step=4))
    with pytest.raises(StudioError, match="changed since"):
        fresh(tmp_path, "those")[2].load()


def test_it_is_due_after_the_interval_and_never_takes_a_large_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])
    kept = fresh(tmp_path)[2]
    now[0] += checkpoint.INTERVAL
    assert not kept.is_due()
    now[0] += 1
    assert kept.is_due()
    monkeypatch.setattr(checkpoint, "write_atomic", lambda *_: now.__setitem__(0, now[0] + 10))
    kept.save(Progress())  # takes ten seconds
    now[0] += 199
    assert not kept.is_due()
    now[0] += 2
    assert kept.is_due()


def test_best_is_the_most_right_answers_then_the_lower_loss() -> None:
    progress = Progress()
    looks = [(0.5, 1.0), (0.6, 2.0), (0.6, 2.5), (0.6, 1.5), (0.4, 0.1)]
    found = []
    for number, (accuracy, loss) in enumerate(looks):
        progress.step = 10 * number
        found.append(progress.consider(accuracy, loss))
    assert found == [True, True, False, True, False]
    assert (progress.best_step, progress.best_accuracy, progress.best_loss, progress.worse) == (30, 0.6, 1.5, 1)


def test_without_choices_the_loss_alone_decides() -> None:
    progress = Progress()
    assert [progress.consider(None, loss) for loss in (3.0, 2.0, 2.5)] == [True, True, False]
