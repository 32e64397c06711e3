"""4-bit loading and the check on its gradients; bitsandbytes is optional, so are these."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from studio.errors import StudioError
from studio.gemma.loading import Gemma3, load_gemma3
from studio.gemma.selfcheck import check_gradients
from studio.models import ModelSpec

CPU = torch.device("cpu")


def load_in_4_bits(folder: Path) -> Gemma3:
    pytest.importorskip("bitsandbytes")
    return load_gemma3(ModelSpec("gemma3", str(folder), quantization="nf4"), CPU)


def test_a_sound_model_passes(tiny_bundle: Gemma3) -> None:
    check_gradients(tiny_bundle)


def test_only_the_language_model_is_quantized(tiny_gemma3: Path) -> None:
    bundle = load_in_4_bits(tiny_gemma3)
    kinds = {name: type(module).__name__ for name, module in bundle.model.named_modules()}
    quantized = [name for name, kind in kinds.items() if kind == "Linear4bit"]
    assert quantized
    assert all(name.startswith("model.language_model.layers") for name in quantized)
    assert kinds["lm_head"] == "Linear"
    assert bundle.dtype == torch.float32


def test_a_prefill_without_gradients_does_not_repack_the_weights(tiny_gemma3: Path) -> None:
    bundle = load_in_4_bits(tiny_gemma3)
    layers = [module for module in bundle.model.modules() if hasattr(module, "support_avx512bf16_for_cpu")]
    assert not any(layer.support_avx512bf16_for_cpu for layer in layers)
    before = [weight.detach().clone() for weight in bundle.model.parameters()]
    with torch.no_grad():
        bundle.model.model(input_ids=torch.tensor([[2, 5, 9]]))
    assert all(torch.equal(one, other) for one, other in zip(before, bundle.model.parameters(), strict=True))


class _CutOff(nn.Module):
    """Passes values and stops gradients."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, *values: torch.Tensor) -> Any:
        return self.inner(*values).detach() + 0 * values[0].sum()


class _Repacked(_CutOff):
    """Computes something else once it has run without gradients, as repacked weights do."""

    spoilt = False

    def forward(self, *values: torch.Tensor) -> Any:
        self.spoilt |= not torch.is_grad_enabled()
        return self.inner(*values) * (1 - 2 * self.spoilt)


@pytest.mark.parametrize("fault", [_CutOff, _Repacked])
def test_wrong_gradients_are_refused(tiny_bundle: Gemma3, fault: Any) -> None:
    inner = tiny_bundle.model.model
    projector = inner.multi_modal_projector
    inner.multi_modal_projector = fault(projector)
    try:
        with pytest.raises(StudioError, match="gradients of the quantized model are wrong"):
            check_gradients(replace(tiny_bundle))
    finally:
        inner.multi_modal_projector = projector
