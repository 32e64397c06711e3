"""Every term is zero for an untouched picture, and grows with the fault it names."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from studio.grading import losses
from studio.grading.lut import identity


@pytest.fixture
def lab() -> Tensor:
    return losses.oklab(torch.rand(2, 3, 24, 24, generator=torch.Generator().manual_seed(0)))


def test_nothing_is_charged_for_changing_nothing(lab: Tensor) -> None:
    table = identity(9)
    for term in (losses.image_smoothness, losses.image_regularization, losses.black_preservation):
        assert term(lab, lab).item() == 0
    for term in (losses.lut_smoothness, losses.neutral_monotonicity, losses.folding, losses.out_of_range):
        assert term(table).item() == pytest.approx(0, abs=1e-9)


def test_the_judge_s_term_saturates_once_won() -> None:
    margin = torch.tensor([-10.0, 0.0, 3.0, 12.0], requires_grad=True)
    losses.image_text(margin[:, None], torch.ones(1)).backward()
    assert margin.grad is not None
    slopes = -4 * margin.grad
    assert slopes[0] == pytest.approx(1, abs=1e-4) and slopes[2] == pytest.approx(0.5)
    assert slopes[3] < 2e-4


def test_added_noise_costs_and_an_even_shift_does_not(lab: Tensor) -> None:
    noise = 0.02 * torch.randn(lab.shape, generator=torch.Generator().manual_seed(1))
    assert losses.image_smoothness(lab, lab + 0.1) < 1e-9 < losses.image_smoothness(lab, lab + noise)


def test_moving_colours_twice_as_far_costs_four_times(lab: Tensor) -> None:
    once, twice = (losses.image_regularization(lab, lab + step) for step in (0.05, 0.1))
    assert twice.item() == pytest.approx(4 * once.item(), rel=1e-4)


def test_only_lifted_blacks_cost() -> None:
    black, grey = torch.full((1, 3, 4, 4), 0.02), torch.full((1, 3, 4, 4), 0.6)
    for picture, lifted, charged in ((black, 0.1, True), (grey, 0.1, False), (black, -0.02, False)):
        before, after = losses.oklab(picture), losses.oklab(picture + lifted)
        assert (losses.black_preservation(before, after).item() > 0) is charged


@pytest.mark.parametrize("size", [17, 33])
def test_a_bend_costs_the_same_at_every_size(size: int) -> None:
    axis = torch.linspace(0, 1, size)
    kinked = identity(size).clone()
    kinked[0] += 0.1 * (axis - 0.5).clamp_min(0)
    reference = 0.1**2 / 16  # one kink of slope 0.1 in one of three channels
    assert losses.lut_smoothness(kinked).item() == pytest.approx(reference / 3 * (size - 1) / (size - 2), rel=0.01)


def test_inverted_greys_and_folded_colours_are_charged() -> None:
    inverted = 1 - identity(9)
    assert losses.neutral_monotonicity(inverted).item() == pytest.approx(1, rel=1e-5)
    assert losses.folding(inverted).item() == pytest.approx(1, rel=1e-5)
    monochrome = identity(9).mean(0, keepdim=True).expand(3, -1, -1, -1)
    assert losses.folding(monochrome).item() == pytest.approx(0, abs=1e-6)


def test_oklab_of_white_and_red_are_ottosson_s() -> None:
    rgb = torch.tensor([[1.0, 1.0], [1.0, 0.0], [1.0, 0.0]]).view(1, 3, 1, 2)
    expected = torch.tensor([[1.0, 0.6279554], [0.0, 0.2248631], [0.0, 0.1258463]]).view(1, 3, 1, 2)
    assert torch.allclose(losses.oklab(rgb), expected, atol=1e-4)


def test_skin_of_any_shade_is_protected_and_a_blue_wall_is_not() -> None:
    skins = [(115, 82, 68), (194, 150, 130), (255, 219, 172), (224, 172, 105), (141, 85, 36), (85, 55, 40)]
    others = [(98, 122, 157), (70, 148, 73), (130, 130, 130), (231, 199, 31)]
    tinted = torch.tensor([0.9, 1.0, 1.1])[:, None, None]

    def charged(colour: tuple[int, int, int]) -> float:
        patch = torch.tensor(colour)[None, :, None, None].expand(1, 3, 8, 8) / 255
        return losses.protect_skin(losses.oklab(patch), losses.oklab((patch * tinted).clamp(0, 1))).item()

    assert min(map(charged, skins)) > 10 * max(map(charged, others)) > 0


def test_only_highlights_are_protected_as_highlights() -> None:
    def charged(level: float) -> float:
        before = torch.full((1, 3, 8, 8), level)
        return losses.protect_highlights(losses.oklab(before), losses.oklab(before * 0.9)).item()

    assert charged(0.5) == 0 and charged(0.95) > 0.05
    bright = losses.oklab(torch.full((1, 3, 8, 8), 0.95))
    assert losses.protect_highlights(bright, bright).item() == 0


def test_looks_are_weighed_by_their_shares() -> None:
    margin, even = torch.tensor([[-4.0, 9.0]]), torch.tensor([0.5, 0.5])
    one, other = (losses.image_text(margin, torch.tensor(shares)) for shares in ([1.0, 0.0], [0.0, 1.0]))
    assert losses.image_text(margin, even).item() == pytest.approx((one.item() + other.item()) / 2)
