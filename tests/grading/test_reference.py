"""A reference picture draws colours towards its own, and only their distribution counts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from studio.context import Context
from studio.errors import StudioError
from studio.grading import losses
from studio.grading.reference import Reference


def picture(seed: int, gain: tuple[float, float, float] = (1, 1, 1)) -> torch.Tensor:
    noise = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(seed))
    return (0.2 + 0.6 * noise) * torch.tensor(gain)[:, None, None]


def test_the_same_colours_in_other_places_are_at_no_distance() -> None:
    one = picture(0)
    shuffled = one.flatten(2)[:, :, torch.randperm(48 * 64, generator=torch.Generator().manual_seed(1))].view_as(one)
    reference = Reference(one)
    assert reference.distance(losses.oklab(shuffled)).item() == pytest.approx(0, abs=1e-9)
    assert reference.distance(losses.oklab(picture(2))).item() < 1e-4


def test_what_lies_nearer_is_nearer_and_gradients_lead_there() -> None:
    reference = Reference(picture(0, (1, 0.8, 0.6)))
    far, near = (reference.distance(losses.oklab(picture(3, gain))) for gain in ((1, 1, 1), (1, 0.9, 0.8)))
    assert far > near > 0
    gains = torch.ones(3, requires_grad=True)
    for _ in range(60):
        loss = reference.distance(losses.oklab(picture(3) * gains[:, None, None]))
        (gradient,) = torch.autograd.grad(loss, gains)
        gains = (gains - 2 * gradient).detach().requires_grad_()
    assert gains.tolist() == pytest.approx([1, 0.8, 0.6], abs=0.03)


def test_a_reference_that_is_not_there_is_named(tmp_path: Path, house: object) -> None:
    context: Context = house("job")  # type: ignore[operator]
    with pytest.raises(StudioError, match=r"gone\.jpg"):
        Reference.open(tmp_path / "gone.jpg", context.cache, context.settings, torch.device("cpu"))
