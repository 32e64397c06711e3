"""The language model in 4 bits; bitsandbytes is optional, so are these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from studio.errors import StudioError
from studio.scienceqa.model import loading, prompts
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.source import Source
from studio.scienceqa.questions.record import Question

Asked = Callable[[GemmaClip], Tensor]


@pytest.fixture
def packed(tiny_folder: Path) -> GemmaClip:
    pytest.importorskip("bitsandbytes")
    return loading.load(Source(bundle=str(tiny_folder)).spec("nf4"), torch.device("cpu"))


def gradients(model: GemmaClip, question: Question, picture: Any) -> dict[str, Tensor]:
    """One backward pass, as training makes it; returns the gradient of the projector and of every adapter."""
    weights = {f"projector.{name}": weight for name, weight in model.projector.named_parameters()}
    weights |= {name: weight for name, weight in model.language.named_parameters() if "lora_" in name}
    for weight in weights.values():
        weight.requires_grad_(True)
        weight.grad = None
    cut = model.cut(picture)
    asked = prompts.ask(model.tokenizer, question, cut.grid)
    said = prompts.answer(model.tokenizer, question, "reasoning")
    model.loss(model.batch([asked], [model.features(cut.tiles)], answers=[said])).backward()
    return {name: weight.grad.clone() for name, weight in weights.items() if weight.grad is not None}


def test_an_evaluation_does_not_break_training_in_4_bits(
    packed: GemmaClip, question: Question, picture: Any, asked: Asked
) -> None:
    layers = [module for module in packed.language.modules() if hasattr(module, "support_avx512bf16_for_cpu")]
    assert layers and not any(layer.support_avx512bf16_for_cpu for layer in layers)
    before = gradients(packed, question, picture)
    asked(packed)
    after = gradients(packed, question, picture)
    assert len(before) == len(after) == 5 + 2 * 7 * 6
    for name, gradient in before.items():
        assert gradient.norm() > 0, name
        assert torch.allclose(after[name], gradient, rtol=1e-3, atol=1e-7), name


def test_4_bits_answer_much_as_the_whole_model(packed: GemmaClip, model: GemmaClip, asked: Asked) -> None:
    one, other = asked(model).flatten(), asked(packed).flatten()
    assert nn.functional.cosine_similarity(one, other, dim=0) > 0.9
    assert not torch.allclose(one, other, atol=1e-3)


def test_gradients_that_vanish_are_refused(model: GemmaClip) -> None:
    cut_off = GemmaClip(model.vision, model.projector, model.language, model.tokenizer, replace(model.info))
    cut_off.hidden = lambda batch: batch.embeds * 0  # type: ignore[method-assign]
    with pytest.raises(StudioError, match="gradients of the quantized model are wrong"):
        loading._check_gradients(cut_off)
    loading._check_gradients(model)
