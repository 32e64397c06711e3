"""What would not learn, or would learn something else, is refused before the first step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from studio.context import Context
from studio.errors import StudioError
from studio.scienceqa.config import TrainScienceqaConfig
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.loading import load
from studio.scienceqa.model.source import Source
from studio.scienceqa.training import selfcheck
from studio.scienceqa.training.learner import Learner, Shown
from tests.scienceqa.training.test_learner import Taught, taught


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    return path.read_text() if path.is_file() else ""


@pytest.fixture
def ready(place: Path, config: TrainScienceqaConfig, house: Callable[[str], Context]) -> Taught:
    return taught(place, config, house("job"))


def test_a_sound_model_passes_and_is_left_as_it_was(ready: Taught) -> None:
    learner, shown = ready
    before = {name: weight.detach().clone() for name, weight in learner.weights.items()}
    selfcheck.check(learner, shown[:2])
    assert all(torch.equal(weight, before[name]) and weight.grad is None for name, weight in learner.weights.items())
    selfcheck.check(learner, shown[2:4])  # without a picture the projector is not looked at


class _CutOff(nn.Module):
    """Passes values and stops gradients."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, *values: torch.Tensor) -> Any:
        return self.inner(*values).detach() + 0 * values[0].sum()


class _Repacked(_CutOff):
    """Lets no gradient through once it has run without any, as repacked 4-bit weights do."""

    spoilt = False

    def forward(self, *values: torch.Tensor) -> Any:
        self.spoilt |= not torch.is_grad_enabled()
        return super().forward(*values) if self.spoilt else self.inner(*values)


def test_a_projector_that_gets_no_gradient_is_refused(ready: Taught) -> None:
    learner, shown = ready
    layer = learner.model.projector.net[2]
    learner.model.projector.net[2] = _CutOff(layer)
    with pytest.raises(StudioError, match="would not change the projector"):
        selfcheck.check(learner, shown[:1])


@pytest.mark.parametrize(("layer", "name"), [(0, "first adapted layer"), (5, "last adapted layer")])
def test_a_layer_that_gets_no_gradient_is_refused(ready: Taught, layer: int, name: str) -> None:
    learner, shown = ready
    block = learner.model.decoder.layers[layer]
    block.self_attn.v_proj = _CutOff(block.self_attn.v_proj)  # of seven adapters one
    with pytest.raises(StudioError, match=f"would not change the {name}"):
        selfcheck.check(learner, shown[2:3])


def test_weights_that_an_evaluation_repacks_are_found(ready: Taught) -> None:
    learner, shown = ready
    mlp = learner.model.decoder.layers[5].mlp
    mlp.down_proj = _Repacked(mlp.down_proj)
    with pytest.raises(StudioError, match="once the model has been evaluated"):
        selfcheck.check(learner, shown[:1])


def test_a_question_that_would_be_learnt_is_found(ready: Taught, monkeypatch: pytest.MonkeyPatch) -> None:
    learner, shown = ready
    honest = GemmaClip.batch

    def careless(self: GemmaClip, *given: Any, **named: Any) -> Any:
        batch = honest(self, *given, **named)
        assert batch.labels is not None
        batch.labels[:, 2] = 5
        return batch

    monkeypatch.setattr(GemmaClip, "batch", careless)
    with pytest.raises(StudioError, match="question itself would be learnt"):
        selfcheck.check(learner, shown[:1])


def test_an_answer_without_its_end_is_found(ready: Taught) -> None:
    learner, shown = ready
    turn = shown[0].turn
    endless = Shown(turn._replace(answer=turn.answer[:-1]), shown[0].features)
    with pytest.raises(StudioError, match="does not end with its end of turn"):
        selfcheck.check(learner, [endless])


def in_4_bits(place: Path, config: TrainScienceqaConfig, context: Context) -> Taught:
    pytest.importorskip("bitsandbytes")
    shown = taught(place, config, context)[1][:1]
    source = Source(vision=str(place / "vision"), language=str(place / "language"), views="pad")
    return Learner(load(source.spec("nf4"), torch.device("cpu")), config, 10), shown


def test_four_bits_can_be_trained(place: Path, config: TrainScienceqaConfig, house: Callable[[str], Context]) -> None:
    learner, shown = in_4_bits(place, config, house("job"))
    selfcheck.check(learner, shown)
    first = learner.step(0, [shown])
    assert learner.step(1, [shown]) < first


@pytest.mark.skipif("avx512_bf16" not in _processor(), reason="this processor has no reason to repack")
def test_four_bits_that_are_repacked_are_refused(
    place: Path, config: TrainScienceqaConfig, house: Callable[[str], Context]
) -> None:
    learner, shown = in_4_bits(place, config, house("job"))
    for module in learner.model.language.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = True
    with pytest.raises((StudioError, AssertionError)):  # bitsandbytes itself refuses odd widths
        selfcheck.check(learner, shown)
