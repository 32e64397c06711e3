from __future__ import annotations

from typing import Any

import pytest
import torch

from studio.gemma.loading import Gemma3
from studio.gemma.prefix import PrefixBank
from studio.gemma.prompts import IMAGE, Layout, lay_out

TEXT = "Is the second picture warmer than the first? Answer Yes or No."


@pytest.fixture(params=["window shorter than the prefix", "window longer than all"])
def bundle(request: pytest.FixtureRequest, tiny_bundle: Gemma3, tiny_bundle_hub: Gemma3) -> Gemma3:
    return tiny_bundle if "shorter" in request.param else tiny_bundle_hub


def images(count: int, seed: int) -> torch.Tensor:
    return torch.rand(count, 3, 56, 56, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def split(bundle: Gemma3) -> tuple[Layout, int]:
    layout = lay_out(bundle.processor, (IMAGE, IMAGE, TEXT))
    return layout, layout.images[1].start


def whole(bundle: Gemma3, layout: Layout, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """The plain full forward: ``[B, D]`` states of the last position."""
    pixels = torch.stack((first, second), 1).flatten(0, 1)
    ids, types = (each.expand(len(first), -1) for each in (layout.ids, layout.types))
    output = bundle.model.model(input_ids=ids, token_type_ids=types, pixel_values=pixels)
    return output.last_hidden_state[:, -1]  # type: ignore[no-any-return]


def forked(bundle: Gemma3, layout: Layout, cut: int, cache: Any, second: torch.Tensor, types: Any) -> torch.Tensor:
    output = bundle.model.model(
        input_ids=layout.ids[cut:].expand(len(second), -1),
        token_type_ids=types,
        pixel_values=second,
        past_key_values=cache,
        use_cache=True,
    )
    return output.last_hidden_state[:, -1]  # type: ignore[no-any-return]


def relative(one: torch.Tensor, other: torch.Tensor) -> float:
    return ((one - other).norm() / other.norm()).item()  # type: ignore[no-any-return]


def test_a_batch_of_different_pictures_equals_the_full_forward(bundle: Gemma3) -> None:
    layout, cut = split(bundle)
    first, second, index = images(6, 0), images(4, 1), [5, 0, 3, 0]
    bank = PrefixBank(bundle.model.model, layout.ids[:cut], layout.types[:cut])
    assert bank.extend(first[:5]) == range(5)
    assert bank.extend(first[5:]) == range(5, 6)
    leaves = [second.clone().requires_grad_() for _ in range(2)]
    wanted = whole(bundle, layout, first[index], leaves[0])
    got = forked(bundle, layout, cut, bank.fork(index), leaves[1], layout.types.expand(4, -1))
    weights = torch.randn(wanted.shape, generator=torch.Generator().manual_seed(2))
    both = zip((wanted, got), leaves, strict=True)
    gradients = [torch.autograd.grad((states * weights).sum(), leaf)[0] for states, leaf in both]
    assert relative(got, wanted) < 1e-5
    assert gradients[0].norm() > 0
    assert relative(gradients[1], gradients[0]) < 1e-5


def test_forks_leave_the_bank_untouched(bundle: Gemma3) -> None:
    layout, cut = split(bundle)
    bank = PrefixBank(bundle.model.model, layout.ids[:cut], layout.types[:cut])
    bank.extend(images(2, 0))
    size, second = bank.nbytes, images(2, 1)
    with torch.no_grad():
        runs = [forked(bundle, layout, cut, bank.fork([0, 1]), second, layout.types.expand(2, -1)) for _ in range(3)]
    assert torch.equal(runs[0], runs[1])
    assert torch.equal(runs[0], runs[2])
    assert bank.nbytes == size > 0


@pytest.mark.parametrize("wrong", ["none", "of the suffix only"])
def test_token_types_must_cover_the_whole_length(bundle: Gemma3, wrong: str) -> None:
    layout, cut = split(bundle)
    bank = PrefixBank(bundle.model.model, layout.ids[:cut], layout.types[:cut])
    first, second = images(1, 0), images(1, 1)
    bank.extend(first)
    types = None if wrong == "none" else layout.types[None, cut:]
    with torch.no_grad():
        got = forked(bundle, layout, cut, bank.fork([0]), second, types)
        assert relative(got, whole(bundle, layout, first, second)) > 1e-3
