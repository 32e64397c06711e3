from __future__ import annotations

import pytest
import torch

from studio.scienceqa.model.projector import Projector


def test_neighbouring_patches_become_one_token() -> None:
    projector = Projector(3, 8, merge=2)
    grid = torch.randn(1, 4, 4, 3, generator=torch.Generator().manual_seed(0))
    tokens = projector(grid.reshape(1, 16, 3))
    assert tokens.shape == (1, 4, 8)
    square = torch.cat([grid[0, 0, 2], grid[0, 0, 3], grid[0, 1, 2], grid[0, 1, 3]])  # the upper right one
    assert torch.allclose(tokens[0, 1], projector.net(square), atol=1e-6)


@pytest.mark.parametrize("factor", [1e-3, 1.0, 1e3])
def test_the_result_has_the_size_of_text_whatever_goes_in(factor: float) -> None:
    projector = Projector(16, 32, text_rms=0.7)
    out = projector(factor * torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(0)))
    sizes = out.square().mean(-1).sqrt()
    assert torch.allclose(sizes, torch.full_like(sizes, 0.7), rtol=1e-3)
    assert sorted(projector.state_dict()) == ["gain", "net.0.bias", "net.0.weight", "net.2.bias", "net.2.weight"]


def test_without_a_size_it_is_the_seeds() -> None:
    projector = Projector(1024, 2560)
    assert {name: tuple(tensor.shape) for name, tensor in projector.state_dict().items()} == {
        "net.0.weight": (1792, 1024), "net.0.bias": (1792,), "net.2.weight": (2560, 1792), "net.2.bias": (2560,),
    }  # fmt: skip
    assert sum(weight.numel() for weight in projector.parameters()) == 6_426_880
    plain = torch.randn(1, 2, 1024, generator=torch.Generator().manual_seed(0))
    assert torch.equal(projector(plain), projector.net(plain))


def test_the_first_weights_follow_the_seed_alone() -> None:
    torch.manual_seed(5)
    one = Projector(4, 6, text_rms=1.0, seed=1)
    other, third = Projector(4, 6, text_rms=1.0, seed=1), Projector(4, 6, text_rms=1.0, seed=2)
    assert all(torch.equal(one.state_dict()[name], tensor) for name, tensor in other.state_dict().items())
    assert not torch.equal(one.into.weight, third.into.weight)
    with torch.no_grad():
        for weight in other.parameters():
            weight.add_(1)
    other.reset(1)
    assert all(torch.equal(one.state_dict()[name], tensor) for name, tensor in other.state_dict().items())


def test_half_precision_features_are_taken() -> None:
    projector = Projector(4, 6, text_rms=1.0)
    features = torch.randn(1, 4, 4, generator=torch.Generator().manual_seed(0)).half()
    assert torch.equal(projector(features), projector(features.float()))
    projector.bfloat16()
    assert projector(features).dtype == torch.bfloat16
