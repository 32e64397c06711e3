"""Prove that gradients reach a model's input before anything is optimised with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from studio.errors import StudioError

if TYPE_CHECKING:
    from studio.gemma.loading import Gemma3

_TOLERANCE = 0.05  # relative: bfloat16 rounds to 0.01, a wrong layout is off by 1


def check_gradients(bundle: Gemma3) -> None:
    """Refuse a model whose pixel gradients vanish, explode, or change after a forward pass without gradients.

    Raises:
        StudioError: They do.
    """
    check_steady(lambda pixels: _answer(bundle, pixels), _noise(bundle))


def check_steady(answer: Callable[[Tensor], Tensor], at: Tensor) -> None:
    """Refuse gradients that vanish, explode, or change after a forward pass without gradients.

    Args:
        answer: A number that depends on all of what it is handed.
        at: Where to look.

    Raises:
        StudioError: They do.
    """
    before = _gradient(answer, at)
    with torch.no_grad():
        answer(at)
    after = _gradient(answer, at)
    sound = bool(torch.isfinite(before).all()) and bool(before.norm() > 0)
    if not sound or not (after - before).norm() <= _TOLERANCE * before.norm():
        raise StudioError(
            "The gradients of the quantized model are wrong on this machine.",
            "Load it without quantization, or update bitsandbytes.",
        )


def _noise(bundle: Gemma3) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(1, 3, bundle.image_size, bundle.image_size, generator=generator) * 2 - 1
    return pixels.to(bundle.device, bundle.dtype)


def _gradient(answer: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    leaf = at.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(answer(leaf), leaf)
    return gradient.float()


def _answer(bundle: Gemma3, pixels: Tensor) -> Tensor:
    """Read one image without words and return a number that depends on every pixel of it."""
    image = [bundle.model.config.image_token_id] * bundle.tokens_per_image
    tokenizer = bundle.processor.tokenizer
    ids = torch.tensor([[tokenizer.bos_token_id, *image, tokenizer.eos_token_id]], device=bundle.device)
    types = (ids == bundle.model.config.image_token_id).long()
    hidden = bundle.model.model(input_ids=ids, token_type_ids=types, pixel_values=pixels).last_hidden_state
    weights = torch.linspace(0.5, 1.5, hidden.shape[-1], device=bundle.device)
    return torch.sum(hidden[0, -1].float() ** 2 * weights)
